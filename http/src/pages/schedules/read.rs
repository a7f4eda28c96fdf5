//! From what was typed to a definition, or to what is wrong with it, field by field.
//!
//! Owner of that translation. The engine says what a schedule may be; this only finds
//! the field of the form for each of its faults, and tells what is no number or time.

use super::choices::{Chosen, typed_value};
use super::rows::{Row, Values, rows};
use super::words::{Teller, local};
use iothome_engine::ids::DeviceId;
use iothome_engine::schedule::{Days, Definition, Zone, read_definition};
use iothome_engine::time::Timestamp;
use iothome_views::pages::schedules::Problems;
use iothome_views::texts::rhythm::put;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// What is read of a form.
pub(super) struct Reader<'a> {
    teller: Teller<'a>,
    values: &'a Values,
    pub(super) problems: Problems,
}

impl<'a> Reader<'a> {
    pub(super) fn new(teller: Teller<'a>, values: &'a Values) -> Self {
        Self {
            teller,
            values,
            problems: Problems::new(),
        }
    }

    fn text(&self, name: &str) -> &'a str {
        self.values.get(name).map_or("", String::as_str).trim()
    }

    fn wrong(&mut self, name: impl Into<String>, problem: &str) {
        self.problems
            .entry(name.into())
            .or_insert_with(|| problem.to_owned());
    }

    /// The definition, unless something is wrong.
    pub(super) fn definition(mut self) -> Result<Definition, Problems> {
        let json = self.json();
        let now = Some(self.teller.visit.now);
        match read_definition(&json, now) {
            Ok(definition) if self.problems.is_empty() => Ok(definition),
            Ok(_) => Err(self.problems),
            Err(faults) => {
                for fault in &faults {
                    super::faults::note(self.teller.t(), self.values, &mut self.problems, fault);
                }
                Err(self.problems)
            }
        }
    }

    fn json(&mut self) -> Value {
        let (trigger, overlap) = self.trigger();
        let mut missed = Map::from_iter([("policy".to_owned(), json!(self.or("missed", "once")))]);
        if let Some(grace) = self.minutes("grace") {
            missed.insert("grace_seconds".to_owned(), json!(grace));
        }
        let actions = self.actions();
        let mut whole = json!({
            "name": self.name(),
            "trigger": trigger,
            "gap": self.or("gap", "next_valid"),
            "overlap": overlap.unwrap_or(self.or("overlap", "first")),
            "missed": missed,
            "actions": actions,
            "enabled": self.text("enabled") != "off",
        });
        if let Some(conditions) = self.conditions() {
            whole["conditions"] = conditions;
        }
        whole
    }

    fn or(&self, name: &str, usual: &'a str) -> &'a str {
        match self.text(name) {
            "" => usual,
            text => text,
        }
    }

    /// The name, else one made of the first step.
    fn name(&self) -> String {
        let name = self.text("name");
        if !name.is_empty() {
            return name.to_owned();
        }
        let first = rows(self.values, 'a').into_iter().next();
        let made = first.and_then(|row| {
            let device: DeviceId = row.get("device")?.parse().ok()?;
            let chosen = Chosen::read(row.get("what")?)?;
            let t = self.teller.t();
            let what = (t.words.action)(chosen.action);
            Some(put(
                t.schedule_form.auto_name,
                &[&self.teller.device_name(&device), what],
            ))
        });
        let made = made.unwrap_or_else(|| self.teller.t().schedule_form.title_new.to_owned());
        let limit = iothome_engine::schedule::NAME_MAX;
        made.chars()
            .filter(|c| !c.is_control())
            .take(limit)
            .collect()
    }

    /// Minutes, perhaps with a fraction, as seconds.
    fn minutes(&mut self, name: &str) -> Option<i64> {
        self.scaled(name, 60.0)
    }

    fn scaled(&mut self, name: &str, seconds: f64) -> Option<i64> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let number: Option<f64> = text.replace(',', ".").parse().ok();
        let scaled = number.map(|n| (n * seconds).round());
        // Far beyond what the engine allows, so that it tells the limits.
        match scaled.filter(|n| n.abs() <= 1e12) {
            #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
            Some(scaled) => Some(scaled as i64),
            None => {
                self.wrong(name, self.teller.t().schedule_form.problem_number);
                None
            }
        }
    }

    /// An amount with its unit, as seconds.
    fn lapse(&mut self, prefix: &str) -> Option<i64> {
        let unit = match self.text(&format!("{prefix}_unit")) {
            "seconds" => 1.0,
            "hours" => 3_600.0,
            "days" => 86_400.0,
            _ => 60.0,
        };
        let name = format!("{prefix}_amount");
        if self.text(&name).is_empty() {
            self.wrong(name, self.teller.t().schedule_form.problem_number);
            return None;
        }
        self.scaled(&name, unit)
    }

    fn days(&self, prefix: &str) -> Vec<&'static str> {
        let is_chosen = |word: &&&str| {
            let name = format!("{prefix}{}", word.to_ascii_lowercase());
            !self.text(&name).is_empty()
        };
        let chosen: Vec<&'static str> = Days::WORDS.iter().filter(is_chosen).copied().collect();
        match chosen.len() {
            7 => Vec::new(),
            _ => chosen,
        }
    }

    fn zone(&self) -> TimeZone {
        let own = Zone::named(self.text("zone"));
        own.map_or_else(
            || self.teller.home().zone.clone(),
            |zone| zone.time_zone().clone(),
        )
    }

    /// The trigger, and an overlap that it needs.
    fn trigger(&mut self) -> (Value, Option<&'static str>) {
        let f = &self.teller.t().schedule_form;
        let mut overlap = None;
        let mut days = self.days("day_");
        let mut trigger = match self.text("when") {
            "at" => {
                let (date, time) = (self.text("date"), self.text("time"));
                if date.is_empty() {
                    self.wrong("date", f.problem_date);
                }
                if time.is_empty() {
                    self.wrong("time", f.problem_time);
                }
                days.clear();
                json!({"kind": "at", "at": format!("{date}T{time}")})
            }
            "in" => {
                days.clear();
                let (at, second) = self.in_a_while();
                overlap = second.then_some("second");
                json!({"kind": "at", "at": at})
            }
            "every" => self.every(),
            "sun" => {
                let minutes = self.scaled("sun_minutes", 1.0).unwrap_or(0);
                let before = self.text("sun_side") != "after";
                let minutes = if before { -minutes } else { minutes };
                json!({"kind": "sun", "event": self.or("sun_event", "sunset"), "offset_minutes": minutes})
            }
            "cron" => json!({"kind": "cron", "expression": self.text("cron")}),
            _ => {
                let on = match days.is_empty() {
                    true => "*".to_owned(),
                    false => days.join(","),
                };
                days.clear();
                json!({"kind": "cron", "expression": self.daily(&on)})
            }
        };
        if !days.is_empty() {
            trigger["days"] = json!(days);
        }
        self.limits(&mut trigger);
        (trigger, overlap)
    }

    fn daily(&mut self, on: &str) -> String {
        let time = self.text("time");
        let read = time.split_once(':').and_then(|(hour, minute)| {
            let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.get(..2)?.parse().ok()?);
            (hour < 24 && minute < 60).then_some((hour, minute))
        });
        let Some((hour, minute)) = read else {
            self.wrong("time", self.teller.t().schedule_form.problem_time);
            return format!("0 0 * * {on}");
        };
        format!("{minute} {hour} * * {on}")
    }

    /// The local time in a while, and whether it is the second of two.
    fn in_a_while(&mut self) -> (String, bool) {
        let Some(seconds) = self.lapse("in") else {
            return (String::new(), false);
        };
        // A century at most: the engine refuses it, and time arithmetic does not overflow.
        let seconds = seconds.clamp(1, 3_200_000_000);
        let now = self.teller.visit.now.as_millis().div_euclid(1000);
        let at = Timestamp::from_millis((now + seconds) * 1000);
        let zone = self.zone();
        let wall = local(at, &zone);
        let first = zone.to_ambiguous_zoned_datetime(wall).earlier();
        let first = first.map(|first| first.timestamp().as_second());
        let second = first.is_ok_and(|first| first != now + seconds);
        (wall.strftime("%Y-%m-%dT%H:%M:%S").to_string(), second)
    }

    fn every(&mut self) -> Value {
        let seconds = self.lapse("every");
        let (from, to) = (self.text("from"), self.text("to"));
        let mut trigger = json!({"kind": "every", "seconds": seconds});
        if !from.is_empty() || !to.is_empty() {
            trigger["window"] = json!({"from": from, "to": to});
        }
        // What was counted from before stays, unless the rhythm itself changed.
        let (anchor, of) = (self.text("anchor"), self.text("anchor_of"));
        if !anchor.is_empty() && of == rhythm_mark(seconds.unwrap_or(0), from, to) {
            trigger["anchor"] = json!(anchor);
        } else if let Some(anchor) = self.opening(from) {
            trigger["anchor"] = json!(anchor);
        }
        trigger
    }

    /// Today's opening of the window: the rhythm is counted from there.
    fn opening(&self, from: &str) -> Option<String> {
        let time: jiff::civil::Time = from.parse().ok()?;
        let zone = self.zone();
        let today = local(self.teller.visit.now, &zone).date();
        let opens = super::words::instant(today.to_datetime(time), &zone)?;
        Some(opens.to_string())
    }

    fn limits(&mut self, trigger: &mut Value) {
        for (name, key) in [
            ("zone", "zone"),
            ("start", "start_date"),
            ("end", "end_date"),
        ] {
            let text = self.text(name);
            if !text.is_empty() {
                trigger[key] = json!(text);
            }
        }
        let split = |c: char| c.is_whitespace() || c == ',' || c == ';';
        let excluded: Vec<&str> = self
            .text("excluded")
            .split(split)
            .filter(|d| !d.is_empty())
            .collect();
        if !excluded.is_empty() {
            trigger["excluded_dates"] = json!(excluded);
        }
        if let Some(jitter) = self.minutes("jitter") {
            trigger["jitter_seconds"] = json!(jitter);
        }
    }

    fn actions(&mut self) -> Vec<Value> {
        let mut actions = Vec::new();
        for (n, row) in rows(self.values, 'a').iter().enumerate() {
            actions.push(self.action(n, row));
        }
        if actions.is_empty() {
            self.wrong("actions", self.teller.t().schedule_form.problem_no_actions);
        }
        actions
    }

    fn action(&mut self, n: usize, row: &Row) -> Value {
        let f = &self.teller.t().schedule_form;
        let text = |part: &str| row.get(part).map_or("", |text| text.trim());
        let device = text("device");
        let Some(chosen) = Chosen::read(text("what")) else {
            self.wrong(format!("a{n}_what"), f.problem_action);
            return json!({"device": device, "entity": "x", "action": "turn_on"});
        };
        let mut action = json!({
            "device": device, "entity": chosen.entity, "action": chosen.action,
        });
        if let Some(value) = chosen.value {
            action["value"] = value;
        } else if chosen.action == iothome_engine::kind::Action::Set {
            let kind = device.parse().ok().and_then(|id: DeviceId| {
                let view = self.teller.device(&id)?;
                view.entity(&chosen.entity).map(|e| e.kind)
            });
            let kind = kind.unwrap_or(iothome_engine::kind::Kind::Number);
            match typed_value(kind, text("value")) {
                Some(value) => action["value"] = value,
                None => self.wrong(format!("a{n}_value"), f.problem_value),
            }
        }
        let unit = match text("unit") {
            "minutes" => 60.0,
            "hours" => 3_600.0,
            _ => 1.0,
        };
        if let Some(delay) = self.scaled(&format!("a{n}_delay"), unit) {
            action["delay_seconds"] = json!(delay);
        }
        action
    }

    fn conditions(&mut self) -> Option<Value> {
        let kept = self.text("raw_conditions");
        if !kept.is_empty() {
            // What is no JSON is refused by the engine, as a text that is no condition.
            return Some(serde_json::from_str(kept).unwrap_or_else(|_| json!(kept)));
        }
        let mut parts = Vec::new();
        for (n, row) in rows(self.values, 'c').iter().enumerate() {
            parts.push(self.condition(n, row));
        }
        match (parts.is_empty(), self.text("c_mode")) {
            (true, _) => None,
            (false, "any") => Some(json!({ "any": parts })),
            (false, _) => Some(json!({ "all": parts })),
        }
    }

    fn condition(&mut self, n: usize, row: &Row) -> Value {
        let text = |part: &str| row.get(part).map_or("", |text| text.trim());
        let part = match text("kind") {
            "sun" => {
                json!({"kind": "sun", "is": if text("sun") == "down" { "down" } else { "up" }})
            }
            "time" => {
                let mut part = json!({"kind": "time"});
                for side in ["from", "to"] {
                    if !text(side).is_empty() {
                        part[side] = json!(text(side));
                    }
                }
                let days = self.days(&format!("c{n}_day_"));
                if !days.is_empty() {
                    part["days"] = json!(days);
                }
                part
            }
            _ => self.state(n, row),
        };
        match text("not") {
            "" => part,
            _ => json!({ "not": part }),
        }
    }

    fn state(&mut self, n: usize, row: &Row) -> Value {
        let text = |part: &str| row.get(part).map_or("", |text| text.trim());
        let mut part = json!({
            "kind": "state", "device": text("device"), "entity": text("entity"),
        });
        let number = |text: &str| text.replace(',', ".").parse::<f64>().ok();
        if !text("is").is_empty() {
            part["is"] = json!(text("is"));
        }
        for side in ["above", "below"] {
            match (text(side), number(text(side))) {
                ("", _) => {}
                (_, Some(bound)) => part[side] = json!(bound),
                (_, None) => {
                    let problem = self.teller.t().schedule_form.problem_number;
                    self.wrong(format!("c{n}_{side}"), problem);
                }
            }
        }
        if let Some(seconds) = self.minutes(&format!("c{n}_for")) {
            part["for_seconds"] = json!(seconds);
        }
        part
    }
}

/// What an anchor was counted for.
pub(super) fn rhythm_mark(seconds: i64, from: &str, to: &str) -> String {
    format!("{seconds}|{from}|{to}")
}
