//! The one-time code that opens set-up.
//!
//! Owner of the code's shape and of how often it may be guessed. Only its hash
//! is kept; the code itself is shown once, by the program that asked for it.

use crate::auth::keys::random;
use crate::error::WebError;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// Wrong tries that end the code.
const TRIES: u32 = 10;
/// 128 bits make 26 letters of base32: groups that add up to it.
const GROUPS: [usize; 6] = [5, 5, 4, 4, 4, 4];

/// Makes a new code: 128 random bits in base32, six groups.
pub fn new_setup_code() -> Result<String, WebError> {
    let letters = BASE32_NOPAD.encode(&random::<16>()?);
    let mut rest = letters.as_str();
    let mut groups = Vec::with_capacity(GROUPS.len());
    for length in GROUPS {
        let (group, remaining) = rest.split_at(length);
        groups.push(group);
        rest = remaining;
    }
    Ok(groups.join("-"))
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The code is right.
    Right,
    /// It is wrong; so many tries are left.
    Wrong(u32),
    /// There is no code (any more): only a restart makes a new one.
    Ended,
}

/// Keeps the hash of the code and counts wrong tries.
pub(crate) struct SetupCode {
    state: Mutex<Option<([u8; 32], u32)>>,
}

impl SetupCode {
    /// With that code; `None` is ended from the start.
    pub(crate) fn new(code: Option<&str>) -> Self {
        Self {
            state: Mutex::new(code.map(|code| (digest(code), TRIES))),
        }
    }

    /// Compares in constant time and counts.
    pub(crate) fn attempt(&self, code: &str) -> Tried {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((expected, left)) = state.as_mut() else {
            return Tried::Ended;
        };
        if bool::from(expected.ct_eq(&digest(code))) {
            return Tried::Right;
        }
        *left -= 1;
        if *left == 0 {
            *state = None;
            tracing::warn!("ten wrong set-up codes: set-up is closed until the hub is restarted");
            return Tried::Ended;
        }
        Tried::Wrong(*left)
    }

    /// The house is set up: the code is worth nothing any more.
    pub(crate) fn close(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// As people type it: any case, with or without dashes and blanks.
fn digest(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    Sha256::digest(plain.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_groups_of_128_bits_and_every_one_is_new() {
        let (one, two) = (
            new_setup_code().expect("one"),
            new_setup_code().expect("two"),
        );
        assert_ne!(one, two);
        let groups: Vec<&str> = one.split('-').collect();
        assert_eq!(groups.len(), 6);
        let decoded = BASE32_NOPAD.decode(groups.concat().as_bytes());
        assert_eq!(decoded.map(|bytes| bytes.len()), Ok(16));
    }

    #[test]
    fn the_code_is_taken_as_people_type_it() {
        let setup = SetupCode::new(Some("ABCDE-FGHIJ-KLMN-OPQR-STUV-WX23"));
        assert_eq!(
            setup.attempt(" abcde fghij klmn opqr stuv wx23"),
            Tried::Right
        );
    }

    #[test]
    fn ten_wrong_tries_end_the_code_even_for_the_right_one() {
        let setup = SetupCode::new(Some("RIGHT"));
        for left in (1..10).rev() {
            assert_eq!(setup.attempt("WRONG"), Tried::Wrong(left));
        }
        assert_eq!(setup.attempt("WRONG"), Tried::Ended);
        assert_eq!(setup.attempt("RIGHT"), Tried::Ended);
    }

    #[test]
    fn without_a_code_set_up_is_closed_and_after_set_up_too() {
        assert_eq!(SetupCode::new(None).attempt(""), Tried::Ended);
        let setup = SetupCode::new(Some("RIGHT"));
        setup.close();
        assert_eq!(setup.attempt("RIGHT"), Tried::Ended);
    }
}
