//! One person: their rights, name, role, password, end; and who may use one device.
//!
//! Owner of those pages. It must never show or repeat a password, and offers nobody
//! to lock themselves out.

use super::people::{back, frame, name_field, password_field, role_name, roles};
use crate::components::confirm::Confirm;
use crate::components::form;
use crate::components::rights::{self, RightsRow};
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::{Texts, fill};
use iothome_engine::ids::{DeviceId, UserId};
use iothome_engine::policy::Role;
use maud::{Markup, html};

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The account was made.
    Added,
    /// Name, role or signing in was changed.
    Saved,
    /// The password was set.
    Password,
    /// Rights were changed.
    Rights,
}

impl Done {
    const ALL: [Self; 4] = [Self::Added, Self::Saved, Self::Password, Self::Rights];

    /// The word in the page's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Saved => "saved",
            Self::Password => "password",
            Self::Rights => "rights",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.as_str() == word)
    }

    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Added => t.people.added,
            Self::Saved => t.people.saved,
            Self::Password => t.people.password_done,
            Self::Rights => t.people.rights_saved,
        }
    }
}

/// What is wrong with what was sent.
#[derive(Clone, Debug, Default)]
pub struct PersonProblems {
    /// About the whole.
    pub whole: Option<String>,
    /// About the name.
    pub name: Option<String>,
    /// About the password.
    pub password: Option<String>,
}

/// The page.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// Their id.
    pub id: UserId,
    /// Their sign-in name.
    pub name: String,
    /// The name in the form.
    pub typed_name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// Whether it is the viewer.
    pub you: bool,
    /// What has just been done.
    pub done: Option<Done>,
    /// What is wrong with what was sent.
    pub problems: PersonProblems,
    /// Their rights on each device.
    pub rights: Vec<RightsRow>,
    /// Where the list of devices goes on.
    pub next: Option<DeviceId>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, person: &PersonPage) -> Markup {
    let content = html! {
        (back(t))
        header.page-head {
            h1 { bdi { (person.name) } }
            p.hint {
                (role_name(t, person.role))
                @if person.you { " · " (t.people.you) }
                @if person.disabled { " · " (t.people.disabled) }
            }
        }
        @if let Some(done) = person.done { (form::done(done.words(t))) }
        @if let Some(problem) = &person.problems.whole { (form::alert(problem)) }
        (rights_of(t, viewer, person))
        (name_and_role(t, viewer, person))
        (password(t, viewer, person))
        (leaving(t, viewer, person))
    };
    frame(t, viewer, live, &person.name, &content)
}

fn rights_of(t: &Texts, viewer: &Viewer, person: &PersonPage) -> Markup {
    let content = if person.role == Role::Admin {
        html! { p.hint { (t.people.rights_admin) } }
    } else if person.rights.is_empty() {
        html! { p.hint { (t.people.rights_none) } }
    } else {
        html! {
            (rights_form(t, viewer, &links::person_rights(&person.id), t.people.rights_all, &person.rights))
            @if let Some(after) = &person.next {
                p.ways.after { a.button href=(format!("{}?after={after}", links::person(&person.id))) { (t.people.more) } }
            }
        }
    };
    html! {
        section.block {
            h2 { (t.people.rights) }
            (content)
        }
    }
}

fn rights_form(t: &Texts, viewer: &Viewer, to: &str, all: &str, rows: &[RightsRow]) -> Markup {
    html! {
        (rights::legend(t, rows.iter().any(|row| row.level.is_none())))
        form.stack method="post" action=(to) {
            (form::csrf(&viewer.csrf))
            (rights::rows(t, all, rows))
            p.ways { button.button.strong { (t.people.rights_save) } }
        }
    }
}

fn name_and_role(t: &Texts, viewer: &Viewer, person: &PersonPage) -> Markup {
    html! {
        section.block.card.wide {
            h2 { (t.people.name_and_role) }
            form.stack method="post" action=(links::person(&person.id)) {
                (form::csrf(&viewer.csrf))
                (name_field(t, &person.typed_name, person.problems.name.as_deref()))
                (roles(t, person.role))
                p.ways { button.button.strong { (t.people.save) } }
            }
        }
    }
}

fn password(t: &Texts, viewer: &Viewer, person: &PersonPage) -> Markup {
    html! {
        section.block.card.wide {
            h2 { (t.people.password) }
            p.hint { (t.people.password_lead) }
            form.stack method="post" action=(links::person_password(&person.id)) {
                (form::csrf(&viewer.csrf))
                (password_field(t, t.people.new_password, person.problems.password.as_deref()))
                p.ways { button.button.strong { (t.people.password_set) } }
            }
        }
    }
}

/// Forbidding, allowing, deleting.
fn leaving(t: &Texts, viewer: &Viewer, person: &PersonPage) -> Markup {
    let (lead, word, value) = if person.disabled {
        (t.people.enable_lead, t.people.enable, "allow")
    } else {
        (t.people.disable_lead, t.people.disable, "forbid")
    };
    html! {
        section.block.card.wide {
            h2 { (t.people.sign_in) }
            @if person.you { p.hint { (t.people.own) } } @else {
                p.hint { (lead) }
                form method="post" action=(links::person_sign_in(&person.id)) {
                    (form::csrf(&viewer.csrf))
                    button.button name="may" value=(value) { (word) }
                }
                h3 { (t.people.delete) }
                p.hint { (t.people.delete_lead) }
                p.ways { a.button.danger href=(links::delete_person(&person.id)) { (t.people.delete_go) } }
            }
        }
    }
}

/// Whether to delete somebody.
pub fn delete(
    t: &'static Texts,
    viewer: &Viewer,
    live: &str,
    (id, name): (&UserId, &str),
    problem: Option<&str>,
) -> Markup {
    let question = fill(t.people.delete_ask, name);
    let content = Confirm {
        back: &links::person(id),
        back_name: name,
        title: &question,
        says: &[t.people.delete_lead],
        problem,
        action: &links::delete_person(id),
        yes: t.people.delete_yes,
        no: t.people.delete_no,
    }
    .draw(&viewer.csrf);
    frame(t, viewer, live, t.people.delete, &content)
}

/// Who may use one device.
#[derive(Clone, Debug)]
pub struct AccessPage {
    /// The device.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Each member's rights on it.
    pub rights: Vec<RightsRow>,
    /// Where the list of people goes on.
    pub next: Option<UserId>,
    /// Whether rights have just been saved.
    pub saved: bool,
}

/// Who may use one device.
pub fn access(t: &'static Texts, viewer: &Viewer, live: &str, model: &AccessPage) -> Markup {
    let content = html! {
        a.back href=(links::device(&model.id)) { (Icon::Back.draw()) span { bdi.clamp { (model.name) } } }
        header.page-head { h1 { (t.people.access) } p.hint { (t.people.access_lead) } }
        @if model.saved { (form::done(t.people.rights_saved)) }
        @if model.rights.is_empty() {
            p { (t.people.access_none) }
            p.ways { a.button.strong href=(links::ADD_PERSON) { (Icon::Plus.draw()) (t.people.access_add) } }
        } @else {
            (rights_form(t, viewer, &links::access(&model.id), t.people.rights_all_people, &model.rights))
        }
        @if let Some(after) = &model.next {
            p.ways.after { a.button href=(format!("{}?after={after}", links::access(&model.id))) { (t.people.more) } }
        }
    };
    let title = format!("{} · {}", t.people.access, model.name);
    frame(t, viewer, live, &title, &content)
}
