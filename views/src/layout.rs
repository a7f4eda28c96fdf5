//! The frame around every page: head, navigation, notices and the place for content.
//!
//! Owner of the document. It must never put a name of the house into a page that
//! is shown to somebody who is not signed in.

use crate::assets;
use crate::icons::Icon;
use crate::links;
use crate::texts::{Texts, fill};
use maud::{DOCTYPE, Markup, html};

/// Who looks at the page, and what the frame shows them.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their sign-in name.
    pub name: String,
    /// Whether they manage users, broker and home.
    pub admin: bool,
    /// The form token of their session.
    pub csrf: String,
    /// The home's name.
    pub home: String,
    /// How many devices wait to be accepted (0 for members).
    pub waiting: usize,
    /// Whether the hub has its broker.
    pub broker_connected: bool,
    /// Light or dark.
    pub theme: Theme,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device is set.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// What can be chosen.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The word in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What the document says so that the stylesheet does not ask the device.
    fn forced(self) -> Option<&'static str> {
        (self != Self::Auto).then_some(self.as_str())
    }
}

/// Which entry of the navigation is current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the entries")]
pub enum Here {
    Home,
    Schedules,
    NewDevices,
    Settings,
    You,
    Elsewhere,
}

/// The frame of a signed-in page.
pub struct Shell<'a> {
    /// The texts of the viewer's language.
    pub t: &'static Texts,
    /// Who looks.
    pub viewer: &'a Viewer,
    /// What the page is called.
    pub title: &'a str,
    /// Where it stands in the navigation.
    pub here: Here,
    /// The stream that keeps the page live, with where the page stands in it.
    pub live: Option<&'a str>,
}

impl Shell<'_> {
    /// The whole document.
    pub fn page(&self, content: &Markup) -> Markup {
        let title = format!("{} · {}", self.title, self.viewer.home);
        let body = html! {
            a.skip href="#content" { (self.t.frame.skip_to_content) }
            header #top .top {
                a.brand href=(links::HOME) {
                    (Icon::Home.draw())
                    bdi { (self.viewer.home) }
                }
            }
            (self.navigation())
            div #connection role="status" {}
            (house_notice(self.t, self.viewer.broker_connected))
            main #content tabindex="-1" { (content) }
            div #announcer .visually-hidden role="status" data-back=(self.t.frame.connection_back) {}
            div #toast .toast role="alert" data-dismiss=(self.t.frame.dismiss) {}
            (templates(self.t))
        };
        Frame {
            t: self.t,
            title: &title,
            class: "signed-in",
            theme: self.viewer.theme,
            live: self.live,
        }
        .document(&body)
    }

    fn navigation(&self) -> Markup {
        let t = self.t;
        let entry = |here: Here, to: &str, icon: Icon, text: &str, count: usize| {
            html! {
                a href=(to) aria-current=[(here == self.here).then_some("page")] {
                    (icon.draw())
                    span { (text) }
                    @if count > 0 { span.count { (count) } }
                }
            }
        };
        html! {
            nav #nav aria-label=(t.frame.nav_label) {
                (entry(Here::Home, links::HOME, Icon::Home, t.frame.nav_home, 0))
                (entry(Here::Schedules, links::SCHEDULES, Icon::Clock, t.frame.nav_schedules, 0))
                @if self.viewer.admin {
                    (entry(Here::NewDevices, links::NEW_DEVICES, Icon::Plus, t.frame.nav_new, self.viewer.waiting))
                    (entry(Here::Settings, links::SETTINGS, Icon::Sliders, t.frame.nav_settings, 0))
                }
                (entry(Here::You, links::YOU, Icon::Person, t.frame.nav_you, 0))
            }
        }
    }
}

/// The frame of a page for somebody who is not signed in: it tells nothing of the house.
pub fn signed_out(t: &'static Texts, title: &str, content: &Markup) -> Markup {
    plain(t, Theme::Auto, title, content)
}

/// The frame of an error page: it tells nothing of the house either, so that it needs no session.
pub fn plain(t: &'static Texts, theme: Theme, title: &str, content: &Markup) -> Markup {
    let title = format!("{title} · {}", t.product);
    let body = html! {
        main #content .narrow tabindex="-1" { (content) }
    };
    Frame {
        t,
        title: &title,
        class: "signed-out",
        theme,
        live: None,
    }
    .document(&body)
}

/// Whether the hub has lost its broker: one element, always there, so that nothing jumps in the tree.
pub fn house_notice(t: &'static Texts, broker_connected: bool) -> Markup {
    html! {
        div #house-notice role="status" {
            @if !broker_connected { (broker_lost(t)) }
        }
    }
}

/// That the hub has lost its broker.
pub fn broker_lost(t: &Texts) -> Markup {
    html! {
        p.banner.bad {
            (Icon::Warning.draw())
            span { b { (t.frame.broker_lost) } " " (t.frame.broker_lost_hint) }
        }
    }
}

/// What the script shows when it must say something by itself.
fn templates(t: &Texts) -> Markup {
    html! {
        template #when-lost {
            p.banner.notice {
                (Icon::Away.draw())
                span { b { (t.frame.connection_lost) } " " (t.frame.connection_lost_hint) }
            }
        }
        template #when-ended {
            p.banner.notice {
                (Icon::Locked.draw())
                span {
                    b { (t.frame.session_ended) } " " (t.frame.session_ended_hint) " "
                    a href=(links::SIGN_IN) target="_blank" rel="noopener" { (t.sign_in.title) }
                }
            }
        }
        template #not-sent { (t.frame.not_sent) }
    }
}

/// What goes around a body.
struct Frame<'a> {
    t: &'static Texts,
    title: &'a str,
    class: &'a str,
    theme: Theme,
    live: Option<&'a str>,
}

impl Frame<'_> {
    fn document(&self, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.t.lang) dir="ltr" data-theme=[self.theme.forced()] {
                head {
                    meta charset="utf-8";
                    title { (self.title) }
                    meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                    meta name="description" content=(self.t.frame.description);
                    (colours(self.theme))
                    meta name="referrer" content="same-origin";
                    link rel="icon" href=(assets::ICON.path) type="image/svg+xml";
                    link rel="apple-touch-icon" href=(assets::TOUCH_ICON.path);
                    link rel="manifest" href=(assets::MANIFEST.path);
                    link rel="stylesheet" href=(assets::STYLE.path);
                    script src=(assets::SCRIPT.path) defer {}
                }
                body class=(self.class) data-live=[self.live] { (body) }
            }
        }
    }
}

/// What the browser paints before the stylesheet is there, and around the page.
fn colours(theme: Theme) -> Markup {
    let (light, dark) = (assets::LIGHT_GROUND, assets::DARK_GROUND);
    match theme {
        Theme::Auto => html! {
            meta name="color-scheme" content="light dark";
            meta name="theme-color" content=(light) media="(prefers-color-scheme: light)";
            meta name="theme-color" content=(dark) media="(prefers-color-scheme: dark)";
        },
        Theme::Light | Theme::Dark => html! {
            meta name="color-scheme" content=(theme.as_str());
            meta name="theme-color" content=(if theme == Theme::Dark { dark } else { light });
        },
    }
}

/// "1 new device waits" or "3 new devices wait".
pub fn waiting_words(t: &Texts, waiting: usize) -> String {
    if waiting == 1 {
        t.home.waiting_one.to_owned()
    } else {
        fill(t.home.waiting_many, &waiting.to_string())
    }
}
