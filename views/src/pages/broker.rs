//! What a device needs to know to connect, and how the hub stands with its broker.
//!
//! Owner of how fingerprints are shown. It must never show a password.

use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::Texts;
use crate::time::{self, When};
use maud::{Markup, html};

/// Who gives out the broker's users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    /// The broker runs inside the hub.
    Embedded,
    /// The hub manages an outside broker.
    Hub,
    /// Whoever runs the broker.
    Operator,
}

/// The page.
#[derive(Clone, Debug)]
pub struct BrokerPage {
    /// Host and port.
    pub address: String,
    /// Whether the hub is connected.
    pub connected: bool,
    /// Since when it is, or is not.
    pub since: Option<When>,
    /// SHA-256 fingerprint of the broker's certificate.
    pub sha256: Option<String>,
    /// SHA-1 fingerprint, for old firmware.
    pub sha1: Option<String>,
    /// Who manages users.
    pub managed_by: ManagedBy,
    /// Why it is not connected.
    pub problem: Option<String>,
    /// Version of the hub.
    pub version: String,
    /// Whether the hub's own certificate authority can be downloaded.
    pub has_ca: bool,
    /// Counts, as label and number.
    pub counts: Vec<(String, u64)>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, broker: &BrokerPage) -> Markup {
    let content = html! {
        header.page-head { h1 { (t.broker.title) } p.hint { (t.broker.lead) } }
        (connection(t, broker))
        section.block.card.wide {
            h2 { (t.broker.address) }
            (copyable(t, "broker-address", &broker.address))
            p.hint { (managed(t, broker.managed_by)) }
        }
        section.block.card.wide {
            h2 { (t.broker.fingerprints) }
            @if broker.sha256.is_none() && broker.sha1.is_none() {
                p { (t.broker.fingerprint_unknown) }
            } @else {
                p.hint { (t.broker.fingerprints_hint) }
            }
            @if let Some(print) = &broker.sha256 {
                h3 { (t.broker.sha256) }
                (copyable(t, "sha256", print))
            }
            @if let Some(print) = &broker.sha1 {
                h3 { (t.broker.sha1) }
                (copyable(t, "sha1", print))
                p.hint { (t.broker.sha1_hint) }
            }
            @if broker.has_ca {
                p { a href=(links::CA) download { (t.broker.ca) } }
            }
        }
        section.block {
            dl.details {
                @for (label, count) in &broker.counts { div { dt { (label) } dd { (count) } } }
                div { dt { (t.broker.version) } dd { (broker.version) } }
            }
        }
    };
    Shell {
        t,
        viewer,
        title: t.broker.title,
        here: Here::Settings,
        live: Some(live),
    }
    .page(&content)
}

fn connection(t: &Texts, broker: &BrokerPage) -> Markup {
    let (class, icon, words) = if broker.connected {
        ("good", Icon::Check, t.broker.connected)
    } else {
        ("bad", Icon::Away, t.broker.away)
    };
    html! {
        div.trouble.(class) #broker-state {
            (icon.draw())
            div {
                (words)
                @if let Some(since) = &broker.since {
                    " " (t.broker.connected_since) " " (time::at(since))
                }
                @if let (false, Some(problem)) = (broker.connected, &broker.problem) {
                    p { bdi { (problem) } }
                }
            }
        }
    }
}

const fn managed(t: &Texts, by: ManagedBy) -> &'static str {
    match by {
        ManagedBy::Embedded => t.broker.managed_embedded,
        ManagedBy::Hub => t.broker.managed_hub,
        ManagedBy::Operator => t.broker.managed_operator,
    }
}

/// A text to be copied; without script it is selected with a tap.
fn copyable(t: &Texts, id: &str, text: &str) -> Markup {
    html! {
        div.copyable {
            code id=(id) {
                // A fingerprint breaks between its pairs, never within one.
                @for piece in text.split_inclusive(':') { (piece) wbr; }
            }
            button.button.quiet.script-only type="button" data-copy=(id) data-done=(t.frame.copied) { (t.frame.copy) }
        }
    }
}
