//! The viewer's own sessions: listed, and ended one by one.
//!
//! Owner of that list. It must never show a token.

use crate::components::form;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use iothome_engine::ids::SessionId;
use maud::{Markup, html};

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

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, sessions: &[SessionLine]) -> Markup {
    let role = if viewer.admin {
        t.you.role_admin
    } else {
        t.you.role_member
    };
    let content = html! {
        header.page-head {
            h1 { (fill(t.you.signed_in_as, &viewer.name)) }
            p.hint { (role) }
            form method="post" action=(links::SIGN_OUT) {
                (form::csrf(&viewer.csrf))
                button.button { (t.you.sign_out) }
            }
        }
        p.hint { (t.you.lead) }
        ul.sessions { @for session in sessions { (line(t, viewer, session)) } }
    };
    Shell {
        t,
        viewer,
        title: t.you.title,
        here: Here::You,
        live: Some(live),
    }
    .page(&content)
}

fn line(t: &Texts, viewer: &Viewer, session: &SessionLine) -> Markup {
    let name = match session.client.as_str() {
        "" if session.api => t.you.api,
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
