//! What every handler can reach: the house, the store and the keys.
//!
//! Owner of the web door's shared state. It must never hold state of the house.

use crate::auth::jwt::ACCESS_LIFE_S;
use crate::auth::keys::{self, Keys};
use crate::auth::setup::SetupCode;
use crate::auth::throttle::Throttle;
use crate::config::WebConfig;
use crate::door::client::Client;
use crate::door::origin::{Hosts, PublicUrl};
use crate::error::WebError;
use crate::pages::Issued;
use crate::problem::{Answer, Problem};
use crate::stream::Feed;
use actix_web::{HttpRequest, web};
use iothome_actors::Hub;
use iothome_engine::ids::{CommandId, SessionId, UserId};
use iothome_engine::time::Timestamp;
use iothome_store::Store;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by all workers.
pub(crate) struct App {
    /// The living house.
    pub(crate) hub: Hub,
    /// Durable state.
    pub(crate) store: Store,
    /// Token keys.
    pub(crate) keys: Keys,
    /// The one-time set-up code.
    pub(crate) setup: SetupCode,
    /// Sign-in throttle.
    pub(crate) sign_ins: Throttle,
    /// Numbered changes for live streams.
    pub(crate) feed: Arc<Feed>,
    /// Passwords of broker users that were made just now and are still to be shown.
    pub(crate) issued: Issued,
    /// Hosts that may be asked for.
    pub(crate) hosts: Hosts,
    /// Settings.
    pub(crate) config: WebConfig,
    /// Whether the plain HTTP listener can be reached from other machines.
    pub(crate) http_beyond_loopback: bool,
    /// Whether the house is known to be set up (it never goes back).
    set_up: AtomicBool,
}

impl App {
    /// Reads the keys from the store and joins the parts.
    pub(crate) async fn new(
        config: WebConfig,
        public: Option<PublicUrl>,
        listen: &[SocketAddr],
        hub: Hub,
        store: Store,
    ) -> Result<Self, WebError> {
        let made = Keys::generate()?;
        let stored = store
            .set_setting_if_absent(keys::SETTING, &made)
            .await
            .map_err(|error| WebError::Keys(error.to_string()))?;
        let feed = Feed::start(hub.changes(), &boot_id()?);
        Ok(Self {
            keys: Keys::from_stored(&stored)?,
            setup: SetupCode::new(config.setup_code.as_deref()),
            sign_ins: Throttle::new(config.sign_ins_per_minute),
            feed,
            issued: Issued::default(),
            hosts: Hosts::new(&config.names, listen, public),
            http_beyond_loopback: config.http.is_some_and(|a| !a.ip().is_loopback()),
            set_up: AtomicBool::new(false),
            config,
            hub,
            store,
        })
    }

    /// The state of the server that answers this request.
    pub(crate) fn of(request: &HttpRequest) -> web::Data<Self> {
        request
            .app_data::<web::Data<Self>>()
            .expect("the server registers App before any route")
            .clone()
    }

    /// Now, by the house's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.hub.clock().now()
    }

    /// An access token for that session.
    pub(crate) fn access_token(&self, user: UserId, session: SessionId) -> Answer<String> {
        self.keys
            .jwt
            .issue(user, session, self.now())
            .map_err(|error| Problem::internal(&error))
    }

    /// Seconds an access token lasts.
    pub(crate) const fn access_life_s() -> i64 {
        ACCESS_LIFE_S
    }

    /// A new command id.
    pub(crate) fn new_command_id(&self) -> Answer<CommandId> {
        let random = keys::random().map_err(|error| Problem::internal(&error))?;
        Ok(CommandId::new(self.now(), random))
    }

    /// A new user id.
    pub(crate) fn new_user_id(&self) -> Answer<UserId> {
        let random = keys::random().map_err(|error| Problem::internal(&error))?;
        Ok(UserId::new(self.now(), random))
    }

    /// Whether the house has its first administrator.
    pub(crate) async fn is_set_up(&self) -> Answer<bool> {
        if self.set_up.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let done = self.store.home().await?.is_some();
        if done {
            self.set_up.store(true, Ordering::Relaxed);
        }
        Ok(done)
    }

    /// Whether browsers may be told to use HTTPS only: not with the hub's own CA, which
    /// would lock people out when it changes.
    pub(crate) fn insists_on_https(&self, client: &Client) -> bool {
        client.secure && (self.config.own_certificate || client.proxied)
    }
}

/// Tells one run of the hub from another in event ids.
fn boot_id() -> Result<String, WebError> {
    Ok(data_encoding::HEXLOWER.encode(&keys::random::<6>()?))
}
