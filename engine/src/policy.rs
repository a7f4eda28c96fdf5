//! Who may do what: rights of a user on a device.
//!
//! Owner of the one rule set that pages, REST, live streams and the broker's
//! access list ask. It must never ask back where the question comes from.

use crate::ids::{DeviceId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A right of a user on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See its state and history.
    View,
    /// Ask commands of it.
    Control,
    /// Schedule it.
    Schedule,
    /// Rename, configure and delete it.
    Manage,
}

impl Right {
    /// Every right, the weakest first.
    pub const ALL: [Self; 4] = [Self::View, Self::Control, Self::Schedule, Self::Manage];

    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Control => "control",
            Self::Schedule => "schedule",
            Self::Manage => "manage",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::View => 1,
            Self::Control => 2,
            Self::Schedule => 4,
            Self::Manage => 8,
        }
    }
}

/// A set of rights on one device. Any right brings `view` with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Every right.
    pub const ALL: Self = Self(15);

    /// The set of these rights; if not empty, it holds `view`.
    pub fn of(rights: &[Right]) -> Self {
        let bits = rights.iter().fold(0, |bits, right| bits | right.bit());
        Self(if bits == 0 {
            0
        } else {
            bits | Right::View.bit()
        })
    }

    /// Whether the right is in the set.
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights in it, the weakest first.
    pub fn list(self) -> Vec<Right> {
        Right::ALL.into_iter().filter(|r| self.has(*r)).collect()
    }

    /// As a number for the database (bit 0 view, 1 control, 2 schedule, 3 manage).
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From the database's number; unknown bits are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 15)
    }
}

/// What a user is to the whole house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has every right on every device, and manages users, broker and home.
    Admin,
    /// Has what is granted.
    Member,
}

impl Role {
    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Admin, Self::Member]
            .into_iter()
            .find(|r| r.as_str() == word)
    }
}

/// Who asks: a user with their role and grants at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user.
    pub user: UserId,
    /// Their sign-in name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Their grants; an administrator needs none.
    pub grants: HashMap<DeviceId, Rights>,
}

impl Subject {
    /// Their rights on the device.
    pub fn rights(&self, device: &DeviceId) -> Rights {
        match self.role {
            Role::Admin => Rights::ALL,
            Role::Member => self.grants.get(device).copied().unwrap_or(Rights::NONE),
        }
    }

    /// Whether they have the right on the device.
    pub fn may(&self, right: Right, device: &DeviceId) -> bool {
        self.rights(device).has(right)
    }

    /// Whether they may manage users, broker and home.
    pub const fn is_admin(&self) -> bool {
        matches!(self.role, Role::Admin)
    }

    /// What to answer when they ask for `right` on a device.
    pub fn decide(&self, right: Right, device: &DeviceId) -> Decision {
        let rights = self.rights(device);
        if rights.has(right) {
            return Decision::Allowed;
        }
        if rights.is_empty() {
            Decision::Hidden
        } else {
            Decision::Denied
        }
    }
}

/// The answer of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allowed,
    /// They see the device but may not do this (HTTP 403).
    Denied,
    /// For them the device does not exist (HTTP 404).
    Hidden,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn member(grants: &[(&str, &[Right])]) -> Subject {
        Subject {
            user: UserId::new(Timestamp::from_millis(0), [0; 10]),
            name: "eve".into(),
            role: Role::Member,
            grants: grants
                .iter()
                .map(|(d, r)| (d.parse().expect("an id"), Rights::of(r)))
                .collect(),
        }
    }

    #[test]
    fn a_member_sees_only_what_is_granted() {
        let eve = member(&[("lamp", &[Right::View]), ("fan", &[Right::Control])]);
        let decide = |right, device: &str| eve.decide(right, &device.parse().expect("an id"));
        assert_eq!(decide(Right::View, "lamp"), Decision::Allowed);
        assert_eq!(decide(Right::Control, "lamp"), Decision::Denied);
        assert_eq!(decide(Right::View, "fan"), Decision::Allowed);
        assert_eq!(decide(Right::View, "safe"), Decision::Hidden);
    }

    #[test]
    fn an_administrator_may_everything() {
        let mut adam = member(&[]);
        adam.role = Role::Admin;
        assert!(adam.may(Right::Manage, &"safe".parse().expect("an id")));
    }

    #[test]
    fn rights_survive_the_database() {
        for bits in 0..=255 {
            let rights = Rights::from_bits(bits);
            assert_eq!(Rights::from_bits(rights.bits()), rights);
        }
        assert_eq!(
            Rights::of(&[Right::Control]).list(),
            [Right::View, Right::Control]
        );
    }
}
