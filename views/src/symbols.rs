//! The pictures that a household chooses for its rooms and devices.
//!
//! Owner of their words, which are stored and told by REST and never change, and of
//! the drawings that the icon set lacks: line drawings of our own, like those. A
//! picture never carries meaning alone; the chosen name stands beside it.

use crate::icons::Icon;
use maud::{Markup, html};

/// A picture that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each picture is named after what it shows")]
pub enum Symbol {
    Sofa,
    Bed,
    Pot,
    Table,
    Desk,
    Bath,
    Shower,
    Toilet,
    Washer,
    Stairs,
    Door,
    Window,
    Car,
    Tree,
    Umbrella,
    Pool,
    Box,
    Roof,
    Ball,
    Person,
    Wrench,
    House,
    Bulb,
    CeilingLamp,
    Plug,
    Power,
    Fan,
    Fridge,
    Oven,
    Coffee,
    Tv,
    Speaker,
    Camera,
    Router,
    Thermometer,
    Radiator,
    Blind,
    Lock,
    Bell,
    Motion,
    Eye,
    Smoke,
    Drop,
    Plant,
    Sun,
    Bolt,
    Battery,
    Gauge,
    Robot,
    Phone,
}

/// What a symbol is drawn with.
enum Drawing {
    /// A picture of the icon set.
    Of(Icon),
    /// One that is only chosen here.
    Own(&'static [&'static str]),
}

impl Symbol {
    /// Every picture, in the order of the picker: rooms first.
    pub const ALL: [Self; 50] = [
        Self::Sofa,
        Self::Bed,
        Self::Pot,
        Self::Table,
        Self::Desk,
        Self::Bath,
        Self::Shower,
        Self::Toilet,
        Self::Washer,
        Self::Stairs,
        Self::Door,
        Self::Window,
        Self::Car,
        Self::Tree,
        Self::Umbrella,
        Self::Pool,
        Self::Box,
        Self::Roof,
        Self::Ball,
        Self::Person,
        Self::Wrench,
        Self::House,
        Self::Bulb,
        Self::CeilingLamp,
        Self::Plug,
        Self::Power,
        Self::Fan,
        Self::Fridge,
        Self::Oven,
        Self::Coffee,
        Self::Tv,
        Self::Speaker,
        Self::Camera,
        Self::Router,
        Self::Thermometer,
        Self::Radiator,
        Self::Blind,
        Self::Lock,
        Self::Bell,
        Self::Motion,
        Self::Eye,
        Self::Smoke,
        Self::Drop,
        Self::Plant,
        Self::Sun,
        Self::Bolt,
        Self::Battery,
        Self::Gauge,
        Self::Robot,
        Self::Phone,
    ];

