//! The viewer's own sessions.
//!
//! Owner of listing and ending them; another user's session is not found here.

use super::visit::{Visit, page, see_other};
use crate::app::App;
use crate::auth::extract::Form;
use crate::auth::{CurrentUser, cookies};
use crate::door::client::Client;
use crate::problem::{Answer, Problem};
use actix_web::web;
use iothome_actors::SessionKind;
use iothome_engine::ids::SessionId;
use iothome_views::links;
use iothome_views::pages::sessions::{self as view, SessionLine};
use iothome_views::time::When;
use serde::Deserialize;

/// The list.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let sessions = app.hub.sessions().list(user.subject.user).await?;
    let when = |at| When::new(visit.t, at, visit.now, &visit.zone);
    let mut lines: Vec<SessionLine> = sessions
        .into_iter()
        .map(|session| SessionLine {
            current: session.id == user.session,
            api: session.kind == SessionKind::Api,
            client: browser(&session.client),
            created: when(session.created_at),
            last_used: when(session.last_used_at),
            expires: when(session.expires_at),
            id: session.id,
        })
        .collect();
    // The sort is stable: the others stay in the order of their last use.
    lines.sort_by_key(|line| !line.current);
    let live = visit.live("quiet");
    Ok(page(view::page(visit.t, &visit.viewer, &live, &lines)))
}

/// "Firefox on Linux" out of a user agent; what is not known is shown as it is.
fn browser(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ];
    let name = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (name(&BROWSERS), name(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Ends one of them.
pub(crate) async fn end(
    app: web::Data<App>,
    client: Client,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let gone = || Problem::not_found("there is no such session");
    let id: SessionId = path.parse().map_err(|_| gone())?;
    let own = app.hub.sessions().list(user.subject.user).await?;
    if !own.iter().any(|session| session.id == id) {
        return Err(gone());
    }
    app.hub.sessions().end(id).await?;
    if id != user.session {
        return Ok(see_other(links::SESSIONS));
    }
    let mut response = see_other(links::SIGN_IN);
    cookies::clear(&mut response, &client);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_told_as_people_call_it() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
        assert_eq!(browser(firefox), "Firefox on Linux");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(safari), "Safari on iPhone");
        let edge =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(browser("curl/8.9"), "curl/8.9");
        assert_eq!(browser(""), "");
    }
}
