//! The machine of the active hub vanishes from the network of the database.
//!
//! Owner of the proof that nobody has to notice: a connection that nobody closes is ended by
//! the server, and with it the lock.

use super::house::House;
use super::stage::cable;
use crate::support::{eventually, tell};
use std::time::Instant;

const RUNS: &str = "the hub is running";

/// The standby takes the house; when the cable is mended, the first waits its turn.
pub(super) async fn a_standby_takes_over_from_a_hub_that_is_cut_off(house: &mut House) {
    house.standby.start();
    house.until_stands_by().await;
    assert!(!house.standby.log().contains(RUNS), "one hub a house");
    cable("hub", "data", false);
    let since = Instant::now();
    let standby = &house.standby;
    eventually("the standby takes over", || async {
        standby.log().contains(RUNS).then_some(())
    })
    .await;
    tell(&format!(
        "hub cut off from the database: its standby runs after {:.1} s",
        since.elapsed().as_secs_f64()
    ));
    cable("hub", "data", true);
    assert!(house.hub.is_alive(), "it waits and does not end");
}
