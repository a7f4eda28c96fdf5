//! The life of a command after acceptance: stored, sent, acknowledged, and its one end.
//!
//! Owner of the order of disk and wire. A `press` must never go out before its
//! sending mark is durable, nor twice; no command must ever end twice.

use super::Device;
use super::entity::Source;
use super::flight::{Flight, Phase};
use super::input::{Effect, Outgoing, Timer};
use crate::command::{Command, CommandWrite, Status, reason};
use crate::ids::CommandId;
use crate::kind::Action;
use crate::time::Timestamp;
use crate::wire::{self, Wanted};

/// How long a command of the hub's former life waits for the device's retained state before it is
/// sent again: the broker replays that right after the subscription, in milliseconds.
pub const RESEND_GRACE_MS: i64 = 500;

impl Device {
    fn position(&self, id: CommandId) -> Option<usize> {
        self.flights.iter().position(|f| f.id() == id)
    }

    /// Adds a command to those under way.
    pub(super) fn take_up(&mut self, flight: Flight) {
        self.flights.push(flight);
        self.sensitivity += 1;
    }

    fn flight(&mut self, id: CommandId) -> Option<&mut Flight> {
        self.flights.iter_mut().find(|f| f.id() == id)
    }

    /// The acceptance row is durable.
    pub(super) fn stored(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        self.journal_healthy = true;
        let broker_up = self.broker_up;
        let Some(flight) = self.flight(id).filter(|f| f.phase == Phase::Storing) else {
            return;
        };
        if !flight.is_press() || flight.command.sending {
            self.publish(now, id, effects);
        } else {
            flight.phase = Phase::AwaitingBroker;
            if broker_up {
                self.mark_presses(effects);
            }
        }
    }

    /// A row or mark could not be written: what has not gone out does not go out.
    pub(super) fn not_stored(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        self.journal_healthy = false;
        let is_held = |f: &Flight| matches!(f.phase, Phase::Storing | Phase::Marking);
        if self.flights.iter().any(|f| f.id() == id && is_held(f)) {
            let why = Some(reason::NOT_DURABLE);
            self.end(now, id, Status::Rejected, why, effects);
        }
    }

    /// The sending mark of a `press` is durable: now it may go out, once.
    pub(super) fn sending_stored(
        &mut self,
        now: Timestamp,
        id: CommandId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(flight) = self.flight(id).filter(|f| f.phase == Phase::Marking) else {
            return;
        };
        flight.command.sending = true;
        self.publish(now, id, effects);
    }

    /// Asks for the sending marks of the presses that waited for the broker.
    pub(super) fn mark_presses(&mut self, effects: &mut Vec<Effect>) {
        for flight in &mut self.flights {
            if flight.phase == Phase::AwaitingBroker {
                flight.phase = Phase::Marking;
                let mark = CommandWrite::Sending(flight.id());
                effects.push(Effect::Persist(mark));
            }
        }
    }

    /// Gives the command to the outbox and takes the older ones of its entity out.
    pub(super) fn publish(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        self.supersede_older(now, id, effects);
        let Some(flight) = self.flight(id) else {
            return;
        };
        let Some(publication) = flight.publication.take() else {
            return;
        };
        flight.phase = Phase::Published;
        effects.push(Effect::Publish(Outgoing {
            command: id,
            topic: publication.topic,
            payload: publication.payload,
            deadline_at: flight.command.deadline_at,
            at_most_once: flight.is_press(),
        }));
    }

    /// A newer command takes the place of those of its entity that have not gone out.
    pub(super) fn supersede_waiting(
        &mut self,
        now: Timestamp,
        newer: &Command,
        effects: &mut Vec<Effect>,
    ) {
        if newer.resolved == Action::Press {
            return;
        }
        let entity = newer.entity.clone();
        let why = reason::NEWER_COMMAND;
        self.end_where(now, Status::Superseded, why, effects, |f| {
            f.is_for(&entity) && !f.is_press() && f.phase.is_waiting()
        });
    }

