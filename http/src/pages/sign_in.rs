//! Signing in and out with a browser.
//!
//! Owner of those two forms. It must never tell whether the user or the password was wrong.

use super::taste::Taste;
use super::visit::see_other;
use crate::app::App;
use crate::auth::extract::{Form, OpenForm};
use crate::auth::{CurrentUser, cookies, sign_in};
use crate::door::client::Client;
use crate::json::Query;
use crate::problem::{Answer, Problem};
use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::SessionKind;
use iothome_views::links;
use iothome_views::pages::sign_in::{self as view, SignInPage, SignInProblem};
use iothome_views::texts::Texts;
use serde::Deserialize;

/// Where to go afterwards.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: Option<String>,
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInForm {
    username: String,
    password: String,
    #[serde(default)]
    next: Option<String>,
}

/// The page; who is signed in goes home, and before set-up there is nobody to sign in.
pub(crate) async fn show(app: web::Data<App>, request: HttpRequest, query: Query<Next>) -> Answer {
    let next = own_page(query.0.next);
    if CurrentUser::of(&request).is_some() {
        return Ok(see_other(next.as_deref().unwrap_or(links::HOME)));
    }
    if !app.is_set_up().await? {
        return Ok(see_other(links::SET_UP));
    }
    let model = SignInPage {
        next,
        ..SignInPage::default()
    };
    Ok(super::visit::page(view::page(
        Taste::of(&request).t,
        &model,
    )))
}

/// Opens a session, in place of the one this browser had.
pub(crate) async fn submit(
    app: web::Data<App>,
    client: Client,
    request: HttpRequest,
    form: OpenForm<SignInForm>,
) -> Answer {
    let form = form.0;
    let next = own_page(form.next);
    let agent = agent(&request);
    let kind = SessionKind::Browser;
    let opened = sign_in::sign_in(&app, &client, kind, &agent, &form.username, form.password).await;
    match opened {
        Ok(opened) => {
            let mut response = see_other(next.as_deref().unwrap_or(links::HOME));
            sign_in::put_cookies(&app, &client, &opened, &mut response)?;
            if let Some(before) = CurrentUser::of(&request) {
                // One that cannot be ended now can be in the list of sessions.
                let _ = app.hub.sessions().end(before.session).await;
            }
            Ok(response)
        }
        Err(problem) => again(Taste::of(&request).t, &problem, form.username, next),
    }
}

/// The browser's name for itself.
pub(super) fn agent(request: &HttpRequest) -> String {
    let agent = request.headers().get(USER_AGENT);
    let agent = agent.and_then(|value| value.to_str().ok());
    agent.unwrap_or_default().to_owned()
}

/// The page once more, with what went wrong; other problems get their own page.
fn again(t: &'static Texts, problem: &Problem, name: String, next: Option<String>) -> Answer {
    let said = match problem.code {
        "wrong_credentials" => SignInProblem::Wrong,
        "too_many_requests" => SignInProblem::Throttled,
        "busy" => SignInProblem::Busy,
        _ => return Err(problem.clone()),
    };
    let model = SignInPage {
        name,
        next,
        problem: Some(said),
    };
    let mut response = HttpResponse::build(problem.status)
        .content_type("text/html; charset=utf-8")
        .body(view::page(t, &model).into_string());
    problem.put_headers(response.headers_mut());
    Ok(response)
}

/// A path of this hub and nothing else: no other site, no form route.
fn own_page(next: Option<String>) -> Option<String> {
    next.filter(|path| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && path.len() <= 512
            // Blanks and control characters are no part of an address (or a header).
            && path.bytes().all(|byte| byte.is_ascii_graphic())
            && !path.starts_with(links::SIGN_IN)
    })
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Ends the session.
pub(crate) async fn sign_out(
    app: web::Data<App>,
    client: Client,
    user: CurrentUser,
    _form: Form<Nothing>,
) -> Answer {
    app.hub.sessions().end(user.session).await?;
    let mut response = see_other(links::SIGN_IN);
    cookies::clear(&mut response, &client);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_leads_only_to_pages_of_this_hub() {
        assert_eq!(
            own_page(Some("/devices/lamp".into())),
            Some("/devices/lamp".into())
        );
        for elsewhere in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/a\0b",
            "/a\u{7f}",
            "/a b",
            "sign-in",
            "/sign-in?next=/sign-in",
            "",
        ] {
            assert_eq!(own_page(Some(elsewhere.into())), None, "{elsewhere:?}");
        }
        assert_eq!(own_page(None), None);
    }
}
