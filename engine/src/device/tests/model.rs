//! Any sequence of inputs, in any order and with any nonsense between, against the
//! promises of a command's life.
//!
//! The ledger knows only the promises, not how the device keeps them.

use super::ops::{ASKS, Op, REPORTS, entities, op};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What the promises need to know of one command.
#[derive(Debug)]
struct Life {
    entity: EntityId,
    is_press: bool,
    durable_first: bool,
    /// The hub's former life left it open: its row is durable already.
    resumed: bool,
    row_has_mark: bool,
    rows: u32,
    stored: bool,
    mark_asked: bool,
    mark_stored: bool,
    published: u32,
    sent_at: Option<Timestamp>,
    ends: u32,
}

impl Life {
    fn of(c: &Command, resumed: bool) -> Self {
        Self {
            entity: c.entity.clone(),
            is_press: c.resolved == Action::Press,
            durable_first: c.action.is_durable_first() || !c.cause.is_asked(),
            resumed,
            row_has_mark: c.sending,
            rows: 0,
            stored: resumed,
            mark_asked: false,
            mark_stored: false,
            published: 0,
            sent_at: None,
            ends: 0,
        }
    }

    const fn is_open(&self) -> bool {
        self.ends == 0
    }
}

/// What an input may lead to.
#[derive(Clone, Copy, Debug, Default)]
struct May {
    /// A confirmation, by a report received then at the latest.
    confirm: Option<Timestamp>,
    sample: bool,
}

struct Run {
    bench: Bench,
    lives: BTreeMap<CommandId, Life>,
    order: Vec<CommandId>,
}

