//! The sign-in page.
//!
//! Owner of that form. It must never tell whether a user exists, nor anything of the house.

use crate::components::form::{self, Field};
use crate::icons::Icon;
use crate::layout::signed_out;
use crate::links;
use crate::texts::Texts;
use maud::{Markup, html};

/// Why the last attempt did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// Name or password is wrong, or the user is disabled: always the same words.
    Wrong,
    /// Too many attempts.
    Throttled,
    /// Too many passwords are being checked.
    Busy,
    /// The form was too old.
    Stale,
}

/// The page.
#[derive(Clone, Debug, Default)]
pub struct SignInPage {
    /// The name that was typed.
    pub name: String,
    /// Where to go afterwards: a path of this site.
    pub next: Option<String>,
    /// What went wrong.
    pub problem: Option<SignInProblem>,
}

/// The whole page.
pub fn page(t: &'static Texts, model: &SignInPage) -> Markup {
    let problem = model.problem.map(|problem| match problem {
        SignInProblem::Wrong => t.sign_in.failed,
        SignInProblem::Throttled => t.sign_in.throttled,
        SignInProblem::Busy => t.sign_in.busy,
        SignInProblem::Stale => t.error.form_stale,
    });
    let name = Field {
        name: "username",
        label: t.sign_in.user_name,
        value: &model.name,
        kind: "text",
        autocomplete: Some("username"),
        required: true,
        max: Some(64),
        autofocus: model.name.is_empty(),
        ..Field::default()
    };
    let password = Field {
        name: "password",
        label: t.sign_in.password,
        kind: "password",
        autocomplete: Some("current-password"),
        required: true,
        max: Some(256),
        reveal: Some(t.frame.reveal),
        autofocus: !model.name.is_empty(),
        ..Field::default()
    };
    let content = html! {
        div.sheet {
            span.mark { (Icon::Home.draw()) }
            h1 { (t.sign_in.title) }
            p.hint { (t.sign_in.lead) }
            @if let Some(problem) = problem { (form::alert(problem)) }
            form.stack method="post" action=(links::SIGN_IN) {
                @if let Some(next) = &model.next { input type="hidden" name="next" value=(next); }
                (name.draw())
                (password.draw())
                button.button.strong.full { (t.sign_in.title) }
            }
            p.hint.small { (t.sign_in.forgotten) }
        }
    };
    signed_out(t, t.sign_in.title, &content)
}
