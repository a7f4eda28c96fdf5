//! Names that never change: ids of devices, entities, commands, users, sessions and schedules.
//!
//! Owner of the id grammar. It must never make an id from a serial number, a
//! counter or a clock of its own: random bytes and the time are arguments.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Longest device or entity id, in bytes.
pub const SLUG_MAX: usize = 64;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A device or entity id that breaks the grammar `[a-z0-9][a-z0-9_-]{0,63}`.
    #[error(
        "{0:?} is not an id: use 1 to 64 of a-z, 0-9, '-' and '_', starting with a letter or digit"
    )]
    Slug(String),
    /// A user, session, command or token id that is not a UUID.
    #[error("{0:?} is not an id: a UUID is needed")]
    Uuid(String),
}

fn check_slug(text: &str) -> Result<(), IdError> {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let starts_well = bytes.first().is_some_and(plain);
    let goes_on_well = bytes.iter().all(|b| plain(b) || *b == b'-' || *b == b'_');
    if starts_well && goes_on_well && bytes.len() <= SLUG_MAX {
        return Ok(());
    }
    Err(IdError::Slug(text.chars().take(SLUG_MAX + 1).collect()))
}

/// Makes an id from a name ("Kühlschrank" → `kuhlschrank`), with `-2`, `-3`… while `taken` says so.
///
/// A name without a usable letter gives `fallback` (which must itself be a valid id).
pub fn slug_from_name(name: &str, fallback: &str, mut taken: impl FnMut(&str) -> bool) -> String {
    let made = slug::slugify(name);
    let base: String = made.chars().take(SLUG_MAX - 8).collect();
    let base = base.trim_matches('-');
    let base = if check_slug(base).is_ok() {
        base
    } else {
        fallback
    };
    if !taken(base) {
        return base.to_owned();
    }
    // Ends: `taken` can know only finitely many ids, and each number is a new one.
    let mut n: u64 = 2;
    loop {
        let candidate = format!("{base}-{n}");
        if !taken(&candidate) {
            return candidate;
        }
        n += 1;
    }
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check_slug(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug_id!(
    /// A device's id: given by the client or made from the name; never changed, never reused.
    DeviceId
);
slug_id!(
    /// A room's id: made from its name; renaming the room does not change it.
    RoomId
);
slug_id!(
    /// An entity's id, unique within its device; never changed, never reused.
    EntityId
);

/// One entity of one device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityRef {
    /// The device.
    pub device: DeviceId,
    /// The entity of that device.
    pub entity: EntityId,
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.device, self.entity)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new UUIDv7 (RFC 9562, section 5.7) from the time and ten random bytes.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// Wraps a UUID that already is such an id.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| IdError::Uuid(text.chars().take(SLUG_MAX).collect()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A user's id.
    UserId
);
uuid_id!(
    /// A session's id: one signed-in browser or app.
    SessionId
);
uuid_id!(
    /// A command's id: what its MQTT correlation data carries.
    CommandId
);
uuid_id!(
    /// A broker credential's id.
    CredentialId
);
uuid_id!(
    /// A schedule's id.
    ScheduleId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_grammar() {
        for good in ["a", "0", "fridge", "esp8266-socket_1", &"a".repeat(64)] {
            assert!(good.parse::<DeviceId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "A", "a b", "ä", "a/b", &"a".repeat(65)] {
            assert!(bad.parse::<DeviceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_becomes_an_id_and_a_clash_gets_a_number() {
        assert_eq!(
            slug_from_name("Kühlschrank (neu)", "device", |_| false),
            "kuhlschrank-neu"
        );
        assert_eq!(
            slug_from_name("Lamp", "device", |s| s == "lamp" || s == "lamp-2"),
            "lamp-3"
        );
        assert_eq!(slug_from_name("!!!", "device", |_| false), "device");
        assert!(
            slug_from_name(&"x".repeat(300), "device", |_| false)
                .parse::<DeviceId>()
                .is_ok()
        );
    }

    #[test]
    fn a_uuid_v7_sorts_by_time() {
        let early = CommandId::new(Timestamp::from_millis(1_000), [9; 10]);
        let late = CommandId::new(Timestamp::from_millis(2_000), [1; 10]);
        assert!(early < late);
        assert_eq!(early.as_uuid().get_version_num(), 7);
        assert_eq!(early.to_string().parse::<CommandId>(), Ok(early));
    }
}
