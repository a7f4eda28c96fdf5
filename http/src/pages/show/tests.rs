//! What pages say of a device's state.

use super::{Dearness, Reading, card, line, panel};
use iothome_engine::command::{Cause, Command, Status, reason};
use iothome_engine::ids::{CommandId, SessionId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::{Right, Rights};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_engine::view::{
    Availability, Category, DeviceView, EntityView, Freshness, Health, Pending, Range,
};
use iothome_views::components::Tone;
use iothome_views::components::control::Control;
use iothome_views::components::entity::EntityPanel;
use iothome_views::texts::ENGLISH;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T07:52:37Z").expect("an instant")
}

fn reading(rights: Rights) -> Reading<'static> {
    static UTC: TimeZone = TimeZone::UTC;
    Reading {
        t: &ENGLISH,
        zone: &UTC,
        now: now(),
        rights,
    }
}

fn entity(kind: Kind, state: Option<Value>) -> EntityView {
    EntityView {
        id: "main".parse().expect("an id"),
        name: "Main".into(),
        kind,
        category: None,
        device_class: None,
        unit: None,
        numeric: kind == Kind::Number,
        range: None,
        options: Vec::new(),
        actions: Vec::new(),
        availability: Availability::Online,
        state,
        attributes: Arc::new(BTreeMap::new()),
        freshness: Freshness::Live,
        reported_at: Some(now().plus_millis(-3_000)),
        changed_at: None,
        pending: None,
        last_command: None,
        not_announced: false,
    }
}

fn device(entities: Vec<EntityView>) -> DeviceView {
    DeviceView {
        id: "lamp".parse().expect("an id"),
        name: "Lamp".into(),
        room: None,
        icon: None,
        position: None,
        availability: Availability::Online,
        health: Health::Ok,
        reason: None,
        sender_verified: true,
        about: Arc::default(),
        last_seen: None,
        coalesced: 0,
        revision: 1,
        version: 1,
        entities: entities.into_iter().map(Arc::new).collect(),
    }
}

fn shown(entity: EntityView) -> EntityPanel {
    card(reading(Rights::ALL), &device(vec![entity]), Dearness::No)
        .entities
        .remove(0)
}

fn word(word: &str) -> Option<Value> {
    Some(Value::word(word))
}

fn lamp(state: &str) -> EntityView {
    let mut lamp = entity(Kind::Light, word(state));
    lamp.actions = vec![Action::TurnOn, Action::TurnOff, Action::Toggle, Action::Set];
    lamp.attributes = Arc::new([("brightness".to_owned(), json!(62))].into());
    lamp
}

fn command(status: Status, why: Option<&str>) -> Command {
    Command {
        id: CommandId::new(now(), [1; 10]),
        device: "lamp".parse().expect("an id"),
        entity: "main".parse().expect("an id"),
        action: Action::Set,
        resolved: Action::Set,
        value: Some(json!({"brightness": 40})),
        cause: Cause::User {
            user: UserId::new(now(), [2; 10]),
            name: "eve".into(),
            session: SessionId::new(now(), [3; 10]),
        },
        status,
        reason: why.map(str::to_owned),
        accepted_at: now(),
        deadline_at: now().plus_millis(5_000),
        ended_at: Some(now().plus_millis(9)),
        latency_micros: Some(9_040),
        sending: false,
    }
}

#[test]
fn a_pending_command_does_not_change_the_state_that_is_shown() {
    let mut lamp = lamp("on");
    lamp.pending = Some(Pending {
        command: CommandId::new(now(), [1; 10]),
        action: Action::TurnOff,
        value: None,
        status: Status::Sent,
        deadline_at: now().plus_millis(5_000),
    });
    let shown = shown(lamp);
    assert_eq!(shown.state, "On · 62 %");
    assert!(matches!(
        shown.control,
        Control::Light { on: Some(true), .. }
    ));
    let pending = shown.pending.expect("a pending command");
    assert_eq!(
        (pending.doing.as_str(), pending.step),
        ("Turning off", Status::Sent)
    );
}

#[test]
fn ends_are_told_in_words_with_their_latency() {
    let told = |status, why| {
        let mut lamp = lamp("on");
        lamp.last_command = Some(Arc::new(command(status, why)));
        let outcome = shown(lamp).outcome.expect("an outcome");
        (outcome.asked, outcome.latency_ms, outcome.reason)
    };
    let asked = || "Set to 40 %".to_owned();
    assert_eq!(
        told(Status::Confirmed, None),
        (asked(), Some("9".into()), None)
    );
    assert_eq!(
        told(Status::TimedOut, Some(reason::NO_CONFIRMATION)),
        (asked(), None, None)
    );
    assert_eq!(
        told(Status::Rejected, Some(reason::JAMMED)),
        (asked(), Some("9".into()), Some("jammed".into()))
    );
    assert_eq!(
        told(Status::Unavailable, Some(reason::DEVICE_OFFLINE)),
        (asked(), None, Some("device offline".into()))
    );
    assert_eq!(
        told(Status::Rejected, Some("too hot")).2,
        Some("too hot".into())
    );
}

