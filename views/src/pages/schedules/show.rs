//! The page of one schedule.
//!
//! Owner of its sections: words, times to come, history with every command.

use super::list::{clock_wrong, done, switch};
use super::{back, shell};
use crate::components::command;
use crate::components::confirm::Confirm;
use crate::components::form;
use crate::components::schedule::{self, DueLine, StepLine, tone_of};
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::rhythm::capital;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use iothome_engine::command::Status;
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::OccurrenceState;
use maud::{Markup, html};

/// The page.
#[derive(Clone, Debug)]
pub struct SchedulePage {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// When, in words.
    pub words: String,
    /// What must hold, in words.
    pub conditions: Option<String>,
    /// What it does.
    pub steps: Vec<StepLine>,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether it has done all it was to do.
    pub done: bool,
    /// Why the hub turned it off, in words.
    pub reason: Option<String>,
    /// Whose it is, if not the viewer's.
    pub owner: Option<String>,
    /// Whether the viewer may change it.
    pub may_change: bool,
    /// The next times.
    pub due: Vec<DueLine>,
    /// Zone and policies: label and words.
    pub rules: Vec<(&'static str, String)>,
    /// What became of it, the newest first.
    pub history: Vec<HistoryLine>,
    /// Where older ones are.
    pub older: Option<i64>,
    /// Whether the history is not the newest.
    pub paged: bool,
    /// Until when the hub waits, if it does not trust its clock.
    pub clock_wrong: Option<When>,
}

/// One occurrence.
#[derive(Clone, Debug)]
pub struct HistoryLine {
    /// When it was due.
    pub due: When,
    /// Names it.
    pub due_ms: i64,
    /// What became of it.
    pub state: OccurrenceState,
    /// Why, in words.
    pub reason: Option<String>,
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// Its actions.
    pub actions: Vec<HistoryAction>,
}

/// One action of an occurrence, with its command if it became one.
#[derive(Clone, Debug)]
pub struct HistoryAction {
    /// Of which entity.
    pub of: String,
    /// What was asked.
    pub what: String,
    /// How far its command came.
    pub status: Option<Status>,
    /// Its latency, formatted, in milliseconds.
    pub latency_ms: Option<String>,
    /// What became of the action itself.
    pub state: OccurrenceState,
    /// Why, in words.
    pub reason: Option<String>,
}

/// The whole page.
pub fn schedule(t: &'static Texts, viewer: &Viewer, live: &str, model: &SchedulePage) -> Markup {
    let s = &t.schedules;
    let content = html! {
        (back(links::SCHEDULES, s.back))
        @if let Some(until) = &model.clock_wrong { (clock_wrong(t, viewer, until)) }
        div.device-page {
            div {
                (head(t, viewer, model))
                section.block {
                    h2 { (s.section_does) }
                    div.card.wide { (schedule::steps(t, &model.steps)) }
                }
                section.block {
                    h2 { (s.section_next) }
                    div.card.wide {
                        @if !model.enabled && !model.done { p.empty-line { (s.next_off) } }
                        @else if model.due.is_empty() { p.empty-line { (s.next_none) } }
                        @else { (schedule::due_list(t, &model.due)) }
                    }
                }
                section.block {
                    h2 { (s.section_rules) }
                    dl.details {
                        @for (label, words) in &model.rules { div { dt { (label) } dd { (words) } } }
                    }
                }
            }
            div.beyond { (history(t, model)) }
        }
    };
    shell(t, viewer, &model.name, Some(live), &content)
}

fn head(t: &Texts, viewer: &Viewer, model: &SchedulePage) -> Markup {
    let s = &t.schedules;
    html! {
        header.page-head.schedule-head {
            div.head-line {
                h1 { bdi { (model.name) } }
                @if model.done { (done(t)) }
                @else if model.may_change { (switch(t, &viewer.csrf, &model.id, &model.name, model.enabled, false)) }
            }
            p.when-words { (model.words) }
            @if let Some(conditions) = &model.conditions {
                p.hint { (s.if_so) " " bdi { (conditions) } }
            }
            @if let Some(owner) = &model.owner {
                p.hint { (fill(s.owner, owner)) @if model.may_change { " " (s.takes_over) } }
            }
        }
        @if let Some(reason) = &model.reason {
            p.trouble.notice { (Icon::Warning.draw()) span { (fill(s.disabled_because, reason)) } }
        }
        @if model.may_change {
            div.ways {
                (button(viewer, &links::run_schedule(&model.id), s.run, true))
                @if model.enabled && !model.due.is_empty() && !model.due[0].skipped {
                    (button(viewer, &links::skip_schedule(&model.id), s.skip, false))
                }
                a.button href=(links::edit_schedule(&model.id)) { (s.edit) }
                (button(viewer, &links::duplicate_schedule(&model.id), s.duplicate, false))
                a.button.danger href=(links::delete_schedule(&model.id)) { (s.delete) }
            }
        }
    }
}

fn button(viewer: &Viewer, address: &str, words: &str, strong: bool) -> Markup {
    html! {
        form method="post" action=(address) {
            (form::csrf(&viewer.csrf))
            button.button.strong[strong] { (words) }
        }
    }
}

fn history(t: &Texts, model: &SchedulePage) -> Markup {
    let s = &t.schedules;
    html! {
        section.block #history aria-labelledby="history-name" data-fresh {
            h2 #history-name { (s.section_history) }
            @if model.history.is_empty() {
                p.empty-line { (s.history_none) }
            } @else {
                ol.commands { @for line in &model.history { (occurrence(t, line)) } }
            }
            p.ways {
                @if model.paged {
                    a.button href=(format!("{}#history", links::schedule(&model.id))) { (s.history_newest) }
                }
                @if let Some(before) = model.older {
                    a.button rel="next" href=(links::schedule_history(&model.id, before)) { (s.history_older) }
                }
            }
        }
    }
}

