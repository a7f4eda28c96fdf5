//! English.
//!
//! Owner of the English lookups. It must never hold markup.

use super::{Dates, Texts, Words};
use super::{
    accounts, add_device, bench, broker, chart, credential, design, device, entity, error,
    first_device, frame, held, home, house, new_devices, people, places, rhythm, rooms,
    schedule_form, schedules, set_up, settings, sign_in, system, you,
};
use iothome_engine::command::{Status, reason};
use iothome_engine::kind::{Action, Kind};

/// The English texts.
pub static ENGLISH: Texts = Texts {
    lang: "en",
    name: "English",
    product: "IoT Home",
    words: Words {
        kind,
        binary,
        state,
        action,
        doing,
        status,
        symbol: super::symbols::english,
        reason: reason_words,
    },
    dates: Dates::ENGLISH,
    decimal_mark: '.',
    add_device: add_device::ENGLISH,
    bench: bench::ENGLISH,
    accounts: accounts::ENGLISH,
    broker: broker::ENGLISH,
    first_device: first_device::ENGLISH,
    house: house::ENGLISH,
    people: people::ENGLISH,
    places: places::ENGLISH,
    system: system::ENGLISH,
    chart: chart::ENGLISH,
    credential: credential::ENGLISH,
    design: design::ENGLISH,
    device: device::ENGLISH,
    entity: entity::ENGLISH,
    error: error::ENGLISH,
    frame: frame::ENGLISH,
    home: home::ENGLISH,
    new_devices: new_devices::ENGLISH,
    rooms: rooms::ENGLISH,
    held: held::ENGLISH,
    rhythm: rhythm::ENGLISH,
    schedule_form: schedule_form::ENGLISH,
    schedules: schedules::ENGLISH,
    set_up: set_up::ENGLISH,
    settings: settings::ENGLISH,
    sign_in: sign_in::ENGLISH,
    you: you::ENGLISH,
};

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Switch => "Switch",
        Kind::Light => "Light",
        Kind::Sensor => "Sensor",
        Kind::BinarySensor => "Detector",
        Kind::Number => "Number",
        Kind::Select => "Choice",
        Kind::Button => "Button",
        Kind::Cover => "Cover",
        Kind::Lock => "Lock",
    }
}

fn binary(class: Option<&str>, on: bool) -> &'static str {
    let (yes, no) = match class {
        Some("door" | "window" | "opening" | "garage_door") => ("Open", "Closed"),
        Some(
            "motion" | "occupancy" | "moving" | "vibration" | "sound" | "smoke" | "gas"
            | "carbon_monoxide" | "tamper",
        ) => ("Detected", "Clear"),
        Some("moisture") => ("Wet", "Dry"),
        Some("lock") => ("Unlocked", "Locked"),
        Some("battery") => ("Battery low", "Battery fine"),
        Some("battery_charging") => ("Charging", "Not charging"),
        Some("connectivity") => ("Connected", "Not connected"),
        Some("presence") => ("Home", "Not home"),
        Some("problem") => ("Problem", "No problem"),
        Some("safety") => ("Unsafe", "Safe"),
        Some("plug") => ("Plugged in", "Unplugged"),
        Some("power") => ("Power", "No power"),
        Some("light") => ("Light", "Dark"),
        Some("heat") => ("Hot", "Normal"),
        Some("cold") => ("Cold", "Normal"),
        Some("running") => ("Running", "Not running"),
        Some("update") => ("Update ready", "Up to date"),
        _ => ("On", "Off"),
    };
    if on { yes } else { no }
}

fn state(kind: Kind, word: &str) -> Option<&'static str> {
    Some(match (kind, word) {
        (Kind::Switch | Kind::Light, "on") => "On",
        (Kind::Switch | Kind::Light, "off") => "Off",
        (Kind::Cover, "open") => "Open",
        (Kind::Cover, "opening") => "Opening",
        (Kind::Cover, "closed") => "Closed",
        (Kind::Cover, "closing") => "Closing",
        (Kind::Cover, "stopped") => "Stopped",
        (Kind::Lock, "locked") => "Locked",
        (Kind::Lock, "locking") => "Locking",
        (Kind::Lock, "unlocked") => "Unlocked",
        (Kind::Lock, "unlocking") => "Unlocking",
        (Kind::Lock, "jammed") => "Jammed",
        _ => return None,
    })
}

fn action(action: Action) -> &'static str {
    match action {
        Action::TurnOn => "Turn on",
        Action::TurnOff => "Turn off",
        Action::Toggle => "Toggle",
        Action::Set => "Set",
        Action::Press => "Press",
        Action::Open => "Open",
        Action::Close => "Close",
        Action::Stop => "Stop",
        Action::Lock => "Lock",
        Action::Unlock => "Unlock",
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::TurnOn => "Turning on",
        Action::TurnOff => "Turning off",
        Action::Toggle => "Toggling",
        Action::Set => "Setting",
        Action::Press => "Pressing",
        Action::Open => "Opening",
        Action::Close => "Closing",
        Action::Stop => "Stopping",
        Action::Lock => "Locking",
        Action::Unlock => "Unlocking",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Accepted => "accepted",
        Status::Sent => "sent",
        Status::Acknowledged => "acknowledged",
        Status::Confirmed => "confirmed",
        Status::Delivered => "delivered",
        Status::Rejected => "rejected",
        Status::TimedOut => "timed out",
        Status::Superseded => "superseded",
        Status::Unavailable => "unavailable",
    }
}

fn reason_words(code: &str) -> Option<&'static str> {
    Some(match code {
        reason::NO_CONFIRMATION => "the device did not confirm",
        reason::HUB_RESTARTED => "the hub restarted",
        reason::DEVICE_OFFLINE => "device offline",
        reason::QUARANTINED => "device quarantined",
        reason::DEVICE_REMOVED => "device removed",
        reason::ENTITY_REMOVED => "no longer announced",
        reason::NEWER_COMMAND => "a newer command",
        reason::JAMMED => "jammed",
        reason::BROKER_REFUSED => "the broker refused it",
        reason::TEMPLATE_FAILED => "the command template failed",
        reason::BROKER_AWAY => "no connection to the broker",
        _ => return None,
    })
}
