//! Texts of the home page.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct HomeTexts {
    pub empty: &'static str,
    pub empty_admin: &'static str,
    pub empty_member: &'static str,
    pub see_new: &'static str,
    pub waiting_one: &'static str,
    pub waiting_many: &'static str,
    pub rooms: &'static str,
    pub no_room: &'static str,
    pub more_entities: &'static str,
    pub no_entities: &'static str,
}

pub(super) const ENGLISH: HomeTexts = HomeTexts {
    empty: "No devices yet",
    empty_admin: "Connect a device to the broker and it will wait under “New devices”.",
    empty_member: "Nobody has shared a device with you yet. Ask an administrator of this home.",
    see_new: "See new devices",
    waiting_one: "1 new device waits to be accepted",
    waiting_many: "{} new devices wait to be accepted",
    rooms: "Rooms",
    no_room: "Not in a room",
    more_entities: "{} more",
    no_entities: "This device offers nothing to show or drive yet.",
};

pub(super) const GERMAN: HomeTexts = HomeTexts {
    empty: "Noch keine Geräte",
    empty_admin: "Ein Gerät mit dem Broker verbinden; es wartet dann unter „Neue Geräte“.",
    empty_member: "Noch hat niemand ein Gerät mit Ihnen geteilt. Bitte wenden Sie sich an die Verwaltung dieses Zuhauses.",
    see_new: "Neue Geräte ansehen",
    waiting_one: "1 neues Gerät wartet auf Annahme",
    waiting_many: "{} neue Geräte warten auf Annahme",
    rooms: "Räume",
    no_room: "In keinem Raum",
    more_entities: "{} weitere",
    no_entities: "Dieses Gerät bietet noch nichts zu zeigen oder zu steuern.",
};
