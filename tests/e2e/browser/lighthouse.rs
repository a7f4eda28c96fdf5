//! Lighthouse's judgement of home, device and sign-in page.
//!
//! Accessibility and best practices do not depend on the machine and are
//! asserted; performance is a timing: `cargo xtask lighthouse` asks for it on a
//! machine with nothing else to do.

use super::scenes::{self, House};
use crate::support::browser::target;
use crate::support::tell;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::process::Command;

/// How long Lighthouse waits for a page whose stream never ends.
const LOAD_MS_MAX: &str = "--max-wait-for-load=15000";

/// How often Lighthouse is started for a page before its own failure counts.
const TRIES: usize = 3;

/// The least score for performance, where one is asked for.
fn performance_min() -> f64 {
    std::env::var("IOTHOME_TEST_LIGHTHOUSE_PERFORMANCE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0)
}

/// The cookies of somebody who signed in by the page.
async fn cookies(house: &House) -> String {
    let client = reqwest::Client::builder().redirect(Policy::none()).build();
    let form = [("username", &house.user), ("password", &house.password)];
    let answer = client
        .expect("an HTTP client")
        .post(format!("{}/sign-in", house.hub.url()))
        .header("Origin", house.hub.url())
        .form(&form)
        .send()
        .await
        .expect("the hub answers");
    let set = answer.headers().get_all("set-cookie").iter();
    let pairs = set.filter_map(|value| value.to_str().ok()?.split(';').next());
    let pairs: Vec<&str> = pairs.collect();
    assert!(pairs.len() >= 2, "{} {pairs:?}", answer.status());
    pairs.join("; ")
}

async fn judge(url: &str, cookies: Option<&str>) -> Value {
    let program = target().join("web/node_modules/lighthouse/cli/index.js");
    assert!(
        program.exists(),
        "{} is missing; run `cargo xtask packages`",
        program.display()
    );
    let profile = crate::support::hub::folder();
    let mut command = Command::new("node");
    command
        .arg(&program)
        .args([
            url,
            "--output=json",
            "--output-path=stdout",
            "--quiet",
            LOAD_MS_MAX,
        ])
        .arg("--only-categories=accessibility,best-practices,performance")
        .arg("--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage")
        .env("CHROME_PATH", "/usr/bin/chromium")
        .env("TMPDIR", profile.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(cookies) = cookies {
        let headers = json!({"Cookie": cookies});
        command.arg(format!("--extra-headers={headers}"));
    }
    let mut told = String::new();
    // On a crowded machine Chromium now and then does not trace a page; that judges nothing.
    for _ in 0..TRIES {
        let output = command
            .output()
            .await
            .expect("node starts; install `nodejs`");
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).expect("Lighthouse answers in JSON");
        }
        told = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    panic!("Lighthouse failed {TRIES} times: {told}");
}

/// Audits of a category that cost points, in its own words.
fn complaints(report: &Value, category: &str) -> Vec<String> {
    let references = report["categories"][category]["auditRefs"].as_array();
    let ids = references
        .into_iter()
        .flatten()
        .filter_map(|r| r["id"].as_str());
    ids.filter_map(|id| {
        let audit = &report["audits"][id];
        let score = audit["score"].as_f64()?;
        let items = audit["details"]["items"].to_string();
        let items: String = items.chars().take(600).collect();
        (score < 1.0).then(|| format!("{id} ({score}): {} {items}", audit["title"]))
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn home_device_and_sign_in_page_satisfy_lighthouse() {
    iothome_tls::install_provider();
    let house = scenes::typical().await;
    let cookies = cookies(&house).await;
    let mut faults = Vec::new();
    for (path, cookies) in [
        ("/sign-in", None),
        ("/", Some(&cookies)),
        ("/devices/fridge", Some(&cookies)),
    ] {
        let url = format!("{}{path}", house.hub.url());
        let report = judge(&url, cookies.map(String::as_str)).await;
        let arrived = report["finalDisplayedUrl"].as_str().unwrap_or_default();
        assert_eq!(arrived.trim_end_matches('/'), url.trim_end_matches('/'));
        for (category, min) in [
            ("accessibility", 100.0),
            ("best-practices", 100.0),
            ("performance", performance_min()),
        ] {
            let score = report["categories"][category]["score"].as_f64();
            let score = (score.unwrap_or(0.0) * 100.0).round();
            tell(&format!("Lighthouse {path} {category}: {score}"));
            if score < min {
                let why = complaints(&report, category).join("\n  ");
                faults.push(format!("{path} {category} {score}:\n  {why}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
