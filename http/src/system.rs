//! How the hub is, gathered from everywhere, for the system page and REST.
//!
//! Owner of what is asked of whom. It must never fail because a part does: what
//! cannot be known now is told as unknown.

use crate::app::App;
use crate::config::{BrokerClient, Certificate, CertificateRole};
use actix_web::web;
use iothome_actors::Queue;
use iothome_engine::time::Timestamp;
use iothome_store::MeasuredSize;

/// Clients shown: a house has some hundreds, and a page of more helps nobody.
pub(crate) const CLIENTS_MAX: usize = 1_000;
/// Growth is told over a week, so that one busy day does not frighten.
const WEEK_MS: i64 = 7 * DAY_MS;
/// Less than this long ago tells nothing about a day.
const SHORTEST_MS: i64 = 20 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// A part of the hub and whether it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// `database`, `broker`, `commands`, `history`, `access`.
    pub(crate) name: &'static str,
    /// Whether it works.
    pub(crate) works: bool,
    /// Why not.
    pub(crate) problem: Option<String>,
}

/// The hub as it is now.
pub(crate) struct Report {
    pub(crate) version: &'static str,
    pub(crate) started_at: Timestamp,
    pub(crate) now: Timestamp,
    /// Resident memory; unknown where there is no `/proc`.
    pub(crate) memory_bytes: Option<u64>,
    /// `sqlite` or `postgresql`.
    pub(crate) database: &'static str,
    pub(crate) database_bytes: Option<u64>,
    /// Unknown until the hub has measured for a day.
    pub(crate) bytes_per_day: Option<i64>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) parts: Vec<Part>,
}

impl Report {
    /// Asks everybody.
    pub(crate) async fn of(app: &web::Data<App>) -> Self {
        let (bytes, sizes) = tokio::join!(app.store.size_bytes(), app.store.noted_sizes());
        let (bytes, now) = (bytes.ok(), app.now());
        let sizes = sizes.unwrap_or_default();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            started_at: app.hub.started_at(),
            now,
            memory_bytes: memory_bytes().await,
            database: app.store.kind(),
            database_bytes: bytes,
            bytes_per_day: bytes.and_then(|bytes| per_day(&sizes, MeasuredSize { at: now, bytes })),
            queues: app.hub.queues(),
            certificates: certificates(app).await,
            parts: parts(app).await,
        }
    }
}

async fn parts(app: &App) -> Vec<Part> {
    let part = |name, works: bool, problem: Option<String>| Part {
        name,
        works,
        problem: problem.filter(|_| !works),
    };
    let database = app.store.check().await;
    let broker = app.hub.broker();
    let mut parts = vec![
        part(
            "database",
            database.is_ok(),
            database.err().map(|e| e.to_string()),
        ),
        part("broker", broker.connected, broker.problem),
        part("commands", app.hub.journal_healthy(), None),
        part("history", app.hub.recorder_healthy(), None),
    ];
    if app.hub.manages_broker() {
        let accounts = app.hub.accounts();
        parts.push(part("access", !accounts.is_degraded(), None));
    }
    parts
}

/// The certificates of the house. Files are read, so not on a worker.
pub(crate) async fn certificates(app: &App) -> Vec<Certificate> {
    let Some(ask) = app.config.certificates.clone() else {
        return Vec::new();
    };
    web::block(move || ask()).await.unwrap_or_default()
}

/// The broker's next certificate, if one was prepared.
pub(crate) fn next_broker(certificates: &[Certificate]) -> Option<Certificate> {
    let mut all = certificates.iter();
    all.find(|c| c.role == CertificateRole::NextBroker).cloned()
}

/// Who is connected to the broker, if that can be known.
pub(crate) fn broker_clients(app: &App) -> Option<Vec<BrokerClient>> {
    let mut clients = app.config.broker_clients.as_ref()?();
    clients.truncate(CLIENTS_MAX);
    Some(clients)
}

/// Resident memory of this process.
async fn memory_bytes() -> Option<u64> {
    let status = tokio::fs::read_to_string("/proc/self/status").await.ok()?;
    resident(&status)
}

fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

/// Growth a day, from the oldest measurement of the last week to now.
fn per_day(sizes: &[MeasuredSize], now: MeasuredSize) -> Option<i64> {
    let age = |size: &MeasuredSize| now.at.millis_since(size.at);
    let then = sizes.iter().find(|size| age(size) <= WEEK_MS + DAY_MS)?;
    let passed = age(then);
    if passed < SHORTEST_MS {
        return None;
    }
    let grown = i128::from(now.bytes) - i128::from(then.bytes);
    i64::try_from(grown * i128::from(DAY_MS) / i128::from(passed)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(hours: i64, bytes: u64) -> MeasuredSize {
        MeasuredSize {
            at: Timestamp::from_millis(hours * 3_600_000),
            bytes,
        }
    }

    #[test]
    fn growth_is_told_over_a_week_and_only_after_a_day() {
        assert_eq!(per_day(&[], size(100, 5)), None);
        assert_eq!(per_day(&[size(90, 1)], size(100, 5)), None);
        assert_eq!(per_day(&[size(0, 1_000)], size(48, 3_000)), Some(1_000));
        assert_eq!(per_day(&[size(0, 3_000)], size(24, 1_000)), Some(-2_000));
        // What is older than a week does not count.
        let long = [size(0, 0), size(24 * 20, 10_000), size(24 * 24, 12_000)];
        assert_eq!(per_day(&long, size(24 * 25, 15_000)), Some(1_000));
    }

    #[test]
    fn memory_is_read_from_the_kernels_words() {
        assert_eq!(
            resident("VmPeak:\t 9 kB\nVmRSS:\t    1756 kB\n"),
            Some(1_798_144)
        );
        assert_eq!(resident("VmRSS: many"), None);
        assert_eq!(resident(""), None);
    }
}
