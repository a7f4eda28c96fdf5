//! Texts of the frame around every page.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct FrameTexts {
    pub nav_label: &'static str,
    pub nav_home: &'static str,
    pub nav_schedules: &'static str,
    pub nav_new: &'static str,
    pub nav_broker: &'static str,
    pub nav_you: &'static str,
    pub skip_to_content: &'static str,
    pub connection_lost: &'static str,
    pub connection_lost_hint: &'static str,
    pub not_sent: &'static str,
    pub broker_lost: &'static str,
    pub broker_lost_hint: &'static str,
    pub dismiss: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub form_has_problems: &'static str,
    pub back_home: &'static str,
}

pub(super) const ENGLISH: FrameTexts = FrameTexts {
    nav_label: "Main",
    nav_home: "Home",
    nav_schedules: "Schedules",
    nav_new: "New devices",
    nav_broker: "Broker",
    nav_you: "You",
    skip_to_content: "Skip to content",
    connection_lost: "Connection to the hub is lost.",
    connection_lost_hint: "What you see may be old. Trying again by itself.",
    not_sent: "The hub could not be reached. Nothing is known to have been sent; please try again.",
    broker_lost: "The hub has no connection to its broker.",
    broker_lost_hint: "No device can be reached; states are the last ones reported.",
    dismiss: "Dismiss",
    copy: "Copy",
    copied: "Copied",
    form_has_problems: "Please look at the marked fields.",
    back_home: "Home",
};

pub(super) const GERMAN: FrameTexts = FrameTexts {
    nav_label: "Hauptmenü",
    nav_home: "Zuhause",
    nav_schedules: "Zeitpläne",
    nav_new: "Neue Geräte",
    nav_broker: "Broker",
    nav_you: "Ich",
    skip_to_content: "Zum Inhalt springen",
    connection_lost: "Die Verbindung zum Hub ist unterbrochen.",
    connection_lost_hint: "Was hier steht, kann veraltet sein. Es wird von selbst weiter versucht.",
    not_sent: "Der Hub war nicht zu erreichen. Ob etwas gesendet wurde, ist nicht bekannt; bitte noch einmal versuchen.",
    broker_lost: "Der Hub hat keine Verbindung zu seinem Broker.",
    broker_lost_hint: "Kein Gerät ist zu erreichen; gezeigt wird, was zuletzt gemeldet wurde.",
    dismiss: "Schließen",
    copy: "Kopieren",
    copied: "Kopiert",
    form_has_problems: "Bitte die markierten Felder ansehen.",
    back_home: "Zuhause",
};
