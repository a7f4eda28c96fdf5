//! The test bench: what comes on the topics and what the settings make of it.
//!
//! Owner of how raw messages are shown: escaped, cut, and never mistaken for a state
//! of the house.

use crate::components::form;
use crate::icons::Icon;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use maud::{Markup, html};

/// Characters of a payload shown at once.
const SHOWN_MAX: usize = 600;

/// What a payload means to the entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// These things, in words.
    Means(Vec<String>),
    /// What the template makes of it, before the settings are complete.
    Result(String),
    /// Nothing.
    Nothing,
    /// It is what the hub itself sends.
    Command,
    /// It cannot be read.
    Fault(String),
}

/// One message.
#[derive(Clone, Debug)]
pub struct BenchMessage {
    /// When it came.
    pub when: When,
    /// Its topic.
    pub topic: String,
    /// Its payload as text.
    pub payload: String,
    /// Bytes of the whole payload, if not all of it is here.
    pub cut_from: Option<usize>,
    /// Whether the broker had kept it.
    pub retained: bool,
    /// What it means.
    pub meaning: Meaning,
}

/// What became of a test payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestSent {
    /// It was handed to the broker at this time.
    Sent(String),
    /// It was refused.
    Refused(String),
}

/// The bench.
#[derive(Clone, Debug, Default)]
pub struct Bench {
    /// The further topic that was typed.
    pub topic: String,
    /// What is wrong with it.
    pub topic_problem: Option<String>,
    /// Topics listened to.
    pub listening: Vec<String>,
    /// Topics that the broker refuses.
    pub refused: Vec<String>,
    /// Whether the bench has its connection.
    pub connected: bool,
    /// Messages, the newest first.
    pub messages: Vec<BenchMessage>,
    /// What the settings still lack.
    pub unready: Option<String>,
    /// The payload to be tried.
    pub payload: String,
    /// What it means.
    pub tried: Option<Meaning>,
    /// The payload to be sent.
    pub send: String,
    /// Where it would go.
    pub send_to: Option<String>,
    /// Payloads that commands would send: to pick from.
    pub suggestions: Vec<String>,
    /// What became of the last one.
    pub sent: Option<TestSent>,
}

/// The bench as a part of the form; asked for again and again while somebody looks.
pub fn bench(t: &Texts, bench: &Bench) -> Markup {
    let a = &t.bench;
    html! {
        section.bench.card #bench data-poll aria-labelledby="bench-name" {
            h2 #bench-name { (a.title) }
            p.hint { (a.lead) }
            (listening(t, bench))
            @if !bench.listening.is_empty() && bench.messages.is_empty() {
                p.empty-line #bench-none { (a.none) }
            }
            ol.messages #bench-messages tabindex="0" aria-label=(a.title) {
                @for one in &bench.messages { (message(t, one)) }
            }
            @if let Some(lacks) = &bench.unready { p.hint #bench-unready { (fill(a.unready, lacks)) } }
            (other(t, bench))
            (try_one(t, bench))
            (send(t, bench))
        }
    }
}

fn listening(t: &Texts, bench: &Bench) -> Markup {
    let a = &t.bench;
    html! {
        div #bench-listening {
            @if bench.listening.is_empty() {
                p.hint { (a.idle) }
            } @else if !bench.connected {
                p.trouble.notice { (Icon::Away.draw()) span { (a.away) } }
            } @else {
                p.hint {
                    (a.listening) " "
                    @for (n, topic) in bench.listening.iter().enumerate() {
                        @if n > 0 { ", " }
                        code dir="ltr" { (topic) }
                    }
                }
            }
            @for topic in &bench.refused {
                p.trouble.bad { (Icon::Warning.draw()) span { (fill(a.refused, topic)) } }
            }
        }
    }
}

