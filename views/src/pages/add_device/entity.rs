//! The form of one entity, with the test bench beside it.
//!
//! Owner of how its fields are drawn and grouped. What was typed comes back as it was,
//! whatever was wrong with it.

use super::bench::{Bench, bench};
use super::fields::{FieldSpec, Group, Input, fields};
use super::{Problems, Step, back, shell, steps};
use crate::components::form;
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::{Texts, fill};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Kind;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The form of a new entity, or of one that is there.
#[derive(Clone, Debug)]
pub struct EntityForm {
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub device_name: String,
    /// The entity, if it is there already.
    pub entity: Option<EntityId>,
    /// Its kind.
    pub kind: Kind,
    /// What stands in the fields, by key; also `name`, `id` and `deadline_s`.
    pub values: BTreeMap<String, String>,
    /// What is wrong, by key; the empty word for the whole.
    pub problems: Problems,
    /// Ready fillings: word for the form, and how it is called.
    pub presets: Vec<(&'static str, &'static str)>,
    /// The version of the device that was read, if the entity is there already.
    pub version: i64,
    /// The test bench.
    pub bench: Bench,
}

impl EntityForm {
    fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    fn problem(&self, key: &str) -> Option<&str> {
        self.problems.get(key).map(String::as_str)
    }

    fn address(&self) -> String {
        match &self.entity {
            Some(entity) => links::edit_entity(&self.device, entity),
            None => links::add_entity(&self.device, self.kind),
        }
    }
}

/// The whole page.
pub fn entity_form(t: &'static Texts, viewer: &Viewer, model: &EntityForm) -> Markup {
    let title = match &model.entity {
        Some(entity) => {
            let name = model.value("name");
            let name = if name.is_empty() {
                entity.as_str()
            } else {
                name
            };
            fill(t.add_device.edit_title, name)
        }
        None => fill(t.add_device.new_title, (t.words.kind)(model.kind)),
    };
    let content = html! {
        (back(&links::entities(&model.device), &model.device_name))
        header.page-head { h1 { bdi { (title) } } }
        (steps(t, Some(&model.device), Step::Entities))
        form.maker method="post" action=(model.address()) autocomplete="off" novalidate {
            // Enter in a field saves, whatever button comes first.
            button.visually-hidden tabindex="-1" aria-hidden="true" { (t.add_device.save) }
            (form::csrf(&viewer.csrf))
            input type="hidden" name="version" value=(model.version);
            div.maker-fields {
                @if let Some(whole) = model.problem("") { (form::alert(whole)) }
                @else if !model.problems.is_empty() { (form::alert(t.frame.form_has_problems)) }
                (groups(t, model))
                p.ways {
                    button.button.strong { (t.add_device.save) }
                    a.button href=(links::entities(&model.device)) { (t.add_device.cancel) }
                }
            }
            (bench(t, &model.bench))
        }
    };
    shell(t, viewer, &title, &content)
}

fn groups(t: &Texts, model: &EntityForm) -> Markup {
    let a = &t.add_device;
    let all = fields(model.kind);
    let of = |group: Group| all.iter().filter(move |f| f.group == group);
    let any = |group: Group| of(group).next().is_some();
    let speaks = |group: Group| {
        of(group).any(|f| !model.value(f.key).is_empty() || model.problem(f.key).is_some())
    };
    let draw = |group: Group| html! { @for f in of(group) { (field(t, model, f)) } };
    let deadline = !matches!(model.kind, Kind::Sensor | Kind::BinarySensor);
    let more = speaks(Group::More)
        || !model.value("deadline_s").is_empty()
        || model.problem("deadline_s").is_some();
    html! {
        fieldset.card {
            legend { (a.group_about) }
            div.two { (name(t, model)) (id(t, model)) }
            div.two { (draw(Group::About)) }
        }
        fieldset.card {
            legend { (a.group_topics) }
            p.hint { (a.group_topics_hint) }
            (draw(Group::Topics))
        }
        fieldset.card #payloads {
            legend { (a.group_payloads) }
            (presets(t, model))
            @if any(Group::Payloads) { div.two { (draw(Group::Payloads)) } }
        }
        @if any(Group::Templates) {
            details.card open[speaks(Group::Templates)] {
                summary { (a.group_templates) }
                div.stack { p.hint { (a.group_templates_hint) } (draw(Group::Templates)) }
            }
        }
        details.card open[speaks(Group::Availability)] {
            summary { (a.group_availability) }
            div.stack { (draw(Group::Availability)) }
        }
        @if any(Group::More) || deadline {
            details.card open[more] {
                summary { (a.group_more) }
                div.stack {
                    (draw(Group::More))
                    @if deadline { (deadline_field(t, model)) }
                }
            }
        }
    }
}

fn presets(t: &Texts, model: &EntityForm) -> Markup {
    html! {
        @if !model.presets.is_empty() {
            div.presets role="group" aria-label=(t.add_device.presets) {
                span.hint { (t.add_device.presets) }
                @for (word, name) in &model.presets {
                    button.button name="do" value=(format!("preset:{word}"))
                        formaction=(format!("{}#payloads", model.address())) {
                        @if name.is_empty() { (t.add_device.preset_plain) } @else { (name) }
                    }
                }
            }
        }
    }
}

