//! What a device is known by, and what it says of itself.
//!
//! Owner of the `device` and `origin` blocks. It must never trust a text to be short.

use super::Map;
use super::abbreviations::{Block, expand};
use crate::view::About;
use serde_json::Value as Json;

/// Longest text kept of these blocks, in characters; names are cut, keys are dropped.
const TEXT_MAX: usize = 255;

/// Most identifiers and connections kept.
const KEYS_MAX: usize = 32;

/// What a device is known by: any of these keys is enough to know it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `id:<identifier>`, `conn:<type>:<value>`, or `topic:<group>` if it says neither.
    pub keys: Vec<String>,
}

/// A `device` block, read.
#[derive(Clone, Debug, Default)]
pub(super) struct DeviceBlock {
    pub(super) identity: Identity,
    pub(super) about: About,
    pub(super) name: Option<String>,
    pub(super) suggested_area: Option<String>,
}

fn as_text(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn short(map: &Map, key: &str) -> Option<String> {
    let text = as_text(map.get(key)?)?;
    Some(
        text.chars()
            .filter(|c| !c.is_control())
            .take(TEXT_MAX)
            .collect(),
    )
}

/// A list of texts; one text stands for a list of one.
fn texts(value: Option<&Json>) -> Vec<String> {
    let items = match value {
        Some(Json::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items
        .iter()
        .filter_map(as_text)
        .filter(|text| text.len() <= TEXT_MAX)
        .take(KEYS_MAX)
        .collect()
}

/// Pairs of a type and a value; MAC addresses are written in capitals or not, so they are lowered.
fn connections(value: Option<&Json>) -> Vec<(String, String)> {
    let pairs = value
        .and_then(Json::as_array)
        .map_or(&[][..], Vec::as_slice);
    pairs
        .iter()
        .filter_map(|pair| match pair.as_array()?.as_slice() {
            [kind, value] => Some((as_text(kind)?.to_lowercase(), as_text(value)?)),
            _ => None,
        })
        .filter(|(kind, value)| kind.len() <= TEXT_MAX && value.len() <= TEXT_MAX)
        .map(|(kind, value)| {
            let value = if kind == "mac" {
                value.to_lowercase()
            } else {
                value
            };
            (kind, value)
        })
        .take(KEYS_MAX)
        .collect()
}

/// Reads the `device` block of an announcement; empty if there is none.
pub(super) fn device_block(root: &mut Map) -> DeviceBlock {
    let Some(Json::Object(block)) = root.remove("device") else {
        return DeviceBlock::default();
    };
    let block = expand(Block::Device, block);
    let about = About {
        manufacturer: short(&block, "manufacturer"),
        model: short(&block, "model").or_else(|| short(&block, "model_id")),
        sw_version: short(&block, "sw_version"),
        hw_version: short(&block, "hw_version"),
        serial_number: short(&block, "serial_number"),
        identifiers: texts(block.get("identifiers")),
        connections: connections(block.get("connections")),
    };
    DeviceBlock {
        identity: identity(&about),
        about,
        name: short(&block, "name"),
        suggested_area: short(&block, "suggested_area"),
    }
}

fn identity(about: &About) -> Identity {
    let ids = about.identifiers.iter().map(|id| format!("id:{id}"));
    let connections = about
        .connections
        .iter()
        .map(|(kind, value)| format!("conn:{kind}:{value}"));
    Identity {
        keys: ids.chain(connections).collect(),
    }
}

/// Reads the `origin` block: the program's name and version.
pub(super) fn origin(root: &mut Map) -> Option<String> {
    let Some(Json::Object(block)) = root.remove("origin") else {
        return None;
    };
    let block = expand(Block::Origin, block);
    let name = short(&block, "name")?;
    Some(match short(&block, "sw_version") {
        Some(version) => format!("{name} {version}"),
        None => name,
    })
}
