//! Texts of the page that shows how everything looks.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct DesignTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub colours: &'static str,
    pub letters: &'static str,
    pub spaces: &'static str,
    pub buttons: &'static str,
    pub fields: &'static str,
    pub notices: &'static str,
    pub entities: &'static str,
    pub commands: &'static str,
    pub icons: &'static str,
    pub sample: &'static str,
    pub sample_hint: &'static str,
    pub sample_problem: &'static str,
}

pub(super) const ENGLISH: DesignTexts = DesignTexts {
    title: "Design",
    lead: "Every part of the pages, in every state. Shown in the demo only.",
    colours: "Colours",
    letters: "Type",
    spaces: "Space",
    buttons: "Buttons",
    fields: "Fields",
    notices: "Notices",
    entities: "Entities",
    commands: "Commands",
    icons: "Icons",
    sample: "The quick brown fox",
    sample_hint: "A sentence of help.",
    sample_problem: "This is not right.",
};

pub(super) const GERMAN: DesignTexts = DesignTexts {
    title: "Gestaltung",
    lead: "Jeder Teil der Seiten in jedem Zustand. Nur in der Vorführung zu sehen.",
    colours: "Farben",
    letters: "Schrift",
    spaces: "Abstände",
    buttons: "Knöpfe",
    fields: "Felder",
    notices: "Hinweise",
    entities: "Entitäten",
    commands: "Befehle",
    icons: "Symbole",
    sample: "Falsches Üben von Xylophonmusik",
    sample_hint: "Ein Satz, der hilft.",
    sample_problem: "Das stimmt nicht.",
};
