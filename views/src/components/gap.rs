//! Stretches of which nothing is known, and why.
//!
//! Owner of how a gap is named in charts, legends and tables.

use super::canvas::Ink;
use super::period::Period;
use crate::texts::Texts;
use crate::time::duration;
use maud::{Markup, html};

/// Pixels of a phone's chart.
const PIXELS: i64 = 288;

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The hub did not run.
    Hub,
    /// The device was away.
    Device,
    /// It was not recorded, or is no longer kept.
    NoRecord,
}

impl Why {
    const ALL: [Self; 3] = [Self::Hub, Self::Device, Self::NoRecord];

    /// How it is drawn.
    pub const fn ink(self) -> Ink {
        match self {
            Self::Hub => Ink::HubGap,
            Self::Device => Ink::DeviceGap,
            Self::NoRecord => Ink::NoRecord,
        }
    }

    /// In words.
    pub const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Hub => t.chart.gap_hub,
            Self::Device => t.chart.gap_device,
            Self::NoRecord => t.chart.gap_none,
        }
    }
}

/// A stretch of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its first instant, in Unix milliseconds.
    pub from_ms: i64,
    /// The instant after its last.
    pub to_ms: i64,
    /// Why.
    pub why: Why,
}

/// Whether a gap lies between two instants.
pub(super) fn between(gaps: &[Gap], from_ms: i64, to_ms: i64) -> bool {
    gaps.iter()
        .any(|gap| gap.from_ms < to_ms && gap.to_ms > from_ms)
}

/// The gaps as they are drawn: those of one reason that a pixel would hold become one.
pub(super) fn drawn(period: &Period, gaps: &[Gap]) -> Vec<Gap> {
    let pixel = period.length_ms() / PIXELS;
    let mut drawn: Vec<Gap> = Vec::new();
    for why in Why::ALL {
        let first = drawn.len();
        for gap in gaps.iter().filter(|gap| gap.why == why) {
            match drawn.get_mut(first..).and_then(<[Gap]>::last_mut) {
                Some(last) if gap.from_ms - last.to_ms < pixel => {
                    last.to_ms = last.to_ms.max(gap.to_ms);
                }
                _ => drawn.push(*gap),
            }
        }
    }
    drawn.sort_by_key(|gap| (gap.from_ms, gap.to_ms));
    drawn
}

/// How long each reason lasted, for those there are.
fn totals(gaps: &[Gap]) -> impl Iterator<Item = (Why, i64)> {
    Why::ALL.into_iter().filter_map(|why| {
        let of_it = gaps.iter().filter(|gap| gap.why == why);
        let total: i64 = of_it.map(|gap| gap.to_ms - gap.from_ms).sum();
        (total > 0).then_some((why, total))
    })
}

/// "the hub was not running 2 h 5 min, the device was away 12 min"; nothing if there is no gap.
pub(super) fn summary(t: &Texts, gaps: &[Gap]) -> String {
    let parts = totals(gaps).map(|(why, total)| format!("{} {}", why.words(t), duration(t, total)));
    parts.collect::<Vec<_>>().join(", ")
}

/// What the stretches without a line are.
pub(super) fn legend(t: &Texts, gaps: &[Gap]) -> Markup {
    html! {
        @if !gaps.is_empty() {
            ul.legend { (entries(t, gaps)) }
        }
    }
}

/// The entries of a legend, for one that has others too.
pub(super) fn entries(t: &Texts, gaps: &[Gap]) -> Markup {
    html! {
        @for (why, total) in totals(gaps) {
            li { i.swatch.(why.ink().class()) {} (why.words(t)) " " span.soft { (duration(t, total)) } }
        }
    }
}
