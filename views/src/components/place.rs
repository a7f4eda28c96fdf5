//! Where a home is: the nearest city, or zone and coordinates by hand.
//!
//! Owner of those fields. It must never show a map, nor ask anything from outside.

use super::form::Field;
use crate::texts::Texts;
use maud::{Markup, html};

/// The name of the list of cities in the form.
pub const CITY_FIELD: &str = "city";

/// A city of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct City {
    /// Its time zone, which is also its key: there is one city for each.
    pub zone: &'static str,
    /// Its country's ISO 3166 code.
    pub country: &'static str,
    /// What browsers may still call the zone.
    pub also: Option<&'static str>,
}

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The chosen city.
    pub city: String,
    /// Time zone by hand.
    pub zone: String,
    /// Latitude by hand.
    pub latitude: String,
    /// Longitude by hand.
    pub longitude: String,
}

/// What is wrong with it, by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// About the city.
    pub city: Option<String>,
    /// About the zone.
    pub zone: Option<String>,
    /// About latitude.
    pub latitude: Option<String>,
    /// About longitude.
    pub longitude: Option<String>,
}

impl Problems {
    /// Whether something is wrong with what is typed by hand.
    const fn by_hand(&self) -> bool {
        self.zone.is_some() || self.latitude.is_some() || self.longitude.is_some()
    }

    /// Whether anything is wrong.
    pub const fn any(&self) -> bool {
        self.city.is_some() || self.by_hand()
    }
}

/// The fields of a place.
#[derive(Clone, Copy, Debug)]
pub struct PlaceFields<'a> {
    /// Every city.
    pub cities: &'a [City],
    /// Every zone's name, to suggest.
    pub zones: &'a [String],
    /// What was typed.
    pub typed: &'a Typed,
    /// What is wrong with it.
    pub problems: &'a Problems,
    /// Whether a city must be chosen (else there is a place already).
    pub fresh: bool,
}

impl PlaceFields<'_> {
    /// The fields.
    pub fn draw(&self, t: &Texts) -> Markup {
        let open = self.problems.by_hand() || !self.fresh;
        html! {
            (self.city(t))
            details.by-hand open[open] {
                summary { (t.places.by_hand) }
                div.stack {
                    p.hint { (t.places.by_hand_hint) }
                    (self.zone(t))
                    datalist #zones { @for zone in self.zones { option value=(zone) {} } }
                    div.two {
                        (degrees("latitude", t.places.latitude, &self.typed.latitude, self.problems.latitude.as_deref()))
                        (degrees("longitude", t.places.longitude, &self.typed.longitude, self.problems.longitude.as_deref()))
                    }
                }
            }
        }
    }

    fn city(&self, t: &Texts) -> Markup {
        let problem = self.problems.city.as_deref();
        let described = if problem.is_some() {
            "city-problem city-hint"
        } else {
            "city-hint"
        };
        let none = if self.fresh {
            t.places.city_choose
        } else {
            t.places.city_keep
        };
        html! {
            div.field data-guess-zone[self.fresh] {
                label for=(CITY_FIELD) { (t.places.city) }
                select id=(CITY_FIELD) name=(CITY_FIELD) aria-describedby=(described) aria-invalid=[problem.map(|_| "true")] {
                    option value="" { (none) }
                    @for (region, cities) in regions(t, self.cities) {
                        optgroup label=(region) {
                            @for (name, city) in cities {
                                option value=(city.zone) data-also=[city.also] selected[city.zone == self.typed.city] {
                                    (name) " · " ((t.places.country)(city.country))
                                }
                            }
                        }
                    }
                }
                @if let Some(problem) = problem { (super::form::problem("city-problem", problem)) }
                p.hint #city-hint { (t.places.city_hint) }
            }
        }
    }

    fn zone(&self, t: &Texts) -> Markup {
        Field {
            name: "zone",
            label: t.places.zone,
            hint: Some(t.places.zone_hint),
            value: &self.typed.zone,
            problem: self.problems.zone.as_deref(),
            kind: "text",
            autocomplete: Some("off"),
            max: Some(64),
            list: Some("zones"),
            ..Field::default()
        }
        .draw()
    }
}

fn degrees(name: &str, label: &str, value: &str, problem: Option<&str>) -> Markup {
    Field {
        name,
        label,
        value,
        problem,
        kind: "text",
        inputmode: Some("decimal"),
        autocomplete: Some("off"),
        max: Some(24),
        ..Field::default()
    }
    .draw()
}

/// The cities by part of the world, each part in the order of the names.
fn regions(t: &Texts, cities: &[City]) -> Vec<(&'static str, Vec<(String, City)>)> {
    let mut regions: Vec<(&'static str, Vec<(String, City)>)> = Vec::new();
    for city in cities {
        let region = city.zone.split('/').next().unwrap_or_default();
        let words = (t.places.region)(region);
        let named = (city_name(t, city.zone), *city);
        match regions.iter_mut().find(|(name, _)| *name == words) {
            Some((_, of_region)) => of_region.push(named),
            None => regions.push((words, vec![named])),
        }
    }
    for (_, of_region) in &mut regions {
        of_region.sort_by_cached_key(|(name, _)| name.to_lowercase());
    }
    regions
}

/// What people call the city of a zone.
pub fn city_name(t: &Texts, zone: &str) -> String {
    (t.places.city_name)(zone).map_or_else(
        || zone.rsplit('/').next().unwrap_or(zone).replace('_', " "),
        ToOwned::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};

    #[test]
    fn a_city_is_called_as_people_call_it() {
        assert_eq!(
            city_name(&ENGLISH, "America/Argentina/Buenos_Aires"),
            "Buenos Aires"
        );
        assert_eq!(city_name(&ENGLISH, "Europe/Vienna"), "Vienna");
        assert_eq!(city_name(&GERMAN, "Europe/Vienna"), "Wien");
        assert_eq!(city_name(&GERMAN, "Europe/Zurich"), "Zürich");
    }
}
