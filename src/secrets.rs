//! Random texts: passwords and tokens that the program makes up.
//!
//! Owner of their length and alphabet. Never fewer than 128 random bits.

use crate::error::StartError;
use data_encoding::{BASE32_NOPAD, HEXLOWER};

/// A password a person can type: 26 letters and digits without look-alikes, in groups.
pub(crate) fn password() -> Result<String, StartError> {
    let text = BASE32_NOPAD.encode(&random::<16>()?).to_lowercase();
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters.chunks(5).map(|g| g.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// A token that only programs see.
pub(crate) fn token() -> Result<String, StartError> {
    Ok(HEXLOWER.encode(&random::<32>()?))
}

/// SHA-256 in lower-case hex, as the broker's access list wants it.
#[cfg(feature = "embedded")]
pub(crate) fn digest(text: &str) -> String {
    use sha2::Digest;
    HEXLOWER.encode(&sha2::Sha256::digest(text.as_bytes()))
}

/// Bytes from the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| StartError::Other(format!("the system gives no random bytes: {e}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn a_password_is_typable_and_never_the_same() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.replace('-', "").len(), 26);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(one.chars().all(plain), "{one}");
    }

    #[cfg(feature = "embedded")]
    #[test]
    fn the_digest_is_sha_256_in_hex() {
        // FIPS 180-2, appendix B.1.
        assert!(digest("abc").starts_with("ba7816bf8f01cfea"));
    }
}
