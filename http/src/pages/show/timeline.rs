//! Recorded states made fit for a timeline.
//!
//! Owner of what a state is called and how it is drawn there. It must never let a state
//! last through a time of which nothing is known.

use super::{Reading, chart, entity};
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_engine::view::EntityView;
use iothome_views::components::canvas::Ink;
use iothome_views::components::gap::{Gap, Why};
use iothome_views::components::period::Period;
use iothome_views::components::timeline::{Row, State, Stretch, Timeline};

/// Rows of the table.
const ROWS: usize = 40;
/// States told apart: a sensor with more words than this tells no states but sentences.
const STATES_MAX: usize = 12;
/// Stretches shorter than this share of the period are no wider than a pixel of a phone.
const SLOTS: i64 = 288;
/// Longest word of a state.
const WORD_MAX: usize = 60;

/// A state from one instant to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    from: i64,
    to: i64,
    state: usize,
}

/// What is known of an entity's states.
pub(crate) struct Changes<'a> {
    /// The state at each change, and the one in force at the beginning.
    pub(crate) points: &'a [(i64, Value)],
    /// Until when they are all there.
    pub(crate) until: i64,
    /// When nothing could be known.
    pub(crate) gaps: &'a [iothome_store::Gap],
}

/// The timeline of an entity.
pub(crate) fn timeline(
    reading: Reading<'_>,
    entity: &EntityView,
    period: Period,
    changes: &Changes<'_>,
) -> Timeline {
    let mut gaps = chart::gaps(changes.gaps, &period);
    let (mut states, pieces) = pieces(reading, entity, changes, &period);
    let first = pieces.first().map_or(period.to_ms, |piece| piece.from);
    unknown(&mut gaps, period.from_ms, first);
    unknown(&mut gaps, changes.until.min(period.to_ms), period.to_ms);
    let rows = pieces.iter().rev().take(ROWS).map(|piece| Row {
        when: reading.when(Timestamp::from_millis(piece.from)),
        words: states[piece.state].words.clone(),
        lasted_ms: piece.to - piece.from,
    });
    let rows: Vec<Row> = rows.collect();
    let known = without(&pieces, &gaps);
    for piece in &known {
        states[piece.state].total_ms += piece.to - piece.from;
    }
    let stretches = merged(reading, &known, &period, &mut states);
    Timeline {
        id: entity.id.to_string(),
        name: entity.name.clone(),
        more: pieces.len() - rows.len(),
        period,
        states,
        stretches,
        gaps,
        rows,
    }
}

fn pieces(
    reading: Reading<'_>,
    entity: &EntityView,
    changes: &Changes<'_>,
    period: &Period,
) -> (Vec<State>, Vec<Piece>) {
    let mut words: Vec<&Value> = Vec::new();
    for (_, value) in changes.points {
        if !words.contains(&value) && words.len() < STATES_MAX {
            words.push(value);
        }
    }
    let options = |value: &Value| {
        let word = value.as_word().unwrap_or_default();
        let place = entity.options.iter().position(|option| option == word);
        place.unwrap_or(usize::MAX)
    };
    words.sort_by_key(|value| options(value));
    let mut states: Vec<State> = Vec::new();
    for (place, value) in words.iter().enumerate() {
        states.push(state(reading, entity, value, (place, words.len())));
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, (at, value)) in changes.points.iter().enumerate() {
        let next = changes
            .points
            .get(index + 1)
            .map_or(changes.until, |(at, _)| *at);
        let (from, to) = ((*at).max(period.from_ms), next.min(period.to_ms));
        let state = words.iter().position(|word| *word == value);
        let state = state.unwrap_or_else(|| other(reading, &mut states, words.len()));
        match pieces.last_mut() {
            Some(last) if last.state == state && last.to == from => last.to = to,
            _ if from < to => pieces.push(Piece { from, to, state }),
            _ => {}
        }
    }
    (states, pieces)
}

/// The state of all words that have none of their own.
fn other(reading: Reading<'_>, states: &mut Vec<State>, place: usize) -> usize {
    if states.len() == place {
        states.push(State {
            words: reading.t.chart.other_states.to_owned(),
            ink: Ink::Busy,
            level: 0.6,
            total_ms: 0,
        });
    }
    place
}

fn state(
    reading: Reading<'_>,
    entity: &EntityView,
    value: &Value,
    (place, of): (usize, usize),
) -> State {
    let (ink, level) = look(entity, value, place, of);
    let words = entity::words_of(reading, entity, value);
    State {
        words: words.chars().take(WORD_MAX).collect(),
        ink,
        level,
        total_ms: 0,
    }
}

/// How a state is drawn: what is going on is taller than what rests.
fn look(entity: &EntityView, value: &Value, place: usize, of: usize) -> (Ink, f64) {
    const TALL: f64 = 1.0;
    const MIDDLE: f64 = 0.75;
    const LOW: f64 = 0.45;
    match (entity.kind, value.as_word()) {
        (Kind::Switch | Kind::Light | Kind::BinarySensor, Some("off"))
        | (Kind::Cover, Some("closed"))
        | (Kind::Lock, Some("locked")) => (Ink::Calm, LOW),
        (Kind::Switch | Kind::Light, Some("on")) | (Kind::Cover, Some("open")) => {
            (Ink::Active, TALL)
        }
        (Kind::BinarySensor, Some("on")) => {
            (entity::alarm_ink(entity.device_class.as_deref()), TALL)
        }
        (Kind::Cover, Some("opening" | "closing" | "stopped")) => (Ink::Active, MIDDLE),
        (Kind::Lock, Some("unlocked")) => (Ink::Notice, TALL),
        (Kind::Lock, Some("locking" | "unlocking")) => (Ink::Notice, MIDDLE),
        (Kind::Lock, Some("jammed")) => (Ink::Bad, TALL),
        _ => {
            #[expect(clippy::cast_precision_loss, reason = "a handful of states")]
            let share = place as f64 / (of.max(2) - 1) as f64;
            let hue = u8::try_from(place).unwrap_or_default();
            (Ink::Hue(hue), TALL - (TALL - LOW) * share)
        }
    }
}

