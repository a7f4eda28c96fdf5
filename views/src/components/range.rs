//! The choice of the time that charts show: fixed spans as links, any other by a form.
//!
//! Owner of those controls; they work without script. It must never know what time it is.

use super::form::Field;
use crate::texts::Texts;
use maud::{Markup, html};

/// A span that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One hour.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl Span {
    /// Every span, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word in the address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// How long it is.
    pub const fn length_ms(self) -> i64 {
        const HOUR_MS: i64 = 3_600_000;
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => 24 * HOUR_MS,
            Self::Week => 7 * 24 * HOUR_MS,
            Self::Month => 30 * 24 * HOUR_MS,
        }
    }

    const fn label(self, t: &Texts) -> &'static str {
        match self {
            Self::Hour => t.device.range_hour,
            Self::Day => t.device.range_day,
            Self::Week => t.device.range_week,
            Self::Month => t.device.range_month,
        }
    }
}

/// What is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeChoice {
    /// The span, if it is one of the fixed ones.
    pub span: Option<Span>,
    /// What stands in the field of the first instant, in the home's zone.
    pub from: String,
    /// What stands in the field of the last.
    pub to: String,
    /// What is wrong with the first.
    pub from_problem: Option<String>,
    /// What is wrong with the last.
    pub to_problem: Option<String>,
}

impl RangeChoice {
    /// The controls of the page at that address.
    pub fn draw(&self, t: &Texts, address: &str) -> Markup {
        let chosen =
            self.span.is_none() || self.from_problem.is_some() || self.to_problem.is_some();
        let field = |name, label, value, problem: &Option<String>| {
            Field {
                name,
                label,
                value,
                problem: problem.as_deref(),
                kind: "datetime-local",
                required: name == "from",
                ..Field::default()
            }
            .draw()
        };
        html! {
            nav.ranges aria-label=(t.device.range_label) {
                @for span in Span::ALL {
                    a.range href=(format!("{address}?range={}#values", span.word()))
                        aria-current=[(self.span == Some(span) && !chosen).then_some("true")] {
                        (span.label(t))
                    }
                }
            }
            details.range-form open[chosen] {
                summary { (t.device.range_other) }
                form.range-fields method="get" action=(format!("{address}#values")) {
                    (field("from", t.device.range_from, &self.from, &self.from_problem))
                    (field("to", t.device.range_to, &self.to, &self.to_problem))
                    button.button { (t.device.range_show) }
                }
            }
        }
    }
}
