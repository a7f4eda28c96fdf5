//! The list of schedules.
//!
//! Owner of the card of a schedule and of what an empty list teaches.

use super::shell;
use crate::components::form;
use crate::components::schedule::{self, DueLine, EndLine};
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::{Texts, fill};
use crate::time::When;
use iothome_engine::ids::{DeviceId, ScheduleId};
use maud::{Markup, html};

/// A schedule in the list.
#[derive(Clone, Debug)]
pub struct ScheduleCard {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// When, in words.
    pub words: String,
    /// What it does, in short.
    pub does: String,
    /// The next time.
    pub next: Option<DueLine>,
    /// What became of the last.
    pub last: Option<EndLine>,
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
}

/// A device to filter by.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Its id.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// Whether the list shows only what drives it.
    pub chosen: bool,
}

/// The page.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    /// By name.
    pub schedules: Vec<ScheduleCard>,
    /// Devices that schedules drive.
    pub filters: Vec<Filter>,
    /// Whether the viewer may schedule anything.
    pub may_make: bool,
    /// Until when the hub waits, if it does not trust its clock.
    pub clock_wrong: Option<When>,
    /// What was just done, if anything.
    pub done: Option<String>,
    /// Where the list goes on.
    pub more: Option<String>,
}

/// The whole page.
pub fn list(t: &'static Texts, viewer: &Viewer, live: &str, model: &ListPage) -> Markup {
    let s = &t.schedules;
    let filtered = model.filters.iter().any(|filter| filter.chosen);
    let content = html! {
        header.page-head { h1 { (s.title) } p.hint { (s.lead) } }
        @if let Some(done) = &model.done {
            p.banner.good role="status" { (Icon::Check.draw()) span { (done) } }
        }
        @if let Some(until) = &model.clock_wrong { (clock_wrong(t, viewer, until)) }
        p.ways {
            @if model.may_make { a.button.strong href=(links::NEW_SCHEDULE) { (Icon::Plus.draw()) (s.new) } }
            a.button href=(links::WEEK) { (s.week) }
            a.button href=(links::SIMULATE) { (s.simulate) }
            a.button href=(links::SCHEDULE_FILES) { (s.files) }
        }
        (filters(t, &model.filters, filtered))
        @if model.schedules.is_empty() { (empty(t, viewer, model, filtered)) }
        div #schedule-list .schedule-list data-fresh {
            @for schedule in &model.schedules { (card(t, &viewer.csrf, schedule)) }
        }
        @if let Some(more) = &model.more { p.ways { a.button href=(more) rel="next" { (s.more) } } }
    };
    shell(t, viewer, s.title, Some(live), &content)
}

/// That nothing runs because of the clock, and the button of whoever may say that it is right.
pub(super) fn clock_wrong(t: &Texts, viewer: &Viewer, until: &When) -> Markup {
    let s = &t.schedules;
    html! {
        p.banner.bad {
            (Icon::Warning.draw())
            span { b { (s.clock_wrong) } " " (fill(s.clock_wrong_hint, until.short())) }
        }
        @if viewer.admin {
            form.ways method="post" action=(links::TRUST_CLOCK) {
                (form::csrf(&viewer.csrf))
                button.button { (s.clock_right) }
            }
        }
    }
}

fn filters(t: &Texts, filters: &[Filter], filtered: bool) -> Markup {
    html! {
        @if filters.len() > 1 || filtered {
            nav.jumps aria-label=(t.schedules.filter) {
                a href=(links::SCHEDULES) aria-current=[(!filtered).then_some("true")] { (t.schedules.filter_all) }
                @for filter in filters {
                    a href=(links::schedules_of(&filter.device)) aria-current=[filter.chosen.then_some("true")] {
                        bdi { (filter.name) }
                    }
                }
            }
        }
    }
}

fn empty(t: &Texts, viewer: &Viewer, model: &ListPage, filtered: bool) -> Markup {
    let s = &t.schedules;
    html! {
        section.empty {
            (Icon::Clock.draw())
            @if filtered {
                h2 { (s.empty_filter) }
            } @else {
                h2 { (s.empty) }
                p { (s.empty_hint) }
                ul.examples { @for example in s.empty_examples { li { (example) } } }
            }
            @if !model.may_make && viewer.admin {
                p { (s.empty_devices) }
                p { a.button.strong href=(links::FIRST_DEVICE) { (t.first_device.title) } }
            }
            @else if !model.may_make { p { (s.empty_rights) } }
        }
    }
}

/// The card, which is also what the script swaps in.
pub fn card(t: &Texts, csrf: &str, schedule: &ScheduleCard) -> Markup {
    let s = &t.schedules;
    html! {
        article.card.schedule.is-off[!schedule.enabled || schedule.done] id=(format!("schedule-{}", schedule.id)) {
            header {
                h2.name { a href=(links::schedule(&schedule.id)) { bdi.clamp { (schedule.name) } } }
                @if schedule.done { (done(t)) }
                @else if schedule.may_change { (switch(t, csrf, &schedule.id, &schedule.name, schedule.enabled, true)) }
                @else { span.hint { @if schedule.enabled { (s.enabled) } @else { (s.off) } } }
            }
            p.when-words { (schedule.words) }
            p.hint { bdi.clamp { (schedule.does) } }
            @if let Some(reason) = &schedule.reason {
                p.trouble.notice { (Icon::Warning.draw()) span { (fill(s.disabled_because, reason)) } }
            }
            dl.facts-line {
                div {
                    dt { (s.next) }
                    dd {
                        @if !schedule.enabled && !schedule.done { (s.next_off) }
                        @else if let Some(next) = &schedule.next { (next.draw(t)) }
                        @else { (s.next_none) }
                    }
                }
                div {
                    dt { (s.last) }
                    dd {
                        @if let Some(last) = &schedule.last { (schedule::end(t, last)) }
                        @else { (s.last_none) }
                    }
                }
            }
            @if let Some(owner) = &schedule.owner { p.hint.small { (fill(s.owner, owner)) } }
        }
    }
}

/// In the place of the switch: there is nothing left to turn off.
pub(super) fn done(t: &Texts) -> Markup {
    html! { span.chip.calm.done { (Icon::Check.draw()) span { (t.schedules.done) } } }
}

/// The switch that turns a schedule on or off; in the list the script swaps the card alone.
pub(super) fn switch(
    t: &Texts,
    csrf: &str,
    id: &ScheduleId,
    name: &str,
    on: bool,
    listed: bool,
) -> Markup {
    let label = if on {
        t.schedules.turn_off
    } else {
        t.schedules.turn_on
    };
    html! {
        form method="post" action=(links::switch_schedule(id)) data-fetch[listed] {
            (form::csrf(csrf))
            @if listed { input type="hidden" name="back" value="list"; }
            input type="hidden" name="enabled" value=(!on);
            button.switch role="switch" aria-checked=(on) aria-label=(fill(label, name)) {
                span.thumb {}
            }
        }
    }
}
