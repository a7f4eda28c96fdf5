//! Reading typed values out of a raw configuration.
//!
//! Owner of the checks that every kind shares. It must name the key in each error.

use super::{AvailabilityConfig, AvailabilityMode, AvailabilityTopic, ConfigError, Encoding, Raw};
use crate::template::Templates;
use crate::topic::valid_topic;
use crate::view::Category;
use serde_json::Value as Json;

/// Longest text that is no template, in bytes.
const TEXT_MAX: usize = 1024;

/// Most entries of a list: of options, effects.
const LIST_MAX: usize = 256;

/// Most availability topics: Zigbee2MQTT names two, and one message may have to be held
/// against all of them.
const AVAILABILITY_MAX: usize = 16;

/// Longest time a configuration may name: a year, in seconds.
const SECONDS_MAX: f64 = 31_622_400.0;

/// A raw configuration with the environment that its templates must compile in.
pub(super) struct Reader<'a> {
    raw: &'a Raw,
    templates: &'a Templates,
}

/// A scalar as Home Assistant makes text of it: `1` is `"1"`, `true` is `"True"`.
fn scalar_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(true) => Some("True".into()),
        Json::Bool(false) => Some("False".into()),
        Json::Number(number) if number.is_f64() => number.as_f64().map(crate::template::float_text),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

impl<'a> Reader<'a> {
    pub(super) const fn new(raw: &'a Raw, templates: &'a Templates) -> Self {
        Self { raw, templates }
    }

