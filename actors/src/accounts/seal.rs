//! Passwords of broker users under seal.
//!
//! Owner of the one way back to a password. It must never show one, and never give one
//! whose digest is not the stored one.

use crate::random;
use data_encoding::BASE64URL_NOPAD;
use iothome_engine::access::Credential;
use iothome_engine::ids::CredentialId;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use std::sync::Arc;

/// Closes and opens passwords; the key lies outside of the database.
#[derive(Clone)]
pub struct Seal(Arc<LessSafeKey>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// A seal with this key.
    ///
    /// # Panics
    /// Never: every 32 bytes are a key of this cipher.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("32 bytes are a key");
        Self(Arc::new(LessSafeKey::new(key)))
    }

    /// The password under seal, for this credential and no other.
    pub(crate) fn close(&self, credential: CredentialId, password: &str) -> String {
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let mut text = password.as_bytes().to_vec();
        let about = Aad::from(credential.to_string());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about, &mut text)
            .expect("a password is far shorter than the cipher's longest text");
        BASE64URL_NOPAD.encode(&[nonce.as_slice(), &text].concat())
    }

    /// The credential's password, if this is it.
    pub(crate) fn open(&self, credential: &Credential, sealed: &str) -> Option<String> {
        let mut bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let about = Aad::from(credential.id.to_string());
        let password = self.0.open_in_place(nonce, about, text).ok()?;
        // A rotation that was cut short leaves the one before.
        let is_current = random::sha256_hex(password) == credential.secret_sha256;
        let password = is_current.then(|| password.to_vec())?;
        String::from_utf8(password).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_engine::time::Timestamp;

    fn credential(n: u8, password: &str) -> Credential {
        Credential {
            id: CredentialId::new(Timestamp::from_millis(1), [n; 10]),
            username: "fridge".into(),
            name: "Fridge".into(),
            device: None,
            secret_sha256: random::sha256_hex(password.as_bytes()),
            topics: Vec::new(),
            created_at: Timestamp::from_millis(1),
        }
    }

    #[test]
    fn a_seal_opens_with_its_key_for_its_credential_and_its_present_password_only() {
        let (seal, fridge) = (Seal::new(&[1; 32]), credential(1, "word"));
        let sealed = seal.close(fridge.id, "word");
        assert!(!sealed.contains("word"));
        assert_ne!(sealed, seal.close(fridge.id, "word"));
        assert_eq!(seal.open(&fridge, &sealed).as_deref(), Some("word"));
        assert_eq!(Seal::new(&[2; 32]).open(&fridge, &sealed), None);
        assert_eq!(seal.open(&credential(2, "word"), &sealed), None);
        assert_eq!(seal.open(&credential(1, "newer"), &sealed), None);
        for broken in ["", "AAAA", "%", &sealed[1..]] {
            assert_eq!(seal.open(&fridge, broken), None, "{broken}");
        }
    }
}
