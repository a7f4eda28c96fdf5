//! Templates: the small programs that devices bring to say what their payloads mean.
//!
//! Owner of the one template environment (Jinja2 in Home Assistant's dialect) and
//! of its cache. A template must never read a clock, another entity or a file, and
//! never run for longer than its fuel.

mod filters;
mod guard;
mod limits;
mod patterns;
mod python;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use python::float_text;

use crate::time::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::{Object, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, machinery};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

/// Instructions a template may use, and what is worth as much: 64 bytes of text made, four
/// items of a list read. A real one needs a few hundred, so this is generous, and a template
/// that loops is stopped within a few milliseconds.
const FUEL: u64 = 10_000;

/// Longest template, in bytes. Zigbee2MQTT's longest are about 3 KiB.
pub const TEMPLATE_MAX: usize = 16 * 1024;

/// Longest result, in bytes: more than a state or a command is ever good for.
const OUTPUT_MAX: usize = 64 * 1024;

/// Compiled templates kept. Devices of one make share theirs, so 10,000 devices use
/// some hundred; when a house exceeds this the cache starts anew.
const CACHE_MAX: usize = 8_192;

/// Deepest nesting of calls while a template runs.
const RECURSION_MAX: usize = 32;

/// Why a template gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is no template.
    #[error("the template does not compile: {0}")]
    Syntax(String),
    /// It is longer than [`TEMPLATE_MAX`], or its result is too long.
    #[error("the template or its result is too long")]
    TooLong,
    /// It used up its fuel.
    #[error("the template runs for too long")]
    TooMuchWork,
    /// It failed on this payload or value.
    #[error("the template failed: {0}")]
    Failed(String),
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        if error.kind() == ErrorKind::OutOfFuel {
            return Self::TooMuchWork;
        }
        let text: String = error.to_string().chars().take(200).collect();
        match error.kind() {
            ErrorKind::SyntaxError => Self::Syntax(text),
            _ => Self::Failed(text),
        }
    }
}

/// What a template may know of the entity it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vars {
    /// The entity's name.
    pub name: String,
    /// The entity's id.
    pub entity_id: String,
}

/// The environment with every compiled template, shared by all devices.
#[derive(Debug)]
pub struct Templates {
    compiled: RwLock<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    environment: Environment<'static>,
    sources: HashSet<Box<str>>,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// An environment with the filters, functions and tests that devices use.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION_MAX);
        environment.set_debug(false);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_formatter(python::format);
        // What a loop puts into a namespace can nest without end.
        environment.remove_global("namespace");
        guard::register(&mut environment);
        filters::register(&mut environment);
        patterns::register(&mut environment);
        times::register(&mut environment);
        Self {
            compiled: RwLock::new(Compiled {
                environment,
                sources: HashSet::new(),
            }),
        }
    }

    /// Whether the source compiles.
    pub fn check(&self, source: &str) -> Result<(), TemplateError> {
        if source.len() > TEMPLATE_MAX {
            return Err(TemplateError::TooLong);
        }
        self.compiled(source).map(drop)
    }

    /// What a payload means: `value` is the payload, `value_json` what it holds as JSON.
    pub fn value(
        &self,
        source: &str,
        payload: &str,
        vars: &Vars,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<String, TemplateError> {
        let mut scope = Scope::new(vars, now, zone, Value::from(payload));
        scope.is_payload = true;
        self.render(source, scope)
    }

    /// What is sent for a command: `value` and, by kind, `position`, `brightness` and such.
    pub fn command(
        &self,
        source: &str,
        value: &serde_json::Value,
        extra: &[(&str, serde_json::Value)],
        vars: &Vars,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<String, TemplateError> {
        let mut scope = Scope::new(vars, now, zone, python::from_json(value));
        scope.extra = extra
            .iter()
            .map(|(key, value)| ((*key).into(), python::from_json(value)))
            .collect();
        self.render(source, scope)
    }

    fn render(&self, source: &str, scope: Scope) -> Result<String, TemplateError> {
        if source.len() > TEMPLATE_MAX {
            return Err(TemplateError::TooLong);
        }
        let compiled = self.compiled(source)?;
        let template = compiled.environment.get_template(source)?;
        let plain = machinery::get_compiled_template(&template);
        let program = guard::guarded(&plain.instructions)?;
        let mut output = String::with_capacity(plain.buffer_size_hint);
        machinery::eval(
            &compiled.environment,
            &program,
            Value::from_object(scope),
            &plain.blocks,
            &mut machinery::make_string_output(&mut output),
            AutoEscape::None,
        )?;
        if output.len() > OUTPUT_MAX {
            return Err(TemplateError::TooLong);
        }
        // Home Assistant strips every result: templates are often written over several lines.
        let stripped = output.trim();
        if stripped.len() == output.len() {
            return Ok(output);
        }
        Ok(stripped.to_owned())
    }

    /// A view of the cache in which the source is compiled.
    fn compiled(&self, source: &str) -> Result<RwLockReadGuard<'_, Compiled>, TemplateError> {
        // More than one round only if the cache started anew between the two locks.
        for _ in 0..4 {
            // A panic elsewhere cannot leave the cache half changed in a way that matters:
            // a template is in the environment or is compiled again.
            let cache = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
            if cache.sources.contains(source) {
                return Ok(cache);
            }
            drop(cache);
            self.compile(source)?;
        }
        Err(TemplateError::TooMuchWork)
    }

    fn compile(&self, source: &str) -> Result<(), TemplateError> {
        limits::check(source)?;
        let mut cache = self
            .compiled
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if cache.sources.len() >= CACHE_MAX {
            cache.environment.clear_templates();
            cache.sources.clear();
        }
        cache
            .environment
            .add_template_owned(source.to_owned(), source.to_owned())?;
        cache.sources.insert(source.into());
        Ok(())
    }
}

/// The variables of one run; looked up by name, so that what is not used costs nothing.
#[derive(Debug)]
struct Scope {
    name: Value,
    entity_id: Value,
    value: Value,
    /// Whether the value is a payload, so that it may be JSON.
    is_payload: bool,
    json: OnceLock<Option<Value>>,
    extra: Vec<(Box<str>, Value)>,
    clock: Value,
}

impl Scope {
    fn new(vars: &Vars, now: Timestamp, zone: &TimeZone, value: Value) -> Self {
        Self {
            name: Value::from(vars.name.as_str()),
            entity_id: Value::from(vars.entity_id.as_str()),
            value,
            is_payload: false,
            json: OnceLock::new(),
            extra: Vec::new(),
            clock: Value::from_object(times::Clock::new(now, zone)),
        }
    }

    /// The payload as JSON; nothing when it is not JSON, so that `is defined` tells.
    fn value_json(&self) -> Option<Value> {
        let payload = self.value.as_str().filter(|_| self.is_payload)?;
        self.json
            .get_or_init(|| {
                crate::wire::parse_json(payload)
                    .ok()
                    .map(|json| python::from_json(&json))
            })
            .clone()
    }
}

impl Object for Scope {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "value" => Some(self.value.clone()),
            "value_json" => self.value_json(),
            "name" => Some(self.name.clone()),
            "entity_id" => Some(self.entity_id.clone()),
            times::CLOCK => Some(self.clock.clone()),
            _ => self
                .extra
                .iter()
                .find(|(name, _)| **name == *key)
                .map(|(_, value)| value.clone()),
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}
