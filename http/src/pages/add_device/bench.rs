//! The test bench of the form: raw messages, and what the typed settings make of them.
//!
//! Owner of trying settings that are not saved. It must never change the house; a test
//! payload goes through the house like everything else.

use super::form::{self, Values};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::pages::visit::Visit;
use crate::problem::{Answer, Problem};
use iothome_actors::{Overheard, TestPayload};
use iothome_engine::config::EntityConfig;
use iothome_engine::ids::DeviceId;
use iothome_engine::kind::{Action, Kind};
use iothome_engine::template::{Templates, Vars};
use iothome_engine::topic::valid_topic;
use iothome_engine::value::Value;
use iothome_engine::wire::{self, Context, Known, Reported};
use iothome_views::numbers::readable;
use iothome_views::pages::add_device::{Bench, BenchMessage, Input, Meaning, TestSent, fields};
use iothome_views::texts::{Texts, fill};
use iothome_views::time::When;
use serde_json::{Value as Json, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Topics of the form that are listened to; one more is typed in the bench.
const TOPICS: usize = 6;

/// Characters of the time at which something was sent: the form carries it along.
const SENT_MAX: usize = 20;

/// Attributes named of a message.
const ATTRIBUTES: usize = 8;

/// Half-typed templates have an environment of their own: the house's keeps what runs.
static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

/// The environment in which the form's templates are tried.
pub(super) fn templates() -> &'static Templates {
    &TEMPLATES
}

/// What the bench is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Nothing: the page is shown.
    Rest,
    /// Listen, and show what came.
    Look,
    /// Say what the typed payload means.
    Try,
    /// Send the typed payload.
    Send,
}

impl Task {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "look" => Self::Look,
            "try" => Self::Try,
            "send" => Self::Send,
            _ => Self::Rest,
        }
    }
}

/// What is being made.
pub(super) struct Workpiece<'a> {
    pub(super) visit: &'a Visit,
    pub(super) device: &'a DeviceId,
    pub(super) kind: Kind,
    pub(super) values: &'a Values,
    /// Its configuration, or what it still lacks.
    pub(super) config: Result<EntityConfig, String>,
}

