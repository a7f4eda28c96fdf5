//! Asking: from a wish to a command, or to a refusal.
//!
//! Owner of acceptance. What is refused here must leave no trace: no row, no
//! publication, no timer.

use super::Device;
use super::flight::{Flight, MAX_IN_FLIGHT, Phase};
use super::input::{Effect, Timer};
use crate::command::{Ask, Command, CommandWrite, Idempotency, Refusal, Status, reason};
use crate::kind::Action;
use crate::time::Timestamp;
use crate::view::Availability;
use crate::wire::{self, Context, EncodeError, Publication};
use std::cell::Cell;
use std::sync::Arc;

/// When a command goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Published at once; its answer waits for the row.
    PublishFirst,
    /// Published after its row is durable.
    DurableFirst,
}

impl Order {
    const fn of(ask: &Ask) -> Self {
        if ask.action.is_durable_first() || !ask.cause.is_asked() {
            Self::DurableFirst
        } else {
            Self::PublishFirst
        }
    }
}

impl Device {
    /// Asks a command of one of the device's entities.
    ///
    /// The command comes back as it stands after acceptance: perhaps ended already (`unavailable`,
    /// `rejected`). Asking again with an id that is under way gives that command and no effects.
    pub fn ask(&mut self, now: Timestamp, ask: &Ask) -> Result<(Command, Vec<Effect>), Refusal> {
        if let Some(flight) = self.flights.iter().find(|f| f.id() == ask.id) {
            return Ok((flight.command.clone(), Vec::new()));
        }
        let unknown = || Refusal::UnknownEntity(ask.target.entity.to_string());
        let index = *self.by_id.get(&ask.target.entity).ok_or_else(unknown)?;
        wire::check(&self.entities[index].config, ask.action, ask.value.as_ref())?;
        let order = Order::of(ask);
        if order == Order::DurableFirst && !self.journal_healthy {
            return Err(Refusal::NotDurable(ask.action));
        }
        let resolved = self.resolve(index, ask.action)?;
        self.check_room(ask, order)?;
        let command = self.to_command(now, index, ask, resolved);
        let mut effects = Vec::new();
        let key = ask.idempotency.clone();
        let command = self.accept(now, index, command, key, order, &mut effects);
        self.settle(now, &mut effects);
        Ok((command, effects))
    }

    /// `toggle` becomes the opposite of the last or assumed state; everything else stays.
    fn resolve(&self, index: usize, action: Action) -> Result<Action, Refusal> {
        if action != Action::Toggle {
            return Ok(action);
        }
        let entity = &self.entities[index];
        match entity.state.as_ref().and_then(|s| s.as_word()) {
            Some("on") => Ok(Action::TurnOff),
            Some("off") => Ok(Action::TurnOn),
            _ => Err(Refusal::StateUnknown),
        }
    }

    fn check_room(&self, ask: &Ask, order: Order) -> Result<(), Refusal> {
        // A command that takes another's place needs no room of its own.
        let replaces = |f: &&Flight| {
            f.is_for(&ask.target.entity)
                && ask.action != Action::Press
                && !f.is_press()
                && (order == Order::PublishFirst || f.phase.is_waiting())
        };
        let freed = self.flights.iter().filter(replaces).count();
        if self.flights.len() - freed >= MAX_IN_FLIGHT {
            return Err(Refusal::TooManyInFlight(MAX_IN_FLIGHT));
        }
        Ok(())
    }

    fn to_command(&self, now: Timestamp, index: usize, ask: &Ask, resolved: Action) -> Command {
        let entity = &self.entities[index];
        Command {
            id: ask.id,
            device: self.id.clone(),
            entity: entity.id.clone(),
            action: ask.action,
            resolved,
            value: ask.value.clone(),
            cause: ask.cause.clone(),
            status: Status::Accepted,
            reason: None,
            accepted_at: now,
            deadline_at: now.plus_millis(entity.deadlines.first_ms),
            ended_at: None,
            latency_micros: None,
            sending: false,
        }
    }

    fn accept(
        &mut self,
        now: Timestamp,
        index: usize,
        mut command: Command,
        key: Option<Idempotency>,
        order: Order,
        effects: &mut Vec<Effect>,
    ) -> Command {
        self.mark(index);
        if let Some(why) = self.why_unavailable(index) {
            return self.end_at_once(now, command, key, (Status::Unavailable, why), effects);
        }
        let publication = match self.render(now, index, &command) {
            Ok(publication) => publication,
            Err(error) => {
                let what = format!("{}: {error}", command.entity);
                effects.push(Effect::Warn { what });
                let end = (Status::Rejected, reason::TEMPLATE_FAILED);
                return self.end_at_once(now, command, key, end, effects);
            }
        };
        // One write less: with the broker there, a press leaves as soon as its row is durable.
        command.sending = command.resolved == Action::Press && self.broker_up;
        let timer = Effect::SetTimer {
            timer: Timer::Deadline(command.id),
            at: command.deadline_at,
        };
        self.supersede_waiting(now, &command, effects);
        let id = command.id;
        let accepted = command.clone();
        let wanted = wire::wanted(
            &self.entities[index].config,
            command.resolved,
            command.value.as_ref(),
        );
        let mut flight = Flight::new(command, wanted, Phase::Storing);
        flight.publication = Some(publication);
        self.take_up(flight);
        if order == Order::PublishFirst {
            self.publish(now, id, effects);
        }
        let row = CommandWrite::Accepted(accepted.clone(), key);
        effects.push(Effect::Persist(row));
        effects.push(timer);
        accepted
    }

    /// Why a command to the entity would be in vain now.
    pub(super) fn why_unavailable(&self, index: usize) -> Option<&'static str> {
        if self.quarantine.is_some() {
            return Some(reason::QUARANTINED);
        }
        let is_away = self.entities[index].availability == Availability::Offline;
        is_away.then_some(reason::DEVICE_OFFLINE)
    }

    /// Records a command that ends as it is accepted: both writes, nothing on the wire.
    fn end_at_once(
        &mut self,
        now: Timestamp,
        mut command: Command,
        key: Option<Idempotency>,
        (status, why): (Status, &str),
        effects: &mut Vec<Effect>,
    ) -> Command {
        let row = CommandWrite::Accepted(command.clone(), key);
        effects.push(Effect::Persist(row));
        command.end(now, status, Some(why.to_owned()));
        effects.push(Effect::Persist(CommandWrite::Ended(command.clone())));
        self.remember(&command);
        command
    }

    /// Renders what to publish for a command.
    pub(super) fn render(
        &self,
        now: Timestamp,
        index: usize,
        command: &Command,
    ) -> Result<Publication, EncodeError> {
        let entity = &self.entities[index];
        let context = Context {
            exhausted: &Cell::new(0),
            templates: &self.shared.templates,
            now,
            zone: &self.shared.zone,
            vars: &entity.vars,
        };
        let value = command.value.as_ref();
        wire::encode(
            &entity.config,
            &context,
            &entity.known(),
            command.resolved,
            value,
        )
    }

    /// The newest ended command of an entity is what its page shows.
    pub(super) fn remember(&mut self, command: &Command) {
        if let Some(index) = self.by_id.get(&command.entity).copied() {
            self.entities[index].last_command = Some(Arc::new(command.clone()));
            self.mark(index);
        }
    }
}
