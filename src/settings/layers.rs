//! Flags over environment over file over defaults.
//!
//! Owner of precedence, which the `config` crate carries out, and of where each
//! value came from, so that an error can name the place to mend.

use super::Problems;
use super::keys::{KEYS, Key, key};
use config::{Config, File, FileFormat};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What every variable of ours starts with.
pub(crate) const PREFIX: &str = "IOTHOME_";
/// Variables that are no settings: where the configuration file is.
const NOT_SETTINGS: [&str; 2] = ["IOTHOME_CONFIG", FILE_WAIT];
/// How many seconds to wait for a file of a `…_FILE` variable that is not there yet.
const FILE_WAIT: &str = "IOTHOME_FILE_WAIT_S";
/// Whoever waits longer waits for something that does not come.
const FILE_WAIT_MAX_S: u64 = 600;
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// A secret in a file is a line, not a film.
const SECRET_FILE_MAX: u64 = 64 * 1024;

/// What the settings are read from.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// From the command line, by key.
    pub(crate) flags: BTreeMap<String, String>,
    /// The environment, all of it.
    pub(crate) variables: BTreeMap<String, String>,
    /// The configuration file, if there is one.
    pub(crate) file: Option<PathBuf>,
}

/// All layers merged.
pub(crate) struct Layers {
    merged: Config,
    origins: BTreeMap<String, String>,
    /// Variables that look like ours and are no setting.
    pub(crate) strangers: Vec<String>,
    /// What was wrong already while reading.
    pub(crate) problems: Problems,
}

impl Layers {
    /// Reads and merges; what is wrong is noted, and the rest is read all the same.
    pub(crate) fn merge(sources: &Sources) -> Self {
        let mut problems = Problems::default();
        let mut origins = BTreeMap::new();
        let mut builder = Config::builder();
        if let Some(path) = &sources.file
            && let Some(text) = read_file(path, &mut origins, &mut problems)
        {
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let mut strangers = Vec::new();
        let variables = variables(sources, &mut problems, &mut strangers);
        for (name, (origin, value)) in &variables {
            origins.insert(name.clone(), origin.clone());
            builder = add(builder, name, value, origin, &mut problems);
        }
        for (name, value) in &sources.flags {
            let origin = key(name).map_or_else(|| name.clone(), Key::flag);
            origins.insert(name.clone(), origin.clone());
            builder = add(builder, name, value, &origin, &mut problems);
        }
        let merged = builder.build().unwrap_or_else(|error| {
            problems.add("the configuration", error.to_string());
            Config::default()
        });
        Self {
            merged,
            origins,
            strangers,
            problems,
        }
    }

    /// The value as text, however the file spelt it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.merged.get_string(name).ok()?;
        Some(text.trim().to_owned()).filter(|t| !t.is_empty())
    }

    /// A list: an array in the file, commas elsewhere.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = match self.merged.get_array(name) {
            Ok(items) => items.into_iter().map(|v| v.to_string()).collect(),
            Err(_) => self.text(name).map(|t| vec![t]).unwrap_or_default(),
        };
        let split = items.iter().flat_map(|item: &String| item.split(','));
        split
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// Whether somebody set it, rather than the program's default.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.origins.contains_key(name)
    }

    /// Where the value came from, or the variable to set if nobody did.
    pub(crate) fn origin(&self, name: &str) -> String {
        self.origins
            .get(name)
            .cloned()
            .unwrap_or_else(|| key(name).map_or_else(|| name.to_owned(), Key::variable))
    }
}

type Builder = config::ConfigBuilder<config::builder::DefaultState>;

/// Later calls win: the variables come before the flags.
fn add(
    builder: Builder,
    name: &str,
    value: &str,
    origin: &str,
    problems: &mut Problems,
) -> Builder {
    match builder.clone().set_override(name, value) {
        Ok(builder) => builder,
        Err(error) => {
            problems.add(origin, error.to_string());
            builder
        }
    }
}

/// Reads the file, notes its keys, and complains about each that is no setting.
fn read_file(
    path: &Path,
    origins: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<String> {
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.add(&shown, error.to_string());
            return None;
        }
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            problems.add(&shown, error.to_string().trim_end());
            return None;
        }
    };
    for (name, value) in &table {
        let origin = format!("`{name}` in {shown}");
        if key(name).is_none() {
            problems.add(origin, "there is no such setting");
        } else if value.is_table() {
            problems.add(origin, "a text is needed, not a table");
        } else {
            origins.insert(name.clone(), origin);
        }
    }
    Some(text)
}

/// Our variables by key; `…_FILE` is read.
fn variables(
    sources: &Sources,
    problems: &mut Problems,
    strangers: &mut Vec<String>,
) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    let until = Instant::now() + file_wait(sources, problems);
    for (variable, value) in &sources.variables {
        let Some(rest) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let name = rest.to_lowercase();
        let pointed = name.strip_suffix("_file").and_then(key);
        match (key(&name), pointed) {
            (Some(_), _) => {
                found.insert(name, (variable.clone(), value.clone()));
            }
            (None, Some(pointed)) if sources.variables.contains_key(&pointed.variable()) => {
                let other = pointed.variable();
                problems.add(variable, format!("{other} is set too: unset one"));
            }
            (None, Some(pointed)) => match await_secret(Path::new(value), until) {
                Ok(text) => {
                    found.insert(pointed.name.to_owned(), (variable.clone(), text));
                }
                Err(error) => problems.add(variable, format!("cannot read {value}: {error}")),
            },
            (None, None) if NOT_SETTINGS.contains(&variable.as_str()) => {}
            (None, None) => strangers.push(variable.clone()),
        }
    }
    found
}

/// Zero unless it is set: a file that is missing is a mistake, except where another program
/// is about to write it.
fn file_wait(sources: &Sources, problems: &mut Problems) -> Duration {
    let Some(text) = sources.variables.get(FILE_WAIT) else {
        return Duration::ZERO;
    };
    match text.trim().parse::<u64>() {
        Ok(seconds) if seconds <= FILE_WAIT_MAX_S => Duration::from_secs(seconds),
        _ => {
            let problem = format!("a number of seconds up to {FILE_WAIT_MAX_S} is needed");
            problems.add(FILE_WAIT, problem);
            Duration::ZERO
        }
    }
}

fn await_secret(path: &Path, until: Instant) -> std::io::Result<String> {
    loop {
        match read_secret(path) {
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && Instant::now() < until =>
            {
                std::thread::sleep(LOOK_AGAIN);
            }
            read => return read,
        }
    }
}

fn read_secret(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.len() > SECRET_FILE_MAX {
        let problem = "it is too large for a setting";
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            problem,
        ));
    }
    Ok(std::fs::read_to_string(path)?.trim_end().to_owned())
}

/// Every setting with its value and where it comes from, for `config check`.
pub(crate) fn listing(layers: &Layers) -> Vec<(String, String, String)> {
    let set = KEYS.iter().filter(|k| layers.is_set(k.name));
    set.map(|k| {
        let value = match (k.secret, layers.list(k.name).join(", ")) {
            (true, value) => super::hidden(k.name, &value),
            (false, value) => value,
        };
        (k.name.to_owned(), value, layers.origin(k.name))
    })
    .collect()
}
