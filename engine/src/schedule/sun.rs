//! The sun: when it rises and sets, and whether it is up.
//!
//! Owner of the one place that knows the astronomy library. Events are told to the
//! minute, as almanacs do; air and mountains move them more than that. Each solar
//! day is searched between the same bounds whoever asks, so that an event has one
//! instant. It must never know a schedule.

use super::calculus::Found;
use super::place::Place;
use super::trigger::SunEvent;
use super::wall::{DAY, HORIZON};
use crate::time::Timestamp;
use solar_positioning::time::JulianDate;
use solar_positioning::{Horizon, Location, SolarEvents, SolarPositions};

/// TT minus UT1 in seconds: 69 around 2026, and a minute more moves no event by a second.
const DELTA_T: f64 = 69.2;
/// The Julian date of the Unix epoch.
const EPOCH: f64 = 2_440_587.5;
/// The sun's centre when its upper limb is at the horizon: refraction and half its width.
const HORIZON_DEGREES: f64 = -50.0 / 60.0;
/// The library's model begins with 2010: 2010-01-02T00:00:00Z.
const FIRST: i64 = 1_262_390_400;
/// Longest search, in solar days: beyond the polar circles there may be no event for half a year,
/// and the limits of a trigger may leave out a few more.
const DAYS_MAX: i64 = 5_000;

/// The first event after `after`, once `offset` seconds are added, whose date is allowed.
///
/// `leap` says of an instant `None` if its date is allowed, else the instant to go on from.
pub(super) fn next_after(
    place: Place,
    event: SunEvent,
    offset: i64,
    after: i64,
    leap: impl Fn(i64) -> Option<Option<i64>>,
) -> Option<Found> {
    // Half a minute of rounding, and the day that may hold both sides of `after`.
    let mut day = solar_day(place, (after - offset - 60).max(FIRST));
    for _ in 0..DAYS_MAX {
        if day * DAY >= HORIZON {
            return None;
        }
        let mut next_day = day + 1;
        for at in events(place, event, day).into_iter().flatten() {
            let at = at + offset;
            if at <= after {
                continue;
            }
            match leap(at) {
                None => return Some(Found::at(at)),
                Some(to) => next_day = next_day.max(solar_day(place, to? - offset - 60)),
            }
        }
        day = next_day;
    }
    None
}

/// Whether the sun is up at an instant.
pub(super) fn is_up(place: Place, at: Timestamp) -> bool {
    let seconds = at.as_millis().div_euclid(1000);
    JulianDate::new(julian(seconds), DELTA_T)
        .and_then(|time| SolarPositions::grena3().at_from_julian(time, location(place), 0.0, None))
        .is_ok_and(|position| position.elevation_angle() > HORIZON_DEGREES)
}

/// The number of the solar day (from midnight to midnight by the sun) that an instant lies in.
fn solar_day(place: Place, at: i64) -> i64 {
    (at + east_seconds(place)).div_euclid(DAY)
}

/// How far the sun is ahead of Greenwich, in whole seconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a longitude gives half a day at most"
)]
fn east_seconds(place: Place) -> i64 {
    (place.longitude() * 240.0).round() as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds up to the horizon fit 2^53"
)]
fn julian(seconds: i64) -> f64 {
    EPOCH + seconds as f64 / 86_400.0
}

/// A Julian date to the nearest minute, as an instant.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the searched days lie before the horizon"
)]
fn minute_of(julian: f64) -> i64 {
    ((julian - EPOCH) * 1_440.0).round() as i64 * 60
}

const fn location(place: Place) -> Location {
    Location {
        latitude: place.latitude(),
        longitude: place.longitude(),
    }
}

/// The events of one solar day: mostly one, none in the polar seasons, two at their edges.
fn events(place: Place, event: SunEvent, day: i64) -> [Option<i64>; 2] {
    let start = day * DAY - east_seconds(place);
    let (start, end) = (julian(start), julian(start + DAY));
    let Some(first) = one_event(place, event, start, end) else {
        return [None, None];
    };
    let second = one_event(place, event, first, end);
    [Some(minute_of(first)), second.map(minute_of)]
}

fn one_event(place: Place, event: SunEvent, start: f64, end: f64) -> Option<f64> {
    let sun = SolarEvents::grena3();
    let place = location(place);
    let found = match event {
        SunEvent::Sunrise => {
            sun.next_rise_from_julian(start, end, place, DELTA_T, Horizon::SunriseSunset)
        }
        SunEvent::Sunset => {
            sun.next_set_from_julian(start, end, place, DELTA_T, Horizon::SunriseSunset)
        }
        SunEvent::Dawn => {
            sun.next_rise_from_julian(start, end, place, DELTA_T, Horizon::CivilTwilight)
        }
        SunEvent::Dusk => {
            sun.next_set_from_julian(start, end, place, DELTA_T, Horizon::CivilTwilight)
        }
    };
    // It fails outside of the years 2010 to 2110, where there is no event that anybody needs.
    found.ok().flatten()
}
