//! `cargo xtask compose-test`: the real `docker-compose.yml` from nothing, by a real engine.
//!
//! Owner of the story that is played. It needs root (or an engine that is running) and
//! the ports 80, 443 and 8883, and takes down what it brought up. It must never change
//! a file that is given away: what differs stands in a third Compose file of its own.

mod backup;
mod bases;
mod device;
mod engine;
mod house;
mod networks;
mod shell;
mod walls;

use crate::command::{root, say};
use engine::{Engine, Stack};
use house::House;
use std::time::Instant;

/// A device of a fleet that is not there, to see the public device URL work.
const BALENA_ID: &str = "0123456789abcdef0123456789abcdef";
/// A name that the web certificate gets later.
const LATER_NAME: &str = "later.example";
/// Everything that goes on running.
const SERVICES: [&str; 4] = ["hub", "nginx", "mosquitto", "postgres"];

/// Plays the story. The profile is how the hub is built; what ships is built with `dist`.
pub(crate) fn run(profile: &str, built: bool, keep: bool) -> Result<(), String> {
    let folder = root().join("target/compose-test");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let engine = Engine::find_or_start(&folder)?;
    bases::make_missing(&engine, &folder)?;
    let stack = Stack::new(&engine, &folder, profile)?;
    stack.down()?;
    if !built {
        stack.build()?;
    }
    let played = play(&stack);
    if played.is_err() {
        stack.show_logs();
    }
    if keep {
        say("== kept running: docker-compose down --volumes ends it");
        engine.forget();
        return played;
    }
    stack.down().and(played)
}

fn play(stack: &Stack<'_>) -> Result<(), String> {
    stack.configure("")?;
    let started = Instant::now();
    stack.up()?;
    say(&format!("   init: {}", stack.wait_for_init()?));
    stack.wait_for_health(&SERVICES)?;
    say(&format!(
        "   everything is healthy after {} s",
        started.elapsed().as_secs()
    ));
    let house = House::find(stack)?;
    house.set_up_is_for_the_home(&stack.set_up_code()?)?;
    house.sign_in_by_page()?;
    house.the_public_device_url_works()?;
    house.plain_http_is_sent_to_https()?;
    let mut socket = house.attach_a_socket()?;
    house.switch("turn_on")?;
    house.a_wrong_fingerprint_is_refused()?;
    networks::check(stack)?;
    walls::check(stack, &SERVICES)?;
    nothing_changes_by_a_second_up(stack)?;

    stack.compose("restart", &["restart"])?;
    stack.wait_for_health(&SERVICES)?;
    socket.wait_until_back()?;
    house.sign_in_again()?;
    house.switch("turn_off")?;
    backup::round_trip(stack, &house)?;
    house.switch("turn_on")?;
    the_web_certificate_is_renewed_under_a_running_nginx(stack, &house)?;
    stack.say_memory(&SERVICES)
}

fn nothing_changes_by_a_second_up(stack: &Stack<'_>) -> Result<(), String> {
    let before = stack.started_at(&SERVICES)?;
    stack.up()?;
    let said = stack.wait_for_init()?;
    if !said.contains("Nothing to do.") {
        return Err(format!("a second start of init said: {said}"));
    }
    if stack.started_at(&SERVICES)? != before {
        return Err("a second `up` restarted a service".into());
    }
    say("== a second `up` leaves everything as it is; init has nothing to do");
    Ok(())
}

fn the_web_certificate_is_renewed_under_a_running_nginx(
    stack: &Stack<'_>,
    house: &House,
) -> Result<(), String> {
    say("== the hub renews the web certificate; nginx shows the new one and is not restarted");
    if house.shows_a_certificate_for(LATER_NAME) {
        return Err(format!(
            "the certificate knows {LATER_NAME} before anyone said so"
        ));
    }
    let before = stack.started_at(&["nginx"])?;
    stack.configure(LATER_NAME)?;
    stack.compose("up, with another name", &["up", "-d", "--no-deps", "hub"])?;
    stack.wait_for_health(&["hub"])?;
    shell::patiently("nginx shows the renewed certificate", 90, || {
        house.shows_a_certificate_for(LATER_NAME).then_some(())
    })?;
    if stack.started_at(&["nginx"])? != before {
        return Err("nginx was restarted".into());
    }
    Ok(())
}
