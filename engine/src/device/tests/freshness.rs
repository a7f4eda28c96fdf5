//! How much a state is worth: live, retained, restored, assumed, never.

use super::*;

#[test]
fn an_entity_begins_as_never_heard() {
    let b = Bench::new(vec![switch()]);
    let view = b.view("power");
    assert_eq!(
        (view.freshness, view.state.clone()),
        (Freshness::Never, None)
    );
}

#[test]
fn a_retained_message_sets_the_state_without_a_time_and_is_no_sample() {
    let mut b = Bench::new(vec![temperature()]);
    let effects = b.retained("d/temperature", "21.5");
    assert!(samples(&effects).is_empty());
    let view = b.view("temperature");
    assert_eq!(view.state, Value::number(21.5));
    assert_eq!(view.freshness, Freshness::Retained);
    assert_eq!((view.reported_at, view.changed_at), (None, None));
}

#[test]
fn a_live_report_is_a_sample_with_its_time() {
    let mut b = Bench::new(vec![temperature()]);
    let effects = b.report("d/temperature", "21.5");
    assert_eq!(samples(&effects), ["21.5"]);
    let view = b.view("temperature");
    assert_eq!(view.freshness, Freshness::Live);
    assert_eq!(
        (view.reported_at, view.changed_at),
        (Some(b.now), Some(b.now))
    );
}

#[test]
fn numbers_are_recorded_at_every_report_and_words_at_a_change() {
    let mut b = Bench::new(vec![temperature(), switch()]);
    let mut numbers = Vec::new();
    for n in ["4", "4", "5"] {
        numbers.extend(samples(&b.report("d/temperature", n)));
    }
    assert_eq!(numbers, ["4", "4", "5"]);
    let mut words = Vec::new();
    for w in ["ON", "ON", "OFF", "OFF", "ON"] {
        words.extend(samples(&b.report("d/power", w)));
    }
    assert_eq!(words, ["on", "off", "on"]);
}

#[test]
fn the_first_live_word_after_a_replay_is_recorded_although_it_is_the_same() {
    let mut b = Bench::new(vec![switch()]);
    b.retained("d/power", "ON");
    assert_eq!(samples(&b.report("d/power", "ON")), ["on"]);
}

#[test]
fn changed_at_moves_only_at_a_change() {
    let mut b = Bench::new(vec![switch()]);
    b.report("d/power", "ON");
    let changed_at = b.view("power").changed_at;
    b.pass(1_000);
    b.report("d/power", "ON");
    let view = b.view("power");
    assert_eq!(view.changed_at, changed_at);
    assert_eq!(view.reported_at, Some(b.now));
    b.report("d/power", "OFF");
    assert_eq!(b.view("power").changed_at, Some(b.now));
}

#[test]
fn the_brokers_replay_after_a_reconnection_does_not_age_what_was_heard_live() {
    let mut b = Bench::new(vec![switch()]);
    b.report("d/power", "ON");
    let live = b.view("power");
    b.apply(Input::BrokerDown);
    b.apply(Input::BrokerUp);
    b.retained("d/power", "ON");
    assert_eq!(b.view("power"), live);
    b.retained("d/power", "OFF");
    let view = b.view("power");
    assert_eq!(
        (view.freshness, view.reported_at),
        (Freshness::Retained, None)
    );
}

#[test]
fn a_restored_state_says_so_until_it_is_heard_again() {
    let mut power = switch();
    power.restored = Some(RestoredState {
        state: Some(Value::word("on")),
        attributes: [("rssi".to_owned(), json!(-60))].into(),
        reported_at: Some(T0.plus_millis(-9_000)),
        changed_at: Some(T0.plus_millis(-90_000)),
    });
    let mut b = Bench::new(vec![power]);
    let view = b.view("power");
    assert_eq!(
        (view.freshness, b.word("power")),
        (Freshness::Restored, Some("on".into()))
    );
    assert_eq!(view.attributes["rssi"], json!(-60));
    b.retained("d/power", "ON");
    let view = b.view("power");
    assert_eq!(
        (view.freshness, view.reported_at),
        (Freshness::Retained, None)
    );
    assert_eq!(view.changed_at, Some(T0.plus_millis(-90_000)));
}

#[test]
fn reported_as_unknown_is_no_state_and_no_sample() {
    let mut b = Bench::new(vec![temperature()]);
    b.report("d/temperature", "4");
    let effects = b.report("d/temperature", "None");
    assert!(samples(&effects).is_empty());
    let view = b.view("temperature");
    assert_eq!(
        (view.state.clone(), view.freshness),
        (None, Freshness::Live)
    );
}

