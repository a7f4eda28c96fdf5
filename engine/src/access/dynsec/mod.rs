//! Mosquitto's dynamic security in its own words: accounts, roles, access lists, commands.
//!
//! Owner of how a credential is told to that plugin, and of the marks by which a house
//! knows what it made there. It must never touch an account without the house's mark.

mod answer;
mod plan;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Answered, Listed, ListedRole, Unreadable};
pub use plan::{Fault, FaultKind, Found, Planned, Step, plan};

use super::{Access, Credential, TopicRule};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Where commands are published.
pub const COMMANDS: &str = "$CONTROL/dynamic-security/v1";

/// Where answers come.
pub const ANSWERS: &str = "$CONTROL/dynamic-security/v1/response";

/// How the names of roles begin that hubs make. No account of a device can be called so, as
/// ids hold no dot.
pub const PREFIX: &str = "iothome.";

/// The word before the house in the description of what a hub made.
const MARK: &str = "iothome";

/// What stands in the mark of a throw-away account in place of a password's digest.
const THROW_AWAY: &str = "throw-away";

/// Characters of the digest in a mark: 128 bits tell two passwords apart.
const TAG_CHARS: usize = 32;

/// One line of an access list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Acl {
    /// What is done: `publishClientSend`, `publishClientReceive`, `subscribePattern`…
    pub acltype: String,
    /// The topic filter.
    pub topic: String,
    /// Lines of a higher one are asked first.
    #[serde(default)]
    pub priority: i64,
    /// Whether it is allowed.
    pub allow: bool,
}

impl Acl {
    fn allow(acltype: &str, topic: &str) -> Self {
        Self {
            acltype: acltype.to_owned(),
            topic: topic.to_owned(),
            priority: 0,
            allow: true,
        }
    }
}

/// The access list of these rules, in order and each line once.
///
/// Who may read needs both the subscription and the delivery: the plugin asks for each.
pub fn acls(rules: &[TopicRule]) -> Vec<Acl> {
    let mut acls: Vec<Acl> = rules
        .iter()
        .flat_map(|rule| match rule.access {
            Access::Write => vec![Acl::allow("publishClientSend", &rule.filter)],
            Access::Read => vec![
                Acl::allow("subscribePattern", &rule.filter),
                Acl::allow("publishClientReceive", &rule.filter),
            ],
        })
        .collect();
    acls.sort();
    acls.dedup();
    acls
}

/// The mark of one house on everything that its hub makes at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct House(String);

impl House {
    /// The house of that installation.
    pub fn new(installation: &str) -> Self {
        Self(installation.to_owned())
    }

    /// The mark of a role.
    fn role_mark(&self) -> String {
        format!("{MARK}:{}", self.0)
    }

    /// The mark of an account, which also tells one password from the next.
    fn account_mark(&self, tag: &str) -> String {
        format!("{MARK}:{}:{tag}", self.0)
    }

    /// Whether the description says that this house made it.
    fn made(&self, description: &str) -> bool {
        let rest = description.strip_prefix(&self.role_mark());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

/// An account as it should be at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// MQTT user name.
    pub username: String,
    /// The role that is its alone.
    pub role: String,
    /// What it may do.
    pub acls: Vec<Acl>,
    /// Tells its password from any before it; nothing can be learned from it.
    pub tag: String,
    /// Whether the hub can still tell its password to the broker.
    pub password_known: bool,
}

impl Wanted {
    /// The account of a credential.
    pub fn of(credential: &Credential, password_known: bool) -> Self {
        // The digest of the digest: the stored one would let a reader of the broker's
        // accounts check guesses against the hub's own store.
        let digest = Sha256::digest(credential.secret_sha256.as_bytes());
        let mut tag = HEXLOWER.encode(&digest);
        tag.truncate(TAG_CHARS);
        Self {
            username: credential.username.clone(),
            role: format!("{PREFIX}{}", credential.id),
            acls: acls(&credential.topics),
            tag,
            password_known,
        }
    }

    /// A throw-away account: no credential stands behind it, so the next look takes it away.
    pub fn throw_away(name: &str, rules: &[TopicRule]) -> Self {
        let name = format!("{PREFIX}{name}");
        Self {
            username: name.clone(),
            role: name,
            acls: acls(rules),
            tag: THROW_AWAY.to_owned(),
            password_known: true,
        }
    }
}

/// Asks for accounts from the `offset`th on, with their roles.
pub fn list_accounts(offset: usize, count: usize) -> Value {
    json!({"command": "listClients", "verbose": true, "offset": offset, "count": count})
}

/// Asks for the names of roles.
pub fn list_roles(offset: usize, count: usize) -> Value {
    json!({"command": "listRoles", "verbose": false, "offset": offset, "count": count})
}

/// Asks for one account.
pub fn get_account(username: &str) -> Value {
    json!({"command": "getClient", "username": username})
}

/// Asks for one role with its access list.
pub fn get_role(name: &str) -> Value {
    json!({"command": "getRole", "rolename": name})
}

/// Asks what is allowed where no list says anything.
pub fn get_defaults() -> Value {
    json!({"command": "getDefaultACLAccess"})
}
