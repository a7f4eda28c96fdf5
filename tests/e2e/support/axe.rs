//! What can be measured of a page: axe-core's rules, and the house's own.
//!
//! Owner of what counts as a fault of a page. It must never let one pass because a tool is missing.

use super::browser::{Browser, target};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// axe-core, as `cargo xtask packages` fetches it.
fn axe() -> &'static str {
    static AXE: OnceLock<String> = OnceLock::new();
    AXE.get_or_init(|| {
        let path = target().join("web/node_modules/axe-core/axe.min.js");
        std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask packages`", path.display()))
    })
}

/// Everything that axe-core finds, with what to do about it.
///
/// All rules that are on by default, best practices among them, and the size of targets.
const JUDGE: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }).then(
        (found) => done(found.violations.map((fault) => fault.id + ': ' + fault.help + fault.nodes.slice(0, 4)
            .map((node) => '\\n      ' + node.target.join(' ') + ' ' + node.html.slice(0, 160) + '\\n        '
                + node.failureSummary.replaceAll('\\n', ' ')).join(''))),
        (error) => done(['axe-core failed: ' + error]));";

/// What axe-core does not judge: things beyond the edge, targets under 44 pixels, anything from outside.
///
/// Links in running text are exempt from the size, as in WCAG 2.5.5.
const OWN: &str = "
    const faults = [];
    const name = (e) => e.outerHTML.slice(0, 160);
    // Not the inner width: on a phone the window zooms out to hold what is too wide.
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth + 1) {
        const wide = [...document.body.querySelectorAll('*')].find((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
        faults.push('wider than the window: ' + root.scrollWidth + ' > ' + root.clientWidth + (wide ? ' ' + name(wide) : ''));
    }
    const targets = 'button, select, textarea, summary, input:not([type=hidden]), nav a, a.button, [role=button], [role=switch]';
    for (const element of document.querySelectorAll(targets)) {
        const shown = element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
        const hidden = element.closest('[class*=visually-hidden]');
        if (!shown || hidden || element.disabled) continue;
        let box = element.getBoundingClientRect();
        const label = element.matches('[type=checkbox], [type=radio]') && element.labels[0];
        if (label) box = label.getBoundingClientRect();
        if (!box.width || !box.height) continue;
        if (Math.round(box.width) < 44 || Math.round(box.height) < 44)
            faults.push('target of ' + Math.round(box.width) + ' × ' + Math.round(box.height) + ': ' + name(element));
    }
    for (const entry of performance.getEntriesByType('resource'))
        if (new URL(entry.name).origin !== location.origin) faults.push('from outside: ' + entry.name);
    return faults;";

/// Every fault of the page as it is shown now.
pub(crate) async fn faults(browser: &Browser) -> Vec<String> {
    if browser.run("return typeof axe").await == json!("undefined") {
        browser.run(axe()).await;
    }
    let mut found = texts(&browser.run_async(JUDGE, vec![]).await);
    found.extend(texts(&browser.run(OWN).await));
    found
}

fn texts(found: &Value) -> Vec<String> {
    let found = found.as_array().expect("a list of faults");
    let found = found.iter().filter_map(Value::as_str);
    found.map(str::to_owned).collect()
}