#[test]
fn classes_give_states_the_household_s_words() {
    let of = |class: &str, state: &str| {
        let mut contact = entity(Kind::BinarySensor, word(state));
        contact.device_class = Some(class.into());
        let shown = shown(contact);
        (shown.state, shown.tone)
    };
    assert_eq!(of("door", "on"), ("Open".into(), Tone::Active));
    assert_eq!(of("door", "off"), ("Closed".into(), Tone::Calm));
    assert_eq!(of("smoke", "on"), ("Detected".into(), Tone::Bad));
    assert_eq!(of("door", "ajar").0, "ajar");
}

#[test]
fn a_number_is_rounded_for_the_eye_and_exact_beside_it() {
    let mut sensor = entity(Kind::Sensor, Value::number(21.456_78));
    sensor.unit = Some("°C".into());
    let shown = shown(sensor);
    assert_eq!(
        (shown.state.as_str(), shown.unit.as_deref()),
        ("21.46", Some("°C"))
    );
    assert_eq!(shown.exact.as_deref(), Some("21.45678"));
}

#[test]
fn an_unknown_state_says_so_and_offers_both_wishes() {
    let mut switch = entity(Kind::Switch, None);
    switch.actions = vec![Action::TurnOn, Action::TurnOff];
    switch.freshness = Freshness::Never;
    let shown = shown(switch);
    assert_eq!((shown.state.as_str(), shown.tone), ("Unknown", Tone::Dim));
    assert_eq!(shown.control, Control::Switch { on: None });
}

#[test]
fn who_may_only_look_gets_no_control() {
    let view = Rights::of(&[Right::View]);
    let shown = card(reading(view), &device(vec![lamp("on")]), Dearness::No)
        .entities
        .remove(0);
    assert_eq!(shown.control, Control::ViewOnly);
}

#[test]
fn the_smaller_and_larger_buttons_start_from_the_wish_while_it_is_under_way() {
    let mut number = entity(Kind::Number, Value::number(20.0));
    number.actions = vec![Action::Set];
    number.range = Some(Range {
        min: 5.0,
        max: 30.0,
        step: 0.5,
    });
    number.pending = Some(Pending {
        command: CommandId::new(now(), [1; 10]),
        action: Action::Set,
        value: Some(json!(20.5)),
        status: Status::Accepted,
        deadline_at: now(),
    });
    let Control::Number(scale) = shown(number).control else {
        panic!("a number control");
    };
    assert_eq!((scale.value, scale.base), (Some(20.0), Some(20.5)));
}

#[test]
fn away_quarantined_and_withdrawn_are_said_once() {
    let words = |device: &DeviceView| -> Vec<String> {
        card(reading(Rights::ALL), device, Dearness::No)
            .troubles
            .into_iter()
            .map(|t| t.words)
            .collect()
    };
    let mut away = device(vec![lamp("on")]);
    away.availability = Availability::Offline;
    assert_eq!(words(&away), ["Away"]);
    let mut quarantined = device(vec![lamp("on")]);
    quarantined.availability = Availability::Unavailable;
    quarantined.health = Health::Quarantined;
    quarantined.reason = Some("failed 6 times".into());
    assert_eq!(words(&quarantined), ["Quarantined: failed 6 times"]);
    let mut silent = device(vec![entity(Kind::Sensor, None)]);
    silent.availability = Availability::Unknown;
    let mut never = EntityView::clone(&silent.entities[0]);
    never.freshness = Freshness::Never;
    silent.entities = vec![Arc::new(never)];
    assert_eq!(words(&silent), ["Not heard of yet"]);
    let mut doubtful = device(vec![lamp("on")]);
    doubtful.sender_verified = false;
    assert_eq!(words(&doubtful), ["Sender not verified"]);
}

#[test]
fn a_card_says_its_room_only_where_it_stands_apart_from_it() {
    let mut view = device(vec![lamp("on")]);
    view.room = Some("Hall".into());
    view.icon = Some("bulb".into());
    for (dear, star, room) in [
        (Dearness::No, false, None),
        (Dearness::InPlace, true, None),
        (Dearness::Apart, true, Some("Hall")),
    ] {
        let card = card(reading(Rights::ALL), &view, dear);
        assert_eq!((card.dear, card.room.as_deref()), (star, room));
        assert!(card.symbol.is_some());
    }
}

#[test]
fn a_card_leaves_out_settings_and_says_how_many_more_there_are() {
    let mut setting = entity(Kind::Number, Value::number(1.0));
    setting.category = Some(Category::Config);
    let crowded = device(vec![lamp("off"); 9]);
    let shown = card(reading(Rights::ALL), &crowded, Dearness::No);
    assert_eq!((shown.entities.len(), shown.more), (4, 5));
    let view = device(vec![lamp("off"), setting]);
    let card = card(reading(Rights::ALL), &view, Dearness::No);
    assert_eq!((card.entities.len(), card.more), (1, 0));
    let panel = panel(reading(Rights::ALL), &view, false);
    assert_eq!((panel.main.len(), panel.settings.len()), (1, 1));
}

#[test]
fn the_list_of_commands_names_who_asked() {
    let told = line(
        reading(Rights::ALL),
        None,
        &command(Status::Confirmed, None),
    );
    assert_eq!(told.cause, "by eve");
    assert_eq!(told.entity, "main");
}
