//! Form tokens: proof that a form came from a page of this session.
//!
//! Owner of their shape: a random nonce and its HMAC with the session's id. The
//! nonce makes each page's token another, so that compressed pages leak nothing
//! about it (BREACH). The Origin check stands apart, in `door::origin`.

use crate::auth::keys::{Keys, random};
use crate::error::WebError;
use data_encoding::BASE64URL_NOPAD;
use iothome_engine::ids::SessionId;
use ring::hmac;

/// Name of the hidden form field.
pub(crate) const FIELD: &str = "csrf";
const NONCE_LEN: usize = 16;

fn message(session: SessionId, nonce: &[u8]) -> Vec<u8> {
    let mut message = session.as_uuid().as_bytes().to_vec();
    message.extend_from_slice(nonce);
    message
}

/// A token for the forms of a page of this session.
pub(crate) fn issue(keys: &Keys, session: SessionId) -> Result<String, WebError> {
    let nonce = random::<NONCE_LEN>()?;
    let mut token = nonce.to_vec();
    token.extend_from_slice(hmac::sign(&keys.csrf, &message(session, &nonce)).as_ref());
    Ok(BASE64URL_NOPAD.encode(&token))
}

/// Whether the token belongs to this session.
pub(crate) fn check(keys: &Keys, session: SessionId, token: &str) -> bool {
    let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else {
        return false;
    };
    let Some((nonce, tag)) = bytes.split_at_checked(NONCE_LEN) else {
        return false;
    };
    // Constant time (ring's promise).
    hmac::verify(&keys.csrf, &message(session, nonce), tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_engine::time::Timestamp;

    #[test]
    fn a_form_token_holds_for_its_own_session_only() {
        let keys = Keys::derive(&[1; 32]);
        let now = Timestamp::from_millis(0);
        let (mine, theirs) = (SessionId::new(now, [1; 10]), SessionId::new(now, [2; 10]));
        let token = issue(&keys, mine).expect("random bytes");
        assert!(check(&keys, mine, &token));
        assert!(!check(&keys, theirs, &token));
        assert!(!check(&Keys::derive(&[2; 32]), mine, &token));
        for hostile in ["", "AAAA", "%%%", &token[..token.len() - 4]] {
            assert!(!check(&keys, mine, hostile), "{hostile}");
        }
    }

    #[test]
    fn two_pages_of_a_session_carry_different_tokens() {
        let keys = Keys::derive(&[1; 32]);
        let session = SessionId::new(Timestamp::from_millis(0), [1; 10]);
        assert_ne!(issue(&keys, session).ok(), issue(&keys, session).ok());
    }
}
