//! What was typed about a home's place: read and checked field by field.
//!
//! Owner of the fields that set-up and the home's settings share. What may be is
//! REST's to say.

use crate::api::home::{check_place, check_zone};
use crate::cities;
use iothome_views::components::place::{Problems, Typed};
use iothome_views::texts::Texts;

/// Zone and coordinates.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) zone: String,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
}

/// The place: by hand where something is typed, else that of the city, else that of `before`.
pub(super) fn read(t: &Texts, typed: &Typed, before: Option<&Place>) -> Result<Place, Problems> {
    let p = &t.places;
    let mut problems = Problems::default();
    let city = cities::of_zone(&typed.city);
    if city.is_none() && !typed.city.is_empty() {
        problems.city = Some(p.problem_city.to_owned());
    }
    let zone = match (typed.zone.trim(), city, before) {
        ("", Some(city), _) => city.zone.to_owned(),
        ("", None, Some(before)) => before.zone.clone(),
        (zone, ..) => zone.to_owned(),
    };
    if zone.is_empty() {
        problems.city = Some(p.problem_city.to_owned());
    } else if check_zone(&zone).is_err() {
        problems.zone = Some(p.problem_zone.to_owned());
    }
    let mut number = |text: &str, field: fn(&mut Problems) -> &mut Option<String>| {
        degrees(text).unwrap_or_else(|()| {
            *field(&mut problems) = Some(p.problem_number.to_owned());
            None
        })
    };
    let latitude = number(&typed.latitude, |problems| &mut problems.latitude);
    let longitude = number(&typed.longitude, |problems| &mut problems.longitude);
    if problems.any() {
        return Err(problems);
    }
    if let Err(problem) = check_place(latitude, longitude) {
        let half = latitude.is_some() != longitude.is_some();
        let words = if half {
            p.problem_half
        } else {
            p.problem_range
        };
        match problem.field.as_deref() {
            Some("latitude") => problems.latitude = Some(words.to_owned()),
            _ => problems.longitude = Some(words.to_owned()),
        }
        return Err(problems);
    }
    let by_city = city.map(|city| (city.latitude, city.longitude));
    Ok(Place {
        zone,
        latitude: latitude.or(by_city.map(|(latitude, _)| latitude)),
        longitude: longitude.or(by_city.map(|(_, longitude)| longitude)),
    })
}

/// A number with a point or a comma; nothing typed is no number.
fn degrees(text: &str) -> Result<Option<f64>, ()> {
    let text = text.trim().replace(',', ".");
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_views::texts::ENGLISH;

    fn typed(city: &str, zone: &str, latitude: &str, longitude: &str) -> Typed {
        Typed {
            city: city.into(),
            zone: zone.into(),
            latitude: latitude.into(),
            longitude: longitude.into(),
        }
    }

    fn place(zone: &str, latitude: Option<f64>, longitude: Option<f64>) -> Place {
        Place {
            zone: zone.into(),
            latitude,
            longitude,
        }
    }

    #[test]
    fn a_city_gives_zone_and_coordinates_and_what_is_typed_counts_instead() {
        let read = |typed| read(&ENGLISH, &typed, None);
        let rome = read(typed("Europe/Rome", "", "", "")).expect("a place");
        assert_eq!(rome, place("Europe/Rome", Some(41.9), Some(12.48)));
        let cottage = read(typed("Europe/Rome", "", "45,5", " 9.25 ")).expect("a place");
        assert_eq!(cottage, place("Europe/Rome", Some(45.5), Some(9.25)));
        let other = read(typed("Europe/Rome", "Europe/Paris", "", "")).expect("a place");
        assert_eq!(other.zone, "Europe/Paris");
        let zone_alone = read(typed("", "Europe/Paris", "", "")).expect("a place");
        assert_eq!(zone_alone, place("Europe/Paris", None, None));
    }

    #[test]
    fn a_place_that_stands_stays_where_nothing_is_said() {
        let before = place("Europe/Rome", Some(1.0), Some(2.0));
        let read = |typed| read(&ENGLISH, &typed, Some(&before));
        // Coordinates taken out of their fields are taken away.
        assert_eq!(
            read(typed("", "", "", "")),
            Ok(place("Europe/Rome", None, None))
        );
        assert_eq!(read(typed("", "", "1", "2")), Ok(before.clone()));
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let problems = |typed| read(&ENGLISH, &typed, None).expect_err("no place");
        assert!(problems(typed("", "", "", "")).city.is_some());
        assert!(problems(typed("Mars", "", "", "")).city.is_some());
        assert!(problems(typed("", "Mars/Olympus", "", "")).zone.is_some());
        let both = problems(typed("Europe/Rome", "", "north", "east"));
        assert!(both.latitude.is_some() && both.longitude.is_some());
        assert!(
            problems(typed("Europe/Rome", "", "91", "0"))
                .latitude
                .is_some()
        );
        assert!(
            problems(typed("Europe/Rome", "", "0", ""))
                .longitude
                .is_some()
        );
        assert!(
            problems(typed("Europe/Rome", "", "NaN", "0"))
                .latitude
                .is_some()
        );
    }
}