    /// A command that goes out takes the place of all older ones of its entity.
    fn supersede_older(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        let Some(position) = self.position(id) else {
            return;
        };
        let newer = &self.flights[position];
        if newer.is_press() {
            return;
        }
        let entity = newer.command.entity.clone();
        let older: Vec<CommandId> = self.flights[..position]
            .iter()
            .filter(|f| f.is_for(&entity) && !f.is_press())
            .map(Flight::id)
            .collect();
        for old in older {
            let why = Some(reason::NEWER_COMMAND);
            self.end(now, old, Status::Superseded, why, effects);
        }
    }

    /// It is on the wire; reports that raced with this news are judged now.
    pub(super) fn sent(
        &mut self,
        now: Timestamp,
        id: CommandId,
        at: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(flight) = self.flight(id).filter(|f| f.phase == Phase::Published) else {
            return;
        };
        flight.phase = Phase::Sent(at);
        flight.command.status = Status::Sent;
        let held = flight.release(at);
        self.mark_entity_of(id);
        for outcome in held {
            self.conclude(now, id, outcome, effects);
        }
    }

    /// The broker has it. That is the end for what nothing can confirm.
    pub(super) fn acknowledged(
        &mut self,
        now: Timestamp,
        id: CommandId,
        effects: &mut Vec<Effect>,
    ) {
        // An acknowledgement proves that it was sent, even if that news was lost.
        self.sent(now, id, now, effects);
        let Some(flight) = self.flight(id) else {
            return;
        };
        let Phase::Sent(at) = flight.phase else {
            return;
        };
        flight.phase = Phase::Acknowledged(at);
        flight.command.status = Status::Acknowledged;
        let unconfirmable = matches!(flight.wanted, Wanted::Nothing);
        self.mark_entity_of(id);
        if unconfirmable {
            self.assume(now, id, effects);
            self.end(now, id, Status::Delivered, None, effects);
        }
    }

    /// An entity that reports nothing is taken to have done as it was told.
    fn assume(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        let Some(flight) = self.flights.iter().find(|f| f.id() == id) else {
            return;
        };
        let Some(index) = self.by_id.get(&flight.command.entity).copied() else {
            return;
        };
        let entity = &mut self.entities[index];
        let assumed = wire::assumed(
            &entity.config,
            flight.command.resolved,
            flight.command.value.as_ref(),
            &entity.known(),
        );
        let learned = entity.learn(&self.id, assumed, Source::Assumed(now));
        effects.extend(learned.last_state.map(Effect::RecordState));
        self.mark(index);
    }

    /// The broker refused it.
    pub(super) fn refused(
        &mut self,
        now: Timestamp,
        id: CommandId,
        words: &str,
        effects: &mut Vec<Effect>,
    ) {
        let Some(flight) = self.flights.iter().find(|f| f.id() == id) else {
            return;
        };
        if flight.phase.is_waiting() {
            return;
        }
        let what = format!(
            "{}: the broker refused a command: {words}",
            flight.command.entity
        );
        effects.push(Effect::Warn { what });
        let why = Some(reason::BROKER_REFUSED);
        self.end(now, id, Status::Rejected, why, effects);
    }

    /// The deadline rang. One that was set before an extension is ignored.
    pub(super) fn deadline(
        &mut self,
        now: Timestamp,
        id: CommandId,
        at: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(flight) = self.flights.iter().find(|f| f.id() == id) else {
            return;
        };
        if at < flight.command.deadline_at {
            return;
        }
        let why = match flight.phase {
            Phase::Storing | Phase::Marking => reason::NOT_DURABLE,
            Phase::AwaitingBroker | Phase::Published => reason::BROKER_AWAY,
            Phase::Resuming => reason::HUB_RESTARTED,
            Phase::Sent(_) | Phase::Acknowledged(_) => reason::NO_CONFIRMATION,
        };
        self.end(now, id, Status::TimedOut, Some(why), effects);
    }

    /// Takes up what the hub's former life left open.
    pub(super) fn resume(
        &mut self,
        now: Timestamp,
        mut commands: Vec<Command>,
        effects: &mut Vec<Effect>,
    ) {
        commands.sort_by_key(|c| (c.accepted_at, c.id));
        for command in commands {
            let is_here = self.position(command.id).is_some();
            if command.status.is_end() || is_here {
                continue;
            }
            self.resume_one(now, command, effects);
        }
        if self.broker_up {
            self.plan_resend(now, effects);
        }
    }

