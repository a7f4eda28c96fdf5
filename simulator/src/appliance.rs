//! What a simulated device is, apart from the wire: entities, reports, obedience.
//!
//! Owner of the shape all models share. A model must never touch the network or a
//! clock: the time since its start is an argument.

use crate::dice::Dice;
use serde_json::{Map, Value, json};

/// One entity as its device announces it. Topics are below the device's own base (`~`).
pub(crate) struct Entity {
    pub(crate) component: &'static str,
    pub(crate) object: &'static str,
    pub(crate) options: Value,
}

impl Entity {
    pub(crate) fn new(component: &'static str, object: &'static str, options: Value) -> Self {
        Self {
            component,
            object,
            options,
        }
    }
}

/// Something the device says on one of its topics, below its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) topic: &'static str,
    pub(crate) payload: String,
    pub(crate) retain: bool,
}

impl Report {
    pub(crate) fn kept(topic: &'static str, payload: &impl ToString) -> Self {
        Self {
            topic,
            payload: payload.to_string(),
            retain: true,
        }
    }

    /// A report of a moment: worth nothing later.
    pub(crate) fn passing(topic: &'static str, payload: &impl ToString) -> Self {
        Self {
            retain: false,
            ..Self::kept(topic, payload)
        }
    }
}

/// A pretended device.
pub(crate) trait Appliance: Send {
    /// What it announces; nothing if it cannot announce itself.
    fn entities(&self) -> Vec<Entity>;

    /// Everything it would report now.
    fn reports(&self) -> Vec<Report>;

    /// Topics below its base on which it takes commands.
    fn command_topics(&self) -> Vec<&'static str>;

    /// Does what it is told; gives the topics to report on even if nothing changed.
    fn obey(&mut self, now_ms: u64, topic: &str, payload: &str) -> Vec<&'static str>;

    /// Lets time pass up to `now_ms`.
    fn pass(&mut self, now_ms: u64, dice: &mut Dice);

    /// How soon time should pass again; short while something moves.
    fn patience_ms(&self) -> u64 {
        1_000
    }

    /// Out of reach at the moment.
    fn is_away(&self) -> bool {
        false
    }
}

/// The base of a device's topics when it speaks our own dialect.
pub(crate) fn own_base(id: &str) -> String {
    format!("iothome/{id}")
}

/// The one configuration for a device with many entities (`…/device/<id>/config`).
pub(crate) fn bundle(who: &Introduction<'_>, entities: Vec<Entity>) -> (String, Value) {
    let mut components = Map::new();
    for entity in entities {
        let mut options = entity.options;
        options["platform"] = json!(entity.component);
        options["unique_id"] = json!(format!("{}_{}", who.id, entity.object));
        options["object_id"] = json!(format!("{}_{}", who.id, entity.object));
        components.insert(entity.object.to_owned(), options);
    }
    let payload = json!({
        "~": own_base(who.id),
        "device": who.device(),
        "origin": origin(),
        "availability_topic": "~/availability",
        "qos": 1,
        "components": components,
    });
    (format!("{}/device/{}/config", who.prefix, who.id), payload)
}

/// One configuration per entity, with the short words that small firmware uses.
pub(crate) fn singles(who: &Introduction<'_>, entities: Vec<Entity>) -> Vec<(String, Value)> {
    let announce = |entity: Entity| {
        let mut payload = entity.options;
        payload["~"] = json!(own_base(who.id));
        payload["uniq_id"] = json!(format!("{}_{}", who.id, entity.object));
        payload["avty_t"] = json!("~/availability");
        payload["dev"] = who.device();
        payload["o"] = origin();
        let (component, object) = (entity.component, entity.object);
        let topic = format!("{}/{component}/{}/{object}/config", who.prefix, who.id);
        (topic, payload)
    };
    entities.into_iter().map(announce).collect()
}

/// Who announces.
pub(crate) struct Introduction<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) area: Option<&'a str>,
    pub(crate) model: &'static str,
}

impl Introduction<'_> {
    fn device(&self) -> Value {
        let mut device = json!({
            "identifiers": [self.id],
            "name": self.name,
            "manufacturer": "Simulated Things",
            "model": self.model,
            "sw_version": env!("CARGO_PKG_VERSION"),
        });
        if let Some(area) = self.area {
            device["suggested_area"] = json!(area);
        }
        device
    }
}

fn origin() -> Value {
    json!({ "name": "IoT Home simulator", "sw_version": env!("CARGO_PKG_VERSION") })
}
