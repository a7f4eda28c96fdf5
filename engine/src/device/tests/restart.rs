//! After a crash: which commands go out again, and which are closed.

use super::*;

/// A command that the hub's former life left open.
fn left_open(b: &mut Bench, entity: &str, action: Action, sending: bool) -> Command {
    let ask = b.new_ask(entity, action, None, person());
    Command {
        id: ask.id,
        device: ask.target.device,
        entity: ask.target.entity,
        action,
        resolved: action,
        value: None,
        cause: ask.cause,
        status: Status::Accepted,
        reason: None,
        accepted_at: b.now.plus_millis(-1_000),
        deadline_at: b.now.plus_millis(4_000),
        ended_at: None,
        latency_micros: None,
        sending,
    }
}

#[test]
fn an_absolute_command_whose_deadline_lasts_is_sent_again_under_the_same_id() {
    let mut b = Bench::before_start(vec![switch()]);
    let open = left_open(&mut b, "power", Action::TurnOn, false);
    let id = open.id;
    let effects = b.apply(Input::Resumed {
        commands: vec![open],
    });
    assert!(published(&effects).is_empty() && ended(&effects).is_empty());
    assert_eq!(b.view("power").pending.as_ref().unwrap().command, id);
    assert!(published(&b.apply(Input::BrokerUp)).is_empty());
    b.retained("d/power", "OFF");
    let effects = b.pass(RESEND_GRACE_MS);
    assert_eq!(published(&effects)[0].command, id);
    assert!(accepted(&effects).is_empty());
    b.sent(id);
    let effects = b.report("d/power", "ON");
    assert_eq!(ended(&effects), [(id, Status::Confirmed, None)]);
}

#[test]
fn it_is_not_sent_again_if_the_device_already_reports_the_wanted_state() {
    for retained in [true, false] {
        let mut b = Bench::before_start(vec![switch()]);
        let open = left_open(&mut b, "power", Action::TurnOn, false);
        let id = open.id;
        b.apply(Input::Resumed {
            commands: vec![open],
        });
        b.apply(Input::BrokerUp);
        let effects = b.message("d/power", "ON", retained);
        assert_eq!(
            ended(&effects),
            [(id, Status::TimedOut, Some("hub_restarted"))]
        );
        assert!(published(&b.pass(10_000)).is_empty());
    }
}

#[test]
fn a_restored_state_is_no_report_and_keeps_nothing_from_being_sent_again() {
    let mut power = switch();
    power.restored = Some(RestoredState {
        state: Some(Value::word("on")),
        attributes: Default::default(),
        reported_at: None,
        changed_at: None,
    });
    let mut b = Bench::before_start(vec![power]);
    let open = left_open(&mut b, "power", Action::TurnOn, false);
    b.apply(Input::Resumed {
        commands: vec![open],
    });
    b.apply(Input::BrokerUp);
    assert_eq!(published(&b.pass(RESEND_GRACE_MS)).len(), 1);
}

#[test]
fn a_command_whose_deadline_is_over_is_closed_as_timed_out() {
    let mut b = Bench::before_start(vec![switch()]);
    let mut open = left_open(&mut b, "power", Action::TurnOn, false);
    open.deadline_at = b.now;
    let id = open.id;
    let effects = b.apply(Input::Resumed {
        commands: vec![open],
    });
    assert_eq!(
        ended(&effects),
        [(id, Status::TimedOut, Some("hub_restarted"))]
    );
    let last = b.view("power").last_command.clone().unwrap();
    assert_eq!(last.id, id);
}

#[test]
fn a_press_is_never_sent_again() {
    for sending in [true, false] {
        let mut b = Bench::before_start(vec![button()]);
        let open = left_open(&mut b, "open", Action::Press, sending);
        let id = open.id;
        let effects = b.apply(Input::Resumed {
            commands: vec![open],
        });
        assert_eq!(
            ended(&effects),
            [(id, Status::TimedOut, Some("hub_restarted"))]
        );
        let mut effects = b.apply(Input::BrokerUp);
        effects.extend(b.apply(Input::Stored { command: id }));
        effects.extend(b.apply(Input::SendingStored { command: id }));
        effects.extend(b.pass(60_000));
        assert!(published(&effects).is_empty());
    }
}

