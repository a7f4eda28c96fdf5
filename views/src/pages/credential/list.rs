//! The broker's users: bridges and devices, and the form for a new bridge.
//!
//! Owner of that list. It must never show a password.

use super::super::add_device::{Problems, back, shell_at};
use crate::components::confirm::Confirm;
use crate::components::form::{self, Field};
use crate::components::topic::topic;
use crate::icons::Icon;
use crate::layout::{Here, Viewer};
use crate::links;
use crate::pages::accounts::AccountFault;
use crate::pages::broker::ManagedBy;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use iothome_engine::ids::{CredentialId, DeviceId};
use maud::{Markup, html};

/// What a new bridge is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BridgePreset {
    /// Zigbee2MQTT.
    #[default]
    Zigbee2Mqtt,
    /// Tasmota devices.
    Tasmota,
    /// ESPHome nodes.
    EspHome,
    /// Something else, with its own list of topics.
    Own,
}

impl BridgePreset {
    /// Every preset, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Zigbee2Mqtt, Self::Tasmota, Self::EspHome, Self::Own];

    /// The word in the form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zigbee2Mqtt => "zigbee2mqtt",
            Self::Tasmota => "tasmota",
            Self::EspHome => "esphome",
            Self::Own => "own",
        }
    }

    /// The preset of a form's word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == word)
    }

    const fn name(self, t: &Texts) -> &'static str {
        match self {
            Self::Zigbee2Mqtt => "Zigbee2MQTT",
            Self::Tasmota => "Tasmota",
            Self::EspHome => "ESPHome",
            Self::Own => t.credential.new_own,
        }
    }
}

/// One broker user.
#[derive(Clone, Debug)]
pub struct CredentialLine {
    /// Its id.
    pub id: CredentialId,
    /// The name a person knows it by.
    pub name: String,
    /// MQTT user name.
    pub username: String,
    /// Its device.
    pub device: Option<DeviceId>,
    /// Filters it may touch, the first few.
    pub filters: Vec<String>,
    /// When it was made.
    pub made: When,
    /// What is wrong with the account at the broker.
    pub fault: Option<AccountFault>,
}

/// What was typed for a new bridge.
#[derive(Clone, Debug, Default)]
pub struct NewBridge {
    /// What it is.
    pub preset: BridgePreset,
    /// Its name.
    pub name: String,
    /// Its prefix.
    pub prefix: String,
    /// Its topics, one a line.
    pub rules: String,
}

/// The page.
#[derive(Clone, Debug)]
pub struct CredentialsPage {
    /// Who manages the broker's users.
    pub managed_by: ManagedBy,
    /// Every user that the hub manages.
    pub lines: Vec<CredentialLine>,
    /// What was typed.
    pub form: NewBridge,
    /// What is wrong with it.
    pub problems: Problems,
}

/// The whole page.
pub fn list_page(t: &'static Texts, viewer: &Viewer, model: &CredentialsPage) -> Markup {
    let c = &t.credential;
    let (devices, bridges): (Vec<_>, Vec<_>) = model.lines.iter().partition(|l| l.device.is_some());
    let content = html! {
        (back(links::BROKER, t.broker.title))
        header.page-head { h1 { (c.list_title) } p.hint { (c.list_lead) } }
        @if model.managed_by == ManagedBy::Operator {
            p.trouble.notice { (Icon::Warning.draw()) span { (c.operator) } }
        } @else {
            section.block {
                h2 { (c.list_bridges) }
                (lines(t, &bridges))
            }
            (new_bridge(t, viewer, model))
            @if !devices.is_empty() {
                section.block {
                    h2 { (c.list_devices) }
                    (lines(t, &devices))
                }
            }
        }
    };
    shell_at(t, viewer, Here::Settings, c.list_title, &content)
}

fn lines(t: &Texts, lines: &[&CredentialLine]) -> Markup {
    html! {
        @if lines.is_empty() { p.empty-line { (t.credential.list_none) } }
        ul.made {
            @for line in lines {
                li.card.wide.made-entity {
                    span.badge.calm { (Icon::Broker.draw()) }
                    div.facts {
                        p.state { a href=(address(line)) { bdi { (line.name) } } }
                        p.hint { code { (line.username) } " · " (t.credential.made) " " (time::at(&line.made)) }
                        @if let Some(fault) = &line.fault { p { (Icon::Warning.draw()) " " (fault.words(t)) } }
                        p.hint.may-touch { @for filter in &line.filters { (topic(filter)) } }
                    }
                    p.ways {
                        a.button.quiet.danger href=(links::delete_credential(&line.id))
                            aria-label=(fill(t.credential.delete_title, &line.name)) { (t.credential.delete) }
                    }
                }
            }
        }
    }
}

fn address(line: &CredentialLine) -> String {
    match &line.device {
        Some(device) => links::device_credential(device),
        None => links::credential(&line.id),
    }
}

fn new_bridge(t: &Texts, viewer: &Viewer, model: &CredentialsPage) -> Markup {
    let c = &t.credential;
    let problem = |key: &str| model.problems.get(key).map(String::as_str);
    let field = Field {
        kind: "text",
        max: Some(100),
        ..Field::default()
    };
    let name = Field {
        name: "name",
        label: c.new_name,
        hint: Some(c.new_name_hint),
        value: &model.form.name,
        problem: problem("name"),
        required: true,
        ..field.clone()
    };
    let prefix = Field {
        name: "prefix",
        label: c.new_prefix,
        hint: Some(c.new_prefix_hint),
        value: &model.form.prefix,
        problem: problem("prefix"),
        autocomplete: Some("off"),
        ..field
    };
    html! {
        section.block {
            h2 { (c.new_title) }
            form.card.wide.stack.maker-form method="post" action=(links::CREDENTIALS) {
                (form::csrf(&viewer.csrf))
                @if let Some(whole) = problem("") { (form::alert(whole)) }
                fieldset.choices {
                    legend { (c.new_for) }
                    @for preset in BridgePreset::ALL {
                        label.choice {
                            input type="radio" name="preset" value=(preset.as_str())
                                checked[preset == model.form.preset];
                            span { (preset.name(t)) }
                        }
                    }
                }
                (name.draw())
                (prefix.draw())
                (rules(t, model))
                p.ways { button.button.strong { (c.new_submit) } }
            }
        }
    }
}

fn rules(t: &Texts, model: &CredentialsPage) -> Markup {
    let c = &t.credential;
    let problem = model.problems.get("rules");
    html! {
        div.field {
            label for="rules" { (c.new_rules) }
            textarea #rules name="rules" rows="3" dir="ltr" spellcheck="false" maxlength="8192"
                aria-invalid=[problem.map(|_| "true")]
                aria-describedby=(if problem.is_some() { "rules-problem rules-hint" } else { "rules-hint" }) {
                "\n" (model.form.rules)
            }
            @if let Some(problem) = problem {
                p.problem #rules-problem { (Icon::Warning.draw()) span { (problem) } }
            }
            p.hint #rules-hint { (c.new_rules_hint) }
        }
    }
}

/// Asks once more before a broker user goes.
pub fn delete_page(t: &'static Texts, viewer: &Viewer, id: &CredentialId, name: &str) -> Markup {
    let title = fill(t.credential.delete_title, name);
    let content = Confirm {
        back: links::CREDENTIALS,
        back_name: t.credential.list_title,
        title: &title,
        says: &[t.credential.delete_sure],
        problem: None,
        action: &links::delete_credential(id),
        yes: t.credential.delete,
        no: t.credential.cancel,
    }
    .draw(&viewer.csrf);
    shell_at(t, viewer, Here::Settings, &title, &content)
}
