//! What a bridge may touch, by the bridge.
//!
//! Owner of the presets: what these programs publish and subscribe to. The house checks
//! every filter again.

use iothome_engine::access::{Access, TopicRule};
use iothome_engine::topic::{valid_filter, valid_topic};
use iothome_views::pages::add_device::Problems;
use iothome_views::pages::credential::{BridgePreset, NewBridge};
use iothome_views::texts::{Texts, fill};

/// Lines of an own list; the house takes as many rules.
const LINES_MAX: usize = 128;

/// The rules that the form asks for, or what is wrong with it.
pub(super) fn of(t: &Texts, form: &NewBridge) -> Result<Vec<TopicRule>, Problems> {
    let fault = |field: &str, problem: String| Err(Problems::from([(field.to_owned(), problem)]));
    if form.preset == BridgePreset::Own {
        return match own(&form.rules) {
            Ok(rules) if rules.is_empty() => fault("rules", t.credential.problem_needed.into()),
            Ok(rules) => Ok(rules),
            Err(line) => fault("rules", fill(t.credential.problem_rules, &line.to_string())),
        };
    }
    let prefix = form.prefix.trim().trim_end_matches(['/', '#']);
    let prefix = match (form.preset, prefix) {
        (BridgePreset::Zigbee2Mqtt, "") => "zigbee2mqtt",
        (BridgePreset::EspHome, "") => {
            return fault("prefix", t.credential.problem_needed.into());
        }
        (_, prefix) => prefix,
    };
    if !prefix.is_empty() && (valid_topic(prefix).is_err() || prefix.starts_with('$')) {
        return fault("prefix", t.credential.problem_prefix.into());
    }
    Ok(match form.preset {
        BridgePreset::Zigbee2Mqtt => zigbee2mqtt(prefix),
        BridgePreset::Tasmota => tasmota(prefix),
        BridgePreset::EspHome | BridgePreset::Own => esphome(prefix),
    })
}

fn read(filter: impl Into<String>) -> TopicRule {
    TopicRule {
        filter: filter.into(),
        access: Access::Read,
    }
}

fn write(filter: impl Into<String>) -> TopicRule {
    TopicRule {
        filter: filter.into(),
        access: Access::Write,
    }
}

/// It also listens to announcements, to take back those of devices that it has lost.
fn zigbee2mqtt(base: &str) -> Vec<TopicRule> {
    vec![
        write(format!("{base}/#")),
        read(format!("{base}/#")),
        write("homeassistant/+/+/config"),
        write("homeassistant/+/+/+/config"),
        read("homeassistant/#"),
    ]
}

/// One Tasmota device by its topic, or all of them.
fn tasmota(topic: &str) -> Vec<TopicRule> {
    let rest = if topic.is_empty() {
        "#".to_owned()
    } else {
        format!("{topic}/#")
    };
    let mut rules = vec![
        write(format!("stat/{rest}")),
        write(format!("tele/{rest}")),
        read(format!("cmnd/{rest}")),
        write("tasmota/discovery/#"),
        write("homeassistant/+/+/config"),
        write("homeassistant/+/+/+/config"),
        read("homeassistant/status"),
    ];
    if !topic.is_empty() {
        // The group that every Tasmota device belongs to.
        rules.push(read("cmnd/tasmotas/#"));
    }
    rules
}

fn esphome(node: &str) -> Vec<TopicRule> {
    let last = node.rsplit('/').next().unwrap_or(node);
    vec![
        write(format!("{node}/#")),
        read(format!("{node}/#")),
        write(format!("homeassistant/+/{last}/config")),
        write(format!("homeassistant/+/{last}/+/config")),
        read("homeassistant/status"),
        read("esphome/discover"),
        write(format!("esphome/discover/{last}")),
        read(format!("esphome/ping/{last}")),
    ]
}