#[test]
fn a_toggle_is_sent_again_as_what_it_was_resolved_to() {
    let mut b = Bench::before_start(vec![switch()]);
    let mut open = left_open(&mut b, "power", Action::Toggle, false);
    open.resolved = Action::TurnOff;
    b.apply(Input::Resumed {
        commands: vec![open],
    });
    b.apply(Input::BrokerUp);
    let effects = b.pass(RESEND_GRACE_MS);
    assert_eq!(published(&effects)[0].payload, b"OFF");
}

#[test]
fn of_two_open_commands_of_one_entity_only_the_newer_is_sent_again() {
    let mut b = Bench::before_start(vec![switch()]);
    let mut older = left_open(&mut b, "power", Action::TurnOn, false);
    older.accepted_at = b.now.plus_millis(-2_000);
    let newer = left_open(&mut b, "power", Action::TurnOff, false);
    let (old_id, new_id) = (older.id, newer.id);
    let effects = b.apply(Input::Resumed {
        commands: vec![newer, older],
    });
    assert_eq!(
        ended(&effects),
        [(old_id, Status::Superseded, Some("newer_command"))]
    );
    b.apply(Input::BrokerUp);
    let effects = b.pass(RESEND_GRACE_MS);
    let ids: Vec<CommandId> = published(&effects).iter().map(|p| p.command).collect();
    assert_eq!(ids, [new_id]);
}

#[test]
fn with_the_broker_up_already_the_grace_begins_at_once() {
    let mut b = Bench::before_start(vec![switch()]);
    b.apply(Input::BrokerUp);
    let open = left_open(&mut b, "power", Action::TurnOn, false);
    b.apply(Input::Resumed {
        commands: vec![open],
    });
    assert_eq!(published(&b.pass(RESEND_GRACE_MS)).len(), 1);
}

#[test]
fn without_the_broker_it_ends_at_its_deadline() {
    let mut b = Bench::before_start(vec![switch()]);
    let open = left_open(&mut b, "power", Action::TurnOn, false);
    let id = open.id;
    b.apply(Input::Resumed {
        commands: vec![open],
    });
    let effects = b.pass(4_000);
    assert_eq!(
        ended(&effects),
        [(id, Status::TimedOut, Some("hub_restarted"))]
    );
    assert!(published(&effects).is_empty());
}

#[test]
fn a_newer_command_supersedes_one_that_waits_to_be_sent_again() {
    let mut b = Bench::before_start(vec![switch()]);
    let open = left_open(&mut b, "power", Action::TurnOn, false);
    let id = open.id;
    b.apply(Input::Resumed {
        commands: vec![open],
    });
    let (_, effects) = b.ask("power", Action::TurnOff);
    assert_eq!(
        ended(&effects),
        [(id, Status::Superseded, Some("newer_command"))]
    );
    b.apply(Input::BrokerUp);
    assert!(published(&b.pass(RESEND_GRACE_MS)).is_empty());
}

#[test]
fn a_device_that_says_it_is_away_ends_what_waits_to_be_sent_again() {
    let mut b = Bench::before_start(vec![with(switch(), &json!({"availability_topic": "d/up"}))]);
    let open = left_open(&mut b, "power", Action::TurnOn, false);
    let id = open.id;
    b.apply(Input::Resumed {
        commands: vec![open],
    });
    b.apply(Input::BrokerUp);
    let effects = b.retained("d/up", "offline");
    assert_eq!(
        ended(&effects),
        [(id, Status::Unavailable, Some("device_offline"))]
    );
}

#[test]
fn an_open_command_of_an_entity_that_is_gone_is_rejected() {
    let mut b = Bench::before_start(vec![switch()]);
    let open = left_open(&mut b, "gone", Action::TurnOn, false);
    let id = open.id;
    let effects = b.apply(Input::Resumed {
        commands: vec![open],
    });
    assert_eq!(
        ended(&effects),
        [(id, Status::Rejected, Some("entity_removed"))]
    );
}
