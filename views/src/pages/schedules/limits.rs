//! The last part of the form: dates, clock changes, lateness, zone.
//!
//! Owner of those fields; most people never open them.

use super::form::Sheet;
use crate::texts::fill;
use maud::{Markup, html};

const FIELDS: [&str; 6] = ["start", "end", "excluded", "jitter", "zone", "grace_own"];

/// The fields, open if one of them says something.
pub(super) fn limits(sheet: Sheet<'_>, zone: &str) -> Markup {
    let t = sheet.t;
    let f = &t.schedule_form;
    let policy = t.schedules.policy;
    let own = |name: &str, usual: &str| {
        !sheet.value(name).is_empty() && !sheet.is(name, usual) || sheet.problem(name).is_some()
    };
    let open = sheet.speaks(&FIELDS)
        || own("gap", "next_valid")
        || own("overlap", "first")
        || own("missed", "once")
        || own("grace", "15");
    let gaps = ["next_valid", "skip"].map(|word| (word, policy(word)));
    let overlaps = ["first", "second", "both"].map(|word| (word, policy(word)));
    let missed = ["once", "skip", "all"].map(|word| (word, policy(word)));
    html! {
        details.card open[open] {
            summary { (f.advanced) }
            div.stack {
                (sheet.select("missed", f.missed, &missed))
                (sheet.text("grace", f.grace, "number", Some(f.grace_hint)))
                (sheet.select("gap", f.gap, &gaps))
                (sheet.select("overlap", f.overlap, &overlaps))
                div.two {
                    (sheet.text("start", f.start, "date", None))
                    (sheet.text("end", f.end, "date", None))
                }
                (excluded(sheet))
                (sheet.text("jitter", f.jitter, "number", Some(f.jitter_hint)))
                (sheet.text("zone", f.zone, "text", Some(&fill(f.zone_hint, zone))))
            }
        }
    }
}

fn excluded(sheet: Sheet<'_>) -> Markup {
    let f = &sheet.t.schedule_form;
    let problem = sheet.problem("excluded");
    let described = match problem {
        Some(_) => "excluded-problem excluded-hint",
        None => "excluded-hint",
    };
    html! {
        div.field {
            label for="excluded" { (f.excluded) }
            textarea #excluded name="excluded" rows="3" aria-invalid=[problem.map(|_| "true")]
                aria-describedby=(described) { (sheet.value("excluded")) }
            (sheet.fault("excluded"))
            p.hint #excluded-hint { (f.excluded_hint) }
        }
    }
}
