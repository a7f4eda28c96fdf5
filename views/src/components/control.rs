//! Controls: the forms that ask something of an entity.
//!
//! Owner of how each kind is driven. Every control is a plain form that works
//! without script; a control shows the last reported state, never the wish.

use super::Look;
use super::form::{self, DECIMAL};
use crate::icons::Icon;
use crate::links;
use crate::numbers::{exact, typed};
use crate::texts::fill;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Action;
use maud::{Markup, html};

/// How an entity can be driven.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// It is only read.
    None,
    /// It could be driven, but not by this viewer.
    ViewOnly,
    /// On and off; `None` if the state is not known.
    Switch {
        /// The last reported state.
        on: Option<bool>,
    },
    /// On and off, and brightness where the light has it.
    Light {
        /// The last reported state.
        on: Option<bool>,
        /// Brightness in per cent.
        brightness: Option<Scale>,
    },
    /// A number.
    Number(Scale),
    /// One of several options.
    Select {
        /// What can be chosen.
        options: Vec<String>,
        /// The last reported option.
        chosen: Option<String>,
    },
    /// Something to press.
    Button,
    /// A cover.
    Cover {
        /// Which of open, stop, close it takes.
        actions: Vec<Action>,
        /// Position in per cent, where it can be asked.
        position: Option<Scale>,
        /// Whether it reports to be fully open.
        open: bool,
        /// Whether it reports to be fully closed.
        closed: bool,
    },
    /// A lock; `None` if the state is not known.
    Lock {
        /// The last reported state.
        locked: Option<bool>,
    },
}

/// A number between limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// The last reported value.
    pub value: Option<f64>,
    /// What the smaller/larger buttons start from: a value under way, else the reported one.
    pub base: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Step between values.
    pub step: f64,
    /// Unit, such as `%`.
    pub unit: Option<String>,
}

/// Which entity the control is for.
pub struct Target<'a> {
    /// The device.
    pub device: &'a DeviceId,
    /// The entity.
    pub entity: &'a EntityId,
    /// What a reader calls it: "Kitchen lamp, brightness".
    pub label: &'a str,
}

impl Control {
    /// The control that fits beside the state, if there is one.
    pub fn beside(&self, look: Look<'_>, target: &Target<'_>) -> Option<Markup> {
        match self {
            Self::Switch { on } | Self::Light { on, .. } => Some(switch(look, target, *on)),
            Self::Button => Some(one(
                look,
                target,
                Action::Press,
                look.t.entity.press,
                "button",
            )),
            Self::Lock { locked } => Some(lock(look, target, *locked)),
            _ => None,
        }
    }

    /// The control that needs a line of its own, if there is one.
    pub fn below(&self, look: Look<'_>, target: &Target<'_>) -> Option<Markup> {
        match self {
            Self::Light {
                brightness: Some(scale),
                ..
            } => Some(slider(look, target, look.t.entity.brightness, scale)),
            Self::Number(scale) => Some(number(look, target, scale)),
            Self::Select { options, chosen } => {
                Some(select(look, target, options, chosen.as_deref()))
            }
            Self::Cover {
                actions,
                position,
                open,
                closed,
            } => Some(html! {
                (cover(look, target, actions, *open, *closed))
                @if let Some(scale) = position {
                    (slider(look, target, look.t.entity.position, scale))
                }
            }),
            _ => None,
        }
    }
}

fn command_form(look: Look<'_>, target: &Target<'_>, class: &str, fields: &Markup) -> Markup {
    html! {
        form.control.(class) method="post" action=(links::command(target.device, target.entity)) data-fetch {
            (form::hidden(look))
            (fields)
        }
    }
}

fn one(look: Look<'_>, target: &Target<'_>, action: Action, text: &str, class: &str) -> Markup {
    let button = html! {
        button.(class) name="action" value=(action.as_str()) aria-label=(format!("{text}: {}", target.label)) { (text) }
    };
    command_form(look, target, "one", &button)
}

fn switch(look: Look<'_>, target: &Target<'_>, on: Option<bool>) -> Markup {
    let Some(on) = on else {
        // Nobody knows the state: both wishes are offered, neither looks like a fact.
        return html! {
            div.pair {
                (one(look, target, Action::TurnOn, look.t.entity.on, "button"))
                (one(look, target, Action::TurnOff, look.t.entity.off, "button"))
            }
        };
    };
    let action = if on { Action::TurnOff } else { Action::TurnOn };
    let button = html! {
        button.switch role="switch" aria-checked=(on.to_string()) aria-label=(target.label)
            name="action" value=(action.as_str()) {
            span.thumb {}
        }
    };
    command_form(look, target, "one", &button)
}

