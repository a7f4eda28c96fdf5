//! The icon set: line drawings of our own, 24 units square, in the colour of the text.
//!
//! Owner of every picture in a page. An icon never carries meaning alone: words
//! stand beside it, so it is hidden from readers. The drawings were made for this
//! program and are under its licence (see LICENSE.md); none comes from elsewhere.

use iothome_engine::kind::Kind;
use maud::{Markup, html};

/// A picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each icon is named after what it shows")]
pub enum Icon {
    Home,
    Plus,
    Broker,
    Person,
    Back,
    Forth,
    Power,
    Plug,
    Bulb,
    Gauge,
    Thermometer,
    Drop,
    Bolt,
    Battery,
    Sun,
    Signal,
    Motion,
    DoorOpen,
    DoorClosed,
    Window,
    Sliders,
    List,
    Press,
    Blind,
    Locked,
    Unlocked,
    Up,
    Down,
    Stop,
    Minus,
    Check,
    Cross,
    Clock,
    Warning,
    Away,
    Question,
    Shield,
    Smoke,
    Eye,
    Wave,
    Phone,
    Copy,
    Dot,
    Star,
    Search,
    Filter,
}

impl Icon {
    /// Every picture.
    pub const ALL: [Self; 43] = [
        Self::Home,
        Self::Plus,
        Self::Broker,
        Self::Person,
        Self::Back,
        Self::Forth,
        Self::Power,
        Self::Plug,
        Self::Bulb,
        Self::Gauge,
        Self::Thermometer,
        Self::Drop,
        Self::Bolt,
        Self::Battery,
        Self::Sun,
        Self::Signal,
        Self::Motion,
        Self::DoorOpen,
        Self::DoorClosed,
        Self::Window,
        Self::Sliders,
        Self::List,
        Self::Press,
        Self::Blind,
        Self::Locked,
        Self::Unlocked,
        Self::Up,
        Self::Down,
        Self::Stop,
        Self::Minus,
        Self::Check,
        Self::Cross,
        Self::Clock,
        Self::Warning,
        Self::Away,
        Self::Question,
        Self::Shield,
        Self::Smoke,
        Self::Eye,
        Self::Wave,
        Self::Phone,
        Self::Copy,
        Self::Dot,
    ];

    /// The picture for an entity, by its kind, class and whether its state is "on" or "open".
    pub fn of(kind: Kind, class: Option<&str>, active: bool) -> Self {
        match kind {
            Kind::Switch if class == Some("outlet") => Self::Plug,
            Kind::Switch => Self::Power,
            Kind::Light => Self::Bulb,
            Kind::Number => Self::Sliders,
            Kind::Select => Self::List,
            Kind::Button => Self::Press,
            Kind::Cover if matches!(class, Some("door" | "garage" | "gate")) => door(active),
            Kind::Cover => Self::Blind,
            Kind::Lock if active => Self::Unlocked,
            Kind::Lock => Self::Locked,
            Kind::BinarySensor => of_binary(class, active),
            Kind::Sensor => of_sensor(class),
        }
    }

