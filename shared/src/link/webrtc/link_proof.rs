//! Proves, with a token, that a link is between the two ends that hold it: over the certificates of both descriptions,
//! and then by the certificate that DTLS has seen.

use crate::admission::{Fingerprint, Fingerprints};
use crate::door::admission::Proven;

use super::error::OpenError;
use super::peer::Peer;

/// What is known about the certificates of a link that is being opened.
pub(super) struct LinkProof {
    proven: Option<Proven>,
    ours: Option<Fingerprint>,
    theirs: Option<Fingerprint>,
}

impl LinkProof {
    pub(super) fn new(proven: Option<Proven>) -> Self {
        Self { proven, ours: None, theirs: None }
    }

    /// Takes our certificate from our description.
    pub(super) fn ours(&mut self, sdp: &str) {
        self.ours = Fingerprint::of_description(sdp);
    }

    /// Takes the peer's certificate from its description.
    pub(super) fn theirs(&mut self, sdp: &str) -> Result<(), OpenError> {
        self.theirs = Fingerprint::of_description(sdp);
        if self.proven.is_some() && self.theirs.is_none() { Err(OpenError::NoFingerprint) } else { Ok(()) }
    }

    /// Our proof, once both descriptions are known; `None` without a token.
    pub(super) fn prove(&self) -> Option<String> {
        let (proven, certificates) = self.proven.as_ref().zip(self.certificates())?;
        Some(proven.prove_link(&certificates).to_string())
    }

    /// The signature of our identity, once both descriptions are known; `None` without one.
    pub(super) fn sign(&self) -> Option<String> {
        let (proven, certificates) = self.proven.as_ref().zip(self.certificates())?;
        proven.sign_link(&certificates)
    }

    /// Checks the peer's proof. Without a token there is nothing to check.
    pub(super) fn check(&self, proof: Option<&str>, signature: Option<&str>) -> Result<(), OpenError> {
        let Some(proven) = &self.proven else { return Ok(()) };
        let certificates = self.certificates().ok_or(OpenError::NoFingerprint)?;
        let holds = proof.is_some_and(|proof| proven.accepts_link(proof, signature, &certificates));
        if holds { Ok(()) } else { Err(OpenError::Unproven) }
    }

    /// Checks that the certificate that DTLS has seen is the proven one.
    pub(super) async fn check_certificate(&self, peer: &Peer) -> Result<(), OpenError> {
        if !self.proven.as_ref().is_some_and(Proven::covers_certificates) {
            return Ok(());
        }
        let seen = peer.certificate().await?;
        if seen.is_some() && seen == self.theirs { Ok(()) } else { Err(OpenError::AnotherCertificate) }
    }

    /// Both certificates, by role.
    fn certificates(&self) -> Option<Fingerprints> {
        let (ours, theirs) = self.ours.zip(self.theirs)?;
        Some(match self.proven.as_ref()?.is_source() {
            true => Fingerprints { source: ours, sink: theirs },
            false => Fingerprints { source: theirs, sink: ours },
        })
    }
}
