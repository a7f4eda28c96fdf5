//! What is deployed, without Docker: the very files of `deploy/` in the three networks.
//!
//! Owner of the story and its order. Nothing of `deploy/` is changed for it: images are made
//! from the Dockerfiles above this machine's own nginx, mosquitto and postgresql, and every
//! service runs in a network namespace, with the user, volumes and read-only root of its
//! container. It needs root and no network.

mod apart;
mod compose;
mod door;
mod house;
mod image;
mod live;
mod names;
mod partition;
mod service;
mod stage;
mod switch;
mod torment;

use house::House;

#[test]
fn the_deployed_files_are_a_house_that_works_and_mends_itself() {
    apart::tell(
        "deploy::the_deployed_files_are_a_house_that_works_and_mends_itself",
        |folder| async move {
            let mut house = House::build(folder).await;
            door::sends_everyone_to_https(&house).await;
            door::speaks_modern_tls_only(&house).await;
            door::lets_only_the_home_network_set_up(&house).await;
            house.until_healthy().await;
            let api = house.set_up().await;
            door::keeps_networks_apart(&house).await;
            door::gives_the_database_s_role_the_least(&house);
            let gate = switch::makes_a_device(&house, &api).await;
            switch::from_the_dashboard(&house, &api, &gate).await;
            switch::refuses_another_fingerprint(&gate.door).await;
            live::events_come_at_once(&house, &api, &gate.device).await;
            door::stops_guessing(&house).await;
            door::has_a_page_while_the_hub_is_away(&mut house).await;
            torment::kills_each_server(&mut house, &api, &gate.device).await;
            house.until_healthy().await;
            partition::a_standby_takes_over_from_a_hub_that_is_cut_off(&mut house).await;
        },
    );
}
