//! One simulated device: a task that lets time pass, listens and reports.
//!
//! Owner of the device's body. It must never wait for its own line: what does not
//! fit on the line now is reported at the next turn.

mod controls;
mod line;

pub(crate) use controls::Controls;
pub use controls::{Conduct, DeviceStatus};

use crate::DeviceSpec;
use crate::appliance::{Appliance, Introduction, Report};
use crate::dice::Dice;
use line::{Line, LineEvent};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A slow device forgets what it has not done when this many commands wait.
const LATE_MAX: usize = 100;
/// A flooding device sends its reports in this many portions a second.
const FLOOD_TURNS: u32 = 20;
/// Bytes of a garbage report: more than any real one here, far below a packet's bound.
const GARBAGE_BYTES: usize = 64;

/// Where a device connects.
pub(crate) struct Way {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) prefix: Arc<str>,
}

/// A device's task and the strings it hangs on.
pub(crate) struct Running {
    pub(crate) controls: Arc<Controls>,
    pub(crate) task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn start(spec: DeviceSpec, way: Way) -> Running {
    let controls = Arc::new(Controls::new(spec.conduct.clone()));
    let body = Body::new(spec, way, Arc::clone(&controls));
    let task = tokio::spawn(body.live());
    Running { controls, task }
}

struct Body {
    spec: DeviceSpec,
    way: Way,
    controls: Arc<Controls>,
    appliance: Box<dyn Appliance>,
    base: String,
    dice: Dice,
    born: Instant,
    line: Option<Line>,
    /// What was last said on each topic of this connection.
    said: HashMap<&'static str, String>,
    /// Commands a slow device has yet to do.
    late: VecDeque<(u64, String, String)>,
    flooded: u64,
}

impl Body {
    fn new(spec: DeviceSpec, way: Way, controls: Arc<Controls>) -> Self {
        Self {
            appliance: spec.model.build(),
            base: spec.model.base(&spec.id),
            spec,
            way,
            controls,
            dice: Dice::new(),
            born: Instant::now(),
            line: None,
            said: HashMap::new(),
            late: VecDeque::new(),
            flooded: 0,
        }
    }

