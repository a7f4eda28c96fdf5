//! How a device or a bridge gets in at the broker.
//!
//! Owner of showing a password: in this answer alone, never in an address and never a
//! second time. Whoever draws this page must see that nobody keeps it.

mod list;
mod snippets;

pub use list::{BridgePreset, CredentialLine, CredentialsPage, NewBridge, delete_page, list_page};
pub use snippets::{
    Connection, NO_PASSWORD, SnippetEntity, arduino_esp32, arduino_esp8266, esphome, mosquitto,
    python, tasmota, zigbee2mqtt,
};

use crate::components::form;
use crate::components::topic::topic;
use crate::icons::Icon;
use crate::layout::{Here, Viewer};
use crate::links;
use crate::pages::accounts::AccountFault;
use crate::pages::add_device::{Step, back, shell_at, steps};
use crate::pages::broker::ManagedBy;
use crate::texts::{Texts, fill};
use iothome_engine::ids::{CredentialId, DeviceId};
use maud::{Markup, html};

/// Whose credential it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A device's; it may have none yet.
    Device(DeviceId),
    /// A bridge's.
    Bridge(CredentialId),
}

/// The page.
#[derive(Clone, Debug)]
pub struct CredentialPage {
    /// Whose it is.
    pub whose: Whose,
    /// The device's or the bridge's name.
    pub name: String,
    /// Whether there is a broker user.
    pub exists: bool,
    /// Who manages the broker's users.
    pub managed_by: ManagedBy,
    /// What is wrong with the account at the broker.
    pub fault: Option<AccountFault>,
    /// Address, user, password (if it was made just now), topics.
    pub connection: Connection,
    /// What it may touch: whether it may publish, and the filter.
    pub rules: Vec<(bool, String)>,
    /// What the bridge is, as far as its topics tell.
    pub bridge: Option<BridgePreset>,
    /// The topic that Tasmota would have, if the device's topics look like Tasmota's.
    pub tasmota_topic: Option<String>,
    /// Whether the hub's certificate authority can be downloaded.
    pub has_ca: bool,
}

/// The whole page. It is never kept by a browser, and listens to nothing: a stream would fetch it
/// anew, without the password.
pub fn page(t: &'static Texts, viewer: &Viewer, model: &CredentialPage) -> Markup {
    let title = fill(t.credential.title, &model.name);
    let (to, to_name) = match &model.whose {
        Whose::Device(device) => (links::device(device), model.name.as_str()),
        Whose::Bridge(_) => (links::CREDENTIALS.to_owned(), t.credential.list_title),
    };
    let content = html! {
        (back(&to, to_name))
        header.page-head { h1 { bdi { (title) } } p.hint { (t.credential.lead) } }
        @if let Whose::Device(device) = &model.whose { (steps(t, Some(device), Step::Connect)) }
        div.credential {
            (user(t, viewer, model))
            (address(t, model))
            (rules(t, model))
            @if model.exists || model.managed_by == ManagedBy::Operator { (snippets(t, model)) }
        }
    };
    let here = match &model.whose {
        Whose::Device(_) => Here::NewDevices,
        Whose::Bridge(_) => Here::Settings,
    };
    shell_at(t, viewer, here, &title, &content)
}

fn user(t: &Texts, viewer: &Viewer, model: &CredentialPage) -> Markup {
    let c = &t.credential;
    if model.managed_by == ManagedBy::Operator {
        return operator(t, model);
    }
    let once = match model.managed_by {
        ManagedBy::Hub => c.once_sealed,
        ManagedBy::Embedded | ManagedBy::Operator => c.once,
    };
    html! {
        section.card.wide.block #user {
            h2 { (c.user) }
            @if let Some(fault) = &model.fault {
                p.trouble.bad role="status" { (Icon::Warning.draw()) span { (fault.words(t)) } }
            }
            @if model.exists {
                h3 { (c.username) }
                (copyable(t, "username", &model.connection.username))
                h3 { (c.password) }
                @match &model.connection.password {
                    Some(password) => {
                        (copyable(t, "password", password))
                        p.trouble.notice role="status" { (Icon::Warning.draw()) span { (once) } }
                    }
                    None => p.hint { (c.shown_before) },
                }
            } @else {
                p { (c.none_yet) }
            }
            form.inline method="post" action=(rotate_address(&model.whose)) {
                (form::csrf(&viewer.csrf))
                @if model.exists {
                    button.button { (c.rotate) }
                    p.hint { (c.rotate_hint) }
                } @else {
                    button.button.strong { (c.make) }
                }
            }
        }
    }
}

fn rotate_address(whose: &Whose) -> String {
    match whose {
        Whose::Device(device) => links::rotate_device_credential(device),
        Whose::Bridge(id) => links::rotate_credential(id),
    }
}

