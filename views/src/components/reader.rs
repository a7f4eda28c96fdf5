//! The value under the pointer, and by arrow keys: what the script says of a picture.
//!
//! Owner of the words that travel for it. Without script there is nothing of it: the table
//! behind the picture tells the same.

use super::gap::Gap;
use super::period::Period;
use crate::texts::{Texts, fill};
use maud::{Markup, html};
use std::fmt::Write as _;

/// From when on something is said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) at_ms: i64,
    pub(super) words: String,
}

/// Says of each gap what it is, and nothing of what was before.
pub(super) fn with_gaps(t: &Texts, mut said: Vec<Said>, gaps: &[Gap]) -> Vec<Said> {
    said.retain(|s| {
        !gaps
            .iter()
            .any(|g| g.from_ms <= s.at_ms && s.at_ms < g.to_ms)
    });
    for gap in gaps {
        let after = said.iter().rposition(|s| s.at_ms < gap.from_ms);
        let before = after.and_then(|index| said.get(index)).cloned();
        said.push(Said {
            at_ms: gap.from_ms,
            words: gap.why.words(t).to_owned(),
        });
        // Where the next value comes later than the gap's end, what was before is not known to last.
        let next = said.iter().any(|s| s.at_ms == gap.to_ms);
        if before.is_some() && !next {
            said.push(Said {
                at_ms: gap.to_ms,
                words: "–".to_owned(),
            });
        }
        said.sort_by_key(|s| s.at_ms);
    }
    said
}

/// The picture with its reader over it.
pub(super) fn frame(
    t: &Texts,
    name: &str,
    period: &Period,
    said: &[Said],
    picture: &Markup,
) -> Markup {
    html! {
        div.chart {
            (picture)
            input.reader.script-only type="range" min="0" max="288" value="288"
                aria-label=(fill(t.chart.read, name)) data-from=(period.from_ms)
                data-for=(period.length_ms()) data-zone=(period.zone) data-read=(packed(period, said));
            p.reading aria-hidden="true" {}
        }
    }
}

/// "0 4.7 °C|300 4.9 °C": seconds since the beginning, and what is said from then on.
fn packed(period: &Period, said: &[Said]) -> String {
    let mut packed = String::new();
    let mut before = "";
    for Said { at_ms, words } in said {
        if words == before {
            continue;
        }
        before = words;
        if !packed.is_empty() {
            packed.push('|');
        }
        let seconds = (at_ms - period.from_ms).max(0) / 1_000;
        // Writing to a String cannot fail.
        let _ = write!(packed, "{seconds} {}", words.replace('|', "/"));
    }
    packed
}
