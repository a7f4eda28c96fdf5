//! The broker's door: who comes in, and what they may touch.
//!
//! Owner of the answers to the broker's questions. Every answer comes from the
//! access list; it must never remember one.

use crate::guests::{Arrival, ConnectedClient, Guests};
use crate::keep::Notes;
use arc_swap::ArcSwap;
use iothome_engine::access::{AccessList, Credential};
use iothome_engine::time::Timestamp;
use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::broker::events::{
    BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, RetainedSetEvent,
};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::types::ReasonCode;
use std::collections::HashSet;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Cutter = Box<dyn Fn(String) + Send + Sync>;

/// Refusals told in the log one by one; the rest is only counted, so that a client that
/// keeps trying cannot fill the disk.
const TOLD_MAX: usize = 1_000;

pub(crate) struct Door {
    access: Arc<ArcSwap<AccessList>>,
    /// The hub alone.
    hub: AccessList,
    hub_name: Option<String>,
    guests: Arc<Guests>,
    notes: Arc<Notes>,
    cutter: OnceLock<Cutter>,
    refused: AtomicU64,
    told: Mutex<HashSet<String>>,
}

impl Door {
    pub(crate) fn new(
        access: Arc<ArcSwap<AccessList>>,
        hub: Option<Credential>,
        guests: Arc<Guests>,
        notes: Arc<Notes>,
    ) -> Self {
        Self {
            access,
            hub_name: hub.as_ref().map(|h| h.username.clone()),
            hub: AccessList::new(hub.into_iter().collect()),
            guests,
            notes,
            cutter: OnceLock::new(),
            refused: AtomicU64::new(0),
            told: Mutex::default(),
        }
    }

    /// How a connection is ended; given once, as soon as the broker exists.
    pub(crate) fn set_cutter(&self, cutter: Cutter) {
        // A second cutter would be the same one: there is one broker per door.
        let _ = self.cutter.set(cutter);
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Asks the list this user is on; the hub's name cannot be taken by a device.
    fn ask<T>(&self, username: &str, question: impl FnOnce(&AccessList) -> T) -> T {
        if self.hub_name.as_deref() == Some(username) {
            return question(&self.hub);
        }
        question(&self.access.load())
    }

    fn admit(&self, connect: &ConnectPacket, address: SocketAddr) -> Result<String, ReasonCode> {
        let username = connect.username.as_deref().unwrap_or_default();
        let password = connect.password.as_deref().unwrap_or_default();
        let client_id = &connect.client_id;
        // The digest is taken before the password is checked: if both change in between,
        // the connection is ended rather than kept.
        let secret = self.ask(username, |list| secret(list, username));
        let known = self.ask(username, |list| list.authenticate(username, password));
        let (true, Some(secret_sha256)) = (known, secret) else {
            self.tell(username, "", "a wrong user name or password");
            return Err(ReasonCode::BadUsernameOrPassword);
        };
        if let Some(will) = &connect.will
            && !self.ask(username, |list| list.may_write(username, &will.topic))
        {
            self.tell(username, &will.topic, "a last will on a topic not granted");
            return Err(ReasonCode::NotAuthorized);
        }
        if self.guests.belongs_to_other(client_id, username) {
            self.tell(username, client_id, "a client id that another user has");
            return Err(ReasonCode::ClientIdentifierNotValid);
        }
        self.guests.arrive(Arrival {
            client: ConnectedClient {
                client_id: client_id.clone(),
                username: username.to_owned(),
                address,
                connected_at: now(),
            },
            secret_sha256,
        });
        Ok(username.to_owned())
    }

    /// Counts a refusal and logs the first of its kind.
    fn tell(&self, username: &str, what: &str, why: &str) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        // A set of plain strings is whole at any moment.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD_MAX && told.insert(format!("{username}\n{what}\n{why}")) {
            tracing::warn!(username, what, "the broker refused {why}");
        }
    }

    /// A password that was changed or revoked during the handshake ends the connection.
    fn entered(&self, client_id: &str) {
        let Some(arrival) = self.guests.enter(client_id) else {
            return;
        };
        let username = &arrival.client.username;
        let still = self.ask(username, |list| secret(list, username));
        if still.as_deref() != Some(&arrival.secret_sha256)
            && let Some(cut) = self.cutter.get()
        {
            cut(client_id.to_owned());
        }
    }
}

fn secret(list: &AccessList, username: &str) -> Option<String> {
    list.get(username).map(|c| c.secret_sha256.clone())
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The filter behind a shared subscription (`$share/<group>/<filter>`), else the filter itself.
fn plain_filter(filter: &str) -> &str {
    let shared = filter.strip_prefix("$share/");
    shared
        .and_then(|rest| rest.split_once('/'))
        .map_or(filter, |(_, plain)| plain)
}

impl AuthProvider for Door {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        address: SocketAddr,
    ) -> Answer<'a, mqtt5::Result<AuthResult>> {
        let answer = match self.admit(connect, address) {
            Ok(username) => AuthResult::success_with_user(username),
            Err(reason) => AuthResult::fail(reason),
        };
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn authorize_publish<'a>(
        &'a self,
        _client_id: &str,
        user: Option<&'a str>,
        topic: &'a str,
    ) -> Answer<'a, bool> {
        let username = user.unwrap_or_default();
        let allowed = self.ask(username, |list| list.may_write(username, topic));
        if !allowed {
            self.tell(username, topic, "a publication on a topic not granted");
        }
        Box::pin(std::future::ready(allowed))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client_id: &str,
        user: Option<&'a str>,
        filter: &'a str,
    ) -> Answer<'a, bool> {
        let username = user.unwrap_or_default();
        let plain = plain_filter(filter);
        let allowed = self.ask(username, |list| list.may_read(username, plain));
        if !allowed {
            self.tell(username, filter, "a subscription to a topic not granted");
        }
        Box::pin(std::future::ready(allowed))
    }
}

impl BrokerEventHandler for Door {
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Answer<'a, ()> {
        self.entered(&event.client_id);
        Box::pin(std::future::ready(()))
    }

    fn on_client_disconnect<'a>(&'a self, event: ClientDisconnectEvent) -> Answer<'a, ()> {
        self.guests.leave(&event.client_id);
        Box::pin(std::future::ready(()))
    }

    fn on_retained_set<'a>(&'a self, event: RetainedSetEvent) -> Answer<'a, ()> {
        self.notes.note(&event.topic, event.cleared);
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_subscription_is_judged_by_the_filter_it_shares() {
        assert_eq!(plain_filter("$share/all/iothome/#"), "iothome/#");
        assert_eq!(plain_filter("iothome/+/set"), "iothome/+/set");
        assert_eq!(plain_filter("$share/broken"), "$share/broken");
    }
}
