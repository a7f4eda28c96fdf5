//! What a home page is told live: the card of a device that changed, and the counts
//! that follow from it.
//!
//! Owner of the counts of one page while it is open. A report costs one device's look,
//! not the house's: the plan of the page is made anew only when rights or the directory
//! change, and then at most once a second.

use super::draw;
use super::filter::Filter;
use super::plan::{Counted, Plan};
use super::tally::Tally;
use crate::pages::visit::Visit;
use iothome_actors::{Hub, SharedFavourites};
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::{Right, Subject};
use iothome_views::Markup;
use iothome_views::components::Look;
use iothome_views::pages::home::{head, summary};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How old a plan must be to be made anew: the page itself loads no more often.
const FRESH: Duration = Duration::from_secs(1);

/// What the stream knows of its page.
pub(crate) struct Watch {
    hub: Hub,
    favourites: SharedFavourites,
    plan: Plan,
    made: Instant,
    /// Whether the page is about to load itself anew, so that the plan is an old one.
    old: bool,
}

/// What is to be told.
#[derive(Default)]
pub(crate) struct Told {
    /// Elements to be replaced.
    pub(crate) elements: Vec<Markup>,
    /// Whether the page must load itself anew: it shows other devices now.
    pub(crate) anew: bool,
}

impl Watch {
    /// Of a page that was just made.
    pub(crate) fn start(
        hub: Hub,
        subject: &Subject,
        filter: Filter,
        favourites: SharedFavourites,
    ) -> Self {
        Self {
            plan: counts_of(Plan::make(&hub, subject, filter, favourites.load_full())),
            hub,
            favourites,
            made: Instant::now(),
            old: false,
        }
    }

    /// The page loads itself anew.
    pub(crate) const fn page_is_old(&mut self) {
        self.old = true;
    }

    /// These devices changed. `all` tells everything that may have changed while nobody listened.
    pub(crate) fn changed(
        &mut self,
        visit: &Visit,
        look: Look<'_>,
        subject: &Subject,
        devices: &[&DeviceId],
        all: bool,
    ) -> Told {
        let mut told = Told::default();
        let favourites = self.favourites.load_full();
        if !Arc::ptr_eq(&favourites, &self.plan.favourites) {
            self.plan.favourites = favourites;
            self.old = true;
        }
        // What was next has come: what is next now is to be looked up.
        let next = self.plan.next.as_ref();
        self.old |= next.is_some_and(|next| next.at <= visit.now);
        let anew = self.old && self.made.elapsed() >= FRESH;
        if anew {
            let filter = self.plan.filter.clone();
            let favourites = self.favourites.load_full();
            self.plan = counts_of(Plan::make(&self.hub, subject, filter, favourites));
            self.made = Instant::now();
            self.old = false;
        }
        let mut rooms = Vec::new();
        for id in devices {
            self.device(visit, look, subject, id, &mut told, &mut rooms);
        }
        if all || anew {
            rooms = self.plan.parts.iter().map(|part| part.room).collect();
        }
        self.counts(visit, look, &rooms, all || anew, &mut told);
        told
    }

    fn device(
        &mut self,
        visit: &Visit,
        look: Look<'_>,
        subject: &Subject,
        id: &DeviceId,
        told: &mut Told,
        rooms: &mut Vec<usize>,
    ) {
        let seen = self.hub.house().device(id);
        let Some(view) = seen.filter(|_| subject.may(Right::View, id)) else {
            return;
        };
        if self.plan.on_page.contains(id) {
            let card = draw::card(visit, subject, &self.plan, &view);
            told.elements.push(card.draw(look));
        }
        // One that the plan does not know comes with a change of the directory.
        let Some(before) = self.plan.tallies.get(id).copied() else {
            return;
        };
        let room = self.plan.place_of(&view);
        let now = Counted {
            room,
            tally: Tally::of(&view, subject.may(Right::Control, id)),
            matches: self
                .plan
                .filter
                .matches(&view, self.plan.room(room).map(|r| &r.id)),
        };
        if now.matches != before.matches || now.room != before.room {
            told.anew = true;
            self.old = true;
        }
        if now.tally != before.tally || now.room != before.room {
            self.plan.total.take(before.tally);
            self.plan.total.add(now.tally);
            self.plan.sums[before.room].take(before.tally);
            self.plan.sums[now.room].add(now.tally);
            rooms.extend([before.room, now.room]);
        }
        self.plan.tallies.insert((*id).clone(), now);
    }

    /// The summary and the heads of these rooms, as far as they are on the page.
    fn counts(&self, visit: &Visit, look: Look<'_>, rooms: &[usize], all: bool, told: &mut Told) {
        if rooms.is_empty() && !all {
            return;
        }
        let line = summary(look.t, &draw::summary(visit, &self.plan));
        told.elements.push(line);
        for part in self.plan.parts.iter().filter(|p| rooms.contains(&p.room)) {
            told.elements
                .push(head(look, &draw::head(&self.plan, part.room)));
        }
    }
}

/// The plan without the devices themselves, which would be kept as they were.
fn counts_of(mut plan: Plan) -> Plan {
    plan.dear.clear();
    for part in &mut plan.parts {
        part.shown = Vec::new();
        part.dear = Vec::new();
    }
    plan
}
