//! The life of a command: how it is confirmed, rejected, superseded and timed out.

use super::*;

const CONFIRMED: (Status, Option<&str>) = (Status::Confirmed, None);

fn only_end(effects: &[Effect]) -> (Status, Option<&str>) {
    let ends = ended(effects);
    assert_eq!(ends.len(), 1, "one end expected: {effects:?}");
    (ends[0].1, ends[0].2)
}

#[test]
fn a_command_goes_from_accepted_over_sent_and_acknowledged_to_confirmed() {
    let mut b = Bench::new(vec![switch()]);
    let (id, effects) = b.ask("power", Action::TurnOn);
    assert_eq!(published(&effects)[0].topic, "d/power/set");
    assert_eq!(published(&effects)[0].payload, b"ON");
    assert_eq!(accepted(&effects)[0].status, Status::Accepted);
    let step = |b: &Bench| b.view("power").pending.as_ref().unwrap().status;
    assert_eq!(step(&b), Status::Accepted);
    b.sent(id);
    assert_eq!(step(&b), Status::Sent);
    b.apply(Input::Acknowledged { command: id });
    assert_eq!(step(&b), Status::Acknowledged);
    b.now = T0.plus_millis(9);
    let effects = b.report("d/power", "ON");
    assert_eq!(only_end(&effects), CONFIRMED);
    let view = b.view("power");
    assert_eq!(view.pending, None);
    let last = view.last_command.as_ref().unwrap();
    assert_eq!((last.id, last.latency_ms()), (id, Some(9.001)));
}

#[test]
fn a_report_that_came_before_sending_does_not_confirm() {
    let mut b = Bench::new(vec![switch()]);
    let (id, _) = b.ask("power", Action::TurnOn);
    assert!(ended(&b.report("d/power", "ON")).is_empty());
    assert!(ended(&b.sent(id)).is_empty());
    assert_eq!(only_end(&b.report("d/power", "ON")), CONFIRMED);
}

#[test]
fn a_report_received_before_sending_but_taken_up_later_does_not_confirm() {
    let mut b = Bench::new(vec![switch()]);
    let received_at = b.now;
    let (id, _) = b.ask("power", Action::TurnOn);
    b.sent(id);
    let effects = b.apply(Input::Reported {
        topic: "d/power".into(),
        payload: b"ON".to_vec(),
        retained: false,
        received_at,
    });
    assert!(ended(&effects).is_empty());
    assert_eq!(b.word("power").as_deref(), Some("on"));
}

#[test]
fn a_report_that_overtakes_the_news_of_sending_still_confirms() {
    let mut b = Bench::new(vec![switch()]);
    let (id, _) = b.ask("power", Action::TurnOn);
    let at = b.now;
    assert!(ended(&b.report("d/power", "ON")).is_empty());
    let effects = b.apply(Input::Sent { command: id, at });
    assert_eq!(only_end(&effects), CONFIRMED);
}

#[test]
fn a_report_that_overtakes_the_acknowledgement_confirms_and_the_outbox_forgets() {
    let mut b = Bench::new(vec![switch()]);
    let (id, _) = b.ask("power", Action::TurnOn);
    b.sent(id);
    let effects = b.report("d/power", "ON");
    assert_eq!(only_end(&effects), CONFIRMED);
    assert!(effects.contains(&Effect::Unpublish { command: id }));
    assert!(b.apply(Input::Acknowledged { command: id }).is_empty());
}

#[test]
fn a_retained_message_never_confirms() {
    let mut b = Bench::new(vec![switch()]);
    b.ask_and_send("power", Action::TurnOn);
    assert!(ended(&b.retained("d/power", "ON")).is_empty());
    assert_eq!(b.word("power").as_deref(), Some("on"));
    assert!(b.view("power").pending.is_some());
}

#[test]
fn a_report_that_does_not_match_updates_the_state_and_ends_nothing() {
    let mut b = Bench::new(vec![switch()]);
    b.ask_and_send("power", Action::TurnOn);
    assert!(ended(&b.report("d/power", "OFF")).is_empty());
    assert_eq!(b.word("power").as_deref(), Some("off"));
    assert_eq!(only_end(&b.report("d/power", "ON")), CONFIRMED);
}

