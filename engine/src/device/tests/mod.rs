//! Tests of the device, each a sentence of its contract.
//!
//! Owner of the bench: a device with a hand-driven clock whose timers fire only
//! when time is passed.

#![expect(clippy::unwrap_used, reason = "tests")]

mod availability;
mod commands;
mod durability;
mod freshness;
mod model;
mod ops;
mod restart;
mod view;

use super::*;
use crate::command::{Ask, Cause, Command, CommandWrite, Idempotency, Refusal};
use crate::config::EntityConfig;
use crate::history::{LastState, Sample};
use crate::ids::{CommandId, EntityRef, SessionId, UserId};
use crate::kind::{Action, Kind};
use crate::template::Templates;
use crate::value::Value;
use crate::view::{EntityView, Freshness};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// Where the hand-driven clock starts.
const T0: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn shared() -> Arc<Shared> {
    Arc::new(Shared {
        templates: Arc::new(Templates::new()),
        zone: jiff::tz::TimeZone::UTC,
    })
}

fn entity(id: &str, kind: Kind, config: &Json) -> EntitySetup {
    let raw = config.as_object().unwrap();
    EntitySetup {
        id: id.parse().unwrap(),
        name: None,
        config: EntityConfig::parse(kind, raw, &Templates::new()).unwrap(),
        deadline_ms: None,
        not_announced: false,
        restored: None,
    }
}

fn setup(entities: Vec<EntitySetup>) -> DeviceSetup {
    DeviceSetup {
        id: "thing".parse().unwrap(),
        name: "Thing".into(),
        room: Some("Kitchen".into()),
        icon: None,
        position: None,
        about: About::default(),
        sender_verified: true,
        version: 1,
        entities,
        coalesced: 0,
    }
}

fn switch() -> EntitySetup {
    entity(
        "power",
        Kind::Switch,
        &json!({"command_topic": "d/power/set", "state_topic": "d/power"}),
    )
}

fn light() -> EntitySetup {
    entity(
        "light",
        Kind::Light,
        &json!({
            "command_topic": "d/light/set", "state_topic": "d/light",
            "brightness_command_topic": "d/light/bri/set", "brightness_state_topic": "d/light/bri",
        }),
    )
}

fn blind() -> EntitySetup {
    entity(
        "blind",
        Kind::Cover,
        &json!({
            "command_topic": "d/blind/set", "state_topic": "d/blind",
            "set_position_topic": "d/blind/pos/set", "position_topic": "d/blind/pos",
        }),
    )
}

fn lock() -> EntitySetup {
    entity(
        "lock",
        Kind::Lock,
        &json!({"command_topic": "d/lock/set", "state_topic": "d/lock"}),
    )
}

fn button() -> EntitySetup {
    entity(
        "open",
        Kind::Button,
        &json!({"command_topic": "d/open/set"}),
    )
}

/// A switch that reports nothing.
fn blind_switch() -> EntitySetup {
    entity(
        "mute",
        Kind::Switch,
        &json!({"command_topic": "d/mute/set"}),
    )
}

fn number() -> EntitySetup {
    entity(
        "target",
        Kind::Number,
        &json!({
            "command_topic": "d/target/set", "state_topic": "d/target",
            "min": 5, "max": 30, "step": 0.5,
        }),
    )
}

fn select() -> EntitySetup {
    entity(
        "mode",
        Kind::Select,
        &json!({
            "command_topic": "d/mode/set", "state_topic": "d/mode", "options": ["eco", "boost"],
        }),
    )
}

fn temperature() -> EntitySetup {
    entity(
        "temperature",
        Kind::Sensor,
        &json!({"state_topic": "d/temperature", "unit_of_measurement": "°C"}),
    )
}

/// The same entity with availability topics.
fn with(mut setup: EntitySetup, more: &Json) -> EntitySetup {
    let mut raw = setup.config.raw.clone();
    raw.extend(more.as_object().unwrap().clone());
    setup.config = EntityConfig::parse(setup.config.kind, &raw, &Templates::new()).unwrap();
    setup
}

fn person() -> Cause {
    Cause::User {
        user: UserId::new(T0, [1; 10]),
        name: "eve".into(),
        session: SessionId::new(T0, [2; 10]),
    }
}

fn schedule() -> Cause {
    Cause::Schedule {
        schedule: "evening".into(),
        name: "Evening".into(),
        due_at: T0,
    }
}

/// A device with a clock that moves only when told.
struct Bench {
    device: Device,
    now: Timestamp,
    timers: HashMap<Timer, Timestamp>,
    asked: u64,
}

impl Bench {
    /// Started, with the broker up.
    fn new(entities: Vec<EntitySetup>) -> Self {
        let mut bench = Self::before_start(entities);
        bench.apply(Input::Resumed { commands: vec![] });
        bench.apply(Input::BrokerUp);
        bench
    }

    fn before_start(entities: Vec<EntitySetup>) -> Self {
        Self {
            device: Device::new(setup(entities), shared(), T0),
            now: T0,
            timers: HashMap::new(),
            asked: 0,
        }
    }

    fn apply(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.device.apply(self.now, input);
        self.note(&effects);
        effects
    }

