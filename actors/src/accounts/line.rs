//! A short connection to the broker, for one exchange about accounts.
//!
//! Owner of its own client: what is said here is on the way of no device. Every wait ends;
//! after one that ended in vain the line is of no use, and its owner drops it.

use super::status::AccountsProblem;
use crate::mqtt::{MqttConfig, plain_options};
use bytes::Bytes;
use iothome_engine::access::dynsec::{ANSWERS, Answer, Answered, COMMANDS};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, Packet, PubAckReason, Publish, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer may take. A broker on a small machine writes its whole file of accounts
/// to a card for each command, and a message holds several.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Requests that wait in the client: a line asks one thing at a time.
const REQUESTS: usize = 8;

/// The largest answer: eight roles of the longest lists.
const PACKET_MAX: u32 = 1024 * 1024;

/// Bytes of commands in one message: well below what brokers usually take (256 KiB here).
const MESSAGE_MAX: usize = 48 * 1024;

/// Commands in one message, so that an answer does not take too long.
const COMMANDS_MAX: usize = 8;

/// A connection.
pub(super) struct Line {
    client: AsyncClient,
    events: EventLoop,
    /// Of the commands asked last.
    number: u64,
    /// Tells this line's answers from those to other administrators.
    name: String,
    listens: bool,
}

impl Line {
    /// Connects as the hub, beside its main connection.
    pub(super) async fn open(config: &MqttConfig) -> Result<Self, AccountsProblem> {
        let mut config = config.clone();
        config.client_id = format!("{}-accounts", config.client_id);
        Self::connect(&config).await
    }

    /// Connects as somebody else.
    pub(super) async fn open_as(
        config: &MqttConfig,
        username: &str,
        password: &str,
    ) -> Result<Self, AccountsProblem> {
        let mut config = config.clone();
        config.client_id = username.to_owned();
        config.username = Some(username.to_owned());
        config.password = Some(password.to_owned());
        Self::connect(&config).await
    }

    async fn connect(config: &MqttConfig) -> Result<Self, AccountsProblem> {
        let mut options = plain_options(config, PACKET_MAX);
        options.set_clean_start(true);
        let (client, events) = AsyncClient::new(options, REQUESTS);
        let mut line = Self {
            client,
            events,
            number: 0,
            name: crate::random::name(),
            listens: false,
        };
        let is_open = |event: &Event| matches!(event, Event::Incoming(Packet::ConnAck(_)));
        line.until(|event| is_open(event).then_some(())).await?;
        Ok(line)
    }

    /// Asks for these commands to be done, in order; one answer to each.
    pub(super) async fn ask(
        &mut self,
        commands: Vec<Value>,
    ) -> Result<Vec<Answer>, AccountsProblem> {
        if !std::mem::replace(&mut self.listens, true) && !self.subscribe(ANSWERS).await? {
            return Err(AccountsProblem::NotAllowed);
        }
        let mut answers = Vec::with_capacity(commands.len());
        for message in messages(commands) {
            let asked = message.len();
            let answered = self.exchange(message).await?;
            if answered.len() != asked {
                let told = answered.len();
                let problem = format!("{told} answers came to {asked} commands");
                return Err(AccountsProblem::Strange(problem));
            }
            answers.extend(answered);
        }
        Ok(answers)
    }

    async fn exchange(&mut self, mut message: Vec<Value>) -> Result<Vec<Answer>, AccountsProblem> {
        self.number += 1;
        let number = format!("{}-{}", self.name, self.number);
        for command in &mut message {
            command["correlationData"] = number.as_str().into();
        }
        let payload = serde_json::json!({ "commands": message }).to_string();
        self.send(COMMANDS, payload)?;
        let answered = self.until(|event| {
            if let Event::Incoming(Packet::PubAck(ack)) = event
                && ack.reason == PubAckReason::NotAuthorized
            {
                return Some(Err(AccountsProblem::NotAllowed));
            }
            let publish = published(event).filter(|p| *p.topic == *ANSWERS.as_bytes())?;
            match Answered::parse(&publish.payload) {
                Ok(answered) => {
                    let is_ours = answered.number.as_deref() == Some(number.as_str());
                    is_ours.then_some(Ok(answered.answers))
                }
                Err(error) => Some(Err(AccountsProblem::Strange(error.to_string()))),
            }
        });
        match answered.await {
            Err(AccountsProblem::Silent) => Err(AccountsProblem::NoAnswer),
            answered => answered?,
        }
    }

