//! How days and moments are written in a language.
//!
//! Owner of names of months and days, and of the order of a date's parts. It must
//! never know a zone or a clock.

use jiff::civil::DateTime;

/// How one language writes days.
pub struct Dates {
    /// Months from January, short: "Jan".
    pub months: [&'static str; 12],
    /// Months from January, in full.
    pub months_long: [&'static str; 12],
    /// Days from Monday, short: "Mon".
    pub days: [&'static str; 7],
    /// Days from Monday, in full.
    pub days_long: [&'static str; 7],
    /// What stands after the day's number: "." in German.
    after_day: &'static str,
}

impl Dates {
    pub(super) const ENGLISH: Self = Self {
        months: [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ],
        months_long: [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        days_long: [
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
        ],
        after_day: "",
    };

    pub(super) const GERMAN: Self = Self {
        months: [
            "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.",
            "Dez.",
        ],
        months_long: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        days: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
        days_long: [
            "Montag",
            "Dienstag",
            "Mittwoch",
            "Donnerstag",
            "Freitag",
            "Samstag",
            "Sonntag",
        ],
        after_day: ".",
    };

    /// "23 Nov", "23. Nov.".
    pub fn day(&self, at: DateTime) -> String {
        format!(
            "{}{} {}",
            at.day(),
            self.after_day,
            named(&self.months, at.month())
        )
    }

    /// "23 Nov 2026".
    pub fn day_of_year(&self, at: DateTime) -> String {
        format!("{} {}", self.day(at), at.year())
    }

    /// "Mon 23 Nov".
    pub fn weekday(&self, at: DateTime) -> String {
        format!("{} {}", self.days[weekday(at)], self.day(at))
    }

    /// "Monday, 23 November 2026, 23:52:01".
    pub fn full(&self, at: DateTime) -> String {
        format!(
            "{}, {}{} {} {}, {}",
            self.days_long[weekday(at)],
            at.day(),
            self.after_day,
            named(&self.months_long, at.month()),
            at.year(),
            at.strftime("%H:%M:%S")
        )
    }
}

fn named<'a>(months: &[&'a str; 12], month: i8) -> &'a str {
    let index = usize::try_from(month - 1).unwrap_or_default();
    months.get(index).copied().unwrap_or_default()
}

fn weekday(at: DateTime) -> usize {
    usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default()
}
