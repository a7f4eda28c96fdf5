//! The third part of the form: only if.
//!
//! Owner of the rows of conditions. What is too involved for rows is told in words
//! and kept as it is.

use super::form::Sheet;
use crate::icons::Icon;
use crate::texts::fill;
use iothome_engine::ids::{DeviceId, EntityId};
use maud::{Markup, html};

/// One condition.
#[derive(Clone, Debug)]
pub enum ConditionRow {
    /// The state of a device's entity.
    State {
        /// The device.
        device: DeviceId,
        /// Its name.
        name: String,
        /// Its entities.
        parts: Vec<(EntityId, String)>,
    },
    /// A time of day.
    Time,
    /// The sun.
    Sun,
}

/// What can be added, and what is kept.
#[derive(Clone, Debug, Default)]
pub struct NewConditions {
    /// Devices whose state the viewer may see.
    pub devices: Vec<(DeviceId, String)>,
    /// Conditions that no row can show, in words.
    pub kept: Option<String>,
}

/// The conditions, and how to add one.
pub(super) fn conditions(
    sheet: Sheet<'_>,
    address: &str,
    rows: &[ConditionRow],
    new: &NewConditions,
) -> Markup {
    let f = &sheet.t.schedule_form;
    let here = format!("{address}#conditions");
    let open = !rows.is_empty() || new.kept.is_some() || sheet.problem("conditions").is_some();
    let modes = [("all", f.conditions_all), ("any", f.conditions_any)];
    html! {
        details.card #conditions open[open] {
            summary { (f.conditions) }
            p.hint { (f.conditions_hint) }
            (sheet.fault("conditions"))
            @if let Some(kept) = &new.kept {
                p { (f.conditions_raw) " " b { bdi { (kept) } } }
                button.button name="do" value="drop-conditions" formaction=(here) { (f.conditions_raw_drop) }
            } @else {
                @if rows.len() > 1 { (sheet.select("c_mode", f.conditions_mode, &modes)) }
                ol.rows { @for (n, row) in rows.iter().enumerate() { (condition(sheet, &here, n, row)) } }
                div.beside-button {
                    div.field {
                        label for="add_condition" { (f.condition_add_state) }
                        select #add_condition name="add_condition" {
                            option value="" { "–" }
                            @for (id, name) in &new.devices { option value=(id) { (name) } }
                        }
                        (sheet.fault("add_condition"))
                    }
                    button.button name="do" value="if-state" formaction=(here) { (Icon::Plus.draw()) (f.add) }
                }
                p.ways {
                    button.button name="do" value="if-time" formaction=(here) { (Icon::Plus.draw()) (f.condition_add_time) }
                    button.button name="do" value="if-sun" formaction=(here) { (Icon::Plus.draw()) (f.condition_add_sun) }
                }
            }
        }
    }
}

fn condition(sheet: Sheet<'_>, here: &str, n: usize, row: &ConditionRow) -> Markup {
    let f = &sheet.t.schedule_form;
    let name = |part: &str| format!("c{n}_{part}");
    let number = (n + 1).to_string();
    let (kind, title) = match row {
        ConditionRow::State { name, .. } => ("state", fill(f.condition_state, name)),
        ConditionRow::Time => ("time", f.condition_time.to_owned()),
        ConditionRow::Sun => ("sun", f.condition_sun.to_owned()),
    };
    html! {
        li.row {
            input type="hidden" name=(name("kind")) value=(kind);
            div.row-head {
                h2 { bdi { (title) } }
                button.button.quiet.square name="do" value=(format!("if-remove-{n}")) formaction=(here)
                    aria-label=(fill(f.remove_row, &number)) { (Icon::Cross.draw()) }
            }
            (sheet.fault(&format!("c{n}")))
            @match row {
                ConditionRow::State { device, parts, .. } => (state(sheet, n, device, parts)),
                ConditionRow::Time => {
                    div.two {
                        (sheet.text(&name("from"), f.window_from, "time", None))
                        (sheet.text(&name("to"), f.window_to, "time", None))
                    }
                    (sheet.days(&name("day_"), f.days))
                    (sheet.fault(&name("days")))
                }
                ConditionRow::Sun => {
                    (sheet.select(&name("sun"), f.condition_sun_is, &[("up", f.sun_up), ("down", f.sun_down)]))
                }
            }
            (sheet.check(&name("not"), f.condition_not))
        }
    }
}

fn state(sheet: Sheet<'_>, n: usize, device: &DeviceId, parts: &[(EntityId, String)]) -> Markup {
    let f = &sheet.t.schedule_form;
    let name = |part: &str| format!("c{n}_{part}");
    let options: Vec<(&str, &str)> = parts
        .iter()
        .map(|(id, words)| (id.as_str(), words.as_str()))
        .collect();
    html! {
        input type="hidden" name=(name("device")) value=(device);
        (sheet.select(&name("entity"), f.condition_part, &options))
        div.two {
            (sheet.text(&name("is"), f.condition_is, "text", Some(f.condition_is_hint)))
            (sheet.text(&name("above"), f.condition_above, "text", None))
            (sheet.text(&name("below"), f.condition_below, "text", None))
        }
        (sheet.text(&name("for"), f.condition_for, "number", Some(f.condition_for_hint)))
    }
}
