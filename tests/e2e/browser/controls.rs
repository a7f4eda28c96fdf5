//! Every kind of control, driven by hand on the pages of the demo.

use crate::support::api::Api;
use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::eventually;
use crate::support::hub::{Hub, Start, folder};
use serde_json::{Value, json};

/// The demo with a browser on it.
struct Scene {
    hub: Hub,
    api: Api,
    browser: Browser,
}

/// One entity's form on its device page.
struct Driven {
    device: &'static str,
    entity: String,
}

impl Driven {
    /// Something within the entity's forms.
    fn form(&self, css: &str) -> String {
        let Self { device, entity } = self;
        format!("form[action='/devices/{device}/entities/{entity}/commands'] {css}")
    }

    /// Its group on the page.
    fn group(&self) -> String {
        format!("[id='entity-{}.{}']", self.device, self.entity)
    }
}

impl Scene {
    /// Opens the page of a device once the entity of that kind is online.
    async fn open(&self, device: &'static str, kind: &str) -> Driven {
        let entity = eventually(&format!("the {kind} of {device} is online"), || async {
            let (_, body) = self.api.get(&format!("/api/v1/devices/{device}")).await;
            let entities = body["entities"].as_array()?.clone();
            let mut found = entities.iter();
            let found = found.find(|e| e["kind"] == kind && e["availability"] == "online")?;
            Some(found["id"].as_str()?.to_owned())
        })
        .await;
        let address = format!("{}/devices/{device}", self.hub.url());
        self.browser.goto(&address).await;
        self.browser.mark().await;
        Driven { device, entity }
    }

    /// The command has ended so, the page says it, and the house has that state.
    async fn ends(&self, driven: &Driven, end: &str, state: impl Fn(&Value) -> bool) {
        self.browser.wait_for_text(&driven.group(), end).await;
        let Driven { device, entity } = driven;
        eventually(&format!("{device} obeyed"), || async {
            state(&self.api.entity(device, entity).await).then_some(())
        })
        .await;
        assert!(self.browser.stayed().await, "{device}: loaded again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_control_is_driven_by_hand() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let browser = Browser::open(DESKTOP).await;
    let (user, password) = (hub.banner("user"), hub.banner("password"));
    browser.sign_in(hub.url(), user, password).await;
    let scene = Scene { hub, api, browser };
    let browser = &scene.browser;

    let it = scene.open("coffee", "switch").await;
    browser.click(&it.form("button")).await;
    scene.ends(&it, "confirmed", |e| e["state"] == "on").await;

    // A slider by keyboard: the hand rests, then it is sent.
    let it = scene.open("lamp", "light").await;
    let before = scene.api.entity("lamp", &it.entity).await;
    let before = before["attributes"]["brightness"].clone();
    browser
        .press(&it.form("input[type=range]"), "\u{e012}\u{e012}\u{e012}")
        .await;
    scene
        .ends(&it, "confirmed", |e| {
            e["attributes"]["brightness"] != before
        })
        .await;

    let it = scene.open("thermostat", "number").await;
    // With the mark of either language.
    browser.fill(&it.form("input[pattern]"), "18,5").await;
    browser.press(&it.form("input[pattern]"), "\u{e007}").await;
    scene.ends(&it, "confirmed", |e| e["state"] == 18.5).await;

    let it = scene.open("washer", "select").await;
    browser.choose(&it.form("select"), "Wool").await;
    scene.ends(&it, "confirmed", |e| e["state"] == "Wool").await;

    let it = scene.open("building-door", "button").await;
    browser.click(&it.form("button")).await;
    scene.ends(&it, "delivered", |_| true).await;

    let it = scene.open("blind", "cover").await;
    browser.click(&it.form("button[value=close]")).await;
    scene
        .ends(&it, "confirmed", |e| e["state"] == "closed")
        .await;

    let it = scene.open("front-door", "lock").await;
    browser.click(&it.form("button[value=unlock]")).await;
    scene
        .ends(&it, "confirmed", |e| e["state"] == "unlocked")
        .await;
    scene.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_refused_is_told_where_it_was_asked() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let browser = Browser::open(DESKTOP).await;
    let (user, password) = (hub.banner("user"), hub.banner("password"));
    browser.sign_in(hub.url(), user, password).await;
    let scene = Scene { hub, api, browser };
    let it = scene.open("thermostat", "number").await;
    let before = scene.api.entity("thermostat", &it.entity).await["state"].clone();
    let field = it.form("input[pattern]");
    scene.browser.fill(&field, "300").await;
    scene.browser.press(&field, "\u{e007}").await;
    scene.browser.wait_for_text("#toast", "30").await;
    let after = scene.api.entity("thermostat", &it.entity).await["state"].clone();
    assert_eq!(after, before);
    assert_ne!(after, json!(300));
    scene.browser.close().await;
}

/// Where a slider is, and what it says.
const SLIDER: &str = "
    const slider = document.querySelector('#card-lamp input[type=range]');
    slider.scrollIntoView({block: 'center'});
    window.cancelled = window.posts = 0;
    slider.addEventListener('pointercancel', () => { window.cancelled += 1; });
    const ask = window.fetch;
    window.fetch = (to, how) => { window.posts += how?.method === 'POST' ? 1 : 0; return ask(to, how); };
    const box = slider.getBoundingClientRect();
    return [box.x, box.y + box.height / 2, box.width, slider.value];";

#[tokio::test(flavor = "multi_thread")]
async fn a_finger_that_scrolls_across_a_slider_asks_for_nothing() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let browser = Browser::open(PHONE).await;
    let (user, password) = (hub.banner("user"), hub.banner("password"));
    browser.sign_in(hub.url(), user, password).await;
    let scene = Scene { hub, api, browser };
    scene.open("lamp", "light").await;
    let browser = &scene.browser;
    browser.goto(scene.hub.url()).await;
    let touch = json!({"enabled": true, "maxTouchPoints": 1});
    browser
        .cdp("Emulation.setTouchEmulationEnabled", touch)
        .await;
    let at = browser.run(SLIDER).await;
    let number = |n: usize| at[n].as_f64().expect("a number");
    let send = |kind: &'static str, points: Value| {
        let event = json!({"type": kind, "touchPoints": points});
        browser.cdp("Input.dispatchTouchEvent", event)
    };
    let point = |step: u32| json!([{"x": number(0) + number(2) * 0.2, "y": number(1) - f64::from(step) * 12.0}]);
    send("touchStart", point(0)).await;
    for step in 1..=15 {
        send("touchMove", point(step)).await;
    }
    send("touchEnd", json!([])).await;
    eventually("the finger scrolls", || async {
        let cancelled = browser.run("return window.cancelled").await;
        (cancelled == json!(1)).then_some(())
    })
    .await;
    // Longer than the script waits for a hand to rest.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let after =
        "return [document.querySelector('#card-lamp input[type=range]').value, window.posts]";
    assert_eq!(browser.run(after).await, json!([at[3], 0]));
    scene.browser.close().await;
}