impl Run {
    fn new() -> Self {
        Self {
            bench: Bench::new(entities()),
            lives: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    fn pick(&self, n: usize) -> Option<CommandId> {
        // Counted from the newest, where the life is.
        let len = self.order.len();
        (len > 0).then(|| self.order[len - 1 - n % len.min(8)])
    }

    /// Applies an input to the device and to its twin: equal inputs, equal effects.
    fn apply(&mut self, input: Input, may: May) {
        let mut twin = self.bench.device.clone();
        let before = twin.view();
        let same = twin.apply(self.bench.now, input.clone());
        let effects = self.bench.apply(input);
        assert_eq!(effects, same, "equal inputs gave different effects");
        assert_eq!(twin.view(), self.bench.device.view());
        self.check(&before, &effects, may);
    }

    fn ask(&mut self, what: usize, scheduled: bool) {
        let (entity, action) = ASKS[what];
        let value = (action == Action::Set).then(|| match entity {
            "light" => json!({"brightness": 40}),
            _ => json!(40),
        });
        let cause = if scheduled { schedule() } else { person() };
        let ask = self.bench.new_ask(entity, action, value, cause);
        let before = self.bench.device.view();
        let mut twin = self.bench.device.clone();
        let asked = self.bench.device.ask(self.bench.now, &ask);
        assert_eq!(asked, twin.ask(self.bench.now, &ask));
        let Ok((command, effects)) = asked else {
            assert_eq!(before, self.bench.device.view(), "a refusal left a trace");
            return;
        };
        self.bench.note(&effects);
        let mut begun = command.clone();
        begun.status = Status::Accepted;
        self.lives.insert(command.id, Life::of(&begun, false));
        self.order.push(command.id);
        self.check(&before, &effects, May::default());
        let life = &self.lives[&command.id];
        assert_eq!(life.rows, 1, "an accepted command has one row");
        assert_eq!(life.is_open(), !command.status.is_end());
    }

    fn check(&mut self, before: &DeviceView, effects: &[Effect], may: May) {
        for (n, effect) in effects.iter().enumerate() {
            match effect {
                Effect::Persist(CommandWrite::Accepted(c, _)) => {
                    let life = self.lives.get_mut(&c.id).unwrap();
                    life.rows += 1;
                    assert!(life.rows == 1 && !life.resumed, "two rows for one command");
                    assert_eq!(c.status, Status::Accepted);
                }
                Effect::Persist(CommandWrite::Sending(id)) => {
                    let life = self.lives.get_mut(id).unwrap();
                    assert!(life.is_press && !life.mark_asked && life.stored);
                    life.mark_asked = true;
                }
                Effect::Persist(CommandWrite::Ended(c)) => self.check_end(c, may),
                Effect::Publish(out) => self.check_publication(out),
                Effect::Record(_) => assert!(may.sample, "a sample without a live report"),
                Effect::Changed => assert_eq!(n, effects.len() - 1, "`Changed` is the last"),
                Effect::Unpublish { .. }
                | Effect::SetTimer { .. }
                | Effect::RecordState(_)
                | Effect::RecordAvailability { .. }
                | Effect::Warn { .. } => {}
            }
        }
        self.check_view(before, effects);
    }

    fn check_end(&mut self, c: &Command, may: May) {
        let position = self.order.iter().position(|id| *id == c.id).unwrap();
        let newer = self.order[position + 1..]
            .iter()
            .any(|id| self.lives[id].entity == c.entity && !self.lives[id].is_press);
        let life = self.lives.get_mut(&c.id).unwrap();
        life.ends += 1;
        assert_eq!(life.ends, 1, "a second end: {c:?}");
        assert!(life.rows == 1 || life.resumed, "an end before the row");
        assert!(c.ended_at.is_some() && c.status.is_end());
        match c.status {
            Status::Confirmed => {
                let sent_at = life.sent_at.expect("confirmed before it was sent");
                let reported_at = may.confirm.expect("confirmed by nothing");
                assert!(reported_at >= sent_at && !life.is_press, "{c:?}");
            }
            Status::Delivered => assert!(life.sent_at.is_some(), "delivered before it was sent"),
            Status::Superseded => {
                assert!(!life.is_press, "a press was superseded");
                assert!(newer, "superseded by nothing");
            }
            _ => {}
        }
    }

    fn check_publication(&mut self, out: &Outgoing) {
        let position = self.order.iter().position(|id| *id == out.command).unwrap();
        let life = self.lives.get_mut(&out.command).unwrap();
        life.published += 1;
        assert!(life.is_open(), "published after its end");
        assert_eq!(life.published, 1, "published twice");
        assert_eq!(out.at_most_once, life.is_press);
        if life.durable_first {
            assert!(life.stored, "published before its row was durable");
        }
        if life.is_press {
            assert!(!life.resumed, "a press of the former life was sent");
            let marked = life.row_has_mark || (life.mark_asked && life.mark_stored);
            assert!(marked, "a press went out without a durable mark");
            return;
        }
        let entity = life.entity.clone();
        for id in &self.order[..position] {
            let older = &self.lives[id];
            let gone = older.is_press || older.entity != entity || !older.is_open();
            assert!(gone, "an older command was not superseded");
        }
    }

    fn check_view(&self, before: &DeviceView, effects: &[Effect]) {
        let view = self.bench.device.view();
        let changed = effects.last() == Some(&Effect::Changed);
        assert_eq!(changed, view.revision > before.revision);
        assert_eq!(
            changed,
            view != *before,
            "the view changed in silence, or not at all"
        );
        assert!(view.revision >= before.revision);
        for entity in &view.entities {
            let newest = self
                .order
                .iter()
                .rev()
                .find(|id| self.lives[id].entity == entity.id && self.lives[id].is_open());
            assert_eq!(entity.pending.as_ref().map(|p| p.command), newest.copied());
        }
    }

    fn step(&mut self, op: &Op) {
        let none = May::default();
        match *op {
            Op::Ask { what, scheduled } => self.ask(what, scheduled),
            Op::Report {
                what,
                retained,
                ago_ms,
            } => self.report(what, retained, ago_ms),
            Op::Stored(n) => self.on(
                n,
                |life| life.stored = true,
                |command| (Input::Stored { command }, none),
            ),
            Op::NotStored(n) => self.on(n, |_| (), |command| (Input::NotStored { command }, none)),
            Op::SendingStored(n) => self.on(
                n,
                |life| life.mark_stored = true,
                |command| (Input::SendingStored { command }, none),
            ),
            Op::Sent { which, ago_ms } => {
                let at = self.bench.now.plus_millis(-ago_ms);
                self.on_wire(which, at, |command| Input::Sent { command, at });
            }
            Op::Acknowledged(n) => {
                let at = self.bench.now;
                self.on_wire(n, at, |command| Input::Acknowledged { command });
            }
            Op::Refused(n) => self.on(
                n,
                |_| (),
                |command| {
                    let reason = "quota exceeded".to_owned();
                    (Input::Refused { command, reason }, none)
                },
            ),
            Op::Journal(healthy) => self.apply(Input::Journal { healthy }, none),
            Op::BrokerUp => self.apply(Input::BrokerUp, none),
            Op::BrokerDown => self.apply(Input::BrokerDown, none),
            Op::Pass(ms) => self.pass(ms),
            Op::Quarantined => {
                let reason = "boom".to_owned();
                self.apply(Input::Quarantined { reason }, none);
            }
            Op::Released => self.apply(Input::Released, none),
            Op::Reconfigured(n) => {
                let mut less = entities();
                if n % 2 == 0 {
                    less.remove(n % 8);
                }
                self.apply(Input::Reconfigured(Box::new(setup(less))), none);
            }
            Op::NotAnnounced(n) => {
                let all = entities().into_iter().map(|e| e.id);
                let entities = all.take(n % 9).collect();
                self.apply(Input::NotAnnounced { entities }, none);
            }
            Op::Coalesced(count) => self.apply(Input::Coalesced { count }, none),
            Op::Resumed(n) => self.resume(n),
            Op::Nonsense(n) => self.nonsense(n),
        }
    }

    fn on(
        &mut self,
        n: usize,
        note: impl Fn(&mut Life),
        input: impl Fn(CommandId) -> (Input, May),
    ) {
        let Some(id) = self.pick(n) else { return };
        note(self.lives.get_mut(&id).unwrap());
        let (input, may) = input(id);
        self.apply(input, may);
    }

    /// News that a command is on the wire since then; the first such news counts.
    fn on_wire(&mut self, n: usize, at: Timestamp, input: impl Fn(CommandId) -> Input) {
        let now = self.bench.now;
        let note = |life: &mut Life| {
            // What was never given to the outbox cannot be on the wire, whatever is said.
            if life.published > 0 {
                life.sent_at = life.sent_at.or(Some(at));
            }
        };
        // It may release a report that came before this news.
        let may = May {
            confirm: Some(now),
            sample: false,
        };
        self.on(n, note, |command| (input(command), may));
    }

    fn report(&mut self, what: usize, retained: bool, ago_ms: i64) {
        let (topic, payload) = REPORTS[what];
        let received_at = self.bench.now.plus_millis(-ago_ms);
        let input = Input::Reported {
            topic: topic.into(),
            payload: payload.into(),
            retained,
            received_at,
        };
        let may = May {
            confirm: (!retained).then_some(received_at),
            sample: !retained,
        };
        self.apply(input, may);
    }

    /// A command that the store still held open.
    fn resume(&mut self, n: usize) {
        let (entity, action) = ASKS[n % 14];
        let ask = self.bench.new_ask(entity, action, None, person());
        let now = self.bench.now;
        let is_toggle = action == Action::Toggle;
        let command = Command {
            id: ask.id,
            device: ask.target.device,
            entity: ask.target.entity,
            action,
            resolved: if is_toggle { Action::TurnOn } else { action },
            value: None,
            cause: ask.cause,
            status: Status::Accepted,
            reason: None,
            accepted_at: now,
            deadline_at: now.plus_millis(i64::try_from(n).unwrap() * 100),
            ended_at: None,
            latency_micros: None,
            sending: n.is_multiple_of(3),
        };
        self.lives.insert(command.id, Life::of(&command, true));
        self.order.push(command.id);
        let commands = vec![command];
        self.apply(Input::Resumed { commands }, May::default());
    }

    fn nonsense(&mut self, n: usize) {
        let command = CommandId::new(T0, [255; 10]);
        let at = self.bench.now;
        let input = match n % 5 {
            0 => Input::Sent { command, at },
            1 => Input::Stored { command },
            2 => Input::Acknowledged { command },
            3 => Input::Fired {
                timer: Timer::Expire("nobody".parse().unwrap()),
                at,
            },
            _ => Input::Fired {
                timer: Timer::Deadline(command),
                at,
            },
        };
        self.apply(input, May::default());
    }

    /// Like the bench's, but each timer's effects are checked.
    fn pass(&mut self, ms: i64) {
        let until = self.bench.now.plus_millis(ms);
        loop {
            let next = self.bench.timers.iter().min_by_key(|(_, at)| **at);
            let Some((timer, at)) = next.map(|(t, at)| (t.clone(), *at)) else {
                break;
            };
            if at > until {
                break;
            }
            self.bench.timers.remove(&timer);
            self.bench.now = self.bench.now.max(at);
            let may = May {
                sample: matches!(timer, Timer::OffDelay(_)),
                ..May::default()
            };
            self.apply(Input::Fired { timer, at }, may);
        }
        self.bench.now = until;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_command_has_one_row_one_publication_and_one_end(
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut run = Run::new();
        for op in ops {
            run.step(&op);
        }
        // Longer than every deadline together.
        run.pass(3_600_000);
        for (id, life) in &run.lives {
            prop_assert_eq!(life.ends, 1, "command {} has no end: {:?}", id, life);
        }
        prop_assert!(!run.bench.device.has_pending());
    }
}
