//! What can happen in the model test, and to which device.
//!
//! Owner of the vocabulary of random runs; it must never know a promise.

use super::*;
use proptest::prelude::*;

/// Something that happens; numbers pick from what there is.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Ask {
        what: usize,
        scheduled: bool,
    },
    Report {
        what: usize,
        retained: bool,
        ago_ms: i64,
    },
    Stored(usize),
    NotStored(usize),
    SendingStored(usize),
    Sent {
        which: usize,
        ago_ms: i64,
    },
    Acknowledged(usize),
    Refused(usize),
    Journal(bool),
    BrokerUp,
    BrokerDown,
    Pass(i64),
    Quarantined,
    Released,
    Reconfigured(usize),
    NotAnnounced(usize),
    Coalesced(u64),
    Resumed(usize),
    Nonsense(usize),
}

pub(super) const ASKS: [(&str, Action); 16] = [
    ("power", Action::TurnOn),
    ("power", Action::TurnOff),
    ("power", Action::Toggle),
    ("mute", Action::TurnOn),
    ("mute", Action::Toggle),
    ("light", Action::TurnOn),
    ("light", Action::Set),
    ("blind", Action::Open),
    ("blind", Action::Stop),
    ("blind", Action::Set),
    ("lock", Action::Lock),
    ("lock", Action::Unlock),
    ("open", Action::Press),
    ("open", Action::Press),
    ("power", Action::Press),
    ("nothing", Action::TurnOn),
];

pub(super) const REPORTS: [(&str, &str); 24] = [
    ("d/power", "ON"),
    ("d/power", "OFF"),
    ("d/power", "\u{fffd}"),
    ("d/power/no", "overheated"),
    ("d/light", "ON"),
    ("d/light", "OFF"),
    ("d/light/bri", "102"),
    ("d/light/bri", "255"),
    ("d/light/bri", "1e999"),
    ("d/blind", "opening"),
    ("d/blind", "open"),
    ("d/blind", "stopped"),
    ("d/blind/pos", "40"),
    ("d/blind/pos", "100"),
    ("d/lock", "LOCKED"),
    ("d/lock", "LOCKING"),
    ("d/lock", "JAMMED"),
    ("d/lock", "UNLOCKED"),
    ("d/motion", "ON"),
    ("d/temperature", "21.5"),
    ("d/temperature", "None"),
    ("d/up", "online"),
    ("d/up", "offline"),
    ("d/other", "ON"),
];

pub(super) fn op() -> impl Strategy<Value = Op> {
    let n = 0_usize..64;
    prop_oneof![
        8 => (0..ASKS.len(), prop::bool::weighted(0.2))
            .prop_map(|(what, scheduled)| Op::Ask { what, scheduled }),
        8 => (0..REPORTS.len(), prop::bool::weighted(0.2), 0_i64..3)
            .prop_map(|(what, retained, ago_ms)| Op::Report { what, retained, ago_ms }),
        6 => n.clone().prop_map(Op::Stored),
        1 => n.clone().prop_map(Op::NotStored),
        2 => n.clone().prop_map(Op::SendingStored),
        6 => (n.clone(), 0_i64..3).prop_map(|(which, ago_ms)| Op::Sent { which, ago_ms }),
        4 => n.clone().prop_map(Op::Acknowledged),
        1 => n.clone().prop_map(Op::Refused),
        1 => any::<bool>().prop_map(Op::Journal),
        2 => Just(Op::BrokerUp),
        1 => Just(Op::BrokerDown),
        4 => (1_i64..7_000).prop_map(Op::Pass),
        1 => Just(Op::Quarantined),
        1 => Just(Op::Released),
        1 => n.clone().prop_map(Op::Reconfigured),
        1 => n.clone().prop_map(Op::NotAnnounced),
        1 => (0_u64..3).prop_map(Op::Coalesced),
        1 => n.clone().prop_map(Op::Resumed),
        1 => n.prop_map(Op::Nonsense),
    ]
}

pub(super) fn entities() -> Vec<EntitySetup> {
    let up = json!({"availability_topic": "d/up", "refusal_topic": "d/power/no"});
    let motion = json!({"state_topic": "d/motion", "off_delay": 2});
    vec![
        with(switch(), &up),
        blind_switch(),
        light(),
        blind(),
        lock(),
        button(),
        entity("motion", Kind::BinarySensor, &motion),
        with(temperature(), &json!({"expire_after": 3})),
    ]
}
