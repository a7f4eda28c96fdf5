//! From an announcement's JSON to entities.
//!
//! Owner of base topics, shared options and bundles. One bad component must never
//! spoil its siblings.

use super::abbreviations::{Block, expand};
use super::identity::{DeviceBlock, Identity, device_block, origin};
use super::topic::ConfigTopic;
use super::{Announced, AnnouncedEntity, DiscoveryError, ENTITIES_MAX, Map};
use crate::config::{EntityConfig, SHARED_KEYS};
use crate::ids::slug_from_name;
use crate::kind::Kind;
use crate::template::Templates;
use crate::topic::TOPIC_MAX;
use serde_json::Value as Json;

/// The key of the base topic.
const BASE: &str = "~";

/// Longest options that a bundle's root may share, in bytes of JSON: copied into 256 components
/// they take 2 MiB. Real ones are some hundred bytes.
const SHARED_MAX: usize = 8 * 1024;

/// Reads what a configuration topic announces.
pub(super) fn announced(
    place: &ConfigTopic,
    topic: &str,
    hash: String,
    mut root: Map,
    templates: &Templates,
) -> Result<Announced, DiscoveryError> {
    let mut device = device_block(&mut root);
    let origin = origin(&mut root);
    let mut found = Found::default();
    if let Some(kind) = place.kind() {
        let map = resolve(root, None);
        let config = EntityConfig::parse(kind, &map, templates)?;
        found.add(topic.to_owned(), &place.object, config);
    } else {
        if device.identity.keys.is_empty() {
            return Err(DiscoveryError::NoIdentity);
        }
        bundle(topic, root, templates, &mut found)?;
    }
    if device.identity.keys.is_empty() {
        device.identity = Identity {
            keys: vec![format!("topic:{}", place.group())],
        };
    }
    let DeviceBlock {
        identity,
        about,
        name,
        suggested_area,
    } = device;
    Ok(Announced {
        topic: topic.to_owned(),
        hash,
        identity,
        about,
        name,
        suggested_area,
        origin,
        entities: found.entities,
        skipped: found.skipped,
    })
}

#[derive(Default)]
struct Found {
    entities: Vec<AnnouncedEntity>,
    skipped: Vec<(String, String)>,
}

impl Found {
    /// Adds an entity; `topic_key` is what it is known by without a `unique_id`.
    fn add(&mut self, topic_key: String, object: &str, config: EntityConfig) {
        let key = config.unique_id.clone().unwrap_or(topic_key);
        if self.entities.iter().any(|e| e.key == key) {
            self.skip(object, "another component has the same `unique_id`");
            return;
        }
        let name = config.name.as_deref().unwrap_or(object);
        let suggested_id = slug_from_name(name, config.kind.as_str(), |id| {
            self.entities.iter().any(|e| e.suggested_id == id)
        });
        self.entities.push(AnnouncedEntity {
            key,
            suggested_id,
            config,
        });
    }

    fn skip(&mut self, component: &str, reason: impl Into<String>) {
        self.skipped
            .push((component.chars().take(64).collect(), reason.into()));
    }
}

/// Reads a bundle's components, and those of its child devices as if they were its own.
fn bundle(
    topic: &str,
    mut root: Map,
    templates: &Templates,
    found: &mut Found,
) -> Result<(), DiscoveryError> {
    let components = object(root.remove("components"));
    let children = match root.remove("child_devices") {
        Some(Json::Array(children)) => children,
        _ => Vec::new(),
    };
    let children: Vec<(Option<String>, Map)> = children.into_iter().filter_map(child).collect();
    let total = components.len() + children.iter().map(|(_, c)| c.len()).sum::<usize>();
    if total == 0 || total > ENTITIES_MAX {
        return Err(DiscoveryError::Components);
    }
    // Each component gets a copy of its own.
    let shared = SHARED_KEYS.iter().filter_map(|key| root.get(*key));
    if shared.map(|v| v.to_string().len()).sum::<usize>() > SHARED_MAX {
        return Err(DiscoveryError::SharedOptions);
    }
    let base = root.get(BASE).and_then(Json::as_str).map(cut_base);
    let shared = Shared {
        topic,
        base,
        root,
        templates,
    };
    for (key, component) in components {
        shared.component(&key, None, component, found);
    }
    for (child, components) in children {
        for (key, component) in components {
            shared.component(&key, child.as_deref(), component, found);
        }
    }
    Ok(())
}

