//! Refresh tokens: how they are made, rotated and judged.
//!
//! Pure but for the dice of the first token. A token's successor is an HMAC of
//! the token, so the same token always gives the same successor and the store
//! holds only digests. It must never keep or log a token.

use crate::random;
use data_encoding::BASE64URL_NOPAD;
use iothome_engine::ids::SessionId;
use iothome_engine::time::Timestamp;
use ring::hmac;
use std::collections::VecDeque;
use subtle::ConstantTimeEq;

/// How long a token that was rotated still gives its successor: as long as requests made
/// at the same time as the first may take.
const GRACE_MS: i64 = 30_000;

/// Rotations remembered within the grace; a client that makes more has lost its way.
const REMEMBERED: usize = 16;

/// Generations a stolen token is recognised after: 90 days of one each quarter of an hour.
const GENERATIONS: usize = 8_640;

/// The server's key; whoever has it can make successors.
pub(super) struct TokenKey(hmac::Key);

impl TokenKey {
    pub(super) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The token after this one.
    pub(super) fn successor(&self, token: &str) -> String {
        let tag = hmac::sign(&self.0, token.as_bytes());
        let session = token.split('.').next().unwrap_or_default();
        format!("{session}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    }
}

/// The first token of a session: its id and 256 random bits.
pub(super) fn first(session: SessionId) -> String {
    let secret = BASE64URL_NOPAD.encode(&random::bytes::<32>());
    format!("{}.{secret}", session.as_uuid().simple())
}

/// Whose token it says it is.
pub(super) fn session_of(token: &str) -> Option<SessionId> {
    // A token of ours has 76 characters; there is no use in hashing a long text.
    let (session, _) = token.split_once('.').filter(|_| token.len() < 200)?;
    session.parse().ok()
}

/// What is stored of a token.
pub(super) fn digest(token: &str) -> String {
    random::sha256_hex(token.as_bytes())
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// What to do with a token that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It counts: rotate to its successor.
    Rotate,
    /// It was rotated a moment ago: its successor again.
    Again,
    /// It was rotated long ago: somebody has a copy, so the session ends.
    Reused,
    /// It never was a token of this session.
    Foreign,
}

/// Where a session's chain of tokens is.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    current: String,
    /// Digests of the last tokens before, with the time of their rotation, the newest first.
    before: VecDeque<(String, Timestamp)>,
}

impl Rotation {
    pub(super) fn new(current: String, previous: Option<String>, rotated_at: Timestamp) -> Self {
        Self {
            current,
            before: previous.map(|p| (p, rotated_at)).into_iter().collect(),
        }
    }

    pub(super) fn current(&self) -> &str {
        &self.current
    }

    pub(super) fn judge(&self, key: &TokenKey, token: &str, now: Timestamp) -> Judgement {
        let presented = digest(token);
        if same(&presented, &self.current) {
            return Judgement::Rotate;
        }
        if let Some((_, at)) = self.before.iter().find(|(d, _)| same(d, &presented)) {
            return if now.millis_since(*at) <= GRACE_MS {
                Judgement::Again
            } else {
                Judgement::Reused
            };
        }
        if self.descends_from(key, token) {
            Judgement::Reused
        } else {
            Judgement::Foreign
        }
    }

    /// The successor counts now.
    pub(super) fn rotated(&mut self, to: String, now: Timestamp) {
        let old = std::mem::replace(&mut self.current, to);
        self.before.push_front((old, now));
        self.before.truncate(REMEMBERED);
    }

    /// Whether the current token is a late successor of this one. Only a token that was
    /// real can be: so a made-up one cannot end anybody's session.
    fn descends_from(&self, key: &TokenKey, token: &str) -> bool {
        let mut token = token.to_owned();
        for _ in 0..GENERATIONS {
            token = key.successor(&token);
            if same(&digest(&token), &self.current) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn session() -> SessionId {
        SessionId::new(at(1_000), [7; 10])
    }

    /// A chain of so many tokens, rotated one second apart from second 0 on.
    fn chain(key: &TokenKey, n: usize) -> (Vec<String>, Rotation) {
        let mut tokens = vec![first(session())];
        let mut rotation = Rotation::new(digest(&tokens[0]), None, at(0));
        for second in 0..n {
            let next = key.successor(&tokens[second]);
            let now = at(i64::try_from(second).expect("small") * 1_000);
            assert_eq!(rotation.judge(key, &tokens[second], now), Judgement::Rotate);
            rotation.rotated(digest(&next), now);
            tokens.push(next);
        }
        (tokens, rotation)
    }

    #[test]
    fn a_token_names_its_session_and_so_does_its_successor() {
        let key = TokenKey::new("secret");
        let token = first(session());
        assert_eq!(session_of(&token), Some(session()));
        let next = key.successor(&token);
        assert_eq!(session_of(&next), Some(session()));
        assert_eq!(next, key.successor(&token), "always the same");
        assert_ne!(next, TokenKey::new("other").successor(&token));
        for bad in ["", ".", "x.y", &"1".repeat(500)] {
            assert_eq!(session_of(bad), None);
        }
    }

    #[test]
    fn a_token_gives_its_successor_again_for_thirty_seconds_and_then_ends_the_session() {
        let key = TokenKey::new("secret");
        let (tokens, rotation) = chain(&key, 1);
        assert_eq!(
            rotation.judge(&key, &tokens[0], at(30_000)),
            Judgement::Again
        );
        assert_eq!(
            rotation.judge(&key, &tokens[0], at(30_001)),
            Judgement::Reused
        );
        assert_eq!(
            rotation.judge(&key, &tokens[1], at(99_999)),
            Judgement::Rotate
        );
    }

    #[test]
    fn each_token_has_its_own_grace() {
        let key = TokenKey::new("secret");
        let (tokens, rotation) = chain(&key, 3);
        assert_eq!(
            rotation.judge(&key, &tokens[0], at(5_000)),
            Judgement::Again
        );
        assert_eq!(
            rotation.judge(&key, &tokens[0], at(31_500)),
            Judgement::Reused
        );
        assert_eq!(
            rotation.judge(&key, &tokens[2], at(31_500)),
            Judgement::Again
        );
    }

    #[test]
    fn a_copy_is_recognised_after_many_generations_and_a_made_up_token_harms_nobody() {
        let key = TokenKey::new("secret");
        let (tokens, rotation) = chain(&key, 200);
        assert_eq!(
            rotation.judge(&key, &tokens[0], at(201_000)),
            Judgement::Reused
        );
        assert_eq!(
            rotation.judge(&key, &first(session()), at(201_000)),
            Judgement::Foreign
        );
    }
}
