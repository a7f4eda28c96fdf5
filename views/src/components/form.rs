//! Fields of forms.
//!
//! Owner of labels, hints and problems beside a field. It must never repeat a password.

use super::Look;
use crate::icons::Icon;
use maud::{Markup, PreEscaped, html};

/// The names of the hidden fields, for whoever reads the form.
pub const CSRF_FIELD: &str = "csrf";
/// The field that says which page the form was on.
pub const BACK_FIELD: &str = "back";

/// The hidden fields of a command form.
pub fn hidden(look: Look<'_>) -> Markup {
    html! {
        (csrf(look.csrf))
        input type="hidden" name=(BACK_FIELD) value=(look.back.as_field());
    }
}

/// The form token alone.
pub fn csrf(token: &str) -> Markup {
    html! { input type="hidden" name=(CSRF_FIELD) value=(token); }
}

/// A text field with its label, hint and problem.
#[derive(Clone, Debug, Default)]
pub struct Field<'a> {
    /// Name in the form; also the id.
    pub name: &'a str,
    /// Label.
    pub label: &'a str,
    /// What stands in it.
    pub value: &'a str,
    /// A sentence of help.
    pub hint: Option<&'a str>,
    /// What is wrong with what was sent.
    pub problem: Option<&'a str>,
    /// `text`, `password`…
    pub kind: &'a str,
    /// What password managers and keyboards should know it as.
    pub autocomplete: Option<&'a str>,
    /// `decimal`, `numeric`…
    pub inputmode: Option<&'a str>,
    /// Whether it must be filled.
    pub required: bool,
    /// Longest text taken, in characters.
    pub max: Option<usize>,
    /// Shortest text taken.
    pub min: Option<usize>,
    /// The id of a list of suggestions.
    pub list: Option<&'a str>,
    /// Whether the page starts here.
    pub autofocus: bool,
    /// The word on the button that shows a password, for those who have script.
    pub reveal: Option<&'a str>,
    /// Set where two forms on a page have a field of the same name.
    pub id: Option<&'a str>,
}

impl Field<'_> {
    /// The field.
    pub fn draw(&self) -> Markup {
        let id = self.id.unwrap_or(self.name);
        let hint_id = format!("{id}-hint");
        let problem_id = format!("{id}-problem");
        let mut described = Vec::new();
        if self.problem.is_some() {
            described.push(problem_id.as_str());
        }
        if self.hint.is_some() {
            described.push(hint_id.as_str());
        }
        let described = (!described.is_empty()).then(|| described.join(" "));
        html! {
            div.field {
                label for=(id) { (self.label) }
                @if let Some(reveal) = self.reveal {
                    div.secret {
                        (self.input(id, described.as_deref()))
                        button.button.quiet.script-only type="button" data-reveal=(id)
                            aria-controls=(id) aria-pressed="false" {
                            (Icon::Eye.draw()) span.visually-hidden { (reveal) }
                        }
                    }
                } @else {
                    (self.input(id, described.as_deref()))
                }
                @if let Some(problem) = self.problem {
                    (self::problem(&problem_id, problem))
                }
                @if let Some(hint) = self.hint { p.hint id=(hint_id) { (hint) } }
            }
        }
    }
}

impl Field<'_> {
    fn input(&self, id: &str, described: Option<&str>) -> Markup {
        let secret = self.kind == "password";
        html! {
            input id=(id) name=(self.name) type=(self.kind)
                value=[(!secret && !self.value.is_empty()).then_some(self.value)]
                autocomplete=[self.autocomplete] inputmode=[self.inputmode]
                autocapitalize=[(secret || self.autocomplete == Some("username")).then_some("none")]
                spellcheck=[self.autocomplete.map(|_| "false")]
                maxlength=[self.max] minlength=[self.min] list=[self.list]
                aria-invalid=[self.problem.map(|_| "true")] aria-describedby=[described]
                dir=[(self.kind == "text").then_some("auto")]
                required[self.required] autofocus[self.autofocus];
        }
    }
}

/// What a field for a number takes: a fraction behind either mark.
pub const DECIMAL: &str = "-?[0-9]+([.,][0-9]+)?";

/// One of several, from a list.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Name in the form; also the id.
    pub name: &'a str,
    /// Label.
    pub label: &'a str,
    /// Value, words, and the language of the words.
    pub options: &'a [(&'a str, &'a str, &'a str)],
    /// The chosen value.
    pub chosen: &'a str,
}

impl Choice<'_> {
    /// The list.
    pub fn draw(&self) -> Markup {
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                select id=(self.name) name=(self.name) {
                    @for (value, words, lang) in self.options {
                        option value=(value) lang=(lang) selected[*value == self.chosen] { (words) }
                    }
                }
            }
        }
    }
}

/// One of few, side by side.
#[derive(Clone, Copy, Debug)]
pub struct Segments<'a> {
    /// Name in the form.
    pub name: &'a str,
    /// What is chosen.
    pub label: &'a str,
    /// Value and words.
    pub options: &'a [(&'a str, &'a str)],
    /// The chosen value.
    pub chosen: &'a str,
}

impl Segments<'_> {
    /// The row.
    pub fn draw(&self) -> Markup {
        html! {
            fieldset.segments {
                legend { (self.label) }
                div.segment-row {
                    @for (value, words) in self.options {
                        label.segment {
                            input type="radio" name=(self.name) value=(value) checked[*value == self.chosen];
                            span { (words) }
                        }
                    }
                }
            }
        }
    }
}

/// A notice that something was done.
pub fn done(text: &str) -> Markup {
    html! { p.banner.good role="status" { (Icon::Check.draw()) span { (text) } } }
}

/// What is wrong with a field, beside it.
pub fn problem(id: &str, text: &str) -> Markup {
    html! { p.problem id=(id) { (Icon::Warning.draw()) span { (text) } } }
}

/// A notice above a form.
pub fn alert(text: &str) -> Markup {
    html! { p.banner.bad role="alert" { (Icon::Warning.draw()) span { (text) } } }
}

/// Nothing.
pub const fn nothing() -> Markup {
    PreEscaped(String::new())
}
