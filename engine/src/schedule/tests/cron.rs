//! Cron lines against a model that knows nothing of saffron: each field is a set of
//! numbers, each minute is looked up.

use super::soak;
use crate::schedule::CronLine;
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

/// A field as text, and the numbers it means.
pub(super) type FieldCase = (String, Vec<i8>);

/// A line as text, and what it means.
#[derive(Clone, Debug)]
pub(super) struct LineCase {
    pub(super) text: String,
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Option<Vec<i8>>,
    months: Vec<i8>,
    /// Sunday is 0.
    weekdays: Option<Vec<i8>>,
}

impl LineCase {
    pub(super) fn matches(&self, at: DateTime) -> bool {
        let weekday = at.weekday().to_sunday_zero_offset();
        let by_day = self.days.as_ref().map(|days| days.contains(&at.day()));
        let by_weekday = self.weekdays.as_ref().map(|days| days.contains(&weekday));
        let day = match (by_day, by_weekday) {
            (Some(day), Some(weekday)) => day || weekday,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => true,
        };
        self.minutes.contains(&at.minute())
            && self.hours.contains(&at.hour())
            && self.months.contains(&at.month())
            && day
    }
}

/// The numbers from `first` to `last`, around the end if need be, every `step`th.
fn walk(first: i8, last: i8, step: i8, (min, max): (i8, i8)) -> Vec<i8> {
    let mut out = Vec::new();
    let (mut at, mut count) = (first, 0);
    loop {
        if count % i32::from(step) == 0 {
            out.push(at);
        }
        if at == last {
            return out;
        }
        at = if at == max { min } else { at + 1 };
        count += 1;
    }
}

fn part((min, max): (i8, i8)) -> BoxedStrategy<FieldCase> {
    let value = min..=max;
    prop_oneof![
        3 => value.clone().prop_map(|v| (v.to_string(), vec![v])),
        2 => (value.clone(), value.clone())
            .prop_map(move |(a, b)| (format!("{a}-{b}"), walk(a, b, 1, (min, max)))),
        1 => (value.clone(), value.clone(), 1..6_i8)
            .prop_map(move |(a, b, n)| (format!("{a}-{b}/{n}"), walk(a, b, n, (min, max)))),
        1 => (value, 1..6_i8).prop_map(move |(a, n)| (format!("{a}/{n}"), walk(a, max, n, (min, max)))),
        1 => (2..6_i8).prop_map(move |n| (format!("*/{n}"), walk(min, max, n, (min, max)))),
    ]
    .boxed()
}

fn field(bounds: (i8, i8), star: u32) -> BoxedStrategy<(FieldCase, bool)> {
    let list = prop::collection::vec(part(bounds), 1..4).prop_map(|parts| {
        let texts: Vec<&str> = parts.iter().map(|(text, _)| text.as_str()).collect();
        let numbers = parts.iter().flat_map(|(_, n)| n.iter().copied()).collect();
        ((texts.join(","), numbers), false)
    });
    let all = walk(bounds.0, bounds.1, 1, bounds);
    prop_oneof![
        star => Just((("*".to_owned(), all), true)),
        4 => list,
    ]
    .boxed()
}

pub(super) fn line() -> impl Strategy<Value = LineCase> {
    (
        field((0, 59), 1),
        field((0, 23), 2),
        field((1, 31), 8),
        field((1, 12), 8),
        field((0, 6), 4),
        0..3_u8,
    )
        .prop_map(|(minutes, hours, days, months, weekdays, spelling)| {
            let mut weekday_text = weekdays.0.0.clone();
            if spelling > 0 && !weekday_text.contains('/') {
                let names = ["sun", "MON", "Tue", "WED", "thu", "FRI", "SAT"];
                for (at, name) in names.iter().enumerate() {
                    weekday_text = weekday_text.replace(&at.to_string(), name);
                }
                if spelling == 2 {
                    weekday_text = weekday_text.replace("sun", "7");
                }
            }
            LineCase {
                text: [
                    &minutes.0.0,
                    &hours.0.0,
                    &days.0.0,
                    &months.0.0,
                    &weekday_text,
                ]
                .map(String::as_str)
                .join(" "),
                minutes: minutes.0.1,
                hours: hours.0.1,
                days: (!days.1).then_some(days.0.1),
                months: months.0.1,
                weekdays: (!weekdays.1).then_some(weekdays.0.1),
            }
        })
}

