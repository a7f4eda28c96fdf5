//! People, for administrators: list, a new one, name and role, password, signing in, end.
//!
//! Owner of those handlers. It decides nothing: who may be what, and that one
//! administrator stays, is the house's to say.

use super::set_up::password_problem;
use super::visit::{Visit, page, see_other};
use crate::api::paths;
use crate::api::users::user_id;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::auth::sign_in::check_user_name;
use crate::json::Query;
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_actors::{HubError, NewPerson, PersonPatch};
use iothome_engine::ids::UserId;
use iothome_engine::policy::Role;
use iothome_store::User;
use iothome_views::links;
use iothome_views::pages::people::{
    self as view, NewPersonForm, NewPersonProblems, PeoplePage, PersonLine,
};
use iothome_views::pages::person::{self, Done, PersonProblems};
use iothome_views::texts::Texts;
use maud::Markup;
use serde::Deserialize;

/// People on a page of the list.
const LIMIT: usize = 100;

/// What an address of these pages may say.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    #[serde(default)]
    pub(super) after: Option<String>,
    #[serde(default)]
    pub(super) done: Option<String>,
}

/// The form of a new person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFields {
    name: String,
    password: String,
    role: Role,
}

/// The form of name and role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    name: String,
    role: Role,
}

/// The form of a new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordFields {
    password: String,
}

/// The form that forbids and allows signing in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInFields {
    may: May,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum May {
    Allow,
    Forbid,
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The list.
pub(crate) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    address: Query<Address>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let after = user_id(address.0.after.as_deref())?;
    // One more than is shown tells whether there are more.
    let mut users = app.store.users(LIMIT + 1, after).await?;
    let more = users.len() > LIMIT;
    users.truncate(LIMIT);
    let model = PeoplePage {
        next: users.last().filter(|_| more).map(|last| last.id),
        people: users.iter().map(|one| line(one, &user)).collect(),
        deleted: address.0.done.as_deref() == Some("deleted"),
    };
    let live = visit.live("quiet");
    Ok(page(view::page(visit.t, &visit.viewer, &live, &model)))
}

fn line(one: &User, viewer: &CurrentUser) -> PersonLine {
    PersonLine {
        id: one.id,
        name: one.name.clone(),
        role: one.role,
        disabled: one.disabled,
        you: one.id == viewer.subject.user,
    }
}

/// The form of a new person.
pub(crate) async fn add(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let form = NewPersonForm {
        name: String::new(),
        role: Role::Member,
    };
    Ok(page(add_page(&visit, &form, &NewPersonProblems::default())))
}

fn add_page(visit: &Visit, form: &NewPersonForm, problems: &NewPersonProblems) -> Markup {
    let live = visit.live("quiet");
    view::add(visit.t, &visit.viewer, &live, form, problems)
}

