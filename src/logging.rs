//! Structured logs: for people on a terminal, JSON otherwise, always on standard error.
//!
//! Owner of what is logged by default, and of what goes on the list of warnings. Standard output belongs to the banner.

use iothome_http::{LogFilter, Severity, Warnings};
use std::fmt::Write as _;
use std::io::IsTerminal;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};

/// Our own words, and of others only what is wrong. The embedded broker's warnings are
/// one per refused message, so a mad device could fill a disk with them: it is asked for
/// errors only, and the refusals are told by our own door, once each.
const DEFAULT: &str = "warn,iothome=info,iothome_actors=info,iothome_http=info,iothome_store=info,\
    iothome_broker=info,iothome_simulator=info,mqtt5=error,mqtt5_protocol=error,rumqttc=error";

/// Starts logging: everything that passes the filter to standard error, and warnings and errors
/// to the list that the system page shows. A filter that does not parse is told and replaced by
/// the default. Gives what changes the filter while the program runs.
pub(crate) fn start(filter: Option<&str>, warnings: &Warnings) -> LogFilter {
    let wanted = filter.unwrap_or(DEFAULT);
    let (at_start, filter, problem) = match EnvFilter::try_new(wanted) {
        Ok(filter) => (wanted, filter, None),
        Err(error) => (DEFAULT, EnvFilter::new(DEFAULT), Some(error)),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    let list = List(warnings.clone()).with_filter(LevelFilter::WARN);
    let all = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(list);
    // A subscriber that is there already (tests) stays.
    let _ = all.try_init();
    if let Some(problem) = problem {
        tracing::warn!(%problem, "IOTHOME_LOG is not a filter; the default is used");
    }
    LogFilter::new(at_start, move |wanted| {
        let filter = EnvFilter::try_new(wanted).map_err(|e| e.to_string())?;
        handle.reload(filter).map_err(|e| e.to_string())
    })
}

/// Puts warnings and errors on the list.
struct List(Warnings);

impl<S: Subscriber> Layer<S> for List {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::Error,
            _ => Severity::Warning,
        };
        let mut line = Line::default();
        event.record(&mut line);
        // Crates are called `iothome_http::pages::…`; people know the first word.
        let target = event
            .metadata()
            .target()
            .split("::")
            .next()
            .unwrap_or_default();
        let part = target.strip_prefix("iothome_").unwrap_or(target);
        self.0
            .note(crate::people::now(), severity, part, &line.text());
    }
}

/// An event as one line: what it says, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

/// Fields whose value is nobody's business, whoever logs them by mistake.
const SECRET: [&str; 7] = [
    "password",
    "token",
    "secret",
    "cookie",
    "authorization",
    "code",
    "key",
];

impl Line {
    fn add(&mut self, field: &Field, value: std::fmt::Arguments<'_>) {
        let name = field.name();
        // Writing to a string cannot fail.
        let _ = if name == "message" {
            write!(self.message, "{value}")
        } else if SECRET.iter().any(|secret| name.contains(secret)) {
            write!(self.fields, " {name}=…")
        } else {
            write!(self.fields, " {name}={value}")
        };
    }

    fn text(self) -> String {
        self.message + &self.fields
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(log: impl FnOnce()) -> Vec<(Severity, String)> {
        let warnings = Warnings::default();
        let list = List(warnings.clone()).with_filter(LevelFilter::WARN);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(list), log);
        let lines = warnings.newest_first().into_iter();
        lines.map(|line| (line.severity, line.text)).collect()
    }

    #[test]
    fn warnings_and_errors_are_listed_with_their_fields_and_nothing_less() {
        let listed = lines(|| {
            tracing::info!("all is well");
            tracing::warn!(topic = "a/b", times = 3, "a message was dropped");
            tracing::error!(problem = %"no room", "cannot write");
        });
        let expected = [
            (Severity::Error, "cannot write problem=no room".to_owned()),
            (
                Severity::Warning,
                "a message was dropped topic=a/b times=3".to_owned(),
            ),
        ];
        assert_eq!(listed, expected);
    }

    #[test]
    fn a_secret_that_is_logged_by_mistake_is_not_listed() {
        let listed = lines(|| {
            tracing::warn!(user_password = "p4ss", refresh_token = ?Some("t0k"), "oops");
        });
        assert_eq!(listed[0].1, "oops user_password=… refresh_token=…");
    }
}
