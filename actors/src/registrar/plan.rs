//! What an announcement changes of a stored device: decided here, written elsewhere.
//!
//! Owner of the rule that announcements never touch ids, names given by people,
//! rooms or grants. Pure functions; they must never ask the store.

use iothome_engine::discovery::{Announced, AnnouncedEntity};
use iothome_engine::ids::{DeviceId, EntityId, slug_from_name};
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;
use iothome_store::{DevicePatch, Origin, StoredDevice, StoredEntity};
use std::collections::HashSet;

/// How long the longest name is, in characters.
pub(crate) const NAME_MAX: usize = 100;

/// Entities of one device; the largest real devices have about a hundred.
pub(crate) const ENTITIES_MAX: usize = 512;

/// What these announcements change of the device; an empty patch is no work.
///
/// `gone` are ids of entities that were removed for good.
pub(crate) fn update(
    stored: &StoredDevice,
    announced: &[Announced],
    gone: &[EntityId],
    now: Timestamp,
) -> DevicePatch {
    let mut patch = DevicePatch::default();
    let mut ids: HashSet<EntityId> = stored.entities.iter().map(|e| e.id.clone()).collect();
    ids.extend(gone.iter().cloned());
    for one in announced {
        for entity in &one.entities {
            update_entity(&mut patch, &mut ids, stored, one, entity);
        }
        withdraw_missing(&mut patch, stored, one, now);
        patch.about = changed_about(stored, one).or(patch.about);
        let new_keys = one
            .identity
            .keys
            .iter()
            .filter(|k| !stored.identity.contains(k));
        patch.identity.extend(new_keys.cloned());
    }
    patch
}

fn update_entity(
    patch: &mut DevicePatch,
    ids: &mut HashSet<EntityId>,
    stored: &StoredDevice,
    announced: &Announced,
    entity: &AnnouncedEntity,
) {
    let known = stored
        .entities
        .iter()
        .find(|e| e.key.as_deref() == Some(&entity.key));
    let place = patch
        .entities
        .iter()
        .position(|e| e.key.as_deref() == Some(&entity.key));
    let Some(base) = place
        .map(|p| patch.entities[p].clone())
        .or_else(|| known.cloned())
    else {
        if ids.len() < ENTITIES_MAX {
            let position = i32::try_from(ids.len()).unwrap_or(i32::MAX);
            patch
                .entities
                .push(new_entity(ids, announced, entity, position));
        }
        return;
    };
    let updated = StoredEntity {
        kind: entity.config.kind,
        raw: entity.config.raw.clone(),
        config_topic: Some(announced.topic.clone()),
        config_hash: Some(announced.hash.clone()),
        withdrawn_at: None,
        ..base
    };
    match place {
        Some(place) => patch.entities[place] = updated,
        None if known == Some(&updated) => {}
        None => patch.entities.push(updated),
    }
}

fn new_entity(
    ids: &mut HashSet<EntityId>,
    announced: &Announced,
    entity: &AnnouncedEntity,
    position: i32,
) -> StoredEntity {
    let id = free_id(ids, &entity.suggested_id, entity.config.kind.as_str());
    ids.insert(id.clone());
    StoredEntity {
        id,
        kind: entity.config.kind,
        name: None,
        raw: entity.config.raw.clone(),
        config_topic: Some(announced.topic.clone()),
        config_hash: Some(announced.hash.clone()),
        key: Some(entity.key.clone()),
        deadline_ms: None,
        position,
        withdrawn_at: None,
    }
}

/// An entity's id from its name that is not among `taken`.
pub(crate) fn free_id(taken: &HashSet<EntityId>, name: &str, fallback: &str) -> EntityId {
    let is_taken = |text: &str| text.parse().is_ok_and(|id: EntityId| taken.contains(&id));
    slug_from_name(name, fallback, is_taken)
        .parse()
        .expect("a slug follows the grammar of ids")
}

/// Entities that this topic announced and does not any more.
fn withdraw_missing(
    patch: &mut DevicePatch,
    stored: &StoredDevice,
    announced: &Announced,
    now: Timestamp,
) {
    let named = |e: &&StoredEntity| {
        !announced
            .entities
            .iter()
            .any(|a| Some(a.key.as_str()) == e.key.as_deref())
    };
    let from_here = |e: &&StoredEntity| {
        e.config_topic.as_deref() == Some(&announced.topic) && e.withdrawn_at.is_none()
    };
    for entity in stored.entities.iter().filter(from_here).filter(named) {
        withdraw(patch, entity, now);
    }
}

/// What an empty configuration on this topic changes: its entities are taken from view.
pub(crate) fn withdrawal(stored: &StoredDevice, topic: &str, now: Timestamp) -> DevicePatch {
    let mut patch = DevicePatch::default();
    for entity in &stored.entities {
        if entity.config_topic.as_deref() == Some(topic) && entity.withdrawn_at.is_none() {
            withdraw(&mut patch, entity, now);
        }
    }
    patch
}

fn withdraw(patch: &mut DevicePatch, entity: &StoredEntity, now: Timestamp) {
    // Announced on another topic in the same breath: it moved, it did not go.
    if patch.entities.iter().all(|e| e.id != entity.id) {
        patch.entities.push(StoredEntity {
            withdrawn_at: Some(now),
            ..entity.clone()
        });
    }
}

fn changed_about(stored: &StoredDevice, announced: &Announced) -> Option<About> {
    let about = &announced.about;
    (*about != About::default() && *about != stored.about).then(|| about.clone())
}

/// Whether the patch changes nothing.
pub(crate) fn is_empty(patch: &DevicePatch) -> bool {
    *patch == DevicePatch::default()
}

/// The stored device that these announcements become when somebody accepts them.
pub(crate) fn acceptance(
    id: DeviceId,
    name: String,
    room: Option<String>,
    sender_verified: bool,
    announced: &[Announced],
    now: Timestamp,
) -> StoredDevice {
    let mut device = StoredDevice {
        id,
        name,
        room,
        icon: None,
        position: None,
        about: About::default(),
        origin: Origin::Discovered,
        identity: Vec::new(),
        sender_verified,
        created_at: now,
        version: 1,
        entities: Vec::new(),
    };
    let patch = update(&device, announced, &[], now);
    device.about = patch.about.unwrap_or_default();
    device.entities = patch.entities;
    for key in patch.identity {
        if !device.identity.contains(&key) {
            device.identity.push(key);
        }
    }
    device
}

/// A name that fits: trimmed, without control characters, cut to length; `None` if nothing is left.
pub(crate) fn tidy_name(name: &str) -> Option<String> {
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    let cut: String = plain.trim().chars().take(NAME_MAX).collect();
    (!cut.is_empty()).then_some(cut)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
