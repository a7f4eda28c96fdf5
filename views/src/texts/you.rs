//! Texts of the page about oneself and one's sessions.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct YouTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub this: &'static str,
    pub end: &'static str,
    pub client_unknown: &'static str,
    pub api: &'static str,
    pub since: &'static str,
    pub last_used: &'static str,
    pub until: &'static str,
    pub signed_in_as: &'static str,
    pub role_admin: &'static str,
    pub role_member: &'static str,
    pub sign_out: &'static str,
}

pub(super) const ENGLISH: YouTexts = YouTexts {
    title: "You",
    lead: "Browsers and apps signed in as you. End what you do not know.",
    this: "this one",
    end: "End",
    client_unknown: "Unknown browser",
    api: "App",
    since: "signed in",
    last_used: "last used",
    until: "ends by itself",
    signed_in_as: "Signed in as {}",
    role_admin: "Administrator",
    role_member: "Member",
    sign_out: "Sign out",
};

pub(super) const GERMAN: YouTexts = YouTexts {
    title: "Ich",
    lead: "Browser und Apps, die unter Ihrem Namen angemeldet sind. Beenden Sie, was Sie nicht kennen.",
    this: "diese",
    end: "Beenden",
    client_unknown: "Unbekannter Browser",
    api: "App",
    since: "angemeldet",
    last_used: "zuletzt benutzt",
    until: "endet von selbst",
    signed_in_as: "Angemeldet als {}",
    role_admin: "Verwaltung",
    role_member: "Mitglied",
    sign_out: "Abmelden",
};
