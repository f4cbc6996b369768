//! Exchanges the first proofs on a signaling connection, before any description.
//!
//! The sink's hello carries its nonce. The source answers with a `challenge`: its own nonce and its proof. The sink
//! checks that, and answers with its `proof`. It does not matter which end called the other. [`Proven`] is what both
//! ends then know. The second proofs, over the link's certificates, start from it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::lines::{Signaling, SignalingError};
use super::signal::{Introduction, Signal};
use crate::admission::{
    Fingerprints, Identity, Nonce, Nonces, NotAdmitted, Proof, PublicKey, ServerId, Signed, Slowdown, Token,
};
use crate::link::Kind;
use crate::protocol::HELLO_LIMIT;
use crate::protocol::message::Role;

/// How long a sink waits for the challenge. The source may delay its refusals, so this is longer than that delay.
const CHALLENGE_LIMIT: Duration = Duration::from_secs(10);

/// Maximum number of offers to strangers that are passed over: one is on its way if our hello comes late.
const MAX_PASSED: usize = 3;

/// Who is admitted: everybody, or peers that hold the token. Copies share the slowdown.
#[derive(Clone, Debug, Default)]
pub struct Admission(Option<Arc<Keeper>>);

/// What an end with a token has.
#[derive(Debug)]
pub(crate) struct Keeper {
    token: Token,
    /// The key of this end, if it is a source that has one.
    identity: Option<Identity>,
    /// The only source that this end accepts, if it is a sink.
    server: Option<ServerId>,
    slowdown: Mutex<Slowdown>,
}

/// What both ends know after the first proofs.
#[derive(Clone, Debug)]
pub struct Proven {
    token: Token,
    nonces: Nonces,
    ours: Role,
    /// Our key, if we are a source that has one.
    identity: Option<Identity>,
    /// The key of the named source, if this end is a sink that names one.
    meant: Option<PublicKey>,
    /// Whether the second proofs cover the certificates. Only a test leaves them out, to show that a peer in the middle
    /// then gets a link.
    #[cfg(test)]
    pub(crate) is_bound: bool,
}

impl Admission {
    /// Admits whoever holds this token.
    pub fn of(token: Token) -> Self {
        Self::with(token, None, None)
    }

    /// Admits whoever holds this token, and if `server` is given, only that source. `identity` is the key of this end, if
    /// it is a source.
    pub fn with(token: Token, identity: Option<Identity>, server: Option<ServerId>) -> Self {
        Self(Some(Arc::new(Keeper { token, identity, server, slowdown: Mutex::default() })))
    }

    /// What this end has, if it has a token.
    #[cfg(feature = "grpc")]
    pub(crate) fn keeper(&self) -> Option<&Keeper> {
        self.0.as_deref()
    }

    /// Whether everybody is admitted.
    pub fn is_open(&self) -> bool {
        self.0.is_none()
    }

    /// Refuses a link if there is a token and the link would carry frames to another machine in the clear.
    /// `is_encrypted` says whether the connection is inside TLS.
    ///
    /// # Errors
    /// [`NotAdmitted::Unprotected`].
    pub fn protects(&self, kind: Kind, peer: IpAddr, is_encrypted: bool) -> Result<(), NotAdmitted> {
        let is_safe = self.is_open() || !kind.is_stream() || is_encrypted || peer.to_canonical().is_loopback();
        if is_safe { Ok(()) } else { Err(NotAdmitted::Unprotected(kind)) }
    }

    /// The nonce for a sink's hello; `None` without a token.
    ///
    /// # Errors
    /// [`NotAdmitted::NoRandom`].
    pub fn nonce(&self) -> Result<Option<Nonce>, NotAdmitted> {
        Ok(if self.is_open() { None } else { Some(Nonce::new()?) })
    }

    /// The source's side: proves itself to the sink that said this hello, and waits for its proof. Tells the sink why
    /// it is not admitted, after a delay if its proof failed.
    ///
    /// # Errors
    /// [`SignalingError::NotAdmitted`], another line in place of a proof, or a failure of the connection.
    pub async fn admit_sink(
        &self,
        signaling: &mut Signaling,
        hello: &Introduction,
    ) -> Result<Option<Proven>, SignalingError> {
        match self.sink_proven(signaling, hello).await {
            Ok(proven) => Ok(proven),
            Err(wrong) => Err(self.refused(signaling, wrong).await),
        }
    }

