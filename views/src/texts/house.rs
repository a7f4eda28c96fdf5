//! Texts of the page of the home’s own settings.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct HouseTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub now: &'static str,
    pub save: &'static str,
    pub saved: &'static str,
}

pub(super) const ENGLISH: HouseTexts = HouseTexts {
    title: "Home",
    lead: "Name, time zone and place of your home.",
    now: "Time zone: {}",
    save: "Save",
    saved: "Saved.",
};

pub(super) const GERMAN: HouseTexts = HouseTexts {
    title: "Zuhause",
    lead: "Name, Zeitzone und Ort Ihres Zuhauses.",
    now: "Zeitzone: {}",
    save: "Speichern",
    saved: "Gespeichert.",
};
