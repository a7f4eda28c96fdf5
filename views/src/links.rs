//! Addresses of pages and of the routes their forms post to.
//!
//! Owner of every path a page names. It must never hold an address of the REST interface.

use iothome_engine::ids::{
    CredentialId, DeviceId, EntityId, RoomId, ScheduleId, SessionId, UserId,
};
use iothome_engine::kind::Kind;

/// The home page.
pub const HOME: &str = "/";
/// Sign-in: page and form.
pub const SIGN_IN: &str = "/sign-in";
/// Sign-out: form only.
pub const SIGN_OUT: &str = "/sign-out";
/// First set-up: page and form.
pub const SET_UP: &str = "/set-up";
/// Devices that wait.
pub const NEW_DEVICES: &str = "/new-devices";
/// Broker and hub.
pub const BROKER: &str = "/broker";
/// Tries the broker out; form only.
pub const SELF_TEST: &str = "/broker/self-test";
/// What administrators manage: the way to each of its pages.
pub const SETTINGS: &str = "/settings";
/// The viewer's own page.
pub const YOU: &str = "/you";
/// Where the viewer's language and theme are kept.
pub const PREFERENCES: &str = "/you/preferences";
/// Where the viewer's password is changed.
pub const PASSWORD: &str = "/you/password";
/// How everything looks; in the demo only.
pub const DESIGN: &str = "/design";
/// The REST interface described for people.
pub const API_DOCS: &str = "/api/docs";
/// The rooms and their order.
pub const ROOMS: &str = "/rooms";
/// The viewer's favourites and their order.
pub const FAVOURITES: &str = "/favourites";
/// The hub itself: health, memory, warnings.
pub const SYSTEM: &str = "/system";
/// Where the form goes that changes what is logged.
pub const LOG_LEVEL: &str = "/system/log-level";
/// The home's own settings: page and form.
pub const HOUSE: &str = "/settings/home";
/// After set-up: how to bring the first device in.
pub const FIRST_DEVICE: &str = "/first-device";
/// People: list.
pub const PEOPLE: &str = "/people";
/// A new person: page and form.
pub const ADD_PERSON: &str = "/people/add";
/// The stream of re-rendered fragments.
pub const LIVE: &str = "/live";
/// The hub's own certificate authority.
pub const CA: &str = "/ca.crt";

/// A device's page.
pub fn device(id: &DeviceId) -> String {
    format!("/devices/{id}")
}

/// Where a device's card posts commands of one entity.
pub fn command(device: &DeviceId, entity: &EntityId) -> String {
    format!("/devices/{device}/entities/{entity}/commands")
}

/// Where a quarantined device is let back.
pub fn release(device: &DeviceId) -> String {
    format!("/devices/{device}/release")
}

/// Where a device becomes a favourite or is one no more.
pub fn favourite(device: &DeviceId) -> String {
    format!("/devices/{device}/favourite")
}

/// Where a favourite is moved up or down.
pub fn move_favourite(device: &DeviceId) -> String {
    format!("{FAVOURITES}/{device}/move")
}

/// A room's page, and where its name and picture are changed.
pub fn room(id: &RoomId) -> String {
    format!("{ROOMS}/{id}")
}

/// Where a room is moved up or down.
pub fn move_room(id: &RoomId) -> String {
    format!("{ROOMS}/{id}/move")
}

/// Where a room is deleted.
pub fn delete_room(id: &RoomId) -> String {
    format!("{ROOMS}/{id}/delete")
}

/// Where a device of a room is moved up or down.
pub fn move_device(room: &RoomId, device: &DeviceId) -> String {
    format!("{ROOMS}/{room}/devices/{device}/move")
}

/// Where everything in a room (`none`: in no room) is turned off.
pub fn room_off(section: &str) -> String {
    format!("{ROOMS}/{section}/off")
}

/// A device's edit form: page and form.
pub fn edit_device(device: &DeviceId) -> String {
    format!("/devices/{device}/edit")
}

/// Where a device is deleted: the page that asks once more, and its form.
pub fn delete_device(device: &DeviceId) -> String {
    format!("/devices/{device}/delete")
}

