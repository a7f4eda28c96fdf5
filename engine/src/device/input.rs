//! What can happen to a device, and what ought to happen because of it.
//!
//! Owner of the words between the pure device and the actor around it. They must
//! never carry a handle, a clock or a channel.

use super::setup::DeviceSetup;
use crate::command::{Command, CommandWrite};
use crate::history::{LastState, Sample};
use crate::ids::{CommandId, EntityId};
use crate::time::Timestamp;
use std::sync::Arc;

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message on one of the device's topics, in arrival order.
    Reported {
        /// The topic.
        topic: Arc<str>,
        /// The payload as it came.
        payload: Vec<u8>,
        /// Whether it is the broker's replay of a retained message.
        retained: bool,
        /// When the MQTT connection received it: decides whether it came after a command was sent.
        received_at: Timestamp,
    },
    /// The acceptance row of the command is durable.
    Stored {
        /// The command.
        command: CommandId,
    },
    /// The acceptance row, or the sending mark, could not be written.
    NotStored {
        /// The command.
        command: CommandId,
    },
    /// The sending mark of a `press` is durable.
    SendingStored {
        /// The command.
        command: CommandId,
    },
    /// Whether the journal can write at all; while it cannot, durable-first actions are refused.
    Journal {
        /// Whether it can.
        healthy: bool,
    },
    /// The command was handed to the broker connection.
    Sent {
        /// The command.
        command: CommandId,
        /// When, by the MQTT connection's own stamp (the same clock as `received_at`).
        at: Timestamp,
    },
    /// The broker acknowledged it.
    Acknowledged {
        /// The command.
        command: CommandId,
    },
    /// The broker refused it.
    Refused {
        /// The command.
        command: CommandId,
        /// The broker's words.
        reason: String,
    },
    /// A timer that was asked for by [`Effect::SetTimer`] fired.
    Fired {
        /// Which.
        timer: Timer,
        /// The instant it was set for; an older one than the device waits for is ignored.
        at: Timestamp,
    },
    /// The connection to the broker stands and the topics are subscribed (or being subscribed).
    BrokerUp,
    /// The connection to the broker is lost.
    BrokerDown,
    /// The actor starts: the commands without an end that the store holds (perhaps none).
    ///
    /// It must be the first input after [`super::Device::new`]; it also asks for the timers that
    /// restored states need.
    Resumed {
        /// Open commands of this device.
        commands: Vec<Command>,
    },
    /// Name, room or entities changed; states are kept by entity id.
    Reconfigured(Box<DeviceSetup>),
    /// Exactly these entities were not announced since the hub subscribed; all others were.
    NotAnnounced {
        /// Their ids.
        entities: Vec<EntityId>,
    },
    /// The device was behind: so many reports were replaced by newer ones.
    Coalesced {
        /// How many more.
        count: u64,
    },
    /// The device failed too often and is stopped.
    Quarantined {
        /// Why, in words.
        reason: String,
    },
    /// Somebody or time let it out of quarantine.
    Released,
    /// The device was deleted: every command ends, every ask is refused.
    Removed,
}

/// What ought to happen, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write it down. The journal keeps the order of the writes of one device.
    Persist(CommandWrite),
    /// Give it to the outbox; it waits there while the broker is away.
    Publish(Outgoing),
    /// Take it out of the outbox, and never send it again.
    Unpublish {
        /// The command.
        command: CommandId,
    },
    /// Wake the device at that instant with [`Input::Fired`]; replaces the same timer set before.
    SetTimer {
        /// Which.
        timer: Timer,
        /// When.
        at: Timestamp,
    },
    /// A live report became a point of history.
    Record(Sample),
    /// The last state, to be restored at the next start.
    RecordState(LastState),
    /// The device became reachable or not.
    RecordAvailability {
        /// Whether it is reachable.
        online: bool,
        /// Since when.
        at: Timestamp,
    },
    /// Something is wrong with what the device or its configuration says. Logged once and counted.
    Warn {
        /// A short sentence without the payload.
        what: String,
    },
    /// The view changed: publish it. At most once per input, and the last of its effects.
    Changed,
}

/// A publication on its way to a device: QoS 1, never retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The command; its id is the correlation data.
    pub command: CommandId,
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The rest of the time until then, rounded up, is the message expiry.
    pub deadline_at: Timestamp,
    /// A `press`: once it was handed to a connection it must not be sent on another one.
    pub at_most_once: bool,
}

/// A timer of the device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The command's deadline.
    Deadline(CommandId),
    /// The time to send a command of the hub's former life again.
    Resend(CommandId),
    /// `expire_after` of a sensor.
    Expire(EntityId),
    /// `off_delay` of a binary sensor.
    OffDelay(EntityId),
}
