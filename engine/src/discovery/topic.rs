//! The grammar of configuration topics.
//!
//! Owner of `<prefix>/<component>/[<node>/]<object>/config`. It must never look at a payload.

use super::DiscoveryError;
use crate::kind::Kind;

/// The component of a bundle of entities.
const BUNDLE: &str = "device";

/// A configuration topic, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigTopic {
    /// The component, such as `switch`, or `device` for a bundle.
    pub component: String,
    /// The node that groups entities, if there is one.
    pub node: Option<String>,
    /// The object.
    pub object: String,
}

/// The filters that see every configuration topic below the prefix.
pub fn filters(prefix: &str) -> Vec<String> {
    vec![
        format!("{prefix}/+/+/config"),
        format!("{prefix}/+/+/+/config"),
    ]
}

fn is_name(level: &str) -> bool {
    !level.is_empty()
        && level
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl ConfigTopic {
    /// Takes a topic apart; nothing if it is below another prefix or ends in another word.
    pub fn parse(prefix: &str, topic: &str) -> Result<Option<Self>, DiscoveryError> {
        let Some(path) = topic
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_suffix("/config"))
        else {
            return Ok(None);
        };
        let levels: Vec<&str> = path.splitn(4, '/').collect();
        let (component, node, object) = match levels.as_slice() {
            [component, object] => (component, None, object),
            [component, node, object] => (component, Some(*node), object),
            _ => return Err(DiscoveryError::Topic),
        };
        if !is_name(component) || !node.is_none_or(is_name) || !is_name(object) {
            return Err(DiscoveryError::Topic);
        }
        Ok(Some(Self {
            component: (*component).to_owned(),
            node: node.map(str::to_owned),
            object: (*object).to_owned(),
        }))
    }

    /// Whether it announces a device with all its entities.
    pub fn is_bundle(&self) -> bool {
        self.component == BUNDLE
    }

    /// The kind of the entity that it announces.
    pub fn kind(&self) -> Option<Kind> {
        self.component.parse().ok()
    }

    /// What groups its entities when they name no device.
    pub fn group(&self) -> &str {
        self.node.as_deref().unwrap_or(&self.object)
    }
}
