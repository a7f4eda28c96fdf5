//! Recent values of a number: a small chart drawn here, and the same as a table.
//!
//! Owner of the sparkline. It must never draw a line across a gap in the record.

use crate::numbers::readable;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use maud::{Markup, html};
use std::fmt::Write as _;

/// One recorded value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since the start of the span.
    pub offset_ms: i64,
    /// The value.
    pub value: f64,
    /// When.
    pub when: When,
}

/// The recent values of one sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentValues {
    /// The sensor's name.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// How long the span is, in milliseconds.
    pub span_ms: i64,
    /// Start of the span.
    pub from: When,
    /// End of the span.
    pub to: When,
    /// The values, oldest first.
    pub points: Vec<Point>,
    /// Spans without a record, as offsets in milliseconds.
    pub gaps: Vec<(i64, i64)>,
}

/// Width and height of the drawing's own units.
const WIDE: f64 = 600.0;
const HIGH: f64 = 120.0;
const MARGIN: f64 = 8.0;
/// Rows of the table: what a person still reads; the chart holds the rest.
const ROWS: usize = 20;

impl RecentValues {
    /// Chart, figures and table.
    pub fn draw(&self, t: &Texts) -> Markup {
        let unit = self.unit.as_deref().unwrap_or_default();
        let Some((low, high)) = self.bounds() else {
            return html! {
                section.values {
                    h3 { bdi { (self.name) } }
                    p.empty-line { (t.device.values_none) }
                }
            };
        };
        let latest = self.points.last().map_or(0.0, |p| p.value);
        html! {
            section.values {
                h3 { bdi { (self.name) } }
                dl.figures {
                    (figure(t, t.device.latest, latest, unit))
                    (figure(t, t.device.lowest, low, unit))
                    (figure(t, t.device.highest, high, unit))
                }
                (self.chart(t, low, high))
                p.axis { (time::at(&self.from)) (time::at(&self.to)) }
                details {
                    summary { (t.device.values_table) }
                    (self.table(t, unit))
                }
            }
        }
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        let first = self.points.first()?.value;
        Some(self.points.iter().fold((first, first), |(low, high), p| {
            (low.min(p.value), high.max(p.value))
        }))
    }

    #[expect(clippy::cast_precision_loss, reason = "a span of days in ms fits 2^53")]
    fn x(&self, offset_ms: i64) -> f64 {
        WIDE * (offset_ms as f64 / self.span_ms.max(1) as f64).clamp(0.0, 1.0)
    }

    fn chart(&self, t: &Texts, low: f64, high: f64) -> Markup {
        let spread = high - low;
        let y = |value: f64| {
            let share = if spread > 0.0 {
                (value - low) / spread
            } else {
                0.5
            };
            HIGH - MARGIN - share * (HIGH - 2.0 * MARGIN)
        };
        let view_box = format!("0 0 {WIDE} {HIGH}");
        html! {
            svg.spark viewBox=(view_box) preserveAspectRatio="none" role="img"
                aria-label=(fill(t.device.values_chart, &self.name)) {
                @for (from, to) in &self.gaps {
                    rect.gap x=(round(self.x(*from))) y="0" height=(HIGH)
                        width=(round((self.x(*to) - self.x(*from)).max(1.0))) {
                        title { (t.device.values_gap) }
                    }
                }
                path.line d=(self.path(&y)) vector-effect="non-scaling-stroke" {}
            }
        }
    }

    fn path(&self, y: &impl Fn(f64) -> f64) -> String {
        let mut path = String::new();
        let mut before: Option<i64> = None;
        for point in &self.points {
            let broken = before.is_none_or(|b| self.gap_between(b, point.offset_ms));
            let pen = if broken { 'M' } else { 'L' };
            let (x, y) = (round(self.x(point.offset_ms)), round(y(point.value)));
            // Writing to a String cannot fail.
            let _ = write!(path, "{pen}{x} {y}");
            // A lone point needs a length to be seen.
            if broken {
                path.push_str("h.01");
            }
            before = Some(point.offset_ms);
        }
        path
    }

    fn gap_between(&self, from: i64, to: i64) -> bool {
        self.gaps
            .iter()
            .any(|(start, end)| *start < to && *end > from)
    }

    fn table(&self, t: &Texts, unit: &str) -> Markup {
        html! {
            table {
                thead { tr { th scope="col" { (t.device.time) } th scope="col" { (t.device.value) } } }
                tbody {
                    @for point in self.points.iter().rev().take(ROWS) {
                        tr {
                            td { (time::at(&point.when)) }
                            td { (readable(t, point.value)) " " (unit) }
                        }
                    }
                }
            }
        }
    }
}

fn figure(t: &Texts, what: &str, value: f64, unit: &str) -> Markup {
    html! { div { dt { (what) } dd { (readable(t, value)) " " span.unit { (unit) } } } }
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
