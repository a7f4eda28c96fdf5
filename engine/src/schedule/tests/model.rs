//! The calculus against a naive model: look at the clock on the wall every minute.
//!
//! The model knows only the offset at each minute. It finds the minutes that show a
//! wall time by looking through all of them, so gaps and overlaps need no rule.

use super::cron::{LineCase, line};
use super::{home, soak};
use crate::schedule::{CronLine, Gap, Home, Overlap, Plan, Trigger, When, Window};
use crate::time::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use proptest::prelude::*;
use std::collections::BTreeSet;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// How much is looked at around a clock change, and how much more of it for times that begin or
/// end outside.
const SPAN: i64 = 3 * DAY;
const MARGIN: i64 = 2 * DAY;

/// The minutes of a span: the instant and what the wall shows then.
struct Look {
    from: i64,
    minutes: Vec<(i64, i64)>,
}

impl Look {
    fn at(zone: &TimeZone, from: i64) -> Self {
        let minutes = (from - MARGIN..from + SPAN + MARGIN)
            .step_by(60)
            .map(|at| {
                let instant = jiff::Timestamp::from_second(at).unwrap();
                (at, at + i64::from(zone.to_offset(instant).seconds()))
            })
            .collect();
        Self { from, minutes }
    }

    fn keep(&self, found: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let sorted: BTreeSet<i64> = found
            .into_iter()
            .filter(|at| (self.from..self.from + SPAN).contains(at))
            .collect();
        sorted.into_iter().collect()
    }

    /// The instants of a wall time, by looking through all minutes.
    fn resolve(&self, wall: i64, gap: Gap, overlap: Overlap) -> Vec<i64> {
        let shown: Vec<i64> = self
            .minutes
            .iter()
            .filter(|(_, shows)| *shows == wall)
            .map(|(at, _)| *at)
            .collect();
        match (shown[..].len(), overlap) {
            (0, _) if gap == Gap::Skip => Vec::new(),
            // The first minute that shows more, right after one that shows less.
            (0, _) => self
                .minutes
                .windows(2)
                .filter(|pair| pair[0].1 < wall && wall < pair[1].1)
                .map(|pair| pair[1].0)
                .take(1)
                .collect(),
            (_, Overlap::First) => shown[..1].to_vec(),
            (_, Overlap::Second) => shown[shown.len() - 1..].to_vec(),
            (_, Overlap::Both) => shown,
        }
    }

    fn walls(&self) -> impl Iterator<Item = i64> {
        let first = self.minutes[0].1;
        let last = self.minutes[self.minutes.len() - 1].1;
        (first..=last).step_by(60)
    }
}

fn civil(wall: i64) -> DateTime {
    Offset::UTC.to_datetime(jiff::Timestamp::from_second(wall).unwrap())
}

/// A question: a trigger and how it takes clock changes.
#[derive(Clone, Debug)]
struct Case {
    when: WhenCase,
    gap: Gap,
    overlap: Overlap,
    days: u8,
    excluded: Option<i64>,
    /// Where in the year, if no clock change is looked for.
    part: u32,
    zone: u32,
    year: i16,
}

#[derive(Clone, Debug)]
enum WhenCase {
    At(i64),
    Every(i64, i64, Option<(i64, i64)>),
    Cron(LineCase),
}

fn case() -> impl Strategy<Value = Case> {
    let window = prop_oneof![
        Just(None),
        (0..1_440_i64, 1..1_439_i64)
            .prop_map(|(from, length)| Some((from, (from + length) % 1_440)))
    ];
    let when = prop_oneof![
        1 => (0..SPAN / MINUTE).prop_map(WhenCase::At),
        2 => (1..3_000_i64, 0..10_000_i64, window)
            .prop_map(|(every, anchor, window)| WhenCase::Every(every, anchor, window)),
        4 => line().prop_map(WhenCase::Cron),
    ];
    (
        when,
        prop_oneof![Just(Gap::NextValid), Just(Gap::Skip)],
        prop_oneof![
            Just(Overlap::First),
            Just(Overlap::Second),
            Just(Overlap::Both)
        ],
        prop_oneof![2 => Just(127_u8), 1 => 1..127_u8],
        prop::option::of(0..4_i64),
        any::<u32>(),
        any::<u32>(),
        2020..=2035_i16,
    )
        .prop_map(
            |(when, gap, overlap, days, excluded, part, zone, year)| Case {
                when,
                gap,
                overlap,
                days,
                excluded,
                part,
                zone,
                year,
            },
        )
}

impl Case {
    /// The trigger for a look that begins at `from`; `None` if the line never matches.
    fn trigger(&self, from: i64) -> Option<Trigger> {
        let when = match &self.when {
            WhenCase::At(minute) => When::At {
                at: civil(from + minute * MINUTE),
            },
            WhenCase::Every(minutes, anchor, window) => When::Every {
                seconds: u32::try_from(minutes * MINUTE).unwrap(),
                anchor: Timestamp::from_millis((from + SPAN - anchor * MINUTE) * 1000),
                window: window.map(|(from, to)| Window {
                    from: time(from),
                    to: time(to),
                }),
            },
            WhenCase::Cron(line) => When::Cron {
                expression: CronLine::parse(&line.text).ok()?,
            },
        };
        let mut trigger = Trigger::plain(when);
        let days = (0..7_u8).filter(|day| self.days & (1 << day) != 0);
        let days = days.map(|day| {
            jiff::civil::Weekday::from_monday_zero_offset(i8::try_from(day).unwrap()).unwrap()
        });
        trigger.days = crate::schedule::Days::of(days).unwrap();
        let excluded = self.excluded.map(|day| civil(from + day * DAY).date());
        trigger.excluded_dates = excluded.into_iter().collect();
        Some(trigger)
    }

