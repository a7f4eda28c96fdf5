//! The set-up page: once, before there is a home.
//!
//! Owner of that form. It must never repeat the code or the password it was sent.

use crate::components::form::{self, Field};
use crate::components::place::{self, City, PlaceFields};
use crate::icons::Icon;
use crate::layout::signed_out;
use crate::links;
use crate::texts::Texts;
use maud::{Markup, html};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct SetUpForm {
    /// Name of the home.
    pub home: String,
    /// Where it is.
    pub place: place::Typed,
    /// Name of the administrator.
    pub username: String,
}

/// What is wrong, by field; `None` where all is well.
#[derive(Clone, Debug, Default)]
pub struct SetUpProblems {
    /// About the whole form.
    pub whole: Option<String>,
    /// About the code.
    pub code: Option<String>,
    /// About the home's name.
    pub home: Option<String>,
    /// About its place.
    pub place: place::Problems,
    /// About the administrator's name.
    pub username: Option<String>,
    /// About the password.
    pub password: Option<String>,
}

impl SetUpProblems {
    /// Whether a field is wrong.
    pub const fn any(&self) -> bool {
        self.code.is_some()
            || self.home.is_some()
            || self.place.any()
            || self.username.is_some()
            || self.password.is_some()
    }
}

/// The page.
#[derive(Clone, Debug, Default)]
pub struct SetUpPage {
    /// What was typed.
    pub form: SetUpForm,
    /// What is wrong with it.
    pub problems: SetUpProblems,
    /// Cities to choose from.
    pub cities: Vec<City>,
    /// Names of time zones to suggest.
    pub zones: Vec<String>,
}

/// The whole page.
pub fn page(t: &'static Texts, model: &SetUpPage) -> Markup {
    let content = html! {
        div.sheet.broad {
            span.mark { (Icon::Home.draw()) }
            h1 { (t.set_up.title) }
            p.hint { (t.set_up.lead) }
            @if let Some(problem) = &model.problems.whole { (form::alert(problem)) }
            form.stack method="post" action=(links::SET_UP) {
                (code(t, model))
                (home(t, model))
                (administrator(t, model))
                button.button.strong.full { (t.set_up.submit) }
            }
        }
    };
    signed_out(t, t.set_up.title, &content)
}

fn code(t: &Texts, model: &SetUpPage) -> Markup {
    let field = Field {
        name: "code",
        label: t.set_up.code,
        hint: Some(t.set_up.code_hint),
        problem: model.problems.code.as_deref(),
        kind: "text",
        autocomplete: Some("one-time-code"),
        required: true,
        max: Some(64),
        autofocus: true,
        ..Field::default()
    };
    html! {
        fieldset {
            legend { (t.set_up.code_legend) }
            (field.draw())
        }
    }
}

fn home(t: &Texts, model: &SetUpPage) -> Markup {
    let name = Field {
        name: "home",
        label: t.set_up.home,
        hint: Some(t.set_up.home_hint),
        value: &model.form.home,
        problem: model.problems.home.as_deref(),
        kind: "text",
        autocomplete: Some("off"),
        required: true,
        max: Some(64),
        ..Field::default()
    };
    let place = PlaceFields {
        cities: &model.cities,
        zones: &model.zones,
        typed: &model.form.place,
        problems: &model.problems.place,
        fresh: true,
    };
    html! {
        fieldset {
            legend { (t.set_up.home_legend) }
            (name.draw())
            (place.draw(t))
        }
    }
}

fn administrator(t: &Texts, model: &SetUpPage) -> Markup {
    let name = Field {
        name: "username",
        label: t.sign_in.user_name,
        hint: Some(t.set_up.user_name_hint),
        value: &model.form.username,
        problem: model.problems.username.as_deref(),
        kind: "text",
        autocomplete: Some("username"),
        required: true,
        max: Some(64),
        ..Field::default()
    };
    let password = Field {
        name: "password",
        label: t.sign_in.password,
        hint: Some(t.sign_in.password_hint),
        problem: model.problems.password.as_deref(),
        kind: "password",
        autocomplete: Some("new-password"),
        reveal: Some(t.frame.reveal),
        required: true,
        min: Some(8),
        ..Field::default()
    };
    html! {
        fieldset {
            legend { (t.set_up.admin_legend) }
            p.hint { (t.set_up.admin_hint) }
            (name.draw())
            (password.draw())
        }
    }
}