    /// Subscribes; whether the broker lets it.
    pub(super) async fn subscribe(&mut self, filter: &str) -> Result<bool, AccountsProblem> {
        let asked = self.client.try_subscribe(filter, QoS::AtLeastOnce);
        asked.map_err(|e| AccountsProblem::Strange(e.to_string()))?;
        self.until(|event| match event {
            Event::Incoming(Packet::SubAck(ack)) => Some(
                ack.return_codes
                    .iter()
                    .all(|code| matches!(code, SubscribeReasonCode::Success(_))),
            ),
            _ => None,
        })
        .await
    }

    /// Publishes once, not retained; the broker's answer is awaited by whoever waits next.
    fn send(&self, topic: &str, payload: impl Into<Bytes>) -> Result<(), AccountsProblem> {
        let asked = self
            .client
            .try_publish(topic, QoS::AtLeastOnce, false, payload.into());
        asked.map_err(|e| AccountsProblem::Strange(e.to_string()))
    }

    /// Publishes and waits until the broker has taken or refused it.
    pub(super) async fn publish(
        &mut self,
        topic: &str,
        payload: &str,
    ) -> Result<(), AccountsProblem> {
        self.send(topic, payload.to_owned())?;
        self.until(|event| matches!(event, Event::Incoming(Packet::PubAck(_))).then_some(()))
            .await
    }

    /// Hears messages until one comes on that topic; whether one on `other` came before.
    pub(super) async fn heard_before(
        &mut self,
        topic: &str,
        other: &str,
        missed: &mut bool,
    ) -> Result<(), AccountsProblem> {
        self.until(|event| {
            let publish = published(event)?;
            *missed |= *publish.topic == *other.as_bytes();
            (*publish.topic == *topic.as_bytes()).then_some(())
        })
        .await
    }

    /// Says goodbye, so that the broker does not take the end for a failure.
    pub(super) async fn close(mut self) {
        if self.client.try_disconnect().is_ok() {
            let left = self.until(|event| {
                let gone = rumqttc::Outgoing::Disconnect;
                (*event == Event::Outgoing(gone)).then_some(())
            });
            // In vain: the socket's end says it too.
            let _ = left.await;
        }
    }

    /// Polls until `wanted` finds something, at most for an answer's time.
    async fn until<T>(
        &mut self,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, AccountsProblem> {
        let events = &mut self.events;
        let polled = timeout(ANSWER_MAX, async {
            loop {
                let event = events.poll().await.map_err(|error| problem(&error))?;
                if let Some(found) = wanted(&event) {
                    return Ok(found);
                }
            }
        });
        match polled.await {
            Ok(found) => found,
            Err(_) => Err(AccountsProblem::Silent),
        }
    }
}

fn published(event: &Event) -> Option<&Publish> {
    match event {
        Event::Incoming(Packet::Publish(publish)) => Some(publish),
        _ => None,
    }
}

fn problem(error: &ConnectionError) -> AccountsProblem {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => AccountsProblem::Away("the broker refuses the user name or password".into()),
        other => AccountsProblem::Away(other.to_string()),
    }
}

/// Commands in messages that a broker takes.
fn messages(commands: Vec<Value>) -> Vec<Vec<Value>> {
    let mut messages: Vec<Vec<Value>> = Vec::new();
    let mut room = 0;
    for command in commands {
        let size = command.to_string().len();
        match messages.last_mut() {
            Some(last) if last.len() < COMMANDS_MAX && size <= room => last.push(command),
            _ => {
                messages.push(vec![command]);
                room = MESSAGE_MAX;
            }
        }
        room = room.saturating_sub(size);
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_cut_into_messages_by_number_and_size_and_keep_their_order() {
        let small: Vec<Value> = (0..20).map(Value::from).collect();
        let cut = messages(small.clone());
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 4]);
        assert_eq!(cut.concat(), small);
        let large: Vec<Value> = (0..4).map(|_| "x".repeat(MESSAGE_MAX / 2).into()).collect();
        assert_eq!(messages(large).len(), 4);
        assert!(messages(Vec::new()).is_empty());
    }
}
