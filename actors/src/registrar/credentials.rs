//! The broker's users: made, given a new password, taken away.
//!
//! Owner of the access list: its only writer, but for the throw-away account of a self-test.
//! A password is shown once and stored as its digest; it must never be logged or shown
//! again, nor kept, but for a seal where the broker has to be told it anew.

use super::By;
use super::accept::checked;
use super::registry::Registry;
use crate::error::HubError;
use crate::random;
use iothome_engine::access::{
    AccessList, Credential, TopicRule, default_device_topics, hand_made_topics,
};
use iothome_engine::config::EntityConfig;
use iothome_engine::ids::{CredentialId, DeviceId, slug_from_name};
use iothome_engine::topic::valid_filter;
use iothome_store::StoredDevice;
use serde_json::json;

/// Rules of one credential: a bridge needs a handful.
const RULES_MAX: usize = 128;

/// A broker user that somebody wants.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// The name a person knows it by.
    pub name: String,
    /// The one device it is for; it need not exist yet.
    pub device: Option<DeviceId>,
    /// What it may touch; a device's default if left out.
    pub topics: Option<Vec<TopicRule>>,
}

/// A broker user with its password, which is shown this once.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedCredential {
    /// Its id.
    pub id: CredentialId,
    /// The MQTT user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for IssuedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedCredential")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl Registry {
    pub(super) async fn create_credential(
        &mut self,
        new: NewCredential,
        by: &By,
    ) -> Result<IssuedCredential, HubError> {
        self.must_manage()?;
        let name = checked("name", Some(new.name))?.unwrap_or_default();
        let topics = match (new.topics, &new.device) {
            (Some(rules), _) => check_rules(rules)?,
            (None, Some(device)) => self.topics_for(device).await?,
            (None, None) => {
                let problem = "is needed for a credential that is for no one device";
                return Err(HubError::invalid("topics", problem));
            }
        };
        let wanted = new.device.as_ref().map_or(name.as_str(), DeviceId::as_str);
        let (credential, issued) = self.issue(wanted, &name, new.device.clone(), topics);
        self.tools.store.create_credential(&credential).await?;
        self.tools
            .accounts
            .keep(credential.id, &issued.password)
            .await;
        self.admit(&credential);
        self.tools.accounts.follow(&issued.username).await;
        self.audit(
            by,
            "credential_created",
            &issued.username,
            json!({ "device": new.device }),
        );
        Ok(issued)
    }

    /// What the device's own broker user may touch.
    async fn topics_for(&self, device: &DeviceId) -> Result<Vec<TopicRule>, HubError> {
        let stored = self.tools.store.device(device).await?;
        let configs = stored.as_ref().map(|s| self.hand_made_configs(s));
        Ok(device_topics(device, &configs.unwrap_or_default()))
    }

    /// A new credential whose user name nobody has.
    pub(super) fn issue(
        &self,
        wanted: &str,
        name: &str,
        device: Option<DeviceId>,
        topics: Vec<TopicRule>,
    ) -> (Credential, IssuedCredential) {
        let access = self.tools.access.load();
        let is_taken =
            |user: &str| access.get(user).is_some() || self.tools.accounts.is_taken(user);
        let username = slug_from_name(wanted, "client", is_taken);
        let now = self.tools.services.clock.now();
        let password = random::secret();
        let credential = Credential {
            id: CredentialId::new(now, random::bytes()),
            username,
            name: name.to_owned(),
            device,
            secret_sha256: random::sha256_hex(password.as_bytes()),
            topics,
            created_at: now,
        };
        let issued = IssuedCredential {
            id: credential.id,
            username: credential.username.clone(),
            password,
        };
        (credential, issued)
    }

    pub(super) async fn rotate_credential(
        &mut self,
        id: CredentialId,
        by: &By,
    ) -> Result<IssuedCredential, HubError> {
        self.must_manage()?;
        let mut credential = self.credential(id)?;
        let password = random::secret();
        credential.secret_sha256 = random::sha256_hex(password.as_bytes());
        let store = &self.tools.store;
        if !store
            .rotate_credential(id, &credential.secret_sha256)
            .await?
        {
            return Err(HubError::NotFound);
        }
        let username = credential.username.clone();
        self.tools.accounts.keep(id, &password).await;
        self.admit(&credential);
        self.cut(&username);
        self.tools.accounts.follow(&username).await;
        self.audit(by, "credential_rotated", &username, json!({}));
        Ok(IssuedCredential {
            id,
            username,
            password,
        })
    }

    pub(super) async fn delete_credential(
        &mut self,
        id: CredentialId,
        by: &By,
    ) -> Result<(), HubError> {
        self.must_manage()?;
        let Some(username) = self.tools.store.delete_credential(id).await? else {
            return Err(HubError::NotFound);
        };
        self.revoke(&username);
        self.tools.accounts.follow(&username).await;
        self.audit(by, "credential_deleted", &username, json!({}));
        Ok(())
    }

    /// After a device's hand-made entities changed: its broker user may touch exactly their topics.
    pub(super) async fn follow_topics(&mut self, stored: &StoredDevice) -> Result<(), HubError> {
        let access = self.tools.access.load_full();
        let own = access
            .iter()
            .filter(|c| c.device.as_ref() == Some(&stored.id));
        let own: Vec<Credential> = own.cloned().collect();
        let topics = device_topics(&stored.id, &self.hand_made_configs(stored));
        for mut credential in own {
            if credential.topics == topics {
                continue;
            }
            let store = &self.tools.store;
            store.set_credential_topics(credential.id, &topics).await?;
            let narrower = credential.topics.iter().any(|old| !topics.contains(old));
            let username = credential.username.clone();
            credential.topics.clone_from(&topics);
            self.admit(&credential);
            if narrower {
                // What it has subscribed to ends with its connection; it comes back by itself.
                self.cut(&username);
            }
            self.tools.accounts.follow(&username).await;
        }
        Ok(())
    }

    /// Lets the broker know the credential, in place of an earlier form of it.
    pub(super) fn admit(&self, credential: &Credential) {
        self.tools.access.rcu(|list| list.with(credential.clone()));
    }

    /// The broker no longer knows the user, and ends what it has open.
    pub(super) fn revoke(&self, username: &str) {
        self.tools.access.rcu(|list| list.without(username));
        self.cut(username);
    }

    fn cut(&self, username: &str) {
        if let Some(cut) = &self.tools.cut {
            cut(username);
        }
    }

    fn credential(&self, id: CredentialId) -> Result<Credential, HubError> {
        let access = self.tools.access.load();
        let found = find(&access, id).cloned();
        found.ok_or(HubError::NotFound)
    }

    fn must_manage(&self) -> Result<(), HubError> {
        if self.tools.rules.managed {
            return Ok(());
        }
        Err(HubError::Conflict {
            reason: "the broker's users are managed by its operator, not by the hub".into(),
        })
    }

    /// The configurations of the device's hand-made entities.
    fn hand_made_configs(&self, stored: &StoredDevice) -> Vec<EntityConfig> {
        let shared = self.tools.services.shared.load();
        let hand_made = stored.entities.iter().filter(|e| e.config_topic.is_none());
        hand_made
            .filter_map(|e| EntityConfig::parse(e.kind, &e.raw, &shared.templates).ok())
            .collect()
    }
}

