//! Texts of the page that leads administrators to what they manage.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says: a name for each page, and what is done there.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct SettingsTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub home: &'static str,
    pub home_hint: &'static str,
    pub rooms: &'static str,
    pub rooms_hint: &'static str,
    pub people: &'static str,
    pub people_hint: &'static str,
    pub broker: &'static str,
    pub broker_hint: &'static str,
    pub system: &'static str,
    pub system_hint: &'static str,
    pub interface: &'static str,
    pub interface_hint: &'static str,
}

pub(super) const ENGLISH: SettingsTexts = SettingsTexts {
    title: "Settings",
    lead: "What is the same for everybody in this home.",
    home: "Home",
    home_hint: "Name, time zone, place",
    rooms: "Rooms",
    rooms_hint: "Names, icons and their order",
    people: "People",
    people_hint: "Who may see and do what",
    broker: "Broker",
    broker_hint: "Address and fingerprints for devices",
    system: "System",
    system_hint: "Health, database, certificates, warnings",
    interface: "For programs",
    interface_hint: "The REST interface and its documentation",
};

pub(super) const GERMAN: SettingsTexts = SettingsTexts {
    title: "Verwaltung",
    lead: "Was für alle in diesem Zuhause gilt.",
    home: "Zuhause",
    home_hint: "Name, Zeitzone, Ort",
    rooms: "Räume",
    rooms_hint: "Namen, Symbole und Reihenfolge",
    people: "Personen",
    people_hint: "Wer was sehen und tun darf",
    broker: "Broker",
    broker_hint: "Adresse und Fingerabdrücke für Geräte",
    system: "System",
    system_hint: "Zustand, Datenbank, Zertifikate, Warnungen",
    interface: "Für Programme",
    interface_hint: "Die REST-Schnittstelle und ihre Beschreibung",
};
