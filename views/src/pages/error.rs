//! Error pages: what happened, in a friendly word, and the way on.
//!
//! Owner of those pages. They are the same signed in or not, so that an error
//! needs no session, no database and no house; they must never show an inner error.

use crate::icons::Icon;
use crate::layout::{Theme, plain};
use crate::links;
use crate::texts::{Texts, fill};
use maud::{Markup, html};

/// An error, ready to be shown.
#[derive(Clone, Debug, Default)]
pub struct ErrorPage {
    /// HTTP status.
    pub status: u16,
    /// A sentence about this very error, already in words.
    pub detail: Option<String>,
    /// Whether that sentence is English whatever the page's language is.
    pub detail_is_english: bool,
    /// In how many seconds to try again.
    pub retry_after_s: Option<u64>,
    /// What to look for in the log.
    pub reference: Option<String>,
    /// Where "Go back" leads: a path of this site.
    pub back: Option<String>,
    /// Light or dark.
    pub theme: Theme,
}

impl ErrorPage {
    fn detail_lang(&self, t: &Texts) -> Option<&'static str> {
        (self.detail_is_english && t.lang != "en").then_some("en")
    }
}

/// The whole page.
pub fn page(t: &'static Texts, error: &ErrorPage) -> Markup {
    let (title, hint) = words(t, error.status);
    let icon = match error.status {
        401 | 403 => Icon::Locked,
        404 => Icon::Question,
        429 | 503 => Icon::Clock,
        _ => Icon::Warning,
    };
    let content = html! {
        div.sheet.error {
            span.mark { (icon.draw()) }
            h1 { (title) }
            p { (hint) }
            @if let Some(detail) = &error.detail { p.detail { bdi lang=[error.detail_lang(t)] { (detail) } } }
            @if let Some(seconds) = error.retry_after_s {
                p { (fill(t.error.retry_after, &seconds.to_string())) }
            }
            p.ways {
                @if error.status == 401 {
                    a.button.strong href=(links::SIGN_IN) { (t.sign_in.title) }
                } @else {
                    @if let Some(back) = &error.back { a.button href=(back) { (t.error.back) } }
                    a.button.strong href=(links::HOME) { (t.error.home) }
                }
            }
            @if let Some(reference) = &error.reference {
                p.hint.small { (t.error.reference) " " code { (reference) } }
            }
            p.hint.small { (error.status) }
        }
    };
    plain(t, error.theme, title, &content)
}

/// Title and hint for a status.
pub const fn words(t: &Texts, status: u16) -> (&'static str, &'static str) {
    match status {
        401 => (t.error.unauthorized, t.error.unauthorized_hint),
        403 => (t.error.forbidden, t.error.forbidden_hint),
        404 => (t.error.not_found, t.error.not_found_hint),
        405 => (t.error.wrong_method, t.error.wrong_method_hint),
        409 => (t.error.conflict, t.error.conflict_hint),
        413 => (t.error.too_large, t.error.too_large_hint),
        422 => (t.error.invalid, t.error.invalid_hint),
        429 => (t.error.too_many, t.error.too_many_hint),
        503 => (t.error.unavailable, t.error.unavailable_hint),
        500..=599 => (t.error.internal, t.error.internal_hint),
        _ => (t.error.bad, t.error.bad_hint),
    }
}

/// What the script shows where a form's answer is an error: a sentence, no page.
pub fn fragment(t: &Texts, error: &ErrorPage) -> Markup {
    let (title, hint) = words(t, error.status);
    let (said, lang) = match error.detail.as_deref() {
        Some(detail) => (detail, error.detail_lang(t)),
        None => (hint, None),
    };
    html! { p { b { (title) } " " span lang=[lang] { (said) } } }
}
