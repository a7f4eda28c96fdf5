//! What states an entity was in over time: bands with words, a legend with totals, and a table.
//!
//! Owner of state timelines. A state is never told by colour alone: bands differ in height,
//! carry their word where it fits, and the legend and the table name them.

use super::canvas::{AXIS, Canvas, Drawing, Ink, LABEL};
use super::gap::{self, Gap};
use super::period::{Period, TimeAxis};
use super::reader::{self, Said};
use crate::texts::{Texts, fill, fill_all};
use crate::time::{self, When, duration};
use maud::{Markup, html};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// Height of the bands in the drawing's units.
const HIGH: u32 = 440;
/// Width of the plot on a small phone, in the width of an average letter.
const LETTERS: f64 = 44.0;

/// A state that an entity was in.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// In words.
    pub words: String,
    /// How it is drawn.
    pub ink: Ink,
    /// How tall its bands are, from 0 to 1.
    pub level: f64,
    /// How long it lasted in all; 0 where that is told with others.
    pub total_ms: i64,
}

/// A stretch in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first instant, in Unix milliseconds.
    pub from_ms: i64,
    /// The instant after its last.
    pub to_ms: i64,
    /// Which of the timeline's states.
    pub state: usize,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When it began.
    pub when: When,
    /// The state in words.
    pub words: String,
    /// How long it lasted.
    pub lasted_ms: i64,
}

/// A timeline, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// What its element ids end with: unique on the page.
    pub id: String,
    /// The name of the entity.
    pub name: String,
    /// The stretch of time.
    pub period: Period,
    /// The states there were.
    pub states: Vec<State>,
    /// The stretches, in order.
    pub stretches: Vec<Stretch>,
    /// When nothing could be known.
    pub gaps: Vec<Gap>,
    /// The table, the newest row first.
    pub rows: Vec<Row>,
    /// How many changes the table leaves out.
    pub more: usize,
}

impl Timeline {
    /// Picture, legend and table.
    pub fn draw(&self, t: &Texts) -> Markup {
        html! {
            section.values id=(format!("chart-{}", self.id)) {
                h3 { bdi { (self.name) } }
                @if self.stretches.is_empty() {
                    p.empty-line { (t.chart.none_states) }
                    (gap::legend(t, &self.gaps))
                } @else {
                    (self.picture(t))
                    ul.legend {
                        @for state in &self.states {
                            li {
                                i.swatch.(state.ink.class()).(height(state.level)) {}
                                bdi { (state.words) }
                                @if state.total_ms > 0 { " " span.soft { (duration(t, state.total_ms)) } }
                            }
                        }
                        (gap::entries(t, &self.gaps))
                    }
                    details {
                        summary { (t.chart.table) }
                        (self.table(t))
                    }
                }
            }
        }
    }

    fn picture(&self, t: &Texts) -> Markup {
        let mut drawing = Drawing::default();
        let drawn = self.plot(&mut drawing);
        html! {
            @if drawn.is_err() {
                p.empty-line { (t.chart.not_drawn) }
            } @else {
                (reader::frame(t, &self.name, &self.period, &self.said(t), &html! {
                    div.drawing role="img" aria-label=(self.summary(t)) {
                        (drawing.markup(HIGH + AXIS, "of-states"))
                    }
                }))
            }
        }
    }

    fn summary(&self, t: &Texts) -> String {
        let states = self.states.iter().filter(|s| s.total_ms > 0);
        let states = states.map(|s| format!("{} {}", s.words, duration(t, s.total_ms)));
        let states = states.collect::<Vec<_>>().join(", ");
        let span = fill_all(
            t.chart.summary_states,
            &[
                &self.name,
                self.period.from.short(),
                self.period.to.short(),
                &states,
            ],
        );
        let gaps = gap::summary(t, &self.gaps);
        if gaps.is_empty() {
            span
        } else {
            format!("{span} {}", fill(t.chart.summary_gaps, &gaps))
        }
    }

    fn plot(&self, out: &mut Drawing) -> Result<(), Box<dyn Error>> {
        let area = Canvas::new(out, HIGH, false).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(AXIS)
            .build_cartesian_2d(TimeAxis(self.period.clone()), 0.0..1.0)
            .map_err(|e| e.to_string())?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(0)
            .x_labels(12)
            .label_style(("sans-serif", LABEL).into_font().color(&Ink::Label.color()))
            .draw()
            .map_err(|e| e.to_string())?;
        let bands = self.stretches.iter().filter_map(|stretch| {
            let state = self.states.get(stretch.state)?;
            let place = [(stretch.from_ms, 0.0), (stretch.to_ms, state.level)];
            Some(Rectangle::new(place, state.ink.color().filled()))
        });
        chart.draw_series(bands).map_err(|e| e.to_string())?;
        let gaps = gap::drawn(&self.period, &self.gaps).into_iter().map(|gap| {
            let place = [(gap.from_ms, 0.0), (gap.to_ms, 1.0)];
            Rectangle::new(place, gap.why.ink().color().filled())
        });
        chart.draw_series(gaps).map_err(|e| e.to_string())?;
        let style = ("sans-serif", LABEL).into_font().color(&Ink::Word.color());
        let style = style.pos(Pos::new(HPos::Center, VPos::Center));
        let words = self.stretches.iter().filter_map(|stretch| {
            let state = self.states.get(stretch.state)?;
            let middle = stretch.from_ms + (stretch.to_ms - stretch.from_ms) / 2;
            let text = self.fitting(stretch, &state.words)?;
            Some(Text::new(text, (middle, state.level / 2.0), style.clone()))
        });
        chart.draw_series(words).map_err(|e| e.to_string())?;
        area.present().map_err(|e| e.to_string())?;
        Ok(())
    }

    /// The word, if the band has room for it also on a phone.
    fn fitting(&self, stretch: &Stretch, words: &str) -> Option<String> {
        let room =
            (self.period.share(stretch.to_ms) - self.period.share(stretch.from_ms)) * LETTERS;
        #[expect(clippy::cast_precision_loss, reason = "a word")]
        let letters = words.chars().count() as f64 + 1.5;
        (letters <= room).then(|| words.to_owned())
    }

    fn said(&self, t: &Texts) -> Vec<Said> {
        let stretches = self.stretches.iter().filter_map(|stretch| {
            Some(Said {
                at_ms: stretch.from_ms,
                words: self.states.get(stretch.state)?.words.clone(),
            })
        });
        let gaps = gap::drawn(&self.period, &self.gaps);
        reader::with_gaps(t, stretches.collect(), &gaps)
    }

    fn table(&self, t: &Texts) -> Markup {
        html! {
            table {
                thead { tr {
                    th scope="col" { (t.chart.since) }
                    th scope="col" { (t.chart.state) }
                    th scope="col" { (t.chart.lasted) }
                } }
                tbody {
                    @for row in &self.rows {
                        tr {
                            td { (time::at(&row.when)) }
                            td { bdi { (row.words) } }
                            td { (duration(t, row.lasted_ms)) }
                        }
                    }
                }
            }
            @if self.more > 0 {
                p.hint { (fill(t.chart.more_changes, &self.more.to_string())) }
            }
        }
    }
}

/// The height of a state's swatch.
fn height(level: f64) -> &'static str {
    match level {
        l if l <= 0.5 => "low",
        l if l <= 0.8 => "mid",
        _ => "tall",
    }
}
