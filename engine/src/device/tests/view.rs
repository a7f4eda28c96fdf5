//! The view: what changed, how cheap it is, and what a new configuration keeps.

use super::*;

#[test]
fn the_revision_grows_exactly_when_the_view_changed() {
    let mut b = Bench::new(vec![switch(), temperature()]);
    let mut before = b.device.view();
    let inputs = [
        ("d/power", "ON", false),
        ("d/power", "ON", true),
        ("d/power", "garbage", true),
        ("nobody", "ON", false),
        ("d/temperature", "4", true),
        ("d/temperature", "4", true),
    ];
    for (topic, payload, retained) in inputs {
        let effects = b.message(topic, payload, retained);
        let after = b.device.view();
        let said = effects.last() == Some(&Effect::Changed);
        assert_eq!(said, after.revision > before.revision, "{topic} {payload}");
        assert_eq!(said, after != before, "{topic} {payload}");
        before = after;
    }
}

#[test]
fn a_report_copies_one_entity_and_shares_the_others() {
    let mut b = Bench::new(vec![switch(), temperature()]);
    b.report("d/power", "ON");
    let before = b.device.view();
    b.report("d/power", "OFF");
    let after = b.device.view();
    assert!(!Arc::ptr_eq(&before.entities[0], &after.entities[0]));
    assert!(Arc::ptr_eq(&before.entities[1], &after.entities[1]));
    assert_eq!(before.entities[0].state, Some(Value::word("on")));
}

#[test]
fn an_entity_is_called_by_the_persons_name_then_its_own_then_the_devices() {
    let mut named = with(switch(), &json!({"name": "Relay"}));
    named.name = Some("Coffee machine".into());
    let own = with(temperature(), &json!({"name": "Temperature"}));
    let b = Bench::new(vec![named, own, light()]);
    let view = b.device.view();
    let names: Vec<&str> = view.entities.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["Coffee machine", "Temperature", "Thing"]);
}

#[test]
fn the_topics_of_all_entities_are_read_once_each() {
    let up = json!({"availability_topic": "d/up"});
    let b = Bench::new(vec![with(switch(), &up), with(temperature(), &up)]);
    assert_eq!(b.device.read_topics(), ["d/power", "d/temperature", "d/up"]);
}

#[test]
fn availability_and_what_could_end_a_command_is_sensitive() {
    let mut b = Bench::new(vec![
        with(switch(), &json!({"availability_topic": "d/up"})),
        temperature(),
    ]);
    assert!(b.device.is_sensitive("d/up"));
    assert!(!b.device.is_sensitive("d/power"));
    assert!(!b.device.is_sensitive("nobody"));
    let (id, _) = b.ask("power", Action::TurnOn);
    assert!(b.device.is_sensitive("d/power") && b.device.has_pending());
    assert!(!b.device.is_sensitive("d/temperature"));
    let sensitivity = b.device.sensitivity();
    b.sent(id);
    b.report("d/power", "OFF");
    assert_eq!(b.device.sensitivity(), sensitivity);
    b.report("d/power", "ON");
    assert!(!b.device.is_sensitive("d/power") && !b.device.has_pending());
    assert_ne!(b.device.sensitivity(), sensitivity);
}

#[test]
fn a_new_configuration_keeps_states_by_entity_id() {
    let mut b = Bench::new(vec![switch(), temperature()]);
    b.report("d/power", "ON");
    b.report("d/temperature", "4");
    let moved = with(switch(), &json!({"state_topic": "e/power"}));
    let mut new = setup(vec![moved, number()]);
    new.name = "Renamed".into();
    new.version = 2;
    b.apply(Input::Reconfigured(Box::new(new)));
    let view = b.device.view();
    assert_eq!((view.name.as_str(), view.version), ("Renamed", 2));
    assert_eq!(b.word("power").as_deref(), Some("on"));
    assert_eq!(b.view("target").freshness, Freshness::Never);
    assert_eq!(b.device.read_topics(), ["d/target", "e/power"]);
    b.report("e/power", "OFF");
    assert_eq!(b.word("power").as_deref(), Some("off"));
}

