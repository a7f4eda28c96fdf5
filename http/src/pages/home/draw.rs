//! A plan put into words: the view-models of the home page.
//!
//! Owner of that mapping. The time, the zone and the language are arguments.

use super::filter::{Being, Filter};
use super::plan::{PORTION, Part, Plan};
use crate::pages::show::{self, Dearness, Reading};
use crate::pages::visit::Visit;
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::Subject;
use iothome_engine::view::DeviceView;
use iothome_views::components::card::DeviceCard;
use iothome_views::links;
use iothome_views::pages::home::{
    Choice, HomePage, NextUp, Portion, RoomHead, Search, Section, Summary, Turned,
};
use iothome_views::symbols::Symbol;
use iothome_views::texts::Texts;
use iothome_views::time::When;

/// The page.
pub(super) fn page(
    visit: &Visit,
    subject: &Subject,
    plan: &Plan,
    turned: Option<Turned>,
) -> HomePage {
    HomePage {
        inhabited: !plan.tallies.is_empty(),
        summary: summary(visit, plan),
        search: search(visit.t, subject, plan),
        favourites: plan
            .dear
            .iter()
            .map(|view| card(visit, subject, plan, view))
            .collect(),
        sections: plan
            .parts
            .iter()
            .map(|part| section(visit, subject, plan, part))
            .collect(),
        portion: portion(plan),
        turned,
    }
}

/// The line that says what is going on.
pub(super) fn summary(visit: &Visit, plan: &Plan) -> Summary {
    let next = plan.next.as_ref().filter(|next| next.at > visit.now);
    Summary {
        counts: plan.total.counts,
        next: next.map(|next| NextUp {
            name: next.name.clone(),
            when: When::new(visit.t, next.at, visit.now, &visit.zone),
            href: links::schedule(&next.id),
        }),
    }
}

/// A device's card at its place on the page.
pub(super) fn card(visit: &Visit, subject: &Subject, plan: &Plan, view: &DeviceView) -> DeviceCard {
    let reading = Reading {
        t: visit.t,
        zone: &visit.zone,
        now: visit.now,
        rights: subject.rights(&view.id),
    };
    show::card(
        reading,
        view,
        dearness(&plan.favourites, &plan.filter, &view.id),
    )
}

/// How dear a device is to the viewer, and whether its card stands apart for it.
pub(super) fn dearness(favourites: &[DeviceId], filter: &Filter, id: &DeviceId) -> Dearness {
    match (favourites.contains(id), filter.is_active()) {
        (false, _) => Dearness::No,
        (true, true) => Dearness::InPlace,
        (true, false) => Dearness::Apart,
    }
}

fn section(visit: &Visit, subject: &Subject, plan: &Plan, part: &Part) -> Section {
    let cards = part.shown.iter();
    let dear = part.dear.iter();
    Section {
        head: head(plan, part.room),
        devices: cards.map(|v| card(visit, subject, plan, v)).collect(),
        dear: dear.map(|v| (v.id.clone(), v.name.clone())).collect(),
    }
}

/// What stands over a room's cards.
pub(super) fn head(plan: &Plan, place: usize) -> RoomHead {
    let room = plan.room(place);
    let sum = plan.sums.get(place).copied().unwrap_or_default();
    RoomHead {
        id: plan.key(place).to_owned(),
        name: room.map(|room| room.name.clone()),
        symbol: room.and_then(|r| r.icon.as_deref().and_then(Symbol::from_word)),
        counts: sum.counts,
        may_turn_off: sum.off > 0,
    }
}

fn search(t: &Texts, subject: &Subject, plan: &Plan) -> Search {
    let filter = &plan.filter;
    let inhabited = plan.inhabitants.iter().enumerate();
    // The name of a room that they have nothing in is not for members.
    let empty = |place| subject.is_admin() && plan.is_chosen(place);
    let rooms = inhabited.filter(|(place, count)| **count > 0 || empty(*place));
    let rooms = rooms.map(|(place, _)| {
        let head = head(plan, place);
        Choice {
            name: head.name.unwrap_or_else(|| t.home.no_room.to_owned()),
            symbol: head.symbol,
            value: head.id,
            chosen: plan.is_chosen(place),
        }
    });
    let kinds = plan.kinds.iter().map(|kind| Choice {
        value: kind.as_str().to_owned(),
        name: (t.words.kind)(*kind).to_owned(),
        symbol: None,
        chosen: filter.kind == Some(*kind),
    });
    let states = Being::ALL.into_iter().map(|being| Choice {
        value: being.word().to_owned(),
        name: being_words(t, being).to_owned(),
        symbol: None,
        chosen: filter.state == Some(being),
    });
    Search {
        text: filter.text.clone(),
        rooms: rooms.collect(),
        kinds: kinds.collect(),
        states: states.collect(),
        query: filter.query(filter.portion),
        active: filter.is_active(),
    }
}

const fn being_words(t: &Texts, being: Being) -> &'static str {
    match being {
        Being::On => t.home.state_on,
        Being::Open => t.home.state_open,
        Being::Away => t.home.state_away,
        Being::Trouble => t.home.state_trouble,
    }
}

fn portion(plan: &Plan) -> Option<Portion> {
    if !plan.is_in_portions() {
        return None;
    }
    let number = plan.filter.portion;
    let address = |portion: usize| match plan.filter.query(portion) {
        query if query.is_empty() => "/".to_owned(),
        query => format!("/?{query}"),
    };
    let to = (number + 1) * PORTION;
    Some(Portion {
        from: number * PORTION + 1,
        to: to.min(plan.found),
        of: plan.found,
        before: number.checked_sub(1).map(address),
        after: (to < plan.found).then(|| address(number + 1)),
    })
}