fn message(t: &Texts, message: &BenchMessage) -> Markup {
    let shown: String = message.payload.chars().take(SHOWN_MAX).collect();
    let is_cut = shown.len() < message.payload.len() || message.cut_from.is_some();
    let size = message.cut_from.unwrap_or(message.payload.len());
    html! {
        li.message {
            p.message-head {
                code dir="ltr" { (message.topic) }
                @if message.retained { span.tag { (t.bench.retained) } }
                (time::at(&message.when))
            }
            @if message.payload.is_empty() {
                p.hint { (t.bench.empty_payload) }
            } @else {
                pre dir="ltr" { code { (shown) @if is_cut { "…" } } }
            }
            @if is_cut { p.hint { (fill(t.bench.cut, &size.to_string())) } }
            (meaning(t, &message.meaning))
        }
    }
}

fn meaning(t: &Texts, meaning: &Meaning) -> Markup {
    let a = &t.bench;
    let line = |class: &str, icon: Icon, words: &str, what: &str| {
        html! {
            p.outcome.(class) {
                (icon.draw())
                span { (words) @if !what.is_empty() { ": " bdi { (cut(what)) } } }
            }
        }
    };
    match meaning {
        Meaning::Means(what) => line("good", Icon::Check, a.means, &what.join(" · ")),
        Meaning::Result(what) => line("calm", Icon::Check, a.result, what),
        Meaning::Nothing => line("dim", Icon::Dot, a.nothing, ""),
        Meaning::Command => line("dim", Icon::Dot, a.own, ""),
        Meaning::Fault(why) => line("bad", Icon::Warning, a.fault, why),
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn other(t: &Texts, bench: &Bench) -> Markup {
    let a = &t.bench;
    html! {
        div.beside-button {
            (form::Field {
                name: "bench_topic",
                label: a.other,
                hint: Some(a.other_hint),
                value: &bench.topic,
                problem: bench.topic_problem.as_deref(),
                kind: "text",
                autocomplete: Some("off"),
                max: Some(1024),
                ..form::Field::default()
            }.draw())
            (button(a.look, "look"))
        }
    }
}

fn try_one(t: &Texts, bench: &Bench) -> Markup {
    let a = &t.bench;
    html! {
        h3 { (a.try_title) }
        div.field {
            label for="bench_payload" { (a.try_payload) }
            textarea #bench_payload name="bench_payload" rows="2" dir="ltr" spellcheck="false"
                maxlength="8192" aria-describedby="bench_payload-hint" { "\n" (bench.payload) }
            p.hint #bench_payload-hint { (a.try_hint) }
        }
        div.ways { (button(a.try_button, "try")) }
        div #bench-tried role="status" { @if let Some(tried) = &bench.tried { (meaning(t, tried)) } }
    }
}

fn send(t: &Texts, bench: &Bench) -> Markup {
    let a = &t.bench;
    html! {
        h3 { (a.send_title) }
        @match &bench.send_to {
            None => p.hint #bench-nowhere { (a.send_nowhere) },
            Some(topic) => {
                (form::Field {
                    name: "bench_send",
                    label: a.send_payload,
                    hint: Some(a.send_hint),
                    value: &bench.send,
                    kind: "text",
                    autocomplete: Some("off"),
                    list: Some("bench-payloads"),
                    max: Some(8192),
                    ..form::Field::default()
                }.draw())
                datalist #bench-payloads { @for payload in &bench.suggestions { option value=(payload) {} } }
                div.ways { (button(&fill(a.send_to, topic), "send")) }
            }
        }
        div #bench-sent role="status" {
            @match &bench.sent {
                None => {}
                Some(TestSent::Sent(at)) => {
                    input type="hidden" name="bench_sent" value=(at);
                    p.outcome.good { (Icon::Check.draw()) span { (fill(a.sent, at)) } }
                }
                Some(TestSent::Refused(why)) => {
                    p.outcome.bad { (Icon::Warning.draw()) span { (why) } }
                }
            }
        }
    }
}

/// A button of the bench: with script it renews the bench alone.
fn button(words: &str, task: &str) -> Markup {
    // Without script the page comes back at the bench.
    html! { button.button name="do" value=(task) formaction="#bench" data-part { (words) } }
}
