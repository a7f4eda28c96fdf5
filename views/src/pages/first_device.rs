//! The three ways to bring the first device in, for somebody who has just set up a home.
//!
//! Owner of that signpost. It must never show a password.

use super::broker::{Prints, copyable, prints};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::Texts;
use maud::{Markup, html};

/// The page.
#[derive(Clone, Debug)]
pub struct FirstDevicePage {
    /// Host and port of the broker.
    pub address: String,
    /// Fingerprints of its certificate.
    pub prints: Prints,
}

struct Way {
    icon: Icon,
    title: &'static str,
    hint: &'static str,
    steps: [&'static str; 3],
    go: (&'static str, &'static str),
    then: Option<(&'static str, &'static str)>,
}

fn ways(t: &Texts) -> [Way; 3] {
    let f = &t.first_device;
    [
        Way {
            icon: Icon::Signal,
            title: f.itself,
            hint: f.itself_hint,
            steps: [f.itself_1, f.itself_2, f.itself_3],
            go: (links::CREDENTIALS, f.bridge_go),
            then: Some((links::NEW_DEVICES, f.itself_go)),
        },
        Way {
            icon: Icon::Press,
            title: f.hand,
            hint: f.hand_hint,
            steps: [f.hand_1, f.hand_2, f.hand_3],
            go: (links::ADD_DEVICE, f.hand_go),
            then: None,
        },
        Way {
            icon: Icon::Broker,
            title: f.bridge,
            hint: f.bridge_hint,
            steps: [f.bridge_1, f.bridge_2, f.bridge_3],
            go: (links::CREDENTIALS, f.bridge_go),
            then: Some((links::NEW_DEVICES, f.itself_go)),
        },
    ]
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, model: &FirstDevicePage) -> Markup {
    let f = &t.first_device;
    let content = html! {
        header.page-head { h1 { (f.title) } p.hint { (f.lead) } }
        div.first-ways { @for way in ways(t) { (self::way(&way)) } }
        section.block.card.wide {
            h2 { (f.needs) }
            h3 { (t.broker.address) }
            (copyable(t, "broker-address", &model.address))
            (prints(t, "", &model.prints))
            p.hint { (f.later) }
        }
        p.ways.after { a.button href=(links::HOME) { (f.skip) } }
    };
    Shell {
        t,
        viewer,
        title: f.title,
        here: Here::Settings,
        live: Some(live),
    }
    .page(&content)
}

fn way(way: &Way) -> Markup {
    html! {
        section.card.first-way {
            span.mark { (way.icon.draw()) }
            h2 { (way.title) }
            p.hint { (way.hint) }
            ol.steps { @for step in way.steps { li { (step) } } }
            p.ways {
                a.button.strong href=(way.go.0) { (way.go.1) }
                @if let Some((to, words)) = way.then { a.button href=(to) { (words) } }
            }
        }
    }
}
