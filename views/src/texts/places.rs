//! Texts of time zones and places: fields, regions, cities, countries.
//!
//! Owner of their wording in every language. It must never hold markup.

use super::countries;

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct PlaceTexts {
    pub city: &'static str,
    pub city_hint: &'static str,
    pub city_choose: &'static str,
    pub city_keep: &'static str,
    pub by_hand: &'static str,
    pub by_hand_hint: &'static str,
    pub zone: &'static str,
    pub zone_hint: &'static str,
    pub latitude: &'static str,
    pub longitude: &'static str,
    pub problem_city: &'static str,
    pub problem_zone: &'static str,
    pub problem_number: &'static str,
    pub problem_range: &'static str,
    pub problem_half: &'static str,
    /// The part of the world that a zone's name begins with.
    pub region: fn(&str) -> &'static str,
    /// A city that is called otherwise than its zone says.
    pub city_name: fn(&str) -> Option<&'static str>,
    /// The country of an ISO 3166 code.
    pub country: fn(&str) -> &'static str,
}

pub(super) const ENGLISH: PlaceTexts = PlaceTexts {
    city: "The nearest city",
    city_hint: "It gives the time zone, and sunrise and sunset to some minutes. Kept on this hub.",
    city_choose: "Choose the city that is nearest",
    city_keep: "Leave it as it is",
    by_hand: "Say it more exactly",
    by_hand_hint: "Only if you like. What you type here counts instead of the city. Maps on phones show the coordinates of a place.",
    zone: "Time zone",
    zone_hint: "For example Europe/Berlin.",
    latitude: "Latitude",
    longitude: "Longitude",
    problem_city: "Please choose a city.",
    problem_zone: "This is not a known time zone. Pick one from the list, such as Europe/Berlin.",
    problem_number: "Please give a number in degrees, such as 52.52.",
    problem_range: "Latitude goes from -90 to 90, longitude from -180 to 180.",
    problem_half: "Please give both latitude and longitude, or neither.",
    region: region_in_english,
    city_name: city_in_english,
    country: countries::english,
};

pub(super) const GERMAN: PlaceTexts = PlaceTexts {
    city: "Die nächste Stadt",
    city_hint: "Sie gibt die Zeitzone sowie Sonnenauf- und -untergang auf einige Minuten. Bleibt auf diesem Hub.",
    city_choose: "Die nächstgelegene Stadt wählen",
    city_keep: "So lassen, wie es ist",
    by_hand: "Genauer angeben",
    by_hand_hint: "Nur wenn Sie möchten. Was hier steht, gilt statt der Stadt. Karten auf Telefonen zeigen die Koordinaten eines Ortes.",
    zone: "Zeitzone",
    zone_hint: "Zum Beispiel Europe/Berlin.",
    latitude: "Breitengrad",
    longitude: "Längengrad",
    problem_city: "Bitte eine Stadt wählen.",
    problem_zone: "Diese Zeitzone ist nicht bekannt. Bitte eine aus der Liste wählen, etwa Europe/Berlin.",
    problem_number: "Bitte eine Zahl in Grad angeben, etwa 52,52.",
    problem_range: "Breitengrade gehen von -90 bis 90, Längengrade von -180 bis 180.",
    problem_half: "Bitte Breiten- und Längengrad angeben oder keinen von beiden.",
    region: region_in_german,
    city_name: city_in_german,
    country: countries::german,
};

fn region_in_english(region: &str) -> &'static str {
    match region {
        "Africa" => "Africa",
        "America" => "America",
        "Antarctica" => "Antarctica",
        "Arctic" => "Arctic",
        "Asia" => "Asia",
        "Atlantic" => "Atlantic Ocean",
        "Australia" => "Australia",
        "Europe" => "Europe",
        "Indian" => "Indian Ocean",
        "Pacific" => "Pacific Ocean",
        _ => "Elsewhere",
    }
}

fn region_in_german(region: &str) -> &'static str {
    match region {
        "Africa" => "Afrika",
        "America" => "Amerika",
        "Antarctica" => "Antarktis",
        "Arctic" => "Arktis",
        "Asia" => "Asien",
        "Atlantic" => "Atlantik",
        "Australia" => "Australien",
        "Europe" => "Europa",
        "Indian" => "Indischer Ozean",
        "Pacific" => "Pazifik",
        _ => "Anderswo",
    }
}

