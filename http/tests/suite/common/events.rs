//! Reads a server-sent event stream in tests.

use super::{PATIENCE, TestHouse};
use futures_util::StreamExt as _;
use serde_json::Value;
use std::pin::Pin;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
    pub(crate) id: String,
}

type Body = Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>;

/// An open stream.
pub(crate) struct Events {
    body: Body,
    buffer: String,
    /// The newest id, as a browser keeps it.
    pub(crate) last_id: String,
}

impl Events {
    /// Opens the API's stream.
    pub(crate) async fn open(house: &TestHouse, token: &str, last_id: Option<&str>) -> Self {
        // No timeout: a stream has no end.
        let client = reqwest::Client::builder().build().unwrap();
        let mut request = client
            .get(format!("{}/api/v1/events", house.url))
            .bearer_auth(token)
            .header("accept-encoding", "gzip");
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers().get("content-type").unwrap();
        assert_eq!(kind, "text/event-stream");
        let coding = response.headers().get("content-encoding");
        assert!(
            coding.is_none_or(|c| c == "identity"),
            "compression would hold events back"
        );
        Self {
            body: Box::pin(response.bytes_stream()),
            buffer: String::new(),
            last_id: String::new(),
        }
    }

    /// The next event with a name; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.read())
            .await
            .expect("an event or the end comes in time")
    }

    /// The next event that fits; panics if the stream ends before.
    pub(crate) async fn find(&mut self, mut fits: impl FnMut(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if fits(&event) {
                return event;
            }
        }
    }

    /// Reads until the id is known.
    pub(crate) async fn place(&mut self) -> String {
        while self.last_id.is_empty() {
            let block = tokio::time::timeout(PATIENCE, self.block())
                .await
                .expect("the first id comes in time")
                .expect("the stream goes on");
            self.parse(&block);
        }
        self.last_id.clone()
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            if let Some(event) = self.parse(&block) {
                return Some(event);
            }
        }
    }

    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let rest = self.buffer.split_off(end + 2);
                return Some(std::mem::replace(&mut self.buffer, rest));
            }
            let bytes = self.body.next().await?.ok()?;
            self.buffer.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    fn parse(&mut self, block: &str) -> Option<Event> {
        let mut name = None;
        let mut data = String::new();
        for line in block.lines() {
            if let Some(id) = line.strip_prefix("id: ") {
                id.clone_into(&mut self.last_id);
            } else if let Some(event) = line.strip_prefix("event: ") {
                name = Some(event.to_owned());
            } else if let Some(text) = line.strip_prefix("data: ") {
                data.push_str(text);
            }
        }
        Some(Event {
            name: name?,
            data: serde_json::from_str(&data).unwrap(),
            id: self.last_id.clone(),
        })
    }
}
