//! The preview beside the form: what would be done, and when.
//!
//! Owner of that part, which the script has drawn anew while somebody types. It must
//! never show times of anything but what is typed.

use crate::components::schedule::{self, DueLine, StepLine};
use crate::icons::Icon;
use crate::texts::Texts;
use maud::{Markup, html};

/// What the form would do.
#[derive(Clone, Debug, Default)]
pub enum Preview {
    /// Nothing that can be told yet.
    #[default]
    Wait,
    /// What is still wrong, in words.
    Faults(Vec<String>),
    /// In words and times.
    Known {
        /// When, in words.
        words: String,
        /// What.
        steps: Vec<StepLine>,
        /// What must hold.
        conditions: Option<String>,
        /// The next times.
        due: Vec<DueLine>,
        /// Marks what was seen, for saving.
        seen: String,
        /// Whether somebody wanted to save what they had not seen.
        first: bool,
    },
}

/// The part of the page.
pub fn preview(t: &Texts, model: &Preview) -> Markup {
    let f = &t.schedule_form;
    html! {
        section.card.preview #preview aria-labelledby="preview-name" {
            h2 #preview-name { (f.preview) }
            @match model {
                Preview::Wait => p.hint { (f.preview_wait) },
                Preview::Faults(faults) => {
                    ul.faults { @for fault in faults { li { (fault) } } }
                }
                Preview::Known { words, steps, conditions, due, seen, first } => {
                    input type="hidden" name="seen" value=(seen);
                    @if *first { p.banner.calm role="status" { (Icon::Eye.draw()) span { (f.preview_first) } } }
                    p.when-words { (words) }
                    (schedule::steps(t, steps))
                    @if let Some(conditions) = conditions {
                        p.hint { (t.schedules.if_so) " " bdi { (conditions) } }
                    }
                    h3 { (f.preview_next) }
                    @if due.is_empty() { p.empty-line { (f.preview_none) } }
                    @else { (schedule::due_list(t, due)) }
                }
            }
        }
    }
}
