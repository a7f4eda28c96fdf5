//! Engine views to view-models: what is true, put into words.
//!
//! Owner of the choice of words, tones and controls for a state. Pure: the time,
//! the zone and the reader's rights are arguments. It must never show a wish as a fact.

mod card;
mod chart;
mod command;
mod control;
mod device;
mod entity;
mod latency;
mod timeline;

pub(crate) use card::{Dearness, card};
pub(crate) use chart::{Shape, chart, recorded};
pub(crate) use command::{action_words, command_latency, line, reason_words};
pub(crate) use device::{facts, panel, topics};
pub(crate) use latency::latency;
pub(crate) use timeline::{Changes, timeline};

use iothome_engine::policy::Rights;
use iothome_engine::time::Timestamp;
use iothome_views::texts::Texts;
use iothome_views::time::When;
use jiff::tz::TimeZone;

/// For whom and when a view is put into words.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The texts of the viewer's language.
    pub(crate) t: &'static Texts,
    /// The home's zone.
    pub(crate) zone: &'a TimeZone,
    /// Now.
    pub(crate) now: Timestamp,
    /// What the viewer may do with the device.
    pub(crate) rights: Rights,
}

impl Reading<'_> {
    /// The moment in the home's zone.
    pub(crate) fn when(&self, at: Timestamp) -> When {
        When::new(self.t, at, self.now, self.zone)
    }
}

#[cfg(test)]
mod tests;
