//! What is remembered of an entity: samples of live reports and the last state.
//!
//! Owner of the shapes that go to the recorder; it must never hold a replay.

use crate::ids::EntityRef;
use crate::time::Timestamp;
use crate::value::Value;
use std::collections::BTreeMap;

/// A live report of an entity's state: one point of its history.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Of which entity.
    pub target: EntityRef,
    /// When it was reported.
    pub at: Timestamp,
    /// What it said.
    pub value: Value,
}

/// The last known state of an entity, so that a restart can show it as restored.
#[derive(Clone, Debug, PartialEq)]
pub struct LastState {
    /// Of which entity.
    pub target: EntityRef,
    /// Its state; `None` if it reported that it does not know.
    pub state: Option<Value>,
    /// Its attributes.
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// When it was reported.
    pub reported_at: Option<Timestamp>,
    /// When the state last changed.
    pub changed_at: Option<Timestamp>,
}