    /// The word used in REST and SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sofa => "sofa",
            Self::Bed => "bed",
            Self::Pot => "pot",
            Self::Table => "table",
            Self::Desk => "desk",
            Self::Bath => "bath",
            Self::Shower => "shower",
            Self::Toilet => "toilet",
            Self::Washer => "washer",
            Self::Stairs => "stairs",
            Self::Door => "door",
            Self::Window => "window",
            Self::Car => "car",
            Self::Tree => "tree",
            Self::Umbrella => "umbrella",
            Self::Pool => "pool",
            Self::Box => "box",
            Self::Roof => "roof",
            Self::Ball => "ball",
            Self::Person => "person",
            Self::Wrench => "wrench",
            Self::House => "home",
            Self::Bulb => "bulb",
            Self::CeilingLamp => "ceiling-lamp",
            Self::Plug => "plug",
            Self::Power => "power",
            Self::Fan => "fan",
            Self::Fridge => "fridge",
            Self::Oven => "oven",
            Self::Coffee => "coffee",
            Self::Tv => "tv",
            Self::Speaker => "speaker",
            Self::Camera => "camera",
            Self::Router => "router",
            Self::Thermometer => "thermometer",
            Self::Radiator => "radiator",
            Self::Blind => "blind",
            Self::Lock => "lock",
            Self::Bell => "bell",
            Self::Motion => "motion",
            Self::Eye => "eye",
            Self::Smoke => "smoke",
            Self::Drop => "drop",
            Self::Plant => "plant",
            Self::Sun => "sun",
            Self::Bolt => "bolt",
            Self::Battery => "battery",
            Self::Gauge => "gauge",
            Self::Robot => "robot",
            Self::Phone => "phone",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|symbol| symbol.word() == word)
    }

    /// The drawing.
    pub fn draw(self) -> Markup {
        match self.drawing() {
            Drawing::Of(icon) => icon.draw(),
            Drawing::Own(paths) => html! {
                svg.icon viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
                    path d=(paths.concat()) {}
                }
            },
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one line or two a picture")]
    const fn drawing(self) -> Drawing {
        match self {
            Self::Sofa => Drawing::Own(&[
                "M6 11V8a2.5 2.5 0 0 1 2.5-2.5h7A2.5 2.5 0 0 1 18 8v3",
                "M4 13a2 2 0 0 1 4 0v1.5h8V13a2 2 0 0 1 4 0v5H4Z",
                "M6.5 18v1.5M17.5 18v1.5",
            ]),
            Self::Bed => Drawing::Own(&[
                "M3.5 19v-4.5h17V19",
                "M3.5 14.5V6.5",
                "M3.5 12h17v2.5",
                "M20.5 12a3 3 0 0 0-3-3H10v3",
                "M6.8 10.5h.01",
            ]),
            Self::Pot => Drawing::Own(&[
                "M5 10h14v6.5a2.5 2.5 0 0 1-2.5 2.5h-9A2.5 2.5 0 0 1 5 16.5Z",
                "M3 12h2M19 12h2",
                "M9 7c0-1 1-1 1-2M13.5 7c0-1 1-1 1-2",
            ]),
            Self::Table => Drawing::Own(&["M3.5 9.5h17", "M6 9.5 5 19M18 9.5l1 9.5", "M8 6.5h8"]),
            Self::Desk => Drawing::Own(&[
                "M3.5 12h17",
                "M5 12v7.5M19 12v7.5M13 12v4h6",
                "M8 8.5V5.5h7v3",
                "M11.5 8.5V12",
            ]),
            Self::Bath => Drawing::Own(&[
                "M3.5 12h17v2a4.5 4.5 0 0 1-4.5 4.5H8A4.5 4.5 0 0 1 3.5 14Z",
                "M6 12V6.5a2 2 0 0 1 4 0",
                "M7.5 18.5 7 20.5M16.5 18.5l.5 2",
            ]),
            Self::Shower => Drawing::Own(&[
                "M6 20.5V7a3 3 0 0 1 6 0v1",
                "M8.5 10.5a3.5 3.5 0 0 1 7 0Z",
                "M10 13.5l-.5 1.5M12 13.5v1.5M14 13.5l.5 1.5M9.5 17.5 9 19M12 17.5V19M14.5 17.5l.5 1.5",
            ]),
            Self::Toilet => Drawing::Own(&[
                "M6 4.5h4V11",
                "M6 4.5v8",
                "M5 12h13a5 5 0 0 1-4.5 4.8L14 20H8.5l.3-3.6A5 5 0 0 1 5 12Z",
            ]),
            Self::Washer => Drawing::Own(&[
                "M5.5 3.5h13v17h-13Z",
                "M12 17.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8",
                "M8 6.5h.01M10.5 6.5h.01",
                "M8.3 14c1.2-1 2.4-1 3.7 0s2.5 1 3.7 0",
            ]),
            Self::Stairs => Drawing::Own(&["M4 19.5h4V16h4v-3.5h4V9h4V5.5"]),
            Self::Door => Drawing::Of(Icon::DoorClosed),
            Self::Window => Drawing::Of(Icon::Window),
            Self::Car => Drawing::Own(&[
                "M4 16.5v-4l2-5.5h12l2 5.5v4Z",
                "M4 12.5h16",
                "M6 16.5v2M18 16.5v2",
                "M7.2 14.5h.01M16.8 14.5h.01",
            ]),
            Self::Tree => Drawing::Own(&[
                "M12 20.5v-9",
                "M12 15l3-2.5",
                "M12 15.5a5 5 0 0 1-5-5.2A4 4 0 0 1 9 4.5a4 4 0 0 1 6.5 1A4.3 4.3 0 0 1 17 10.3a5 5 0 0 1-5 5.2Z",
            ]),
            Self::Umbrella => Drawing::Own(&[
                "M4 11.5a8 8 0 0 1 16 0Z",
                "M12 11.5V20.5",
                "M9 20.5h6",
                "M12 3.5v-.5",
            ]),
            Self::Pool => Drawing::Own(&[
                "M3.5 16c1.5 0 1.5 1 3 1s1.5-1 3-1 1.5 1 3 1 1.5-1 3-1 1.5 1 3 1 1.5-1 2-1",
                "M8 14V6a2 2 0 0 1 4 0M14.5 14V6a2 2 0 0 1 4 0",
                "M8 9h6.5M8 12h6.5",
                "M3.5 20c1.5 0 1.5 1 3 1s1.5-1 3-1 1.5 1 3 1 1.5-1 3-1 1.5 1 3 1 1.5-1 2-1",
            ]),
            Self::Box => Drawing::Own(&[
                "M4.5 8 12 4.5 19.5 8v8.5L12 20l-7.5-3.5Z",
                "M4.5 8l7.5 3.5L19.5 8",
                "M12 11.5V20",
            ]),
            Self::Roof => {
                Drawing::Own(&["M3 13 12 5l9 8", "M6 10.5V19h12v-8.5", "M10 19v-4.5h4V19"])
            }
            Self::Ball => Drawing::Own(&[
                "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16",
                "M4.3 10c4 2.5 11.4 2.5 15.4 0",
                "M12 4c-4 4-4 12 0 16",
            ]),
            Self::Person => Drawing::Of(Icon::Person),
            Self::Wrench => Drawing::Own(&[
                "M14.5 9.5a4.2 4.2 0 0 1 5-5L17 7l.5 2 2 .5 2-2.2a4.2 4.2 0 0 1-5.3 4.9L8 20.4a1.8 1.8 0 0 1-2.6-2.6Z",
            ]),
            Self::House => Drawing::Of(Icon::Home),
            Self::Bulb => Drawing::Of(Icon::Bulb),
            Self::CeilingLamp => Drawing::Own(&[
                "M12 3.5V9",
                "M5 15.5a7 7 0 0 1 14 0Z",
                "M10 18a2 2 0 0 0 4 0",
            ]),
            Self::Plug => Drawing::Of(Icon::Plug),
            Self::Power => Drawing::Of(Icon::Power),
            Self::Fan => Drawing::Own(&[
                "M12 13.3a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6",
                "M12 10.7C9 8 9.5 4 12 4s3 3.5 0 6.7",
                "M13.1 12.6c3.8-1.2 7 1.3 5.7 3.5s-4.7.8-5.7-3.5",
                "M10.9 12.6c-1 4-4.4 5.7-5.7 3.5s1.9-4.7 5.7-3.5",
            ]),
            Self::Fridge => {
                Drawing::Own(&["M6.5 3.5h11v17h-11Z", "M6.5 10h11", "M9.5 6v2M9.5 12.5v3"])
            }
            Self::Oven => Drawing::Own(&[
                "M4.5 4.5h15v15h-15Z",
                "M4.5 9h15",
                "M7.5 12h9v4.5h-9Z",
                "M7.5 6.8h.01M10.5 6.8h.01M16.5 6.8h.01",
            ]),
            Self::Coffee => Drawing::Own(&[
                "M5 9.5h11v6A3.5 3.5 0 0 1 12.5 19h-4A3.5 3.5 0 0 1 5 15.5Z",
                "M16 11h1.5a2.5 2.5 0 0 1 0 5H16",
                "M8.5 7c0-1 1-1 1-2M12 7c0-1 1-1 1-2",
            ]),
            Self::Tv => Drawing::Own(&["M3.5 6h17v11h-17Z", "M8 20h8"]),
            Self::Speaker => Drawing::Own(&[
                "M7 3.5h10v17H7Z",
                "M12 17.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
                "M12 7.5h.01",
            ]),
            Self::Camera => Drawing::Own(&["M4 7.5h11v9H4Z", "M15 11l5-2.5v7L15 13"]),
            Self::Router => Drawing::Of(Icon::Broker),
            Self::Thermometer => Drawing::Of(Icon::Thermometer),
            Self::Radiator => Drawing::Own(&[
                "M5 7h14v10H5Z",
                "M8.5 7v10M12 7v10M15.5 7v10",
                "M7 17v2.5M17 17v2.5",
                "M3 10h2M19 14h2",
            ]),
            Self::Blind => Drawing::Of(Icon::Blind),
            Self::Lock => Drawing::Of(Icon::Locked),
            Self::Bell => Drawing::Own(&[
                "M6 16.5h12c-1.5-1.5-1.5-3-1.5-6a4.5 4.5 0 0 0-9 0c0 3 0 4.5-1.5 6Z",
                "M10.5 19.5a1.8 1.8 0 0 0 3 0",
                "M12 6V4",
            ]),
            Self::Motion => Drawing::Of(Icon::Motion),
            Self::Eye => Drawing::Of(Icon::Eye),
            Self::Smoke => Drawing::Of(Icon::Smoke),
            Self::Drop => Drawing::Of(Icon::Drop),
            Self::Plant => Drawing::Own(&[
                "M8 15h8l-1 5.5H9Z",
                "M12 15V9",
                "M12 11C8.5 11 7 9 7 6c3 0 5 1.5 5 5Z",
                "M12 9c0-3 1.5-5 5-5 0 3.5-1.5 5-5 5Z",
            ]),
            Self::Sun => Drawing::Of(Icon::Sun),
            Self::Bolt => Drawing::Of(Icon::Bolt),
            Self::Battery => Drawing::Of(Icon::Battery),
            Self::Gauge => Drawing::Of(Icon::Gauge),
            Self::Robot => Drawing::Own(&[
                "M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15",
                "M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
                "M8.5 6.5c2-1.5 5-1.5 7 0",
            ]),
            Self::Phone => Drawing::Of(Icon::Phone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_picture_reads_back_from_its_word_and_is_drawn() {
        let words: HashSet<&str> = Symbol::ALL.into_iter().map(Symbol::word).collect();
        assert_eq!(words.len(), Symbol::ALL.len());
        for symbol in Symbol::ALL {
            assert_eq!(Symbol::from_word(symbol.word()), Some(symbol));
            assert!(symbol.draw().into_string().contains("<path d=\"M"));
        }
        assert_eq!(Symbol::from_word("unicorn"), None);
    }
}
