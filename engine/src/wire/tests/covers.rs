//! Covers with states, with positions, with both.

use super::*;

fn blind() -> Bench {
    bench(
        Kind::Cover,
        json!({
            "command_topic": "b/set", "state_topic": "b/state", "position_topic": "b/position",
            "set_position_topic": "b/position/set",
        }),
    )
}

#[test]
fn a_cover_takes_words_and_positions() {
    let blind = blind();
    assert_eq!(
        blind.config.actions(),
        [Action::Open, Action::Close, Action::Stop, Action::Set]
    );
    assert_eq!(
        blind.send(Action::Open, None),
        ("b/set".into(), "OPEN".into())
    );
    assert_eq!(
        blind.send(Action::Stop, None),
        ("b/set".into(), "STOP".into())
    );
    assert_eq!(
        blind.send(Action::Set, Some(json!(30))),
        ("b/position/set".into(), "30".into())
    );
    assert_eq!(
        blind.refusal(Action::Set, Some(json!(101))),
        "a position in per cent must be a whole number from 0 to 100"
    );
    assert_eq!(
        (
            blind.config.deadlines().first_ms,
            blind.config.deadlines().moving_ms
        ),
        (5_000, 60_000)
    );
}

#[test]
fn a_cover_is_confirmed_at_the_asked_position_give_or_take_two() {
    let mut blind = blind();
    let at = Some(json!(30));
    for (reported, confirmed) in [
        ("27", false),
        ("28", true),
        ("30", true),
        ("32", true),
        ("33", false),
    ] {
        blind.take("b/position", reported);
        assert_eq!(
            blind.confirmed(Action::Set, at.clone()),
            confirmed,
            "{reported}"
        );
    }
}

#[test]
fn a_cover_is_open_at_the_end_of_its_way_and_not_before() {
    let mut blind = blind();
    blind.take("b/position", "0");
    blind.take("b/state", "opening");
    assert!(!blind.confirmed(Action::Open, None) && !blind.confirmed(Action::Stop, None));
    blind.take("b/position", "40");
    blind.take("b/state", "open");
    assert!(
        !blind.confirmed(Action::Open, None),
        "open, but at 40 % of the way"
    );
    assert!(blind.confirmed(Action::Stop, None));
    blind.take("b/position", "100");
    assert!(blind.confirmed(Action::Open, None) && !blind.confirmed(Action::Close, None));
    blind.take("b/state", "closing");
    blind.take("b/position", "1");
    blind.take("b/state", "stopped");
    assert!(blind.confirmed(Action::Close, None));
}

#[test]
fn a_stopped_cover_is_open_or_closed_when_its_position_says_so() {
    let mut blind = blind();
    for (position, word) in [("0", "closed"), ("100", "open"), ("50", "stopped")] {
        blind.take("b/position", position);
        blind.take("b/state", "stopped");
        assert_eq!(blind.state, Some(Value::word(word)));
    }
}

#[test]
fn a_cover_of_words_alone_is_confirmed_by_its_word() {
    let mut door = bench(
        Kind::Cover,
        json!({"command_topic": "d/set", "state_topic": "d", "payload_stop": null, "state_open": "up", "state_closed": "down"}),
    );
    assert_eq!(door.config.actions(), [Action::Open, Action::Close]);
    assert_eq!(door.config.range(), None);
    door.take("d", "opening");
    assert!(!door.confirmed(Action::Open, None));
    door.take("d", "up");
    assert!(door.confirmed(Action::Open, None));
    assert!(door.hear("d", "sideways").is_err());
}

#[test]
fn a_cover_of_positions_alone_turns_round_scales_and_moves_visibly() {
    let mut blind = bench(
        Kind::Cover,
        json!({
            "position_topic": "b", "set_position_topic": "b/set", "position_open": 0, "position_closed": 255,
            "position_template": "{{ value_json.pos }}",
            "set_position_template": "{\"pos\":{{ value }},\"percent\":{{ position }}}",
        }),
    );
    assert!(blind.config.has_state());
    assert_eq!(
        blind.config.actions(),
        [Action::Open, Action::Close, Action::Set]
    );
    assert_eq!(
        blind.send(Action::Open, None).1,
        r#"{"pos":0,"percent":100}"#
    );
    assert_eq!(
        blind.send(Action::Set, Some(json!(20))).1,
        r#"{"pos":204,"percent":20}"#
    );
    blind.take("b", r#"{"pos":255}"#);
    assert_eq!(
        (blind.state.clone(), &blind.attributes["position"]),
        (Some(Value::word("closed")), &json!(0))
    );
    let heard = blind.hear("b", r#"{"pos":204}"#).unwrap();
    assert!(moves(&blind.known(), &heard), "the position changed");
    blind.take("b", r#"{"pos":204}"#);
    assert_eq!(
        (blind.state.clone(), &blind.attributes["position"]),
        (Some(Value::word("open")), &json!(20))
    );
    assert!(!moves(&blind.known(), &heard), "it stands where it stood");
    assert!(blind.confirmed(Action::Set, Some(json!(20))));
}

#[test]
fn a_position_may_come_inside_json_and_must_be_a_number() {
    let blind = blind();
    let at = |n: i64| Ok(vec![Reported::Attribute("position".into(), json!(n))]);
    assert_eq!(
        blind.hear("b/position", r#"{"position":33,"tilt_position":5}"#),
        at(33)
    );
    assert_eq!(blind.hear("b/position", "140"), at(100));
    assert_eq!(blind.hear("b/position", "-3"), at(0));
    for bad in ["nan", "inf", "half", "{}", r#"{"position":"x"}"#] {
        assert!(blind.hear("b/position", bad).is_err(), "{bad}");
    }
}

#[test]
fn a_cover_that_reports_no_position_cannot_confirm_one() {
    let blind = bench(
        Kind::Cover,
        json!({"command_topic": "b/set", "state_topic": "b", "set_position_topic": "b/pos"}),
    );
    assert_eq!(
        wanted(&blind.config, Action::Set, Some(&json!(40))),
        Wanted::Nothing
    );
    assert_eq!(
        wanted(&blind.config, Action::Open, None),
        Wanted::State(Value::word("open"))
    );
    let parts = assumed(&blind.config, Action::Set, Some(&json!(40)), &blind.known());
    assert!(parts.contains(&Reported::Attribute("position".into(), json!(40))));
}
