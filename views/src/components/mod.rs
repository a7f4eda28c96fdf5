//! Building blocks of pages: each a plain view-model and the function that draws it.
//!
//! Owner of what a card, a control and a form look like. A component must never
//! decide what is true: it shows what its view-model says.

pub mod canvas;
pub mod card;
pub mod chart;
pub mod command;
pub mod confirm;
pub mod control;
pub mod entity;
pub mod form;
pub mod gap;
pub mod order;
pub mod period;
pub mod picker;
pub mod place;
pub mod range;
mod reader;
pub mod rights;
pub mod schedule;
pub mod star;
pub mod timeline;
pub mod topic;

use crate::links::Back;
use crate::texts::Texts;

/// What a component needs besides its view-model.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The texts of the viewer's language.
    pub t: &'static Texts,
    /// The form token of the viewer's session.
    pub csrf: &'a str,
    /// The page the forms are on.
    pub back: &'a Back,
}

/// How something is to be taken: always said in words too, never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing is going on: off, closed, locked, a value.
    Calm,
    /// Something is on or open.
    Active,
    /// It went well.
    Good,
    /// Worth a look: unlocked, not announced, timed out.
    Notice,
    /// Something is wrong: jammed, quarantined, rejected.
    Bad,
    /// Away or not known.
    Dim,
}

impl Tone {
    /// The class of the stylesheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Active => "active",
            Self::Good => "good",
            Self::Notice => "notice",
            Self::Bad => "bad",
            Self::Dim => "dim",
        }
    }
}
