//! Writes every page in every form into a folder, to be looked at in a browser:
//! `cargo run -p iothome-views --example preview -- target/preview`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use fixtures as f;
use iothome_views::pages::{
    broker, device, error, home, new_devices, sessions, set_up, sign_in,
};
use iothome_views::texts::ENGLISH;
use iothome_views::{assets, layout};
use std::fs;
use std::path::Path;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in [&assets::STYLE, &assets::SCRIPT, &assets::ICON] {
        fs::write(folder.join(&asset.path[1..]), asset.body).unwrap();
    }
    let t = &ENGLISH;
    let lost = layout::Viewer { broker_connected: false, ..f::viewer() };
    let set_up_bad = set_up::SetUpPage {
        problems: set_up::SetUpProblems {
            whole: Some(t.form_has_problems.into()),
            code: Some(t.set_up_code_wrong.into()),
            password: Some(t.problem_password_short.into()),
            ..Default::default()
        },
        zones: vec!["Europe/Berlin".into()],
        ..Default::default()
    };
    let pages = [
        ("home", home::page(t, &f::viewer(), "/live", &f::typical_home())),
        ("home-empty", home::page(t, &f::viewer(), "/live", &home::HomePage::default())),
        ("home-extreme", home::page(t, &lost, "/live", &f::extreme_home())),
        ("home-hostile", home::page(t, &f::member(), "/live", &f::hostile_home())),
        ("device", device::page(t, &f::viewer(), "/live", &f::typical_device())),
        ("device-broken", device::page(t, &f::viewer(), "/live", &f::broken_device())),
        ("new", new_devices::page(t, &f::viewer(), "/live", &f::new_devices())),
        ("new-empty", new_devices::page(t, &f::viewer(), "/live", &Default::default())),
        ("broker", broker::page(t, &f::viewer(), "/live", &f::broker())),
        ("sessions", sessions::page(t, &f::viewer(), "/live", &f::sessions())),
        ("sign-in", sign_in::page(t, &sign_in::SignInPage { problem: Some(sign_in::SignInProblem::Wrong), ..Default::default() })),
        ("set-up", set_up::page(t, &set_up_bad)),
        ("error-404", error::page(t, &error::ErrorPage { status: 404, ..Default::default() })),
        ("error-500", error::page(t, &error::ErrorPage { status: 500, reference: Some("3f2a".into()), ..Default::default() })),
        ("error-429", error::page(t, &error::ErrorPage { status: 429, retry_after_s: Some(12), back: Some("/".into()), ..Default::default() })),
    ];
    for (name, page) in pages {
        let path = folder.join(format!("{name}.html"));
        fs::write(&path, page.into_string()).unwrap();
        println!("{}", path.display());
    }
}
