//! The viewer's own page: language and look, password, sessions, sign-out.
//!
//! Owner of those forms. It must never show a token or repeat a password.

use crate::components::form::{self, Choice, Field, Segments};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Theme, Viewer};
use crate::links;
use crate::texts::{LANGUAGES, Texts, fill};
use crate::time::{self, When};
use iothome_engine::ids::SessionId;
use maud::{Markup, html};

/// The field of the language in the form of preferences.
pub const LANGUAGE_FIELD: &str = "language";
/// The field of the theme in the form of preferences.
pub const THEME_FIELD: &str = "theme";
/// The field of the password until now.
pub const PASSWORD_NOW_FIELD: &str = "current_password";
/// The field of the new password.
pub const PASSWORD_NEW_FIELD: &str = "new_password";

/// A session of the viewer.
#[derive(Clone, Debug)]
pub struct SessionLine {
    /// Its id.
    pub id: SessionId,
    /// What the browser or app calls itself; empty if it did not say.
    pub client: String,
    /// Whether it is an app that uses the REST interface.
    pub api: bool,
    /// Whether this page was asked with it.
    pub current: bool,
    /// When it began.
    pub created: When,
    /// When it was last used.
    pub last_used: When,
    /// When it ends by itself.
    pub expires: When,
}

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Language and look were kept.
    Preferences,
    /// The password was changed.
    Password,
    /// A session was ended.
    Session,
}

impl Done {
    const ALL: [Self; 3] = [Self::Preferences, Self::Password, Self::Session];

    /// The word in the page's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preferences => "preferences",
            Self::Password => "password",
            Self::Session => "session",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.as_str() == word)
    }

    /// The page's address when this has been done.
    pub fn address(self) -> String {
        format!("{}?done={}", links::YOU, self.as_str())
    }

    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Preferences => t.you.saved,
            Self::Password => t.you.password_changed,
            Self::Session => t.you.ended,
        }
    }
}

/// Why a new password was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// The one until now is wrong.
    Wrong,
    /// The new one is too short or too long.
    Length,
    /// Too many tries.
    Throttled,
    /// The hub is busy with other passwords.
    Busy,
}

/// The page.
#[derive(Clone, Debug)]
pub struct YouPage {
    /// The chosen language; `None` is the browser's.
    pub language: Option<&'static str>,
    /// The language that the browser asks for, in itself.
    pub browser_language: &'static str,
    /// What has just been done.
    pub done: Option<Done>,
    /// Why the new password was not taken.
    pub problem: Option<PasswordProblem>,
    /// The viewer's sessions, this one first.
    pub sessions: Vec<SessionLine>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: Option<&str>, you: &YouPage) -> Markup {
    let role = if viewer.admin {
        t.you.role_admin
    } else {
        t.you.role_member
    };
    let content = html! {
        header.page-head.spread {
            div {
                h1 { bdi { (viewer.name) } }
                p.hint { (role) }
            }
            form method="post" action=(links::SIGN_OUT) {
                (form::csrf(&viewer.csrf))
                button.button { (t.you.sign_out) }
            }
        }
        @if let Some(done) = you.done { (form::done(done.words(t))) }
        div.panes {
            (preferences(t, viewer, you))
            (password(t, viewer, you.problem))
        }
        section.block aria-labelledby="sessions-name" {
            h2 #sessions-name { (t.you.sessions) }
            p.hint { (t.you.sessions_lead) }
            ul.sessions { @for session in &you.sessions { (line(t, viewer, session)) } }
        }
    };
    Shell {
        t,
        viewer,
        title: t.you.title,
        here: Here::You,
        live,
    }
    .page(&content)
}