    fn note(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::SetTimer { timer, at } = effect {
                self.timers.insert(timer.clone(), *at);
            }
        }
    }

    /// Lets time pass; timers fire in order.
    fn pass(&mut self, ms: i64) -> Vec<Effect> {
        let until = self.now.plus_millis(ms);
        let mut effects = Vec::new();
        loop {
            let next = self.timers.iter().min_by_key(|(_, at)| **at);
            let Some((timer, at)) = next.map(|(t, at)| (t.clone(), *at)) else {
                break;
            };
            if at > until {
                break;
            }
            self.timers.remove(&timer);
            self.now = self.now.max(at);
            effects.extend(self.apply(Input::Fired { timer, at }));
        }
        self.now = until;
        effects
    }

    fn message(&mut self, topic: &str, payload: &str, retained: bool) -> Vec<Effect> {
        self.now = Timestamp::from_micros(self.now.as_micros() + 1);
        self.apply(Input::Reported {
            topic: topic.into(),
            payload: payload.into(),
            retained,
            received_at: self.now,
        })
    }

    fn report(&mut self, topic: &str, payload: &str) -> Vec<Effect> {
        self.message(topic, payload, false)
    }

    fn retained(&mut self, topic: &str, payload: &str) -> Vec<Effect> {
        self.message(topic, payload, true)
    }

    fn new_ask(&mut self, entity: &str, action: Action, value: Option<Json>, cause: Cause) -> Ask {
        self.asked += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.asked.to_be_bytes());
        Ask {
            id: CommandId::new(self.now, random),
            target: EntityRef {
                device: "thing".parse().unwrap(),
                entity: entity.parse().unwrap(),
            },
            action,
            value,
            cause,
            idempotency: None,
        }
    }

    fn try_ask(
        &mut self,
        entity: &str,
        action: Action,
        value: Option<Json>,
        cause: Cause,
    ) -> Result<(Command, Vec<Effect>), Refusal> {
        let ask = self.new_ask(entity, action, value, cause);
        let (command, effects) = self.device.ask(self.now, &ask)?;
        self.note(&effects);
        Ok((command, effects))
    }

    fn ask(&mut self, entity: &str, action: Action) -> (CommandId, Vec<Effect>) {
        let (command, effects) = self.try_ask(entity, action, None, person()).unwrap();
        (command.id, effects)
    }

    fn set(&mut self, entity: &str, value: Json) -> (CommandId, Vec<Effect>) {
        let asked = self.try_ask(entity, Action::Set, Some(value), person());
        let (command, effects) = asked.unwrap();
        (command.id, effects)
    }

    /// Asked, stored, sent and acknowledged.
    fn ask_and_send(&mut self, entity: &str, action: Action) -> CommandId {
        let (id, _) = self.ask(entity, action);
        self.carry(id);
        id
    }

    fn carry(&mut self, command: CommandId) -> Vec<Effect> {
        let mut effects = self.apply(Input::Stored { command });
        effects.extend(self.sent(command));
        effects.extend(self.apply(Input::Acknowledged { command }));
        effects
    }

    fn sent(&mut self, command: CommandId) -> Vec<Effect> {
        self.now = Timestamp::from_micros(self.now.as_micros() + 1);
        self.apply(Input::Sent {
            command,
            at: self.now,
        })
    }

    fn view(&self, entity: &str) -> Arc<EntityView> {
        let view = self.device.view();
        let found = view.entities.iter().find(|e| e.id.as_str() == entity);
        Arc::clone(found.unwrap())
    }

    fn word(&self, entity: &str) -> Option<String> {
        self.view(entity).state.as_ref().map(ToString::to_string)
    }
}

fn pick<'a, T>(effects: &'a [Effect], which: impl Fn(&'a Effect) -> Option<T>) -> Vec<T> {
    effects.iter().filter_map(which).collect()
}

fn published(effects: &[Effect]) -> Vec<&Outgoing> {
    pick(effects, |e| match e {
        Effect::Publish(out) => Some(out),
        _ => None,
    })
}

fn accepted(effects: &[Effect]) -> Vec<&Command> {
    pick(effects, |e| match e {
        Effect::Persist(CommandWrite::Accepted(command, _)) => Some(command),
        _ => None,
    })
}

fn marked(effects: &[Effect]) -> Vec<CommandId> {
    pick(effects, |e| match e {
        Effect::Persist(CommandWrite::Sending(id)) => Some(*id),
        _ => None,
    })
}

/// Ends among the effects: id, status, reason.
fn ended(effects: &[Effect]) -> Vec<(CommandId, Status, Option<&str>)> {
    pick(effects, |e| match e {
        Effect::Persist(CommandWrite::Ended(c)) => Some((c.id, c.status, c.reason.as_deref())),
        _ => None,
    })
}

fn samples(effects: &[Effect]) -> Vec<String> {
    pick(effects, |e| match e {
        Effect::Record(Sample { value, .. }) => Some(value.to_string()),
        _ => None,
    })
}

fn last_states(effects: &[Effect]) -> Vec<&LastState> {
    pick(effects, |e| match e {
        Effect::RecordState(state) => Some(state),
        _ => None,
    })
}

fn reach(effects: &[Effect]) -> Vec<bool> {
    pick(effects, |e| match e {
        Effect::RecordAvailability { online, .. } => Some(*online),
        _ => None,
    })
}