    /// What the model finds.
    fn expected(&self, look: &Look, trigger: &Trigger) -> Vec<i64> {
        let allowed = |wall: i64| trigger.allows(civil(wall).date());
        match &self.when {
            WhenCase::At(minute) => {
                let wall = look.from + minute * MINUTE;
                let found = allowed(wall).then(|| look.resolve(wall, self.gap, self.overlap));
                look.keep(found.unwrap_or_default())
            }
            WhenCase::Every(minutes, _, window) => {
                let When::Every { anchor, .. } = trigger.when else {
                    unreachable!("an interval was asked for");
                };
                let anchor = anchor.as_millis() / 1000;
                let open = |wall: i64| {
                    let minute = wall.rem_euclid(DAY) / MINUTE;
                    window.is_none_or(|(from, to)| {
                        if from < to {
                            from <= minute && minute < to
                        } else {
                            from <= minute || minute < to
                        }
                    })
                };
                let on_time = |at: i64| at >= anchor && (at - anchor) % (minutes * MINUTE) == 0;
                let found = look.minutes.iter();
                look.keep(
                    found
                        .filter(|(at, wall)| on_time(*at) && allowed(*wall) && open(*wall))
                        .map(|(at, _)| *at),
                )
            }
            WhenCase::Cron(line) => {
                let periodic =
                    matches!(&trigger.when, When::Cron { expression } if expression.is_periodic());
                if periodic {
                    let found = look.minutes.iter();
                    return look.keep(
                        found
                            .filter(|(_, wall)| line.matches(civil(*wall)) && allowed(*wall))
                            .map(|(at, _)| *at),
                    );
                }
                let walls = look.walls();
                let due = walls.filter(|wall| line.matches(civil(*wall)) && allowed(*wall));
                look.keep(due.flat_map(|wall| look.resolve(wall, self.gap, self.overlap)))
            }
        }
    }
}

fn time(minute: i64) -> Time {
    Time::new(
        i8::try_from(minute / 60).unwrap(),
        i8::try_from(minute % 60).unwrap(),
        0,
        0,
    )
    .unwrap()
}

fn compare(zone_name: &str, from: i64, case: &Case) -> Result<(), TestCaseError> {
    let home: Home = home(zone_name, None);
    let Some(trigger) = case.trigger(from) else {
        return Ok(());
    };
    let look = Look::at(&home.zone, from);
    let expected = case.expected(&look, &trigger);
    let plan = Plan {
        trigger: &trigger,
        gap: case.gap,
        overlap: case.overlap,
        home: &home,
    };
    let found: Vec<i64> = plan
        .after(Timestamp::from_millis(from * 1000 - 1))
        .map(|due| due.at.as_millis() / 1000)
        .take_while(|at| *at < from + SPAN)
        .collect();
    prop_assert_eq!(&found, &expected, "in {} from {}", zone_name, from);
    // Asked from any instant in between, the answer is the same.
    for minutes in look.minutes.chunks(777) {
        let after = minutes[0].0 + 17;
        let Some(next) = expected.iter().find(|at| **at > after) else {
            continue;
        };
        if after >= from {
            let found = plan.next_after(Timestamp::from_millis(after * 1000));
            let found = found.map(|due| due.at.as_millis() / 1000);
            prop_assert_eq!(found, Some(*next), "in {} after {}", zone_name, after);
        }
    }
    Ok(())
}

fn zones() -> Vec<String> {
    let names = TimeZoneDatabase::bundled();
    names.available().map(|name| name.to_string()).collect()
}

/// The starts of the looks of a year: before each clock change, else somewhere.
fn looks(zone: &TimeZone, year: i16, part: u32) -> Vec<i64> {
    let start = jiff::civil::date(year, 1, 1)
        .to_zoned_datetime(TimeZone::UTC)
        .unwrap();
    let end = start.timestamp().as_second() + 365 * DAY;
    let changes: Vec<i64> = zone
        .following(start.timestamp())
        .map(|change| change.timestamp().as_second())
        .take_while(|change| *change < end)
        .map(|change| (change - SPAN / 2).div_euclid(DAY) * DAY)
        .collect();
    if changes.is_empty() {
        return vec![end - 365 * DAY + i64::from(part % 360) * DAY];
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if soak() { 20_000 } else { 120 }))]

    #[test]
    fn every_trigger_is_due_when_the_clock_on_the_wall_says(case in case()) {
        let zones = zones();
        let name = &zones[case.zone as usize % zones.len()];
        let zone = TimeZone::get(name).unwrap();
        let looks = looks(&zone, case.year, case.part);
        compare(name, looks[case.part as usize % looks.len()], &case)?;
    }
}

/// Each zone, each year, each clock change: a few questions in the ordinary run, all in the soak.
#[test]
fn every_zone_and_year_agrees_with_the_clock_on_the_wall() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = case();
    let zones = zones();
    assert!(zones.len() > 400, "the zone table is whole");
    let (zone_step, years) = if soak() {
        (1, 2020..=2035_i16)
    } else {
        (25, 2026..=2027)
    };
    let mut compared = 0;
    for name in zones.iter().step_by(zone_step) {
        let zone = TimeZone::get(name).unwrap();
        for year in years.clone() {
            for from in looks(&zone, year, 180) {
                let case = strategy.new_tree(&mut runner).unwrap().current();
                compare(name, from, &case).unwrap_or_else(|e| panic!("{e} for {case:?}"));
                compared += 1;
            }
        }
    }
    assert!(compared >= zones.len() / zone_step, "{compared}");
}
