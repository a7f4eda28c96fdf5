//! What announcements change of a stored device, without a store.

use super::*;
use iothome_engine::discovery::{Announcement, parse};
use iothome_engine::template::Templates;
use serde_json::{Value, json};

const BUNDLE: &str = "homeassistant/device/weather/config";
const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn announced(topic: &str, payload: &Value) -> Announced {
    let text = payload.to_string();
    match parse("homeassistant", topic, text.as_bytes(), &Templates::new()) {
        Ok(Announcement::Announced(announced)) => announced,
        other => panic!("{other:?}"),
    }
}

fn bundle(components: &[&str]) -> Announced {
    let parts = components.iter().map(|c| {
        let part = json!({
            "platform": "sensor", "unique_id": format!("w-{c}"), "name": c,
            "state_topic": format!("weather/{c}"),
        });
        ((*c).to_owned(), part)
    });
    let payload = json!({
        "device": { "identifiers": ["w"], "name": "Weather" },
        "origin": { "name": "test" },
        "components": Value::Object(parts.collect()),
    });
    announced(BUNDLE, &payload)
}

fn accepted(announced: &[Announced]) -> StoredDevice {
    let id = "weather".parse().expect("an id");
    acceptance(id, "Weather".into(), None, true, announced, NOW)
}

fn apply(device: &mut StoredDevice, patch: DevicePatch) {
    for entity in patch.entities {
        match device.entities.iter_mut().find(|e| e.id == entity.id) {
            Some(known) => *known = entity,
            None => device.entities.push(entity),
        }
    }
}

fn shown(device: &StoredDevice) -> Vec<&str> {
    let shown = device.entities.iter().filter(|e| e.withdrawn_at.is_none());
    shown.map(|e| e.id.as_str()).collect()
}

#[test]
fn the_same_announcement_changes_nothing() {
    let device = accepted(&[bundle(&["wind", "rain"])]);
    assert!(is_empty(&update(
        &device,
        &[bundle(&["wind", "rain"])],
        &[],
        NOW
    )));
}

#[test]
fn a_component_left_out_of_the_bundle_is_withdrawn_and_may_return() {
    let mut device = accepted(&[bundle(&["wind", "rain"])]);
    let patch = update(&device, &[bundle(&["wind"])], &[], NOW);
    apply(&mut device, patch);
    assert_eq!(shown(&device), ["wind"]);
    let patch = update(&device, &[bundle(&["wind", "rain", "sun"])], &[], NOW);
    apply(&mut device, patch);
    assert_eq!(shown(&device), ["rain", "wind", "sun"]);
}

#[test]
fn an_entity_that_moves_to_another_topic_keeps_its_id_and_name() {
    let single = json!({
        "unique_id": "w-wind", "name": "Wind", "state_topic": "weather/wind",
        "device": { "identifiers": ["w"], "name": "Weather" },
    });
    let old = "homeassistant/sensor/weather/wind/config";
    let mut device = accepted(&[announced(old, &single)]);
    device.entities[0].name = Some("Gusts".into());
    let id = device.entities[0].id.clone();
    let patch = update(&device, &[bundle(&["wind"])], &[], NOW);
    apply(&mut device, patch);
    // The old topic is emptied afterwards: nothing is left there.
    assert!(is_empty(&withdrawal(&device, old, NOW)));
    assert_eq!(device.entities.len(), 1);
    assert_eq!(
        (&device.entities[0].id, device.entities[0].name.as_deref()),
        (&id, Some("Gusts"))
    );
}

#[test]
fn ids_that_are_taken_or_were_removed_for_good_are_not_given_again() {
    let device = accepted(&[bundle(&["wind"])]);
    let gone = ["rain".parse().expect("an id")];
    let patch = update(&device, &[bundle(&["wind", "rain"])], &gone, NOW);
    let new = patch
        .entities
        .iter()
        .find(|e| e.key.as_deref() == Some("w-rain"));
    assert_eq!(new.map(|e| e.id.as_str()), Some("rain-2"));
}

#[test]
fn an_announcement_touches_neither_name_nor_room() {
    let device = accepted(&[bundle(&["wind"])]);
    let patch = update(&device, &[bundle(&["rain"])], &[], NOW);
    assert_eq!((patch.name, patch.room), (None, None));
}

#[test]
fn a_device_has_at_most_so_many_entities() {
    let names: Vec<String> = (0..200).map(|n| format!("s{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut device = accepted(&[]);
    for part in 0..4 {
        let mut many = bundle(&names);
        for entity in &mut many.entities {
            entity.key = format!("{part}-{}", entity.key);
        }
        many.topic = format!("homeassistant/device/weather/{part}/config");
        let patch = update(&device, &[many], &[], NOW);
        apply(&mut device, patch);
    }
    assert_eq!(device.entities.len(), ENTITIES_MAX);
}

#[test]
fn names_are_tidied_and_cut() {
    assert_eq!(tidy_name("  a\u{0}b\n "), Some("ab".into()));
    assert_eq!(tidy_name("\t"), None);
    assert_eq!(
        tidy_name(&"ä".repeat(300)).map(|n| n.chars().count()),
        Some(NAME_MAX)
    );
}
