//! The topic decides the owner.
//!
//! Owner of the judgement whether an announcement may claim the topics it names. MQTT
//! does not say who published a message, so what counts is who may publish there.

use super::{Access, AccessList, Credential};
use crate::ids::DeviceId;

/// Whether an announcement may claim its topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This user, and nobody with less right to it, can have sent it, and may touch every topic.
    Verified {
        /// The user's name at the broker.
        username: String,
    },
    /// The hub does not manage the broker's users, so nobody can tell.
    NotVerified,
    /// It claims what is not its own.
    Conflict {
        /// Which topic, and why.
        reason: String,
    },
}

/// Judges an announcement on `config_topic`.
///
/// `reads` and `writes` are the topics that the hub would read and write for it. `owned`
/// tells which accepted device owns a topic; it must say nothing of topics that several
/// devices share, such as a bridge's availability. `device` is the accepted device that the
/// announcement belongs to, if there is one.
pub fn judge(
    list: &AccessList,
    managed: bool,
    config_topic: &str,
    reads: &[&str],
    writes: &[&str],
    owned: impl Fn(&str) -> Option<DeviceId>,
    device: Option<&DeviceId>,
) -> Verdict {
    let conflict = |reason: String| Verdict::Conflict { reason };
    for topic in reads.iter().chain(writes) {
        if let Some(owner) = owned(topic).filter(|owner| Some(owner) != device) {
            return conflict(format!("`{topic}` belongs to the device {owner}"));
        }
    }
    if !managed {
        return Verdict::NotVerified;
    }
    let senders = senders(list, config_topic);
    if senders.is_empty() {
        return conflict(format!(
            "no broker user of this hub may write `{config_topic}`"
        ));
    }
    let mut first_reason = None;
    for sender in senders {
        match objection(list, sender, reads, writes, device) {
            None => {
                return Verdict::Verified {
                    username: sender.username.clone(),
                };
            }
            Some(reason) => {
                first_reason.get_or_insert(reason);
            }
        }
    }
    conflict(first_reason.unwrap_or_default())
}

/// Who may have sent it: a device's own credential before a join credential, whose
/// wide filters often cover everybody's configuration topics.
fn senders<'a>(list: &'a AccessList, config_topic: &str) -> Vec<&'a Credential> {
    let mut able = list.who(Access::Write, config_topic);
    if able.iter().any(|c| c.device.is_some()) {
        able.retain(|c| c.device.is_some());
    }
    able
}

/// Why that user may not claim the topics.
fn objection(
    list: &AccessList,
    sender: &Credential,
    reads: &[&str],
    writes: &[&str],
    device: Option<&DeviceId>,
) -> Option<String> {
    let user = &sender.username;
    if let (Some(bound), Some(device)) = (&sender.device, device)
        && bound != device
    {
        return Some(format!(
            "the broker user {user} belongs to the device {bound}"
        ));
    }
    if let (None, Some(device)) = (&sender.device, device)
        && list.iter().any(|c| c.device.as_ref() == Some(device))
    {
        return Some(format!("the device {device} has a broker user of its own"));
    }
    let own = sender.device.as_ref().or(device);
    for topic in reads.iter().chain(writes) {
        if let Some(owner) = list.other_owner(topic, own) {
            return Some(format!("`{topic}` belongs to the device {owner}"));
        }
    }
    if let Some(topic) = reads.iter().find(|t| !list.may_write(user, t)) {
        return Some(format!("the broker user {user} may not write `{topic}`"));
    }
    if let Some(topic) = writes.iter().find(|t| !list.may_read(user, t)) {
        return Some(format!("the broker user {user} may not read `{topic}`"));
    }
    None
}
