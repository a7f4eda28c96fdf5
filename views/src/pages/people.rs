//! The people of the home: list, and the form of a new one.
//!
//! Owner of those two pages. It must never show or repeat a password.

use crate::components::form::{self, Field};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::Texts;
use iothome_engine::ids::UserId;
use iothome_engine::policy::Role;
use maud::{Markup, html};

/// A person of the list.
#[derive(Clone, Debug)]
pub struct PersonLine {
    /// Their id.
    pub id: UserId,
    /// Their sign-in name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// Whether it is the viewer.
    pub you: bool,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct PeoplePage {
    /// The people, in the order they came.
    pub people: Vec<PersonLine>,
    /// Where the list goes on.
    pub next: Option<UserId>,
    /// Whether one has just been deleted.
    pub deleted: bool,
}

/// What was typed for a new person.
#[derive(Clone, Debug)]
pub struct NewPersonForm {
    /// Sign-in name.
    pub name: String,
    /// Role.
    pub role: Role,
}

/// What is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct NewPersonProblems {
    /// About the name.
    pub name: Option<String>,
    /// About the password.
    pub password: Option<String>,
}

/// The list.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, model: &PeoplePage) -> Markup {
    let content = html! {
        (to_settings(t))
        header.page-head { h1 { (t.people.title) } p.hint { (t.people.lead) } }
        @if model.deleted { (form::done(t.people.deleted)) }
        ul.people { @for person in &model.people { (line(t, person)) } }
        p.ways {
            a.button.strong href=(links::ADD_PERSON) { (Icon::Plus.draw()) (t.people.add) }
            @if let Some(after) = &model.next {
                a.button href=(format!("{}?after={after}", links::PEOPLE)) { (t.people.more) }
            }
        }
    };
    frame(t, viewer, live, t.people.title, &content)
}

fn line(t: &Texts, person: &PersonLine) -> Markup {
    html! {
        li {
            a.person href=(links::person(&person.id)) {
                span.badge.calm { (Icon::Person.draw()) }
                span.facts {
                    b { bdi { (person.name) } }
                    span.hint {
                        (role_name(t, person.role))
                        @if person.you { " · " (t.people.you) }
                        @if person.disabled { " · " (t.people.disabled) }
                    }
                }
            }
        }
    }
}

/// The form of a new person.
pub fn add(
    t: &'static Texts,
    viewer: &Viewer,
    live: &str,
    typed: &NewPersonForm,
    problems: &NewPersonProblems,
) -> Markup {
    let password = password_field(t, t.sign_in.password, problems.password.as_deref());
    let content = html! {
        (back(t))
        header.page-head { h1 { (t.people.add) } p.hint { (t.people.add_lead) } }
        @if problems.name.is_some() || problems.password.is_some() { (form::alert(t.frame.form_has_problems)) }
        form.card.wide.stack.house method="post" action=(links::ADD_PERSON) {
            (form::csrf(&viewer.csrf))
            (name_field(t, &typed.name, problems.name.as_deref()))
            (password)
            (roles(t, typed.role))
            p.ways { button.button.strong { (t.people.add_submit) } }
        }
    };
    frame(t, viewer, live, t.people.add, &content)
}

/// The way back to the list of what administrators manage.
pub(super) fn to_settings(t: &Texts) -> Markup {
    html! { a.back href=(links::SETTINGS) { (Icon::Back.draw()) span { (t.settings.title) } } }
}

pub(super) fn back(t: &Texts) -> Markup {
    html! { a.back href=(links::PEOPLE) { (Icon::Back.draw()) span { (t.people.back) } } }
}

pub(super) const fn role_name(t: &Texts, role: Role) -> &'static str {
    match role {
        Role::Admin => t.people.admin,
        Role::Member => t.people.member,
    }
}

pub(super) fn name_field(t: &Texts, name: &str, problem: Option<&str>) -> Markup {
    Field {
        name: "name",
        label: t.sign_in.user_name,
        value: name,
        problem,
        kind: "text",
        // It is somebody else's: the browser must not offer the viewer's own.
        autocomplete: Some("off"),
        required: true,
        max: Some(64),
        ..Field::default()
    }
    .draw()
}

pub(super) fn password_field(t: &Texts, label: &str, problem: Option<&str>) -> Markup {
    Field {
        name: "password",
        label,
        hint: Some(t.sign_in.password_hint),
        problem,
        kind: "password",
        autocomplete: Some("new-password"),
        required: true,
        min: Some(8),
        reveal: Some(t.frame.reveal),
        ..Field::default()
    }
    .draw()
}

pub(super) fn roles(t: &Texts, chosen: Role) -> Markup {
    let role = |role: Role, hint: &str| {
        html! {
            label.role {
                input type="radio" name="role" value=(role.as_str()) checked[role == chosen];
                span.facts { b { (role_name(t, role)) } span.hint { (hint) } }
            }
        }
    };
    html! {
        div.roles role="radiogroup" aria-labelledby="role-name" {
            b #role-name { (t.people.role) }
            (role(Role::Member, t.people.member_hint))
            (role(Role::Admin, t.people.admin_hint))
        }
    }
}

pub(super) fn frame(
    t: &'static Texts,
    viewer: &Viewer,
    live: &str,
    title: &str,
    content: &Markup,
) -> Markup {
    Shell {
        t,
        viewer,
        title,
        here: Here::Settings,
        live: Some(live),
    }
    .page(content)
}