#[test]
fn a_command_goes_on_through_a_new_configuration_and_ends_with_its_entity() {
    let mut b = Bench::new(vec![switch(), light()]);
    let power = b.ask_and_send("power", Action::TurnOn);
    let lamp = b.ask_and_send("light", Action::TurnOn);
    let effects = b.apply(Input::Reconfigured(Box::new(setup(vec![switch()]))));
    assert_eq!(
        ended(&effects),
        [(lamp, Status::Rejected, Some("entity_removed"))]
    );
    let effects = b.report("d/power", "ON");
    assert_eq!(ended(&effects), [(power, Status::Confirmed, None)]);
}

#[test]
fn an_entity_that_changes_its_kind_starts_anew() {
    let mut b = Bench::new(vec![switch()]);
    b.report("d/power", "ON");
    let mut changed = light();
    changed.id = "power".parse().unwrap();
    b.apply(Input::Reconfigured(Box::new(setup(vec![changed]))));
    assert_eq!(b.view("power").freshness, Freshness::Never);
}

#[test]
fn not_announced_marks_exactly_the_named_entities_and_the_device_if_all_are() {
    let mut b = Bench::new(vec![switch(), light()]);
    let ids = |names: &[&str]| names.iter().map(|n| n.parse().unwrap()).collect();
    b.apply(Input::NotAnnounced {
        entities: ids(&["power"]),
    });
    assert!(b.view("power").not_announced && !b.view("light").not_announced);
    assert_eq!(b.device.view().health, Health::Ok);
    b.apply(Input::NotAnnounced {
        entities: ids(&["power", "light"]),
    });
    assert_eq!(b.device.view().health, Health::NotAnnounced);
    assert!(b.device.view().reason.is_some());
    let effects = b.apply(Input::NotAnnounced { entities: vec![] });
    assert_eq!(effects, [Effect::Changed]);
    assert_eq!(b.device.view().health, Health::Ok);
}

#[test]
fn coalesced_reports_are_counted_in_the_view() {
    let mut b = Bench::new(vec![switch()]);
    b.apply(Input::Coalesced { count: 3 });
    b.apply(Input::Coalesced { count: 4 });
    assert!(b.apply(Input::Coalesced { count: 0 }).is_empty());
    assert_eq!(b.device.view().coalesced, 7);
}

#[test]
fn a_later_life_of_the_actor_counts_revisions_on() {
    let mut b = Bench::new(vec![switch()]);
    for _ in 0..100 {
        b.report("d/power", "ON");
    }
    let next = Device::new(setup(vec![switch()]), shared(), b.now.plus_millis(1));
    assert!(next.view().revision > b.device.view().revision);
}

#[test]
fn one_message_costs_only_the_entities_on_its_topic() {
    let mut entities: Vec<EntitySetup> = (0..200)
        .map(|n| {
            let config = json!({"state_topic": format!("d/{n}"), "unit_of_measurement": "W"});
            entity(&format!("e{n}"), Kind::Sensor, &config)
        })
        .collect();
    entities.push(switch());
    let mut b = Bench::new(entities);
    b.report("d/power", "ON");
    let before = b.device.view();
    b.report("d/7", "3");
    let after = b.device.view();
    let copied = before
        .entities
        .iter()
        .zip(&after.entities)
        .filter(|(a, b)| !Arc::ptr_eq(a, b));
    assert_eq!(copied.count(), 1);
}

#[test]
fn a_sensor_with_a_state_class_alone_is_numeric_before_it_reports() {
    let counter = json!({"state_topic": "d/count", "state_class": "total"});
    let text = json!({"state_topic": "d/text"});
    let b = Bench::new(vec![
        entity("count", Kind::Sensor, &counter),
        entity("text", Kind::Sensor, &text),
    ]);
    assert!(b.view("count").numeric && !b.view("text").numeric);
}
