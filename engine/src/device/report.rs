//! Reports: what the device says, and what that means to commands under way.
//!
//! Owner of the one question "does this report end that command?". A report must
//! never cost more than the entities on its topic.

use super::Device;
use super::entity::{Entity, Source};
use super::flight::{Flight, Outcome, Phase};
use super::input::{Effect, Timer};
use super::timers::Ring;
use crate::command::{Status, reason};
use crate::ids::{CommandId, EntityId};
use crate::kind::Kind;
use crate::time::Timestamp;
use crate::value::Value;
use crate::wire::{self, BRIGHTNESS, Context, Known, POSITION, Reported};
use std::cell::Cell;
use std::sync::Arc;

/// One message on one of the device's topics.
pub(super) struct Message<'a> {
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) retained: bool,
    pub(super) received_at: Timestamp,
}

/// What a message spoke of.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) state: bool,
    pub(super) off: bool,
    pub(super) brightness: bool,
    pub(super) position: bool,
    /// It shows the entity on its way.
    moving: bool,
    refused: Option<String>,
    /// It said nothing but that the device is away, which is the broker's word, not the device's.
    only_gone: bool,
}

impl Touched {
    fn of(reports: &[Reported], known: &Known<'_>) -> Self {
        let mut touched = Self {
            moving: wire::moves(known, reports),
            only_gone: !reports.is_empty(),
            ..Self::default()
        };
        for report in reports {
            match report {
                Reported::State(state) => {
                    touched.state = true;
                    touched.off = state.as_ref().and_then(Value::as_word) == Some("off");
                }
                Reported::Attribute(name, _) => match name.as_str() {
                    BRIGHTNESS => touched.brightness = true,
                    POSITION => touched.position = true,
                    _ => {}
                },
                Reported::Refused(word) => touched.refused = Some(word.clone()),
                Reported::Attributes(_) | Reported::Available { .. } => {}
            }
            let is_gone = matches!(
                report,
                Reported::Available {
                    available: false,
                    ..
                }
            );
            touched.only_gone &= is_gone;
        }
        touched
    }

    const fn is_state(&self) -> bool {
        self.state || self.brightness || self.position
    }
}

impl Device {
    /// A message arrived.
    pub(super) fn report(&mut self, now: Timestamp, m: &Message<'_>, effects: &mut Vec<Effect>) {
        let Some(targets) = self.topics.get(m.topic).map(Arc::clone) else {
            return;
        };
        let exhausted = Cell::new(0);
        for index in targets.iter() {
            self.report_to(*index, now, m, &exhausted, effects);
        }
    }

    fn report_to(
        &mut self,
        index: usize,
        now: Timestamp,
        m: &Message<'_>,
        exhausted: &Cell<u32>,
        effects: &mut Vec<Effect>,
    ) {
        let entity = &self.entities[index];
        let context = Context {
            exhausted,
            templates: &self.shared.templates,
            now: m.received_at,
            zone: &self.shared.zone,
            vars: &entity.vars,
        };
        let known = entity.known();
        let reports = match wire::decode(&entity.config, &context, &known, m.topic, m.payload) {
            Ok(reports) => reports,
            Err(error) => {
                let what = format!("{}: {error}", entity.id);
                effects.push(Effect::Warn { what });
                self.hear(now, m, effects);
                return;
            }
        };
        let touched = Touched::of(&reports, &known);
        self.take_in(index, reports, m, &touched, effects);
        if !touched.only_gone {
            self.hear(now, m, effects);
        }
        self.judge_reach(index, now, effects);
        self.judge_commands(index, now, m, &touched, effects);
    }

    /// Updates state, attributes, availability words and timers of one entity.
    fn take_in(
        &mut self,
        index: usize,
        reports: Vec<Reported>,
        m: &Message<'_>,
        touched: &Touched,
        effects: &mut Vec<Effect>,
    ) {
        self.mark(index);
        let device = self.id.clone();
        let entity = &mut self.entities[index];
        for report in &reports {
            if let Reported::Available { index, available } = report {
                entity.reach.say(*index, *available);
            }
        }
        let source = if m.retained {
            Source::Retained
        } else {
            Source::Live(m.received_at)
        };
        let learned = entity.learn(&device, reports, source);
        if learned.dropped > 0 {
            let what = format!("{}: too many attributes; new ones are dropped", entity.id);
            effects.push(Effect::Warn { what });
        }
        effects.extend(learned.sample.map(Effect::Record));
        effects.extend(learned.last_state.map(Effect::RecordState));
        if touched.is_state() {
            entity.reach.expired = false;
            wind_up(entity, m.received_at, effects);
        }
    }