fn lock(look: Look<'_>, target: &Target<'_>, locked: Option<bool>) -> Markup {
    let unlock = || one(look, target, Action::Unlock, look.t.entity.unlock, "button");
    let lock = || one(look, target, Action::Lock, look.t.entity.lock, "button");
    match locked {
        Some(true) => unlock(),
        Some(false) => lock(),
        None => html! { div.pair { (lock()) (unlock()) } },
    }
}

fn slider(look: Look<'_>, target: &Target<'_>, what: &str, scale: &Scale) -> Markup {
    let value = scale.value.map(exact);
    let unit = scale.unit.as_deref().unwrap_or_default();
    let fields = html! {
        label {
            span.visually-hidden { (what) ": " (target.label) }
            // Without a known value the thumb stands at the lower end, and the text says "unknown".
            input type="range" name="value" min=(exact(scale.min)) max=(exact(scale.max))
                step=(exact(scale.step)) value=(value.clone().unwrap_or_else(|| exact(scale.min)))
                data-send data-unit=(unit);
        }
        output aria-hidden="true" {
            @if let Some(value) = &value { (value) " " (unit) } @else { "–" }
        }
        button.button.quiet.plain-only name="action" value=(Action::Set.as_str()) { (look.t.entity.set) }
    };
    command_form(look, target, "slider", &fields)
}

fn number(look: Look<'_>, target: &Target<'_>, scale: &Scale) -> Markup {
    let set = |value: f64, icon: Icon, text: &str| {
        let fields = html! {
            input type="hidden" name="value" value=(exact(value));
            button.button.square name="action" value=(Action::Set.as_str())
                aria-label=(format!("{text}: {}", target.label)) { (icon.draw()) }
        };
        command_form(look, target, "one", &fields)
    };
    let limits = [scale.min, scale.max].map(|limit| typed(look.t, limit));
    let limits = limits.iter().fold(
        look.t.schedule_form.value_range.to_owned(),
        |words, limit| fill(&words, limit),
    );
    // The decimal keys of some phones have no minus.
    let keys = if scale.min < 0.0 { "text" } else { "decimal" };
    let field = html! {
        label.field-with-unit {
            span.visually-hidden { (target.label) }
            input type="text" inputmode=(keys) pattern=(DECIMAL) title=(limits) name="value" required
                maxlength="24" autocomplete="off" dir="ltr"
                value=[scale.value.map(|value| typed(look.t, value))];
            @if let Some(unit) = &scale.unit { span.unit { (unit) } }
        }
        button.button name="action" value=(Action::Set.as_str())
            aria-label=(format!("{}: {}", look.t.entity.set, target.label)) { (look.t.entity.set) }
    };
    html! {
        div.number {
            @if let Some(base) = scale.base {
                (set(scale.lower(base), Icon::Minus, look.t.entity.less))
            }
            (command_form(look, target, "entry", &field))
            @if let Some(base) = scale.base {
                (set(scale.higher(base), Icon::Plus, look.t.entity.more))
            }
        }
    }
}

impl Scale {
    fn lower(&self, from: f64) -> f64 {
        self.clean(from - self.step)
    }

    fn higher(&self, from: f64) -> f64 {
        self.clean(from + self.step)
    }

    // 0.1 + 0.2 must not be offered as 0.30000000000000004; no device counts finer than 1e-9.
    fn clean(&self, value: f64) -> f64 {
        ((value.clamp(self.min, self.max)) * 1e9).round() / 1e9
    }
}

fn select(look: Look<'_>, target: &Target<'_>, options: &[String], chosen: Option<&str>) -> Markup {
    let known = chosen.is_some_and(|c| options.iter().any(|o| o == c));
    let fields = html! {
        label {
            span.visually-hidden { (target.label) }
            select name="value" required data-send dir="auto" {
                @if !known { option value="" selected disabled { (look.t.entity.choose) } }
                @for option in options {
                    option value=(option) selected[chosen == Some(option.as_str())] { (option) }
                }
            }
        }
        button.button.plain-only name="action" value=(Action::Set.as_str()) { (look.t.entity.set) }
    };
    command_form(look, target, "choice", &fields)
}

fn cover(
    look: Look<'_>,
    target: &Target<'_>,
    actions: &[Action],
    open: bool,
    closed: bool,
) -> Markup {
    let t = look.t;
    let button = |action: Action, icon: Icon, text: &str, there: bool| {
        html! {
            @if actions.contains(&action) {
                button.button name="action" value=(action.as_str()) data-there[there]
                    aria-label=(format!("{text}: {}", target.label)) {
                    (icon.draw()) span { (text) }
                }
            }
        }
    };
    let fields = html! {
        (button(Action::Open, Icon::Up, t.entity.open, open))
        (button(Action::Stop, Icon::Stop, t.entity.stop, false))
        (button(Action::Close, Icon::Down, t.entity.close, closed))
    };
    command_form(look, target, "cover", &fields)
}
