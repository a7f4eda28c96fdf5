//! How the hub is: health, memory, database, queues, certificates, warnings.
//!
//! Owner of how these figures are told. It must never show a secret, and every
//! text that comes from elsewhere stands by itself.

use crate::components::form::{self, Field};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::numbers::{bytes, readable};
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use maud::{Markup, html};

/// A part of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the parts")]
pub enum Part {
    Database,
    Broker,
    Commands,
    History,
    Access,
}

/// A part and whether it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLine {
    /// Which.
    pub part: Part,
    /// Whether it works.
    pub works: bool,
    /// Why not.
    pub problem: Option<String>,
}

/// A queue of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the queues")]
pub enum Queue {
    Outbox,
    Commands,
    Audit,
    History,
    Announcements,
    Inbox,
}

/// A queue, how much waits in it and how much may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLine {
    /// Which.
    pub queue: Queue,
    /// How much waits.
    pub waiting: usize,
    /// How much may.
    pub bound: usize,
}

/// A certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after what they are for")]
pub enum CertificateRole {
    Web,
    Broker,
    NextBroker,
    Authority,
}

/// How long a certificate lasts yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Long enough.
    Well,
    /// Somebody should look.
    EndsSoon,
    /// Too late.
    Ended,
}

/// A certificate and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateLine {
    /// Which.
    pub role: CertificateRole,
    /// When it ends.
    pub ends: When,
    /// How long it lasts yet.
    pub lasting: Lasting,
}

/// A warning or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarningLine {
    /// Tells it from the others.
    pub number: u64,
    /// Whether it is an error.
    pub error: bool,
    /// When it was last said.
    pub at: When,
    /// Which part of the program said it.
    pub part: String,
    /// What it said.
    pub text: String,
    /// How often in a row.
    pub times: u64,
}

/// What is logged, and a form that changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogForm {
    /// The filter, as it is or as it was typed.
    pub filter: String,
    /// Whether it is another one than at the start.
    pub is_changed: bool,
    /// Whether what was typed is no filter.
    pub problem: bool,
    /// Whether it has just been changed.
    pub saved: bool,
}

/// The page.
#[derive(Clone, Debug)]
pub struct SystemPage {
    /// The hub's version.
    pub version: String,
    /// Seconds it runs.
    pub uptime_s: u64,
    /// Resident memory, if it is known.
    pub memory_bytes: Option<u64>,
    /// What the database is called.
    pub database: String,
    /// Its size, if it answers.
    pub database_bytes: Option<u64>,
    /// Its growth a day, if it is known.
    pub bytes_per_day: Option<i64>,
    /// The parts of the hub.
    pub parts: Vec<PartLine>,
    /// The queues.
    pub queues: Vec<QueueLine>,
    /// The certificates.
    pub certificates: Vec<CertificateLine>,
    /// What is logged; `None` where that cannot be changed.
    pub log: Option<LogForm>,
    /// The last warnings, the newest first.
    pub warnings: Vec<WarningLine>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, system: &SystemPage) -> Markup {
    let content = html! {
        (super::people::to_settings(t))
        header.page-head { h1 { (t.system.title) } p.hint { (t.system.lead) } }
        (health(t, &system.parts))
        div.hub-figures {
            (hub(t, system))
            (database(t, system))
        }
        (certificates(t, &system.certificates))
        (queues(t, &system.queues))
        section.block {
            h2 #warnings-name { (t.system.warnings) }
            p.hint { (t.system.warnings_hint) }
            (warnings(t, &system.warnings))
        }
        @if let Some(log) = &system.log { (log_form(t, viewer, log)) }
    };
    Shell {
        t,
        viewer,
        title: t.system.title,
        here: Here::Settings,
        live: Some(live),
    }
    .page(&content)
}

fn health(t: &Texts, parts: &[PartLine]) -> Markup {
    let well = parts.iter().all(|part| part.works);
    let (class, icon, words) = if well {
        ("good", Icon::Check, t.system.all_well)
    } else {
        ("bad", Icon::Warning, t.system.not_well)
    };
    html! {
        section aria-label=(t.system.health) {
            div.trouble.(class) { (icon.draw()) b { (words) } }
            ul.parts { @for part in parts { (self::part(t, part)) } }
        }
    }
}

fn part(t: &Texts, line: &PartLine) -> Markup {
    let name = match line.part {
        Part::Database => t.system.part_database,
        Part::Broker => t.system.part_broker,
        Part::Commands => t.system.part_commands,
        Part::History => t.system.part_history,
        Part::Access => t.system.part_access,
    };
    let (class, icon, words) = if line.works {
        ("good", Icon::Check, t.system.works)
    } else {
        ("bad", Icon::Cross, t.system.fails)
    };
    html! {
        li.part.(class) {
            span.badge { (icon.draw()) }
            span.facts {
                b { (name) }
                span.hint { (words) }
                @if let Some(problem) = &line.problem { span.hint { bdi { (problem) } } }
            }
        }
    }
}

fn hub(t: &Texts, system: &SystemPage) -> Markup {
    html! {
        section.block {
            h2 { (t.system.hub) }
            dl.details {
                div { dt { (t.system.version) } dd { (system.version) } }
                div { dt { (t.system.uptime) } dd { (span_of(t, system.uptime_s)) } }
                div { dt { (t.system.memory) } dd.figure { (size(t, system.memory_bytes)) } }
            }
        }
    }
}