    /// Asks each command under way for the entity what the message means to it.
    fn judge_commands(
        &mut self,
        index: usize,
        now: Timestamp,
        m: &Message<'_>,
        touched: &Touched,
        effects: &mut Vec<Effect>,
    ) {
        if self.flights.is_empty() || !(touched.is_state() || touched.refused.is_some()) {
            return;
        }
        let entity = &self.entities[index];
        let mut outcomes: Vec<(CommandId, Outcome)> = Vec::new();
        for flight in self.flights.iter_mut().filter(|f| f.is_for(&entity.id)) {
            let Some(outcome) = outcome(entity, flight, touched) else {
                continue;
            };
            match flight.phase {
                // The device already has what was asked: it is not sent again.
                Phase::Resuming => outcomes.push((flight.id(), outcome)),
                _ if m.retained => {}
                Phase::Published => flight.hold(m.received_at, outcome),
                Phase::Sent(at) | Phase::Acknowledged(at) if m.received_at >= at => {
                    outcomes.push((flight.id(), outcome));
                }
                _ => {}
            }
        }
        for (id, outcome) in outcomes {
            self.conclude(now, id, outcome, effects);
        }
    }

    /// Carries out what a report means to a command.
    pub(super) fn conclude(
        &mut self,
        now: Timestamp,
        id: CommandId,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let Some(flight) = self.flights.iter_mut().find(|f| f.id() == id) else {
            return;
        };
        if flight.phase == Phase::Resuming {
            if outcome == Outcome::Confirmed {
                self.end(
                    now,
                    id,
                    Status::TimedOut,
                    Some(reason::HUB_RESTARTED),
                    effects,
                );
            }
            return;
        }
        match outcome {
            Outcome::Confirmed => self.end(now, id, Status::Confirmed, None, effects),
            Outcome::Rejected(why) => self.end(now, id, Status::Rejected, Some(&why), effects),
            Outcome::Moving => self.extend_deadline(now, id, effects),
        }
    }

    /// The first movement gives the command the kind's moving deadline; later ones give no more,
    /// so that a blind that never arrives still ends.
    fn extend_deadline(&mut self, now: Timestamp, id: CommandId, effects: &mut Vec<Effect>) {
        let Some(flight) = self.flights.iter_mut().find(|f| f.id() == id) else {
            return;
        };
        if flight.moved {
            return;
        }
        flight.moved = true;
        let Some(index) = self.by_id.get(&flight.command.entity).copied() else {
            return;
        };
        let later = now.plus_millis(self.entities[index].deadlines.moving_ms);
        if later > flight.command.deadline_at {
            flight.command.deadline_at = later;
            effects.push(Effect::SetTimer {
                timer: Timer::Deadline(id),
                at: later,
            });
            self.mark(index);
        }
    }

    /// `expire_after` rang: the sensor said nothing for too long.
    pub(super) fn expire(
        &mut self,
        now: Timestamp,
        id: &EntityId,
        at: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(index) = self.by_id.get(id).copied() else {
            return;
        };
        match self.entities[index].expiry.ring(at) {
            Ring::Stale => {}
            Ring::Later(at) => {
                let timer = Timer::Expire(id.clone());
                effects.push(Effect::SetTimer { timer, at });
            }
            Ring::Now => {
                self.entities[index].reach.expired = true;
                self.judge_reach(index, now, effects);
            }
        }
    }

    /// `off_delay` rang: by its configuration, what was on so long ago is off.
    pub(super) fn switch_off(&mut self, id: &EntityId, at: Timestamp, effects: &mut Vec<Effect>) {
        let Some(index) = self.by_id.get(id).copied() else {
            return;
        };
        let device = self.id.clone();
        let entity = &mut self.entities[index];
        match entity.off.ring(at) {
            Ring::Stale => {}
            Ring::Later(at) => {
                let timer = Timer::OffDelay(id.clone());
                effects.push(Effect::SetTimer { timer, at });
            }
            Ring::Now if entity.is_word("on") => {
                let off = Value::word("off");
                entity.set_state(&Some(off.clone()), Source::Live(at));
                effects.push(Effect::Record(entity.sample(&device, at, off)));
                effects.push(Effect::RecordState(entity.to_last_state(&device)));
                self.mark(index);
            }
            Ring::Now => {}
        }
    }
}

/// Starts or pushes back the timers that a report at `heard_at` gives an entity.
pub(super) fn wind_up(entity: &mut Entity, heard_at: Timestamp, effects: &mut Vec<Effect>) {
    if let Some(ms) = entity.config.expire_after_ms
        && let Some(at) = entity.expiry.push(heard_at.plus_millis(ms))
    {
        let timer = Timer::Expire(entity.id.clone());
        effects.push(Effect::SetTimer { timer, at });
    }
    let Some(ms) = entity.config.off_delay_ms else {
        return;
    };
    if !entity.is_word("on") {
        entity.off.clear();
    } else if let Some(at) = entity.off.push(heard_at.plus_millis(ms)) {
        let timer = Timer::OffDelay(entity.id.clone());
        effects.push(Effect::SetTimer { timer, at });
    }
}

fn outcome(entity: &Entity, flight: &Flight, touched: &Touched) -> Option<Outcome> {
    if let Some(word) = &touched.refused {
        return Some(Outcome::Rejected(word.clone()));
    }
    if touched.state && entity.config.kind == Kind::Lock && entity.is_word("jammed") {
        return Some(Outcome::Rejected(reason::JAMMED.to_owned()));
    }
    if flight.is_about(touched) && wire::matches(&flight.wanted, &entity.known()) {
        return Some(Outcome::Confirmed);
    }
    touched.moving.then_some(Outcome::Moving)
}
