//! The API's word lists for its OpenAPI document, taken from the engine's own.
//!
//! Owner of the schemas of kinds, actions and the like. It must never list a
//! word that the engine lists.

use iothome_engine::command::Status;
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::{Right, Role};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>, about: &str) -> RefOr<Schema> {
    let words: Vec<String> = words.into_iter().map(ToOwned::to_owned).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .description(Some(about))
        .into()
}

/// Schema of a kind of entity.
pub(crate) struct KindWord;

impl PartialSchema for KindWord {
    fn schema() -> RefOr<Schema> {
        one_of(
            Kind::ALL.map(Kind::as_str),
            "What sort of thing an entity is.",
        )
    }
}

impl ToSchema for KindWord {}

/// Schema of an action.
pub(crate) struct ActionWord;

impl PartialSchema for ActionWord {
    fn schema() -> RefOr<Schema> {
        one_of(
            Action::ALL.map(Action::as_str),
            "What can be asked of an entity.",
        )
    }
}

impl ToSchema for ActionWord {}

/// Schema of a command's status.
pub(crate) struct StatusWord;

impl PartialSchema for StatusWord {
    fn schema() -> RefOr<Schema> {
        one_of(
            Status::ALL.map(Status::as_str),
            "How far a command came. `accepted`, `sent` and `acknowledged` are steps, the others ends.",
        )
    }
}

impl ToSchema for StatusWord {}

/// Schema of a right.
pub(crate) struct RightWord;

impl PartialSchema for RightWord {
    fn schema() -> RefOr<Schema> {
        one_of(
            Right::ALL.map(Right::as_str),
            "A right of a user on a device.",
        )
    }
}

impl ToSchema for RightWord {}

/// Schema of a role.
pub(crate) struct RoleWord;

impl PartialSchema for RoleWord {
    fn schema() -> RefOr<Schema> {
        one_of(
            [Role::Admin.as_str(), Role::Member.as_str()],
            "What a user is to the whole house.",
        )
    }
}

impl ToSchema for RoleWord {}

/// Schema of an instant.
pub(crate) struct Instant;

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC."))
            .into()
    }
}

impl ToSchema for Instant {}
