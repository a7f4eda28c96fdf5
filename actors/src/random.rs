//! Random bytes from the operating system: ids and secrets.
//!
//! Owner of the only dice in this crate. It must never log what it gives.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

/// So many random bytes.
///
/// # Panics
///
/// When the operating system has no randomness to give: nothing safe can be
/// done then, and on Linux it does not happen after boot.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes after boot");
    bytes
}

/// A new secret: 192 bits as 32 characters of base64url, so that it can be
/// typed into firmware without quoting.
pub(crate) fn secret() -> String {
    BASE64URL_NOPAD.encode(&bytes::<24>())
}

/// A name that nobody else has: 64 random bits in lower-case hex.
pub(crate) fn name() -> String {
    HEXLOWER.encode(&bytes::<8>())
}

/// SHA-256 in lower-case hex: how random secrets are stored.
pub(crate) fn sha256_hex(secret: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_plain_and_never_the_same() {
        let one = secret();
        assert_eq!(one.len(), 32);
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_ne!(one, secret());
    }

    #[test]
    fn a_secret_is_stored_as_its_digest() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
