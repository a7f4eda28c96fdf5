//! The viewer's own page: language and look, password, sessions.
//!
//! Owner of those forms; another user's session is not found here.

use super::taste::Taste;
use super::visit::{Visit, page, see_other};
use crate::api::me::{self, PasswordChange};
use crate::app::App;
use crate::auth::extract::Form;
use crate::auth::{CurrentUser, cookies};
use crate::door::client::Client;
use crate::json::Query;
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::SessionKind;
use iothome_engine::ids::SessionId;
use iothome_store::{Preferences, Theme};
use iothome_views::links;
use iothome_views::pages::you::{self as view, Done, PasswordProblem, SessionLine, YouPage};
use iothome_views::texts::{self, Texts};
use iothome_views::time::When;
use serde::Deserialize;

/// What has just been done.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    done: Option<String>,
}

/// The page.
pub(crate) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    query: Query<Wanted>,
) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let done = query.0.done.as_deref().and_then(Done::from_word);
    let you = you(&app, &user, &request, &visit, done).await?;
    let live = visit.live("quiet");
    Ok(page(view::page(visit.t, &visit.viewer, Some(&live), &you)))
}

async fn you(
    app: &App,
    user: &CurrentUser,
    request: &HttpRequest,
    visit: &Visit,
    done: Option<Done>,
) -> Answer<YouPage> {
    let chosen = app.store.preferences(user.subject.user).await?;
    let sessions = app.hub.sessions().list(user.subject.user).await?;
    let when = |at| When::new(visit.t, at, visit.now, &visit.zone);
    let mut sessions: Vec<SessionLine> = sessions
        .into_iter()
        .map(|session| SessionLine {
            current: session.id == user.session,
            api: session.kind == SessionKind::Api,
            client: browser(visit.t, &session.client),
            created: when(session.created_at),
            last_used: when(session.last_used_at),
            expires: when(session.expires_at),
            id: session.id,
        })
        .collect();
    // The sort is stable: the others stay in the order of their last use.
    sessions.sort_by_key(|line| !line.current);
    let language = chosen.language.as_deref().and_then(texts::of);
    Ok(YouPage {
        language: language.map(|t| t.lang),
        browser_language: Taste::asked(request.headers()).t.name,
        done,
        problem: None,
        sessions,
    })
}

/// "Firefox on Linux" out of a user agent; what is not known is shown as it is.
fn browser(t: &Texts, agent: &str) -> String {
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
        (Some(browser), Some(system)) => {
            let words = t.you.client.replace("{browser}", browser);
            words.replace("{system}", system)
        }
        (Some(browser), None) => browser.to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

/// The form of language and look; an empty word is "as the browser says".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreferencesForm {
    language: String,
    theme: String,
}

/// Keeps them.
pub(crate) async fn preferences(
    app: web::Data<App>,
    user: CurrentUser,
    form: Form<PreferencesForm>,
) -> Answer {
    let preferences = Preferences {
        language: texts::of(&form.0.language).map(|t| t.lang.to_owned()),
        theme: Theme::from_word(&form.0.theme),
    };
    app.store
        .set_preferences(user.subject.user, &preferences)
        .await?;
    Ok(see_other(&Done::Preferences.address()))
}

/// The form of a new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordForm {
    current_password: String,
    new_password: String,
    /// For password managers.
    #[serde(rename = "username", default)]
    _username: String,
}

/// Changes the password and ends all other sessions.
pub(crate) async fn password(
    app: web::Data<App>,
    user: CurrentUser,
    client: Client,
    request: HttpRequest,
    form: Form<PasswordForm>,
) -> Answer {
    let change = PasswordChange {
        current_password: form.0.current_password,
        new_password: form.0.new_password,
    };
    let Err(problem) = me::change_password(&app, &user, &client, change).await else {
        return Ok(see_other(&Done::Password.address()));
    };
    let said = match problem.code {
        "forbidden" => PasswordProblem::Wrong,
        "invalid" => PasswordProblem::Length,
        "too_many_requests" => PasswordProblem::Throttled,
        "busy" => PasswordProblem::Busy,
        _ => return Err(problem),
    };
    let visit = Visit::of(&app, &user).await?;
    let you = YouPage {
        problem: Some(said),
        ..you(&app, &user, &request, &visit, None).await?
    };
    // No stream: what is at this address by itself is not this page.
    let markup = view::page(visit.t, &visit.viewer, None, &you);
    let mut response = HttpResponse::build(problem.status)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string());
    problem.put_headers(response.headers_mut());
    Ok(response)
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
        return Ok(see_other(&Done::Session.address()));
    }
    let mut response = see_other(links::SIGN_IN);
    cookies::clear(&mut response, &client);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_views::texts::{ENGLISH, GERMAN};

    #[test]
    fn a_user_agent_is_told_as_people_call_it() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
        assert_eq!(browser(&ENGLISH, firefox), "Firefox on Linux");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(&ENGLISH, safari), "Safari on iPhone");
        assert_eq!(browser(&GERMAN, safari), "Safari auf iPhone");
        let edge =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(browser(&ENGLISH, edge), "Edge on Windows");
        assert_eq!(browser(&ENGLISH, "curl/8.9"), "curl/8.9");
        assert_eq!(browser(&ENGLISH, ""), "");
    }
}
