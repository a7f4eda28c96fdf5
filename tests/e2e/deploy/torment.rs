//! Each server is killed in turn while commands run.
//!
//! Owner of the ledger of this story: what was answered, compared with what the hub says
//! afterwards and with what the device received.

use super::house::House;
use super::service::Contained;
use super::switch::command;
use crate::support::api::Api;
use crate::support::device::Device;
use crate::support::{eventually, tell};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So many commands are answered between two kills, and a server stays dead so long.
const BETWEEN: usize = 12;
const DEAD: Duration = Duration::from_millis(700);

/// What was answered: id and the status that was told.
type Answered = BTreeMap<String, String>;

/// Kills nginx, mosquitto, postgres and hub, one after the other; the rest mends itself.
pub(super) async fn kills_each_server(house: &mut House, api: &Api, device: &Device) {
    let (stop, count) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let asking = tokio::spawn(ask_until(
        Arc::clone(&stop),
        Arc::clone(&count),
        api.clone(),
    ));
    for name in ["nginx", "mosquitto", "postgres", "hub"] {
        until_more(&count).await;
        let server = of(house, name);
        assert!(server.is_alive(), "{name} runs");
        server.kill();
        tokio::time::sleep(DEAD).await;
        of(house, name).start();
        let since = Instant::now();
        if name != "hub" {
            assert!(house.hub.is_alive(), "the hub outlives {name}");
        }
        eventually(
            &format!("commands are confirmed again after {name}"),
            || async {
                let ended = command(api, "light", "turn_on").await?;
                (ended["status"] == "confirmed").then_some(())
            },
        )
        .await;
        tell(&format!(
            "{name} killed: commands are confirmed {:.1} s after it was started again",
            since.elapsed().as_secs_f64()
        ));
    }
    until_more(&count).await;
    stop.store(true, Ordering::Relaxed);
    let answered = asking.await.expect("commands were asked");
    compare(api, &answered, device).await;
}

fn of<'a>(house: &'a mut House, name: &str) -> &'a mut Contained {
    match name {
        "nginx" => &mut house.nginx,
        "mosquitto" => &mut house.mosquitto,
        "postgres" => &mut house.postgres,
        _ => &mut house.hub,
    }
}

/// Waits until commands have been answered anew.
async fn until_more(count: &AtomicUsize) {
    let target = count.load(Ordering::Relaxed) + BETWEEN;
    eventually("commands run", || async {
        (count.load(Ordering::Relaxed) >= target).then_some(())
    })
    .await;
}

/// Asks one command after the other, whatever becomes of them.
async fn ask_until(stop: Arc<AtomicBool>, count: Arc<AtomicUsize>, api: Api) -> Answered {
    let mut answered = Answered::new();
    let actions = [
        ("light", "turn_on"),
        ("opener", "press"),
        ("light", "turn_off"),
    ];
    for (entity, action) in actions.into_iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if let Some(told) = command(&api, entity, action).await {
            let text = |key: &str| told[key].as_str().expect("it is there").to_owned();
            answered.insert(text("id"), text("status"));
            count.fetch_add(1, Ordering::Relaxed);
        }
        // Well below the rate of a session.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    answered
}

/// Every answer stands, every confirmed command was received, and no press came twice.
async fn compare(api: &Api, answered: &Answered, device: &Device) {
    let told = device.told();
    let ids = || told.iter().filter_map(|told| told.command.clone());
    let received: BTreeSet<String> = ids().collect();
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for (id, status) in answered {
        let ended: Value = eventually(&format!("{id} has an end"), || async {
            let (found, command) = api.get(&format!("/api/v1/commands/{id}")).await;
            assert!(
                found.is_success(),
                "an answered command is lost: {id} {command}"
            );
            command["ended_at"].is_string().then_some(command)
        })
        .await;
        let end = ended["status"].as_str().expect("a status").to_owned();
        let is_end = !["accepted", "sent", "acknowledged"].contains(&status.as_str());
        assert!(
            !is_end || *status == end,
            "its end stands: {status}, then {ended}"
        );
        assert!(
            end != "confirmed" || received.contains(id),
            "never received: {ended}"
        );
        *ends.entry(end).or_default() += 1;
    }
    let presses = told.iter().filter(|told| told.topic == "gate/opener/press");
    let presses: Vec<_> = presses.filter_map(|told| told.command.clone()).collect();
    let once: BTreeSet<_> = presses.iter().collect();
    assert_eq!(once.len(), presses.len(), "a press came twice");
    let confirmed = ends.get("confirmed").copied().unwrap_or(0);
    assert!(confirmed > BETWEEN, "commands ran: {ends:?}");
    tell(&format!("{} commands answered: {ends:?}", answered.len()));
}