    fn resume_one(&mut self, now: Timestamp, mut command: Command, effects: &mut Vec<Effect>) {
        command.status = Status::Accepted;
        self.supersede_waiting(now, &command, effects);
        let index = self.by_id.get(&command.entity).copied();
        let wanted = index.map_or(Wanted::Nothing, |i| {
            let config = &self.entities[i].config;
            wire::wanted(config, command.resolved, command.value.as_ref())
        });
        let id = command.id;
        let at = command.deadline_at;
        let is_due = command.resolved.is_absolute() && at > now;
        let has_it = index.is_some_and(|i| {
            let entity = &self.entities[i];
            entity.is_reported() && wire::matches(&wanted, &entity.known())
        });
        self.take_up(Flight::new(command, wanted, Phase::Resuming));
        let Some(index) = index else {
            let why = Some(reason::ENTITY_REMOVED);
            return self.end(now, id, Status::Rejected, why, effects);
        };
        if !is_due || has_it {
            let why = Some(reason::HUB_RESTARTED);
            return self.end(now, id, Status::TimedOut, why, effects);
        }
        if let Some(why) = self.why_unavailable(index) {
            return self.end(now, id, Status::Unavailable, Some(why), effects);
        }
        self.mark(index);
        effects.push(Effect::SetTimer {
            timer: Timer::Deadline(id),
            at,
        });
    }

    /// Gives the retained states a moment to arrive before anything is sent again.
    pub(super) fn plan_resend(&self, now: Timestamp, effects: &mut Vec<Effect>) {
        let at = now.plus_millis(RESEND_GRACE_MS);
        let resuming = self.flights.iter().filter(|f| f.phase == Phase::Resuming);
        effects.extend(resuming.map(|f| Effect::SetTimer {
            timer: Timer::Resend(f.id()),
            at,
        }));
    }

    /// The device did not report the wanted state: the same command goes out again.
    pub(super) fn resend(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        let Some(flight) = self.flights.iter().find(|f| f.id() == id) else {
            return;
        };
        let Some(index) = self.by_id.get(&flight.command.entity).copied() else {
            return;
        };
        // Without the broker no retained state can have come: `BrokerUp` plans it anew.
        if flight.phase != Phase::Resuming || !self.broker_up {
            return;
        }
        match self.render(now, index, &flight.command) {
            Ok(publication) => {
                if let Some(flight) = self.flight(id) {
                    flight.publication = Some(publication);
                }
                self.publish(now, id, effects);
            }
            Err(error) => {
                effects.push(Effect::Warn {
                    what: error.to_string(),
                });
                let why = Some(reason::TEMPLATE_FAILED);
                self.end(now, id, Status::Rejected, why, effects);
            }
        }
    }

    /// Ends all commands under way that `which` picks.
    pub(super) fn end_where(
        &mut self,
        now: Timestamp,
        status: Status,
        why: &str,
        effects: &mut Vec<Effect>,
        which: impl Fn(&Flight) -> bool,
    ) {
        let ids: Vec<CommandId> = self
            .flights
            .iter()
            .filter(|f| which(f))
            .map(Flight::id)
            .collect();
        for id in ids {
            self.end(now, id, status, Some(why), effects);
        }
    }

    /// Ends a command: the only way out of the list of those under way.
    pub(super) fn end(
        &mut self,
        now: Timestamp,
        id: CommandId,
        status: Status,
        why: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(position) = self.position(id) else {
            return;
        };
        let mut flight = self.flights.remove(position);
        self.sensitivity += 1;
        if flight.phase.is_in_outbox() {
            effects.push(Effect::Unpublish { command: id });
        }
        flight.command.end(now, status, why.map(str::to_owned));
        self.remember(&flight.command);
        effects.push(Effect::Persist(CommandWrite::Ended(flight.command)));
    }

    fn mark_entity_of(&mut self, id: CommandId) {
        let entity = self.flights.iter().find(|f| f.id() == id);
        let index = entity.and_then(|f| self.by_id.get(&f.command.entity));
        if let Some(index) = index.copied() {
            self.mark(index);
        }
    }
}
