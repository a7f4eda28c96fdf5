//! Parts that several pages show of schedules: times to come, steps, ends, the lines of a device.
//!
//! Owner of how a time to come is written and of the marks of clock changes. It must
//! never call something done that is only planned.

use super::Tone;
use crate::components::form;
use crate::icons::Icon;
use crate::links;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use iothome_engine::ids::{DeviceId, ScheduleId};
use iothome_engine::schedule::{Due, Note, OccurrenceState};
use jiff::civil::Date;
use maud::{Markup, html};

/// A time to come, as the wall will show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLine {
    iso: String,
    day: String,
    time: String,
    offset: String,
    note: Option<Note>,
    /// Whether somebody asked to skip it.
    pub skipped: bool,
}

impl DueLine {
    /// Of an occurrence; `today` is the local date now.
    pub fn new(t: &Texts, due: &Due, today: Date) -> Self {
        let local = due.local;
        let date = local.date();
        let day = match () {
            () if date == today => t.schedules.today.to_owned(),
            () if today.tomorrow().is_ok_and(|next| next == date) => {
                t.schedules.tomorrow.to_owned()
            }
            () if date.year() == today.year() => t.dates.weekday(local),
            () => format!("{} {}", t.dates.weekday(local), date.year()),
        };
        let time = match local.second() {
            0 => local.strftime("%H:%M").to_string(),
            _ => local.strftime("%H:%M:%S").to_string(),
        };
        let iso = due.local_text();
        // The end of the text: +01:00.
        let offset = iso.get(iso.len().saturating_sub(6)..).unwrap_or_default();
        Self {
            day,
            time,
            offset: offset.to_owned(),
            iso,
            note: due.note,
            skipped: false,
        }
    }

    /// "Tomorrow, 07:00".
    pub fn short(&self) -> Markup {
        html! { time datetime=(self.iso) { (self.day) ", " span.figure { (self.time) } } }
    }

    /// With its offset and what touches it.
    pub fn draw(&self, t: &Texts) -> Markup {
        html! {
            span.due-time { (self.short()) " " span.offset { "UTC" (self.offset) } }
            @if self.skipped { span.tag { (t.schedules.skipped_next) } }
            @if let Some(note) = self.note { (note_line(t, note)) }
        }
    }
}

fn note_line(t: &Texts, note: Note) -> Markup {
    let words = match note {
        Note::Gap => t.schedules.gap,
        Note::Overlap => t.schedules.overlap,
    };
    html! { p.trouble.notice { (Icon::Clock.draw()) span { (words) } } }
}

/// The times to come.
pub fn due_list(t: &Texts, due: &[DueLine]) -> Markup {
    html! {
        ol.due-list { @for line in due { li { (line.draw(t)) } } }
    }
}

/// One action of a schedule, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLine {
    /// What is asked: "Turn on", "Set to 21 °C".
    pub what: String,
    /// Of which entity, as the household calls it.
    pub of: String,
    /// How long it waits, in words.
    pub delay: Option<String>,
    /// Whether the entity is gone.
    pub gone: bool,
}

/// The steps in their order.
pub fn steps(t: &Texts, steps: &[StepLine]) -> Markup {
    html! {
        ol.step-list {
            @for step in steps {
                li {
                    @if let Some(delay) = &step.delay {
                        span.hint { (fill(t.schedules.after, delay)) ": " }
                    }
                    b { bdi { (step.of) } } " – " bdi { (step.what) }
                    @if step.gone { " " span.tag { (t.schedules.gone) } }
                }
            }
        }
    }
}

/// What became of an occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndLine {
    /// Its state.
    pub state: OccurrenceState,
    /// Why, in words.
    pub reason: Option<String>,
    /// When it was due.
    pub due: When,
}

/// How a state is to be taken.
pub const fn tone_of(state: OccurrenceState) -> (Tone, Icon) {
    match state {
        OccurrenceState::Claimed => (Tone::Calm, Icon::Clock),
        OccurrenceState::Fired => (Tone::Good, Icon::Check),
        OccurrenceState::Held => (Tone::Notice, Icon::Stop),
        OccurrenceState::Missed => (Tone::Notice, Icon::Clock),
        OccurrenceState::Skipped | OccurrenceState::Superseded => (Tone::Dim, Icon::Minus),
        OccurrenceState::Failed => (Tone::Bad, Icon::Cross),
    }
}

