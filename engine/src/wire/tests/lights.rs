//! Lights of each schema.

use super::*;

#[test]
fn a_json_light_reports_brightness_in_per_cent_and_is_confirmed_by_it() {
    let mut light = bench(
        Kind::Light,
        json!({
            "schema": "json", "brightness": true, "brightness_scale": 254,
            "command_topic": "z/lamp/set", "state_topic": "z/lamp",
        }),
    );
    assert_eq!(
        light.send(Action::TurnOn, None),
        ("z/lamp/set".into(), r#"{"state":"ON"}"#.into())
    );
    assert_eq!(
        light.send(Action::Set, Some(json!({"brightness": 40}))),
        (
            "z/lamp/set".into(),
            r#"{"brightness":102,"state":"ON"}"#.into()
        )
    );
    light.take("z/lamp", r#"{"state":"ON","brightness":254}"#);
    assert!(!light.confirmed(Action::Set, Some(json!({"brightness": 40}))));
    light.take(
        "z/lamp",
        r#"{"state":"ON","brightness":102,"linkquality":87}"#,
    );
    assert_eq!(light.attributes["brightness"], json!(40));
    assert!(light.confirmed(Action::Set, Some(json!({"brightness": 40}))));
    assert!(light.confirmed(Action::TurnOn, None));
    for bad in [
        json!({"brightness": 300}),
        json!({"brightness": 0}),
        json!({"brightness": 40.5}),
        json!({"brightness": "40"}),
    ] {
        assert_eq!(
            light.refusal(Action::Set, Some(bad)),
            "a brightness in per cent must be a whole number from 1 to 100"
        );
    }
    for bad in [
        json!(40),
        json!({}),
        json!({"brightness": 40, "color": "red"}),
    ] {
        assert!(
            light
                .refusal(Action::Set, Some(bad))
                .contains("{\"brightness\":40}")
        );
    }
}

#[test]
fn a_json_light_may_not_know_and_may_not_dim() {
    let mut light = bench(
        Kind::Light,
        json!({"schema": "json", "command_topic": "l/set", "state_topic": "l", "supported_color_modes": ["onoff"]}),
    );
    assert!(!light.config.actions().contains(&Action::Set));
    light.take("l", r#"{"state":"OFF","brightness":10}"#);
    assert_eq!(
        (light.state.clone(), light.attributes.len()),
        (Some(Value::word("off")), 0)
    );
    light.take("l", r#"{"state":null}"#);
    assert_eq!(light.state, None);
    assert_eq!(light.hear("l", r#"{"color_mode":"xy"}"#), Ok(vec![]));
    for bad in ["ON", r#"{"state":1}"#, r#"{"state":"DIM"}"#, "[]"] {
        assert!(light.hear("l", bad).is_err(), "{bad}");
    }
    let colour = bench(
        Kind::Light,
        json!({"schema": "json", "command_topic": "l/set", "supported_color_modes": ["xy"]}),
    );
    assert!(colour.config.actions().contains(&Action::Set));
}

#[test]
fn a_coarse_scale_confirms_what_it_can_say() {
    let mut light = bench(
        Kind::Light,
        json!({
            "command_topic": "l/set", "state_topic": "l", "brightness_command_topic": "l/bri/set",
            "brightness_state_topic": "l/bri", "brightness_scale": 10,
        }),
    );
    let set = |percent| Some(json!({"brightness": percent}));
    assert_eq!(
        light.send(Action::Set, set(43)),
        ("l/bri/set".into(), "4".into())
    );
    assert_eq!(
        light.send(Action::Set, set(1)),
        ("l/bri/set".into(), "1".into())
    );
    light.take("l/bri", "4");
    assert_eq!(light.attributes["brightness"], json!(40));
    assert!(light.confirmed(Action::Set, set(43)) && !light.confirmed(Action::Set, set(50)));
    light.take("l/bri", "1");
    assert!(light.confirmed(Action::Set, set(1)));
}

#[test]
fn every_brightness_is_confirmed_by_its_own_echo_on_any_scale() {
    for scale in [1, 3, 10, 99, 100, 101, 254, 255, 1000, 65535] {
        let mut light = bench(
            Kind::Light,
            json!({
                "schema": "json", "brightness": true, "brightness_scale": scale,
                "command_topic": "l/set", "state_topic": "l",
            }),
        );
        for percent in 1..=100 {
            let value = Some(json!({"brightness": percent}));
            let (_, sent) = light.send(Action::Set, value.clone());
            light.take("l", &sent);
            assert!(
                light.confirmed(Action::Set, value),
                "{percent} % of {scale}"
            );
        }
    }
}

#[test]
fn a_basic_light_may_be_switched_on_by_its_brightness() {
    let mut light = bench(
        Kind::Light,
        json!({
            "command_topic": "l/set", "state_topic": "l", "on_command_type": "brightness",
            "brightness_command_topic": "l/bri", "brightness_command_template": "{\"b\":{{ value }}}",
            "state_value_template": "{{ value_json.s }}", "payload_on": "1", "payload_off": "0",
        }),
    );
    assert_eq!(
        light.send(Action::TurnOn, None),
        ("l/bri".into(), "{\"b\":255}".into())
    );
    light.attributes.insert("brightness".into(), json!(50));
    assert_eq!(
        light.send(Action::TurnOn, None),
        ("l/bri".into(), "{\"b\":128}".into())
    );
    assert_eq!(
        light.send(Action::TurnOff, None),
        ("l/set".into(), "0".into())
    );
    assert_eq!(light.hear("l", r#"{"s":1}"#), Ok(word("on")));
    // It never reports its brightness, so nothing can confirm one.
    assert_eq!(
        wanted(&light.config, Action::Set, Some(&json!({"brightness": 10}))),
        Wanted::Nothing
    );
    let plain = bench(
        Kind::Light,
        json!({"command_topic": "l/set", "brightness_command_topic": "l/bri"}),
    );
    assert_eq!(
        plain.send(Action::TurnOn, None),
        ("l/set".into(), "ON".into())
    );
    let assumed = assumed(
        &plain.config,
        Action::Set,
        Some(&json!({"brightness": 10})),
        &plain.known(),
    );
    assert_eq!(assumed.len(), 2);
}

#[test]
fn a_template_light_makes_and_reads_its_messages_by_template() {
    let mut light = bench(
        Kind::Light,
        json!({
            "schema": "template", "command_topic": "l/set", "state_topic": "l",
            "command_on_template": "on{% if brightness is defined %},{{ brightness }}{% endif %}",
            "command_off_template": "{{ state }}",
            "state_template": "{{ value.split(',')[0] }}",
            "brightness_template": "{{ value.split(',')[1] }}",
        }),
    );
    assert_eq!(light.send(Action::TurnOn, None).1, "on");
    assert_eq!(light.send(Action::TurnOff, None).1, "off");
    assert_eq!(
        light.send(Action::Set, Some(json!({"brightness": 100}))).1,
        "on,255"
    );
    light.take("l", "on,51");
    assert_eq!(
        (light.state.clone(), &light.attributes["brightness"]),
        (Some(Value::word("on")), &json!(20))
    );
}
