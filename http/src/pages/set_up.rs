//! The first ten minutes in a browser.
//!
//! Owner of the set-up form; what set-up is, REST and this page share.

use super::sign_in::agent;
use super::taste::Taste;
use super::visit::see_other;
use crate::api::setup::{self, SetupRequest};
use crate::app::App;
use crate::auth::extract::OpenForm;
use crate::auth::sign_in;
use crate::door::client::Client;
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::SessionKind;
use iothome_views::links;
use iothome_views::pages::set_up::{self as view, SetUpForm, SetUpPage, SetUpProblems};
use iothome_views::texts::Texts;
use serde::Deserialize;

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    code: String,
    home: String,
    zone: String,
    #[serde(default)]
    latitude: String,
    #[serde(default)]
    longitude: String,
    username: String,
    password: String,
}

/// The page, once; afterwards there is nothing here.
pub(crate) async fn show(app: web::Data<App>, request: HttpRequest) -> Answer {
    if app.is_set_up().await? {
        return Ok(see_other(links::SIGN_IN));
    }
    let model = SetUpPage {
        zones: zones(),
        ..SetUpPage::default()
    };
    Ok(super::visit::page(view::page(
        Taste::of(&request).t,
        &model,
    )))
}

/// Sets the home up and signs its first administrator in.
pub(crate) async fn submit(
    app: web::Data<App>,
    client: Client,
    request: HttpRequest,
    form: OpenForm<Fields>,
) -> Answer {
    let fields = form.0;
    let typed = SetUpForm {
        home: fields.home.clone(),
        zone: fields.zone.clone(),
        latitude: fields.latitude.clone(),
        longitude: fields.longitude.clone(),
        username: fields.username.clone(),
    };
    let (name, password) = (fields.username.clone(), fields.password.clone());
    if let Err(problem) = perform(&app, fields).await {
        return again(Taste::of(&request).t, &problem, typed);
    }
    let kind = SessionKind::Browser;
    let agent = agent(&request);
    let opened = sign_in::sign_in(&app, &client, kind, &agent, &name, password).await?;
    let mut response = see_other(links::HOME);
    sign_in::put_cookies(&app, &client, &opened, &mut response)?;
    Ok(response)
}

async fn perform(app: &App, fields: Fields) -> Answer<()> {
    let wanted = SetupRequest {
        latitude: degrees("latitude", &fields.latitude)?,
        longitude: degrees("longitude", &fields.longitude)?,
        code: fields.code,
        home: fields.home,
        zone: fields.zone.trim().to_owned(),
        username: fields.username,
        password: fields.password,
    };
    setup::perform(app, wanted).await.map(drop)
}

fn degrees(field: &'static str, text: &str) -> Answer<Option<f64>> {
    let text = text.trim().replace(',', ".");
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| Problem::invalid(field, "a number is needed"))
}

/// The page once more, with what is wrong beside its field.
fn again(t: &'static Texts, problem: &Problem, form: SetUpForm) -> Answer {
    let said = match problem.code {
        "wrong_code" => t.set_up.code_wrong.to_owned(),
        "code_ended" => t.set_up.code_spent.to_owned(),
        "invalid" => said(t, problem),
        "busy" => t.sign_in.busy.to_owned(),
        _ => return Err(problem.clone()),
    };
    let mut problems = SetUpProblems {
        whole: Some(t.frame.form_has_problems.to_owned()),
        ..SetUpProblems::default()
    };
    let place = match problem.field.as_deref() {
        Some("code") => &mut problems.code,
        Some("home") => &mut problems.home,
        Some("zone") => &mut problems.zone,
        Some("latitude" | "longitude") => &mut problems.place,
        Some("username" | "name") => &mut problems.username,
        Some("password") => &mut problems.password,
        _ => &mut problems.whole,
    };
    *place = Some(said);
    let model = SetUpPage {
        form,
        problems,
        zones: zones(),
    };
    let mut response = HttpResponse::build(problem.status)
        .content_type("text/html; charset=utf-8")
        .body(view::page(t, &model).into_string());
    problem.put_headers(response.headers_mut());
    Ok(response)
}

fn said(t: &Texts, problem: &Problem) -> String {
    match problem.field.as_deref() {
        Some("zone") => t.set_up.problem_zone.to_owned(),
        Some("latitude" | "longitude") => t.set_up.problem_number.to_owned(),
        Some("password") => t.set_up.problem_password_short.to_owned(),
        _ => problem.detail.clone(),
    }
}

/// Zones to suggest: those named after a place.
fn zones() -> Vec<String> {
    const REGIONS: [&str; 9] = [
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    ];
    let mut zones: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| REGIONS.iter().any(|region| name.starts_with(region)))
        .collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_place_is_no_place_and_a_comma_is_a_point() {
        assert_eq!(degrees("latitude", " ").ok(), Some(None));
        assert_eq!(degrees("latitude", "52,52").ok(), Some(Some(52.52)));
        let problem = degrees("longitude", "east").expect_err("no number");
        assert_eq!(problem.field.as_deref(), Some("longitude"));
    }

    #[test]
    fn zones_are_places() {
        let zones = zones();
        assert!(zones.iter().any(|zone| zone == "Europe/Berlin"));
        assert!(!zones.iter().any(|zone| zone.starts_with("Etc/")));
    }
}
