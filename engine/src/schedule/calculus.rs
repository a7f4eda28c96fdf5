//! The calculus: when a trigger is due next.
//!
//! Owner of what gaps, overlaps, windows and limits mean. Each question is
//! answered from the trigger and one instant alone, so the answer is the same
//! whenever and wherever it is asked. Every loop is bounded; nothing panics.

use super::place::Home;
use super::trigger::{Gap, Overlap, Trigger, When, Window};
use super::wall::{
    self, DAY, HORIZON, Shown, date_of, next_change, offset_at, shown, time_of, wall_at, wall_of,
};
use super::{CronLine, sun};
use crate::time::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Serialize;

/// Most steps of one search. A search leaps over days without an occurrence, so this many steps
/// reach the horizon from anywhere, for every trigger that has another occurrence soon.
const STEPS_MAX: usize = 5_000;

/// An occurrence to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The instant, on a whole second.
    pub at: Timestamp,
    /// What the wall shows then.
    pub local: DateTime,
    /// The offset from UTC then, in seconds.
    pub offset_seconds: i32,
    /// Whether a clock change touches it.
    pub note: Option<Note>,
}

/// How a clock change touches an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Its local time does not exist; this is the first instant after the gap.
    Gap,
    /// Its local time exists twice.
    Overlap,
}

impl Due {
    /// The local time with its offset: `2027-03-28T03:00:00+02:00`.
    pub fn local_text(&self) -> String {
        let minutes = self.offset_seconds / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        format!("{}{sign}{hours:02}:{rest:02}", self.local)
    }
}

/// A trigger with all that decides when it is due.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The trigger.
    pub trigger: &'a Trigger,
    /// What to do in a gap.
    pub gap: Gap,
    /// What to do in an overlap.
    pub overlap: Overlap,
    /// The home.
    pub home: &'a Home,
}

impl<'a> Plan<'a> {
    /// The plan of a definition.
    pub fn of(definition: &'a super::Definition, home: &'a Home) -> Self {
        Self {
            trigger: &definition.trigger,
            gap: definition.gap,
            overlap: definition.overlap,
            home,
        }
    }

    /// The zone of its local times.
    pub fn zone(&self) -> &'a TimeZone {
        let own = self.trigger.zone.as_ref();
        own.map_or(&self.home.zone, super::Zone::time_zone)
    }

    /// The first occurrence strictly after an instant.
    pub fn next_after(&self, after: Timestamp) -> Option<Due> {
        let found = self.search(after.as_micros().div_euclid(1_000_000).max(0))?;
        Some(self.due(found))
    }

    /// The occurrences after an instant, in order.
    pub fn after(self, after: Timestamp) -> impl Iterator<Item = Due> + 'a {
        let first = self.next_after(after);
        std::iter::successors(first, move |due| self.next_after(due.at))
    }

    /// What the wall shows at an instant that is one of its occurrences already, or was run by hand.
    pub fn shown_at(&self, instant: Timestamp) -> Due {
        let found = Found {
            at: instant.as_micros().div_euclid(1_000_000),
            moved: false,
        };
        Due {
            at: instant,
            ..self.due(found)
        }
    }

    fn due(&self, found: Found) -> Due {
        let zone = self.zone();
        let offset = offset_at(zone, found.at);
        let wall = found.at + offset;
        let note = if found.moved {
            Some(Note::Gap)
        } else if matches!(shown(zone, wall), Shown::Twice { .. }) {
            Some(Note::Overlap)
        } else {
            None
        };
        Due {
            at: Timestamp::from_millis(found.at * 1000),
            local: wall::civil(wall),
            offset_seconds: i32::try_from(offset).unwrap_or(0),
            note,
        }
    }

    fn search(&self, after: i64) -> Option<Found> {
        if after >= HORIZON {
            return None;
        }
        let found = match &self.trigger.when {
            When::At { at } => self.at(wall_at(*at), after),
            When::Every {
                seconds,
                anchor,
                window,
            } => self.every(
                (
                    i64::from((*seconds).max(1)),
                    anchor.as_millis().div_euclid(1000),
                ),
                window.as_ref(),
                after,
            ),
            When::Cron { expression } if expression.is_periodic() => {
                self.periodic(expression, after)
            }
            When::Cron { expression } => self.fixed(expression, after),
            When::Sun {
                event,
                offset_minutes,
            } => {
                let place = self.home.place?;
                let offset = i64::from(*offset_minutes) * 60;
                sun::next_after(place, *event, offset, after, |at| self.leap(at))
            }
        };
        found.filter(|found| found.at < HORIZON)
    }
}

/// An occurrence that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The instant.
    pub(super) at: i64,
    /// Whether it was moved out of a gap.
    pub(super) moved: bool,
}

impl Found {
    pub(super) const fn at(at: i64) -> Self {
        Self { at, moved: false }
    }
}

