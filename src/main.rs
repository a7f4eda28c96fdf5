//! The IoT Home program: command line, configuration, composition, signals.
//!
//! Owner of the process. It must never hold anything reusable: that is in the crates.

mod backup;
mod banner;
mod broker_side;
mod cert;
mod cli;
mod data_dir;
#[cfg(feature = "embedded")]
mod demo;
mod deploy_init;
mod doctor;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod health;
mod logging;
mod metrics_help;
mod names;
mod open_files;
mod people;
mod ports;
mod run;
mod secret;
mod secrets;
mod settings;
mod signals;
mod simulate;
mod web;

use cli::{Call, ConfigTask, Task};
use error::StartError;
use names::Reach;
use settings::{Layers, Mode, Settings};
use std::fmt::Write;
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};

/// More than four threads bring a house nothing; fewer than two would let one slow
/// moment hold up everything.
const THREADS: (usize, usize) = (2, 4);
/// Our futures are boxed where they are large; half the default is plenty.
const STACK_BYTES: usize = 1024 * 1024;
/// Threads for files: the broker's folder and certificates are all there is.
const FILE_THREADS: usize = 8;

fn main() -> ExitCode {
    iothome_tls::install_provider();
    let call = cli::call(std::env::args_os());
    match perform(call) {
        Ok(Said { text, is_well }) => {
            say(&text);
            if is_well {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// What a command has to say at its end.
struct Said {
    text: String,
    /// Whether the program ends with success.
    is_well: bool,
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self {
            text,
            is_well: true,
        }
    }
}

/// Tells all that is wrong, also where settings are.
fn doctor(call: &Call, layers: &Layers, as_json: bool) -> Result<Said, StartError> {
    let report = match Settings::read(layers, Mode::Serve, &call.sources.variables) {
        Ok(settings) => {
            log_errors(&settings);
            runtime()?.block_on(Box::pin(doctor::look(&settings, &layers.strangers)))?
        }
        Err(problems) => doctor::unreadable(&problems, &layers.strangers),
    };
    Ok(Said {
        text: report.told(as_json),
        is_well: !report.is_faulty(),
    })
}

fn perform(mut call: Call) -> Result<Said, StartError> {
    let mode = call.task.mode();
    call.sources.file = cli::find_file(&call.sources, mode);
    if let Task::DeployInit { .. } = call.task {
        // These name what is about to be made: waiting for it would be in vain.
        let variables = &mut call.sources.variables;
        variables.retain(|name, _| !name.ends_with("_FILE"));
    }
    let mut layers = Layers::merge(&call.sources);
    if let Task::Config(ConfigTask::Check) = call.task {
        // Looking closely is what a check is for; a start only warns of these.
        for stranger in &layers.strangers {
            layers.problems.add(stranger, "there is no such setting");
        }
    }
    let read = || Settings::read(&layers, mode, &call.sources.variables);
    let told = match call.task {
        Task::Serve(show) | Task::Demo(show) => {
            let settings = read()?;
            let warnings = iothome_http::Warnings::default();
            let log = logging::start(settings.log.as_deref(), &warnings);
            for stranger in &layers.strangers {
                tracing::warn!("{stranger} is set, but there is no such setting");
            }
            open_files::raise();
            let runtime = runtime()?;
            let ran = runtime.block_on(run::run(settings, show.banner, warnings, log));
            // Whatever still hangs on a file must not hold up the end.
            runtime.shutdown_background();
            ran.map(|()| String::new())
        }
        Task::User(task) => {
            let settings = read()?;
            log_errors(&settings);
            runtime()?.block_on(Box::pin(people::run(&settings, task)))
        }
        Task::Simulate(span) => {
            let settings = read()?;
            log_errors(&settings);
            runtime()?.block_on(Box::pin(simulate::run(&settings, &span)))
        }
        Task::Backup(arguments) => {
            let settings = read()?;
            log_errors(&settings);
            runtime()?.block_on(Box::pin(backup::backup(&settings, &arguments)))
        }
        Task::Restore(arguments) => {
            let settings = read()?;
            log_errors(&settings);
            runtime()?.block_on(Box::pin(backup::restore(&settings, &arguments)))
        }
        Task::Cert(task) => cert::run(&read()?, task),
        Task::Config(ConfigTask::Check) => Ok(listing(&layers, &read()?)),
        Task::Doctor { json } => return doctor(&call, &layers, json),
        Task::Health => health::ask(&read()?),
        Task::DeployInit { into } => {
            // No more than this: the other settings point at what is about to be made.
            let mut more = layers.list("names");
            let balena = settings::BalenaDevice::find(&call.sources.variables);
            more.extend(balena.map(|device| device.local_host()));
            let names = names::certificate_names(&more, None, Reach::Proxy);
            deploy_init::run(&into, &names)
        }
    };
    told.map(Said::from)
}

/// A command that ends tells what it did; its log holds what went wrong besides.
fn log_errors(settings: &Settings) {
    let filter = settings.log.as_deref().unwrap_or("error");
    logging::start(Some(filter), &iothome_http::Warnings::default());
}

fn runtime() -> Result<Runtime, StartError> {
    let cores = std::thread::available_parallelism().map_or(THREADS.0, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.clamp(THREADS.0, THREADS.1))
        .thread_stack_size(STACK_BYTES)
        .max_blocking_threads(FILE_THREADS)
        .enable_all()
        .build()
        .map_err(|e| StartError::Other(format!("the runtime does not start: {e}")))
}

/// Everything that is set.
fn listing(layers: &Layers, settings: &Settings) -> String {
    let mut text = "The configuration is right.".to_owned();
    for (name, value, origin) in settings::layers::listing(layers) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {name} = {value}  ({origin})");
    }
    let _ = write!(text, "\n  data folder: {}", settings.data_dir.display());
    text
}

#[expect(clippy::print_stdout, reason = "the answer of a command line")]
fn say(text: &str) {
    if !text.is_empty() {
        println!("{text}");
    }
}

#[expect(
    clippy::print_stderr,
    reason = "why the program ends, also without a log"
)]
fn complain(error: &StartError) {
    eprintln!("iothome: {error}");
}
