//! German.
//!
//! Owner of the German lookups. It must never hold markup.

use super::{Dates, Texts, Words};
use super::{
    accounts, add_device, bench, broker, chart, credential, design, device, entity, error,
    first_device, frame, held, home, house, new_devices, people, places, rhythm, rooms,
    schedule_form, schedules, set_up, settings, sign_in, system, you,
};
use iothome_engine::command::{Status, reason};
use iothome_engine::kind::{Action, Kind};

/// The German texts.
pub static GERMAN: Texts = Texts {
    lang: "de",
    name: "Deutsch",
    product: "IoT Home",
    words: Words {
        kind,
        binary,
        state,
        action,
        doing,
        status,
        symbol: super::symbols::german,
        reason: reason_words,
    },
    dates: Dates::GERMAN,
    decimal_mark: ',',
    add_device: add_device::GERMAN,
    bench: bench::GERMAN,
    accounts: accounts::GERMAN,
    broker: broker::GERMAN,
    first_device: first_device::GERMAN,
    house: house::GERMAN,
    people: people::GERMAN,
    places: places::GERMAN,
    system: system::GERMAN,
    chart: chart::GERMAN,
    credential: credential::GERMAN,
    design: design::GERMAN,
    device: device::GERMAN,
    entity: entity::GERMAN,
    error: error::GERMAN,
    frame: frame::GERMAN,
    home: home::GERMAN,
    new_devices: new_devices::GERMAN,
    rooms: rooms::GERMAN,
    held: held::GERMAN,
    rhythm: rhythm::GERMAN,
    schedule_form: schedule_form::GERMAN,
    schedules: schedules::GERMAN,
    set_up: set_up::GERMAN,
    settings: settings::GERMAN,
    sign_in: sign_in::GERMAN,
    you: you::GERMAN,
};

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Switch => "Schalter",
        Kind::Light => "Licht",
        Kind::Sensor => "Sensor",
        Kind::BinarySensor => "Melder",
        Kind::Number => "Zahl",
        Kind::Select => "Auswahl",
        Kind::Button => "Taster",
        Kind::Cover => "Abdeckung",
        Kind::Lock => "Schloss",
    }
}

fn binary(class: Option<&str>, on: bool) -> &'static str {
    let (yes, no) = match class {
        Some("door" | "window" | "opening" | "garage_door") => ("Offen", "Geschlossen"),
        Some(
            "motion" | "occupancy" | "moving" | "vibration" | "sound" | "smoke" | "gas"
            | "carbon_monoxide" | "tamper",
        ) => ("Erkannt", "Nichts erkannt"),
        Some("moisture") => ("Nass", "Trocken"),
        Some("lock") => ("Entriegelt", "Verriegelt"),
        Some("battery") => ("Batterie schwach", "Batterie in Ordnung"),
        Some("battery_charging") => ("Lädt", "Lädt nicht"),
        Some("connectivity") => ("Verbunden", "Nicht verbunden"),
        Some("presence") => ("Zu Hause", "Nicht zu Hause"),
        Some("problem") => ("Störung", "Keine Störung"),
        Some("safety") => ("Unsicher", "Sicher"),
        Some("plug") => ("Eingesteckt", "Ausgesteckt"),
        Some("power") => ("Strom", "Kein Strom"),
        Some("light") => ("Licht", "Dark"),
        Some("heat") => ("Heiß", "Normal"),
        Some("cold") => ("Kalt", "Normal"),
        Some("running") => ("Läuft", "Läuft nicht"),
        Some("update") => ("Aktualisierung bereit", "Aktuell"),
        _ => ("Ein", "Aus"),
    };
    if on { yes } else { no }
}

fn state(kind: Kind, word: &str) -> Option<&'static str> {
    Some(match (kind, word) {
        (Kind::Switch | Kind::Light, "on") => "Ein",
        (Kind::Switch | Kind::Light, "off") => "Aus",
        (Kind::Cover, "open") => "Offen",
        (Kind::Cover, "opening") => "Öffnet",
        (Kind::Cover, "closed") => "Geschlossen",
        (Kind::Cover, "closing") => "Schließt",
        (Kind::Cover, "stopped") => "Angehalten",
        (Kind::Lock, "locked") => "Verriegelt",
        (Kind::Lock, "locking") => "Verriegelt gerade",
        (Kind::Lock, "unlocked") => "Entriegelt",
        (Kind::Lock, "unlocking") => "Entriegelt gerade",
        (Kind::Lock, "jammed") => "Klemmt",
        _ => return None,
    })
}

fn action(action: Action) -> &'static str {
    match action {
        Action::TurnOn => "Einschalten",
        Action::TurnOff => "Ausschalten",
        Action::Toggle => "Umschalten",
        Action::Set => "Setzen",
        Action::Press => "Drücken",
        Action::Open => "Öffnen",
        Action::Close => "Schließen",
        Action::Stop => "Anhalten",
        Action::Lock => "Verriegeln",
        Action::Unlock => "Entriegeln",
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::TurnOn => "Schaltet ein",
        Action::TurnOff => "Schaltet aus",
        Action::Toggle => "Schaltet um",
        Action::Set => "Setzt",
        Action::Press => "Drückt",
        Action::Open => "Öffnet",
        Action::Close => "Schließt",
        Action::Stop => "Hält an",
        Action::Lock => "Verriegelt",
        Action::Unlock => "Entriegelt",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Accepted => "angenommen",
        Status::Sent => "gesendet",
        Status::Acknowledged => "vom Broker bestätigt",
        Status::Confirmed => "bestätigt",
        Status::Delivered => "zugestellt",
        Status::Rejected => "abgelehnt",
        Status::TimedOut => "keine Antwort",
        Status::Superseded => "überholt",
        Status::Unavailable => "nicht erreichbar",
    }
}

fn reason_words(code: &str) -> Option<&'static str> {
    Some(match code {
        reason::NO_CONFIRMATION => "das Gerät hat nicht bestätigt",
        reason::HUB_RESTARTED => "der Hub wurde neu gestartet",
        reason::DEVICE_OFFLINE => "Gerät abwesend",
        reason::QUARANTINED => "Gerät in Quarantäne",
        reason::DEVICE_REMOVED => "Gerät entfernt",
        reason::ENTITY_REMOVED => "nicht mehr angekündigt",
        reason::NEWER_COMMAND => "ein neuerer Befehl",
        reason::JAMMED => "klemmt",
        reason::BROKER_REFUSED => "der Broker hat es abgelehnt",
        reason::TEMPLATE_FAILED => "die Befehlsvorlage schlug fehl",
        reason::BROKER_AWAY => "keine Verbindung zum Broker",
        _ => return None,
    })
}
