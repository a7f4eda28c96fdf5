//! The first ten minutes in a browser.
//!
//! Owner of the set-up form; what set-up is, REST and this page share.

use super::place;
use super::sign_in::agent;
use super::taste::Taste;
use super::visit::see_other;
use crate::api::home::check_name;
use crate::api::setup::{self, SetupRequest};
use crate::app::App;
use crate::auth::extract::OpenForm;
use crate::auth::sign_in::{self, check_new_password, check_user_name};
use crate::cities;
use crate::door::client::Client;
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{PASSWORD_MIN, SessionKind};
use iothome_views::components::place::Typed;
use iothome_views::links;
use iothome_views::pages::set_up::{self as view, SetUpForm, SetUpPage, SetUpProblems};
use iothome_views::texts::Texts;
use serde::Deserialize;

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    #[serde(default)]
    code: String,
    #[serde(default)]
    home: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    latitude: String,
    #[serde(default)]
    longitude: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The page, once; afterwards there is nothing here.
pub(crate) async fn show(app: web::Data<App>, client: Client, request: HttpRequest) -> Answer {
    if app.is_set_up().await? {
        return Ok(see_other(links::SIGN_IN));
    }
    setup::check_place(&app, &client).await?;
    let model = blank();
    Ok(super::visit::page(view::page(
        Taste::of(&request).t,
        &model,
    )))
}

fn blank() -> SetUpPage {
    SetUpPage {
        cities: cities::to_choose(),
        zones: cities::zones(),
        ..SetUpPage::default()
    }
}

/// Sets the home up and signs its first administrator in.
pub(crate) async fn submit(
    app: web::Data<App>,
    client: Client,
    request: HttpRequest,
    form: OpenForm<Fields>,
) -> Answer {
    let t = Taste::of(&request).t;
    let fields = form.0;
    let typed = SetUpForm {
        home: fields.home.clone(),
        place: Typed {
            city: fields.city.clone(),
            zone: fields.zone.clone(),
            latitude: fields.latitude.clone(),
            longitude: fields.longitude.clone(),
        },
        username: fields.username.clone(),
    };
    if app.is_set_up().await? {
        return Ok(see_other(links::SIGN_IN));
    }
    setup::check_place(&app, &client).await?;
    // Before the code is tried: a slip elsewhere must not cost one of its ten tries.
    let wanted = match check(t, fields, &typed) {
        Ok(wanted) => wanted,
        Err(problems) => return Ok(again(t, typed, *problems, StatusCode::UNPROCESSABLE_ENTITY)),
    };
    let (name, password) = (wanted.username.clone(), wanted.password.clone());
    if let Err(problem) = setup::perform(&app, wanted).await {
        return refused(t, typed, &problem);
    }
    let kind = SessionKind::Browser;
    let agent = agent(&request);
    let opened = sign_in::sign_in(&app, &client, kind, &agent, &name, password).await?;
    let mut response = see_other(links::FIRST_DEVICE);
    sign_in::put_cookies(&app, &client, &opened, &mut response)?;
    Ok(response)
}

/// What is wanted, or everything that is wrong with it.
fn check(t: &Texts, fields: Fields, typed: &SetUpForm) -> Result<SetupRequest, Box<SetUpProblems>> {
    let mut problems = SetUpProblems::default();
    let say = |wrong: bool, words: &str| wrong.then(|| words.to_owned());
    problems.code = say(fields.code.trim().is_empty(), t.set_up.code_missing);
    let no_name = check_name("home", &fields.home).is_err();
    problems.home = say(no_name, t.set_up.problem_home);
    let no_user = check_user_name("username", &fields.username).is_err();
    problems.username = say(no_user, t.set_up.problem_user_name);
    problems.password = password_problem(t, &fields.password);
    let place = place::read(t, &typed.place, None);
    match place {
        Ok(place) if !problems.any() => Ok(SetupRequest {
            code: fields.code,
            home: fields.home,
            zone: place.zone,
            latitude: place.latitude,
            longitude: place.longitude,
            username: fields.username.trim().to_owned(),
            password: fields.password,
        }),
        place => {
            problems.place = place.err().unwrap_or_default();
            problems.whole = Some(t.frame.form_has_problems.to_owned());
            Err(Box::new(problems))
        }
    }
}

/// What is wrong with a new password, in words.
pub(super) fn password_problem(t: &Texts, password: &str) -> Option<String> {
    check_new_password("password", password).err()?;
    let short = password.chars().count() < PASSWORD_MIN;
    let words = if short {
        t.set_up.problem_password_short
    } else {
        t.set_up.problem_password_long
    };
    Some(words.to_owned())
}

/// The page once more, after the house said no.
fn refused(t: &'static Texts, form: SetUpForm, problem: &Problem) -> Answer {
    let mut problems = SetUpProblems {
        whole: Some(t.frame.form_has_problems.to_owned()),
        ..SetUpProblems::default()
    };
    match problem.code {
        "wrong_code" => problems.code = Some(t.set_up.code_wrong.to_owned()),
        "code_ended" => problems.code = Some(t.set_up.code_spent.to_owned()),
        "busy" => problems.whole = Some(t.sign_in.busy.to_owned()),
        _ => return Err(problem.clone()),
    }
    let mut response = again(t, form, problems, problem.status);
    problem.put_headers(response.headers_mut());
    Ok(response)
}

/// The page once more, with what is wrong beside its field.
fn again(
    t: &'static Texts,
    form: SetUpForm,
    problems: SetUpProblems,
    status: StatusCode,
) -> HttpResponse {
    let model = SetUpPage {
        form,
        problems,
        ..blank()
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(view::page(t, &model).into_string())
}
