//! The stored configuration of an entity, in Home Assistant's discovery words.

/// A JSON object: abbreviations expanded, `~` resolved, only keys that the kind knows.
pub type Raw = serde_json::Map<String, serde_json::Value>;
