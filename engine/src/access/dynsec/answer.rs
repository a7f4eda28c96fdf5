//! What the plugin answers.
//!
//! Owner of reading its JSON. It must never trust that an answer belongs to a question
//! because it came next: only the number that was sent along says so.

use super::Acl;
use serde::Deserialize;
use serde_json::Value;

/// An answer that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the broker's answer cannot be understood: {0}")]
pub struct Unreadable(String);

/// All answers to one message of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The number that was sent along, if one was.
    pub number: Option<String>,
    /// One answer to each command, in order.
    pub answers: Vec<Answer>,
}

/// The answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The command's word.
    pub command: String,
    /// Why it was refused; `None` if it was done.
    pub error: Option<String>,
    data: Value,
}

/// An account as the broker lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// MQTT user name.
    pub username: String,
    /// Where marks stand.
    #[serde(default, rename = "textdescription")]
    pub description: String,
    /// Whether it may not come in.
    #[serde(default)]
    pub disabled: bool,
    /// Its roles.
    #[serde(default)]
    pub roles: Vec<RoleName>,
    /// Its groups, which bring roles of their own.
    #[serde(default)]
    pub groups: Vec<Value>,
}

/// A role by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RoleName {
    /// The name.
    pub rolename: String,
}

/// A role with its access list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ListedRole {
    /// Its name.
    pub rolename: String,
    /// Where marks stand.
    #[serde(default, rename = "textdescription")]
    pub description: String,
    /// Its access list.
    #[serde(default)]
    pub acls: Vec<Acl>,
}

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    command: String,
    error: Option<String>,
    #[serde(default)]
    data: Value,
    #[serde(rename = "correlationData")]
    number: Option<String>,
}

impl Answered {
    /// Reads a message of answers.
    ///
    /// # Errors
    /// If it is not one.
    pub fn parse(payload: &[u8]) -> Result<Self, Unreadable> {
        let read: Responses = serde_json::from_slice(payload).map_err(|e| unreadable(&e))?;
        let number = read.responses.first().and_then(|r| r.number.clone());
        let answers = read.responses.into_iter().map(|r| Answer {
            command: r.command,
            error: r.error,
            data: r.data,
        });
        Ok(Self {
            number,
            answers: answers.collect(),
        })
    }
}

impl Answer {
    /// Accounts of a list.
    ///
    /// # Errors
    /// If there are none in it.
    pub fn accounts(&self) -> Result<Vec<Listed>, Unreadable> {
        self.read("clients")
    }

    /// The account that was asked for.
    ///
    /// # Errors
    /// If there is none in it.
    pub fn account(&self) -> Result<Listed, Unreadable> {
        self.read("client")
    }

    /// Names of a list of roles.
    ///
    /// # Errors
    /// If there are none in it.
    pub fn role_names(&self) -> Result<Vec<String>, Unreadable> {
        self.read("roles")
    }

    /// The role that was asked for.
    ///
    /// # Errors
    /// If there is none in it.
    pub fn role(&self) -> Result<ListedRole, Unreadable> {
        self.read("role")
    }

    /// What is allowed where no list says anything, and lets strangers write or read.
    ///
    /// Delivery alone is no door: without a subscription nothing is delivered.
    ///
    /// # Errors
    /// If it does not say.
    pub fn open_defaults(&self) -> Result<Vec<String>, Unreadable> {
        #[derive(Deserialize)]
        struct Default {
            acltype: String,
            allow: bool,
        }
        let all: Vec<Default> = self.read("acls")?;
        let doors = ["publishClientSend", "subscribe"];
        let open = all.into_iter().filter(|default| default.allow);
        let open = open.map(|default| default.acltype);
        Ok(open.filter(|kind| doors.contains(&kind.as_str())).collect())
    }

    fn read<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, Unreadable> {
        let data = self.data.get(key).cloned().unwrap_or_default();
        serde_json::from_value(data).map_err(|e| unreadable(&e))
    }
}

fn unreadable(error: &serde_json::Error) -> Unreadable {
    Unreadable(error.to_string())
}
