//! The form of a schedule, new or changed.
//!
//! Owner of its parts and their order: when, what, only if, the rest, and the preview
//! beside it. What was typed comes back as it was, whatever was wrong with it.

use super::actions::{ActionRow, actions};
use super::conditions::{ConditionRow, NewConditions, conditions};
use super::limits::limits;
use super::preview::{Preview, preview};
use super::when::when;
use super::{back, shell};
use crate::components::form::{self, Field};
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::{Texts, fill};
use iothome_engine::ids::{DeviceId, ScheduleId};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// What stands in the fields, by name.
pub type Values = BTreeMap<String, String>;
/// What is wrong, by field; the empty word for the whole.
pub type Problems = BTreeMap<String, String>;

/// The page.
#[derive(Clone, Debug)]
pub struct FormPage {
    /// The schedule, if it is there already.
    pub id: Option<ScheduleId>,
    /// Its name, if it is there already.
    pub title: String,
    /// What stands in the fields.
    pub values: Values,
    /// What is wrong.
    pub problems: Problems,
    /// The steps, each with what can be asked.
    pub actions: Vec<ActionRow>,
    /// Devices that may be scheduled.
    pub devices: Vec<(DeviceId, String)>,
    /// The conditions.
    pub conditions: Vec<ConditionRow>,
    /// Which further ones can be added.
    pub new_conditions: NewConditions,
    /// The home's zone.
    pub zone: String,
    /// What it would do.
    pub preview: Preview,
}

/// Draws fields with what stands in them.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    pub(super) t: &'static Texts,
    pub(super) values: &'a Values,
    pub(super) problems: &'a Problems,
}

impl<'a> Sheet<'a> {
    pub(super) fn value(&self, name: &str) -> &'a str {
        self.values.get(name).map_or("", String::as_str)
    }

    pub(super) fn problem(&self, name: &str) -> Option<&'a str> {
        self.problems.get(name).map(String::as_str)
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Whether something stands in one of them, or is wrong with it.
    pub(super) fn speaks(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| !self.value(name).is_empty() || self.problem(name).is_some())
    }

    pub(super) fn text(&self, name: &str, label: &str, kind: &str, hint: Option<&str>) -> Markup {
        Field {
            name,
            label,
            // Fields for numbers are plain text: the browser's own kind takes "1,5" for 15.
            kind: if kind == "number" { "text" } else { kind },
            hint,
            value: self.value(name),
            problem: self.problem(name),
            inputmode: (kind == "number").then_some("decimal"),
            max: matches!(kind, "text" | "number").then_some(100),
            ..Field::default()
        }
        .draw()
    }

    pub(super) fn select(&self, name: &str, label: &str, options: &[(&str, &str)]) -> Markup {
        let id = format!("{name}-problem");
        let problem = self.problem(name);
        html! {
            div.field {
                label for=(name) { (label) }
                select id=(name) name=(name) aria-invalid=[problem.map(|_| "true")]
                    aria-describedby=[problem.map(|_| &id)] {
                    @for (value, words) in options {
                        option value=(value) selected[self.is(name, value)] { (words) }
                    }
                }
                (self.fault(name))
            }
        }
    }

    pub(super) fn check(&self, name: &str, label: &str) -> Markup {
        html! {
            label.choice {
                input type="checkbox" name=(name) value="on" checked[self.is(name, "on")];
                span { (label) }
            }
        }
    }

    /// What is wrong with a field that is not drawn by [`Field`].
    pub(super) fn fault(&self, name: &str) -> Markup {
        html! {
            @if let Some(problem) = self.problem(name) {
                p.problem id=(format!("{name}-problem")) { (Icon::Warning.draw()) span { (problem) } }
            }
        }
    }

    /// Seven boxes, the names of which begin with `prefix`.
    pub(super) fn days(&self, prefix: &str, legend: &str) -> Markup {
        let days = self.t.dates.days.iter().zip(self.t.dates.days_long);
        let name = |word: &str| format!("{prefix}{}", word.to_ascii_lowercase());
        html! {
            fieldset.weekdays {
                legend { (legend) }
                div.weekday-row {
                    @for ((short, long), word) in days.zip(iothome_engine::schedule::Days::WORDS) {
                        label.weekday title=(long) {
                            input type="checkbox" name=(name(word)) value="on" checked[self.is(&name(word), "on")]
                                aria-label=(long);
                            span aria-hidden="true" { (short) }
                        }
                    }
                }
                p.hint { (self.t.schedule_form.days_hint) }
            }
        }
    }
}

/// The whole page.
pub fn form(t: &'static Texts, viewer: &Viewer, model: &FormPage) -> Markup {
    let f = &t.schedule_form;
    let (title, address, away) = match &model.id {
        Some(id) => (
            fill(f.title_edit, &model.title),
            links::edit_schedule(id),
            links::schedule(id),
        ),
        None => (
            f.title_new.to_owned(),
            links::NEW_SCHEDULE.to_owned(),
            links::SCHEDULES.to_owned(),
        ),
    };
    let sheet = Sheet {
        t,
        values: &model.values,
        problems: &model.problems,
    };
    let content = html! {
        (back(&away, if model.id.is_some() { &model.title } else { t.schedules.back }))
        header.page-head { h1 { bdi { (title) } } }
        form.maker.schedule-form method="post" action=(address) autocomplete="off" novalidate data-look {
            // Enter in a field looks, whatever button comes first.
            button.visually-hidden tabindex="-1" aria-hidden="true" name="do" value="preview" { (f.preview_go) }
            (form::csrf(&viewer.csrf))
            (hidden(sheet))
            div.maker-fields {
                @if let Some(whole) = sheet.problem("") { (form::alert(whole)) }
                @else if !model.problems.is_empty() { (form::alert(t.frame.form_has_problems)) }
                (when(sheet))
                (actions(sheet, &address, &model.actions, &model.devices))
                fieldset.card { (sheet.text("name", f.name, "text", Some(f.name_hint))) }
                (conditions(sheet, &address, &model.conditions, &model.new_conditions))
                (limits(sheet, &model.zone))
            }
            div.maker-end {
                (preview(t, &model.preview))
                p.ways {
                    button.button.strong name="do" value="save" { (f.save) }
                    button.button.plain-only name="do" value="preview" formaction=(format!("{address}#preview")) { (f.preview_go) }
                    a.button.quiet href=(away) { (f.cancel) }
                }
            }
        }
    };
    shell(t, viewer, &title, None, &content)
}

/// What is kept without being shown.
fn hidden(sheet: Sheet<'_>) -> Markup {
    html! {
        @for name in ["version", "anchor", "anchor_of", "enabled", "raw_conditions"] {
            @if !sheet.value(name).is_empty() {
                input type="hidden" name=(name) value=(sheet.value(name));
            }
        }
    }
}
