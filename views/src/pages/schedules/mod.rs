//! The pages of schedules: list, form, one schedule, week ahead, simulation, files.
//!
//! Owner of what stands on them. They must never offer what the viewer may not do.

mod actions;
mod conditions;
mod files;
mod form;
mod limits;
mod list;
mod preview;
mod show;
mod simulate;
mod week;
mod when;

pub use actions::{ActionChoice, ActionRow};
pub use conditions::{ConditionRow, NewConditions};
pub use files::{Fault, FilesPage, files};
pub use form::{FormPage, Problems, Values, form};
pub use list::{Filter, ListPage, ScheduleCard, card, list};
pub use preview::{Preview, preview};
pub use show::{HistoryAction, HistoryLine, SchedulePage, delete, schedule};
pub use simulate::{SimulatePage, Simulated, SimulatedDay, SimulatedLine, simulate};
pub use week::{WeekDay, WeekItem, WeekPage, week};

use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::texts::Texts;
use maud::{Markup, html};

/// The frame of these pages.
fn shell(
    t: &'static Texts,
    viewer: &Viewer,
    title: &str,
    live: Option<&str>,
    content: &Markup,
) -> Markup {
    Shell {
        t,
        viewer,
        title,
        here: Here::Schedules,
        live,
    }
    .page(content)
}

/// The way back, above a page's heading.
fn back(address: &str, to: &str) -> Markup {
    html! {
        a.back href=(address) { (Icon::Back.draw()) span { bdi { (to) } } }
    }
}