/// "ran · 07:00:00", "missed: the hub was not running".
pub fn end(t: &Texts, line: &EndLine) -> Markup {
    let (tone, icon) = tone_of(line.state);
    html! {
        span.end.(tone.class()) {
            (icon.draw())
            span {
                (capital((t.schedules.state)(line.state)))
                @if let Some(reason) = &line.reason { ": " bdi { (reason) } }
                " · " (time::at(&line.due))
            }
        }
    }
}

fn capital(text: &str) -> String {
    crate::texts::rhythm::capital(text)
}

/// The schedules of one device, on its page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceSchedules {
    /// Those that drive it.
    pub lines: Vec<DeviceLine>,
    /// The quick form, if the viewer may schedule it: what can be asked, as value and words.
    pub quick: Option<Vec<(String, String)>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceLine {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// When, in words.
    pub words: String,
    /// The next time.
    pub next: Option<DueLine>,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether it has done all it was to do.
    pub done: bool,
}

impl DeviceSchedules {
    /// The section of the device page.
    pub fn draw(&self, t: &Texts, csrf: &str, device: &DeviceId) -> Markup {
        let offers = self.quick.as_ref().is_some_and(|q| !q.is_empty());
        html! {
            @if offers || !self.lines.is_empty() { (self.section(t, csrf, device)) }
        }
    }

    fn section(&self, t: &Texts, csrf: &str, device: &DeviceId) -> Markup {
        html! {
            section.block #schedules aria-labelledby="schedules-name" {
                h2 #schedules-name { (t.schedules.for_device) }
                @if self.lines.is_empty() { p.empty-line { (t.schedules.for_device_none) } }
                @else { ul.schedule-lines { @for line in &self.lines { (line.draw(t)) } } }
                @if let Some(choices) = &self.quick { (quick(t, csrf, device, choices)) }
            }
        }
    }
}

impl DeviceLine {
    fn draw(&self, t: &Texts) -> Markup {
        html! {
            li {
                a href=(links::schedule(&self.id)) { bdi.clamp { (self.name) } }
                p.hint { (self.words) }
                p.hint {
                    @if !self.enabled && !self.done { (t.schedules.next_off) }
                    @else if let Some(next) = &self.next { (t.schedules.next) ": " (next.short()) }
                    @else if self.done { (t.schedules.done) }
                    @else { (t.schedules.next_none) }
                }
            }
        }
    }
}

/// "Turn off in 30 minutes", "turn on at 7:00": to the form, filled in and with its preview.
fn quick(t: &Texts, csrf: &str, device: &DeviceId, choices: &[(String, String)]) -> Markup {
    let s = &t.schedules;
    let what = |id: &str| {
        html! {
            div.field {
                label for=(id) { (s.quick_what) }
                select id=(id) name="a0_what" {
                    @for (value, words) in choices { option value=(value) { (words) } }
                }
            }
        }
    };
    let whole = |when: &str, heading: &str, field: &Markup| {
        html! {
            form.quick method="post" action=(links::NEW_SCHEDULE) {
                (form::csrf(csrf))
                input type="hidden" name="when" value=(when);
                input type="hidden" name="a0_device" value=(device);
                input type="hidden" name="do" value="preview";
                h3 { (heading) }
                div.quick-row {
                    (what(&format!("quick-{when}-what")))
                    (field)
                    button.button { (s.quick_go) }
                }
            }
        }
    };
    let minutes = html! {
        div.field {
            label for="quick-minutes" { (s.quick_minutes) }
            input #quick-minutes type="text" name="in_amount" pattern=(form::DECIMAL) maxlength="8" value="30" required
                inputmode="decimal" autocomplete="off";
            input type="hidden" name="in_unit" value="minutes";
        }
    };
    let time = html! {
        div.field {
            label for="quick-time" { (s.quick_time) }
            input #quick-time type="time" name="time" value="07:00" required;
        }
    };
    html! {
        @if !choices.is_empty() {
            p.ways { a.button href=(links::new_schedule(device)) { (Icon::Plus.draw()) (s.schedule_device) } }
            details.card.wide {
                summary { (s.quick_in) " · " (s.quick_at) }
                (whole("in", s.quick_in, &minutes))
                (whole("daily", s.quick_at, &time))
            }
        }
    }
}
