//! The secret keys of the web door, derived from one that the store keeps.
//!
//! Owner of key separation: each purpose has its own key. It must never print
//! or hand out a key.

use crate::auth::jwt::Jwt;
use crate::error::WebError;
use ring::hmac;

/// Name of the setting that holds the master key.
pub(crate) const SETTING: &str = "web_key";
/// Length of the master key in bytes: as long as HMAC-SHA-256's output (RFC 2104, section 3).
const KEY_LEN: usize = 32;

/// Keys for access tokens and form tokens.
pub(crate) struct Keys {
    /// Signs and checks access tokens.
    pub(crate) jwt: Jwt,
    /// Signs form tokens.
    pub(crate) csrf: hmac::Key,
}

impl Keys {
    /// Derives the keys from the master key.
    pub(crate) fn derive(master: &[u8; KEY_LEN]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let derive = |purpose: &str| hmac::sign(&master, purpose.as_bytes());
        Self {
            jwt: Jwt::new(derive("access token").as_ref()),
            csrf: hmac::Key::new(hmac::HMAC_SHA256, derive("form token").as_ref()),
        }
    }

    /// From the stored text.
    pub(crate) fn from_stored(text: &str) -> Result<Self, WebError> {
        let bytes = data_encoding::BASE64
            .decode(text.as_bytes())
            .map_err(|e| WebError::Keys(e.to_string()))?;
        let master: [u8; KEY_LEN] = bytes
            .try_into()
            .map_err(|_| WebError::Keys("the stored key has the wrong length".into()))?;
        Ok(Self::derive(&master))
    }

    /// A new master key as text for the store.
    pub(crate) fn generate() -> Result<String, WebError> {
        Ok(data_encoding::BASE64.encode(&random::<KEY_LEN>()?))
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], WebError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| WebError::Random(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_reads_back_and_a_short_one_is_refused() {
        let stored = Keys::generate().expect("random bytes");
        assert!(Keys::from_stored(&stored).is_ok());
        assert!(Keys::from_stored("AAAA").is_err());
        assert!(Keys::from_stored("not base64!").is_err());
    }
}
