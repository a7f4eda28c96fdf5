//! What is logged, changed while the hub runs.
//!
//! Owner of what may be asked for. It must never outlast the run: the setting counts
//! again at the next start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Longest filter: some dozen directives.
pub const LOG_FILTER_MAX: usize = 500;
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Puts a filter in force; says why not, if it is none.
type SetFilter = dyn Fn(&str) -> Result<(), String> + Send + Sync;

/// The filter of the log. Clones share it.
#[derive(Clone)]
pub struct LogFilter {
    set: Arc<SetFilter>,
    at_start: Arc<str>,
    now: Arc<Mutex<String>>,
}

impl LogFilter {
    /// A log that began with this filter; `set` puts another one in force.
    pub fn new(
        at_start: &str,
        set: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            set: Arc::new(set),
            at_start: at_start.into(),
            now: Arc::new(Mutex::new(at_start.to_owned())),
        }
    }

    /// The filter in force.
    pub fn now(&self) -> String {
        self.lock().clone()
    }

    /// Whether it is another one than at the start.
    pub fn is_changed(&self) -> bool {
        *self.lock() != *self.at_start
    }

    /// Puts a filter in force until the next start; `None` is the one of the start.
    ///
    /// # Errors
    /// A sentence that says what a filter is, if this is none.
    pub fn change(&self, wanted: Option<&str>) -> Result<String, String> {
        let wanted = match wanted {
            Some(wanted) => checked(wanted.trim())?,
            None => &self.at_start,
        };
        // Held while it is put in force: of two changes the told one is the one that counts.
        let mut now = self.lock();
        (self.set)(wanted)?;
        wanted.clone_into(&mut now);
        Ok(now.clone())
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        // A text is whole at any moment.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mistyped level is a part's name to the log, and would silence everything: so a
/// directive is a level, or says of what it is the level.
fn checked(wanted: &str) -> Result<&str, String> {
    const FORM: &str =
        "levels (off, error, warn, info, debug, trace) and part=level, with commas in between";
    if wanted.is_empty() || wanted.len() > LOG_FILTER_MAX {
        return Err(format!("1 to {LOG_FILTER_MAX} characters: {FORM}"));
    }
    let is_level = |word: &str| LEVELS.contains(&word.trim().to_lowercase().as_str());
    for directive in wanted.split(',') {
        let level = directive
            .rsplit_once('=')
            .map_or(directive, |(_, level)| level);
        if !is_level(level) {
            return Err(format!("{:?} is no level: {FORM}", level.trim()));
        }
    }
    Ok(wanted)
}

impl std::fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LogFilter").field(&self.now()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels_and_parts_with_levels_and_goes_back_to_the_start() {
        let log = LogFilter::new("warn", |wanted| {
            if wanted.contains('?') {
                return Err("no".to_owned());
            }
            Ok(())
        });
        let told = log.change(Some(" iothome=debug,warn "));
        assert_eq!(told.as_deref(), Ok("iothome=debug,warn"));
        assert!(log.is_changed());
        for wrong in ["", "debgu", "iothome=loud", "a=b=", "info,,warn", "?=info"] {
            assert!(log.change(Some(wrong)).is_err(), "{wrong}");
            assert_eq!(log.now(), "iothome=debug,warn");
        }
        assert!(log.change(Some(&"info,".repeat(200))).is_err());
        assert_eq!(log.change(None).as_deref(), Ok("warn"));
        assert!(!log.is_changed());
    }
}