/// What the broker's operator must enter.
fn operator(t: &Texts, model: &CredentialPage) -> Markup {
    let c = &t.credential;
    let user = &model.connection.username;
    let mut acl = format!("user {user}\n");
    for (write, filter) in &model.rules {
        let word = if *write { "write" } else { "read" };
        acl.push_str(&format!("topic {word} {filter}\n"));
    }
    html! {
        section.card.wide.block #user {
            h2 { (c.user) }
            p { b { (c.operator) } }
            p.hint { (c.operator_hint) }
            h3 { (c.username) }
            (copyable(t, "username", user))
            h3 { (c.operator_rules) }
            (code_block(t, "acl", &acl))
        }
    }
}

fn address(t: &Texts, model: &CredentialPage) -> Markup {
    let connection = &model.connection;
    html! {
        section.card.wide.block {
            h2 { (t.credential.where_to) }
            h3 { (t.credential.host) }
            (copyable(t, "host", &connection.host))
            h3 { (t.credential.port) }
            (copyable(t, "port", &connection.port.to_string()))
            @if let Some(print) = &connection.sha256 {
                h3 { (t.broker.sha256) }
                (copyable(t, "sha256", print))
            }
            @if let Some(print) = &connection.sha1 {
                h3 { (t.broker.sha1) }
                (copyable(t, "sha1", print))
                p.hint { (t.broker.sha1_hint) }
            }
            @if connection.sha256.is_none() && connection.sha1.is_none() {
                p.hint { (t.broker.fingerprint_unknown) }
            }
            @if model.has_ca { p { a.file-link href=(links::CA) download { (t.credential.ca) } } }
        }
    }
}

fn rules(t: &Texts, model: &CredentialPage) -> Markup {
    let c = &t.credential;
    html! {
        @if !model.rules.is_empty() && model.managed_by != ManagedBy::Operator {
            details.card.wide.block {
                summary { (c.rules) }
                p.hint { (c.rules_hint) }
                dl.topic-list {
                    @for (write, filter) in &model.rules {
                        div {
                            dt { (if *write { c.may_write } else { c.may_read }) }
                            dd { (topic(filter)) }
                        }
                    }
                }
            }
        }
    }
}

fn snippets(t: &Texts, model: &CredentialPage) -> Markup {
    let c = &t.credential;
    let connection = &model.connection;
    let is_bridge = matches!(model.whose, Whose::Bridge(_));
    let may_be = |preset| model.bridge.is_none_or(|bridge| bridge == preset);
    html! {
        section.block.snippets aria-labelledby="snippets-name" {
            h2 #snippets-name { (c.snippets) }
            p.hint {
                (c.snippets_hint)
                @if connection.password.is_none() { " " (c.snippets_placeholder) }
            }
            @if !is_bridge && connection.entities.is_empty() { p.hint { (c.no_entities) } }
            @if is_bridge {
                @if may_be(BridgePreset::Zigbee2Mqtt) {
                    (snippet(t, "zigbee2mqtt", "Zigbee2MQTT", c.snippet_zigbee, &zigbee2mqtt(connection)))
                }
                @if may_be(BridgePreset::Tasmota) {
                (snippet(t, "tasmota", "Tasmota", c.snippet_tasmota,
                    &tasmota(connection, model.tasmota_topic.as_deref().unwrap_or("tasmota"))))
                }
                @if may_be(BridgePreset::EspHome) {
                (snippet(t, "esphome", "ESPHome", c.snippet_esphome, &esphome(connection)))
                }
            } @else {
                (snippet(t, "esp8266", "ESP8266 (Arduino)", c.snippet_arduino, &arduino_esp8266(connection)))
                (snippet(t, "esp32", "ESP32 (Arduino)", c.snippet_esp32, &arduino_esp32(connection)))
                (snippet(t, "esphome", "ESPHome", c.snippet_esphome, &esphome(connection)))
                @if let Some(topic) = &model.tasmota_topic {
                    (snippet(t, "tasmota", "Tasmota", c.snippet_tasmota_device, &tasmota(connection, topic)))
                }
            }
            (snippet(t, "mosquitto", "Mosquitto", c.snippet_mosquitto, &mosquitto(connection)))
            (snippet(t, "python", "Python", c.snippet_python, &python(connection)))
        }
    }
}

fn snippet(t: &Texts, id: &str, name: &str, hint: &str, text: &str) -> Markup {
    html! {
        details.card.wide {
            summary { (name) }
            p.hint { (hint) }
            (code_block(t, id, text))
        }
    }
}

/// A text of several lines to be copied.
fn code_block(t: &Texts, id: &str, text: &str) -> Markup {
    let id = format!("code-{id}");
    html! {
        div.code-block {
            pre tabindex="0" dir="ltr" { code id=(id) translate="no" { (text) } }
            (copy_button(t, &id))
        }
    }
}

/// A short text to be copied; without script it is selected with a tap.
fn copyable(t: &Texts, id: &str, text: &str) -> Markup {
    html! {
        div.copyable {
            code id=(id) dir="ltr" translate="no" {
                // A fingerprint breaks between its pairs, never within one.
                @for piece in text.split_inclusive(':') { (piece) wbr; }
            }
            (copy_button(t, id))
        }
    }
}

fn copy_button(t: &Texts, id: &str) -> Markup {
    html! {
        button.button.quiet.script-only type="button" data-copy=(id) data-done=(t.frame.copied)
            { (t.frame.copy) }
    }
}
