//! Texts of the sign-in page.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct SignInTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub user_name: &'static str,
    pub password: &'static str,
    pub password_hint: &'static str,
    pub failed: &'static str,
    pub throttled: &'static str,
    pub busy: &'static str,
    pub forgotten: &'static str,
}

pub(super) const ENGLISH: SignInTexts = SignInTexts {
    title: "Sign in",
    lead: "Welcome home.",
    user_name: "User name",
    password: "Password",
    password_hint: "At least 8 characters. A few words in a row are easy to remember.",
    failed: "User name or password is not right.",
    throttled: "Too many attempts. Wait a minute, then try again.",
    busy: "The hub is busy checking other sign-ins. Try again in a moment.",
    forgotten: "Forgotten? An administrator can set a new password, also on the hub itself with “iothome user reset-password”.",
};

pub(super) const GERMAN: SignInTexts = SignInTexts {
    title: "Anmelden",
    lead: "Willkommen zu Hause.",
    user_name: "Benutzername",
    password: "Passwort",
    password_hint: "Mindestens 8 Zeichen. Ein paar Wörter hintereinander merken sich leicht.",
    failed: "Benutzername oder Passwort stimmt nicht.",
    throttled: "Zu viele Versuche. Eine Minute warten, dann noch einmal.",
    busy: "Der Hub prüft gerade andere Anmeldungen. Gleich noch einmal versuchen.",
    forgotten: "Vergessen? Wer das Haus verwaltet, kann ein neues Passwort setzen, auch auf dem Hub selbst mit „iothome user reset-password“.",
};
