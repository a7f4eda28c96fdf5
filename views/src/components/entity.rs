//! One entity: its state in words, how fresh it is, what is under way, how to drive it.
//!
//! Owner of the line that must not lie: while a command is pending it shows the
//! last reported state and, apart from it, the wish.

use super::command::{self, OutcomeLine, PendingLine};
use super::control::{Control, Target};
use super::{Look, Tone};
use crate::icons::Icon;
use crate::links;
use crate::time::{self, When};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::view::Freshness;
use maud::{Markup, html};

/// An entity, ready to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityPanel {
    /// Its device.
    pub device: DeviceId,
    /// Its id.
    pub entity: EntityId,
    /// Its name.
    pub name: String,
    /// The device's name, for labels that stand alone.
    pub device_name: String,
    /// Its picture.
    pub icon: Icon,
    /// How its state is to be taken.
    pub tone: Tone,
    /// Its last known state in words: "On · 62 %", "21.5".
    pub state: String,
    /// The exact value, where `state` is rounded.
    pub exact: Option<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// Where the state comes from.
    pub freshness: Freshness,
    /// When it was reported.
    pub reported: Option<When>,
    /// What keeps it from being reached, in words.
    pub trouble: Option<Trouble>,
    /// How it can be driven.
    pub control: Control,
    /// The command under way.
    pub pending: Option<PendingLine>,
    /// The end of the last command.
    pub outcome: Option<OutcomeLine>,
}

/// Something to know before believing a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How bad.
    pub tone: Tone,
    /// Its picture.
    pub icon: Icon,
    /// What it is.
    pub words: String,
}

impl Trouble {
    /// The mark with its words.
    pub fn draw(&self) -> Markup {
        html! {
            p.trouble.(self.tone.class()) { (self.icon.draw()) span { bdi { (self.words) } } }
        }
    }
}

impl EntityPanel {
    fn label(&self) -> String {
        if self.name == self.device_name {
            self.name.clone()
        } else {
            format!("{}, {}", self.device_name, self.name)
        }
    }

    /// Whether anybody may ask something of it here.
    const fn driven(&self) -> bool {
        !matches!(self.control, Control::None | Control::ViewOnly)
    }

    /// The entity as a row of a card or of the device page.
    pub fn draw(&self, look: Look<'_>) -> Markup {
        let label = self.label();
        let target = Target {
            device: &self.device,
            entity: &self.entity,
            label: &label,
        };
        let own_name = self.name != self.device_name;
        html! {
            div.entity role="group" aria-label=(label) id=(links::entity_anchor(&self.device, &self.entity))
                data-name=(label) data-pending[self.pending.is_some()] {
                span.badge.(self.tone.class()) { (self.icon.draw()) }
                div.facts {
                    @if own_name { p.name { bdi { (self.name) } } }
                    (self.state_line(look))
                    (self.fresh_line(look))
                }
                @if let Some(control) = self.control.beside(look, &target) {
                    div.beside { (control) }
                }
                @if let Some(control) = self.control.below(look, &target) {
                    div.below { (control) }
                }
                @if let Some(trouble) = &self.trouble { (trouble.draw()) }
                @if self.driven() || self.outcome.is_some() || self.pending.is_some() {
                    div.result { (self.result_line(look)) }
                }
            }
        }
    }

    fn state_line(&self, look: Look<'_>) -> Markup {
        html! {
            p.state.(self.tone.class()) title=[self.exact.as_deref()] {
                @if matches!(self.freshness, Freshness::Assumed) {
                    span.guess aria-hidden="true" { "≈ " }
                }
                bdi { (self.state) }
                @if let Some(unit) = &self.unit { " " span.unit { (unit) } }
                @if matches!(self.control, Control::ViewOnly) {
                    span.visually-hidden { " – " (look.t.entity.view_only) }
                }
            }
        }
    }

    fn fresh_line(&self, look: Look<'_>) -> Markup {
        let t = look.t;
        let words = match (self.freshness, &self.reported) {
            (Freshness::Live, _) => t.entity.fresh_live,
            (Freshness::Retained, _) => t.entity.fresh_retained,
            (Freshness::Restored, Some(_)) => t.entity.fresh_restored_from,
            (Freshness::Restored, None) => t.entity.fresh_restored,
            (Freshness::Assumed, _) => t.entity.fresh_assumed,
            (Freshness::Never, _) if matches!(self.control, Control::Button) => {
                t.entity.fresh_button
            }
            (Freshness::Never, _) => t.entity.never_reported,
        };
        let dated = matches!(self.freshness, Freshness::Live | Freshness::Restored);
        html! {
            p.fresh.stale[self.freshness != Freshness::Live] {
                (words)
                @if let (true, Some(when)) = (dated, &self.reported) { " " (time::ago(when)) }
            }
        }
    }

    fn result_line(&self, look: Look<'_>) -> Markup {
        match (&self.pending, &self.outcome) {
            (Some(line), _) => command::pending(look, line),
            (None, Some(line)) => command::outcome(look, line),
            // An empty line keeps the place, so that the first outcome moves nothing.
            (None, None) => html! { p.outcome {} },
        }
    }
}