/// Where a waiting device is accepted.
pub fn accept(new_device: &str) -> String {
    format!("{NEW_DEVICES}/{new_device}/accept")
}

/// Where a waiting device is ignored.
pub fn ignore(new_device: &str) -> String {
    format!("{NEW_DEVICES}/{new_device}/ignore")
}

/// Making a device by hand, the first step: page and form.
pub const ADD_DEVICE: &str = "/add-device";
/// Broker users for bridges: list, and the form of a new one.
pub const CREDENTIALS: &str = "/broker/credentials";

/// What a device made by hand has: page, and the form of a further one.
pub fn entities(device: &DeviceId) -> String {
    format!("/devices/{device}/entities")
}

/// The form of a new entity: page and form.
pub fn add_entity(device: &DeviceId, kind: Kind) -> String {
    format!("/devices/{device}/add-entity?kind={kind}")
}

/// The form of an entity made by hand: page and form.
pub fn edit_entity(device: &DeviceId, entity: &EntityId) -> String {
    format!("/devices/{device}/entities/{entity}/edit")
}

/// Taking away an entity made by hand: page and form.
pub fn remove_entity(device: &DeviceId, entity: &EntityId) -> String {
    format!("/devices/{device}/entities/{entity}/remove")
}

/// How a device gets in: its broker user, fingerprints, snippets.
pub fn device_credential(device: &DeviceId) -> String {
    format!("/devices/{device}/credential")
}

/// Gives a device a broker user, or its broker user a new password; form only.
pub fn rotate_device_credential(device: &DeviceId) -> String {
    format!("/devices/{device}/credential/rotate")
}

/// A broker user: what it may touch, snippets.
pub fn credential(id: &CredentialId) -> String {
    format!("{CREDENTIALS}/{id}")
}

/// Gives a broker user a new password; form only.
pub fn rotate_credential(id: &CredentialId) -> String {
    format!("{CREDENTIALS}/{id}/rotate")
}

/// Deletes a broker user: page and form.
pub fn delete_credential(id: &CredentialId) -> String {
    format!("{CREDENTIALS}/{id}/delete")
}

/// A person: page, and the form of their name and role.
pub fn person(id: &UserId) -> String {
    format!("{PEOPLE}/{id}")
}

/// Where a person is given another password.
pub fn person_password(id: &UserId) -> String {
    format!("{PEOPLE}/{id}/password")
}

/// Where a person is forbidden or allowed to sign in.
pub fn person_sign_in(id: &UserId) -> String {
    format!("{PEOPLE}/{id}/sign-in")
}

/// Where a person is given rights on devices.
pub fn person_rights(id: &UserId) -> String {
    format!("{PEOPLE}/{id}/rights")
}

/// Deleting a person: page and form.
pub fn delete_person(id: &UserId) -> String {
    format!("{PEOPLE}/{id}/delete")
}

/// Who may use a device: page and form.
pub fn access(device: &DeviceId) -> String {
    format!("/devices/{device}/access")
}

/// Schedules: the list.
pub const SCHEDULES: &str = "/schedules";
/// The form of a new schedule: page and form.
pub const NEW_SCHEDULE: &str = "/schedules/new";
/// What is scheduled for the next seven days.
pub const WEEK: &str = "/schedules/week";
/// The dry run: page and form.
pub const SIMULATE: &str = "/schedules/simulate";
/// Export and import.
pub const SCHEDULE_FILES: &str = "/schedules/files";
/// The file of all schedules.
pub const EXPORT: &str = "/schedules/export";
/// Says that the hub's clock is right; form only.
pub const TRUST_CLOCK: &str = "/schedules/clock";
/// Takes a file of schedules; form only.
pub const IMPORT: &str = "/schedules/import";

/// The list, with only what drives a device.
pub fn schedules_of(device: &DeviceId) -> String {
    format!("{SCHEDULES}?device={device}")
}

/// The form of a new schedule that drives a device.
pub fn new_schedule(device: &DeviceId) -> String {
    format!("{NEW_SCHEDULE}?device={device}")
}

/// A schedule's page.
pub fn schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}")
}

