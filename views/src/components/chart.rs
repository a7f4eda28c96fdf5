//! What a number did over time: a band from lowest to highest, a line of means, and a table.
//!
//! Owner of number charts. It must never draw a line where nobody listened: gaps are drawn as
//! gaps and named.

use super::canvas::{Canvas, Drawing, Ink, LABEL, SCALE};
use super::gap::{self, Gap};
use super::period::{Period, TimeAxis};
use super::reader::{self, Said};
use crate::numbers::{decimals_of, readable, with_decimals};
use crate::texts::{Texts, fill, fill_all};
use crate::time::{self, When};
use maud::{Markup, html};
use plotters::prelude::*;
use std::error::Error;

/// Height of the plot in the drawing's units.
const HIGH: u32 = 1_600;
/// Labels of the scale: more would crowd a chart as tall as a thumb.
const SCALE_LABELS: usize = 4;

/// What the number did in one slot of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Where the slot stands, in Unix milliseconds.
    pub at_ms: i64,
    /// The lowest value.
    pub low: f64,
    /// The mean.
    pub mean: f64,
    /// The highest value.
    pub high: f64,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When it begins.
    pub when: When,
    /// What was then.
    pub slot: Slot,
}

/// A chart, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What its element ids end with: unique on the page.
    pub id: String,
    /// The name of the entity.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// The stretch of time.
    pub period: Period,
    /// The slots that hold values, in order.
    pub slots: Vec<Slot>,
    /// When nothing could be known.
    pub gaps: Vec<Gap>,
    /// Whether a value stays until the next: what is set, not measured.
    pub stepped: bool,
    /// The table, the newest row first.
    pub rows: Vec<Row>,
}

impl Chart {
    /// Figures, chart and table.
    pub fn draw(&self, t: &Texts) -> Markup {
        html! {
            section.values id=(format!("chart-{}", self.id)) {
                h3 {
                    bdi { (self.name) }
                    @if let Some(unit) = &self.unit { " " span.unit { (unit) } }
                }
                @if let (Some((low, high)), Some(last)) = (self.bounds(), self.slots.last()) {
                    dl.extremes {
                        // The latest is a mean: it says no more digits than what was reported.
                        @let (low_words, high_words) = (readable(t, low), readable(t, high));
                        @let digits = decimals_of(t, &low_words).max(decimals_of(t, &high_words));
                        (self.figure(t.chart.latest, &with_decimals(t, last.mean, digits)))
                        (self.figure(t.chart.lowest, &low_words))
                        (self.figure(t.chart.highest, &high_words))
                    }
                    (self.picture(t, low, high))
                    (gap::legend(t, &self.gaps))
                    details {
                        summary { (t.chart.table) }
                        (self.table(t))
                    }
                } @else {
                    p.empty-line { (t.chart.none) }
                    (gap::legend(t, &self.gaps))
                }
            }
        }
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        let first = self.slots.first()?;
        let start = (first.low, first.high);
        Some(self.slots.iter().fold(start, |(low, high), slot| {
            (low.min(slot.low), high.max(slot.high))
        }))
    }

    fn with_unit(&self, t: &Texts, value: f64) -> String {
        let number = readable(t, value);
        match &self.unit {
            Some(unit) => format!("{number} {unit}"),
            None => number,
        }
    }

    fn figure(&self, what: &str, value: &str) -> Markup {
        html! {
            div {
                dt { (what) }
                dd { (value) @if let Some(unit) = &self.unit { " " span.unit { (unit) } } }
            }
        }
    }

    fn picture(&self, t: &Texts, low: f64, high: f64) -> Markup {
        let mut drawing = Drawing::default();
        let drawn = self.plot(t, scale_of(low, high), &mut drawing);
        html! {
            @if drawn.is_err() {
                p.empty-line { (t.chart.not_drawn) }
            } @else {
                (reader::frame(t, &self.name, &self.period, &self.said(t), &html! {
                    div.drawing role="img" aria-label=(self.summary(t, low, high)) {
                        (drawing.markup(HIGH + super::canvas::AXIS, "of-numbers"))
                    }
                }))
            }
        }
    }

    /// What the picture shows, in a sentence.
    fn summary(&self, t: &Texts, low: f64, high: f64) -> String {
        let span = fill_all(
            t.chart.summary,
            &[
                &self.name,
                self.period.from.short(),
                self.period.to.short(),
                &self.with_unit(t, low),
                &self.with_unit(t, high),
            ],
        );
        let gaps = gap::summary(t, &self.gaps);
        if gaps.is_empty() {
            span
        } else {
            format!("{span} {}", fill(t.chart.summary_gaps, &gaps))
        }
    }

