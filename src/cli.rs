//! The command line.
//!
//! Owner of what can be typed. It must never decide what a value means: settings do.

use crate::settings::keys::KEYS;
use crate::settings::{Mode, Sources};
use clap::{Arg, ArgMatches, Command, FromArgMatches, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) task: Task,
    pub(crate) sources: Sources,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Task {
    /// Run the hub (this is what happens when no command is given)
    Serve(Show),
    /// Run the hub with a simulated home, on this machine only
    Demo(Show),
    /// Manage the people of the home; works while the hub runs
    #[command(subcommand)]
    User(UserTask),
    /// Run the schedules of the home on virtual time and print what they would do; sends nothing
    Simulate(Span),
    /// Show certificates, and change the broker's on purpose
    #[command(subcommand)]
    Cert(CertTask),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigTask),
    /// Write the whole house into one file: database, keys and certificates; works while the hub runs
    Backup(BackupArguments),
    /// Put the house of a backup in place, on either database; the hub must not run
    Restore(RestoreArguments),
    /// Look at database, broker, certificates, clock, disk and settings, and say what to do; exits
    /// with 1 if something does not work
    Doctor {
        /// One JSON array instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Ask a running hub whether it is ready; exits with 1 if not
    Health,
    /// Make what the containers of one house need before they start; for `docker-compose.yml`
    #[command(hide = true)]
    DeployInit {
        /// The folder that the volumes are mounted in
        #[arg(long, value_name = "FOLDER")]
        into: PathBuf,
    },
}

/// How the start is told on standard output.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Show {
    /// How the start is told on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) banner: BannerForm,
}

/// Forms of the banner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BannerForm {
    /// For people
    #[default]
    Text,
    /// One line of JSON, once everything listens
    Json,
}

/// From when until when.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Span {
    /// A date, a local time or an instant; now if not given
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// A date, a local time or an instant; a week later if not given
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
}

/// Where a backup goes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// The file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// Where a house comes from.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// The backup; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace the house that is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// What a backup is sealed with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Passphrase {
    /// A file that holds the passphrase [env: IOTHOME_BACKUP_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum UserTask {
    /// Add a person; prints a password unless one is given on standard input
    Add {
        /// The name to sign in with
        name: String,
        /// admin or member
        #[arg(long, default_value = "member")]
        role: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the people
    List,
    /// Give a person a new password; ends their sessions
    ResetPassword {
        /// The name to sign in with
        name: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum CertTask {
    /// Print the fingerprints that devices pin and browsers show
    Show,
    /// Make the broker's next certificate, so that devices can be told its fingerprint
    Prepare,
    /// Put the prepared certificate in place; the broker shows it from its next start on
    Switch,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigTask {
    /// Read the configuration and name everything that is wrong with it
    Check,
}

impl Task {
    pub(crate) const fn mode(&self) -> Mode {
        match self {
            Self::Demo(_) => Mode::Demo,
            _ => Mode::Serve,
        }
    }
}

/// The command line as clap sees it.
pub(crate) fn command() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .global(true)
        .help("Configuration file in TOML form [env: IOTHOME_CONFIG]");
    let settings = KEYS.iter().map(|key| {
        Arg::new(key.name)
            .long(key.flag)
            .value_name(key.value)
            .global(true)
            .help(format!("{} [env: {}]", key.help, key.variable()))
            .help_heading("Settings")
    });
    let banner = Arg::new("top_banner")
        .long("banner")
        .value_parser(clap::value_parser!(BannerForm))
        .value_name("FORM")
        .help("How the start is told on standard output");
    let command = Command::new("iothome")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Each setting is a flag, a variable, and a key of the configuration file, in this \
             order. A variable with _FILE at its end names a file that holds the value.",
        )
        .arg(config)
        .arg(banner)
        .args(settings);
    // Said last: the list of commands brings a description of its own.
    Task::augment_subcommands(command)
        .about("IoT Home: a home automation hub")
        .subcommand_required(false)
}

/// Reads the command line; clap ends the program for `--help` and mistakes.
pub(crate) fn call(arguments: impl Iterator<Item = std::ffi::OsString>) -> Call {
    let matches = command().get_matches_from(arguments);
    let task = match Task::from_arg_matches(&matches) {
        Ok(task) => task,
        // No command: the hub itself.
        Err(_) => Task::Serve(Show {
            banner: matches.get_one("top_banner").copied().unwrap_or_default(),
        }),
    };
    Call {
        task,
        sources: sources(&matches),
    }
}

fn sources(matches: &ArgMatches) -> Sources {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let flags = KEYS
        .iter()
        .filter_map(|k| Some((k.name.to_owned(), text(k.name)?)));
    // A variable that is not UTF-8 is none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    Sources {
        flags: flags.collect(),
        variables: variables.collect(),
        file: text("config").map(PathBuf::from),
    }
}

/// The configuration file to read: the one named, else the user's own if it is there.
///
/// The demo reads only a file that is named: a configuration of the real home has no
/// business in it.
pub(crate) fn find_file(sources: &Sources, mode: Mode) -> Option<PathBuf> {
    let variable = |name: &str| sources.variables.get(name).filter(|v| !v.is_empty());
    if let Some(named) = sources
        .file
        .clone()
        .or_else(|| variable("IOTHOME_CONFIG").map(PathBuf::from))
    {
        return Some(named);
    }
    if mode == Mode::Demo {
        return None;
    }
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(base.join("iothome/config.toml")).filter(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Call {
        call(line.split(' ').map(Into::into))
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn no_command_is_serve() {
        assert!(matches!(parse("iothome").task, Task::Serve(_)));
        let call = parse("iothome --banner json --http-listen off");
        assert!(matches!(
            call.task,
            Task::Serve(Show {
                banner: BannerForm::Json
            })
        ));
        assert_eq!(call.sources.flags["http_listen"], "off");
    }

    #[test]
    fn settings_may_stand_before_or_after_the_command() {
        for line in [
            "iothome demo --data-dir /x --banner json",
            "iothome --data-dir /x demo --banner json",
        ] {
            let call = parse(line);
            assert!(matches!(
                call.task,
                Task::Demo(Show {
                    banner: BannerForm::Json
                })
            ));
            assert_eq!(call.sources.flags["data_dir"], "/x");
        }
    }

    #[test]
    fn the_demo_reads_no_configuration_it_was_not_given() {
        let dir = std::env::temp_dir();
        let mut sources = Sources::default();
        sources
            .variables
            .insert("HOME".to_owned(), dir.display().to_string());
        assert_eq!(find_file(&sources, Mode::Demo), None);
        sources
            .variables
            .insert("IOTHOME_CONFIG".to_owned(), "/x.toml".to_owned());
        assert_eq!(find_file(&sources, Mode::Demo), Some("/x.toml".into()));
    }
}
