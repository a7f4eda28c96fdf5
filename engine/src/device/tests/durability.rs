//! Disk before wire: what waits for its row, and what a failing disk means.

use super::*;

#[test]
fn an_absolute_action_of_a_person_is_published_at_once() {
    let mut b = Bench::new(vec![switch(), lock(), blind()]);
    for (entity, action) in [
        ("power", Action::TurnOn),
        ("power", Action::TurnOff),
        ("lock", Action::Lock),
        ("blind", Action::Open),
        ("blind", Action::Close),
        ("blind", Action::Stop),
    ] {
        let (id, effects) = b.ask(entity, action);
        assert_eq!(published(&effects).len(), 1, "{action}");
        assert_eq!(accepted(&effects).len(), 1, "{action}");
        assert!(published(&b.apply(Input::Stored { command: id })).is_empty());
    }
}

#[test]
fn press_toggle_and_unlock_are_durable_first() {
    let mut b = Bench::new(vec![switch(), lock(), button()]);
    b.report("d/power", "ON");
    for (entity, action) in [
        ("open", Action::Press),
        ("power", Action::Toggle),
        ("lock", Action::Unlock),
    ] {
        let (id, effects) = b.ask(entity, action);
        assert!(published(&effects).is_empty(), "{action}");
        assert_eq!(accepted(&effects).len(), 1, "{action}");
        let effects = b.apply(Input::Stored { command: id });
        assert_eq!(published(&effects).len(), 1, "{action}");
        assert!(b.apply(Input::Stored { command: id }).is_empty());
    }
}

#[test]
fn all_that_a_schedule_asks_is_durable_first() {
    let mut b = Bench::new(vec![switch()]);
    let asked = b.try_ask("power", Action::TurnOn, None, schedule());
    let (command, effects) = asked.unwrap();
    assert!(published(&effects).is_empty());
    let effects = b.apply(Input::Stored {
        command: command.id,
    });
    assert_eq!(published(&effects).len(), 1);
}

#[test]
fn with_the_broker_there_the_sending_mark_of_a_press_travels_in_its_row() {
    let mut b = Bench::new(vec![button()]);
    let (id, effects) = b.ask("open", Action::Press);
    assert!(accepted(&effects)[0].sending);
    let effects = b.apply(Input::Stored { command: id });
    assert!(marked(&effects).is_empty());
    assert!(published(&effects)[0].at_most_once);
}

#[test]
fn with_the_broker_away_a_press_waits_for_it_then_for_its_mark_and_goes_out_once() {
    let mut b = Bench::new(vec![button()]);
    b.apply(Input::BrokerDown);
    let (id, effects) = b.ask("open", Action::Press);
    assert!(!accepted(&effects)[0].sending);
    let effects = b.apply(Input::Stored { command: id });
    assert!(published(&effects).is_empty() && marked(&effects).is_empty());
    let effects = b.apply(Input::BrokerUp);
    assert_eq!(marked(&effects), [id]);
    assert!(published(&effects).is_empty());
    let effects = b.apply(Input::SendingStored { command: id });
    assert_eq!(published(&effects).len(), 1);
    assert!(b.apply(Input::SendingStored { command: id }).is_empty());
    b.apply(Input::BrokerDown);
    let effects = b.apply(Input::BrokerUp);
    assert!(published(&effects).is_empty() && marked(&effects).is_empty());
}

#[test]
fn a_press_whose_mark_cannot_be_written_is_never_sent() {
    let mut b = Bench::new(vec![button()]);
    b.apply(Input::BrokerDown);
    let (id, _) = b.ask("open", Action::Press);
    b.apply(Input::Stored { command: id });
    b.apply(Input::BrokerUp);
    let effects = b.apply(Input::NotStored { command: id });
    assert_eq!(
        ended(&effects),
        [(id, Status::Rejected, Some("not_durable"))]
    );
    assert!(published(&b.apply(Input::SendingStored { command: id })).is_empty());
}

