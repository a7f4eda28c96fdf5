//! The fields of a cron line, rewritten into what `saffron` reads rightly.
//!
//! Owner of the dialect: POSIX numbers (0 and 7 are Sunday), names, ranges that may
//! wrap around, steps, and saffron's `L`, `W` and `#`. It must never decide when a
//! line is due.

use std::collections::BTreeSet;

/// Most parts of one field between commas.
const PARTS_MAX: usize = 64;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Which field of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

impl Field {
    /// In the order of the line.
    pub(super) const ALL: [Self; 5] = [
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Weekday,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of month",
            Self::Month => "month",
            Self::Weekday => "day of week",
        }
    }

    /// The smallest and the largest value. Weekdays count from Sunday, 0; a 7 is read as 0.
    const fn bounds(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 6),
        }
    }
}

/// A value as it was written.
#[derive(Clone, Copy)]
struct Token {
    value: u8,
    /// Written as a name, so written back as one.
    named: bool,
    /// The 7 that means Sunday at the end of a range.
    seven: bool,
}

/// Rewrites a field; the error is a sentence.
pub(super) fn normalise(field: Field, text: &str) -> Result<String, String> {
    let text = text.to_ascii_uppercase();
    if let Some(special) = special(field, &text)? {
        return Ok(special);
    }
    let parts: Vec<&str> = text.split(',').collect();
    if parts.len() > PARTS_MAX {
        return Err(format!(
            "the {} lists more than {PARTS_MAX} parts",
            field.name()
        ));
    }
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        let part = part_of(field, part)?;
        if part == "*" {
            return Ok(part);
        }
        out.push(part);
    }
    // A step from `*` must come first: saffron reads `*` nowhere else in a list of days.
    out.sort_by_key(|part| !part.starts_with('*'));
    Ok(out.join(","))
}

/// Whether two normalised texts of a field mean the same. A star is more than all of its values: it
/// does not restrict the day, and its hours follow elapsed time.
pub(super) fn is_same(field: Field, one: &str, two: &str) -> bool {
    let starred = |text: &str| text.starts_with('*');
    one == two
        || starred(one) == starred(two)
            && values(field, one).is_some_and(|all| Some(all) == values(field, two))
}

/// The values that a normalised field lists; `None` for `L`, `W` and `#`.
fn values(field: Field, text: &str) -> Option<BTreeSet<u8>> {
    let value = |text: &str| Some(token(field, text).ok()?.value);
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (value(first)?, value(last)?),
            None if range == "*" => field.bounds(),
            None => (value(range)?, value(range)?),
        };
        found.extend((first..=last).step_by(usize::from(step)));
    }
    Some(found)
}

fn part_of(field: Field, part: &str) -> Result<String, String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step_of(field, step)?)),
        None => (part, None),
    };
    if range == "*" {
        return Ok(match step {
            None | Some(1) => "*".to_owned(),
            Some(step) if field == Field::Weekday => stepped(field, (0, 6), step, true),
            Some(step) => format!("*/{step}"),
        });
    }
    let (first, last) = match range.split_once('-') {
        Some((first, last)) => (token(field, first)?, Some(token(field, last)?)),
        None => (token(field, range)?, None),
    };
    let named = field == Field::Weekday || first.named || last.is_some_and(|t| t.named);
    let (_, max) = field.bounds();
    let end = match (last, step) {
        (Some(last), _) if last.seven && !first.seven => Bound::Seven,
        (Some(last), _) => Bound::At(last.value),
        (None, Some(_)) => Bound::At(max),
        (None, None) => Bound::At(first.value),
    };
    Ok(range_of(field, first.value, end, step.unwrap_or(1), named))
}

/// The end of a range; a 7 is one past Saturday.
#[derive(Clone, Copy)]
enum Bound {
    At(u8),
    Seven,
}

fn range_of(field: Field, first: u8, end: Bound, step: u8, named: bool) -> String {
    let (min, max) = field.bounds();
    let last = match end {
        Bound::At(last) => last,
        // From Sunday to Sunday is the whole week; else the week's end and Sunday.
        Bound::Seven if first == 0 => max,
        Bound::Seven => 0,
    };
    if step > 1 && (field == Field::Weekday || first > last) {
        return stepped(field, (first, last), step, named);
    }
    if first > last {
        return format!(
            "{},{}",
            plain(field, first, max, named),
            plain(field, min, last, named)
        );
    }
    let range = plain(field, first, last, named);
    if step > 1 && first < last {
        return format!("{range}/{step}");
    }
    range
}