/// `write rtl_433/#`, one a line; the number of the first line that is not understood.
fn own(lines: &str) -> Result<Vec<TopicRule>, usize> {
    let mut rules = Vec::new();
    for (n, line) in lines.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let rule = match line.split_once(char::is_whitespace) {
            Some(("read", filter)) => read(filter.trim()),
            Some(("write", filter)) => write(filter.trim()),
            _ => return Err(n + 1),
        };
        let reaches_all = rule.filter.starts_with(['+', '#', '$']);
        if valid_filter(&rule.filter).is_err() || reaches_all || rules.len() >= LINES_MAX {
            return Err(n + 1);
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Which program the rules are for, as far as they tell.
pub(super) fn bridge_of(rules: &[TopicRule]) -> Option<BridgePreset> {
    let any = |start: &str| rules.iter().any(|rule| rule.filter.starts_with(start));
    if any("cmnd/") {
        return Some(BridgePreset::Tasmota);
    }
    if any("esphome/") {
        return Some(BridgePreset::EspHome);
    }
    let listens = rules.contains(&read("homeassistant/#"));
    listens.then_some(BridgePreset::Zigbee2Mqtt)
}

/// The prefix that a bridge's rules are about, for its snippets.
pub(super) fn prefix_of(rules: &[TopicRule]) -> Option<String> {
    let mut own = rules
        .iter()
        .filter(|rule| rule.access == Access::Write && !rule.filter.starts_with("homeassistant/"));
    let filter = &own.next()?.filter;
    let prefix = filter.trim_end_matches(['#', '/']);
    (!prefix.is_empty()).then(|| prefix.to_owned())
}

/// The topic of the Tasmota device that the rules are about.
pub(super) fn tasmota_topic(filters: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    filters.into_iter().find_map(|filter| {
        let rest = filter.as_ref().strip_prefix("cmnd/")?;
        let topic = rest.split('/').next()?;
        (!topic.is_empty() && !topic.contains(['+', '#'])).then(|| topic.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_views::texts::ENGLISH;

    fn form(preset: BridgePreset, prefix: &str, rules: &str) -> NewBridge {
        NewBridge {
            preset,
            name: "x".into(),
            prefix: prefix.into(),
            rules: rules.into(),
        }
    }

    #[test]
    fn presets_give_filters_that_are_filters_and_reach_no_other_house() {
        for preset in [
            BridgePreset::Zigbee2Mqtt,
            BridgePreset::Tasmota,
            BridgePreset::EspHome,
        ] {
            let rules = of(&ENGLISH, &form(preset, "cellar/node", "")).expect("rules");
            assert_eq!(bridge_of(&rules), Some(preset));
            for rule in &rules {
                assert_eq!(valid_filter(&rule.filter), Ok(()), "{}", rule.filter);
                assert!(!rule.filter.starts_with(['+', '#', '$']));
            }
        }
        let all = of(&ENGLISH, &form(BridgePreset::Tasmota, "", "")).expect("rules");
        assert!(all.contains(&read("cmnd/#")));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let fault = |form: &NewBridge| of(&ENGLISH, form).expect_err("a fault");
        let own = |rules: &str| form(BridgePreset::Own, "", rules);
        assert!(fault(&own("")).contains_key("rules"));
        assert!(fault(&own("write a/#\nlisten b"))["rules"].contains("Line 2"));
        assert!(fault(&own("read #"))["rules"].contains("Line 1"));
        assert!(fault(&form(BridgePreset::EspHome, "", "")).contains_key("prefix"));
        assert!(fault(&form(BridgePreset::Tasmota, "a/+", "")).contains_key("prefix"));
        let rules = of(&ENGLISH, &own("write rtl_433/#\n\nread  rtl_433/set")).expect("rules");
        assert_eq!(rules, [write("rtl_433/#"), read("rtl_433/set")]);
        assert_eq!(prefix_of(&rules).as_deref(), Some("rtl_433"));
    }
}
