//! From the store's words to the engine's: what a device's actor starts from.
//!
//! Owner of the translation. A stored configuration that no longer parses costs
//! that entity, never the device; it must never change what is stored.

use crate::complaints::Complaints;
use iothome_engine::command::Command;
use iothome_engine::config::EntityConfig;
use iothome_engine::device::{DeviceSetup, EntitySetup, RestoredState};
use iothome_engine::history::LastState;
use iothome_engine::ids::EntityId;
use iothome_engine::template::Templates;
use iothome_engine::view::{Availability, DeviceView, Freshness, Health};
use iothome_store::StoredDevice;
use std::sync::Arc;

/// A device that is to be started.
pub(crate) struct Newcomer {
    pub(crate) setup: DeviceSetup,
    /// Commands without an end, from the store.
    pub(crate) open: Vec<Command>,
}

impl Newcomer {
    /// A device without a past.
    pub(crate) const fn fresh(setup: DeviceSetup) -> Self {
        Self {
            setup,
            open: Vec::new(),
        }
    }
}

/// What was known of an entity before.
#[derive(Default)]
pub(crate) struct Past {
    pub(crate) restored: Option<RestoredState>,
    pub(crate) not_announced: bool,
}

/// The setup of a stored device. Entities taken from view and those that do not parse are left out.
pub(crate) fn setup_of(
    stored: &StoredDevice,
    templates: &Templates,
    complaints: &Complaints,
    past: impl Fn(&EntityId) -> Past,
) -> DeviceSetup {
    let shown = stored.entities.iter().filter(|e| e.withdrawn_at.is_none());
    let entities =
        shown.filter_map(
            |entity| match EntityConfig::parse(entity.kind, &entity.raw, templates) {
                Ok(config) => {
                    let past = past(&entity.id);
                    Some(EntitySetup {
                        id: entity.id.clone(),
                        name: entity.name.clone(),
                        config,
                        deadline_ms: entity.deadline_ms,
                        not_announced: past.not_announced,
                        restored: past.restored,
                    })
                }
                Err(problem) => {
                    let source = format!("{}/{}", stored.id, entity.id);
                    complaints.note(&source, &format!("the stored configuration: {problem}"));
                    None
                }
            },
        );
    DeviceSetup {
        id: stored.id.clone(),
        name: stored.name.clone(),
        room: stored.room.clone(),
        icon: stored.icon.clone(),
        position: stored.position,
        about: stored.about.clone(),
        sender_verified: stored.sender_verified,
        version: stored.version,
        entities: entities.collect(),
        coalesced: 0,
    }
}

/// The past of an entity from its stored last state.
pub(crate) fn past_of(state: LastState) -> Past {
    Past {
        restored: Some(RestoredState {
            state: state.state,
            attributes: state.attributes,
            reported_at: state.reported_at,
            changed_at: state.changed_at,
        }),
        not_announced: false,
    }
}

/// The past of an entity from the last view of its device, which is newer than what is stored.
pub(crate) fn past_in(view: &DeviceView, entity: &EntityId) -> Past {
    let Some(seen) = view.entity(entity) else {
        return Past::default();
    };
    let known = !matches!(seen.freshness, Freshness::Never);
    Past {
        restored: known.then(|| RestoredState {
            state: seen.state.clone(),
            attributes: seen.attributes.as_ref().clone(),
            reported_at: seen.reported_at,
            changed_at: seen.changed_at,
        }),
        not_announced: seen.not_announced,
    }
}

/// What is shown of a device until its actor has shown more.
pub(crate) fn blank_view(setup: &DeviceSetup) -> DeviceView {
    DeviceView {
        id: setup.id.clone(),
        name: setup.name.clone(),
        room: setup.room.clone(),
        icon: setup.icon.clone(),
        position: setup.position,
        availability: Availability::Unknown,
        health: Health::Ok,
        reason: None,
        sender_verified: setup.sender_verified,
        about: Arc::new(setup.about.clone()),
        last_seen: None,
        coalesced: 0,
        revision: 0,
        version: setup.version,
        entities: Vec::new(),
    }
}
