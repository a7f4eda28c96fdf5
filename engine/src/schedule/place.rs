//! Where a schedule is: the home's zone and place, and zones by name.
//!
//! Owner of what local time needs. Zones come from the machine's zone table, else
//! from the one built in; `jiff` keeps each after its first use. It must never ask
//! for the machine's own zone.

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use std::fmt;

/// A time zone that was named: an IANA name such as `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone with that IANA name.
    pub fn named(name: &str) -> Option<Self> {
        // A name has no blanks and no path climbs; the length is that of the longest name, twice.
        if name.len() > 64 || name.contains("..") || name.starts_with('/') {
            return None;
        }
        let zone = TimeZone::get(name).ok()?;
        zone.iana_name().is_some().then_some(Self(zone))
    }

    /// The zone.
    pub const fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A place on Earth, for the sun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    latitude: f64,
    longitude: f64,
}

impl Place {
    /// `None` unless the degrees (north, east) are on the globe.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let sane = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        sane.then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Degrees north.
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

/// What schedules take from the home.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// Its zone: that of every trigger that names none, and of every condition.
    pub zone: TimeZone,
    /// Its place, if it is known; the sun needs it.
    pub place: Option<Place>,
}

impl Home {
    /// A home in UTC at no known place.
    pub const fn utc() -> Self {
        Self {
            zone: TimeZone::UTC,
            place: None,
        }
    }
}
