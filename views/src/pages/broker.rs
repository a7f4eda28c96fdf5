//! What a device needs to know to connect, who is connected, and how the hub stands with
//! its broker.
//!
//! Owner of how fingerprints are shown. It must never show a password.

use super::accounts::Accounts;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::numbers::with_decimals;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use maud::{Markup, html};

/// Clients shown; the REST interface tells them all.
const CLIENTS_SHOWN: usize = 200;

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

/// The fingerprints of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints {
    /// SHA-256.
    pub sha256: Option<String>,
    /// SHA-1, for old firmware.
    pub sha1: Option<String>,
}

/// Messages between the hub and its broker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Messages {
    /// Received a second, over the last minute.
    pub received_per_second: f64,
    /// Sent a second, over the last minute.
    pub sent_per_second: f64,
    /// Received since the start.
    pub received: u64,
    /// Sent since the start.
    pub sent: u64,
    /// Waiting to be sent.
    pub waiting: u64,
    /// Dropped.
    pub dropped: u64,
    /// Subscriptions refused by the broker.
    pub refused: u64,
}

/// A client that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLine {
    /// The broker user it came in with; `None` is the hub itself.
    pub username: Option<String>,
    /// Its MQTT client id.
    pub client_id: String,
    /// Where it comes from.
    pub address: String,
    /// Since when.
    pub since: When,
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
    /// Why it is not connected.
    pub problem: Option<String>,
    /// Fingerprints of the certificate in use.
    pub prints: Prints,
    /// Fingerprints of the one that will follow, if it is prepared.
    pub next: Option<Prints>,
    /// Who manages users.
    pub managed_by: ManagedBy,
    /// How they stand, and what the self-test showed.
    pub accounts: Accounts,
    /// Whether the hub's own certificate authority can be downloaded.
    pub has_ca: bool,
    /// Messages.
    pub messages: Messages,
    /// Who is connected; `None` where the broker does not tell.
    pub clients: Option<Vec<ClientLine>>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, broker: &BrokerPage) -> Markup {
    let content = html! {
        (super::people::to_settings(t))
        header.page-head { h1 { (t.broker.title) } p.hint { (t.broker.lead) } }
        (connection(t, broker))
        section.block.card.wide {
            h2 { (t.broker.address) }
            (copyable(t, "broker-address", &broker.address))
            p.hint { (managed(t, broker.managed_by)) }
            @if broker.managed_by != ManagedBy::Operator {
                p { a href=(links::CREDENTIALS) { (t.broker.credentials) } " " span.hint { (t.broker.credentials_hint) } }
            }
        }
        section.block.card.wide {
            h2 { (t.broker.fingerprints) }
            @if broker.prints == Prints::default() {
                p { (t.broker.fingerprint_unknown) }
            } @else {
                p.hint { (t.broker.fingerprints_hint) }
            }
            (prints(t, "", &broker.prints))
            @if let Some(next) = &broker.next {
                h3 { (t.broker.next) }
                p.hint { (t.broker.next_hint) }
                (prints(t, "next-", next))
            }
            @if broker.has_ca {
                p { a href=(links::CA) download { (t.broker.ca) } }
            }
        }
        (super::accounts::sections(t, viewer, &broker.accounts))
        section.block {
            h2 { (t.broker.messages) }
            (messages(t, &broker.messages))
        }
        section.block {
            h2 { (t.broker.clients) }
            (clients(t, broker.clients.as_deref()))
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

/// The figures of messages: one element, which the live stream draws again.
pub fn messages(t: &Texts, messages: &Messages) -> Markup {
    let rate = |rate: f64| {
        let decimals = if rate < 1.0 { 2 } else { 1 };
        fill(t.broker.per_second, &with_decimals(t, rate, decimals))
    };
    html! {
        dl.details #broker-messages {
            div { dt { (t.broker.received_rate) } dd.figure { (rate(messages.received_per_second)) } }
            div { dt { (t.broker.sent_rate) } dd.figure { (rate(messages.sent_per_second)) } }
            div { dt { (t.broker.received) } dd.figure { (messages.received) } }
            div { dt { (t.broker.sent) } dd.figure { (messages.sent) } }
            div { dt { (t.broker.outbox) } dd.figure { (messages.waiting) } }
            div { dt { (t.broker.dropped) } dd.figure { (messages.dropped) } }
            div { dt { (t.broker.refused) } dd.figure { (messages.refused) } }
        }
    }
}

/// Who is connected: one element, which the live stream draws again.
pub fn clients(t: &Texts, clients: Option<&[ClientLine]>) -> Markup {
    html! {
        div #broker-clients {
            @match clients {
                None => p.hint { (t.broker.clients_unknown) },
                Some([]) => p.hint { (t.broker.clients_none) },
                Some(clients) => {
                    ul.clients { @for client in clients.iter().take(CLIENTS_SHOWN) { (self::client(t, client)) } }
                    @if clients.len() > CLIENTS_SHOWN {
                        p.hint { (fill(t.broker.clients_more, &(clients.len() - CLIENTS_SHOWN).to_string())) }
                    }
                }
            }
        }
    }
}

fn client(t: &Texts, client: &ClientLine) -> Markup {
    html! {
        li.client {
            b {
                @match &client.username {
                    Some(username) => bdi { (username) },
                    None => (t.broker.client_hub),
                }
            }
            dl {
                div { dt { (t.broker.client_id) } dd { bdi { (client.client_id) } } }
                div { dt { (t.broker.client_address) } dd { (client.address) } }
                div { dt { (t.broker.client_since) } dd { (time::at(&client.since)) } }
            }
        }
    }
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

/// Both fingerprints of a certificate; `prefix` keeps the ids of two certificates apart.
pub(super) fn prints(t: &Texts, prefix: &str, prints: &Prints) -> Markup {
    html! {
        @if let Some(print) = &prints.sha256 {
            h3 { (t.broker.sha256) }
            (copyable(t, &format!("{prefix}sha256"), print))
        }
        @if let Some(print) = &prints.sha1 {
            h3 { (t.broker.sha1) }
            (copyable(t, &format!("{prefix}sha1"), print))
            p.hint { (t.broker.sha1_hint) }
        }
    }
}

/// A text to be copied; without script it is selected with a tap.
pub(super) fn copyable(t: &Texts, id: &str, text: &str) -> Markup {
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