/// Its history before an instant, in milliseconds.
pub fn schedule_history(id: &ScheduleId, before_ms: i64) -> String {
    format!("{SCHEDULES}/{id}?before={before_ms}#history")
}

/// The form of a schedule that is there: page and form.
pub fn edit_schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}/edit")
}

/// Turns a schedule on or off; form only.
pub fn switch_schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}/switch")
}

/// Runs a schedule now; form only.
pub fn run_schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}/run")
}

/// Skips its next occurrence; form only.
pub fn skip_schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}/skip")
}

/// Makes another like it; form only.
pub fn duplicate_schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}/duplicate")
}

/// Deletes a schedule: page and form.
pub fn delete_schedule(id: &ScheduleId) -> String {
    format!("{SCHEDULES}/{id}/delete")
}

/// Where one of the viewer's sessions is ended.
pub fn end_session(id: &SessionId) -> String {
    format!("{YOU}/sessions/{id}/end")
}

/// The element id of a device's card on the home page.
pub fn card_anchor(device: &DeviceId) -> String {
    format!("card-{device}")
}

/// The element id of one entity on the device page.
pub fn entity_anchor(device: &DeviceId, entity: &EntityId) -> String {
    format!("entity-{device}.{entity}")
}

/// The longest query of the home page that a form brings back, in bytes.
const QUERY_MAX: usize = 600;

/// The page a form was on, to return there: never a free address, so that no form can lead astray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// The home page.
    Home,
    /// The home page with a query: `home?` and what was searched for.
    Found(String),
    /// A device's page.
    Device(DeviceId),
}

impl Back {
    /// The word in the form's hidden field.
    pub fn as_field(&self) -> &str {
        match self {
            Self::Home => "home",
            Self::Found(field) => field,
            Self::Device(_) => "device",
        }
    }

    /// From the field of a form about `device`: anything but that device is the home page.
    pub fn from_field(field: &str, device: &DeviceId) -> Self {
        match field {
            "device" => Self::Device(device.clone()),
            _ => Self::home(field.strip_prefix("home?").unwrap_or_default()),
        }
    }

    /// The home page with that query, if it is one that the page could have made.
    pub fn home(query: &str) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"%=&+._~-".contains(&b);
        if query.is_empty() || query.len() > QUERY_MAX || !query.bytes().all(plain) {
            return Self::Home;
        }
        Self::Found(format!("home?{query}"))
    }

    /// Where to send the browser after a form about `device`.
    pub fn page(&self, device: &DeviceId) -> String {
        match self {
            Self::Device(id) => self::device(id),
            _ => format!("{}#{}", self.start(), card_anchor(device)),
        }
    }

    /// The address of the page itself.
    pub fn start(&self) -> String {
        match self {
            Self::Home => HOME.to_owned(),
            Self::Found(field) => field.replacen("home", HOME, 1),
            Self::Device(id) => self::device(id),
        }
    }

    /// Where to send the browser after a form about `device` (and `entity`).
    pub fn address(&self, device: &DeviceId, entity: &EntityId) -> String {
        match self {
            Self::Home | Self::Found(_) => self.page(device),
            Self::Device(id) => format!("{}#{}", self::device(id), entity_anchor(device, entity)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_returns_only_to_home_or_to_its_own_device() {
        let lamp: DeviceId = "lamp".parse().expect("an id");
        assert_eq!(
            Back::from_field("device", &lamp),
            Back::Device(lamp.clone())
        );
        for other in [
            "home",
            "https://evil.example",
            "//evil",
            "fridge",
            "",
            "home?",
            "home?q=<b>",
            "home?q=a#b",
            "home?//evil",
        ] {
            assert_eq!(Back::from_field(other, &lamp), Back::Home);
        }
    }

    #[test]
    fn a_form_returns_to_what_was_searched_for() {
        let lamp: DeviceId = "lamp".parse().expect("an id");
        let found = Back::home("q=k%C3%BCche&state=on");
        assert_eq!(Back::from_field(found.as_field(), &lamp), found);
        assert_eq!(found.page(&lamp), "/?q=k%C3%BCche&state=on#card-lamp");
    }
}
