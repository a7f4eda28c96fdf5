//! Which devices a home page shows, in which order, and what it counts.

use super::filter::{self, Filter, HomeQuery};
use super::plan::{PORTION, Plan};
use super::tally::Tally;
use iothome_engine::ids::{DeviceId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::{Right, Rights, Role, Subject};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_engine::view::{Availability, DeviceView, EntityView, Freshness, Health};
use iothome_store::Room;
use iothome_views::pages::home::{Counts, Turned};
use std::sync::Arc;

fn id(text: &str) -> DeviceId {
    text.parse().expect("an id")
}

fn entity(kind: Kind, state: &str) -> EntityView {
    EntityView {
        id: "main".parse().expect("an id"),
        name: "Main".into(),
        kind,
        category: None,
        device_class: None,
        unit: None,
        numeric: false,
        range: None,
        options: Vec::new(),
        actions: match kind {
            Kind::Switch | Kind::Light => vec![Action::TurnOn, Action::TurnOff],
            _ => Vec::new(),
        },
        availability: Availability::Online,
        state: Some(Value::word(state)),
        attributes: Arc::default(),
        freshness: Freshness::Live,
        reported_at: None,
        changed_at: None,
        pending: None,
        last_command: None,
        not_announced: false,
    }
}

fn device(name: &str, room: Option<&str>, entities: Vec<EntityView>) -> DeviceView {
    DeviceView {
        id: id(name),
        name: name.into(),
        room: room.map(str::to_owned),
        icon: None,
        position: None,
        availability: Availability::Online,
        health: Health::Ok,
        reason: None,
        sender_verified: true,
        about: Arc::default(),
        last_seen: None,
        coalesced: 0,
        revision: 0,
        version: 1,
        entities: entities.into_iter().map(Arc::new).collect(),
    }
}

fn lamp(name: &str, room: Option<&str>, state: &str) -> DeviceView {
    device(name, room, vec![entity(Kind::Light, state)])
}

fn rooms(names: &[&str]) -> Arc<Vec<Room>> {
    let room = |(position, name): (i64, &&str)| Room {
        id: name.to_lowercase().parse().expect("an id"),
        name: (*name).to_owned(),
        icon: None,
        position,
        version: 1,
    };
    Arc::new((0_i64..).zip(names).map(room).collect())
}

fn subject(role: Role, grants: &[(&str, &[Right])]) -> Subject {
    Subject {
        user: UserId::new(Timestamp::from_millis(0), [0; 10]),
        name: "eve".into(),
        role,
        grants: grants
            .iter()
            .map(|(device, rights)| (id(device), Rights::of(rights)))
            .collect(),
    }
}

fn search(query: &str) -> Filter {
    let query = actix_web::web::Query::<HomeQuery>::from_query(query);
    Filter::of(&query.expect("a query").into_inner())
}

/// Of an administrator.
fn plan(devices: Vec<DeviceView>, names: &[&str], query: &str, dear: &[&str]) -> Plan {
    let devices = devices.into_iter().map(Arc::new).collect();
    let dear = Arc::new(dear.iter().map(|d| id(d)).collect());
    let admin = subject(Role::Admin, &[]);
    Plan::of(devices, rooms(names), &admin, search(query), dear)
}

/// "kitchen: lamp fan; none: tv".
fn told(plan: &Plan) -> String {
    let part = |part: &super::plan::Part| {
        let names: Vec<&str> = part.shown.iter().map(|d| d.name.as_str()).collect();
        format!("{}: {}", plan.key(part.room), names.join(" "))
    };
    let parts: Vec<String> = plan.parts.iter().map(part).collect();
    parts.join("; ")
}

#[test]
fn rooms_stand_in_the_household_s_order_and_devices_by_place_then_name() {
    let mut first = lamp("zebra", Some("Hall"), "on");
    first.position = Some(0);
    let devices = vec![
        lamp("tv", None, "on"),
        lamp("b", Some("Hall"), "on"),
        first,
        lamp("a", Some("Hall"), "on"),
        lamp("oven", Some("Attic"), "off"),
        lamp("lost", Some("Nowhere"), "off"),
    ];
    let plan = plan(devices, &["Hall", "Attic", "Empty"], "", &[]);
    assert_eq!(told(&plan), "hall: zebra a b; attic: oven; none: lost tv");
}

#[test]
fn a_member_is_shown_and_counted_only_what_is_granted() {
    let eve = subject(
        Role::Member,
        &[("a", &[Right::View]), ("b", &[Right::Control])],
    );
    let devices = ["a", "b", "safe"].map(|name| Arc::new(lamp(name, Some("Hall"), "on")));
    let favourites = Arc::new(vec![id("safe")]);
    let rooms = rooms(&["Hall"]);
    let plan = Plan::of(devices.to_vec(), rooms, &eve, search(""), favourites);
    assert_eq!(told(&plan), "hall: a b");
    assert!(plan.dear.is_empty(), "a favourite that is no longer theirs");
    assert_eq!((plan.total.counts.on, plan.total.off), (2, 1));
}

#[test]
fn favourites_stand_apart_in_their_order_until_something_is_searched_for() {
    let devices = || {
        ["a", "b", "c"]
            .map(|name| lamp(name, Some("Hall"), "on"))
            .to_vec()
    };
    let house = plan(devices(), &["Hall"], "", &["c", "gone", "a"]);
    let dear: Vec<&str> = house.dear.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(
        (dear.as_slice(), told(&house).as_str()),
        (&["c", "a"][..], "hall: b")
    );
    assert_eq!(house.parts[0].dear.len(), 2, "the room says where they are");
    assert!(house.on_page.contains(&id("c")));
    let found = plan(devices(), &["Hall"], "room=hall", &["c"]);
    assert_eq!(
        (found.dear.len(), told(&found).as_str()),
        (0, "hall: a b c")
    );
}

#[test]
fn what_is_searched_for_is_found_by_words_room_kind_and_state() {
    let mut blind = device("blind", Some("Küche"), vec![entity(Kind::Cover, "open")]);
    blind.name = "Rollo Süd".into();
    let mut away = lamp("away", None, "on");
    away.availability = Availability::Offline;
    let mut ill = lamp("ill", None, "off");
    ill.health = Health::Quarantined;
    let devices = || {
        vec![
            lamp("lamp", Some("Hall"), "on"),
            blind.clone(),
            away.clone(),
            ill.clone(),
        ]
    };
    for (query, found) in [
        ("q=LAMP", "hall: lamp"),
        ("q=k%C3%BCche+rollo", "none: Rollo Süd"),
        ("q=rollo+lamp", ""),
        ("q=++", "hall: lamp; none: away ill Rollo Süd"),
        ("room=hall", "hall: lamp"),
        ("room=none&kind=light", "none: away ill"),
        ("kind=cover", "none: Rollo Süd"),
        ("state=on", "hall: lamp"),
        ("state=open", "none: Rollo Süd"),
        ("state=away", "none: away ill"),
        ("state=trouble", "none: ill"),
        ("room=unknown", ""),
        (
            "kind=unicorn&state=sad&colour=red",
            "hall: lamp; none: away ill Rollo Süd",
        ),
    ] {
        assert_eq!(
            told(&plan(devices(), &["Hall"], query, &[])),
            found,
            "{query}"
        );
    }
}

#[test]
fn an_address_leads_to_what_was_searched_for() {
    for query in [
        "q=caf%C3%A9%20%3Cb%3E%20%26&room=hall&kind=light&state=on",
        "room=none",
        "",
    ] {
        assert_eq!(search(query).query(0), query);
    }
    assert_eq!(search("portion=3").query(3), "portion=3");
    assert!(!search("portion=3").is_active());
    let long = format!("q={}", "x".repeat(5_000));
    assert_eq!(search(&long).text.len(), 100);
}

#[test]
fn a_large_house_comes_in_portions_without_gap_or_repetition() {
    let devices: Vec<_> = (0..450)
        .map(|n| {
            let room = if n < 300 { "Hall" } else { "Attic" };
            Arc::new(lamp(&format!("d{n:03}"), Some(room), "on"))
        })
        .collect();
    let admin = subject(Role::Admin, &[]);
    let mut seen = Vec::new();
    for number in 0..4 {
        let filter = search(&format!("portion={number}"));
        let dear = Arc::new(vec![id("d007")]);
        let plan = Plan::of(
            devices.clone(),
            rooms(&["Hall", "Attic"]),
            &admin,
            filter,
            dear,
        );
        assert_eq!(
            plan.total.counts.on, 450,
            "the summary is of the whole house"
        );
        assert!(plan.on_page.len() <= PORTION + 1);
        assert_eq!(plan.dear.len(), usize::from(number == 0));
        if number == 3 {
            assert_eq!(plan.filter.portion, 2, "one too far is the last");
            continue;
        }
        seen.extend(
            plan.parts
                .iter()
                .flat_map(|p| &p.shown)
                .map(|d| d.id.clone()),
        );
    }
    assert_eq!(seen.len(), 449, "all but the favourite");
    assert!(seen.is_sorted());
}

#[test]
fn what_is_on_open_and_away_is_counted_by_device_and_away_counts_alone() {
    let tally = |device: &DeviceView| {
        let Tally { on, open, away, .. } = Tally::of(device, true);
        (on, open, away)
    };
    let of = |entity| tally(&device("d", None, vec![entity]));
    assert_eq!(of(entity(Kind::Light, "on")), (true, false, false));
    assert_eq!(of(entity(Kind::Switch, "off")), (false, false, false));
    assert_eq!(of(entity(Kind::Cover, "stopped")), (false, true, false));
    assert_eq!(of(entity(Kind::Cover, "closed")), (false, false, false));
    assert_eq!(of(entity(Kind::Lock, "unlocked")), (false, true, false));
    assert_eq!(of(entity(Kind::Lock, "locking")), (false, false, false));
    assert_eq!(of(entity(Kind::BinarySensor, "on")), (false, false, false));
    let mut door = entity(Kind::BinarySensor, "on");
    door.device_class = Some("door".into());
    assert_eq!(of(door), (false, true, false));
    let mut setting = entity(Kind::Switch, "on");
    setting.category = Some(iothome_engine::view::Category::Config);
    assert_eq!(
        of(setting),
        (false, false, false),
        "a setting is not a light"
    );
    let mut gone = lamp("gone", None, "on");
    gone.availability = Availability::Unavailable;
    assert_eq!(tally(&gone), (false, false, true));
    let mut lost_part = entity(Kind::Light, "on");
    lost_part.availability = Availability::Offline;
    assert_eq!(of(lost_part), (false, false, false));
    let looker = Tally::of(&lamp("a", None, "on"), false);
    assert!(
        looker.on && !looker.off,
        "nothing to turn off for who may only look"
    );
    let house = plan(vec![lamp("a", None, "on"), gone], &[], "", &[]);
    let counts = Counts {
        on: 1,
        open: 0,
        away: 1,
    };
    assert_eq!(house.total.counts, counts);
}

#[test]
fn what_became_of_all_off_is_told_in_numbers_alone() {
    let turned = Turned {
        room: "hall".into(),
        asked: 3,
        skipped: 1,
        unreached: 0,
        failed: 2,
    };
    let read = |query: &str| {
        let query = actix_web::web::Query::<HomeQuery>::from_query(query);
        filter::turned(&query.expect("a query").into_inner())
    };
    assert_eq!(read(&filter::told(&turned)), Some(turned));
    for bad in [
        "",
        "off=",
        "off=hall",
        "off=hall.1.1.1",
        "off=<b>.1.1.1.1",
        "off=hall.x.1.1.1",
    ] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

/// What a page and a report cost in a large house:
/// `cargo test -p iothome-http --release --lib home::tests::cost -- --ignored --nocapture`.
#[test]
#[ignore = "it measures, and proves nothing"]
#[expect(clippy::print_stdout, reason = "the figures are for whoever asks")]
fn cost_of_a_large_house() {
    for count in [200, 5_000] {
        let devices: Vec<_> = (0..count)
            .map(|n| Arc::new(lamp(&format!("d{n}"), Some("Hall"), "on")))
            .collect();
        let admin = subject(Role::Admin, &[]);
        let start = std::time::Instant::now();
        let plan = |query: &str| {
            let dear = Arc::default();
            Plan::of(
                devices.clone(),
                rooms(&["Hall"]),
                &admin,
                search(query),
                dear,
            )
        };
        let whole = plan("");
        let planned = start.elapsed();
        let found = plan("q=d1").found;
        let searched = start.elapsed() - planned;
        let tally = std::time::Instant::now();
        for view in devices.iter().cycle().take(10_000) {
            let counted = Tally::of(view, true);
            assert_eq!(whole.tallies.get(&view.id).map(|c| c.tally), Some(counted));
        }
        let each = tally.elapsed() / 10_000;
        println!(
            "{count} devices: plan {planned:?}, search {searched:?} ({found}), report {each:?}"
        );
    }
}