#[test]
fn attributes_are_merged_and_do_not_make_the_state_fresh() {
    let mut b = Bench::new(vec![with(
        switch(),
        &json!({"json_attributes_topic": "d/facts"}),
    )]);
    b.report("d/facts", r#"{"rssi": -60, "uptime": 5}"#);
    b.report("d/facts", r#"{"uptime": 6}"#);
    let view = b.view("power");
    assert_eq!(view.attributes["rssi"], json!(-60));
    assert_eq!(view.attributes["uptime"], json!(6));
    assert_eq!(view.freshness, Freshness::Never);
}

#[test]
fn a_device_that_invents_attributes_for_ever_is_cut_off() {
    let mut b = Bench::new(vec![with(
        switch(),
        &json!({"json_attributes_topic": "d/facts"}),
    )]);
    let mut warned = false;
    for n in 0..1_000 {
        let effects = b.report("d/facts", &format!(r#"{{"fact{n}": {n}}}"#));
        warned |= effects.iter().any(|e| matches!(e, Effect::Warn { .. }));
    }
    assert!(warned);
    assert_eq!(b.view("power").attributes.len(), 128);
    b.report("d/facts", r#"{"fact0": "new"}"#);
    assert_eq!(b.view("power").attributes["fact0"], json!("new"));
}

#[test]
fn attributes_take_bounded_room_however_long_they_are() {
    let mut b = Bench::new(vec![with(
        switch(),
        &json!({"json_attributes_topic": "d/facts"}),
    )]);
    let long = "x".repeat(60_000);
    let mut warned = false;
    for n in 0..20 {
        let effects = b.report("d/facts", &format!(r#"{{"fact{n}": "{long}"}}"#));
        warned |= effects.iter().any(|e| matches!(e, Effect::Warn { .. }));
    }
    assert!(warned);
    let kept: String = b
        .view("power")
        .attributes
        .values()
        .map(|v| v.to_string())
        .collect();
    assert!(kept.len() < 128 * 1024, "{}", kept.len());
    b.report("d/facts", r#"{"fact0": "short"}"#);
    assert_eq!(b.view("power").attributes["fact0"], json!("short"));
}

#[test]
fn a_payload_that_means_nothing_is_a_warning_and_changes_no_state() {
    let mut b = Bench::new(vec![temperature()]);
    b.report("d/temperature", "4");
    for payload in [&b"NaN"[..], b"inf", b"\xff\xfe", b"{\"a\":", b"warm"] {
        let received_at = b.now;
        let effects = b.apply(Input::Reported {
            topic: "d/temperature".into(),
            payload: payload.to_vec(),
            retained: false,
            received_at,
        });
        assert!(
            effects.iter().any(|e| matches!(e, Effect::Warn { .. })),
            "{payload:?}"
        );
        assert_eq!(b.word("temperature").as_deref(), Some("4"));
    }
}

#[test]
fn a_message_on_a_topic_of_nobody_does_nothing() {
    let mut b = Bench::new(vec![switch()]);
    assert!(b.report("somebody/else", "ON").is_empty());
}

#[test]
fn a_motion_sensor_with_off_delay_goes_off_by_itself_after_the_last_motion() {
    let motion = entity(
        "motion",
        Kind::BinarySensor,
        &json!({"state_topic": "d/motion", "off_delay": 30}),
    );
    let mut b = Bench::new(vec![motion]);
    b.report("d/motion", "ON");
    b.pass(20_000);
    b.report("d/motion", "ON");
    b.pass(20_000);
    assert_eq!(b.word("motion").as_deref(), Some("on"));
    let effects = b.pass(10_001);
    assert_eq!(samples(&effects), ["off"]);
    assert_eq!(b.word("motion").as_deref(), Some("off"));
    b.report("d/motion", "ON");
    b.report("d/motion", "OFF");
    assert!(samples(&b.pass(60_000)).is_empty());
}

#[test]
fn the_last_state_is_kept_at_each_change_and_else_once_a_minute() {
    let mut b = Bench::new(vec![temperature()]);
    assert_eq!(last_states(&b.report("d/temperature", "4")).len(), 1);
    assert!(last_states(&b.report("d/temperature", "4")).is_empty());
    let effects = b.report("d/temperature", "5");
    assert_eq!(last_states(&effects)[0].state, Value::number(5.0));
    b.pass(60_000);
    assert_eq!(last_states(&b.report("d/temperature", "5")).len(), 1);
}

#[test]
fn a_message_stops_being_read_when_a_few_templates_ran_for_too_long() {
    let slow = json!({"state_topic": "d/all", "value_template":
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"});
    let ids: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
    let entities = ids.iter().map(|id| entity(id, Kind::Sensor, &slow));
    let mut b = Bench::new(entities.collect());
    let effects = b.report("d/all", "1");
    let warnings = pick(&effects, |e| match e {
        Effect::Warn { what } => Some(what.as_str()),
        _ => None,
    });
    let ran = warnings
        .iter()
        .filter(|w| w.ends_with("the template runs for too long"));
    assert_eq!((warnings.len(), ran.count()), (20, 3));
    assert!(warnings[19].contains("other templates took all the time"));
}
