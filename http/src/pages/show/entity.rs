//! One entity put into words: state, tone, icon, freshness, trouble.
//!
//! Owner of what a state is called and how it is to be taken.

use super::{Reading, command, control};
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_engine::view::{Availability, DeviceView, EntityView, Freshness, Health};
use iothome_views::components::Tone;
use iothome_views::components::canvas::Ink;
use iothome_views::components::entity::{EntityPanel, Trouble};
use iothome_views::icons::Icon;
use iothome_views::numbers::readable;
use iothome_views::texts::Texts;

/// Longest state word shown; a device may report a kilobyte.
const STATE_MAX: usize = 200;

/// The entity, ready to be shown.
pub(super) fn panel(reading: Reading<'_>, device: &DeviceView, entity: &EntityView) -> EntityPanel {
    let words = state_words(reading, entity);
    EntityPanel {
        device: device.id.clone(),
        entity: entity.id.clone(),
        name: entity.name.clone(),
        device_name: device.name.clone(),
        icon: Icon::of(
            entity.kind,
            entity.device_class.as_deref(),
            is_active(entity),
        ),
        tone: tone(entity),
        exact: exact(entity, &words),
        unit: unit(entity),
        state: words,
        freshness: entity.freshness,
        reported: entity.reported_at.map(|at| reading.when(at)),
        trouble: trouble(reading, device, entity),
        control: control::of(reading, entity),
        pending: entity
            .pending
            .as_ref()
            .map(|pending| command::pending(reading, entity, pending)),
        outcome: entity
            .last_command
            .as_ref()
            .and_then(|last| command::outcome(reading, entity, last)),
    }
}

fn word(entity: &EntityView) -> Option<&str> {
    entity.state.as_ref().and_then(Value::as_word)
}

fn is_active(entity: &EntityView) -> bool {
    matches!(
        word(entity),
        Some("on" | "open" | "opening" | "closing" | "unlocked" | "unlocking")
    )
}

fn state_words(reading: Reading<'_>, entity: &EntityView) -> String {
    let t = reading.t;
    match &entity.state {
        None => stateless(reading, entity),
        Some(Value::Word(w)) if entity.kind != Kind::BinarySensor => with_share(
            t,
            entity,
            w,
            words_of(reading, entity, &Value::Word(w.clone())),
        ),
        Some(state) => words_of(reading, entity, state),
    }
}

/// What a state of the entity is called, whatever else is known of it.
pub(super) fn words_of(reading: Reading<'_>, entity: &EntityView, state: &Value) -> String {
    let t = reading.t;
    let class = entity.device_class.as_deref();
    match (entity.kind, state) {
        (_, Value::Number(number)) => readable(t, number.get()),
        (Kind::BinarySensor, Value::Word(w)) if w == "on" || w == "off" => {
            (t.words.binary)(class, w == "on").to_owned()
        }
        (Kind::Sensor, Value::Word(w)) if class == Some("timestamp") => {
            Timestamp::parse(w).map_or_else(|| cut(w), |at| reading.when(at).short().to_owned())
        }
        (kind, Value::Word(w)) => (t.words.state)(kind, w).map_or_else(|| cut(w), str::to_owned),
    }
}

/// A button has no state; a cover may tell its position alone.
fn stateless(reading: Reading<'_>, entity: &EntityView) -> String {
    match (entity.kind, share(reading.t, entity)) {
        (Kind::Button, _) => (reading.t.words.kind)(Kind::Button).to_owned(),
        (Kind::Cover, Some(share)) => share,
        _ => reading.t.entity.state_unknown.to_owned(),
    }
}

/// "On · 62 %": brightness while on, position unless fully closed.
fn with_share(t: &Texts, entity: &EntityView, word: &str, known: String) -> String {
    let tells = matches!(
        (entity.kind, word),
        (Kind::Light, "on") | (Kind::Cover, "open" | "opening" | "closing" | "stopped")
    );
    // "Open" says as much as "Open · 100 %".
    let fully = |share: &String| entity.kind == Kind::Cover && word == "open" && share == "100 %";
    match share(t, entity).filter(|share| tells && !fully(share)) {
        Some(share) => format!("{known} · {share}"),
        None => known,
    }
}

fn share(t: &Texts, entity: &EntityView) -> Option<String> {
    let attribute = match entity.kind {
        Kind::Light => "brightness",
        Kind::Cover => "position",
        _ => return None,
    };
    let value = entity.attributes.get(attribute)?.as_f64()?;
    Some(format!("{} %", readable(t, value)))
}

fn cut(word: &str) -> String {
    if word.chars().count() <= STATE_MAX {
        return word.to_owned();
    }
    let mut short: String = word.chars().take(STATE_MAX).collect();
    short.push('…');
    short
}

/// The state as it was reported, where the words are rounded, translated or cut.
fn exact(entity: &EntityView, words: &str) -> Option<String> {
    let Some(Value::Number(number)) = &entity.state else {
        return None;
    };
    let exact = number.get().to_string();
    (exact != words).then_some(exact)
}

fn unit(entity: &EntityView) -> Option<String> {
    let is_number = entity
        .state
        .as_ref()
        .is_some_and(|s| s.as_number().is_some());
    entity.unit.clone().filter(|_| is_number)
}

fn tone(entity: &EntityView) -> Tone {
    let away = matches!(
        entity.availability,
        Availability::Offline | Availability::Unavailable
    );
    if away || entity.state.is_none() {
        return Tone::Dim;
    }
    match (entity.kind, word(entity)) {
        (Kind::Lock, Some("jammed")) => Tone::Bad,
        (Kind::Lock, Some("unlocked" | "unlocking")) => Tone::Notice,
        (Kind::BinarySensor, Some("on")) => alarm_tone(entity.device_class.as_deref()),
        (Kind::Switch | Kind::Light | Kind::Cover, _) if is_active(entity) => Tone::Active,
        _ => Tone::Calm,
    }
}

/// How a detector's "on" is drawn.
pub(super) fn alarm_ink(class: Option<&str>) -> Ink {
    match alarm_tone(class) {
        Tone::Bad => Ink::Bad,
        Tone::Notice => Ink::Notice,
        Tone::Active => Ink::Active,
        Tone::Calm | Tone::Good | Tone::Dim => Ink::Calm,
    }
}

fn alarm_tone(class: Option<&str>) -> Tone {
    match class {
        Some(
            "smoke" | "gas" | "carbon_monoxide" | "moisture" | "problem" | "safety" | "tamper",
        ) => Tone::Bad,
        Some("battery" | "lock" | "heat" | "cold") => Tone::Notice,
        Some("connectivity" | "plug" | "power") => Tone::Calm,
        _ => Tone::Active,
    }
}

/// What is wrong with this entity that is not already said of its device.
fn trouble(reading: Reading<'_>, device: &DeviceView, entity: &EntityView) -> Option<Trouble> {
    let t = reading.t;
    if entity.not_announced && device.health != Health::NotAnnounced {
        return Some(Trouble {
            tone: Tone::Notice,
            icon: Icon::Question,
            words: t.entity.not_announced.to_owned(),
        });
    }
    let alone = entity.availability == Availability::Offline
        && device.availability != Availability::Offline
        && device.health != Health::Quarantined;
    alone.then(|| Trouble {
        tone: Tone::Notice,
        icon: Icon::Away,
        words: t.entity.away_entity.to_owned(),
    })
}

/// Whether the freshness line would say nothing a person needs.
pub(super) fn is_heard(entity: &EntityView) -> bool {
    entity.freshness != Freshness::Never
}
