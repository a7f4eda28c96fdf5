//! Texts of the page of new devices.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct NewDevicesTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub empty: &'static str,
    pub empty_hint: &'static str,
    pub offers: &'static str,
    pub topics: &'static str,
    pub accept: &'static str,
    pub ignore: &'static str,
    pub name: &'static str,
    pub room: &'static str,
    pub room_hint: &'static str,
    pub first_seen: &'static str,
    pub last_seen: &'static str,
    pub conflict: &'static str,
    pub conflict_hint: &'static str,
    pub removed: &'static str,
    pub removed_hint: &'static str,
    pub ignored_section: &'static str,
}

pub(super) const ENGLISH: NewDevicesTexts = NewDevicesTexts {
    title: "New devices",
    lead: "Devices that announced themselves. None is used before somebody accepts it.",
    empty: "Nothing new",
    empty_hint: "Devices that announce themselves at the broker appear here within a second.",
    offers: "Offers",
    topics: "Topics",
    accept: "Accept",
    ignore: "Ignore",
    name: "Name",
    room: "Room",
    room_hint: "May stay empty",
    first_seen: "First seen",
    last_seen: "last seen",
    conflict: "Conflict",
    conflict_hint: "It cannot be accepted: it announces topics that are not its own.",
    removed: "Was removed before",
    removed_hint: "This device was deleted once. Accepting it lets it back in.",
    ignored_section: "Ignored",
};

pub(super) const GERMAN: NewDevicesTexts = NewDevicesTexts {
    title: "Neue Geräte",
    lead: "Geräte, die sich angekündigt haben. Keines wird benutzt, bevor es jemand annimmt.",
    empty: "Nichts Neues",
    empty_hint: "Geräte, die sich am Broker ankündigen, erscheinen hier innerhalb einer Sekunde.",
    offers: "Bietet",
    topics: "Topics",
    accept: "Annehmen",
    ignore: "Ignorieren",
    name: "Name",
    room: "Raum",
    room_hint: "Darf leer bleiben",
    first_seen: "Zuerst gesehen",
    last_seen: "zuletzt gesehen",
    conflict: "Konflikt",
    conflict_hint: "Es kann nicht angenommen werden: Es kündigt Topics an, die ihm nicht gehören.",
    removed: "Wurde schon entfernt",
    removed_hint: "Dieses Gerät wurde einmal gelöscht. Annehmen lässt es wieder herein.",
    ignored_section: "Ignoriert",
};
