//! How everything looks: tokens, and every component in every state.
//!
//! Owner of that page, which only the demo shows. It must never show anything of a house.

use crate::components::card::DeviceCard;
use crate::components::command::{self, CommandLine};
use crate::components::entity::EntityPanel;
use crate::components::form::{self, Choice, Field, Segments};
use crate::components::{Look, Tone};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer, broker_lost};
use crate::links::Back;
use crate::samples;
use crate::texts::Texts;
use iothome_engine::command::{Status, reason};
use iothome_engine::kind::Action;
use maud::{Markup, html};

/// The colours, as the stylesheet calls them.
const COLOURS: [&str; 17] = [
    "bg",
    "card",
    "sunk",
    "line",
    "edge",
    "ink",
    "soft",
    "accent",
    "accent-soft",
    "focus",
    "active",
    "good",
    "notice",
    "bad",
    "calm",
    "dim",
    "accent-ink",
];
/// The sizes of type, as the stylesheet calls them.
const SIZES: [&str; 4] = ["title", "large", "body", "small"];
/// The spaces, as the stylesheet calls them.
const SPACES: [&str; 7] = ["s1", "s2", "s3", "s4", "s5", "s6", "s7"];
const TONES: [Tone; 6] = [
    Tone::Calm,
    Tone::Active,
    Tone::Good,
    Tone::Notice,
    Tone::Bad,
    Tone::Dim,
];

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer) -> Markup {
    let look = Look {
        t,
        csrf: &viewer.csrf,
        back: &Back::Home,
    };
    let d = &t.design;
    let content = html! {
        header.page-head { h1 { (d.title) } p.hint { (d.lead) } }
        (part(d.colours, &colours()))
        (part(d.letters, &html! { @for size in SIZES { p class=(format!("type-{size}")) { (d.sample) " " code { (size) } } } }))
        (part(d.spaces, &html! { @for space in SPACES { p.space { span class=(format!("space-{space}")) {} code { (space) } } } }))
        (part(d.buttons, &buttons(t)))
        (part(d.fields, &fields(t)))
        (part(d.notices, &notices(t)))
        (part(d.entities, &entities(look)))
        (part(d.commands, &commands(t)))
        (part(d.icons, &html! { p.icons { @for icon in Icon::ALL { (icon.draw()) } } }))
    };
    Shell {
        t,
        viewer,
        title: d.title,
        here: Here::Elsewhere,
        live: None,
    }
    .page(&content)
}

fn part(name: &str, content: &Markup) -> Markup {
    html! { section.block { h2 { (name) } (content) } }
}

fn colours() -> Markup {
    html! {
        ul.colours {
            @for colour in COLOURS {
                li { span class=(format!("colour colour-{colour}")) {} code { (colour) } }
            }
        }
        p.ways {
            @for tone in TONES {
                span.tone.(tone.class()) { span.badge.(tone.class()) { (Icon::Bulb.draw()) } (tone.class()) }
            }
        }
    }
}

fn buttons(t: &Texts) -> Markup {
    html! {
        p.ways {
            button.button.strong type="button" { (t.you.save) }
            button.button type="button" { (t.frame.copy) }
            button.button.quiet type="button" { (t.frame.dismiss) }
            button.button type="button" disabled { (t.entity.press) }
            button.button.square type="button" aria-label=(t.entity.more) { (Icon::Plus.draw()) }
            button.switch type="button" role="switch" aria-checked="false" aria-label=(t.entity.off) { span.thumb {} }
            button.switch type="button" role="switch" aria-checked="true" aria-label=(t.entity.on) { span.thumb {} }
            span.tag { (t.you.this) }
        }
    }
}

fn fields(t: &Texts) -> Markup {
    let d = &t.design;
    let field = |name, problem| Field {
        name,
        label: t.sign_in.user_name,
        value: d.sample,
        hint: Some(d.sample_hint),
        problem,
        kind: "text",
        ..Field::default()
    };
    let secret = Field {
        kind: "password",
        reveal: Some(t.frame.reveal),
        autocomplete: Some("off"),
        ..field("sample-secret", None)
    };
    html! {
        div.two {
            (field("sample", None).draw())
            (field("sample-wrong", Some(d.sample_problem)).draw())
            (secret.draw())
            (Choice {
                name: "sample-choice",
                label: t.you.language,
                options: &[("en", "English", "en"), ("de", "Deutsch", "de")],
                chosen: "de",
            }.draw())
        }
        (Segments {
            name: "sample-segments",
            label: t.you.theme,
            options: &[("auto", t.you.theme_auto), ("light", t.you.theme_light), ("dark", t.you.theme_dark)],
            chosen: "light",
        }.draw())
        details { summary { (t.frame.reveal) } p { (d.sample) } }
    }
}

fn notices(t: &Texts) -> Markup {
    html! {
        (form::alert(t.frame.form_has_problems))
        (form::done(t.you.saved))
        (broker_lost(t))
        @for trouble in [samples::away_words(), samples::quarantined(), samples::unverified()] {
            (trouble.draw())
        }
    }
}

fn entities(look: Look<'_>) -> Markup {
    let panels = samples::panels();
    html! {
        div.cards {
            @for (number, (name, panel)) in panels.into_iter().enumerate() {
                (card(number, name, panel).draw(look))
            }
        }
    }
}

/// A card of its own for each, so that no two elements have the same id.
fn card(number: usize, name: &str, panel: EntityPanel) -> DeviceCard {
    let device = format!("sample-{number}");
    samples::card(&device, &name.replace('_', " "), vec![panel])
}

fn commands(t: &Texts) -> Markup {
    let line = |n: u8, status, reason: Option<&str>| CommandLine {
        id: samples::command_id(n),
        entity: t.design.sample.to_owned(),
        asked: (t.words.action)(Action::TurnOn).to_owned(),
        cause: "demo".to_owned(),
        status,
        latency_ms: reason.is_none().then(|| "9".to_owned()),
        reason: reason.and_then(t.words.reason).map(str::to_owned),
        accepted: samples::when(i64::from(n) * 60),
    };
    let lines = [
        line(1, Status::Acknowledged, Some("")),
        line(2, Status::Confirmed, None),
        line(3, Status::Delivered, None),
        line(4, Status::Rejected, Some(reason::JAMMED)),
        line(5, Status::TimedOut, Some(reason::NO_CONFIRMATION)),
        line(6, Status::Superseded, Some(reason::NEWER_COMMAND)),
        line(7, Status::Unavailable, Some(reason::DEVICE_OFFLINE)),
    ];
    html! { ol.commands { @for line in lines { (command::row(t, &line)) } } }
}