fn occurrence(t: &Texts, line: &HistoryLine) -> Markup {
    let (tone, icon) = tone_of(line.state);
    html! {
        li.command.occurrence id=(format!("due-{}", line.due_ms)) {
            span.badge.(tone.class()) { (icon.draw()) }
            div.what {
                p {
                    b { (capital((t.schedules.state)(line.state))) }
                    @if let Some(reason) = &line.reason { ": " bdi { (reason) } }
                    @if line.by_hand { " " span.tag { (t.schedules.by_hand) } }
                }
                ul.caused {
                    @for action in &line.actions { li { (caused(t, action)) } }
                }
            }
            p.who { (time::at(&line.due)) }
        }
    }
}

fn caused(t: &Texts, action: &HistoryAction) -> Markup {
    html! {
        bdi { (action.of) } " – " bdi { (action.what) } " – "
        @match action.status {
            Some(status) => {
                span.(command::tone(status).class()) .ending {
                    (command::ending(t, status, action.latency_ms.as_deref(), action.reason.as_deref()))
                }
            }
            None => {
                span.(tone_of(action.state).0.class()) .ending {
                    (not_asked(t, action))
                }
            }
        }
    }
}

fn not_asked(t: &Texts, action: &HistoryAction) -> Markup {
    html! {
        @if action.state == OccurrenceState::Claimed || action.state == OccurrenceState::Fired {
            ((t.schedules.state)(action.state))
        } @else {
            (t.schedules.no_command) ": " ((t.schedules.state)(action.state))
        }
        @if let Some(reason) = &action.reason { ", " bdi { (reason) } }
    }
}

/// Asks once more before a schedule goes.
pub fn delete(t: &'static Texts, viewer: &Viewer, id: &ScheduleId, name: &str) -> Markup {
    let s = &t.schedules;
    let title = fill(s.delete_title, name);
    let content = Confirm {
        back: &links::schedule(id),
        back_name: name,
        title: &title,
        says: &[s.delete_sure],
        problem: None,
        action: &links::delete_schedule(id),
        yes: s.delete,
        no: s.cancel,
    }
    .draw(&viewer.csrf);
    shell(t, viewer, &title, None, &content)
}