fn find(access: &AccessList, id: CredentialId) -> Option<&Credential> {
    access.iter().find(|c| c.id == id)
}

/// The default of a device's own broker user, and its hand-made entities' topics.
pub(super) fn device_topics(device: &DeviceId, configs: &[EntityConfig]) -> Vec<TopicRule> {
    let mut topics = default_device_topics(device);
    for rule in hand_made_topics(configs) {
        if !topics.contains(&rule) {
            topics.push(rule);
        }
    }
    topics
}

fn check_rules(rules: Vec<TopicRule>) -> Result<Vec<TopicRule>, HubError> {
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(HubError::invalid(
            "topics",
            &format!("must be 1 to {RULES_MAX} rules"),
        ));
    }
    for (n, rule) in rules.iter().enumerate() {
        let field = || format!("topics[{n}].filter");
        valid_filter(&rule.filter).map_err(|e| HubError::invalid(field(), &e))?;
        check_reach(&rule.filter).map_err(|problem| HubError::invalid(field(), problem))?;
    }
    Ok(rules)
}

/// Only the hub reaches into the whole house, and only the broker's operator into its own topics.
fn check_reach(filter: &str) -> Result<(), &'static str> {
    if filter.starts_with(['+', '#']) {
        return Err("must begin with a level that is no wildcard, such as zigbee2mqtt/#");
    }
    if filter.starts_with('$') {
        return Err("must not begin with $: those topics are the broker's own");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_engine::access::Access;

    fn check(filter: &str) -> Result<Vec<TopicRule>, HubError> {
        let filter = filter.to_owned();
        check_rules(vec![TopicRule {
            filter,
            access: Access::Read,
        }])
    }

    #[test]
    fn a_filter_into_the_whole_house_or_the_broker_is_refused() {
        for filter in ["#", "+/#", "+/+/#", "+", "+/power", "$SYS/#", "$share/a/b"] {
            let refused = check(filter).expect_err(filter).to_string();
            assert!(refused.contains("must"), "{refused}");
        }
        for filter in ["zigbee2mqtt/#", "a", "tele/+/LWT", "/a"] {
            assert!(check(filter).is_ok(), "{filter}");
        }
    }
}
