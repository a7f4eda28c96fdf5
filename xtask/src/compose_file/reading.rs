//! YAML as JSON values, which everything else here knows how to ask.
//!
//! Owner of that translation. It must never guess at what JSON has no word for.

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// The one document of the text.
pub(super) fn yaml(text: &str) -> Value {
    let documents = YamlLoader::load_from_str(text).unwrap_or_else(|e| panic!("no YAML: {e}"));
    assert_eq!(documents.len(), 1, "one document");
    documents.first().map_or(Value::Null, value)
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Value::from(text.as_str()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Boolean(is) => Value::from(*is),
        Yaml::Array(items) => items.iter().map(value).collect(),
        Yaml::Hash(pairs) => Value::Object(
            pairs
                .iter()
                .map(|(key, item)| (name(key), value(item)))
                .collect::<Map<_, _>>(),
        ),
        Yaml::Null => Value::Null,
        Yaml::Alias(_) | Yaml::BadValue => panic!("an alias that was not resolved"),
    }
}

fn name(key: &Yaml) -> String {
    match key {
        Yaml::String(text) => text.clone(),
        other => panic!("a key that is no text: {other:?}"),
    }
}