    async fn sink_proven(
        &self,
        signaling: &mut Signaling,
        hello: &Introduction,
    ) -> Result<Option<Proven>, SignalingError> {
        let (keeper, sink) = match (&self.0, &hello.nonce) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(NotAdmitted::SourceWithout.into()),
            (Some(_), None) => return Err(NotAdmitted::SinkWithout.into()),
            (Some(keeper), Some(sink)) => (keeper, sink),
        };
        let sink: Nonce = sink.parse().map_err(|_| NotAdmitted::Malformed)?;
        let nonces = Nonces { source: Nonce::new().map_err(NotAdmitted::from)?, sink };
        let proven = keeper.proven(nonces, Role::Source, None);
        let (nonce, proof) = (nonces.source.to_string(), keeper.prove(Role::Source, &nonces).to_string());
        let signed = keeper.signed(Role::Source, &nonces);
        let (identity, signature) = signed.map(|Signed { identity, signature }| (identity, signature)).unzip();
        signaling.send(&Signal::Challenge { nonce, proof, identity, signature }).await?;
        match signaling.receive_within(HELLO_LIMIT).await? {
            Signal::Proof { proof, .. } => keeper.check(&proof, Role::Sink, &nonces)?,
            other => return Err(SignalingError::instead("a proof", other)),
        }
        Ok(Some(proven))
    }

    /// The source's side for a page that only watches: takes its hello, and if there is a token, proves itself and
    /// waits for the page's proof. A client's proof is not valid here.
    ///
    /// # Errors
    /// [`SignalingError::NotAdmitted`] or another line in place of a proof, which the page is told, or a failure of the
    /// connection.
    pub async fn admit_page(&self, signaling: &mut Signaling) -> Result<(), SignalingError> {
        match self.page_proven(signaling).await {
            Ok(()) => Ok(()),
            Err(wrong) => Err(self.refused(signaling, wrong).await),
        }
    }

    async fn page_proven(&self, signaling: &mut Signaling) -> Result<(), SignalingError> {
        let hello = match signaling.receive_within(HELLO_LIMIT).await? {
            Signal::Hello(hello) => hello,
            other => return Err(SignalingError::instead("a hello", other)),
        };
        let (keeper, sink) = match (&self.0, &hello.nonce) {
            (None, _) => return Ok(()),
            (Some(_), None) => return Err(NotAdmitted::PageWithout.into()),
            (Some(keeper), Some(sink)) => (keeper, sink),
        };
        let sink: Nonce = sink.parse().map_err(|_| NotAdmitted::Malformed)?;
        let nonces = Nonces { source: Nonce::new().map_err(NotAdmitted::from)?, sink };
        let proof = keeper.token.prove_to_watch(Role::Source, &nonces).to_string();
        let nonce = nonces.source.to_string();
        signaling.send(&Signal::Challenge { nonce, proof, identity: None, signature: None }).await?;
        match signaling.receive_within(HELLO_LIMIT).await? {
            Signal::Proof { proof, .. } => {
                let proof: Proof = proof.parse().map_err(|_| NotAdmitted::Malformed)?;
                let is_theirs = keeper.token.accepts_to_watch(&proof, Role::Sink, &nonces);
                if is_theirs { Ok(()) } else { Err(NotAdmitted::Wrong.into()) }
            }
            other => Err(SignalingError::instead("a proof", other)),
        }
    }

    /// The sink's side, after its hello with this nonce: waits for the source's challenge, checks it, and proves
    /// itself.
    ///
    /// # Errors
    /// [`SignalingError::NotAdmitted`], or a failure of the connection.
    pub async fn admit_source(
        &self,
        signaling: &mut Signaling,
        nonce: Option<Nonce>,
    ) -> Result<Option<Proven>, SignalingError> {
        let (Some(keeper), Some(sink)) = (&self.0, nonce) else { return Ok(None) };
        match keeper.source_proven(signaling, sink).await {
            Ok(proven) => Ok(Some(proven)),
            Err(wrong) => Err(self.refused(signaling, wrong).await),
        }
    }

    /// Tells a peer why it is not admitted, unless it has said so itself. A peer that sends wrong proofs has to wait for
    /// it.
    async fn refused(&self, signaling: &mut Signaling, reason: SignalingError) -> SignalingError {
        let wait = match (&self.0, &reason) {
            (Some(keeper), SignalingError::NotAdmitted(NotAdmitted::Wrong)) => keeper.failed(),
            (_, SignalingError::Refused { .. }) => None,
            _ => Some(Duration::ZERO),
        };
        if let Some(wait) = wait {
            sleep(wait).await;
            // A peer that is gone does not receive it.
            let retry = matches!(reason, SignalingError::Silence(_));
            let _ = signaling.send(&Signal::Error { reason: reason.to_string(), retry }).await;
        }
        reason
    }
}

impl Keeper {
    fn proven(&self, nonces: Nonces, ours: Role, meant: Option<PublicKey>) -> Proven {
        Proven {
            token: self.token.clone(),
            nonces,
            ours,
            identity: self.identity.clone().filter(|_| ours == Role::Source),
            meant,
            #[cfg(test)]
            is_bound: true,
        }
    }

