//! The living house: supervised actors for devices, sessions, MQTT and history.
//!
//! Owner of everything that runs. Only handles go out; it must never let a
//! ractor type, a message enum or an actor's reference out of this crate.

mod accounts;
mod clock;
mod complaints;
mod device;
mod error;
mod hooks;
mod house;
mod hub;
mod inbox;
mod journal;
mod keeper;
mod mqtt;
mod passwords;
mod random;
mod recorder;
mod registrar;
mod root;
mod scheduler;
mod services;
mod sessions;
mod setup;
mod supervisor;
mod timers;

pub use accounts::{AccountsProblem, AccountsStatus, Outcome, Reconciled, Seal, SelfTest};
pub use clock::Clock;
pub use error::{AskError, HubError};
pub use house::{Change, House};
pub use hub::{
    Asked, BrokerStatus, DiscoveryMode, Hub, HubConfig, NewPerson, PASSWORD_MIN, PersonPatch,
    Queue, SharedAccess, SharedFavourites, check_password, check_user_name, load_access,
};
pub use mqtt::{MqttConfig, Overheard, Tapped};
pub use passwords::{PASSWORD_MAX, PasswordError, Passwords};
pub use registrar::{
    Accept, Cut, DevicePatch, EntityPatch, IssuedCredential, NewCredential, NewDevice,
    NewDeviceView, NewEntity, ROOMS_MAX, TestPayload,
};
pub use scheduler::{
    Bundle, Caused, Frequent, Happened, Imported, Occurring, SavedBy, Scheduler, SchedulerState,
    Scheduling, SchedulingError, Upcoming, WeekAhead, built_at, disabled, read_schedule_home,
};
pub use sessions::{
    Opened, Permit, SessionError, SessionInfo, SessionKind, Sessions, StreamTicket,
};
