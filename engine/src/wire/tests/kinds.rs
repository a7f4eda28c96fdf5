//! Switches, sensors, numbers, selects, buttons and locks.

use super::*;

#[test]
fn a_hand_made_socket_speaks_ones_and_zeros_and_reports_json() {
    let mut socket = bench(
        Kind::Switch,
        json!({
            "command_topic": "esp8266/socket", "payload_on": "1", "payload_off": "0",
            "state_topic": "esp8266/status", "value_template": "{{ value_json.socket }}",
        }),
    );
    assert_eq!(
        socket.send(Action::TurnOn, None),
        ("esp8266/socket".into(), "1".into())
    );
    assert_eq!(
        socket.send(Action::TurnOff, None),
        ("esp8266/socket".into(), "0".into())
    );
    assert_eq!(
        socket.hear("esp8266/status", r#"{"socket":1,"rssi":-61}"#),
        Ok(word("on"))
    );
    assert_eq!(
        socket.hear("esp8266/status", r#"{"socket":"0"}"#),
        Ok(word("off"))
    );
    assert_eq!(socket.hear("esp8266/status", r#"{"rssi":-61}"#), Ok(vec![]));
    assert!(socket.hear("esp8266/status", r#"{"socket":7}"#).is_err());
    assert_eq!(socket.hear("esp8266/other", "1"), Ok(vec![]));
    socket.take("esp8266/status", r#"{"socket":0}"#);
    assert!(socket.confirmed(Action::TurnOff, None) && !socket.confirmed(Action::TurnOn, None));
}

#[test]
fn a_switch_may_report_other_words_than_it_takes_and_json_truth() {
    let plug = bench(
        Kind::Switch,
        json!({
            "command_topic": "p/set", "state_topic": "p", "payload_on": "ON", "payload_off": "OFF",
            "state_on": true, "state_off": false, "value_template": "{{ value_json.on }}",
            "command_template": "{\"on\": {{ 'true' if value == 'ON' else 'false' }}}",
        }),
    );
    assert_eq!(plug.hear("p", r#"{"on":true}"#), Ok(word("on")));
    assert_eq!(plug.hear("p", r#"{"on":false}"#), Ok(word("off")));
    assert_eq!(
        plug.hear("p", r#"{"on":null}"#),
        Ok(vec![Reported::State(None)])
    );
    assert_eq!(
        plug.send(Action::TurnOn, None),
        ("p/set".into(), r#"{"on": true}"#.into())
    );
}

#[test]
fn a_switch_that_reports_nothing_is_assumed() {
    let plug = bench(Kind::Switch, json!({"command_topic": "p/set"}));
    assert!(!plug.config.has_state());
    assert_eq!(wanted(&plug.config, Action::TurnOn, None), Wanted::Nothing);
    assert_eq!(
        assumed(&plug.config, Action::TurnOn, None, &plug.known()),
        word("on")
    );
    let trusting = bench(
        Kind::Switch,
        json!({"command_topic": "a", "state_topic": "b", "optimistic": true}),
    );
    assert!(!trusting.config.has_state());
    assert_eq!(trusting.hear("b", "OFF"), Ok(word("off")));
}

#[test]
fn a_sensor_with_a_unit_reports_finite_numbers() {
    let fridge = bench(
        Kind::Sensor,
        json!({"state_topic": "f", "unit_of_measurement": "°C", "value_template": "{{ value_json.t }}"}),
    );
    let number = |n| Ok(vec![Reported::State(Value::number(n))]);
    assert_eq!(fridge.hear("f", r#"{"t":4.5}"#), number(4.5));
    assert_eq!(fridge.hear("f", r#"{"t":"-3"}"#), number(-3.0));
    assert_eq!(
        fridge.hear("f", r#"{"t":null}"#),
        Ok(vec![Reported::State(None)])
    );
    assert_eq!(fridge.hear("f", r#"{"x":1}"#), Ok(vec![]));
    for bad in [
        r#"{"t":"nan"}"#,
        r#"{"t":"inf"}"#,
        r#"{"t":"cold"}"#,
        r#"{"t":1e999}"#,
        r#"{"t":[1]}"#,
    ] {
        assert!(fridge.hear("f", bad).is_err(), "{bad}");
    }
    let plain = bench(
        Kind::Sensor,
        json!({"state_topic": "f", "device_class": "temperature"}),
    );
    assert_eq!(plain.hear("f", " 21.50\n"), number(21.5));
}

#[test]
fn a_sensor_without_a_unit_reports_words_and_an_enumerated_one_only_its_own() {
    let washer = bench(Kind::Sensor, json!({"state_topic": "w"}));
    assert_eq!(washer.hear("w", "12 spinning"), Ok(word("12 spinning")));
    assert_eq!(washer.hear("w", "None"), Ok(vec![Reported::State(None)]));
    assert!(washer.hear("w", &"x".repeat(2000)).is_err());
    let phase = bench(
        Kind::Sensor,
        json!({"state_topic": "w", "device_class": "enum", "options": ["wash", "spin"]}),
    );
    assert_eq!(phase.hear("w", "spin"), Ok(word("spin")));
    assert!(phase.hear("w", "dry").is_err());
    assert_eq!(phase.config.options(), ["wash", "spin"]);
    assert!(phase.config.actions().is_empty());
    let when = bench(
        Kind::Sensor,
        json!({"state_topic": "w", "device_class": "timestamp"}),
    );
    assert!(!when.config.is_numeric());
}

#[test]
fn a_binary_sensor_reports_its_payloads_and_ignores_an_empty_result() {
    let motion = bench(
        Kind::BinarySensor,
        json!({
            "state_topic": "m", "payload_on": true, "payload_off": false,
            "value_template": "{{ value_json.occupancy }}", "off_delay": 30, "expire_after": "60",
        }),
    );
    assert_eq!(motion.hear("m", r#"{"occupancy":true}"#), Ok(word("on")));
    assert_eq!(motion.hear("m", r#"{"occupancy":false}"#), Ok(word("off")));
    assert_eq!(motion.hear("m", r#"{"battery":90}"#), Ok(vec![]));
    assert!(motion.hear("m", "not json").is_err());
    assert_eq!(
        (motion.config.off_delay_ms, motion.config.expire_after_ms),
        (Some(30_000), Some(60_000))
    );
}

#[test]
fn a_number_is_set_within_its_range_and_confirmed_to_its_step() {
    let mut target = bench(
        Kind::Number,
        json!({
            "command_topic": "t/set", "state_topic": "t", "min": 5, "max": 30, "step": 0.5,
            "unit_of_measurement": "°C",
        }),
    );
    assert_eq!(
        target.send(Action::Set, Some(json!(21))),
        ("t/set".into(), "21".into())
    );
    assert_eq!(
        target.send(Action::Set, Some(json!(21.5))),
        ("t/set".into(), "21.5".into())
    );
    assert_eq!(
        target.refusal(Action::Set, Some(json!(300))),
        "the value must be from 5 to 30 °C in steps of 0.5"
    );
    for bad in [
        json!("21"),
        json!(null),
        json!({"value": 21}),
        json!(true),
        json!(4.99),
    ] {
        assert!(!target.refusal(Action::Set, Some(bad)).is_empty());
    }
    assert_eq!(target.refusal(Action::Set, None), "set needs a value");
    target.take("t", "21.4");
    assert!(target.confirmed(Action::Set, Some(json!(21.3))));
    assert!(target.confirmed(Action::Set, Some(json!(21.5))));
    assert!(!target.confirmed(Action::Set, Some(json!(22))));
    target.take("t", "None");
    assert_eq!(target.state, None);
    assert!(!target.confirmed(Action::Set, Some(json!(21.5))));
}

#[test]
fn a_number_is_confirmed_only_by_the_step_that_was_asked() {
    let mut target = bench(
        Kind::Number,
        json!({"command_topic": "t/set", "state_topic": "t", "min": 5, "max": 30, "step": 1}),
    );
    target.take("t", "21");
    assert!(!target.confirmed(Action::Set, Some(json!(21.5))));
    assert!(target.confirmed(Action::Set, Some(json!(21.2))));
    target.take("t", "22");
    assert!(target.confirmed(Action::Set, Some(json!(21.5))));
}

#[test]
fn a_select_takes_and_reports_its_options() {
    let mut mode = bench(
        Kind::Select,
        json!({"command_topic": "m/set", "state_topic": "m", "options": ["eco", "comfort", 3]}),
    );
    assert_eq!(
        mode.send(Action::Set, Some(json!("eco"))),
        ("m/set".into(), "eco".into())
    );
    assert_eq!(
        mode.refusal(Action::Set, Some(json!("boost"))),
        "the value must be one of: eco, comfort, 3"
    );
    assert!(mode.hear("m", "boost").is_err());
    mode.take("m", "3");
    assert!(mode.confirmed(Action::Set, Some(json!("3"))));
}

#[test]
fn a_button_is_pressed_and_nothing_confirms_it() {
    let bell = bench(
        Kind::Button,
        json!({"command_topic": "door", "payload_press": "open"}),
    );
    assert_eq!(
        bell.send(Action::Press, None),
        ("door".into(), "open".into())
    );
    assert_eq!(wanted(&bell.config, Action::Press, None), Wanted::Nothing);
    assert!(
        bell.refusal(Action::TurnOn, None)
            .contains("it takes: press")
    );
    assert_eq!(
        bell.refusal(Action::Press, Some(json!(1))),
        "press takes no value"
    );
}

#[test]
fn a_lock_reports_each_of_its_states_and_is_confirmed_only_at_the_end() {
    let mut lock = bench(
        Kind::Lock,
        json!({"command_topic": "l/set", "state_topic": "l"}),
    );
    assert_eq!(
        lock.send(Action::Lock, None),
        ("l/set".into(), "LOCK".into())
    );
    assert_eq!(
        lock.send(Action::Unlock, None),
        ("l/set".into(), "UNLOCK".into())
    );
    for (device, ours) in [
        ("LOCKING", "locking"),
        ("LOCKED", "locked"),
        ("UNLOCKING", "unlocking"),
        ("UNLOCKED", "unlocked"),
        ("JAMMED", "jammed"),
        ("OPEN", "unlocked"),
        ("OPENING", "unlocking"),
    ] {
        assert_eq!(lock.hear("l", device), Ok(word(ours)));
    }
    assert!(lock.hear("l", "AJAR").is_err());
    lock.take("l", "LOCKING");
    assert!(!lock.confirmed(Action::Lock, None));
    assert!(moves(&lock.known(), &word("locking")) && !moves(&lock.known(), &word("jammed")));
    lock.take("l", "LOCKED");
    assert!(lock.confirmed(Action::Lock, None));
    assert_eq!(lock.config.deadlines().first_ms, 15_000);
}

#[test]
fn availability_attributes_and_refusals_come_on_their_topics() {
    let plug = bench(
        Kind::Switch,
        json!({
            "command_topic": "p/set", "state_topic": "p", "json_attributes_topic": "p/info",
            "refusal_topic": "p/refused",
            "availability": [
                {"topic": "p/lwt"},
                {"topic": "p/bridge", "value_template": "{{ value_json.state }}", "payload_available": "up"},
            ],
        }),
    );
    let available = |index, available| Ok(vec![Reported::Available { index, available }]);
    assert_eq!(plug.hear("p/lwt", "online"), available(0, true));
    assert_eq!(plug.hear("p/lwt", "offline"), available(0, false));
    assert_eq!(plug.hear("p/lwt", "perhaps"), Ok(vec![]));
    assert_eq!(
        plug.hear("p/bridge", r#"{"state":"up"}"#),
        available(1, true)
    );
    assert_eq!(
        plug.hear("p/refused", "too hot"),
        Ok(vec![Reported::Refused("too hot".into())])
    );
    assert_eq!(plug.hear("p/refused", ""), Ok(vec![]));
    let heard = plug.hear(
        "p/info",
        r#"{"rssi":-61,"state":"x","unique_id":"y","brightness":9,"up":true}"#,
    );
    let expected = BTreeMap::from([
        ("rssi".to_owned(), json!(-61)),
        ("up".to_owned(), json!(true)),
    ]);
    assert_eq!(heard, Ok(vec![Reported::Attributes(expected)]));
    assert!(plug.hear("p/info", "[1]").is_err());
}

#[test]
fn one_message_may_say_several_things_and_a_bad_part_spoils_no_good_one() {
    let plug = bench(
        Kind::Switch,
        json!({
            "command_topic": "p/set", "state_topic": "p", "value_template": "{{ value_json.state }}",
            "json_attributes_topic": "p", "availability_topic": "p",
            "availability_template": "{{ 'online' if value_json.ok else 'offline' }}",
        }),
    );
    let heard = plug.hear("p", r#"{"state":"ON","ok":true}"#).unwrap();
    assert_eq!(heard.len(), 3);
    let heard = plug.hear("p", r#"{"state":"BROKEN","ok":false}"#).unwrap();
    assert!(heard.contains(&Reported::Available {
        index: 0,
        available: false
    }));
    assert!(!heard.iter().any(|part| matches!(part, Reported::State(_))));
}

#[test]
fn an_encoding_other_than_utf8_reads_bytes() {
    let sensor = bench(
        Kind::Sensor,
        json!({"state_topic": "s", "encoding": "latin-1"}),
    );
    let heard = decode(
        &sensor.config,
        &sensor.ctx(),
        &sensor.known(),
        "s",
        &[0x4b, 0xfc],
    );
    assert_eq!(heard, Ok(word("Kü")));
    let utf8 = bench(Kind::Sensor, json!({"state_topic": "s"}));
    assert!(decode(&utf8.config, &utf8.ctx(), &utf8.known(), "s", &[0x4b, 0xfc]).is_err());
    assert_eq!(
        decode(&utf8.config, &utf8.ctx(), &utf8.known(), "another", &[0xfc]),
        Ok(vec![])
    );
}
