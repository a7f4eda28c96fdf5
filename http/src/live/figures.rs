//! Figures that move without a change of the house: messages, clients, warnings.
//!
//! Owner of when a page is told of them. It must never be asked for anybody but an
//! administrator.

use crate::app::App;
use crate::pages::visit::Visit;
use crate::pages::{broker, system};
use actix_web::web;
use iothome_views::Markup;
use iothome_views::pages::{broker as broker_page, system as system_page};

/// The broker's figures are told every so many looks (of 0.4 s): two seconds.
const BROKER_EVERY: u32 = 5;
/// The whole system page is loaded anew every so many looks: ten seconds.
const SYSTEM_EVERY: u32 = 25;

/// What a page is to be told.
pub(super) enum Told {
    /// This part of it, drawn again.
    Card(String),
    /// To load itself anew.
    Anew,
}

/// What one page knows.
pub(super) struct Figures {
    app: web::Data<App>,
    looks: u32,
    messages: String,
    clients: String,
    warning: u64,
}

impl Figures {
    pub(super) fn new(app: &web::Data<App>) -> Self {
        Self {
            app: app.clone(),
            looks: 0,
            messages: String::new(),
            clients: String::new(),
            // No number a line has: what was said since the page was made is told at the first look.
            warning: u64::MAX,
        }
    }

    /// Messages and clients, where they are others than before.
    pub(super) fn broker(&mut self, visit: &Visit) -> Vec<Told> {
        self.looks = self.looks.wrapping_add(1);
        if !self.looks.is_multiple_of(BROKER_EVERY) {
            return Vec::new();
        }
        let (t, zone) = (visit.t, &visit.zone);
        let messages = broker_page::messages(t, &broker::messages(&self.app.hub));
        let clients = broker::clients(&self.app, t, visit.now, zone);
        let clients = broker_page::clients(t, clients.as_deref());
        let mut told = renewed(&mut self.messages, messages);
        told.extend(renewed(&mut self.clients, clients));
        told
    }

    /// New warnings at once, the rest from time to time.
    pub(super) fn system(&mut self, visit: &Visit) -> Vec<Told> {
        self.looks = self.looks.wrapping_add(1);
        let warnings = &self.app.config.warnings;
        if self.looks.is_multiple_of(SYSTEM_EVERY) {
            self.warning = warnings.last_number();
            return vec![Told::Anew];
        }
        let last = warnings.last_number();
        if last == self.warning {
            return Vec::new();
        }
        self.warning = last;
        let lines = system::warnings(warnings, visit.t, visit.now, &visit.zone);
        vec![Told::Card(
            system_page::warnings(visit.t, &lines).into_string(),
        )]
    }
}

fn renewed(known: &mut String, now: Markup) -> Vec<Told> {
    let now = now.into_string();
    if *known == now {
        return Vec::new();
    }
    known.clone_from(&now);
    vec![Told::Card(now)]
}
