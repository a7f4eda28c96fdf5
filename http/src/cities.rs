//! A city for every time zone, with its country and coordinates.
//!
//! Owner of the table. It comes from `zone.tab` of the time zone database, which is
//! in the public domain: name, ISO 3166 code, degrees north, degrees east. It must
//! never be asked where somebody is: people choose.

use iothome_views::components::place;
use std::sync::LazyLock;

static TABLE: &str = include_str!("cities.tsv");

/// A city.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct City {
    /// Its time zone.
    pub(crate) zone: &'static str,
    /// Its country's code.
    pub(crate) country: &'static str,
    /// Degrees north.
    pub(crate) latitude: f64,
    /// Degrees east.
    pub(crate) longitude: f64,
}

/// What browsers may still call a zone (`backward` of the time zone database).
const ALSO: [(&str, &str); 18] = [
    ("Africa/Asmara", "Africa/Asmera"),
    ("America/Argentina/Buenos_Aires", "America/Buenos_Aires"),
    ("America/Argentina/Catamarca", "America/Catamarca"),
    ("America/Argentina/Cordoba", "America/Cordoba"),
    ("America/Argentina/Jujuy", "America/Jujuy"),
    ("America/Argentina/Mendoza", "America/Mendoza"),
    ("America/Atikokan", "America/Coral_Harbour"),
    ("America/Indiana/Indianapolis", "America/Indianapolis"),
    ("America/Kentucky/Louisville", "America/Louisville"),
    ("America/Nuuk", "America/Godthab"),
    ("Asia/Ho_Chi_Minh", "Asia/Saigon"),
    ("Asia/Kathmandu", "Asia/Katmandu"),
    ("Asia/Kolkata", "Asia/Calcutta"),
    ("Asia/Yangon", "Asia/Rangoon"),
    ("Atlantic/Faroe", "Atlantic/Faeroe"),
    ("Europe/Kyiv", "Europe/Kiev"),
    ("Pacific/Chuuk", "Pacific/Truk"),
    ("Pacific/Pohnpei", "Pacific/Ponape"),
];

static CITIES: LazyLock<Vec<City>> = LazyLock::new(|| TABLE.lines().filter_map(read).collect());

fn read(line: &'static str) -> Option<City> {
    let mut parts = line.split('\t');
    Some(City {
        zone: parts.next()?,
        country: parts.next()?,
        latitude: parts.next()?.parse().ok()?,
        longitude: parts.next()?.parse().ok()?,
    })
}

/// The city of that zone.
pub(crate) fn of_zone(zone: &str) -> Option<City> {
    CITIES.iter().find(|city| city.zone == zone).copied()
}

/// Every city, as the form shows them.
pub(crate) fn to_choose() -> Vec<place::City> {
    let also = |zone| {
        ALSO.iter()
            .find(|(name, _)| *name == zone)
            .map(|(_, also)| *also)
    };
    CITIES
        .iter()
        .map(|city| place::City {
            zone: city.zone,
            country: city.country,
            also: also(city.zone),
        })
        .collect()
}

/// Names of zones to suggest: those named after a place.
pub(crate) fn zones() -> Vec<String> {
    const REGIONS: [&str; 9] = [
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    ];
    let mut zones: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| REGIONS.iter().any(|region| name.starts_with(region)))
        .collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_city_whose_zone_the_hub_knows_at_a_place_on_the_globe() {
        assert_eq!(CITIES.len(), TABLE.lines().count());
        assert!(CITIES.len() > 400);
        for city in CITIES.iter() {
            assert!(jiff::tz::TimeZone::get(city.zone).is_ok(), "{}", city.zone);
            assert!(city.latitude.abs() <= 90.0 && city.longitude.abs() <= 180.0);
            assert_eq!(city.country.len(), 2);
        }
    }

    #[test]
    fn every_country_has_a_name_in_every_language() {
        for t in iothome_views::texts::LANGUAGES {
            for city in CITIES.iter() {
                assert!(
                    !(t.places.country)(city.country).is_empty(),
                    "{}",
                    city.country
                );
            }
        }
    }

    #[test]
    fn a_city_is_found_by_its_zone_and_old_names_lead_to_known_ones() {
        let berlin = of_zone("Europe/Berlin").expect("a city");
        assert!((berlin.latitude - 52.5).abs() < 0.1 && (berlin.longitude - 13.37).abs() < 0.1);
        assert_eq!(of_zone("Mars/Olympus"), None);
        for (zone, _) in ALSO {
            assert!(of_zone(zone).is_some(), "{zone}");
        }
    }

    #[test]
    fn zones_are_places() {
        let zones = zones();
        assert!(zones.iter().any(|zone| zone == "Europe/Berlin"));
        assert!(!zones.iter().any(|zone| zone.starts_with("Etc/")));
    }
}