/// Makes a person.
pub(crate) async fn create(
    app: web::Data<App>,
    user: CurrentUser,
    form: Form<NewFields>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let t = visit.t;
    let fields = form.0;
    let mut problems = NewPersonProblems {
        name: name_problem(t, &fields.name),
        password: password_problem(t, &fields.password),
    };
    let typed = NewPersonForm {
        name: fields.name.clone(),
        role: fields.role,
    };
    if problems.name.is_none() && problems.password.is_none() {
        let new = NewPerson {
            name: fields.name.trim().to_owned(),
            role: fields.role,
            password: fields.password,
        };
        match app.hub.create_user(new, &user.subject).await {
            Ok(made) => return Ok(see_other(&done(&made.id, Done::Added))),
            Err(HubError::Taken { .. }) => problems.name = Some(t.people.problem_taken.to_owned()),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(unprocessable(&add_page(&visit, &typed, &problems)))
}

fn name_problem(t: &Texts, name: &str) -> Option<String> {
    let wrong = check_user_name("name", name).is_err();
    wrong.then(|| t.people.problem_name.to_owned())
}

/// The page once more, with what is wrong.
pub(super) fn unprocessable(markup: &Markup) -> HttpResponse {
    HttpResponse::UnprocessableEntity()
        .content_type("text/html; charset=utf-8")
        .body(markup.0.clone())
}

fn done(id: &UserId, done: Done) -> String {
    format!("{}?done={}", links::person(id), done.as_str())
}

/// The person of the path.
pub(super) async fn find(app: &App, text: &str) -> Answer<User> {
    let id: UserId = paths::id(text, "person")?;
    let user = app.store.user(id).await?;
    user.ok_or_else(|| Problem::not_found("there is no such person"))
}

/// Changes name and role.
pub(crate) async fn change(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<Fields>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let (one, fields) = (find(&app, &path).await?, form.0);
    let wrong = match name_problem(visit.t, &fields.name) {
        Some(problem) => PersonProblems {
            name: Some(problem),
            ..PersonProblems::default()
        },
        None => {
            let patch = PersonPatch {
                name: Some(fields.name.trim().to_owned()),
                role: Some(fields.role),
                ..PersonPatch::default()
            };
            match apply(&app, &user, &one, patch, visit.t).await? {
                None => return Ok(see_other(&done(&one.id, Done::Saved))),
                Some(problems) => problems,
            }
        }
    };
    super::rights::person_again(&app, &user, &visit, one, Some(fields.name), wrong).await
}

/// Changes a user; tells what people can mend.
async fn apply(
    app: &App,
    user: &CurrentUser,
    one: &User,
    patch: PersonPatch,
    t: &Texts,
) -> Answer<Option<PersonProblems>> {
    let mut problems = PersonProblems::default();
    // One who resets their own password this way keeps the session they do it in.
    let keep = (one.id == user.subject.user).then_some(user.session);
    let changed = app
        .hub
        .update_user(one.id, patch, None, keep, &user.subject);
    match changed.await {
        Ok(_) => {
            app.feed.forget();
            return Ok(None);
        }
        Err(HubError::LastAdmin) => problems.whole = Some(t.people.problem_last_admin.to_owned()),
        Err(HubError::Taken { .. }) => problems.name = Some(t.people.problem_taken.to_owned()),
        Err(HubError::Busy) => problems.whole = Some(t.sign_in.busy.to_owned()),
        Err(other) => return Err(other.into()),
    }
    Ok(Some(problems))
}

/// Sets a new password.
pub(crate) async fn password(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<PasswordFields>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let one = find(&app, &path).await?;
    let password = form.0.password;
    let wrong = match password_problem(visit.t, &password) {
        Some(problem) => PersonProblems {
            password: Some(problem),
            ..PersonProblems::default()
        },
        None => {
            let patch = PersonPatch {
                password: Some(password),
                ..PersonPatch::default()
            };
            match apply(&app, &user, &one, patch, visit.t).await? {
                None => return Ok(see_other(&done(&one.id, Done::Password))),
                Some(problems) => problems,
            }
        }
    };
    super::rights::person_again(&app, &user, &visit, one, None, wrong).await
}

/// Forbids or allows signing in.
pub(crate) async fn sign_in(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<SignInFields>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let one = find(&app, &path).await?;
    let forbid = form.0.may == May::Forbid;
    let wrong = if forbid && one.id == user.subject.user {
        PersonProblems {
            whole: Some(visit.t.people.own.to_owned()),
            ..PersonProblems::default()
        }
    } else {
        let patch = PersonPatch {
            disabled: Some(forbid),
            ..PersonPatch::default()
        };
        match apply(&app, &user, &one, patch, visit.t).await? {
            None => return Ok(see_other(&done(&one.id, Done::Saved))),
            Some(problems) => problems,
        }
    };
    super::rights::person_again(&app, &user, &visit, one, None, wrong).await
}

/// Whether to delete somebody.
pub(crate) async fn ask_delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let one = find(&app, &path).await?;
    Ok(page(delete_page(&visit, &one, None)))
}

fn delete_page(visit: &Visit, one: &User, problem: Option<&str>) -> Markup {
    let live = visit.live("quiet");
    person::delete(visit.t, &visit.viewer, &live, (&one.id, &one.name), problem)
}

/// Deletes somebody.
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let one = find(&app, &path).await?;
    if one.id == user.subject.user {
        let problem = Some(visit.t.people.own);
        return Ok(unprocessable(&delete_page(&visit, &one, problem)));
    }
    match app.hub.delete_user(one.id, &user.subject).await {
        Ok(()) => Ok(see_other(&format!("{}?done=deleted", links::PEOPLE))),
        Err(HubError::LastAdmin) => {
            let problem = Some(visit.t.people.problem_last_admin);
            Ok(unprocessable(&delete_page(&visit, &one, problem)))
        }
        Err(other) => Err(other.into()),
    }
}
