//! The dry run: what the schedules would do between two moments.
//!
//! Owner of that page. It must never look as if something had been switched.

use super::{back, shell};
use crate::components::form::{self, Field};
use crate::layout::Viewer;
use crate::links;
use crate::texts::{Texts, fill};
use iothome_engine::ids::ScheduleId;
use maud::{Markup, html};

/// The page.
#[derive(Clone, Debug, Default)]
pub struct SimulatePage {
    /// What was typed: local date and time.
    pub from: String,
    /// What was typed.
    pub to: String,
    /// What is wrong with it.
    pub from_problem: Option<String>,
    /// What is wrong with it.
    pub to_problem: Option<String>,
    /// What would happen, if it was asked.
    pub found: Option<Simulated>,
}

/// What would happen.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    /// How many things.
    pub count: usize,
    /// How many are shown, if not all.
    pub shown: Option<usize>,
    /// By day.
    pub days: Vec<SimulatedDay>,
}

/// One day of it.
#[derive(Clone, Debug)]
pub struct SimulatedDay {
    /// "Wed 25 Nov 2026".
    pub name: String,
    /// In order.
    pub lines: Vec<SimulatedLine>,
}

/// One thing that would happen.
#[derive(Clone, Debug)]
pub struct SimulatedLine {
    /// "07:00:00".
    pub time: String,
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its name.
    pub name: String,
    /// What, in words.
    pub what: String,
    /// The state it would cause, in words.
    pub becomes: Option<String>,
    /// Whether it would be held back or skipped.
    pub held: bool,
}

/// The whole page.
pub fn simulate(t: &'static Texts, viewer: &Viewer, model: &SimulatePage) -> Markup {
    let s = &t.schedules;
    let field = |name, label, value, problem| {
        Field {
            name,
            label,
            value,
            problem,
            kind: "datetime-local",
            required: true,
            ..Field::default()
        }
        .draw()
    };
    let content = html! {
        (back(links::SCHEDULES, s.back))
        header.page-head { h1 { (s.simulate_title) } p.hint { (s.simulate_lead) } }
        form.card.wide.stack.maker-form method="post" action=(format!("{}#log", links::SIMULATE)) novalidate {
            (form::csrf(&viewer.csrf))
            div.two.span {
                (field("from", s.simulate_from, &model.from, model.from_problem.as_deref()))
                (field("to", s.simulate_to, &model.to, model.to_problem.as_deref()))
            }
            p.ways { button.button.strong { (s.simulate_go) } }
        }
        @if let Some(found) = &model.found { (log(t, found)) }
    };
    shell(t, viewer, s.simulate_title, None, &content)
}

fn log(t: &Texts, found: &Simulated) -> Markup {
    let s = &t.schedules;
    html! {
        section.block #log {
            p.hint role="status" {
                @if found.count == 0 { (s.simulate_none) }
                @else { (fill(s.simulate_count, &found.count.to_string())) }
                @if let Some(shown) = found.shown { " " (fill(s.simulate_cut, &shown.to_string())) }
            }
            @for day in &found.days {
                h2 { (day.name) }
                ol.log { @for line in &day.lines { (entry(t, line)) } }
            }
        }
    }
}

fn entry(t: &Texts, line: &SimulatedLine) -> Markup {
    html! {
        li.log-line.dim[line.held] {
            span.figure { (line.time) }
            span {
                a href=(links::schedule(&line.schedule)) { bdi { (line.name) } } ": " bdi { (line.what) }
                @if let Some(becomes) = &line.becomes {
                    span.hint { " → " (fill(t.schedules.simulate_becomes, becomes)) }
                }
            }
        }
    }
}
