//! The JSON shape of a user.
//!
//! Owner of what is told of a user: never a hash.

use crate::api::words::{Instant, RoleWord};
use iothome_engine::ids::UserId;
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;
use iothome_store::User;
use serde::Serialize;
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// Their sign-in name.
    username: String,
    /// Their role.
    #[schema(value_type = RoleWord)]
    role: Role,
    /// Whether they may not sign in.
    disabled: bool,
    /// When the account was made.
    #[schema(value_type = Instant)]
    created_at: Timestamp,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            username: user.name.clone(),
            role: user.role,
            disabled: user.disabled,
            created_at: user.created_at,
        }
    }
}
