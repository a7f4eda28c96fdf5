//! Access tokens: JWT, HS256 and nothing else, fifteen minutes.
//!
//! Owner of their making and checking. A valid token proves only who signed in
//! when; whether the session still lasts is asked of the sessions every time.

use iothome_engine::ids::{SessionId, UserId};
use iothome_engine::time::Timestamp;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation, decode, encode,
};
use ring::hmac;
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};

/// How long an access token lasts.
pub(crate) const ACCESS_LIFE_S: i64 = 15 * 60;

/// What the token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user.
    pub(crate) sub: UserId,
    /// The session, asked on every request.
    pub(crate) sid: SessionId,
    /// When it was made, in Unix seconds.
    pub(crate) iat: i64,
    /// When it ends, in Unix seconds.
    pub(crate) exp: i64,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// It was good once; a refresh helps.
    Expired,
    /// It is not ours.
    Invalid,
}

/// Makes and checks access tokens.
pub(crate) struct Jwt {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Jwt {
    /// With that secret.
    pub(crate) fn new(secret: &[u8]) -> Self {
        // A second install in the same process is the same provider: nothing to do.
        let _ = PROVIDER.install_default();
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    /// A token for that session.
    pub(crate) fn issue(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<String, Error> {
        let iat = now.as_millis().div_euclid(1000);
        let claims = Claims {
            sub: user,
            sid: session,
            iat,
            exp: iat + ACCESS_LIFE_S,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// What the token says, if it is ours and lasts.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Result<Claims, TokenFault> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The library would read the system's clock; ours is an argument.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        let claims = decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|_| TokenFault::Invalid)?
            .claims;
        if claims.exp <= now.as_millis().div_euclid(1000) {
            return Err(TokenFault::Expired);
        }
        Ok(claims)
    }
}

struct RingSigner(hmac::Key);
struct RingVerifier(hmac::Key);

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        // Constant time (ring's promise).
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

fn only_hs256(algorithm: Algorithm, family: AlgorithmFamily) -> Result<(), Error> {
    if algorithm == Algorithm::HS256 && family == AlgorithmFamily::Hmac {
        return Ok(());
    }
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    only_hs256(*algorithm, key.family())?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    Ok(Box::new(RingSigner(key)))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    only_hs256(*algorithm, key.family())?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.try_get_as_bytes()?);
    Ok(Box::new(RingVerifier(key)))
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;

    fn ids() -> (UserId, SessionId, Timestamp) {
        let now = Timestamp::from_millis(1_795_506_757_000);
        (UserId::new(now, [1; 10]), SessionId::new(now, [2; 10]), now)
    }

    #[test]
    fn a_token_carries_its_session_and_ends_after_fifteen_minutes() {
        let (user, session, now) = ids();
        let jwt = Jwt::new(&[7; 32]);
        let token = jwt.issue(user, session, now).expect("a token");
        let claims = jwt.check(&token, now).expect("valid");
        assert_eq!((claims.sub, claims.sid), (user, session));
        assert!(jwt.check(&token, now.plus_millis(899_000)).is_ok());
        let late = jwt.check(&token, now.plus_millis(900_000));
        assert_eq!(late.expect_err("too late"), TokenFault::Expired);
    }

    #[test]
    fn another_key_or_a_changed_token_is_refused() {
        let (user, session, now) = ids();
        let token = Jwt::new(&[7; 32]).issue(user, session, now).expect("one");
        let other = Jwt::new(&[8; 32]).check(&token, now);
        assert_eq!(other.expect_err("not ours"), TokenFault::Invalid);
        for hostile in ["", "a.b.c", "....", &token[..token.len() - 2]] {
            assert!(Jwt::new(&[7; 32]).check(hostile, now).is_err(), "{hostile}");
        }
    }

    #[test]
    fn no_other_algorithm_is_accepted() {
        let (user, session, now) = ids();
        let jwt = Jwt::new(&[7; 32]);
        let token = jwt.issue(user, session, now).expect("a token");
        let parts: Vec<&str> = token.split('.').collect();
        for header in [
            r#"{"typ":"JWT","alg":"none"}"#,
            r#"{"typ":"JWT","alg":"HS384"}"#,
            r#"{"typ":"JWT","alg":"RS256"}"#,
        ] {
            let header = BASE64URL_NOPAD.encode(header.as_bytes());
            for signature in ["", parts[2]] {
                let forged = format!("{header}.{}.{signature}", parts[1]);
                assert!(jwt.check(&forged, now).is_err());
            }
        }
    }
}
