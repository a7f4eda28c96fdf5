//! A person with a browser: phone and laptop, with script and without.
//!
//! Owner of the scenes that the flows play in. A flow must act as a person does
//! and judge what a person sees; REST and MQTT only set the scene or look behind it.

mod connection;
mod controls;
mod devices;
mod first_steps;
mod lighthouse;
mod no_script;
mod pages;
mod rooms;
mod scenes;
mod schedules;
mod weight;

use crate::embedded::{create, obedient, socket};
use crate::support::api::Api;
use crate::support::browser::{Browser, Size};
use crate::support::device::Device;
use crate::support::hub::{Hub, Start, folder};
use serde_json::json;
use tempfile::TempDir;

/// The administrator's words in every scene.
const ADAM: (&str, &str) = ("adam", "correct horse battery");

/// A house with one socket that obeys.
struct SocketHouse {
    hub: Hub,
    api: Api,
    socket: Device,
    folder: TempDir,
}

impl SocketHouse {
    /// The house, with the socket off.
    async fn new() -> Self {
        Self::started(&Start::serve()).await
    }

    async fn started(start: &Start) -> Self {
        let folder = folder();
        let hub = start.on(folder.path()).await;
        let api = Api::set_up(&hub).await;
        let door = create(&hub, &api, socket("Socket")).await;
        let house = Self {
            hub,
            api,
            socket: obedient(&door),
            folder,
        };
        house.is_at(false).await;
        house
    }

    /// Somebody switches the socket by its own button.
    async fn is_at(&self, on: bool) {
        let status = format!("{{\"relay\": {}}}", u8::from(on));
        self.socket
            .report("esp8266/socket/status", status, false)
            .await;
        let word = if on { "on" } else { "off" };
        self.api
            .wait_for_state("socket", "power", &json!(word))
            .await;
    }

    /// A browser that is signed in and shows the home page.
    async fn browser(&self, size: Size) -> Browser {
        let browser = Browser::open(size).await;
        browser.sign_in(self.hub.url(), ADAM.0, ADAM.1).await;
        browser.find("#card-socket").await;
        browser
    }
}
