//! The self-test: what a device's account could do with topics that are not its own.
//!
//! Owner of the question, put to the broker itself: what the lists say is not believed. It
//! must never touch the topics of a device of the house.

use super::line::Line;
use super::status::{AccountsProblem, Outcome};
use crate::mqtt::MqttConfig;
use crate::random;
use iothome_engine::access::{TopicRule, default_device_topics};
use iothome_engine::ids::DeviceId;

/// How the user names of throw-away accounts begin.
pub(super) const THROW_AWAY: &str = "iothome.selftest-";

/// A pretended device, and another one whose topics are none of its business.
pub(super) struct Probe {
    name: String,
    own: DeviceId,
    other: DeviceId,
}

/// What the account may be able to do.
#[derive(Default)]
struct Leaks {
    read: bool,
    write: bool,
}

impl Probe {
    pub(super) fn new() -> Self {
        let name = format!("selftest-{}", random::name());
        let id = |text: String| text.parse().expect("a word and hex digits are an id");
        Self {
            own: id(name.clone()),
            other: id(format!("{name}-other")),
            name,
        }
    }

    /// Its name, of which its user name is made.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it may do: as much as any device.
    pub(super) fn rules(&self) -> Vec<TopicRule> {
        default_device_topics(&self.own)
    }

    /// Tries it. `hub` reads and writes everything, the account is there already.
    pub(super) async fn run(
        &self,
        config: &MqttConfig,
        hub: &mut Line,
        username: &str,
        password: &str,
    ) -> Outcome {
        let mut device = match Line::open_as(config, username, password).await {
            Ok(line) => line,
            Err(problem) => return failed("the throw-away account cannot come in", &problem),
        };
        let mut leaks = Leaks::default();
        let tried = async {
            self.reads(hub, &mut device, &mut leaks).await?;
            self.writes(hub, &mut device, &mut leaks).await
        };
        let tried = tried.await;
        device.close().await;
        match tried {
            Ok(()) => Outcome::Tried {
                read_refused: !leaks.read,
                write_refused: !leaks.write,
            },
            // What was seen of a leak counts, also if the rest could not be tried.
            Err(_) if leaks.read || leaks.write => Outcome::Tried {
                read_refused: !leaks.read,
                write_refused: !leaks.write,
            },
            Err(problem) => failed("what is its own does not work", &problem),
        }
    }

    /// A message on the other's topic goes out before one on its own: when that has come, the
    /// other would have come too.
    async fn reads(
        &self,
        hub: &mut Line,
        device: &mut Line,
        leaks: &mut Leaks,
    ) -> Result<(), AccountsProblem> {
        let command = |id: &DeviceId| format!("iothome/{id}/probe/set");
        let (own, other) = (command(&self.own), command(&self.other));
        // What the broker answers is not believed: some say yes and deliver nothing.
        device.subscribe(&other).await?;
        device
            .subscribe(&format!("iothome/{}/#", self.other))
            .await?;
        device.subscribe("#").await?;
        device
            .subscribe(&format!("iothome/{}/+/set", self.own))
            .await?;
        hub.publish(&other, "for another").await?;
        hub.publish(&own, "for it").await?;
        device.heard_before(&own, &other, &mut leaks.read).await
    }

    async fn writes(
        &self,
        hub: &mut Line,
        device: &mut Line,
        leaks: &mut Leaks,
    ) -> Result<(), AccountsProblem> {
        let report = |id: &DeviceId| format!("iothome/{id}/probe/state");
        let (own, other) = (report(&self.own), report(&self.other));
        hub.subscribe(&own).await?;
        hub.subscribe(&other).await?;
        device.publish(&other, "of another").await?;
        device.publish(&own, "its own").await?;
        hub.heard_before(&own, &other, &mut leaks.write).await
    }
}

fn failed(what: &str, problem: &AccountsProblem) -> Outcome {
    Outcome::Failed(format!("{what}: {problem}"))
}