    /// The drawing.
    pub fn draw(self) -> Markup {
        html! {
            svg.icon viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
                // Closed by hand: an unclosed path would swallow what follows.
                path d=(self.paths().concat()) {}
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one line or two an icon")]
    const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Home => &[
                "M4 11.2 12 4.5l8 6.7V19a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1Z",
                "M10 20v-5h4v5",
            ],
            Self::Plus => &["M12 5v14", "M5 12h14"],
            Self::Broker => &[
                "M12 14v6",
                "M8 20h8",
                "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
                "M8 8a6 6 0 0 0 0 8",
                "M16 8a6 6 0 0 1 0 8",
                "M5.2 5.2a9.6 9.6 0 0 0 0 13.6",
                "M18.8 5.2a9.6 9.6 0 0 1 0 13.6",
            ],
            Self::Person => &[
                "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8",
                "M4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
            ],
            Self::Back => &["M14.5 6 8.5 12l6 6"],
            Self::Forth => &["M9.5 6l6 6-6 6"],
            Self::Power => &["M12 4v8", "M7.2 7a7 7 0 1 0 9.6 0"],
            Self::Plug => &[
                "M9 3.5V8",
                "M15 3.5V8",
                "M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0Z",
                "M12 17v3.5",
            ],
            Self::Bulb => &[
                "M9.5 17.5c0-2.5-3-3.8-3-7.5a5.5 5.5 0 0 1 11 0c0 3.7-3 5-3 7.5Z",
                "M10 20.5h4",
            ],
            Self::Gauge => &["M4.5 17a8.5 8.5 0 1 1 15 0", "M12 13.5l3.5-4"],
            Self::Thermometer => &["M10 13.5V6a2 2 0 0 1 4 0v7.5a4 4 0 1 1-4 0Z", "M12 10v6.5"],
            Self::Drop => &["M12 4c3.5 4 5.5 6.8 5.5 9.7a5.5 5.5 0 0 1-11 0C6.5 10.8 8.5 8 12 4Z"],
            Self::Bolt => &["M13 3.5 6 13.5h5L10.5 20.5 18 10.5h-5.5Z"],
            Self::Battery => &["M4 8.5h13.5v7H4Z", "M20.5 10.8v2.4", "M7 11.2v1.6"],
            Self::Sun => &[
                "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
                "M12 3.5v2M12 18.5v2M3.5 12h2M18.5 12h2M6 6l1.4 1.4M16.6 16.6 18 18M6 18l1.4-1.4M16.6 7.4 18 6",
            ],
            Self::Signal => &["M5 19v-3", "M10 19v-7", "M15 19V9", "M20 19V5"],
            Self::Motion => &[
                "M13 6.2a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2",
                "M8 12l2.5-3.5L14 9l1.5 2.5L18.5 12",
                "M12.5 9l-1.5 5 3 2.5 .5 4.5",
                "M11 14l-1.5 3.5L6.5 20",
            ],
            Self::DoorOpen => &[
                "M5 20.5h14",
                "M7 20.5V5.5l7-2v17",
                "M14 5.5h3v15",
                "M11.3 12v1",
            ],
            Self::DoorClosed => &["M5 20.5h14", "M7 20.5v-17h10v17", "M14.2 12v1"],
            Self::Window => &["M5 4.5h14v15H5Z", "M12 4.5v15", "M5 12h14"],
            Self::Sliders => &[
                "M5 8h8M17.5 8H19M5 16h2M11.5 16H19",
                "M15.2 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4",
                "M9.2 18.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4",
            ],
            Self::List => &["M9 7h10M9 12h10M9 17h10", "M5 7h.01M5 12h.01M5 17h.01"],
            Self::Press => &[
                "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
                "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16",
            ],
            Self::Blind => &[
                "M4.5 4.5h15",
                "M6 4.5v10.5h12V4.5",
                "M6 8h12M6 11.5h12",
                "M12 15v4",
                "M12 20h.01",
            ],
            Self::Locked => &["M6.5 11h11v9h-11Z", "M9 11V8a3 3 0 0 1 6 0v3", "M12 15v1.5"],
            Self::Unlocked => &[
                "M6.5 11h11v9h-11Z",
                "M9 11V7.5a3 3 0 0 1 5.8-1",
                "M12 15v1.5",
            ],
            Self::Up => &["M6 14.5l6-6 6 6"],
            Self::Down => &["M6 9.5l6 6 6-6"],
            Self::Stop => &["M7.5 7.5h9v9h-9Z"],
            Self::Minus => &["M5 12h14"],
            Self::Check => &["M5 12.5l4.5 4.5L19 7.5"],
            Self::Cross => &["M6.5 6.5l11 11", "M17.5 6.5l-11 11"],
            Self::Clock => &["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16", "M12 7.5V12l3 2"],
            Self::Warning => &["M12 4.5 21 19.5H3Z", "M12 10v4.5", "M12 17h.01"],
            Self::Away => &[
                "M4 4l16 16",
                "M8.5 9.5a6 6 0 0 0-2 1.5M5 7.5A10.5 10.5 0 0 0 3 9",
                "M11 5.6A11 11 0 0 1 21 9M13.5 9.3a7 7 0 0 1 4 1.9",
                "M12 18h.01",
            ],
            Self::Question => &[
                "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16",
                "M9.8 10a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.5",
                "M12 16.5h.01",
            ],
            Self::Shield => &[
                "M12 3.5 19 6v5.5c0 4.2-2.8 7.2-7 9-4.2-1.8-7-4.8-7-9V6Z",
                "M12 9v3.5",
                "M12 15.5h.01",
            ],
            Self::Smoke => &[
                "M7 20h10",
                "M9 16c-2-2 1-3.5 0-6s1-3.5 1-3.5",
                "M14 16c-2-2 2-4 1-7s1-4 1-4",
            ],
            Self::Eye => &[
                "M3 12c2-4 5.2-6 9-6s7 2 9 6c-2 4-5.2 6-9 6s-7-2-9-6Z",
                "M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
            ],
            Self::Wave => &["M3 12h3l2.5-6 4 12 3-8 1.5 2h4"],
            Self::Phone => &["M8 3.5h8v17H8Z", "M11.5 17.5h1"],
            Self::Copy => &["M9 9h10v11H9Z", "M15 9V4H5v11h4"],
            Self::Star => &["M12 3.8l2.5 5.1 5.6.8-4.1 4 1 5.6-5-2.6-5 2.6 1-5.6-4.1-4 5.6-.8Z"],
            Self::Search => &[
                "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13",
                "M15.3 15.3 20 20",
            ],
            Self::Filter => &["M4 6h16", "M7 12h10", "M10 18h4"],
            Self::Dot => &["M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6"],
        }
    }
}

const fn door(open: bool) -> Icon {
    if open {
        Icon::DoorOpen
    } else {
        Icon::DoorClosed
    }
}

fn of_binary(class: Option<&str>, active: bool) -> Icon {
    match class {
        Some("door" | "garage_door" | "opening") => door(active),
        Some("window") => Icon::Window,
        Some("motion" | "occupancy" | "moving" | "presence" | "running") => Icon::Motion,
        Some("smoke" | "gas" | "carbon_monoxide") => Icon::Smoke,
        Some("moisture") => Icon::Drop,
        Some("battery" | "battery_charging") => Icon::Battery,
        Some("connectivity") => Icon::Signal,
        Some("lock") if active => Icon::Unlocked,
        Some("lock") => Icon::Locked,
        Some("problem" | "safety" | "tamper") => Icon::Shield,
        Some("plug" | "power") => Icon::Plug,
        Some("light") => Icon::Sun,
        Some("vibration" | "sound") => Icon::Wave,
        _ => Icon::Eye,
    }
}

fn of_sensor(class: Option<&str>) -> Icon {
    match class {
        Some("temperature") => Icon::Thermometer,
        Some("humidity" | "moisture" | "water" | "precipitation") => Icon::Drop,
        Some("power" | "energy" | "voltage" | "current" | "apparent_power") => Icon::Bolt,
        Some("battery") => Icon::Battery,
        Some("illuminance" | "irradiance") => Icon::Sun,
        Some("signal_strength") => Icon::Signal,
        Some("timestamp" | "duration") => Icon::Clock,
        Some("frequency" | "sound_pressure") => Icon::Wave,
        _ => Icon::Gauge,
    }
}