impl Workpiece<'_> {
    fn typed(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    fn topic(&self, key: &str) -> Option<String> {
        let topic = self.typed(key).trim();
        valid_topic(topic).is_ok().then(|| topic.to_owned())
    }

    /// The bench after the task.
    pub(super) async fn bench(&self, app: &App, user: &CurrentUser, task: Task) -> Answer<Bench> {
        let mut bench = Bench {
            topic: self.typed("bench_topic").to_owned(),
            payload: self.typed("bench_payload").to_owned(),
            send: self.typed("bench_send").to_owned(),
            send_to: self.topic("command_topic"),
            unready: self.config.as_ref().err().cloned(),
            suggestions: self.suggestions(),
            ..Bench::default()
        };
        if task == Task::Rest {
            return Ok(bench);
        }
        let sent_before: String = self.typed("bench_sent").chars().take(SENT_MAX).collect();
        bench.sent = (!sent_before.is_empty()).then_some(TestSent::Sent(sent_before));
        if task == Task::Try || !bench.payload.is_empty() {
            let topic = self.topic("state_topic").unwrap_or_default();
            let payload = bench.payload.replace("\r\n", "\n");
            bench.tried = Some(self.meaning(&topic, payload.as_bytes()));
        }
        // Listened to before sending, so that the sent payload is seen coming by.
        self.listen(app, &mut bench).await?;
        if let (Task::Send, Some(topic)) = (task, bench.send_to.clone()) {
            bench.sent = Some(self.send(app, user, topic).await?);
            self.listen(app, &mut bench).await?;
        }
        Ok(bench)
    }

    async fn listen(&self, app: &App, bench: &mut Bench) -> Answer<()> {
        let of_form = fields(self.kind).into_iter();
        let mut topics: Vec<String> = of_form
            .filter(|field| field.input == Input::Topic)
            .filter_map(|field| self.topic(field.key))
            .filter(|topic| !topic.starts_with('$'))
            .take(TOPICS)
            .collect();
        topics.dedup();
        let other = bench.topic.trim().to_owned();
        if !other.is_empty() && !topics.contains(&other) {
            // Alone first: its fault must not silence the others.
            match app.hub.tap(std::slice::from_ref(&other)).await {
                Ok(_) => topics.push(other),
                Err(error) => bench.topic_problem = Some(refused(self.visit.t, error.into())?),
            }
        }
        let tapped = app.hub.tap(&topics).await.map_err(Problem::from)?;
        bench.listening = topics;
        bench.connected = tapped.connected;
        bench.refused = tapped.refused;
        let messages = tapped.messages.iter();
        bench.messages = messages.map(|message| self.message(message)).collect();
        Ok(())
    }

    async fn send(&self, app: &App, user: &CurrentUser, topic: String) -> Answer<TestSent> {
        let test = TestPayload {
            device: Some(self.device.clone()),
            topic,
            payload: self.typed("bench_send").to_owned(),
        };
        match app.hub.send_test(test, &user.subject).await {
            Ok(()) => {
                let visit = self.visit;
                let when = When::new(visit.t, app.now(), visit.now, &visit.zone);
                Ok(TestSent::Sent(when.short().to_owned()))
            }
            Err(error) => refused(self.visit.t, error.into()).map(TestSent::Refused),
        }
    }

    fn message(&self, message: &Overheard) -> BenchMessage {
        let visit = self.visit;
        let meaning = if message.is_whole() {
            self.meaning(&message.topic, &message.payload)
        } else {
            Meaning::Fault(fill(visit.t.bench.cut, &message.size.to_string()))
        };
        BenchMessage {
            when: When::new(visit.t, message.received_at, visit.now, &visit.zone),
            topic: message.topic.clone(),
            payload: String::from_utf8_lossy(&message.payload).into_owned(),
            cut_from: (!message.is_whole()).then_some(message.size),
            retained: message.retained,
            meaning,
        }
    }

    /// What a payload on a topic means with the settings as they are typed.
    fn meaning(&self, topic: &str, payload: &[u8]) -> Meaning {
        let Ok(config) = &self.config else {
            return self.result(topic, payload);
        };
        if !config.hears(topic) && config.write_topics().contains(&topic) {
            return Meaning::Command;
        }
        let attributes = BTreeMap::new();
        let known = Known {
            state: None,
            attributes: &attributes,
        };
        let decoded = self.with(|ctx| wire::decode(config, ctx, &known, topic, payload));
        match decoded {
            Ok(parts) if parts.is_empty() => Meaning::Nothing,
            Ok(parts) => Meaning::Means(parts.iter().map(|p| self.words(config, p)).collect()),
            Err(error) => Meaning::Fault(error.problem),
        }
    }

    /// What the template alone makes of it, before the settings are complete.
    fn result(&self, topic: &str, payload: &[u8]) -> Meaning {
        let own = self.topic("state_topic").unwrap_or_default();
        let keys = ["value_template", "state_value_template"];
        let mut templates = keys.into_iter().map(|key| self.typed(key));
        let template = templates.find(|template| !template.trim().is_empty());
        let (Some(template), true, Ok(text)) =
            (template, own == topic, std::str::from_utf8(payload))
        else {
            return Meaning::Nothing;
        };
        let (now, zone) = (self.visit.now, &self.visit.zone);
        match TEMPLATES.value(template, text, &Vars::default(), now, zone) {
            Ok(result) => Meaning::Result(result),
            Err(error) => Meaning::Fault(error.to_string()),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let vars = Vars {
            name: self.typed("name").to_owned(),
            entity_id: self.typed("id").to_owned(),
        };
        work(&Context {
            templates: &TEMPLATES,
            now: self.visit.now,
            zone: &self.visit.zone,
            vars: &vars,
            exhausted: &Cell::new(0),
        })
    }

    fn words(&self, config: &EntityConfig, part: &Reported) -> String {
        let t = self.visit.t;
        match part {
            Reported::State(None) => t.bench.unknown.to_owned(),
            Reported::State(Some(Value::Number(number))) => {
                let unit = config.unit.as_deref().unwrap_or_default();
                format!("{} {unit}", readable(t, number.get()))
                    .trim()
                    .to_owned()
            }
            Reported::State(Some(Value::Word(word))) => {
                let class = config.device_class.as_deref();
                match (config.kind, word.as_str()) {
                    (Kind::BinarySensor, "on") => (t.words.binary)(class, true).to_owned(),
                    (Kind::BinarySensor, "off") => (t.words.binary)(class, false).to_owned(),
                    (kind, word) => {
                        (t.words.state)(kind, word).map_or_else(|| word.to_owned(), str::to_owned)
                    }
                }
            }
            Reported::Attribute(name, value) => format!("{name} {} %", plain(t, value)),
            Reported::Attributes(all) => {
                let named = all.iter().take(ATTRIBUTES);
                let named: Vec<String> = named
                    .map(|(k, v)| format!("{k}: {}", plain(t, v)))
                    .collect();
                named.join(", ")
            }
            Reported::Available {
                available: true, ..
            } => t.bench.available.to_owned(),
            Reported::Available { .. } => t.bench.unavailable.to_owned(),
            Reported::Refused(why) => fill(t.bench.refuses, why),
        }
    }

    /// The payloads that commands of these settings would send.
    fn suggestions(&self) -> Vec<String> {
        let Ok(config) = &self.config else {
            return Vec::new();
        };
        let attributes = BTreeMap::new();
        let known = Known {
            state: None,
            attributes: &attributes,
        };
        let mut payloads = Vec::new();
        for action in config.actions() {
            let Some(value) = example(config, action) else {
                continue;
            };
            let made = self.with(|ctx| wire::encode(config, ctx, &known, action, value.as_ref()));
            let Ok(publication) = made else { continue };
            let is_here = Some(publication.topic) == self.topic("command_topic");
            if let (true, Ok(text)) = (is_here, String::from_utf8(publication.payload))
                && !payloads.contains(&text)
            {
                payloads.push(text);
            }
        }
        payloads
    }
}

/// A value that the action could have; `None` if it is resolved to another action.
fn example(config: &EntityConfig, action: Action) -> Option<Option<Json>> {
    match (action, config.kind) {
        (Action::Toggle, _) => None,
        (Action::Set, Kind::Light) => Some(Some(json!({"brightness": 50}))),
        (Action::Set, Kind::Select) => Some(config.options().first().map(|o| json!(o))),
        (Action::Set, _) => Some(config.range().map(|range| json!(range.min))),
        _ => Some(None),
    }
}

fn plain(t: &Texts, value: &Json) -> String {
    match value {
        Json::String(text) => text.chars().take(100).collect(),
        Json::Number(number) => readable(t, number.as_f64().unwrap_or_default()),
        other => other.to_string().chars().take(100).collect(),
    }
}

/// What the house refused, in words for the bench; other problems are not the bench's.
fn refused(t: &Texts, problem: Problem) -> Answer<String> {
    match problem.code {
        "invalid" => Ok(form::said(t, &problem.detail)),
        "conflict" => Ok(t.frame.broker_lost.to_owned()),
        _ => Err(problem),
    }
}
