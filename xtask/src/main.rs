//! Developer commands of IoT Home: `cargo xtask test`, `bench`, `soak`,
//! `compose-test`, `tidy`.
//!
//! Owner of how the project is checked. It must never weaken a check that the
//! README promises, and never be needed to run the hub.

mod bench;
mod command;
mod compose;
#[cfg(test)]
mod compose_file;
mod cross;
mod packages;
mod soak;
mod test;
mod tidy;
mod web;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Developer commands of IoT Home.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

/// What to do.
#[derive(Subcommand)]
enum Task {
    /// Run every check: packages, format, clippy, docs, licences and all tests.
    Test,
    /// Print the figures: start, memory, size, cost of a report.
    Bench {
        /// Seconds that the demo runs before its memory is read.
        #[arg(long, default_value_t = 60)]
        settle_s: u64,
    },
    /// Run the long repetitions in full and print a line for docs/reliability.md.
    Soak {
        /// How often the hub is killed while commands run.
        #[arg(long, default_value_t = 200)]
        kills: u32,
    },
    /// Run `docker-compose.yml` with a Docker engine, from nothing to a restart, and take it down.
    ComposeTest {
        /// The profile the hub is built with; what is given away is built with `dist`.
        #[arg(long, default_value = "release")]
        profile: String,
        /// Take the images as they were built last.
        #[arg(long)]
        built: bool,
        /// Leave everything running, to look around.
        #[arg(long)]
        keep: bool,
    },
    /// Build for arm64, arm/v7 and arm/v6 with Debian's compilers, and try each out.
    Cross,
    /// Check the layout: file lengths, headers, and which crate may depend on which.
    Tidy,
    /// Install the Debian packages that the tests need, and fetch what judges the pages.
    Packages,
    /// Let Lighthouse judge the pages, performance included: on a machine with nothing else to do.
    Lighthouse,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Bench { settle_s } => bench::run(settle_s),
        Task::Soak { kills } => soak::run(kills),
        Task::ComposeTest {
            profile,
            built,
            keep,
        } => compose::run(&profile, built, keep),
        Task::Cross => cross::run(),
        Task::Tidy => tidy::run(),
        Task::Packages => packages::install().and_then(|()| web::fetch()),
        Task::Lighthouse => web::lighthouse(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            command::say(&format!("xtask: {problem}"));
            ExitCode::FAILURE
        }
    }
}