fn city_in_english(zone: &str) -> Option<&'static str> {
    Some(match zone {
        "Africa/Sao_Tome" => "São Tomé",
        "America/Asuncion" => "Asunción",
        "America/Bogota" => "Bogotá",
        "America/Cancun" => "Cancún",
        "America/Sao_Paulo" => "São Paulo",
        "America/St_Johns" => "St. John’s",
        "Europe/Busingen" => "Büsingen",
        "Europe/Zurich" => "Zürich",
        "Indian/Reunion" => "Réunion",
        "Pacific/Noumea" => "Nouméa",
        _ => return None,
    })
}

fn city_in_german(zone: &str) -> Option<&'static str> {
    Some(match zone {
        "Africa/Addis_Ababa" => "Addis Abeba",
        "Africa/Algiers" => "Algier",
        "Africa/Cairo" => "Kairo",
        "Africa/Dar_es_Salaam" => "Daressalam",
        "Africa/Djibouti" => "Dschibuti",
        "Africa/Khartoum" => "Khartum",
        "Africa/Mogadishu" => "Mogadischu",
        "Africa/Ndjamena" => "N’Djamena",
        "Africa/Tripoli" => "Tripolis",
        "America/Guatemala" => "Guatemala-Stadt",
        "America/Havana" => "Havanna",
        "America/Mexico_City" => "Mexiko-Stadt",
        "America/Panama" => "Panama-Stadt",
        "Asia/Baghdad" => "Bagdad",
        "Asia/Bishkek" => "Bischkek",
        "Asia/Damascus" => "Damaskus",
        "Asia/Dushanbe" => "Duschanbe",
        "Asia/Ho_Chi_Minh" => "Ho-Chi-Minh-Stadt",
        "Asia/Hong_Kong" => "Hongkong",
        "Asia/Irkutsk" => "Irkutsk",
        "Asia/Kolkata" => "Kalkutta",
        "Asia/Kuwait" => "Kuwait-Stadt",
        "Asia/Manila" => "Manila",
        "Asia/Muscat" => "Maskat",
        "Asia/Nicosia" => "Nikosia",
        "Asia/Novosibirsk" => "Nowosibirsk",
        "Asia/Pyongyang" => "Pjöngjang",
        "Asia/Riyadh" => "Riad",
        "Asia/Shanghai" => "Schanghai",
        "Asia/Singapore" => "Singapur",
        "Asia/Taipei" => "Taipeh",
        "Asia/Tashkent" => "Taschkent",
        "Asia/Tbilisi" => "Tiflis",
        "Asia/Tehran" => "Teheran",
        "Asia/Thimphu" => "Thimphu",
        "Asia/Tokyo" => "Tokio",
        "Asia/Vladivostok" => "Wladiwostok",
        "Asia/Yakutsk" => "Jakutsk",
        "Asia/Yekaterinburg" => "Jekaterinburg",
        "Asia/Yerevan" => "Jerewan",
        "Atlantic/Canary" => "Kanarische Inseln",
        "Atlantic/Azores" => "Azoren",
        "Atlantic/Faroe" => "Färöer",
        "Europe/Athens" => "Athen",
        "Europe/Belgrade" => "Belgrad",
        "Europe/Brussels" => "Brüssel",
        "Europe/Bucharest" => "Bukarest",
        "Europe/Chisinau" => "Chișinău",
        "Europe/Copenhagen" => "Kopenhagen",
        "Europe/Kyiv" => "Kyjiw",
        "Europe/Lisbon" => "Lissabon",
        "Europe/Luxembourg" => "Luxemburg",
        "Europe/Moscow" => "Moskau",
        "Europe/Prague" => "Prag",
        "Europe/Rome" => "Rom",
        "Europe/Sofia" => "Sofia",
        "Europe/Tirane" => "Tirana",
        "Europe/Vatican" => "Vatikanstadt",
        "Europe/Vienna" => "Wien",
        "Europe/Volgograd" => "Wolgograd",
        "Europe/Warsaw" => "Warschau",
        "Indian/Maldives" => "Malediven",
        other => return city_in_english(other),
    })
}
