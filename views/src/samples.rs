//! Entities to look at: one of each kind, and each way a state can be.
//!
//! Owner of the view-models that snapshots and the page of the design share. They
//! must never reach a page of a real home.

use crate::components::Tone;
use crate::components::card::DeviceCard;
use crate::components::command::{OutcomeLine, PendingLine};
use crate::components::control::{Control, Scale};
use crate::components::entity::{EntityPanel, Trouble};
use crate::icons::Icon;
use crate::texts::ENGLISH;
use crate::time::When;
use iothome_engine::command::Status;
use iothome_engine::ids::CommandId;
use iothome_engine::kind::{Action, Kind};
use iothome_engine::time::Timestamp;
use iothome_engine::view::Freshness;

/// When the samples are looked at.
pub const NOW: &str = "2026-11-24T07:52:37Z";
/// A name that wants to be markup.
pub const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;";
/// A name written from right to left.
pub const RTL: &str = "مصباح غرفة المعيشة الكبير بجانب النافذة";

/// [`NOW`] as an instant.
pub fn now() -> Timestamp {
    Timestamp::parse(NOW).expect("samples are well formed")
}

/// A moment that long before.
pub fn when(seconds_ago: i64) -> When {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("samples are well formed");
    When::new(
        &ENGLISH,
        now().plus_millis(-1000 * seconds_ago),
        now(),
        &zone,
    )
}

/// A name of three hundred letters.
pub fn long(word: &str) -> String {
    word.chars().cycle().take(300).collect()
}

/// An id of a command.
pub fn command_id(n: u8) -> CommandId {
    CommandId::new(now(), [n; 10])
}

/// An entity that is only read.
pub fn panel(device: &str, entity: &str, kind: Kind, state: &str) -> EntityPanel {
    EntityPanel {
        device: device.parse().expect("samples are well formed"),
        entity: entity.parse().expect("samples are well formed"),
        name: device.into(),
        device_name: device.into(),
        icon: Icon::of(kind, None, false),
        tone: Tone::Calm,
        state: state.into(),
        exact: None,
        unit: None,
        freshness: Freshness::Live,
        reported: Some(when(180)),
        trouble: None,
        control: Control::None,
        pending: None,
        outcome: None,
    }
}

/// The entity under another name.
pub fn named(mut panel: EntityPanel, device: &str, name: &str) -> EntityPanel {
    panel.device_name = device.into();
    panel.name = name.into();
    panel
}

/// A sensor.
pub fn sensor(device: &str, class: &str, value: &str, unit: &str) -> EntityPanel {
    EntityPanel {
        icon: Icon::of(Kind::Sensor, Some(class), false),
        unit: Some(unit.into()),
        ..panel(device, class, Kind::Sensor, value)
    }
}

/// A number between limits.
pub fn scale(value: f64, min: f64, max: f64, step: f64, unit: &str) -> Scale {
    Scale {
        value: Some(value),
        base: Some(value),
        min,
        max,
        step,
        unit: Some(unit.into()),
    }
}

/// The end of a command.
pub fn outcome(
    asked: &str,
    status: Status,
    latency: Option<&str>,
    reason: Option<&str>,
) -> OutcomeLine {
    OutcomeLine {
        command: command_id(1),
        asked: asked.into(),
        status,
        latency_ms: latency.map(Into::into),
        reason: reason.map(Into::into),
        when: when(45),
    }
}

/// A light that is on.
pub fn lamp() -> EntityPanel {
    EntityPanel {
        tone: Tone::Active,
        control: Control::Light {
            on: Some(true),
            brightness: Some(scale(62.0, 1.0, 100.0, 1.0, "%")),
        },
        outcome: Some(outcome("Set to 62 %", Status::Confirmed, Some("9"), None)),
        ..panel("lamp", "light", Kind::Light, "On · 62 %")
    }
}

/// A light with a command under way.
pub fn pending_lamp() -> EntityPanel {
    EntityPanel {
        pending: Some(PendingLine {
            doing: "Turning off".into(),
            step: Status::Sent,
        }),
        ..lamp()
    }
}

/// A switch whose last command was not confirmed.
pub fn socket() -> EntityPanel {
    EntityPanel {
        control: Control::Switch { on: Some(false) },
        outcome: Some(outcome(
            "Turn on",
            Status::TimedOut,
            None,
            Some("the device did not confirm"),
        )),
        ..panel("socket", "power", Kind::Switch, "Off")
    }
}