fn seconds(at: DateTime) -> i64 {
    jiff::tz::Offset::UTC.to_timestamp(at).unwrap().as_second()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if soak() { 20_000 } else { 200 }))]

    #[test]
    fn a_line_is_due_at_the_minutes_that_its_numbers_say(case in line(), day in 0..1_500_i32) {
        let start = date(2024, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        // A line that no month satisfies is refused; the model does not judge that.
        if let Ok(line) = CronLine::parse(&case.text) {
            let minutes = (0..3 * 1_440).map(|minute| {
                start.to_datetime(jiff::civil::Time::midnight())
                    .checked_add(jiff::Span::new().minutes(minute)).unwrap()
            });
            let expected: Vec<i64> = minutes.filter(|at| case.matches(*at)).map(seconds).collect();
            let first = seconds(start.into());
            let found: Vec<i64> = std::iter::successors(line.next_after(first - 60), |at| line.next_after(*at))
                .take_while(|at| *at < first + 3 * 86_400)
                .collect();
            prop_assert_eq!(found, expected, "{:?} became {:?}", &case.text, line);
        } else {
            let days_only = case.weekdays.is_none() && case.days.is_some();
            prop_assert!(days_only, "{:?} was refused", &case.text);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[0-9*/,#LWlw A-Z?-]{0,40}") {
        let _ = CronLine::parse(&text).map(|line| line.next_after(1_800_000_000));
    }

    #[test]
    fn a_normalised_line_stays_as_it_is(case in line()) {
        if let Ok(line) = CronLine::parse(&case.text) {
            let again = CronLine::parse(line.as_str());
            prop_assert_eq!(again.as_ref(), Ok(&line));
        }
    }
}

#[test]
fn last_nearest_and_numbered_days_are_found() {
    let first = seconds(date(2027, 1, 1).into()) - 60;
    for (line, expected) in [
        ("0 0 L 2 *", date(2027, 2, 28)),
        ("0 0 L-3 1 *", date(2027, 1, 28)),
        ("0 0 LW 1 *", date(2027, 1, 29)),
        ("0 0 16W 1 *", date(2027, 1, 15)),
        ("0 0 * * MON#2", date(2027, 1, 11)),
        ("0 0 * * 5L", date(2027, 1, 29)),
        ("0 0 29 2 *", date(2028, 2, 29)),
    ] {
        let parsed = CronLine::parse(line).expect(line);
        assert_eq!(
            parsed.next_after(first),
            Some(seconds(expected.into())),
            "{line}"
        );
    }
}

#[test]
fn a_line_is_the_same_whichever_way_it_is_written() {
    let same = |one: &str, two: &str| {
        let (one, two) = (CronLine::parse(one), CronLine::parse(two));
        one.expect("is a line").is_same(&two.expect("is a line"))
    };
    assert!(same("0 7 * * MON-FRI", "0 7 * * FRI,MON,TUE,WED,THU"));
    assert!(same("0,15,30,45 7 * JAN-MAR *", "0-59/15 7 * 1,2,3 *"));
    assert!(same("0 7 L * *", "0 7 L * *"));
    assert!(!same("0 7 * * MON-FRI", "0 7 * * MON-SAT"));
    assert!(
        !same("0 * * * *", "0 0-23 * * *"),
        "one follows elapsed time"
    );
    assert!(
        !same("0 7 * * MON", "0 7 1-31 * MON"),
        "either day is enough"
    );
    assert!(!same("0 7 L * *", "0 7 LW * *"));
}