fn database(t: &Texts, system: &SystemPage) -> Markup {
    let growth = match system.bytes_per_day {
        None => t.system.growth_unknown.to_owned(),
        Some(grown) => match u64::try_from(grown) {
            Ok(grown) if grown > 0 => fill(t.system.per_day, &bytes(t, grown)),
            _ => t.system.shrinks.to_owned(),
        },
    };
    html! {
        section.block {
            h2 { (t.system.database) }
            dl.details {
                div { dt { (t.system.kind) } dd { (system.database) } }
                div { dt { (t.system.size) } dd.figure { (size(t, system.database_bytes)) } }
                div { dt { (t.system.growth) } dd { (growth) } }
            }
        }
    }
}

fn size(t: &Texts, size: Option<u64>) -> String {
    size.map_or_else(|| t.system.unknown.to_owned(), |size| bytes(t, size))
}

/// "3 days, 4 hours": the two largest units.
fn span_of(t: &Texts, seconds: u64) -> String {
    let s = &t.system;
    let count = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => s.just_started.to_owned(),
        (0, 0, minutes) => count(minutes, s.minute, s.minutes),
        (0, hours, minutes) => format!(
            "{}, {}",
            count(hours, s.hour, s.hours),
            count(minutes, s.minute, s.minutes)
        ),
        (days, hours, _) => format!(
            "{}, {}",
            count(days, s.day, s.days),
            count(hours, s.hour, s.hours)
        ),
    }
}

fn certificates(t: &Texts, lines: &[CertificateLine]) -> Markup {
    html! {
        section.block {
            h2 { (t.system.certificates) }
            @if lines.is_empty() { p.hint { (t.system.certificates_none) } } @else {
                dl.details { @for line in lines { (certificate(t, line)) } }
            }
        }
    }
}

fn certificate(t: &Texts, line: &CertificateLine) -> Markup {
    let s = &t.system;
    let (name, hint) = match line.role {
        CertificateRole::Web => (s.certificate_web, s.certificate_web_hint),
        CertificateRole::Broker => (s.certificate_broker, s.certificate_broker_hint),
        CertificateRole::NextBroker => (s.certificate_next, s.certificate_next_hint),
        CertificateRole::Authority => (s.certificate_authority, s.certificate_authority_hint),
    };
    let trouble = match line.lasting {
        Lasting::Well => None,
        Lasting::EndsSoon => Some(("notice", s.ends_soon)),
        Lasting::Ended => Some(("bad", s.ended)),
    };
    html! {
        div {
            dt { (name) }
            dd {
                (s.ends) " " (time::at(&line.ends))
                @if let Some((class, words)) = trouble {
                    span.trouble.(class) { (Icon::Warning.draw()) (words) }
                }
                p.hint { (hint) }
            }
        }
    }
}

fn queues(t: &Texts, lines: &[QueueLine]) -> Markup {
    html! {
        section.block {
            h2 { (t.system.queues) }
            p.hint { (t.system.queues_hint) }
            dl.details { @for line in lines { (queue(t, line)) } }
        }
    }
}

fn queue(t: &Texts, line: &QueueLine) -> Markup {
    let s = &t.system;
    let name = match line.queue {
        Queue::Outbox => s.queue_outbox,
        Queue::Commands => s.queue_commands,
        Queue::Audit => s.queue_audit,
        Queue::History => s.queue_history,
        Queue::Announcements => s.queue_announcements,
        Queue::Inbox => s.queue_inbox,
    };
    html! {
        div {
            dt { (name) }
            dd.queue {
                span.figure { (fill(s.queue_of, &line.waiting.to_string())) (readable(t, line.bound as f64)) }
                meter aria-label=(name) min="0" max=(line.bound) high=(line.bound / 2) value=(line.waiting) {}
            }
        }
    }
}

fn log_form(t: &Texts, viewer: &Viewer, log: &LogForm) -> Markup {
    let s = &t.system;
    let filter = Field {
        name: "filter",
        label: s.log_filter,
        value: &log.filter,
        hint: Some(s.log_filter_hint),
        problem: log.problem.then_some(s.log_problem),
        kind: "text",
        autocomplete: Some("off"),
        max: Some(500),
        ..Field::default()
    };
    html! {
        section.block {
            h2 { (s.log) }
            @if log.saved { (form::done(s.log_saved)) }
            p.hint { (if log.is_changed { s.log_changed } else { s.log_as_started }) }
            form.stack method="post" action=(links::LOG_LEVEL) {
                (form::csrf(&viewer.csrf))
                (filter.draw())
                p.ways { button.button { (s.log_change) } }
            }
        }
    }
}

/// The last warnings: one element, which the live stream draws again.
pub fn warnings(t: &Texts, lines: &[WarningLine]) -> Markup {
    html! {
        div #warnings role="log" aria-labelledby="warnings-name" tabindex="0" {
            @if lines.is_empty() { p.hint { (t.system.warnings_none) } } @else {
                ol.warnings { @for line in lines { (warning(t, line)) } }
            }
        }
    }
}

fn warning(t: &Texts, line: &WarningLine) -> Markup {
    let (class, icon, word) = if line.error {
        ("bad", Icon::Cross, t.system.error)
    } else {
        ("notice", Icon::Warning, t.system.warning)
    };
    html! {
        li.warning.(class) id=(format!("warning-{}", line.number)) {
            (icon.draw())
            div {
                p.hint {
                    b.tone { (word) } " · " (time::at(&line.at)) " · " bdi { (line.part) }
                    @if line.times > 1 { " · " (fill(t.system.times, &line.times.to_string())) }
                }
                p { bdi { (line.text) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        for (seconds, english) in [
            (59, "less than a minute"),
            (60, "1 minute"),
            (3_600 + 120, "1 hour, 2 minutes"),
            (86_400 * 3 + 3_600 * 4 + 59, "3 days, 4 hours"),
        ] {
            assert_eq!(span_of(&ENGLISH, seconds), english);
        }
        assert_eq!(span_of(&GERMAN, 86_400), "1 Tag, 0 Stunden");
    }
}