/// A cover half open.
pub fn blind() -> EntityPanel {
    EntityPanel {
        tone: Tone::Active,
        control: Control::Cover {
            actions: vec![Action::Open, Action::Close, Action::Stop, Action::Set],
            position: Some(scale(40.0, 0.0, 100.0, 1.0, "%")),
            open: false,
            closed: false,
        },
        ..panel("blind", "blind", Kind::Cover, "Open · 40 %")
    }
}

/// A lock that is jammed.
pub fn lock() -> EntityPanel {
    EntityPanel {
        tone: Tone::Bad,
        control: Control::Lock { locked: None },
        outcome: Some(outcome(
            "Lock",
            Status::Rejected,
            Some("840"),
            Some("jammed"),
        )),
        ..panel("front-door", "lock", Kind::Lock, "Jammed")
    }
}

/// A number.
pub fn thermostat() -> EntityPanel {
    EntityPanel {
        unit: Some("°C".into()),
        control: Control::Number(scale(20.5, 5.0, 30.0, 0.5, "°C")),
        ..panel("thermostat", "target", Kind::Number, "20.5")
    }
}

/// A choice.
pub fn mode() -> EntityPanel {
    EntityPanel {
        control: Control::Select {
            options: vec!["eco".into(), "comfort".into(), "boost".into()],
            chosen: Some("eco".into()),
        },
        ..panel("thermostat", "mode", Kind::Select, "eco")
    }
}

/// Something to press.
pub fn opener() -> EntityPanel {
    EntityPanel {
        tone: Tone::Dim,
        freshness: Freshness::Never,
        reported: None,
        control: Control::Button,
        outcome: Some(outcome("Press", Status::Delivered, Some("4.2"), None)),
        ..panel("opener", "open", Kind::Button, "Ready")
    }
}

/// A device that is away.
pub fn away_words() -> Trouble {
    Trouble {
        tone: Tone::Notice,
        icon: Icon::Away,
        words: "Away".into(),
    }
}

/// A device that failed too often.
pub fn quarantined() -> Trouble {
    Trouble {
        tone: Tone::Bad,
        icon: Icon::Shield,
        words: "Quarantined: failed 6 times in 60 s (a poison payload on esp8266/socket)".into(),
    }
}

/// A device whose sender is not verified.
pub fn unverified() -> Trouble {
    Trouble {
        tone: Tone::Notice,
        icon: Icon::Shield,
        words: "Sender not verified".into(),
    }
}

/// A device with these entities.
pub fn card(id: &str, name: &str, mut entities: Vec<EntityPanel>) -> DeviceCard {
    for entity in &mut entities {
        entity.device = id.parse().expect("samples are well formed");
        if entity.name == entity.device_name {
            entity.name = name.into();
        }
        entity.device_name = name.into();
    }
    DeviceCard {
        id: id.parse().expect("samples are well formed"),
        name: name.into(),
        symbol: None,
        room: None,
        dear: false,
        troubles: Vec::new(),
        entities,
        more: 0,
    }
}

/// One of each kind, and each way a state can be.
pub fn panels() -> Vec<(&'static str, EntityPanel)> {
    let with = |freshness, panel: EntityPanel| EntityPanel { freshness, ..panel };
    vec![
        ("light_on", lamp()),
        ("light_pending", pending_lamp()),
        ("switch_timed_out", socket()),
        (
            "switch_unknown",
            EntityPanel {
                control: Control::Switch { on: None },
                reported: None,
                ..with(Freshness::Never, socket())
            },
        ),
        (
            "switch_view_only",
            EntityPanel {
                control: Control::ViewOnly,
                outcome: None,
                ..socket()
            },
        ),
        ("switch_assumed", with(Freshness::Assumed, socket())),
        (
            "switch_retained",
            EntityPanel {
                reported: None,
                ..with(Freshness::Retained, socket())
            },
        ),
        (
            "sensor_restored",
            with(
                Freshness::Restored,
                sensor("fridge", "temperature", "4.7", "°C"),
            ),
        ),
        ("cover", blind()),
        ("lock_jammed", lock()),
        (
            "lock_locked",
            EntityPanel {
                control: Control::Lock { locked: Some(true) },
                state: "Locked".into(),
                outcome: None,
                ..lock()
            },
        ),
        ("number", thermostat()),
        (
            "number_unknown",
            EntityPanel {
                control: Control::Number(Scale {
                    value: None,
                    base: None,
                    ..scale(0.0, 5.0, 30.0, 0.5, "°C")
                }),
                ..thermostat()
            },
        ),
        ("select", mode()),
        ("button", opener()),
        (
            "rtl",
            EntityPanel {
                name: RTL.into(),
                ..lamp()
            },
        ),
        (
            "long",
            EntityPanel {
                name: long("Verylongname"),
                state: long("state "),
                ..lamp()
            },
        ),
    ]
}
