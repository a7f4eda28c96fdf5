//! The web door of IoT Home: pages, REST v1 and live streams.
//!
//! Owner of everything between a socket and the house's handles: listeners,
//! sign-in, checks, JSON and HTML. It must never hold a rule of the house.

mod api;
mod app;
mod auth;
mod cities;
mod config;
mod door;
mod error;
mod json;
mod live;
mod log_filter;
mod pages;
mod problem;
mod routes;
mod server;
mod standby;
mod stream;
mod system;
mod warnings;

pub use auth::setup::new_setup_code;
pub use config::{
    AskCertificates, AskClients, BrokerClient, Certificate, CertificateRole, WebConfig,
};
pub use error::WebError;
pub use log_filter::{LOG_FILTER_MAX, LogFilter};
#[doc(hidden)]
pub use routes::route_table;
pub use server::{Web, serve, serve_standby};
pub use warnings::{Severity, WARNINGS_MAX, Warning, Warnings};
