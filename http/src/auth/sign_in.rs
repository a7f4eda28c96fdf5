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
use iothome_store::{AuditEntry, User};

/// Longest user name looked up, in bytes: longer ones exist nowhere.
const NAME_MAX: usize = 256;

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
    if name.len() > NAME_MAX {
        return Err(Problem::wrong_credentials());
    }
    let (user, hash) = app.store.user_by_name(name).await?.unzip();
    // Without a user the same work is done on a hash that fits nothing.
    let right = app.hub.passwords().verify(password, hash).await?;
    let welcome = right && user.as_ref().is_some_and(|user| !user.disabled);
    audit(app, client, user.as_ref(), welcome);
    let user = user
        .filter(|_| welcome)
        .ok_or_else(Problem::wrong_credentials)?;
    let agent: String = agent.chars().take(200).collect();
    Ok(app.hub.sessions().sign_in(&user, kind, &agent).await?)
}

/// An unknown name is not kept: people type passwords there, too.
fn audit(app: &App, client: &Client, user: Option<&User>, welcome: bool) {
    let action = if welcome { "sign_in" } else { "sign_in_failed" };
    app.hub.audit(AuditEntry {
        at: app.now(),
        user: user.map(|user| user.id),
        name: user.map(|user| user.name.clone()).unwrap_or_default(),
        action: action.to_owned(),
        target: client.address.to_string(),
        detail: serde_json::json!({}),
    });
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
    cookies::put_tokens(headers, client, &access, &opened.refresh);
    Ok(())
}

/// The house's rule for new passwords, told with the name that the request gives the field.
pub(crate) fn check_new_password(field: &str, password: &str) -> Answer<()> {
    iothome_actors::check_password(password).map_err(|error| Problem::from(error).field(field))
}

/// The house's rule for user names, told with the name that the request gives the field.
pub(crate) fn check_user_name(field: &str, name: &str) -> Answer<String> {
    iothome_actors::check_user_name(name.trim()).map_err(|error| Problem::from(error).field(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_passwords_have_a_length_and_the_field_is_named() {
        assert!(check_new_password("password", "12345678").is_ok());
        let short = check_new_password("password", "1234567").expect_err("short");
        assert_eq!(short.field.as_deref(), Some("password"));
        assert!(check_new_password("password", &"x".repeat(10_000)).is_err());
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
