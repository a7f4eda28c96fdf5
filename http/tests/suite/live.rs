//! The live stream of pages: fragments, filtered by what the reader may see now.

use crate::common::browser::{Browser, words_of};
use crate::common::device::{Manner, Switch};
use crate::common::{ADMIN, PATIENCE, TestHouse};
use futures_util::StreamExt as _;
use std::pin::Pin;

type Body = Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>;

/// An open stream of a page.
pub(crate) struct Stream {
    body: Body,
    buffer: String,
}

/// One event: its name, data and id.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    id: String,
}

impl Stream {
    /// As the script opens it: at the address that the page holds.
    pub(crate) async fn open(house: &TestHouse, browser: &mut Browser<'_>, page: &str) -> Self {
        let html = browser.get(page).await.text;
        let (_, rest) = html.split_once("data-live=\"").expect("a live page");
        let address = rest.split('"').next().unwrap().replace("&amp;", "&");
        Self::at(house, browser, &address).await
    }

    pub(crate) async fn at(house: &TestHouse, browser: &Browser<'_>, address: &str) -> Self {
        // No timeout: a stream has no end.
        let client = reqwest::Client::builder().build().unwrap();
        let response = client
            .get(format!("{}{address}", house.url))
            .header("accept", "text/event-stream")
            .header("cookie", browser.cookie_header())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        Self {
            body: Box::pin(response.bytes_stream()),
            buffer: String::new(),
        }
    }

    /// The next event with a name; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.read())
            .await
            .expect("an event or the end in time")
    }

    /// The next event of that name whose words hold these.
    pub(crate) async fn find(&mut self, name: &str, words: &str) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.name == name && words_of(&event.data).contains(words) {
                return event;
            }
        }
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let rest = self.buffer.split_off(end + 2);
                let block = std::mem::replace(&mut self.buffer, rest);
                let field = |name: &str| -> Vec<&str> {
                    block.lines().filter_map(|l| l.strip_prefix(name)).collect()
                };
                if let Some(name) = field("event: ").first() {
                    return Some(Event {
                        name: (*name).to_owned(),
                        data: field("data: ").join("\n"),
                        id: field("id: ").concat(),
                    });
                }
            }
            let bytes = self.body.next().await?.ok()?;
            self.buffer.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

#[tokio::test]
async fn a_report_re_renders_the_card_and_the_device_page() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let mut home = Stream::open(&house, &mut browser, "/").await;
    let mut device = Stream::open(&house, &mut browser, "/devices/socket").await;
    assert_eq!(home.next().await.map(|e| e.name).as_deref(), Some("hello"));
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    switch.report("ON").await;
    let card = home.find("card", "The socket On reported").await;
    assert!(
        card.data
            .starts_with("<article class=\"card single\" id=\"card-socket\"")
    );
    assert!(
        card.id.contains('-'),
        "an id has the boot and a number: {}",
        card.id
    );
    let panel = device.find("card", "On reported").await;
    assert!(
        panel
            .data
            .starts_with("<div class=\"device\" id=\"device-socket\"")
    );
    house.stop().await;
}

#[tokio::test]
async fn a_command_is_told_step_by_step_and_enters_the_list_of_the_device() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let _switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let mut home = Stream::open(&house, &mut browser, "/").await;
    let mut device = Stream::open(&house, &mut browser, "/devices/socket").await;
    let token = browser.token("/").await;
    let fields = [
        ("csrf", token.as_str()),
        ("back", "home"),
        ("action", "turn_on"),
    ];
    let answer = browser
        .fetch("/devices/socket/entities/power/commands", &fields)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    home.find("card", "Turn on – confirmed in").await;
    let row = device.find("command", "confirmed in").await;
    assert!(
        row.data.starts_with("<li class=\"command\" id=\"command-"),
        "{}",
        row.data
    );
    assert!(words_of(&row.data).contains("by adam"));
    house.stop().await;
}

#[tokio::test]
async fn a_member_is_told_of_granted_devices_only_and_asked_to_look_anew_when_that_changes() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let safe = house.add_switch(&admin, "safe").await;
    let lamp = house.add_switch(&admin, "lamp").await;
    let (eve, _) = house.member(&admin, "eve").await;
    house.grant(&admin, "lamp", &eve, &["view"]).await;
    let mut browser = Browser::signed_in(&house, "eve", "member's password").await;
    let mut stream = Stream::open(&house, &mut browser, "/").await;
    let safe = Switch::connect(&house, "safe", &safe, Manner::Obeys).await;
    let lamp = Switch::connect(&house, "lamp", &lamp, Manner::Obeys).await;
    safe.report("ON").await;
    lamp.report("ON").await;
    loop {
        let event = stream.next().await.expect("the stream goes on");
        assert!(!event.data.contains("The safe"), "{}", event.data);
        if words_of(&event.data).contains("The lamp On") {
            break;
        }
    }
    let path = format!("/api/v1/devices/lamp/grants/{eve}");
    assert_eq!(house.delete(&path, &admin).await.status, 204);
    stream.find("resync", "").await;
    assert!(!browser.get("/").await.text.contains("The lamp"));
    house.stop().await;
}

#[tokio::test]
async fn a_page_misses_nothing_between_its_rendering_and_its_stream() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let html = browser.get("/").await.text;
    let (_, rest) = html.split_once("data-live=\"").unwrap();
    let address = rest.split('"').next().unwrap().replace("&amp;", "&");
    switch.report("ON").await;
    let id = "socket".parse().unwrap();
    crate::common::until("the house knows", || async {
        let view = house.hub.house().device(&id).unwrap();
        view.entities[0].state.as_ref().and_then(|s| s.as_word()) == Some("on")
    })
    .await;
    let mut stream = Stream::at(&house, &browser, &address).await;
    stream.find("card", "The socket On").await;
    let unknown = "/live?view=home&after=otherboot-7";
    let mut stream = Stream::at(&house, &browser, unknown).await;
    stream.find("resync", "").await;
    house.stop().await;
}

#[tokio::test]
async fn the_stream_ends_with_the_session() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let mut stream = Stream::open(&house, &mut browser, "/").await;
    stream.find("hello", "").await;
    let token = browser.token("/you").await;
    browser.post("/sign-out", &[("csrf", &token)]).await;
    while let Some(event) = stream.next().await {
        assert_ne!(event.name, "card");
    }
    house.stop().await;
}
