//! The way to each page of what administrators manage.
//!
//! Owner of that list. It must never name a page that does not exist.

use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::Texts;
use maud::{Markup, html};

/// A page of the list.
struct Way {
    to: &'static str,
    icon: Icon,
    name: &'static str,
    hint: &'static str,
}

/// Every page there is, in the order in which a home is made.
fn ways(t: &Texts) -> Vec<Way> {
    let s = &t.settings;
    let way = |to, icon, name, hint| Way {
        to,
        icon,
        name,
        hint,
    };
    vec![
        way(links::HOUSE, Icon::Home, s.home, s.home_hint),
        way(links::ROOMS, Icon::DoorClosed, s.rooms, s.rooms_hint),
        way(links::PEOPLE, Icon::Person, s.people, s.people_hint),
        way(links::BROKER, Icon::Broker, s.broker, s.broker_hint),
        way(links::SYSTEM, Icon::Gauge, s.system, s.system_hint),
        way(links::API_DOCS, Icon::Bolt, s.interface, s.interface_hint),
    ]
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str) -> Markup {
    let content = html! {
        header.page-head { h1 { (t.settings.title) } p.hint { (t.settings.lead) } }
        ul.ways-on {
            @for way in ways(t) {
                li {
                    a.way href=(way.to) {
                        span.badge.calm { (way.icon.draw()) }
                        span.facts { b { (way.name) } span.hint { (way.hint) } }
                        (Icon::Forth.draw())
                    }
                }
            }
        }
    };
    Shell {
        t,
        viewer,
        title: t.settings.title,
        here: Here::Settings,
        live: Some(live),
    }
    .page(&content)
}
