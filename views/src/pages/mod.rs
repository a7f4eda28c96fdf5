//! Whole pages: a view-model each and the function that draws it.
//!
//! Owner of what stands on which page. A page must never fetch anything.

pub mod accounts;
pub mod add_device;
pub mod broker;
pub mod credential;
pub mod design;
pub mod device;
pub mod edit_device;
pub mod error;
pub mod first_device;
pub mod home;
pub mod house;
pub mod new_devices;
pub mod people;
pub mod person;
pub mod rooms;
pub mod schedules;
pub mod set_up;
pub mod settings;
pub mod sign_in;
pub mod system;
pub mod you;
