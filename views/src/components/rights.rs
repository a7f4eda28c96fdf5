//! Who may do what with a device: one row for each, one choice in each row.
//!
//! Owner of the five levels that people choose from. It must never take a mixture
//! of rights that fits no level for one that does.

use crate::texts::Texts;
use iothome_engine::policy::{Right, Rights};
use maud::{Markup, html};

/// The field that is about every row.
pub const ALL_FIELD: &str = "all";
/// What stands before the id in the name of a row's field.
pub const ROW_PREFIX: &str = "for.";
/// The choice that leaves a row as it is.
pub const KEEP: &str = "keep";

/// How much somebody may do with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not even see it.
    None,
    /// See it.
    Look,
    /// See and drive it.
    Use,
    /// And schedule it.
    Schedule,
    /// And change it.
    Manage,
}

impl Level {
    /// Every level, the least first.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Look,
        Self::Use,
        Self::Schedule,
        Self::Manage,
    ];

    /// The word in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Look => "look",
            Self::Use => "use",
            Self::Schedule => "schedule",
            Self::Manage => "manage",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// The rights it stands for.
    pub fn rights(self) -> Rights {
        match self {
            Self::None => Rights::NONE,
            Self::Look => Rights::of(&[Right::View]),
            Self::Use => Rights::of(&[Right::Control]),
            Self::Schedule => Rights::of(&[Right::Control, Right::Schedule]),
            Self::Manage => Rights::ALL,
        }
    }

    /// The level with exactly these rights, if there is one.
    pub fn of(rights: Rights) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.rights() == rights)
    }

    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::None => t.people.level_none,
            Self::Look => t.people.level_look,
            Self::Use => t.people.level_use,
            Self::Schedule => t.people.level_schedule,
            Self::Manage => t.people.level_manage,
        }
    }

    const fn hint(self, t: &Texts) -> &'static str {
        match self {
            Self::None => t.people.level_none_hint,
            Self::Look => t.people.level_look_hint,
            Self::Use => t.people.level_use_hint,
            Self::Schedule => t.people.level_schedule_hint,
            Self::Manage => t.people.level_manage_hint,
        }
    }
}

/// A row: a device, or a person.
#[derive(Clone, Debug)]
pub struct RightsRow {
    /// The id in the row's field.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its room, or something else to tell it by.
    pub about: Option<String>,
    /// Where its own page is.
    pub to: String,
    /// The level; `None` for a mixture that fits none.
    pub level: Option<Level>,
}

/// What the levels mean.
pub fn legend(t: &Texts, with_other: bool) -> Markup {
    html! {
        dl.levels {
            @for level in Level::ALL {
                div { dt { (level.words(t)) } dd { (level.hint(t)) } }
            }
            @if with_other { div { dt { (t.people.level_other) } dd { (t.people.level_other_hint) } } }
        }
    }
}

/// The rows, with one above for all of them.
pub fn rows(t: &Texts, all: &str, rows: &[RightsRow]) -> Markup {
    html! {
        div.rights {
            @if rows.len() > 1 {
                div.rights-row.all role="radiogroup" aria-labelledby="rights-all" {
                    b.rights-name #rights-all { (all) }
                    div.choices {
                        (choice(ALL_FIELD, KEEP, t.people.as_below, true))
                        @for level in Level::ALL { (choice(ALL_FIELD, level.as_str(), level.words(t), false)) }
                    }
                }
            }
            @for (n, row) in rows.iter().enumerate() { (self::row(t, n, row)) }
        }
    }
}

fn row(t: &Texts, n: usize, row: &RightsRow) -> Markup {
    let (field, id) = (format!("{ROW_PREFIX}{}", row.id), format!("rights-{n}"));
    html! {
        div.rights-row role="radiogroup" aria-labelledby=(id) {
            div.rights-name {
                a id=(id) href=(row.to) { bdi { (row.name) } }
                @if let Some(about) = &row.about { span.hint { bdi { (about) } } }
            }
            div.choices {
                @if row.level.is_none() { (choice(&field, KEEP, t.people.level_other, true)) }
                @for level in Level::ALL {
                    (choice(&field, level.as_str(), level.words(t), row.level == Some(level)))
                }
            }
        }
    }
}

fn choice(field: &str, value: &str, words: &str, checked: bool) -> Markup {
    // The first level stands in the same column of every row, with or without a choice before it.
    let first = value == Level::None.as_str();
    html! {
        label.choice.first[first] {
            input type="radio" name=(field) value=(value) checked[checked];
            span { (words) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_exactly_its_rights_and_a_mixture_is_none() {
        for level in Level::ALL {
            assert_eq!(Level::of(level.rights()), Some(level));
            assert_eq!(Level::from_word(level.as_str()), Some(level));
        }
        let mixture = Rights::of(&[Right::View, Right::Schedule]);
        assert_eq!(Level::of(mixture), None);
        assert_eq!(Level::from_word("keep"), None);
    }
}
