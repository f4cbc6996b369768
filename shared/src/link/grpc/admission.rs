//! Proves a token over a call's metadata.
//!
//! The caller's first call names its nonce in `plumb-nonce`. An end with a token refuses it with the status
//! `UNAUTHENTICATED`, whose `plumb-nonce` is a nonce of its own. The caller then calls again on the same connection, with
//! its nonce and its proof, in `plumb-proof`. The metadata of the response has the proof of the called end. Either end
//! may be the source. A source with an identity signs the proof, in `plumb-identity` and `plumb-signature`.

use std::sync::{Mutex, PoisonError};

use tokio::time::sleep;
use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

use crate::admission::{Nonce, Nonces, NotAdmitted, Signed};
use crate::door::admission::{Admission, Keeper};
use crate::protocol::message::Role;

/// Metadata with a nonce of the sender.
const NONCE: &str = "plumb-nonce";

/// Metadata with the sender's proof.
const PROOF: &str = "plumb-proof";

/// Metadata with the public key of a source that has an identity.
const IDENTITY: &str = "plumb-identity";

/// Metadata with that source's signature.
const SIGNATURE: &str = "plumb-signature";

/// Admits calls on one connection.
pub(super) struct Guard {
    admission: Admission,
    ours: Role,
    /// The nonce that was given to the caller. It counts for one call.
    issued: Mutex<Option<Nonce>>,
}

/// Why a call is not admitted.
pub(super) enum Refusal {
    /// The caller must prove itself, with another call.
    Challenge(Status),
    /// The caller gets no session.
    Final(NotAdmitted),
}

impl Guard {
    /// A guard for the end of this role, which is called.
    pub(super) fn new(admission: Admission, ours: Role) -> Self {
        Self { admission, ours, issued: Mutex::default() }
    }

    /// Admits a call with this metadata, and returns what the response says. A caller that sends wrong proofs has to
    /// wait.
    pub(super) async fn admit(&self, said: &MetadataMap) -> Result<MetadataMap, Refusal> {
        let admitted = self.decide(said);
        if let (Err(Refusal::Final(NotAdmitted::Wrong)), Some(keeper)) = (&admitted, self.admission.keeper())
            && let Some(wait) = keeper.failed()
        {
            sleep(wait).await;
        }
        admitted
    }

    fn decide(&self, said: &MetadataMap) -> Result<MetadataMap, Refusal> {
        let keeper = match (self.admission.keeper(), said.contains_key(NONCE)) {
            (None, false) => return Ok(MetadataMap::new()),
            (None, true) => return Err(NotAdmitted::without(self.ours).into()),
            (Some(_), false) => return Err(NotAdmitted::without(self.ours.other()).into()),
            (Some(keeper), true) => keeper,
        };
        if !said.contains_key(PROOF) {
            return Err(self.challenge());
        }
        let ours = self.issued.lock().unwrap_or_else(PoisonError::into_inner).take();
        let nonces = nonces(self.ours, ours.ok_or(NotAdmitted::Malformed)?, nonce(said)?);
        check(keeper, said, self.ours.other(), &nonces)?;
        Ok(proof(keeper, self.ours, &nonces))
    }

    /// Gives the caller a nonce.
    fn challenge(&self) -> Refusal {
        let Ok(nonce) = Nonce::new() else { return Refusal::Final(NotAdmitted::NoRandom) };
        *self.issued.lock().unwrap_or_else(PoisonError::into_inner) = Some(nonce);
        let mut status = Status::unauthenticated("prove the token over the nonce in plumb-nonce (docs/protocol.md)");
        put(status.metadata_mut(), NONCE, &nonce);
        Refusal::Challenge(status)
    }
}

impl From<NotAdmitted> for Refusal {
    fn from(reason: NotAdmitted) -> Self {
        Self::Final(reason)
    }
}

/// A caller that proves itself.
pub(super) struct Caller<'a> {
    keeper: &'a Keeper,
    ours: Role,
    nonce: Nonce,
}

impl<'a> Caller<'a> {
    /// The caller of this role; `None` without a token.
    pub(super) fn new(admission: &'a Admission, ours: Role) -> Result<Option<Self>, NotAdmitted> {
        let Some(keeper) = admission.keeper() else { return Ok(None) };
        Ok(Some(Self { keeper, ours, nonce: Nonce::new()? }))
    }

    /// What the first call says.
    pub(super) fn asks(&self) -> MetadataMap {
        let mut says = MetadataMap::new();
        put(&mut says, NONCE, &self.nonce);
        says
    }

    /// What the second call says after this refusal, and the nonces; `None` if the refusal has no nonce.
    pub(super) fn proves(&self, refusal: &Status) -> Result<Option<(MetadataMap, Nonces)>, NotAdmitted> {
        if !refusal.metadata().contains_key(NONCE) {
            return Ok(None);
        }
        let nonces = nonces(self.ours, self.nonce, nonce(refusal.metadata())?);
        let mut says = proof(self.keeper, self.ours, &nonces);
        put(&mut says, NONCE, &self.nonce);
        Ok(Some((says, nonces)))
    }

    /// Checks the proof in the response.
    pub(super) fn check(&self, said: &MetadataMap, nonces: &Nonces) -> Result<(), NotAdmitted> {
        check(self.keeper, said, self.ours.other(), nonces)
    }

    /// The other end has no token.
    pub(super) fn alone(&self) -> NotAdmitted {
        NotAdmitted::without(self.ours.other())
    }
}

