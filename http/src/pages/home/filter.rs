//! What is searched for on the home page: from an address, and back into one.
//!
//! Owner of what matches. Words it does not know are ignored: an old address shows
//! too much rather than an error. It must never see who asks.

use super::tally::Tally;
use iothome_engine::ids::RoomId;
use iothome_engine::kind::Kind;
use iothome_engine::view::{DeviceView, Health};
use iothome_views::pages::home::Turned;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// Longest text searched for, in characters: as the field takes.
const TEXT_MAX: usize = 100;
/// Words looked at; whoever types more has pasted something.
const WORDS_MAX: usize = 8;
/// The portion with the highest number: far beyond any house.
const PORTION_MAX: usize = 100_000;

/// What stands in an address as it is (RFC 3986, section 2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address's own words; all of them may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct HomeQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    room: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    portion: String,
    /// What became of "all off": room, asked, skipped, unreached, failed.
    #[serde(default)]
    off: String,
}

/// A room that is looked at alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InRoom {
    /// That one.
    Of(RoomId),
    /// Devices in no room.
    None,
}

/// A state that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Being {
    /// On.
    On,
    /// Open or unlocked.
    Open,
    /// Not to be reached.
    Away,
    /// Something to look at.
    Trouble,
}

impl Being {
    /// All of them, in the order of the form.
    pub(crate) const ALL: [Self; 4] = [Self::On, Self::Open, Self::Away, Self::Trouble];

    /// The word in the address.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Open => "open",
            Self::Away => "away",
            Self::Trouble => "trouble",
        }
    }
}

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) text: String,
    words: Vec<String>,
    pub(crate) room: Option<InRoom>,
    pub(crate) kind: Option<Kind>,
    pub(crate) state: Option<Being>,
    /// From 0.
    pub(crate) portion: usize,
}

impl Filter {
    /// What an address searches for.
    pub(crate) fn of(query: &HomeQuery) -> Self {
        let text: String = query.q.trim().chars().take(TEXT_MAX).collect();
        let words = text.split_whitespace().take(WORDS_MAX);
        Self {
            words: words.map(str::to_lowercase).collect(),
            room: match query.room.as_str() {
                "none" => Some(InRoom::None),
                id => id.parse().ok().map(InRoom::Of),
            },
            kind: query.kind.parse().ok(),
            state: Being::ALL.into_iter().find(|b| b.word() == query.state),
            portion: query.portion.parse().unwrap_or(0).min(PORTION_MAX),
            text,
        }
    }

    /// Whether anything is searched for.
    pub(crate) fn is_active(&self) -> bool {
        let chosen = self.room.is_some() || self.kind.is_some() || self.state.is_some();
        chosen || !self.text.is_empty()
    }

    /// Whether the device is what is searched for; `room` is the room it stands in.
    pub(crate) fn matches(&self, device: &DeviceView, room: Option<&RoomId>) -> bool {
        let in_room = match &self.room {
            None => true,
            Some(InRoom::None) => room.is_none(),
            Some(InRoom::Of(id)) => room == Some(id),
        };
        let used = || device.entities.iter().filter(|e| e.category.is_none());
        in_room
            && self.kind.is_none_or(|kind| used().any(|e| e.kind == kind))
            && self.state.is_none_or(|state| is(device, state))
            && self.has_words(device)
    }

    fn has_words(&self, device: &DeviceView) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let about = [&device.about.manufacturer, &device.about.model];
        let about = about.into_iter().flatten().map(String::as_str);
        let names = device.entities.iter().map(|e| e.name.as_str());
        let all = [device.name.as_str(), device.id.as_str()].into_iter();
        let all = all.chain(device.room.as_deref()).chain(about).chain(names);
        let text = all.fold(String::new(), |text, part| {
            text + &part.to_lowercase() + "\n"
        });
        self.words.iter().all(|word| text.contains(word))
    }

    /// The query of its address, with another portion; empty for the whole house's first.
    pub(crate) fn query(&self, portion: usize) -> String {
        let mut parts = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                parts.push(format!("{name}={}", utf8_percent_encode(value, PLAIN)));
            }
        };
        add("q", &self.text);
        add(
            "room",
            match &self.room {
                None => "",
                Some(InRoom::None) => "none",
                Some(InRoom::Of(id)) => id.as_str(),
            },
        );
        add("kind", self.kind.map_or("", Kind::as_str));
        add("state", self.state.map_or("", Being::word));
        if portion > 0 {
            add("portion", &portion.to_string());
        }
        parts.join("&")
    }
}

/// Whether the device is so now.
fn is(device: &DeviceView, state: Being) -> bool {
    let tally = Tally::of(device, true);
    match state {
        Being::On => tally.on,
        Being::Open => tally.open,
        Being::Away => tally.away,
        Being::Trouble => {
            let failed = |e: &std::sync::Arc<iothome_engine::view::EntityView>| {
                let last = e.last_command.as_ref();
                e.not_announced || last.is_some_and(|c| c.status.is_end() && !went_well(c.status))
            };
            device.health != Health::Ok
                || !device.sender_verified
                || device.entities.iter().any(failed)
        }
    }
}

const fn went_well(status: iothome_engine::command::Status) -> bool {
    use iothome_engine::command::Status;
    matches!(
        status,
        Status::Confirmed | Status::Delivered | Status::Superseded
    )
}

/// What became of "all off", for an address.
pub(crate) fn told(turned: &Turned) -> String {
    let Turned {
        room,
        asked,
        skipped,
        unreached,
        failed,
    } = turned;
    format!("off={room}.{asked}.{skipped}.{unreached}.{failed}")
}

/// What became of "all off", from an address: numbers and a room, so that nobody's words but the
/// page's own can be put there.
pub(crate) fn turned(query: &HomeQuery) -> Option<Turned> {
    let mut parts = query.off.split('.');
    let room = parts.next()?;
    if room != "none" && room.parse::<RoomId>().is_err() {
        return None;
    }
    let mut number = || parts.next()?.parse::<u16>().ok().map(usize::from);
    Some(Turned {
        room: room.to_owned(),
        asked: number()?,
        skipped: number()?,
        unreached: number()?,
        failed: number()?,
    })
}