/// What fixed local times do.
impl Plan<'_> {
    fn at(&self, wall: i64, after: i64) -> Option<Found> {
        if !self.trigger.allows(date_of(wall)) {
            return None;
        }
        let second = self.resolve(wall, true).filter(|found| found.at > after);
        match self.overlap {
            Overlap::Second => second,
            Overlap::First => self.resolve(wall, false).filter(|found| found.at > after),
            Overlap::Both => self
                .resolve(wall, false)
                .filter(|found| found.at > after)
                .or(second),
        }
    }

    /// The instant of a fixed local time.
    fn resolve(&self, wall: i64, second: bool) -> Option<Found> {
        match shown(self.zone(), wall) {
            Shown::Once(at) => Some(Found::at(at)),
            Shown::Twice { first, .. } if !second => Some(Found::at(first)),
            Shown::Twice { second, .. } => Some(Found::at(second)),
            Shown::Never { .. } if self.gap == Gap::Skip => None,
            Shown::Never { gap_end } => Some(Found {
                at: gap_end,
                moved: true,
            }),
        }
    }

    fn fixed(&self, line: &CronLine, after: i64) -> Option<Found> {
        let first = || self.fixed_pass(line, after, false);
        let second = || self.fixed_pass(line, after, true);
        match self.overlap {
            Overlap::First => first(),
            Overlap::Second => second(),
            Overlap::Both => match (first(), second()) {
                (Some(a), Some(b)) => Some(if a.at <= b.at { a } else { b }),
                (a, b) => a.or(b),
            },
        }
    }

    /// The line's wall times in order, each meaning the first or the second time it is shown:
    /// taken so, their instants are in order too.
    fn fixed_pass(&self, line: &CronLine, after: i64, second: bool) -> Option<Found> {
        let zone = self.zone();
        let mut wall = wall_of(zone, after);
        if second && let Shown::Twice { first, second } = shown(zone, wall) {
            // In the first pass of an overlap the times that were shown are still to come.
            if after == first {
                wall -= second - first;
            }
        }
        for _ in 0..STEPS_MAX {
            wall = line.next_after(wall).filter(|wall| *wall < HORIZON)?;
            let date = date_of(wall);
            if !self.trigger.allows(date) {
                wall = wall_at(next_allowed(self.trigger, date)?.into()) - 60;
                continue;
            }
            match self.resolve(wall, second) {
                Some(found) if found.at > after => return Some(found),
                _ => {}
            }
        }
        None
    }
}

/// What follows elapsed time.
impl Plan<'_> {
    /// Every instant whose wall time matches, as often as it is shown.
    fn periodic(&self, line: &CronLine, after: i64) -> Option<Found> {
        let zone = self.zone();
        let mut from = after + 1;
        for _ in 0..STEPS_MAX {
            let offset = offset_at(zone, from);
            // The first matching minute that does not lie before `from`.
            let start = (from + offset + 59).div_euclid(60) * 60 - 60;
            let at = line.next_after(start)? - offset;
            if at >= HORIZON {
                return None;
            }
            match self.change_in(from, at) {
                Some(change) => from = change,
                None => match self.leap(at) {
                    None => return Some(Found::at(at)),
                    Some(next) => from = next?,
                },
            }
        }
        None
    }

    /// The clock change after `from` and not after `to`, if there is one.
    fn change_in(&self, from: i64, to: i64) -> Option<i64> {
        let zone = self.zone();
        // No zone changes twice within hours and back to the same offset.
        if to - from < DAY / 4 && offset_at(zone, from) == offset_at(zone, to) {
            return None;
        }
        next_change(zone, from).filter(|change| *change <= to)
    }

    fn every(
        &self,
        (seconds, anchor): (i64, i64),
        window: Option<&Window>,
        after: i64,
    ) -> Option<Found> {
        let zone = self.zone();
        let mut from = (after + 1).max(anchor);
        for _ in 0..STEPS_MAX {
            let passed = from - anchor;
            let at = anchor + (passed + seconds - 1).div_euclid(seconds) * seconds;
            if at >= HORIZON {
                return None;
            }
            if let Some(next) = self.leap(at) {
                from = next?;
                continue;
            }
            match window {
                Some(window) if !window.has(time_of(wall_of(zone, at))) => {
                    from = self.opening(window, at);
                }
                _ => return Some(Found::at(at)),
            }
        }
        None
    }

    /// `None` if the date of an instant may have an occurrence, else the first instant after it
    /// that another date may be reached at (`Some(None)` if there is none).
    #[expect(
        clippy::option_option,
        reason = "whether to leap, and whether there is anywhere to leap to"
    )]
    fn leap(&self, at: i64) -> Option<Option<i64>> {
        let zone = self.zone();
        let date = date_of(wall_of(zone, at));
        if self.trigger.allows(date) {
            return None;
        }
        let next = next_allowed(self.trigger, date)
            .map(|date| first_shown(zone, wall_at(date.into())))
            .filter(|next| *next > at);
        Some(self.or_change(at, next))
    }

    /// The first instant after `at` at which the window may open.
    fn opening(&self, window: &Window, at: i64) -> i64 {
        let zone = self.zone();
        let wall = wall_of(zone, at);
        let today = wall.div_euclid(DAY) * DAY;
        let from = today + wall_at(Date::constant(1970, 1, 1).to_datetime(window.from));
        let opens = if from > wall { from } else { from + DAY };
        let opens = first_shown(zone, opens).max(at + 1);
        self.or_change(at, Some(opens)).unwrap_or(opens)
    }

    /// A clock change before `next` may show a local time sooner than the calendar lets expect.
    fn or_change(&self, at: i64, next: Option<i64>) -> Option<i64> {
        let last = next.unwrap_or(at + 2 * DAY);
        self.change_in(at, last).or(next)
    }
}

fn first_shown(zone: &TimeZone, wall: i64) -> i64 {
    match shown(zone, wall) {
        Shown::Once(at) | Shown::Twice { first: at, .. } | Shown::Never { gap_end: at } => at,
    }
}

/// The first date after `date` that the trigger allows.
fn next_allowed(trigger: &Trigger, date: Date) -> Option<Date> {
    if let Some(start) = trigger.start_date
        && date < start
        && trigger.allows(start)
    {
        return Some(start);
    }
    let mut date = trigger.start_date.map_or(date, |start| start.max(date));
    // Each week has an allowed day of the week; each excluded date takes away one of them.
    for _ in 0..7 * (trigger.excluded_dates.len() + 2) {
        date = date.tomorrow().ok()?;
        if trigger.end_date.is_some_and(|end| date > end) {
            return None;
        }
        if trigger.allows(date) {
            return Some(date);
        }
    }
    None
}
