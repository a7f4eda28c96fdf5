//! The second part of the form: what is done, step by step.
//!
//! Owner of the rows. A row's device is fixed once it is added, so that only what that
//! device can do is offered.

use super::form::Sheet;
use crate::icons::Icon;
use crate::texts::fill;
use iothome_engine::ids::DeviceId;
use maud::{Markup, html};

/// One step.
#[derive(Clone, Debug)]
pub struct ActionRow {
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub device_name: String,
    /// What can be asked of it.
    pub choices: Vec<ActionChoice>,
}

/// Something that can be asked.
#[derive(Clone, Debug)]
pub struct ActionChoice {
    /// For the form: `light/turn_on`, `mode/set="eco"`, `target/set`.
    pub value: String,
    /// In words: "Light: Turn on".
    pub words: String,
    /// Whether a value is to be typed, and of what kind: "5 to 30 °C".
    pub range: Option<String>,
}

/// The steps, and how to add one.
pub(super) fn actions(
    sheet: Sheet<'_>,
    address: &str,
    rows: &[ActionRow],
    devices: &[(DeviceId, String)],
) -> Markup {
    let f = &sheet.t.schedule_form;
    let here = format!("{address}#steps");
    html! {
        fieldset.card #steps {
            legend { (f.what) }
            @if rows.is_empty() { p.empty-line { (f.what_none) } }
            @else if rows.len() > 1 { p.hint { (f.what_hint) } }
            (sheet.fault("actions"))
            ol.rows {
                @for (n, row) in rows.iter().enumerate() { (step(sheet, &here, n, row)) }
            }
            div.beside-button {
                div.field {
                    label for="add_device" { (f.add_device) }
                    select #add_device name="add_device" {
                        option value="" { "–" }
                        @for (id, name) in devices { option value=(id) { (name) } }
                    }
                    (sheet.fault("add_device"))
                }
                button.button name="do" value="add" formaction=(here) { (Icon::Plus.draw()) (f.add) }
            }
        }
    }
}

fn step(sheet: Sheet<'_>, here: &str, n: usize, row: &ActionRow) -> Markup {
    let f = &sheet.t.schedule_form;
    let name = |part: &str| format!("a{n}_{part}");
    let what = name("what");
    let number = (n + 1).to_string();
    let takes_value = row.choices.iter().any(|choice| choice.range.is_some());
    let range = row
        .choices
        .iter()
        .find(|c| sheet.is(&what, &c.value))
        .or_else(|| row.choices.iter().find(|c| c.range.is_some()))
        .and_then(|c| c.range.as_deref());
    let hint = range.filter(|r| !r.is_empty()).unwrap_or(f.value_hint);
    let units = [
        ("seconds", f.seconds),
        ("minutes", f.minutes),
        ("hours", f.hours),
    ];
    html! {
        li.row id=(format!("step-{n}")) {
            input type="hidden" name=(name("device")) value=(row.device);
            div.row-head {
                h2 { span.hint { (number) ". " } bdi { (row.device_name) } }
                @if n > 0 {
                    button.button.quiet.square name="do" value=(format!("up-{n}")) formaction=(here)
                        aria-label=(fill(f.earlier, &number)) { (Icon::Up.draw()) }
                }
                button.button.quiet.square name="do" value=(format!("remove-{n}")) formaction=(here)
                    aria-label=(fill(f.remove_row, &number)) { (Icon::Cross.draw()) }
            }
            (sheet.fault(&name("device")))
            div.field {
                label for=(what) { (f.action) }
                select id=(what) name=(what) aria-invalid=[sheet.problem(&what).map(|_| "true")] {
                    @for choice in &row.choices {
                        option value=(choice.value) selected[sheet.is(&what, &choice.value)]
                            data-typed[choice.range.is_some()] { (choice.words) }
                    }
                }
                (sheet.fault(&what))
            }
            @if takes_value {
                div.typed { (sheet.text(&name("value"), f.value, "text", Some(hint))) }
            }
            div.delay {
                (sheet.text(&name("delay"), f.delay, "number", None))
                (sheet.select(&name("unit"), f.unit, &units))
            }
        }
    }
}
