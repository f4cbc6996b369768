//! Wraps the crate's ciphers, and shows each SCTP packet to the guard. Only here are packets unencrypted and not yet
//! parsed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rtc::crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoAlgorithm, CryptoError, HashAlgorithm,
    HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom, SignatureScheme,
    SigningKey, StreamCipher, StreamCipherAlgorithm, default_provider,
};

use super::breach::Conduct;
use super::packets::{Packets, Verdict};

/// Position and value of the content type "application data" in the additional data that DTLS authenticates with a
/// record (RFC 5246, 6.2.3.3).
const CONTENT_TYPE: usize = 8;
const APPLICATION_DATA: u8 = 23;

/// The crate's own provider, with the guard in its ciphers. Each connection has one.
pub(in super::super) struct GuardedProvider {
    own: Arc<dyn RTCCryptoProvider>,
    guard: Guard,
}

/// State that the ciphers of both directions share.
#[derive(Clone)]
struct Guard {
    packets: Arc<Mutex<Packets>>,
    conduct: Conduct,
}

impl GuardedProvider {
    /// The provider for a connection whose peer has this conduct.
    pub(in super::super) fn new(conduct: Conduct) -> Result<Self, CryptoError> {
        let guard = Guard { packets: Arc::default(), conduct };
        Ok(Self { own: default_provider()?, guard })
    }
}

impl RTCCryptoProvider for GuardedProvider {
    fn name(&self) -> &'static str {
        self.own.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.own.random()
    }
}

/// `new_cbc` is missing, because DTLS offers only suites whose packets pass through the guard.
impl RTCCrypto for GuardedProvider {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        !matches!(algorithm, CryptoAlgorithm::Cbc(_)) && self.own.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.own.crypto().hash(algorithm, data)
    }

    fn block_encrypt(&self, algorithm: BlockCipherAlgorithm, key: &[u8], block: &mut [u8]) -> Result<(), CryptoError> {
        self.own.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.own.crypto().new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.own.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        let own = self.own.crypto().new_aead(algorithm, key)?;
        Ok(Box::new(GuardedCipher { own, guard: self.guard.clone() }))
    }

    fn start_key_exchange(&self, algorithm: KeyExchangeAlgorithm) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.own.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.own.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.own.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.own.crypto().verify_signature(scheme, public_key, message, signature)
    }
}

struct GuardedCipher {
    own: Box<dyn AeadCipher>,
    guard: Guard,
}

impl AeadCipher for GuardedCipher {
    fn tag_len(&self) -> usize {
        self.own.tag_len()
    }

    fn seal_in_place(
        &mut self,
        nonce: &[u8],
        aad: &[u8],
        packet: &mut [u8],
        tag_out: &mut [u8],
    ) -> Result<(), CryptoError> {
        if is_sctp(aad) {
            self.guard.packets().leaves(packet);
        }
        self.own.seal_in_place(nonce, aad, packet, tag_out)
    }

    /// A packet that the guard rejects counts as not authentic, so DTLS drops it silently.
    fn open_in_place(&mut self, nonce: &[u8], aad: &[u8], packet: &mut [u8], tag: &[u8]) -> Result<(), CryptoError> {
        self.own.open_in_place(nonce, aad, packet, tag)?;
        if is_sctp(aad) && !self.guard.passes(packet) {
            return Err(CryptoError::AuthenticationFailed);
        }
        Ok(())
    }
}

fn is_sctp(aad: &[u8]) -> bool {
    aad.get(CONTENT_TYPE) == Some(&APPLICATION_DATA)
}

impl Guard {
    fn packets(&self) -> MutexGuard<'_, Packets> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passes(&self, packet: &[u8]) -> bool {
        if self.conduct.is_broken() {
            return false;
        }
        match self.packets().arrives(packet) {
            Verdict::Pass => true,
            Verdict::Drop => false,
            Verdict::CutOff(breach) => {
                self.conduct.note(breach);
                false
            }
        }
    }
}