    /// The value, unless it is missing or null.
    fn get(&self, key: &str) -> Option<&'a Json> {
        self.raw.get(key).filter(|value| !value.is_null())
    }

    /// Whether the key is there and null: Home Assistant's way to switch something off.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.raw.get(key).is_some_and(Json::is_null)
    }

    /// A text that may be empty.
    fn any_text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let text = scalar_text(value).ok_or_else(|| ConfigError::new(key, "must be a text"))?;
        if text.len() > TEXT_MAX {
            return Err(ConfigError::new(
                key,
                format!("is longer than {TEXT_MAX} bytes"),
            ));
        }
        Ok(Some(text))
    }

    /// A text; an empty one counts as missing.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.any_text(key)?.filter(|text| !text.trim().is_empty()))
    }

    /// A payload to send or to compare with; a missing one is the default.
    pub(super) fn payload(&self, key: &str, default: &str) -> Result<String, ConfigError> {
        Ok(self.any_text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    /// A payload whose null means that the device cannot do it.
    pub(super) fn payload_or_off(
        &self,
        key: &str,
        default: &str,
    ) -> Result<Option<String>, ConfigError> {
        if self.is_null(key) {
            return Ok(None);
        }
        self.payload(key, default).map(Some)
    }

    /// A topic to publish or subscribe to.
    pub(super) fn topic(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(topic) = self.any_text(key)? else {
            return Ok(None);
        };
        valid_topic(&topic).map_err(|e| ConfigError::new(key, format!("is no topic: {e}")))?;
        Ok(Some(topic))
    }

    /// A topic without which the kind makes no sense.
    pub(super) fn required_topic(&self, key: &str) -> Result<String, ConfigError> {
        self.topic(key)?
            .ok_or_else(|| ConfigError::new(key, "is required"))
    }

    /// A template that compiles; an empty one counts as missing.
    pub(super) fn template(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let source = value
            .as_str()
            .ok_or_else(|| ConfigError::new(key, "must be a text"))?;
        if source.trim().is_empty() {
            return Ok(None);
        }
        self.templates
            .check(source)
            .map_err(|e| ConfigError::new(key, e.to_string()))?;
        Ok(Some(source.to_owned()))
    }

    /// A finite number, also when written as a text.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let number = match value {
            Json::Number(n) => n.as_f64(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .filter(|n: &f64| n.is_finite())
            .map(Some)
            .ok_or_else(|| ConfigError::new(key, "must be a finite number"))
    }

    /// True or false, also as the words that YAML has for it.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(default);
        };
        let word = scalar_text(value).unwrap_or_default().to_lowercase();
        match word.as_str() {
            "true" | "yes" | "on" | "enable" | "1" => Ok(true),
            "false" | "no" | "off" | "disable" | "0" => Ok(false),
            _ => Err(ConfigError::new(key, "must be true or false")),
        }
    }

    /// Texts of a list, none of them twice.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let items = value
            .as_array()
            .ok_or_else(|| ConfigError::new(key, "must be a list of texts"))?;
        if items.len() > LIST_MAX {
            return Err(ConfigError::new(
                key,
                format!("has more than {LIST_MAX} entries"),
            ));
        }
        let mut texts: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let text = scalar_text(item)
                .filter(|text| text.len() <= TEXT_MAX)
                .ok_or_else(|| ConfigError::new(key, "must be a list of texts"))?;
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        Ok(texts)
    }

    /// Seconds as milliseconds; 0 counts as missing.
    #[expect(clippy::cast_possible_truncation, reason = "bounded to a year")]
    pub(super) fn seconds_as_ms(&self, key: &str) -> Result<Option<i64>, ConfigError> {
        match self.number(key)? {
            None => Ok(None),
            Some(s) if (0.0..=SECONDS_MAX).contains(&s) => {
                Ok(Some((s * 1000.0) as i64).filter(|ms| *ms > 0))
            }
            Some(_) => Err(ConfigError::new(key, "must be seconds, from 0 to one year")),
        }
    }

    pub(super) fn qos(&self) -> Result<u8, ConfigError> {
        match self.number("qos")? {
            None => Ok(0),
            Some(0.0) => Ok(0),
            Some(1.0) => Ok(1),
            Some(2.0) => Ok(2),
            Some(_) => Err(ConfigError::new("qos", "must be 0, 1 or 2")),
        }
    }

    pub(super) fn category(&self) -> Result<Option<Category>, ConfigError> {
        match self.text("entity_category")?.as_deref() {
            None => Ok(None),
            Some("config") => Ok(Some(Category::Config)),
            Some("diagnostic") => Ok(Some(Category::Diagnostic)),
            Some(_) => Err(ConfigError::new(
                "entity_category",
                "must be `config` or `diagnostic`",
            )),
        }
    }

    pub(super) fn encoding(&self) -> Result<Encoding, ConfigError> {
        let Some(name) = self.any_text("encoding")? else {
            return Ok(Encoding::Utf8);
        };
        match name.to_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" | "ascii" | "us-ascii" => Ok(Encoding::Utf8),
            "" | "latin-1" | "latin1" | "iso-8859-1" => Ok(Encoding::Latin1),
            _ => Err(ConfigError::new(
                "encoding",
                "must be utf-8, latin-1 or empty",
            )),
        }
    }

    /// `availability_topic` or the list `availability`, but not both.
    pub(super) fn availability(&self) -> Result<AvailabilityConfig, ConfigError> {
        let mode = match self.text("availability_mode")?.as_deref() {
            None | Some("latest") => AvailabilityMode::Latest,
            Some("all") => AvailabilityMode::All,
            Some("any") => AvailabilityMode::Any,
            Some(_) => {
                return Err(ConfigError::new(
                    "availability_mode",
                    "must be all, any or latest",
                ));
            }
        };
        let single = self.topic("availability_topic")?;
        let topics = match (self.get("availability"), single) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    "availability",
                    "cannot stand beside `availability_topic`",
                ));
            }
            (Some(list), None) => self.availability_list(list)?,
            (None, Some(topic)) => vec![self.availability_of(topic, "availability_template")?],
            (None, None) => Vec::new(),
        };
        Ok(AvailabilityConfig { mode, topics })
    }

    fn availability_of(
        &self,
        topic: String,
        template: &str,
    ) -> Result<AvailabilityTopic, ConfigError> {
        Ok(AvailabilityTopic {
            topic,
            payload_available: self.payload("payload_available", "online")?,
            payload_not_available: self.payload("payload_not_available", "offline")?,
            template: self.template(template)?,
        })
    }

    /// A list of objects; some emitters write a single object.
    fn availability_list(&self, list: &Json) -> Result<Vec<AvailabilityTopic>, ConfigError> {
        let entries = match list {
            Json::Array(entries) => entries.as_slice(),
            one => std::slice::from_ref(one),
        };
        if entries.len() > AVAILABILITY_MAX {
            return Err(ConfigError::new(
                "availability",
                format!("has more than {AVAILABILITY_MAX} entries"),
            ));
        }
        let within =
            |e: ConfigError| ConfigError::new(format!("availability.{}", e.field), e.problem);
        entries
            .iter()
            .map(|entry| {
                let map = entry
                    .as_object()
                    .ok_or_else(|| ConfigError::new("availability", "must be a list of objects"))?;
                let entry = Reader::new(map, self.templates);
                let topic = entry.required_topic("topic").map_err(within)?;
                entry
                    .availability_of(topic, "value_template")
                    .map_err(within)
            })
            .collect()
    }
}