    async fn source_proven(&self, signaling: &mut Signaling, sink: Nonce) -> Result<Proven, SignalingError> {
        for _ in 0..MAX_PASSED {
            let (nonce, proof, signed) = match signaling.receive_within(CHALLENGE_LIMIT).await? {
                Signal::Challenge { nonce, proof, identity, signature } => {
                    (nonce, proof, identity.zip(signature).map(|(identity, signature)| Signed { identity, signature }))
                }
                // For a stranger, because our hello came late: the answer to the hello follows.
                Signal::Offer { .. } => continue,
                Signal::Link { .. } => return Err(NotAdmitted::SourceWithout.into()),
                other => return Err(SignalingError::instead("a challenge", other)),
            };
            let nonces = Nonces { source: nonce.parse().map_err(|_| NotAdmitted::Malformed)?, sink };
            self.check(&proof, Role::Source, &nonces)?;
            let meant = self.meant(signed.as_ref(), &nonces)?;
            let proof = self.prove(Role::Sink, &nonces).to_string();
            signaling.send(&Signal::Proof { proof, signature: None }).await?;
            return Ok(self.proven(nonces, Role::Sink, meant));
        }
        Err(NotAdmitted::SourceWithout.into())
    }

    /// The first proof of the end of this role.
    pub(crate) fn prove(&self, role: Role, nonces: &Nonces) -> Proof {
        self.token.prove(role, nonces, None)
    }

    /// The signature that goes with that proof, if this end has an identity and this role is its own.
    pub(crate) fn signed(&self, role: Role, nonces: &Nonces) -> Option<Signed> {
        self.identity.as_ref().filter(|_| role == Role::Source).map(|identity| identity.sign(nonces, None))
    }

    /// Checks that the source that signed this is the named one. Returns its key; `None` if any source will do.
    pub(crate) fn meant(&self, signed: Option<&Signed>, nonces: &Nonces) -> Result<Option<PublicKey>, NotAdmitted> {
        let Some(server) = self.server else { return Ok(None) };
        let Signed { identity, signature } = signed.ok_or(NotAdmitted::NoIdentity)?;
        let key: PublicKey = identity.parse().map_err(|_| NotAdmitted::WrongSignature)?;
        if !key.accepts(signature, nonces, None) {
            return Err(NotAdmitted::WrongSignature);
        }
        if key.id() == server { Ok(Some(key)) } else { Err(NotAdmitted::OtherServer(key.id())) }
    }

    /// Checks the first proof of the end of this role.
    pub(crate) fn check(&self, proof: &str, role: Role, nonces: &Nonces) -> Result<(), NotAdmitted> {
        let proof: Proof = proof.parse().map_err(|_| NotAdmitted::Malformed)?;
        if self.token.accepts(&proof, role, nonces, None) { Ok(()) } else { Err(NotAdmitted::Wrong) }
    }

    /// How long the refusal of a failing proof waits; `None` if too many wait already.
    pub(crate) fn failed(&self) -> Option<Duration> {
        self.slowdown.lock().unwrap_or_else(PoisonError::into_inner).failed(Instant::now())
    }
}

impl Proven {
    /// Whether this end is the source.
    pub fn is_source(&self) -> bool {
        self.ours == Role::Source
    }

    /// Whether the second proofs cover the certificates: always, but in a test.
    pub fn covers_certificates(&self) -> bool {
        #[cfg(test)]
        return self.is_bound;
        #[cfg(not(test))]
        true
    }

    /// Proves that the link between these two certificates is ours.
    pub fn prove_link(&self, certificates: &Fingerprints) -> Proof {
        self.token.prove(self.ours, &self.nonces, self.bound(certificates))
    }

    /// The signature of our identity that the link between these two certificates is ours; `None` without an identity.
    pub fn sign_link(&self, certificates: &Fingerprints) -> Option<String> {
        let identity = self.identity.as_ref()?;
        Some(identity.sign(&self.nonces, self.bound(certificates)).signature)
    }

    /// Whether this is the peer's proof that the link between these two certificates is its own. If a server is named,
    /// this must also be its signature.
    pub fn accepts_link(&self, proof: &str, signature: Option<&str>, certificates: &Fingerprints) -> bool {
        let bound = self.bound(certificates);
        let is_meant =
            self.meant.is_none_or(|key| signature.is_some_and(|signature| key.accepts(signature, &self.nonces, bound)));
        let proof = proof.parse::<Proof>();
        is_meant && proof.is_ok_and(|proof| self.token.accepts(&proof, self.ours.other(), &self.nonces, bound))
    }

    fn bound<'a>(&self, certificates: &'a Fingerprints) -> Option<&'a Fingerprints> {
        self.covers_certificates().then_some(certificates)
    }
}