    fn plot(
        &self,
        t: &Texts,
        (low, high): (f64, f64),
        out: &mut Drawing,
    ) -> Result<(), Box<dyn Error>> {
        let area = Canvas::new(out, HIGH, true).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(super::canvas::AXIS)
            .y_label_area_size(SCALE)
            .margin_top(LABEL / 2)
            .build_cartesian_2d(TimeAxis(self.period.clone()), low..high)
            .map_err(|e| e.to_string())?;
        let decimals = decimals(high - low);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .axis_style(TRANSPARENT)
            .max_light_lines(0)
            .light_line_style(TRANSPARENT)
            .bold_line_style(Ink::Grid.color())
            .set_all_tick_mark_size(0)
            .x_labels(12)
            .y_labels(SCALE_LABELS)
            .y_label_formatter(&|value| axis_label(t, *value, decimals))
            .label_style(("sans-serif", LABEL).into_font().color(&Ink::Label.color()))
            .draw()
            .map_err(|e| e.to_string())?;
        for gap in gap::drawn(&self.period, &self.gaps) {
            let place = [(gap.from_ms, low), (gap.to_ms, high)];
            let rectangle = Rectangle::new(place, gap.why.ink().color().filled());
            chart.draw_series([rectangle]).map_err(|e| e.to_string())?;
        }
        for run in self.runs() {
            if run.iter().any(|slot| slot.high > slot.low) {
                let there = run.iter().map(|slot| (slot.at_ms, slot.high));
                let back = run.iter().rev().map(|slot| (slot.at_ms, slot.low));
                let corners: Vec<_> = there.chain(back).collect();
                let band = Polygon::new(corners, Ink::Band.color());
                chart.draw_series([band]).map_err(|e| e.to_string())?;
            }
            let line = PathElement::new(self.line(run), Ink::Line.color());
            chart.draw_series([line]).map_err(|e| e.to_string())?;
        }
        area.present().map_err(|e| e.to_string())?;
        Ok(())
    }

    /// The line of one run; a run of one slot gets a second point, or it would not be seen.
    fn line(&self, run: &[Slot]) -> Vec<(i64, f64)> {
        let mut points = Vec::with_capacity(run.len() + 1);
        for slot in run {
            if self.stepped
                && let Some((_, before)) = points.last().copied()
            {
                points.push((slot.at_ms, before));
            }
            points.push((slot.at_ms, slot.mean));
        }
        if let ([only], 1) = (run, points.len()) {
            points.push((only.at_ms, only.mean));
        }
        points
    }

    /// The slots between gaps.
    fn runs(&self) -> impl Iterator<Item = &[Slot]> {
        self.slots
            .chunk_by(|a, b| !gap::between(&self.gaps, a.at_ms, b.at_ms))
    }

    /// What is said under the pointer.
    fn said(&self, t: &Texts) -> Vec<Said> {
        let slots = self.slots.iter().map(|slot| Said {
            at_ms: slot.at_ms,
            words: if slot.low < slot.high {
                format!(
                    "{} ({} – {})",
                    self.with_unit(t, slot.mean),
                    readable(t, slot.low),
                    readable(t, slot.high)
                )
            } else {
                self.with_unit(t, slot.mean)
            },
        });
        let gaps = gap::drawn(&self.period, &self.gaps);
        reader::with_gaps(t, slots.collect(), &gaps)
    }

    fn table(&self, t: &Texts) -> Markup {
        let ranged = self.rows.iter().any(|row| row.slot.low < row.slot.high);
        html! {
            table {
                thead { tr {
                    th scope="col" { (t.chart.time) }
                    @if ranged {
                        th scope="col" { (t.chart.lowest) }
                        th scope="col" { (t.chart.mean) }
                        th scope="col" { (t.chart.highest) }
                    } @else {
                        th scope="col" { (t.chart.value) }
                    }
                } }
                tbody {
                    @for row in &self.rows {
                        tr {
                            td { (time::at(&row.when)) }
                            @if ranged { td { (readable(t, row.slot.low)) } }
                            td { (readable(t, row.slot.mean)) }
                            @if ranged { td { (readable(t, row.slot.high)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The scale's ends: a bit of air, and a scale where all values are equal.
fn scale_of(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    // Below this the number's own digits end, and marks would fall on each other.
    let least = (size * 1e-6).max(1e-9);
    let spread = high - low;
    let air = if spread > least {
        spread * 0.06
    } else {
        let share = if size > 0.0 { size * 0.1 } else { 0.5 };
        share.max(least)
    };
    let bottom = low - air;
    // What is never negative does not look so.
    let bottom = if low >= 0.0 { bottom.max(0.0) } else { bottom };
    (bottom, high + air)
}

/// Decimals that tell the scale's marks apart.
fn decimals(spread: f64) -> usize {
    let step = spread / 5.0;
    (0..6)
        .find(|places| step * 10_f64.powi(*places) >= 1.0)
        .map_or(6, |places| places as usize)
}

fn axis_label(t: &Texts, value: f64, decimals: usize) -> String {
    let size = value.abs();
    if size >= 1e6 || (size > 0.0 && size < 1e-5) {
        return format!("{value:.1e}");
    }
    with_decimals(t, value, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};

    #[test]
    fn the_scale_has_room_and_its_marks_differ() {
        for (low, high) in [
            (4.0, 5.0),
            (5.0, 5.0),
            (0.0, 0.0),
            (1_000.000_1, 1_000.000_2),
            (-1e100, 1e100),
            (1e99, 1e99),
            (1e-12, 2e-12),
            (-3.0, -3.0),
        ] {
            let (bottom, top) = scale_of(low, high);
            assert!(
                bottom < top && bottom <= low && top >= high,
                "{low}..{high}: {bottom}..{top}"
            );
            assert!((top - bottom).is_finite());
        }
        assert_eq!(scale_of(0.0, 100.0).0, 0.0);
    }

    #[test]
    fn labels_of_the_scale_are_short() {
        assert_eq!(
            axis_label(&ENGLISH, 20.000_000_000_004, decimals(3.0)),
            "20"
        );
        assert_eq!(axis_label(&GERMAN, 4.2, decimals(1.0)), "4,2");
        assert_eq!(axis_label(&ENGLISH, 2.5e12, 0), "2.5e12");
    }
}
