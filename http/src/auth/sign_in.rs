//! Signing in, for REST and pages alike.
//!
//! Owner of the order: throttle, look up, verify at equal cost, open the session.
//! It must never tell whether the user or the password was wrong.

use crate::app::App;
use crate::auth::cookies;
use crate::door::client::Client;
use crate::problem::{Answer, Problem};
use actix_web::HttpResponse;
use iothome_actors::{Opened, SessionKind};

/// Longest user name looked up; longer ones exist nowhere.
pub(crate) const NAME_MAX: usize = 64;
/// Longest password hashed: argon2's cost grows little, but memory does.
pub(crate) const PASSWORD_MAX: usize = 256;
/// Shortest password accepted (NIST SP 800-63B, section 5.1.1.2).
pub(crate) const PASSWORD_MIN: usize = 8;

/// Checks name and password and opens a session.
pub(crate) async fn sign_in(
    app: &App,
    client: &Client,
    kind: SessionKind,
    agent: &str,
    name: &str,
    password: String,
) -> Answer<Opened> {
    let name = name.trim();
    app.sign_ins
        .attempt(name, client.address, app.now())
        .map_err(|wait| {
            Problem::too_many(
                format!("too many sign-ins: try again in {wait} seconds"),
                wait,
            )
        })?;
    if name.len() > NAME_MAX * 4 || password.len() > PASSWORD_MAX * 4 {
        return Err(Problem::wrong_credentials());
    }
    let found = app.store.user_by_name(name).await?;
    let (user, hash) = match found {
        Some((user, hash)) => (Some(user), Some(hash)),
        None => (None, None),
    };
    // Without a user the same work is done on a hash that fits nothing.
    let right = app.hub.passwords().verify(password, hash).await?;
    let user = user.filter(|user| right && !user.disabled).ok_or_else(|| {
        tracing::info!(address = %client.address, "a sign-in failed");
        Problem::wrong_credentials()
    })?;
    let agent: String = agent.chars().take(200).collect();
    Ok(app.hub.sessions().sign_in(&user, kind, &agent).await?)
}

/// Puts the session's cookies on the answer of the sign-in or set-up page.
pub(crate) fn put_cookies(
    app: &App,
    client: &Client,
    opened: &Opened,
    response: &mut HttpResponse,
) -> Answer<()> {
    let access = app.access_token(opened.subject.user, opened.session)?;
    let headers = response.headers_mut();
    cookies::put_tokens(headers, client.secure, &access, &opened.refresh);
    Ok(())
}

/// A new password is long enough and not absurdly long.
pub(crate) fn check_new_password(field: &str, password: &str) -> Answer<()> {
    let length = password.chars().count();
    if (PASSWORD_MIN..=PASSWORD_MAX).contains(&length) {
        return Ok(());
    }
    Err(Problem::invalid(
        field,
        format!("a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters"),
    ))
}

/// A user name is short, has no blanks around it and no control characters.
pub(crate) fn check_user_name(field: &str, name: &str) -> Answer<String> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=NAME_MAX).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Problem::invalid(
        field,
        format!("a user name has 1 to {NAME_MAX} characters, none of them a control character"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_passwords_have_a_length_and_the_field_is_named() {
        assert!(check_new_password("password", "12345678").is_ok());
        let short = check_new_password("password", "1234567").expect_err("short");
        assert_eq!(short.field.as_deref(), Some("password"));
        assert!(check_new_password("password", &"x".repeat(257)).is_err());
    }

    #[test]
    fn user_names_are_trimmed_and_plain() {
        assert_eq!(
            check_user_name("name", " Eve ").ok().as_deref(),
            Some("Eve")
        );
        for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert!(check_user_name("name", bad).is_err(), "{bad:?}");
        }
    }
}