fn preferences(t: &Texts, viewer: &Viewer, you: &YouPage) -> Markup {
    let auto = fill(t.you.language_auto, you.browser_language);
    let mut languages = vec![("", auto.as_str(), t.lang)];
    languages.extend(LANGUAGES.iter().map(|l| (l.lang, l.name, l.lang)));
    let language = Choice {
        name: LANGUAGE_FIELD,
        label: t.you.language,
        options: &languages,
        chosen: you.language.unwrap_or_default(),
    };
    let themes = Theme::ALL.map(|theme| (theme.as_str(), theme_name(t, theme)));
    let theme = Segments {
        name: THEME_FIELD,
        label: t.you.theme,
        options: &themes,
        chosen: viewer.theme.as_str(),
    };
    html! {
        section.card.pane aria-labelledby="preferences-name" {
            h2 #preferences-name { (t.you.preferences) }
            form.stack method="post" action=(links::PREFERENCES) {
                (form::csrf(&viewer.csrf))
                (language.draw())
                (theme.draw())
                p.ways { button.button.strong { (t.you.save) } }
            }
        }
    }
}

const fn theme_name(t: &Texts, theme: Theme) -> &'static str {
    match theme {
        Theme::Auto => t.you.theme_auto,
        Theme::Light => t.you.theme_light,
        Theme::Dark => t.you.theme_dark,
    }
}

fn password(t: &Texts, viewer: &Viewer, problem: Option<PasswordProblem>) -> Markup {
    let wrong = (problem == Some(PasswordProblem::Wrong)).then_some(t.you.password_wrong);
    let length = (problem == Some(PasswordProblem::Length)).then_some(t.you.password_short);
    let whole = match problem {
        Some(PasswordProblem::Throttled) => Some(t.sign_in.throttled),
        Some(PasswordProblem::Busy) => Some(t.sign_in.busy),
        _ => None,
    };
    let secret = |name, label, autocomplete, problem, hint| Field {
        name,
        label,
        kind: "password",
        autocomplete: Some(autocomplete),
        required: true,
        max: Some(256),
        reveal: Some(t.frame.reveal),
        problem,
        hint,
        ..Field::default()
    };
    let now = secret(
        PASSWORD_NOW_FIELD,
        t.you.password_now,
        "current-password",
        wrong,
        None,
    );
    let new = Field {
        min: Some(8),
        ..secret(
            PASSWORD_NEW_FIELD,
            t.you.password_new,
            "new-password",
            length,
            Some(t.sign_in.password_hint),
        )
    };
    html! {
        section.card.pane #password aria-labelledby="password-name" {
            h2 #password-name { (t.you.password) }
            p.hint { (t.you.password_lead) }
            @if let Some(whole) = whole { (form::alert(whole)) }
            form.stack method="post" action=(links::PASSWORD) {
                (form::csrf(&viewer.csrf))
                // Password managers look for whose password it is.
                input.visually-hidden type="text" name="username" value=(viewer.name)
                    autocomplete="username" readonly tabindex="-1" aria-hidden="true";
                (now.draw())
                (new.draw())
                p.ways { button.button { (t.you.password_change) } }
            }
        }
    }
}

fn line(t: &Texts, viewer: &Viewer, session: &SessionLine) -> Markup {
    let name = match session.client.as_str() {
        "" | "unknown" if session.api => t.you.api,
        "" => t.you.client_unknown,
        client => client,
    };
    let icon = if session.api { Icon::Bolt } else { Icon::Phone };
    html! {
        li.session id=(format!("session-{}", session.id)) {
            span.badge.calm { (icon.draw()) }
            div.facts {
                p {
                    b { bdi { (name) } }
                    @if session.current { " " span.tag { (t.you.this) } }
                }
                p.hint {
                    (t.you.since) " " (time::ago(&session.created)) " · "
                    (t.you.last_used) " " (time::ago(&session.last_used)) " · "
                    (t.you.until) " " (time::at(&session.expires))
                }
            }
            @if !session.current {
                form method="post" action=(links::end_session(&session.id)) {
                    (form::csrf(&viewer.csrf))
                    button.button aria-label=(format!("{}: {name}", t.you.end)) { (t.you.end) }
                }
            }
        }
    }
}