fn plain(field: Field, first: u8, last: u8, named: bool) -> String {
    if first == last {
        return word(field, first, named);
    }
    format!("{}-{}", word(field, first, named), word(field, last, named))
}

/// Every `step`th value from the first to the last, around the end if need be, one by one.
fn stepped(field: Field, (first, last): (u8, u8), step: u8, named: bool) -> String {
    let (min, max) = field.bounds();
    let span = u16::from(max - min) + 1;
    let start = u16::from(first - min);
    let mut end = u16::from(last - min);
    if end < start {
        end += span;
    }
    let mut values: Vec<u8> = (start..=end)
        .step_by(usize::from(step))
        .filter_map(|at| u8::try_from(at % span).ok())
        .map(|at| at + min)
        .collect();
    values.sort_unstable();
    values.dedup();
    let words: Vec<String> = values.into_iter().map(|v| word(field, v, named)).collect();
    words.join(",")
}

fn word(field: Field, value: u8, named: bool) -> String {
    let name = match field {
        Field::Weekday => WEEKDAYS.get(usize::from(value)),
        Field::Month if named => MONTHS.get(usize::from(value).wrapping_sub(1)),
        _ => None,
    };
    name.map_or_else(|| value.to_string(), |name| (*name).to_owned())
}

fn step_of(field: Field, text: &str) -> Result<u8, String> {
    let (_, max) = field.bounds();
    let max = max.max(7);
    number(text)
        .filter(|step| (1..=max).contains(step))
        .ok_or_else(|| {
            format!(
                "/{} is no step of the {}; use 1 to {max}",
                cut(text),
                field.name()
            )
        })
}

fn token(field: Field, text: &str) -> Result<Token, String> {
    let (min, max) = field.bounds();
    let names: &[&str] = match field {
        Field::Month => &MONTHS,
        Field::Weekday => &WEEKDAYS,
        _ => &[],
    };
    if let Some(at) = names.iter().position(|name| *name == text) {
        let value = u8::try_from(at).unwrap_or(0) + min;
        return Ok(Token {
            value,
            named: true,
            seven: false,
        });
    }
    let seven = field == Field::Weekday && text == "7";
    let value = if seven { Some(0) } else { number(text) };
    value
        .filter(|value| (min..=max).contains(value))
        .map(|value| Token {
            value,
            named: false,
            seven,
        })
        .ok_or_else(|| unknown(field, text))
}

fn unknown(field: Field, text: &str) -> String {
    let allowed = match field {
        Field::Minute => "0 to 59",
        Field::Hour => "0 to 23",
        Field::Day => "1 to 31, or L, LW, L-3, 15W alone",
        Field::Month => "1 to 12 or JAN to DEC",
        Field::Weekday => "0 to 7 (0 and 7 are Sunday) or MON to SUN, or FRIL, MON#2 alone",
    };
    format!("{:?} is no {}; use {allowed}", cut(text), field.name())
}

fn number(text: &str) -> Option<u8> {
    let plain = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn cut(text: &str) -> String {
    text.chars().take(20).collect()
}

/// `L`, `W` and `#`, which stand alone in their field; `None` for anything else.
fn special(field: Field, text: &str) -> Result<Option<String>, String> {
    match field {
        Field::Day => Ok(special_day(text)),
        Field::Weekday => special_weekday(text),
        _ => Ok(None),
    }
}

fn special_day(text: &str) -> Option<String> {
    let (day, weekday) = match text.strip_suffix('W') {
        Some(day) => (day, true),
        None => (text, false),
    };
    let w = if weekday { "W" } else { "" };
    if day == "L" {
        return Some(format!("L{w}"));
    }
    if let Some(before) = day.strip_prefix("L-") {
        let before = number(before).filter(|n| (1..=30).contains(n))?;
        return Some(format!("L-{before}{w}"));
    }
    let day = number(day).filter(|n| weekday && (1..=31).contains(n))?;
    Some(format!("{day}W"))
}

fn special_weekday(text: &str) -> Result<Option<String>, String> {
    let field = Field::Weekday;
    if text == "L" {
        return Ok(Some("SAT".to_owned()));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let day = token(field, day)?;
        let nth = number(nth)
            .filter(|n| (1..=5).contains(n))
            .ok_or_else(|| format!("#{} is no week of a month; use #1 to #5", cut(nth)))?;
        return Ok(Some(format!("{}#{nth}", word(field, day.value, true))));
    }
    match text.strip_suffix('L') {
        Some(day) => {
            let day = token(field, day)?;
            Ok(Some(format!("{}L", word(field, day.value, true))))
        }
        None => Ok(None),
    }
}
