//! The week ahead: seven days, hour by hour, drawn on the server.
//!
//! Owner of that timeline: a list of days on a phone, a grid of days and hours on a
//! wide screen, from one and the same tree.

use super::{back, shell};
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::Texts;
use iothome_engine::ids::ScheduleId;
use maud::{Markup, html};

/// The page.
#[derive(Clone, Debug, Default)]
pub struct WeekPage {
    /// Seven days.
    pub days: Vec<WeekDay>,
    /// What is due so often that it is told once.
    pub often: Vec<WeekItem>,
    /// Whether there was more than could be looked at.
    pub cut: bool,
}

/// One day.
#[derive(Clone, Debug)]
pub struct WeekDay {
    /// "Today", "Wed 25 Nov".
    pub name: String,
    /// Its date.
    pub iso: String,
    /// How clocks change on it, in words.
    pub change: Option<String>,
    /// What is scheduled, by time.
    pub items: Vec<WeekItem>,
}

/// Something that is scheduled.
#[derive(Clone, Debug)]
pub struct WeekItem {
    /// The schedule, if the viewer may see it as a whole.
    pub schedule: Option<ScheduleId>,
    /// Its name.
    pub name: String,
    /// What it does, in short.
    pub does: String,
    /// "07:00".
    pub time: String,
    /// The hour it stands in.
    pub hour: u8,
    /// If it runs often that day: "24 times, 08:00 to 19:30".
    pub often: Option<String>,
    /// Whether a clock change touches it.
    pub touched: bool,
    /// Whether somebody asked to skip it.
    pub skipped: bool,
}

/// The whole page.
pub fn week(t: &'static Texts, viewer: &Viewer, live: &str, model: &WeekPage) -> Markup {
    let s = &t.schedules;
    let nothing = model.days.iter().all(|day| day.items.is_empty());
    let is_idle = nothing && model.often.is_empty();
    let content = html! {
        (back(links::SCHEDULES, s.back))
        header.page-head { h1 { (s.week_title) } p.hint { (s.week_lead) } }
        @if model.cut { p.banner.notice { (Icon::Warning.draw()) span { (s.week_cut) } } }
        @if is_idle { p.empty-line { (s.week_none) } }
        @if !model.often.is_empty() {
            section.block {
                h2 { (s.week_often) }
                ol.week-often { @for entry in &model.often { (item(t, entry)) } }
            }
        }
        div.week.is-empty[nothing] {
            div.hours aria-hidden="true" {
                @for hour in (0..24).step_by(3) {
                    span.hour-name.(format!("h{hour}")) { (format!("{hour:02}:00")) }
                }
            }
            @for (n, day) in model.days.iter().enumerate() { (column(t, n, day)) }
        }
    };
    shell(t, viewer, s.week_title, Some(live), &content)
}

fn column(t: &Texts, n: usize, day: &WeekDay) -> Markup {
    let id = format!("day-{n}");
    html! {
        section.week-day aria-labelledby=(id) {
            header.week-head {
                h2 id=(id) { time datetime=(day.iso) { (day.name) } }
                @if let Some(change) = &day.change {
                    p.trouble.notice { (Icon::Clock.draw()) span { (change) } }
                }
            }
            @if day.items.is_empty() { p.empty-line { (t.schedules.week_day_none) } }
            @for hour in 0..24 {
                @let items = day.items.iter().filter(|item| item.hour == hour);
                @if day.items.iter().any(|item| item.hour == hour) {
                    ol.week-hour.(format!("h{hour}")) { @for entry in items { (item(t, entry)) } }
                }
            }
        }
    }
}

fn item(t: &Texts, item: &WeekItem) -> Markup {
    html! {
        li.week-item.touched[item.touched].skipped[item.skipped] {
            a href=[item.schedule.map(|id| links::schedule(&id))] {
                @if !item.time.is_empty() { b.figure { (item.time) } " " }
                bdi.clamp { (item.name) }
                span.hint { bdi.clamp { (item.does) } }
                @if let Some(often) = &item.often { span.hint { (often) } }
                @if item.touched { span.tag { (Icon::Clock.draw()) span.visually-hidden { (t.schedules.gap) } } }
                @if item.skipped { span.tag { (t.schedules.skipped_next) } }
            }
        }
    }
}