#[test]
fn a_durable_first_command_whose_row_cannot_be_written_is_not_carried_out() {
    let mut b = Bench::new(vec![lock()]);
    let (id, _) = b.ask("lock", Action::Unlock);
    let effects = b.apply(Input::NotStored { command: id });
    assert!(published(&effects).is_empty());
    assert_eq!(
        ended(&effects),
        [(id, Status::Rejected, Some("not_durable"))]
    );
    assert!(published(&b.apply(Input::Stored { command: id })).is_empty());
}

#[test]
fn a_published_command_whose_row_cannot_be_written_goes_on_to_its_end() {
    let mut b = Bench::new(vec![switch()]);
    let (id, _) = b.ask("power", Action::TurnOn);
    assert!(ended(&b.apply(Input::NotStored { command: id })).is_empty());
    b.sent(id);
    let effects = b.report("d/power", "ON");
    assert_eq!(ended(&effects), [(id, Status::Confirmed, None)]);
}

#[test]
fn while_nothing_can_be_written_durable_first_actions_are_refused_and_others_go_on() {
    let mut b = Bench::new(vec![switch(), button()]);
    let (id, _) = b.ask("power", Action::TurnOn);
    b.apply(Input::NotStored { command: id });
    let refusal = b.try_ask("open", Action::Press, None, person());
    assert_eq!(refusal.unwrap_err(), Refusal::NotDurable(Action::Press));
    let refusal = b.try_ask("power", Action::TurnOn, None, schedule());
    assert_eq!(refusal.unwrap_err(), Refusal::NotDurable(Action::TurnOn));
    let (id, effects) = b.ask("power", Action::TurnOff);
    assert_eq!(published(&effects).len(), 1);
    b.apply(Input::Stored { command: id });
    assert!(b.try_ask("open", Action::Press, None, person()).is_ok());
}

#[test]
fn the_journals_word_opens_and_closes_durable_first_actions() {
    let mut b = Bench::new(vec![button()]);
    assert!(b.apply(Input::Journal { healthy: false }).is_empty());
    assert!(b.try_ask("open", Action::Press, None, person()).is_err());
    b.apply(Input::Journal { healthy: true });
    assert!(b.try_ask("open", Action::Press, None, person()).is_ok());
}

#[test]
fn a_durable_first_command_supersedes_only_when_it_goes_out() {
    let mut b = Bench::new(vec![lock()]);
    let locking = b.ask_and_send("lock", Action::Lock);
    let (unlocking, effects) = b.ask("lock", Action::Unlock);
    assert!(ended(&effects).is_empty());
    let effects = b.apply(Input::Stored { command: unlocking });
    assert_eq!(
        ended(&effects),
        [(locking, Status::Superseded, Some("newer_command"))]
    );
    assert_eq!(published(&effects)[0].command, unlocking);
}

#[test]
fn a_command_that_still_waits_for_its_row_is_superseded_and_never_published() {
    let mut b = Bench::new(vec![lock()]);
    let (unlocking, _) = b.ask("lock", Action::Unlock);
    let (locking, effects) = b.ask("lock", Action::Lock);
    assert_eq!(
        ended(&effects),
        [(unlocking, Status::Superseded, Some("newer_command"))]
    );
    assert_eq!(published(&effects)[0].command, locking);
    assert!(published(&b.apply(Input::Stored { command: unlocking })).is_empty());
}

#[test]
fn of_two_that_wait_for_their_rows_only_the_newer_goes_out() {
    let mut b = Bench::new(vec![lock()]);
    let (first, _) = b.ask("lock", Action::Unlock);
    let (second, effects) = b.ask("lock", Action::Unlock);
    assert_eq!(
        ended(&effects),
        [(first, Status::Superseded, Some("newer_command"))]
    );
    assert!(published(&b.apply(Input::Stored { command: first })).is_empty());
    let effects = b.apply(Input::Stored { command: second });
    assert_eq!(published(&effects).len(), 1);
}

#[test]
fn a_row_that_never_becomes_durable_times_out_unsent() {
    let mut b = Bench::new(vec![button()]);
    let (id, _) = b.ask("open", Action::Press);
    let effects = b.pass(5_000);
    assert_eq!(
        ended(&effects),
        [(id, Status::TimedOut, Some("not_durable"))]
    );
    assert!(published(&b.apply(Input::Stored { command: id })).is_empty());
}