fn object(value: Option<Json>) -> Map {
    match value {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

/// A child device's name and components.
fn child(value: Json) -> Option<(Option<String>, Map)> {
    let Json::Object(map) = value else {
        return None;
    };
    let mut map = expand(Block::General, map);
    let components = object(map.remove("components"));
    let name = map.get("name").and_then(Json::as_str).map(str::to_owned);
    Some((name, components))
}

/// A bundle's root: what its components share.
struct Shared<'a> {
    topic: &'a str,
    base: Option<String>,
    root: Map,
    templates: &'a Templates,
}

impl Shared<'_> {
    fn component(&self, key: &str, child: Option<&str>, component: Json, found: &mut Found) {
        let Json::Object(map) = component else {
            found.skip(key, "it is no JSON object");
            return;
        };
        let mut map = expand(Block::General, map);
        let platform = map.remove("platform");
        // A component with its platform alone is Home Assistant's way to take it away.
        if map.is_empty() {
            return;
        }
        let Some(platform) = platform.as_ref().and_then(Json::as_str) else {
            found.skip(key, "it has no `platform`");
            return;
        };
        let Ok(kind) = platform.parse::<Kind>() else {
            found.skip(key, format!("{:?} is not supported yet", excerpt(platform)));
            return;
        };
        self.inherit(&mut map);
        let map = resolve(map, self.base.as_deref());
        match EntityConfig::parse(kind, &map, self.templates) {
            Ok(config) => {
                let config = named_after(child, key, config);
                found.add(format!("{}#{key}", self.topic), key, config);
            }
            Err(error) => found.skip(key, error.to_string()),
        }
    }

    /// Hands the root's options to a component that does not set them.
    fn inherit(&self, map: &mut Map) {
        let own_availability =
            map.contains_key("availability") || map.contains_key("availability_topic");
        for key in SHARED_KEYS {
            let is_availability = matches!(*key, "availability" | "availability_topic");
            if map.contains_key(*key) || (own_availability && is_availability) {
                continue;
            }
            if let Some(value) = self.root.get(*key) {
                map.insert((*key).to_owned(), value.clone());
            }
        }
    }
}

/// An entity of a child device carries the child's name before its own.
fn named_after(child: Option<&str>, key: &str, mut config: EntityConfig) -> EntityConfig {
    if let Some(child) = child {
        let own = config.name.as_deref().unwrap_or(key);
        let name: String = format!("{child} {own}").chars().take(255).collect();
        config.raw.insert("name".to_owned(), name.clone().into());
        config.name = Some(name);
    }
    config
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Puts the base topic where `~` stands at either end of a topic.
pub(super) fn resolve(mut map: Map, shared_base: Option<&str>) -> Map {
    let own = map.remove(BASE);
    let base = own.as_ref().and_then(Json::as_str).or(shared_base);
    let base = base.map(cut_base);
    let base = base.as_deref();
    for (key, value) in &mut map {
        if key == "availability" {
            resolve_availability(value, base);
        } else if key.ends_with("topic") {
            resolve_topic(value, base);
        }
    }
    map
}

/// A base too long for any topic stays too long, but is not copied whole into thousands of them.
fn cut_base(base: &str) -> String {
    base.chars().take(TOPIC_MAX + 1).collect()
}

fn resolve_topic(value: &mut Json, base: Option<&str>) {
    let (Some(base), Json::String(text)) = (base, &mut *value) else {
        return;
    };
    if let Some(rest) = text.strip_prefix(BASE) {
        *text = format!("{base}{rest}");
    }
    if let Some(rest) = text.strip_suffix(BASE) {
        *text = format!("{rest}{base}");
    }
}

/// Each entry of an availability list has short forms and a base topic of its own.
fn resolve_availability(value: &mut Json, base: Option<&str>) {
    let entries = match value {
        Json::Array(entries) => entries.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for entry in entries {
        if let Json::Object(map) = entry {
            let mut long = expand(Block::General, std::mem::take(map));
            if let Some(topic) = long.get_mut("topic") {
                resolve_topic(topic, base);
            }
            *map = long;
        }
    }
}
