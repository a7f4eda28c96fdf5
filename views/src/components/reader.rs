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

/// Says of each gap what it is; where the next value comes later than the gap's end, what was
/// before is not known to last. Both lists are in order.
pub(super) fn with_gaps(t: &Texts, said: Vec<Said>, gaps: &[Gap]) -> Vec<Said> {
    let covered = |at_ms: i64| {
        // Gaps of two reasons may overlap, so the one that begins last tells too little.
        let begun = gaps.partition_point(|gap| gap.from_ms <= at_ms);
        gaps[..begun].iter().any(|gap| at_ms < gap.to_ms)
    };
    let gap_words = gaps.iter().flat_map(|gap| {
        let say = |at_ms, words: &str| Said {
            at_ms,
            words: words.to_owned(),
        };
        let after = (!covered(gap.to_ms)).then(|| say(gap.to_ms, "–"));
        [Some(say(gap.from_ms, gap.why.words(t))), after]
    });
    let mut all: Vec<Said> = gap_words.flatten().collect();
    // Stable: a value at a gap's very end comes after the dash and is the one that is said.
    all.extend(said.into_iter().filter(|s| !covered(s.at_ms)));
    all.sort_by_key(|s| s.at_ms);
    all
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
