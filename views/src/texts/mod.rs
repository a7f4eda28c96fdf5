//! Every text a person reads, in one place, in every language.
//!
//! Owner of the wording. One file per part of the pages holds that part's texts in
//! each language side by side; a language is one value of [`Texts`], so the compiler
//! says what a translation lacks. Pages must never hold a sentence of their own.

mod countries;
mod dates;
mod english;
mod german;
mod language;
mod symbols;
mod words;

pub mod accounts;
pub mod add_device;
pub mod bench;
pub mod broker;
pub mod chart;
pub mod credential;
pub mod design;
pub mod device;
pub mod entity;
pub mod error;
pub mod first_device;
pub mod frame;
pub mod held;
pub mod home;
pub mod house;
pub mod new_devices;
pub mod people;
pub mod places;
pub mod rhythm;
pub mod rooms;
pub mod schedule_form;
pub mod schedules;
pub mod set_up;
pub mod settings;
pub mod sign_in;
pub mod system;
pub mod you;

pub use dates::Dates;
pub use english::ENGLISH;
pub use german::GERMAN;
pub use language::{LANGUAGES, negotiate, of};
pub use words::Words;

/// The texts of one language.
///
/// `{}` in a text is where [`fill`] puts the one thing it is about.
#[expect(missing_docs, reason = "each field is named after the part it is for")]
pub struct Texts {
    /// BCP 47 tag for `<html lang>`.
    pub lang: &'static str,
    /// The language's name in itself.
    pub name: &'static str,
    /// What this program is called.
    pub product: &'static str,
    /// Words that depend on kind, class, action or status.
    pub words: Words,
    /// How days are written.
    pub dates: Dates,
    /// What stands before the fraction of a number.
    pub decimal_mark: char,

    pub add_device: add_device::AddDeviceTexts,
    pub bench: bench::BenchTexts,
    pub accounts: accounts::AccountsTexts,
    pub broker: broker::BrokerTexts,
    pub first_device: first_device::FirstDeviceTexts,
    pub house: house::HouseTexts,
    pub people: people::PeopleTexts,
    pub places: places::PlaceTexts,
    pub system: system::SystemTexts,
    pub chart: chart::ChartTexts,
    pub credential: credential::CredentialTexts,
    pub design: design::DesignTexts,
    pub device: device::DeviceTexts,
    pub entity: entity::EntityTexts,
    pub error: error::ErrorTexts,
    pub frame: frame::FrameTexts,
    pub held: held::HeldTexts,
    pub home: home::HomeTexts,
    pub new_devices: new_devices::NewDevicesTexts,
    pub rooms: rooms::RoomsTexts,
    pub rhythm: rhythm::RhythmTexts,
    pub schedule_form: schedule_form::ScheduleFormTexts,
    pub schedules: schedules::SchedulesTexts,
    pub set_up: set_up::SetUpTexts,
    pub settings: settings::SettingsTexts,
    pub sign_in: sign_in::SignInTexts,
    pub you: you::YouTexts,
}

/// Puts `what` in the place of `{}`.
pub fn fill(text: &str, what: &str) -> String {
    text.replacen("{}", what, 1)
}

/// Puts each of `parts` in the place of the next `{}`; what a part says is not looked at again.
pub fn fill_all(text: &str, parts: &[&str]) -> String {
    let mut pieces = text.split("{}");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for (place, piece) in pieces.enumerate() {
        filled.push_str(parts.get(place).copied().unwrap_or_default());
        filled.push_str(piece);
    }
    filled
}