/// Marks what is covered by no gap between two instants as not recorded.
fn unknown(gaps: &mut Vec<Gap>, from: i64, to: i64) {
    let mut at = from;
    let mut found = Vec::new();
    let mut sorted = gaps.clone();
    sorted.sort_by_key(|gap| gap.from_ms);
    let end = Gap {
        from_ms: to,
        to_ms: to,
        why: Why::NoRecord,
    };
    for gap in sorted.into_iter().chain([end]) {
        let until = gap.from_ms.min(to);
        if at < until {
            found.push(Gap {
                from_ms: at,
                to_ms: until,
                why: Why::NoRecord,
            });
        }
        at = at.max(gap.to_ms);
    }
    gaps.extend(found);
    gaps.sort_by_key(|gap| (gap.from_ms, gap.to_ms));
}

/// The pieces without the times of which nothing is known. Both lists are in order.
fn without(pieces: &[Piece], gaps: &[Gap]) -> Vec<Piece> {
    let mut known = Vec::with_capacity(pieces.len());
    let mut dark = dark(gaps).into_iter().peekable();
    for piece in pieces {
        let mut at = piece.from;
        while dark.next_if(|(_, to)| *to <= piece.from).is_some() {}
        // The last one may reach into the next piece: it stays.
        while let Some((from, to)) = dark.peek().copied().filter(|(from, _)| *from < piece.to) {
            if from > at {
                known.push(Piece {
                    from: at,
                    to: from,
                    ..*piece
                });
            }
            at = at.max(to);
            if to >= piece.to {
                break;
            }
            dark.next();
        }
        if at < piece.to {
            known.push(Piece { from: at, ..*piece });
        }
    }
    known
}

/// The times that any gap covers, apart from each other.
fn dark(gaps: &[Gap]) -> Vec<(i64, i64)> {
    let mut dark: Vec<(i64, i64)> = Vec::new();
    for gap in gaps {
        match dark.last_mut() {
            Some((_, to)) if gap.from_ms <= *to => *to = gap.to_ms.max(*to),
            _ => dark.push((gap.from_ms, gap.to_ms)),
        }
    }
    dark
}

/// The stretches to draw: changes within a pixel become one stretch of changing often.
fn merged(
    reading: Reading<'_>,
    pieces: &[Piece],
    period: &Period,
    states: &mut Vec<State>,
) -> Vec<Stretch> {
    let slot = period.length_ms() / SLOTS;
    let busy = states.len();
    let short = |piece: &Piece| piece.to - piece.from < slot;
    let mut drawn: Vec<Stretch> = Vec::new();
    for run in pieces.chunk_by(|a, b| short(a) && short(b) && a.to == b.from) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        drawn.push(Stretch {
            from_ms: first.from,
            to_ms: last.to,
            state: if run.len() > 1 { busy } else { first.state },
        });
    }
    if drawn.iter().any(|stretch| stretch.state == busy) {
        states.push(State {
            words: reading.t.chart.busy.to_owned(),
            ink: Ink::Busy,
            level: 0.6,
            // It is how the others are drawn, not a state beside them: its time is theirs.
            total_ms: 0,
        });
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from: i64, to: i64, state: usize) -> Piece {
        Piece { from, to, state }
    }

    fn away(from_ms: i64, to_ms: i64) -> Gap {
        Gap {
            from_ms,
            to_ms,
            why: Why::Device,
        }
    }

    #[test]
    fn no_state_lasts_through_a_time_of_which_nothing_is_known() {
        let pieces = [piece(0, 10, 0), piece(10, 20, 1), piece(20, 30, 0)];
        assert_eq!(without(&pieces, &[]), pieces);
        assert_eq!(
            without(&pieces, &[away(2, 4), away(3, 6), away(8, 25)]),
            [piece(0, 2, 0), piece(6, 8, 0), piece(25, 30, 0)]
        );
        assert_eq!(without(&pieces, &[away(-5, 50)]), []);
        assert_eq!(
            without(&pieces, &[away(10, 20)]),
            [piece(0, 10, 0), piece(20, 30, 0)]
        );
    }

    #[test]
    fn what_no_gap_explains_is_not_recorded() {
        let mut gaps = vec![away(3, 5)];
        unknown(&mut gaps, 0, 8);
        let told: Vec<_> = gaps.iter().map(|g| (g.from_ms, g.to_ms, g.why)).collect();
        assert_eq!(
            told,
            [
                (0, 3, Why::NoRecord),
                (3, 5, Why::Device),
                (5, 8, Why::NoRecord)
            ]
        );
        let mut covered = vec![away(0, 10)];
        unknown(&mut covered, 2, 8);
        assert_eq!(covered.len(), 1);
    }
}
