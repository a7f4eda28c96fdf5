//! Certificates: readable, with their keys, and how long they last yet.
//!
//! Owner of these lines of the report. It must never make or renew one.

use super::Report;
use crate::settings::Settings;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

/// A certificate to look at.
struct Kind {
    file: &'static str,
    name: &'static str,
    /// Within so many days of its end somebody should look.
    soon_days: u32,
    todo: &'static str,
}

/// The house's own, by their files.
const OWN: [Kind; 4] = [
    Kind {
        file: "ca",
        name: "the authority",
        soon_days: 365,
        todo: "plan for a new one: phones and clients that trust it have to be told",
    },
    Kind {
        file: "broker",
        name: "the broker's",
        soon_days: 180,
        todo: "`iothome cert prepare`, tell devices the next fingerprint, then `iothome cert switch`",
    },
    Kind {
        file: "broker-next",
        name: "the broker's next",
        soon_days: 180,
        todo: "take its two files away and run `iothome cert prepare` again",
    },
    Kind {
        file: "web",
        name: "the web's",
        // It renews a third of its life before the end.
        soon_days: 60,
        todo: "it renews by itself while the hub runs: see the log for why it did not",
    },
];

pub(super) fn look(report: &mut Report, settings: &Settings) {
    let tls = settings.data_dir.join("tls");
    if !tls.join("ca.pem").exists() {
        let what = format!("there are none in {} yet", tls.display());
        report.warn(
            "certificates",
            what,
            "they are made at the first start; restore a backup if there were some",
        );
    } else {
        for kind in &OWN {
            let pem = tls.join(kind.file).with_extension("pem");
            if pem.exists() {
                let key = pem.with_extension("key");
                one(report, kind.name, &pem, &key, kind.soon_days, kind.todo);
            }
        }
    }
    if let Some(own) = &settings.certificate {
        let todo = "renew it where you got it; the hub takes new files up within a minute";
        one(
            report,
            "your own for the web",
            &own.cert,
            &own.key,
            21,
            todo,
        );
    }
}

fn one(report: &mut Report, name: &str, pem: &PathBuf, key: &Path, soon_days: u32, todo: &str) {
    let part = "certificates";
    let ends = std::fs::read_to_string(pem)
        .map_err(|e| e.to_string())
        .and_then(|text| iothome_tls::end_of_pem(&text).map_err(|e| e.to_string()));
    let ends = match ends {
        Ok(ends) => ends,
        Err(problem) => {
            let what = format!("{name} cannot be read: {}: {problem}", pem.display());
            report.fault(part, what, "restore it from a backup");
            return;
        }
    };
    if let Err(problem) = iothome_tls::server_config(pem, key) {
        let what = format!("{name} and its key do not go together: {problem}");
        report.fault(part, what, "restore both files from the same backup");
        return;
    }
    let until = jiff::Timestamp::try_from(ends)
        .map_or_else(|_| "?".to_owned(), |t| t.strftime("%F").to_string());
    match ends.duration_since(SystemTime::now()) {
        Err(_) => report.fault(part, format!("{name} ended on {until}"), todo),
        Ok(left) if left < DAY * soon_days => {
            let days = left.as_secs() / DAY.as_secs();
            report.warn(
                part,
                format!("{name} ends on {until}, in {days} days"),
                todo,
            );
        }
        Ok(_) => report.ok(part, format!("{name} is good until {until}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn what_ends_soon_what_has_ended_and_a_wrong_key_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned()];
        let made = SystemTime::now() - DAY * 395;
        let tls = dir.path().join("tls");
        // The web's lasts 397 days: of this one two are left.
        iothome_tls::Authority::open_or_create(&tls, &names, made).unwrap();
        let at = |file: &str| {
            (
                tls.join(file).with_extension("pem"),
                tls.join(file).with_extension("key"),
            )
        };
        let told = |(pem, key): (PathBuf, PathBuf), soon| {
            let mut report = Report::default();
            one(&mut report, "it", &pem, &key, soon, "renew");
            report.told(false)
        };
        assert!(told(at("web"), 60).starts_with("warning"));
        assert!(told(at("broker"), 60).starts_with("ok"));
        assert!(told((at("web").0, at("ca").1), 60).contains("do not go together"));
        std::fs::write(at("web").0, "nonsense").unwrap();
        assert!(told(at("web"), 60).starts_with("FAULT"));
    }
}