fn nonces(role: Role, ours: Nonce, theirs: Nonce) -> Nonces {
    match role {
        Role::Source => Nonces { source: ours, sink: theirs },
        Role::Sink => Nonces { source: theirs, sink: ours },
    }
}

fn nonce(said: &MetadataMap) -> Result<Nonce, NotAdmitted> {
    text(said, NONCE).and_then(|text| text.parse().ok()).ok_or(NotAdmitted::Malformed)
}

/// What the end of this role says to prove itself.
fn proof(keeper: &Keeper, role: Role, nonces: &Nonces) -> MetadataMap {
    let mut says = MetadataMap::new();
    put(&mut says, PROOF, &keeper.prove(role, nonces));
    if let Some(Signed { identity, signature }) = keeper.signed(role, nonces) {
        put(&mut says, IDENTITY, &identity);
        put(&mut says, SIGNATURE, &signature);
    }
    says
}

/// Checks the proof of the end of this role.
fn check(keeper: &Keeper, said: &MetadataMap, role: Role, nonces: &Nonces) -> Result<(), NotAdmitted> {
    keeper.check(text(said, PROOF).ok_or(NotAdmitted::without(role))?, role, nonces)?;
    let named = text(said, IDENTITY).zip(text(said, SIGNATURE));
    let signed = named.map(|(identity, signature)| Signed { identity: identity.into(), signature: signature.into() });
    if role == Role::Source {
        keeper.meant(signed.as_ref(), nonces)?;
    }
    Ok(())
}

fn text<'a>(said: &'a MetadataMap, name: &str) -> Option<&'a str> {
    said.get(name)?.to_str().ok()
}

fn put(says: &mut MetadataMap, name: &'static str, value: &impl ToString) {
    // Hexadecimal digits are always metadata.
    if let Ok(value) = MetadataValue::try_from(value.to_string()) {
        says.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Token;

    fn token() -> Admission {
        Admission::of(Token::of(b"a token of tests"))
    }

    /// What the guard says to a call with this metadata: the reason, or nothing.
    async fn refused(guard: &Guard, said: &MetadataMap) -> Option<NotAdmitted> {
        match guard.admit(said).await {
            Ok(_) => None,
            Err(Refusal::Final(reason)) => Some(reason),
            Err(Refusal::Challenge(status)) => panic!("{status}"),
        }
    }

    /// Asks the guard for a nonce. Returns what the second call says, and the nonces.
    async fn challenged(guard: &Guard, caller: &Caller<'_>) -> (MetadataMap, Nonces) {
        let Err(Refusal::Challenge(status)) = guard.admit(&caller.asks()).await else { panic!("no challenge") };
        assert_eq!(status.code(), tonic::Code::Unauthenticated);
        caller.proves(&status).unwrap().expect("a nonce")
    }

    fn caller<'a>(admission: &'a Admission, role: Role) -> Caller<'a> {
        Caller::new(admission, role).unwrap().expect("a token")
    }

    #[tokio::test]
    async fn both_ends_prove_themselves_whichever_calls() {
        for role in [Role::Source, Role::Sink] {
            let (ours, theirs) = (token(), token());
            let (guard, caller) = (Guard::new(ours, role.other()), caller(&theirs, role));
            let (proof, nonces) = challenged(&guard, &caller).await;
            let Ok(response) = guard.admit(&proof).await else { panic!("not admitted") };
            assert_eq!(caller.check(&response, &nonces), Ok(()));
            assert_eq!(caller.check(&proof, &nonces), Err(NotAdmitted::Wrong), "its own proof, reflected");
            assert_eq!(caller.check(&MetadataMap::new(), &nonces), Err(NotAdmitted::without(role.other())));
        }
    }

    #[tokio::test]
    async fn a_proof_that_is_replayed_swapped_or_of_another_session_is_refused() {
        let (ours, theirs) = (token(), token());
        let (guard, sink) = (Guard::new(ours.clone(), Role::Source), caller(&theirs, Role::Sink));
        let (proof, nonces) = challenged(&guard, &sink).await;
        assert_eq!(refused(&guard, &proof).await, None);
        assert_eq!(refused(&guard, &proof).await, Some(NotAdmitted::Malformed), "its nonce is used up");
        challenged(&guard, &sink).await;
        assert_eq!(refused(&guard, &proof).await, Some(NotAdmitted::Wrong), "replayed");
        let another = Guard::new(ours, Role::Source);
        challenged(&another, &sink).await;
        assert_eq!(refused(&another, &proof).await, Some(NotAdmitted::Wrong), "of another session");
        let (mut swapped, nonces_now) = challenged(&guard, &sink).await;
        put(&mut swapped, PROOF, &theirs.keeper().expect("a token").prove(Role::Source, &nonces_now));
        assert_eq!(refused(&guard, &swapped).await, Some(NotAdmitted::Wrong), "of the other role");
        assert_ne!(nonces, nonces_now);
    }

    #[tokio::test]
    async fn a_nonce_or_a_proof_of_the_wrong_length_is_refused() {
        let (ours, theirs) = (token(), token());
        let (guard, sink) = (Guard::new(ours, Role::Source), caller(&theirs, Role::Sink));
        for (name, wrong) in [(NONCE, ""), (NONCE, "00"), (PROOF, "00"), (PROOF, "xyz")] {
            let (mut said, _) = challenged(&guard, &sink).await;
            put(&mut said, name, &wrong);
            assert_eq!(refused(&guard, &said).await, Some(NotAdmitted::Malformed), "{name}: {wrong}");
        }
    }
}
