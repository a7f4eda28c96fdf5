//! The first part of the form: when.
//!
//! Owner of the six ways to say it. The stylesheet shows the fields of the chosen
//! way; a browser that cannot do that shows them all.

use super::form::Sheet;
use maud::{Markup, html};

/// The ways, and the words for each.
pub(super) fn when(sheet: Sheet<'_>) -> Markup {
    let f = &sheet.t.schedule_form;
    let ways = [
        ("daily", f.when_daily, f.when_daily_hint),
        ("at", f.when_at, f.when_at_hint),
        ("in", f.when_in, f.when_in_hint),
        ("every", f.when_every, f.when_every_hint),
        ("sun", f.when_sun, f.when_sun_hint),
        ("cron", f.when_cron, f.when_cron_hint),
    ];
    html! {
        fieldset.card.when {
            legend { (f.when) }
            div.way-list role="radiogroup" aria-label=(f.when) {
                @for (value, words, hint) in ways {
                    label.way-choice {
                        input type="radio" name="when" value=(value) checked[sheet.is("when", value)];
                        span { b { (words) } span.hint { (hint) } }
                    }
                }
            }
            (sheet.fault("when"))
            div.when-part.when-at { (sheet.text("date", f.date, "date", None)) }
            div.when-part.when-daily.when-at { (sheet.text("time", f.time, "time", None)) }
            div.when-part.when-in { (lapse(sheet, "in", &[("minutes", f.minutes), ("hours", f.hours)])) }
            div.when-part.when-every {
                (lapse(sheet, "every", &[("seconds", f.seconds), ("minutes", f.minutes), ("hours", f.hours), ("days", f.whole_days)]))
                div.two {
                    (sheet.text("from", f.window_from, "time", Some(f.window_hint)))
                    (sheet.text("to", f.window_to, "time", None))
                }
            }
            div.when-part.when-sun { (sun(sheet)) }
            div.when-part.when-cron { (sheet.text("cron", f.cron, "text", Some(f.cron_hint))) }
            div.when-part.when-daily.when-every.when-sun.when-cron { (sheet.days("day_", f.days)) (sheet.fault("days")) }
        }
    }
}

fn lapse(sheet: Sheet<'_>, prefix: &str, units: &[(&str, &str)]) -> Markup {
    let f = &sheet.t.schedule_form;
    html! {
        div.two {
            (sheet.text(&format!("{prefix}_amount"), f.amount, "number", None))
            (sheet.select(&format!("{prefix}_unit"), f.unit, units))
        }
    }
}

fn sun(sheet: Sheet<'_>) -> Markup {
    let f = &sheet.t.schedule_form;
    let events = [
        ("sunset", f.sunset),
        ("sunrise", f.sunrise),
        ("dusk", f.dusk),
        ("dawn", f.dawn),
    ];
    let sides = [("before", f.sun_before), ("after", f.sun_after)];
    html! {
        div.two {
            (sheet.text("sun_minutes", f.sun_minutes, "number", None))
            (sheet.select("sun_side", f.sun_side, &sides))
            (sheet.select("sun_event", f.sun_event, &events))
        }
    }
}