    async fn live(mut self) {
        let stopped = self.controls.stopped();
        loop {
            self.plug_or_unplug();
            let turn = Duration::from_millis(self.turn_ms());
            tokio::select! {
                () = stopped.cancelled() => break,
                () = self.controls.changed() => {}
                event = next(&mut self.line) => self.hear(event),
                () = tokio::time::sleep(turn) => {}
            }
            self.pass();
        }
        if let Some(line) = self.line.take() {
            line.say_goodbye().await;
        }
        self.controls.set_connected(false);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn turn_ms(&self) -> u64 {
        let patience = self.appliance.patience_ms();
        let conduct = self.controls.conduct();
        if conduct.flood_per_second > 0 {
            return 1_000 / u64::from(FLOOD_TURNS);
        }
        let due = self.late.front().map(|(due_ms, ..)| *due_ms);
        due.map_or(patience, |due| {
            patience.min(due.saturating_sub(self.now_ms()).max(1))
        })
    }

    fn plug_or_unplug(&mut self) {
        let wanted = self.controls.is_plugged() && !self.appliance.is_away();
        if wanted && self.line.is_none() {
            self.line = Some(Line::open(&self.spec, &self.way, &self.base));
        } else if !wanted && self.line.is_some() {
            // Dropped without a goodbye, so that the broker speaks the last will.
            self.line = None;
            self.controls.set_connected(false);
        }
    }

    fn hear(&mut self, event: LineEvent) {
        match event {
            LineEvent::Up => {
                self.controls.came_up();
                self.introduce();
            }
            LineEvent::Down(reason) => {
                self.controls.set_connected(false);
                self.said.clear();
                tracing::debug!(
                    device = self.spec.id,
                    reason,
                    "simulated device lost its line"
                );
            }
            LineEvent::Refused(reason) => {
                if self.controls.refused(&reason) {
                    tracing::warn!(
                        device = self.spec.id,
                        "simulated device refuses to talk: the broker shows another certificate"
                    );
                }
            }
            LineEvent::Message { topic, payload } => self.told(&topic, &payload),
        }
    }

    fn told(&mut self, topic: &str, payload: &str) {
        if topic == format!("{}/status", self.way.prefix) {
            if payload == "online" {
                self.introduce();
            }
            return;
        }
        let Some(topic) = topic.strip_prefix(&format!("{}/", self.base)) else {
            return;
        };
        self.controls.commanded(topic, payload);
        let conduct = self.controls.conduct();
        if conduct.mute {
            return;
        }
        match conduct.slow_ms {
            Some(delay) if self.late.len() < LATE_MAX => {
                let due = self.now_ms() + delay;
                self.late
                    .push_back((due, topic.to_owned(), payload.to_owned()));
            }
            Some(_) => {}
            None => self.obey(topic, payload),
        }
    }

    fn obey(&mut self, topic: &str, payload: &str) {
        let now_ms = self.now_ms();
        for topic in self.appliance.obey(now_ms, topic, payload) {
            self.said.remove(topic);
        }
        self.report();
    }

    /// Says who it is, that it is there, and everything it knows.
    fn introduce(&mut self) {
        let Some(line) = &self.line else {
            return;
        };
        let who = Introduction {
            prefix: &self.way.prefix,
            id: &self.spec.id,
            name: &self.spec.name,
            area: self.spec.area.as_deref(),
            model: self.spec.model.title(),
        };
        let announcements = self.spec.model.announcements(&who);
        let topics = self.appliance.command_topics();
        let mut topics: Vec<String> = topics
            .iter()
            .map(|topic| format!("{}/{topic}", self.base))
            .collect();
        if !announcements.is_empty() {
            topics.push(format!("{}/status", self.way.prefix));
        }
        line.listen(&topics);
        for (topic, payload) in announcements {
            line.say(&topic, payload.to_string(), true);
        }
        let availability = self.spec.model.availability_topic();
        line.say(&format!("{}/{availability}", self.base), "online", true);
        self.said.clear();
        self.report();
    }

    fn pass(&mut self) {
        let now_ms = self.now_ms();
        self.appliance.pass(now_ms, &mut self.dice);
        while self.late.front().is_some_and(|(due, ..)| *due <= now_ms) {
            if let Some((_, topic, payload)) = self.late.pop_front() {
                self.obey(&topic, &payload);
            }
        }
        self.report();
        self.flood();
    }

    /// Says what it has not said yet.
    fn report(&mut self) {
        let garbage = self.controls.conduct().garbage;
        let Some(line) = self.line.as_ref().filter(|_| self.controls.is_connected()) else {
            return;
        };
        for report in self.appliance.reports() {
            if self.said.get(report.topic) == Some(&report.payload) {
                continue;
            }
            let topic = format!("{}/{}", self.base, report.topic);
            let payload = match garbage {
                true => self.dice.bytes(GARBAGE_BYTES),
                false => report.payload.clone().into_bytes(),
            };
            if line.say(&topic, payload, report.retain) {
                self.controls.reported(1);
                self.said.insert(report.topic, report.payload);
            }
        }
    }

    /// Says the same thing over and over, with a number that changes.
    fn flood(&mut self) {
        let per_second = self.controls.conduct().flood_per_second;
        let line = self.line.as_ref().filter(|_| self.controls.is_connected());
        let (Some(line), Some(report)) = (line, flooding_report(&*self.appliance)) else {
            return;
        };
        let topic = format!("{}/{}", self.base, report.topic);
        for _ in 0..per_second.div_ceil(FLOOD_TURNS) {
            self.flooded += 1;
            let payload = match report.payload.parse::<f64>() {
                Ok(number) => format!("{:.1}", number + (self.flooded % 10) as f64 / 10.0),
                Err(_) => report.payload.clone(),
            };
            if line.say_lightly(&topic, payload) {
                self.controls.reported(1);
            }
        }
    }
}

/// A number if the device reports one: a flood of equal words would be too easy.
fn flooding_report(appliance: &dyn Appliance) -> Option<Report> {
    let reports = appliance.reports();
    let number = reports.iter().find(|r| r.payload.parse::<f64>().is_ok());
    number.or(reports.first()).cloned()
}

/// The line's next event; never, while there is no line.
async fn next(line: &mut Option<Line>) -> LineEvent {
    match line {
        Some(line) => line.next().await,
        None => std::future::pending().await,
    }
}
