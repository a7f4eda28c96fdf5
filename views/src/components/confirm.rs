//! The question before something goes for good.
//!
//! Owner of how such a page looks: the way back, what is lost, and a button that cannot be
//! mistaken for the one that saves.

use super::form;
use crate::icons::Icon;
use maud::{Markup, html};

/// A question with two answers.
#[derive(Clone, Copy, Debug)]
pub struct Confirm<'a> {
    /// Where "no" leads, and the way back.
    pub back: &'a str,
    /// What is there.
    pub back_name: &'a str,
    /// The question.
    pub title: &'a str,
    /// What is lost and what stays.
    pub says: &'a [&'a str],
    /// Why it was refused, if it was.
    pub problem: Option<&'a str>,
    /// Where the form goes.
    pub action: &'a str,
    /// The word that does it.
    pub yes: &'a str,
    /// The word that does not.
    pub no: &'a str,
}

impl Confirm<'_> {
    /// The page's content.
    pub fn draw(&self, csrf: &str) -> Markup {
        html! {
            header.page-head {
                a.back href=(self.back) { (Icon::Back.draw()) span { bdi.clamp { (self.back_name) } } }
                h1 { bdi { (self.title) } }
            }
            @if let Some(problem) = self.problem { (form::alert(problem)) }
            form.card.stack.editor method="post" action=(self.action) {
                (form::csrf(csrf))
                @for sentence in self.says { p { (sentence) } }
                div.ways {
                    button.button.danger { (self.yes) }
                    a.button.quiet href=(self.back) { (self.no) }
                }
            }
        }
    }
}