#[test]
fn a_report_of_something_else_does_not_confirm() {
    let mut b = Bench::new(vec![
        with(
            switch(),
            &json!({"json_attributes_topic": "d/power/attributes"}),
        ),
        temperature(),
    ]);
    b.report("d/power", "ON");
    b.ask_and_send("power", Action::TurnOn);
    assert!(ended(&b.report("d/power/attributes", r#"{"rssi": -60}"#)).is_empty());
    assert!(ended(&b.report("d/temperature", "21")).is_empty());
    assert_eq!(only_end(&b.report("d/power", "ON")), CONFIRMED);
}

#[test]
fn a_number_is_confirmed_after_rounding_to_the_step() {
    let mut b = Bench::new(vec![number()]);
    let (id, effects) = b.set("target", json!(20.5));
    assert_eq!(published(&effects)[0].payload, b"20.5");
    b.carry(id);
    assert!(ended(&b.report("d/target", "20")).is_empty());
    assert_eq!(only_end(&b.report("d/target", "20.51")), CONFIRMED);
}

#[test]
fn a_select_is_confirmed_by_its_option() {
    let mut b = Bench::new(vec![select()]);
    let (id, _) = b.set("mode", json!("boost"));
    b.carry(id);
    assert!(ended(&b.report("d/mode", "eco")).is_empty());
    assert_eq!(only_end(&b.report("d/mode", "boost")), CONFIRMED);
}

#[test]
fn brightness_is_confirmed_on_the_devices_scale() {
    let mut b = Bench::new(vec![light()]);
    b.report("d/light", "ON");
    let (id, effects) = b.set("light", json!({"brightness": 40}));
    assert!(published(&effects).iter().any(|p| p.payload == b"102"));
    b.carry(id);
    assert!(ended(&b.report("d/light", "ON")).is_empty());
    assert!(ended(&b.report("d/light/bri", "255")).is_empty());
    assert_eq!(only_end(&b.report("d/light/bri", "102")), CONFIRMED);
    assert_eq!(b.view("light").attributes["brightness"], json!(40));
}

#[test]
fn a_lamp_that_is_off_is_not_as_bright_as_asked() {
    let json_light = entity(
        "light",
        Kind::Light,
        &json!({"schema": "json", "brightness": true, "command_topic": "d/light/set", "state_topic": "d/light"}),
    );
    let mut b = Bench::new(vec![json_light]);
    let before = r#"{"state":"OFF","brightness":102}"#;
    b.report("d/light", before);
    let (id, _) = b.set("light", json!({"brightness": 40}));
    b.carry(id);
    assert!(ended(&b.report("d/light", before)).is_empty());
    let after = r#"{"state":"ON","brightness":102}"#;
    assert_eq!(only_end(&b.report("d/light", after)), CONFIRMED);
}

#[test]
fn a_cover_arrives_within_two_per_cent_and_stop_is_any_rest() {
    let mut b = Bench::new(vec![blind()]);
    let (id, _) = b.set("blind", json!(50));
    b.carry(id);
    assert!(ended(&b.report("d/blind/pos", "47")).is_empty());
    assert_eq!(only_end(&b.report("d/blind/pos", "48")), CONFIRMED);
    b.report("d/blind", "opening");
    b.ask_and_send("blind", Action::Stop);
    assert!(ended(&b.report("d/blind", "opening")).is_empty());
    assert_eq!(only_end(&b.report("d/blind", "stopped")), CONFIRMED);
}

#[test]
fn the_first_movement_of_a_cover_extends_the_deadline_once() {
    let mut b = Bench::new(vec![blind()]);
    b.ask_and_send("blind", Action::Open);
    assert!(ended(&b.pass(4_000)).is_empty());
    b.report("d/blind", "opening");
    assert!(ended(&b.pass(50_000)).is_empty());
    b.report("d/blind", "opening");
    let effects = b.pass(10_001);
    assert_eq!(
        only_end(&effects),
        (Status::TimedOut, Some("no_confirmation"))
    );
}

#[test]
fn a_cover_that_never_moves_times_out_after_five_seconds() {
    let mut b = Bench::new(vec![blind()]);
    b.ask_and_send("blind", Action::Open);
    assert!(ended(&b.pass(4_990)).is_empty());
    assert_eq!(only_end(&b.pass(10)).0, Status::TimedOut);
}

#[test]
fn a_lock_has_fifteen_seconds_and_as_many_from_its_first_movement() {
    let mut b = Bench::new(vec![lock()]);
    b.ask_and_send("lock", Action::Lock);
    assert!(ended(&b.pass(14_000)).is_empty());
    b.report("d/lock", "LOCKING");
    assert!(ended(&b.pass(14_000)).is_empty());
    assert_eq!(only_end(&b.report("d/lock", "LOCKED")), CONFIRMED);
}

#[test]
fn a_cover_that_reports_only_its_position_extends_the_deadline_when_that_changes() {
    let config = json!({"set_position_topic": "d/b/set", "position_topic": "d/b"});
    let mut b = Bench::new(vec![entity("b", Kind::Cover, &config)]);
    b.report("d/b", "10");
    let (id, _) = b.set("b", json!(90));
    b.carry(id);
    b.report("d/b", "10");
    let deadline = |b: &Bench| b.view("b").pending.as_ref().unwrap().deadline_at;
    let first = deadline(&b);
    b.report("d/b", "11");
    assert!(deadline(&b) > first);
    assert_eq!(only_end(&b.report("d/b", "89")), CONFIRMED);
}

#[test]
fn movement_before_sending_extends_nothing() {
    let mut b = Bench::new(vec![blind()]);
    let (id, _) = b.ask("blind", Action::Open);
    b.report("d/blind", "opening");
    b.carry(id);
    assert_eq!(only_end(&b.pass(5_000)).0, Status::TimedOut);
}

#[test]
fn a_jammed_lock_rejects() {
    let mut b = Bench::new(vec![lock()]);
    b.ask_and_send("lock", Action::Lock);
    assert!(ended(&b.retained("d/lock", "JAMMED")).is_empty());
    let effects = b.report("d/lock", "JAMMED");
    assert_eq!(only_end(&effects), (Status::Rejected, Some("jammed")));
    assert_eq!(b.word("lock").as_deref(), Some("jammed"));
}

#[test]
fn the_devices_own_word_rejects() {
    let mut b = Bench::new(vec![with(
        switch(),
        &json!({"refusal_topic": "d/power/no"}),
    )]);
    assert!(ended(&b.report("d/power/no", "overheated")).is_empty());
    b.ask_and_send("power", Action::TurnOn);
    let effects = b.report("d/power/no", "overheated");
    assert_eq!(only_end(&effects), (Status::Rejected, Some("overheated")));
}

#[test]
fn the_brokers_refusal_rejects() {
    let mut b = Bench::new(vec![switch()]);
    let (id, _) = b.ask("power", Action::TurnOn);
    b.sent(id);
    let reason = "not authorized".to_owned();
    let effects = b.apply(Input::Refused {
        command: id,
        reason,
    });
    assert_eq!(
        only_end(&effects),
        (Status::Rejected, Some("broker_refused"))
    );
    assert!(matches!(&effects[0], Effect::Warn { what } if what.contains("not authorized")));
}

#[test]
fn a_command_template_that_fails_rejects_and_publishes_nothing() {
    let broken = json!({"command_template": "{{ value | int(none) + nothing.at.all }}"});
    let mut b = Bench::new(vec![with(number(), &broken)]);
    let asked = b.try_ask("target", Action::Set, Some(json!(20)), person());
    let (command, effects) = asked.unwrap();
    assert_eq!(command.status, Status::Rejected);
    assert_eq!(
        only_end(&effects),
        (Status::Rejected, Some("template_failed"))
    );
    assert_eq!(accepted(&effects).len(), 1);
    assert!(published(&effects).is_empty());
}

#[test]
fn without_a_state_topic_the_brokers_acknowledgement_delivers_and_the_state_is_assumed() {
    let mut b = Bench::new(vec![blind_switch(), button()]);
    let (id, _) = b.ask("mute", Action::TurnOn);
    b.sent(id);
    assert_eq!(b.word("mute"), None);
    let effects = b.apply(Input::Acknowledged { command: id });
    assert_eq!(only_end(&effects), (Status::Delivered, None));
    let view = b.view("mute");
    assert_eq!(view.state, Some(Value::word("on")));
    assert_eq!(view.freshness, Freshness::Assumed);
    assert_eq!(view.reported_at, None);
    assert!(samples(&effects).is_empty());
    let press = b.ask_and_send("open", Action::Press);
    let last = b.view("open").last_command.clone().unwrap();
    assert_eq!((last.id, last.status), (press, Status::Delivered));
    assert_eq!(b.view("open").freshness, Freshness::Never);
}

#[test]
fn an_optimistic_entity_ends_delivered_although_it_has_a_state_topic() {
    let mut b = Bench::new(vec![with(switch(), &json!({"optimistic": true}))]);
    b.ask_and_send("power", Action::TurnOn);
    let last = b.view("power").last_command.clone().unwrap();
    assert_eq!(last.status, Status::Delivered);
    assert_eq!(b.view("power").freshness, Freshness::Assumed);
    b.report("d/power", "OFF");
    assert_eq!(b.view("power").freshness, Freshness::Live);
}

#[test]
fn a_newer_command_supersedes_the_unfinished_one_and_takes_it_out_of_the_outbox() {
    let mut b = Bench::new(vec![switch()]);
    let (first, _) = b.ask("power", Action::TurnOn);
    let (second, effects) = b.ask("power", Action::TurnOff);
    assert_eq!(
        ended(&effects),
        [(first, Status::Superseded, Some("newer_command"))]
    );
    let unpublished = effects
        .iter()
        .position(|e| *e == Effect::Unpublish { command: first });
    let publishing = effects.iter().position(|e| matches!(e, Effect::Publish(_)));
    assert!(unpublished.unwrap() < publishing.unwrap());
    assert_eq!(b.view("power").pending.as_ref().unwrap().command, second);
}

#[test]
fn commands_of_other_entities_are_not_superseded() {
    let mut b = Bench::new(vec![switch(), light()]);
    b.ask("power", Action::TurnOn);
    let (_, effects) = b.ask("light", Action::TurnOn);
    assert!(ended(&effects).is_empty());
}

#[test]
fn a_press_supersedes_nothing_and_is_not_superseded() {
    let mut b = Bench::new(vec![button()]);
    let (first, _) = b.ask("open", Action::Press);
    let (second, effects) = b.ask("open", Action::Press);
    assert!(ended(&effects).is_empty());
    for id in [first, second] {
        let effects = b.carry(id);
        assert_eq!(published(&effects).len(), 1);
        assert_eq!(ended(&effects), [(id, Status::Delivered, None)]);
    }
}

#[test]
fn toggle_is_resolved_at_acceptance_from_the_last_state_and_keeps_both_words() {
    let mut b = Bench::new(vec![switch()]);
    b.report("d/power", "ON");
    let (id, effects) = b.ask("power", Action::Toggle);
    let row = accepted(&effects)[0];
    assert_eq!(
        (row.action, row.resolved),
        (Action::Toggle, Action::TurnOff)
    );
    b.report("d/power", "OFF");
    let effects = b.apply(Input::Stored { command: id });
    assert_eq!(published(&effects)[0].payload, b"OFF");
}

#[test]
fn toggle_works_on_an_assumed_state() {
    let mut b = Bench::new(vec![blind_switch()]);
    b.ask_and_send("mute", Action::TurnOn);
    let (_, effects) = b.ask("mute", Action::Toggle);
    assert_eq!(accepted(&effects)[0].resolved, Action::TurnOff);
}

#[test]
fn toggle_of_an_unknown_state_is_refused_and_leaves_no_trace() {
    let mut b = Bench::new(vec![switch()]);
    let before = b.device.view();
    let refusal = b.try_ask("power", Action::Toggle, None, person());
    assert_eq!(refusal.unwrap_err(), Refusal::StateUnknown);
    assert_eq!(b.device.view(), before);
}

#[test]
fn a_wrong_action_a_bad_value_and_an_unknown_entity_are_refused() {
    let mut b = Bench::new(vec![switch(), number()]);
    let wrong = b.try_ask("power", Action::Press, None, person());
    assert!(matches!(wrong, Err(Refusal::WrongAction { .. })));
    let bad = b.try_ask("target", Action::Set, Some(json!(300)), person());
    assert!(matches!(bad, Err(Refusal::BadValue(_))));
    let unknown = b.try_ask("nothing", Action::TurnOn, None, person());
    assert_eq!(
        unknown.unwrap_err(),
        Refusal::UnknownEntity("nothing".into())
    );
}

#[test]
fn a_command_that_is_never_confirmed_times_out_and_the_state_stays_true() {
    let mut b = Bench::new(vec![switch()]);
    b.report("d/power", "OFF");
    let id = b.ask_and_send("power", Action::TurnOn);
    let effects = b.pass(5_000);
    assert_eq!(
        ended(&effects),
        [(id, Status::TimedOut, Some("no_confirmation"))]
    );
    assert_eq!(b.word("power").as_deref(), Some("off"));
}

#[test]
fn a_report_after_the_end_changes_the_state_and_not_the_end() {
    let mut b = Bench::new(vec![switch()]);
    b.ask_and_send("power", Action::TurnOn);
    b.pass(5_000);
    assert!(ended(&b.report("d/power", "ON")).is_empty());
    assert_eq!(b.word("power").as_deref(), Some("on"));
    let last = b.view("power").last_command.clone().unwrap();
    assert_eq!(last.status, Status::TimedOut);
}

#[test]
fn a_person_can_set_the_deadline_of_an_entity() {
    let mut slow = blind();
    slow.deadline_ms = Some(90_000);
    let mut quick = switch();
    quick.deadline_ms = Some(1_000);
    let mut b = Bench::new(vec![slow, quick]);
    b.ask_and_send("blind", Action::Open);
    let hasty = b.ask_and_send("power", Action::TurnOn);
    let effects = b.pass(1_001);
    assert_eq!(
        ended(&effects),
        [(hasty, Status::TimedOut, Some("no_confirmation"))]
    );
    b.report("d/blind", "opening");
    assert!(ended(&b.pass(89_000)).is_empty());
    assert_eq!(only_end(&b.pass(2_000)).0, Status::TimedOut);
}

#[test]
fn with_the_broker_away_a_command_waits_in_the_outbox_until_its_deadline() {
    let mut b = Bench::new(vec![switch()]);
    b.apply(Input::BrokerDown);
    let (id, effects) = b.ask("power", Action::TurnOn);
    assert_eq!(published(&effects)[0].deadline_at, T0.plus_millis(5_000));
    let effects = b.pass(5_000);
    assert_eq!(
        ended(&effects),
        [(id, Status::TimedOut, Some("broker_away"))]
    );
    assert!(effects.contains(&Effect::Unpublish { command: id }));
}

#[test]
fn at_most_sixty_four_commands_are_under_way_and_one_that_replaces_needs_no_room() {
    let mut b = Bench::new(vec![button(), switch()]);
    b.ask("power", Action::TurnOn);
    for _ in 1..MAX_IN_FLIGHT {
        b.ask("open", Action::Press);
    }
    let refusal = b.try_ask("open", Action::Press, None, person());
    assert_eq!(refusal.unwrap_err(), Refusal::TooManyInFlight(64));
    assert!(b.try_ask("power", Action::TurnOff, None, person()).is_ok());
    b.pass(5_000);
    assert!(b.try_ask("open", Action::Press, None, person()).is_ok());
}

#[test]
fn asking_again_with_an_id_under_way_is_the_same_command() {
    let mut b = Bench::new(vec![switch()]);
    let ask = b.new_ask("power", Action::TurnOn, None, schedule());
    let (first, effects) = b.device.ask(b.now, &ask).unwrap();
    assert!(!effects.is_empty());
    assert_eq!(b.device.ask(b.now, &ask).unwrap(), (first, vec![]));
}

#[test]
fn the_idempotency_key_travels_with_the_row() {
    let mut b = Bench::new(vec![switch()]);
    let mut ask = b.new_ask("power", Action::TurnOn, None, person());
    let key = Idempotency {
        key: "eve/path/1".into(),
        body_sha256: "00".into(),
    };
    ask.idempotency = Some(key.clone());
    let (_, effects) = b.device.ask(b.now, &ask).unwrap();
    let has_key =
        |e: &Effect| matches!(e, Effect::Persist(CommandWrite::Accepted(_, Some(k))) if *k == key);
    assert!(effects.iter().any(has_key));
}
