//! Which time a page's charts show, as its address says.
//!
//! Owner of reading that part of the address: a time on the wall of the home, or a span that
//! ends now. A wrong one is told beside its field.

use super::show::Reading;
use iothome_engine::time::Timestamp;
use iothome_views::components::range::{RangeChoice, Span};
use iothome_views::texts::Texts;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// Longest time shown: ten years of hours are as much as is worth waiting for.
const LONGEST_MS: i64 = 3_653 * 86_400_000;
/// How the field of a date and time is written (HTML, `datetime-local`).
const FIELD: &str = "%Y-%m-%dT%H:%M";

/// The part of the address that says it; what else it holds is another's.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RangeQuery {
    #[serde(default)]
    pub(crate) range: Option<String>,
    #[serde(default)]
    pub(crate) from: Option<String>,
    #[serde(default)]
    pub(crate) to: Option<String>,
}

/// The time shown, and the controls that say so.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) choice: RangeChoice,
}

impl Shown {
    /// Whether the address made no sense.
    pub(crate) const fn is_wrong(&self) -> bool {
        self.choice.from_problem.is_some() || self.choice.to_problem.is_some()
    }
}

/// What is wrong, and with which field.
enum Wrong {
    From(&'static str),
    To(&'static str),
}

impl RangeQuery {
    /// The time it means; a day that ends now if it says nothing or nothing that makes sense.
    pub(crate) fn read(&self, reading: Reading<'_>) -> Shown {
        let (t, zone, now) = (reading.t, reading.zone, reading.now);
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        let own = self.from.is_some() || self.to.is_some();
        let asked = if own {
            self.own(t, zone, now).map(|(from, to)| (from, to, None))
        } else {
            self.span(t)
                .map(|span| (now.plus_millis(-span.length_ms()), now, Some(span)))
        };
        match asked {
            Ok((from, to, span)) => {
                let (from_field, to_field) = if own {
                    (given(&self.from), given(&self.to))
                } else {
                    (field(from, zone), String::new())
                };
                Shown {
                    from,
                    to,
                    choice: RangeChoice {
                        span,
                        from: from_field,
                        to: to_field,
                        from_problem: None,
                        to_problem: None,
                    },
                }
            }
            Err(wrong) => {
                let (from_problem, to_problem) = match wrong {
                    Wrong::From(words) => (Some(words.to_owned()), None),
                    Wrong::To(words) => (None, Some(words.to_owned())),
                };
                Shown {
                    from: now.plus_millis(-Span::Day.length_ms()),
                    to: now,
                    choice: RangeChoice {
                        span: Some(Span::Day),
                        from: given(&self.from),
                        to: given(&self.to),
                        from_problem,
                        to_problem,
                    },
                }
            }
        }
    }

    fn span(&self, t: &Texts) -> Result<Span, Wrong> {
        let Some(word) = &self.range else {
            return Ok(Span::Day);
        };
        let found = Span::ALL.into_iter().find(|span| span.word() == word);
        found.ok_or(Wrong::From(t.device.range_no_span))
    }

    fn own(
        &self,
        t: &Texts,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<(Timestamp, Timestamp), Wrong> {
        let said = |text: &Option<String>| {
            let text = text
                .as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty())?;
            Some(instant(text, zone))
        };
        let from = match said(&self.from) {
            None => return Err(Wrong::From(t.device.range_needed)),
            Some(None) => return Err(Wrong::From(t.device.range_no_time)),
            Some(Some(from)) => from,
        };
        let to = match said(&self.to) {
            None => now,
            Some(None) => return Err(Wrong::To(t.device.range_no_time)),
            Some(Some(to)) => to,
        };
        if from >= now {
            return Err(Wrong::From(t.device.range_future));
        }
        if to <= from {
            return Err(Wrong::To(t.device.range_order));
        }
        // Nothing is recorded of what is to come.
        let to = to.min(now);
        if to.millis_since(from) > LONGEST_MS {
            return Err(Wrong::From(t.device.range_long));
        }
        Ok((from, to))
    }
}

/// The instant of a time on the wall; where the clock skips it, the one after, and the first of
/// two.
fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local: DateTime = text.replace(' ', "T").parse().ok()?;
    let zoned = local.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

fn field(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map(|at| {
            at.to_zoned_datetime(zone.clone())
                .strftime(FIELD)
                .to_string()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_engine::policy::Rights;
    use iothome_views::texts::ENGLISH;

    fn read(range: Option<&str>, from: Option<&str>, to: Option<&str>) -> Shown {
        let query = RangeQuery {
            range: range.map(Into::into),
            from: from.map(Into::into),
            to: to.map(Into::into),
        };
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        query.read(Reading {
            t: &ENGLISH,
            zone: &zone,
            now: Timestamp::parse("2026-11-24T07:52:37Z").expect("an instant"),
            rights: Rights::default(),
        })
    }

    #[test]
    fn a_span_ends_now_and_a_day_is_shown_if_nothing_is_said() {
        let day = read(None, None, None);
        assert_eq!(day.choice.span, Some(Span::Day));
        assert_eq!(day.to.millis_since(day.from), 86_400_000);
        assert_eq!(day.choice.from, "2026-11-23T08:52");
        let week = read(Some("7d"), None, None);
        assert_eq!(week.to.millis_since(week.from), 7 * 86_400_000);
    }

    #[test]
    fn a_time_of_one_s_own_is_a_time_on_the_wall_of_the_home() {
        let shown = read(None, Some("2026-11-23T08:00"), Some("2026-11-23 20:00"));
        assert!(!shown.is_wrong());
        assert_eq!(shown.from.to_string(), "2026-11-23T07:00:00.000Z");
        assert_eq!(shown.to.millis_since(shown.from), 12 * 3_600_000);
        let open = read(None, Some("2026-11-23T08:00"), Some(""));
        assert_eq!(open.to.to_string(), "2026-11-24T07:52:37.000Z");
        let beyond = read(None, Some("2026-11-23T08:00"), Some("2030-01-01T00:00"));
        assert_eq!(beyond.to, open.to);
    }

    #[test]
    fn what_makes_no_sense_is_told_beside_its_field_and_a_day_is_shown() {
        let from = |text| read(None, Some(text), None);
        for wrong in [
            "yesterday",
            "2026-13-01T00:00",
            "",
            "2030-01-01T00:00",
            "1900-01-01T00:00",
            "<b>",
        ] {
            let shown = from(wrong);
            assert!(shown.choice.from_problem.is_some(), "{wrong}");
            assert_eq!(shown.choice.from, wrong);
            assert_eq!(shown.to.millis_since(shown.from), 86_400_000);
        }
        let order = read(None, Some("2026-11-23T08:00"), Some("2026-11-23T08:00"));
        assert!(order.choice.to_problem.is_some());
        assert!(
            read(None, Some("2026-11-23T08:00"), Some("x"))
                .choice
                .to_problem
                .is_some()
        );
        assert!(
            read(None, None, Some("2026-11-23T08:00"))
                .choice
                .from_problem
                .is_some()
        );
        assert!(read(Some("5y"), None, None).is_wrong());
    }
}