fn name(t: &Texts, model: &EntityForm) -> Markup {
    let spec = FieldSpec {
        key: "name",
        group: Group::About,
        input: Input::Text,
        default: "",
        required: model.entity.is_none(),
    };
    field(t, model, &spec)
}

fn id(t: &Texts, model: &EntityForm) -> Markup {
    html! {
        @match &model.entity {
            Some(entity) => {
                div.field {
                    span.label { (t.add_device.id) }
                    p.fixed { code { (entity) } }
                    p.hint { (t.add_device.id_stays) }
                }
            }
            None => {
                (field(t, model, &FieldSpec {
                    key: "id",
                    group: Group::About,
                    input: Input::Text,
                    default: "",
                    required: false,
                }))
            }
        }
    }
}

fn deadline_field(t: &Texts, model: &EntityForm) -> Markup {
    let default = match model.kind {
        Kind::Lock => "15",
        _ => "5",
    };
    let texts = Around {
        label: t.add_device.deadline,
        hint: Some(t.add_device.deadline_hint.to_owned()),
        problem: model.problem("deadline_s"),
    };
    texts.draw("deadline_s", |described| {
        html! {
            input #deadline_s name="deadline_s" type="text" inputmode="decimal" maxlength="12"
                value=(model.value("deadline_s")) placeholder=(default)
                aria-invalid=[texts.problem.map(|_| "true")] aria-describedby=[described];
        }
    })
}

/// Label, hint and problem of a field.
struct Around<'a> {
    label: &'a str,
    hint: Option<String>,
    problem: Option<&'a str>,
}

impl Around<'_> {
    fn draw(&self, key: &str, input: impl FnOnce(Option<String>) -> Markup) -> Markup {
        let mut described = Vec::new();
        if self.problem.is_some() {
            described.push(format!("{key}-problem"));
        }
        if self.hint.is_some() {
            described.push(format!("{key}-hint"));
        }
        let described = (!described.is_empty()).then(|| described.join(" "));
        html! {
            div.field {
                label for=(key) { (self.label) }
                (input(described))
                @if let Some(problem) = self.problem {
                    p.problem id=(format!("{key}-problem")) { (Icon::Warning.draw()) span { (problem) } }
                }
                @if let Some(hint) = &self.hint { p.hint id=(format!("{key}-hint")) { (hint) } }
            }
        }
    }
}

fn field(t: &Texts, model: &EntityForm, spec: &FieldSpec) -> Markup {
    let (key, value) = (spec.key, model.value(spec.key));
    let problem = model.problem(key);
    let invalid = problem.map(|_| "true");
    if spec.input == Input::Flag {
        return flag(t, model, spec);
    }
    // What an empty state topic means is nothing to say where it must not be empty.
    let told = (t.add_device.hint)(key).filter(|_| !(spec.required && key == "state_topic"));
    let hint = told.map(str::to_owned).or_else(|| {
        (!spec.default.is_empty()).then(|| fill(t.add_device.empty_means, spec.default))
    });
    let around = Around {
        label: (t.add_device.label)(key),
        hint,
        problem,
    };
    around.draw(key, |described| match spec.input {
        Input::Choice(words) => html! {
            select id=(key) name=(key) aria-invalid=[invalid] aria-describedby=[described] {
                @for word in words {
                    option value=(word) selected[*word == value] { ((t.add_device.choice)(key, word)) }
                }
            }
        },
        Input::Lines | Input::Template => html! {
            textarea id=(key) name=(key) rows=(lines(value)) dir="ltr" spellcheck="false"
                maxlength="16384" aria-invalid=[invalid] aria-describedby=[described]
                aria-required=[spec.required.then_some("true")] {
                // A first line break would be eaten by the parser.
                "\n" (value)
            }
        },
        Input::Suggest(words) => html! {
            input id=(key) name=(key) type="text" value=(value) maxlength="100" list=(format!("{key}-list"))
                aria-invalid=[invalid] aria-describedby=[described];
            datalist id=(format!("{key}-list")) { @for word in words { option value=(word) {} } }
        },
        _ => html! {
            input id=(key) name=(key) type="text" value=(value) placeholder=[placeholder(spec)]
                inputmode=[(spec.input == Input::Number).then_some("decimal")]
                class=[(spec.input != Input::Text).then_some("code")]
                dir=(if spec.input == Input::Text { "auto" } else { "ltr" })
                maxlength="1024" autocapitalize="none" spellcheck="false"
                aria-required=[spec.required.then_some("true")]
                aria-invalid=[invalid] aria-describedby=[described];
        },
    })
}

fn placeholder(spec: &FieldSpec) -> Option<&'static str> {
    (!spec.default.is_empty()).then_some(spec.default)
}

/// Room for what is typed, within reason: long templates scroll.
fn lines(value: &str) -> usize {
    value.lines().count().clamp(2, 10)
}

fn flag(t: &Texts, model: &EntityForm, spec: &FieldSpec) -> Markup {
    html! {
        div.field.check {
            label for=(spec.key) {
                input id=(spec.key) name=(spec.key) type="checkbox" value="on"
                    checked[!model.value(spec.key).is_empty()];
                span { ((t.add_device.label)(spec.key)) }
            }
            @if let Some(problem) = model.problem(spec.key) {
                p.problem { (Icon::Warning.draw()) span { (problem) } }
            }
        }
    }
}
