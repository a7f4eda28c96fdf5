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
}

/// Which entry of the navigation is current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the entries")]
pub enum Here {
    Home,
    Schedules,
    NewDevices,
    Broker,
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
            header.top {
                a.brand href=(links::HOME) {
                    (Icon::Home.draw())
                    bdi { (self.viewer.home) }
                }
            }
            (self.navigation())
            (connection_notice(self.t))
            (house_notice(self.t, self.viewer.broker_connected))
            main #content tabindex="-1" { (content) }
            div #announcer .visually-hidden role="status" aria-live="polite" {}
            div #toast .toast role="alert" data-dismiss=(self.t.frame.dismiss) {}
            template #not-sent { (self.t.frame.not_sent) }
        };
        document(self.t, &title, "signed-in", self.live, &body)
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
                    (entry(Here::Broker, links::BROKER, Icon::Broker, t.frame.nav_broker, 0))
                }
                (entry(Here::You, links::SESSIONS, Icon::Person, t.frame.nav_you, 0))
            }
        }
    }
}

/// The frame of a page for somebody who is not signed in: it tells nothing of the house.
pub fn signed_out(t: &'static Texts, title: &str, content: &Markup) -> Markup {
    let title = format!("{title} · {}", t.product);
    let body = html! {
        main #content .narrow tabindex="-1" { (content) }
    };
    document(t, &title, "signed-out", None, &body)
}

/// The frame of an error page: the same for everybody, so that it needs no session.
pub fn plain(t: &'static Texts, title: &str, content: &Markup) -> Markup {
    signed_out(t, title, content)
}

/// Whether the hub has lost its broker: one element, always there, so that nothing jumps in the tree.
pub fn house_notice(t: &'static Texts, broker_connected: bool) -> Markup {
    html! {
        div #house-notice role="status" {
            @if !broker_connected {
                p.banner.bad {
                    (Icon::Warning.draw())
                    span { b { (t.frame.broker_lost) } " " (t.frame.broker_lost_hint) }
                }
            }
        }
    }
}

fn connection_notice(t: &Texts) -> Markup {
    html! {
        div #connection role="status" {
            template {
                p.banner.notice {
                    (Icon::Away.draw())
                    span { b { (t.frame.connection_lost) } " " (t.frame.connection_lost_hint) }
                }
            }
        }
    }
}

fn document(t: &Texts, title: &str, class: &str, live: Option<&str>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(t.lang) dir="ltr" {
            head {
                meta charset="utf-8";
                title { (title) }
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                meta name="theme-color" content="#f5f5f2" media="(prefers-color-scheme: light)";
                meta name="theme-color" content="#131517" media="(prefers-color-scheme: dark)";
                meta name="referrer" content="same-origin";
                link rel="icon" href=(assets::ICON.path) type="image/svg+xml";
                link rel="stylesheet" href=(assets::STYLE.path);
                script src=(assets::SCRIPT.path) defer {}
            }
            body class=(class) data-live=[live] { (body) }
        }
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
