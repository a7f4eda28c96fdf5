//! Fingerprints of certificates: what firmware pins and people compare.
//!
//! Owner of their spelling. It must never be used where a secret is compared:
//! fingerprints are public.

use sha2::Digest;
use std::fmt;
use std::str::FromStr;

/// The SHA-256 fingerprint of a certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is no SHA-256 fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a SHA-256 fingerprint: 64 hexadecimal digits are needed, with or without colons"
)]
pub struct FingerprintError(String);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(sha2::Sha256::digest(der).into())
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let refuse = || FingerprintError(text.chars().take(120).collect());
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| *c != ':' && !c.is_whitespace())
            .map(|c| c.to_digit(16).ok_or_else(refuse))
            .collect::<Result<_, _>>()?;
        if digits.len() != 64 {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::try_from(pair[0] * 16 + pair[1]).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
    }
}

fn colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|b| format!("{b:02X}")).collect();
    pairs.join(":")
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&colons(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Both fingerprints of one certificate, as people read them (`AB:CD:…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// SHA-256, the one to pin.
    pub sha256: Fingerprint,
    /// SHA-1, for old ESP8266 stacks that know nothing better.
    pub sha1: String,
}

impl Fingerprints {
    /// The fingerprints of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self {
            sha256: Fingerprint::of(der),
            sha1: colons(&sha1::Sha1::digest(der)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprints_of_a_known_text_are_the_known_digests() {
        // FIPS 180-2, appendix B.1, and FIPS 180-1, appendix A: the message "abc".
        let prints = Fingerprints::of(b"abc");
        assert!(prints.sha256.to_string().starts_with("BA:78:16:BF:8F:01"));
        assert!(prints.sha1.starts_with("A9:99:3E:36:47:06"));
    }

    #[test]
    fn a_fingerprint_is_read_with_or_without_colons_in_any_case() {
        let print = Fingerprint::of(b"abc");
        let text = print.to_string();
        assert_eq!(text.parse(), Ok(print));
        assert_eq!(text.to_lowercase().replace(':', "").parse(), Ok(print));
        for bad in ["", "AB:CD", &text[3..], &text.replace('B', "G")] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
