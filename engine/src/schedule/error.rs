//! What is wrong with a schedule: the field, the problem and an example.
//!
//! Owner of the words for bad input. It must never keep more of the input than a
//! person needs to recognise it.

use serde::Serialize;

/// One fault of a schedule, said so that the person who wrote it can mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {problem}; for example {example}")]
pub struct ScheduleError {
    /// Where: `trigger.expression`, `actions[1].value`.
    pub field: String,
    /// What is wrong, in words.
    pub problem: String,
    /// Something that would be right there.
    pub example: String,
}

impl ScheduleError {
    /// A fault.
    pub fn new(
        field: impl Into<String>,
        problem: impl Into<String>,
        example: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
            example: example.into(),
        }
    }

    /// The same fault of a part: `name` becomes `schedules[3].name`.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = if self.field.is_empty() {
            outer.to_owned()
        } else {
            format!("{outer}.{}", self.field)
        };
        self
    }
}
