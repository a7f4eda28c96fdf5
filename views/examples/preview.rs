//! Writes every page in every form into a folder, to be looked at in a browser:
//! `cargo run -p iothome-views --example preview -- target/preview`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use iothome_views::assets;
use std::fs;
use std::path::Path;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in assets::ALL {
        fs::write(folder.join(&asset.path[1..]), &asset.body).unwrap();
    }
    for (name, page) in fixtures::everything() {
        let path = folder.join(format!("{name}.html"));
        fs::write(&path, page.into_string()).unwrap();
        println!("{}", path.display());
    }
}
