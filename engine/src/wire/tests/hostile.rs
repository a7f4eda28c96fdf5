//! What nobody should send and somebody will.

use super::*;
use proptest::prelude::*;

/// One entity of each kind and schema, all of whose roles are on the topic `t`.
fn everything() -> Vec<Bench> {
    let with = |kind, more: serde_json::Value| {
        let mut config = json!({
            "state_topic": "t", "command_topic": "c", "json_attributes_topic": "t",
            "availability_topic": "t", "refusal_topic": "t",
        });
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        bench(kind, config)
    };
    vec![
        with(
            Kind::Switch,
            json!({"value_template": "{{ value_json.a.b | round(1) }}"}),
        ),
        with(Kind::Switch, json!({})),
        with(Kind::Light, json!({"schema": "json", "brightness": true})),
        with(
            Kind::Light,
            json!({"brightness_state_topic": "t", "brightness_command_topic": "c"}),
        ),
        with(
            Kind::Light,
            json!({"schema": "template", "command_on_template": "x", "command_off_template": "y", "brightness_template": "{{ value }}"}),
        ),
        with(Kind::Sensor, json!({"unit_of_measurement": "W"})),
        with(
            Kind::Sensor,
            json!({"value_template": "{{ value_json[0].x }}"}),
        ),
        with(Kind::Sensor, json!({"encoding": ""})),
        with(Kind::BinarySensor, json!({})),
        with(Kind::Number, json!({})),
        with(Kind::Select, json!({"options": ["a"]})),
        with(
            Kind::Cover,
            json!({"position_topic": "t", "set_position_topic": "c", "position_open": 1e6, "position_closed": -1e6}),
        ),
        with(Kind::Lock, json!({})),
    ]
}

/// Whatever was sent, what comes out is bounded and finite.
fn sane(parts: &[Reported]) -> bool {
    let percent = |v: &serde_json::Value| {
        v.as_f64()
            .is_some_and(|n| (0.0..=100.0).contains(&n) && n.fract() == 0.0)
    };
    parts.iter().all(|part| match part {
        Reported::State(Some(Value::Number(n))) => n.get().is_finite(),
        Reported::State(Some(Value::Word(w))) => w.len() <= crate::value::WORD_MAX,
        Reported::Attribute(_, value) => percent(value),
        Reported::Attributes(map) => map.len() <= 64 && !map.contains_key("state"),
        Reported::Refused(words) => words.chars().count() <= 200,
        Reported::State(None) | Reported::Available { .. } => true,
    })
}

#[test]
fn a_long_payload_is_refused_before_anything_reads_it() {
    let megabyte = vec![b'['; 1 << 20];
    for entity in everything() {
        let error = decode(
            &entity.config,
            &entity.ctx(),
            &entity.known(),
            "t",
            &megabyte,
        )
        .unwrap_err();
        assert_eq!(error.problem, "the payload is longer than 65536 bytes");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
    let hidden = format!("{{\"a\":\"{}\"}}", "[{".repeat(1000));
    for entity in everything() {
        if let Ok(parts) = entity.hear("t", &deep) {
            assert!(sane(&parts));
        }
    }
    let light = bench(
        Kind::Light,
        json!({"schema": "json", "command_topic": "c", "state_topic": "t"}),
    );
    assert!(parse_json(&deep).is_err());
    assert!(
        parse_json(&hidden).is_ok(),
        "brackets in a text are no nesting"
    );
    assert!(light.hear("t", &deep).is_err());
}

#[test]
fn an_error_shows_little_of_the_payload() {
    let switch = bench(
        Kind::Switch,
        json!({"command_topic": "c", "state_topic": "t"}),
    );
    let error = switch.hear("t", &"ä\n".repeat(500)).unwrap_err();
    assert!(error.problem.chars().count() < 100, "{error}");
    assert!(!error.problem.contains('\n'));
}

#[test]
fn a_template_that_loops_costs_one_message_and_says_so() {
    let sensor = bench(
        Kind::Sensor,
        json!({
            "state_topic": "t",
            "value_template": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        }),
    );
    assert_eq!(
        sensor.hear("t", "1").unwrap_err().problem,
        "the template runs for too long"
    );
}

#[test]
fn a_command_template_that_fails_is_an_error_and_no_message() {
    let switch = bench(
        Kind::Switch,
        json!({"command_topic": "c", "command_template": "{{ value.x.y }}"}),
    );
    let sent = encode(
        &switch.config,
        &switch.ctx(),
        &switch.known(),
        Action::TurnOn,
        None,
    );
    assert!(matches!(sent, Err(EncodeError::Template(_))));
}

fn any_value() -> impl Strategy<Value = Option<serde_json::Value>> {
    prop_oneof![
        Just(None),
        Just(Some(json!(null))),
        any::<f64>().prop_map(|n| Some(json!(n))),
        (-10i64..200).prop_map(|n| Some(json!(n))),
        (-10i64..200).prop_map(|n| Some(json!({"brightness": n}))),
        "[a-c]{0,3}".prop_map(|s| Some(json!(s))),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(payload in prop::collection::vec(any::<u8>(), 0..120)) {
        for entity in everything() {
            if let Ok(parts) = decode(&entity.config, &entity.ctx(), &entity.known(), "t", &payload) {
                prop_assert!(sane(&parts), "{parts:?}");
            }
        }
    }

    #[test]
    fn no_text_makes_decoding_panic(
        payload in "(\\PC{0,40}|-?[0-9]{1,400}(\\.[0-9]{1,5})?(e-?[0-9]{1,4})?|\\{\"(state|brightness|position|a)\":(\"ON\"|-?[0-9]{1,5}|null|\\{\"b\":[0-9]{1,3}\\}|\\[\\])\\})",
    ) {
        for entity in everything() {
            if let Ok(parts) = entity.hear("t", &payload) {
                prop_assert!(sane(&parts), "{parts:?}");
            }
        }
    }

    #[test]
    fn what_is_checked_can_be_sent_and_wanted(action in prop::sample::select(Action::ALL.to_vec()), value in any_value()) {
        for entity in everything() {
            if action == Action::Toggle || check(&entity.config, action, value.as_ref()).is_err() {
                continue;
            }
            let sent = encode(&entity.config, &entity.ctx(), &entity.known(), action, value.as_ref());
            prop_assert!(sent.is_ok(), "{action} {value:?}");
            let _ = matches(&wanted(&entity.config, action, value.as_ref()), &entity.known());
            prop_assert!(sane(&assumed(&entity.config, action, value.as_ref(), &entity.known())));
        }
    }
}
