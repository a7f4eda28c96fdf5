//! People with an account.
//!
//! Owner of `users`. It must never leave the house without an enabled
//! administrator, and never let two names differ only in case.

use crate::db::{Arg, Row, Turn, Tx, id};
use crate::sessions::end_sessions;
use crate::{Store, StoreError};
use iothome_engine::ids::{SessionId, UserId};
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;

/// A user, without their password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their sign-in name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Grows with every change of name, role or disabling.
    pub version: i64,
}

/// A user to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Their id.
    pub id: UserId,
    /// Their sign-in name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Their password, hashed by argon2id.
    pub password_hash: String,
    /// Now.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What is to change of a user; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// A new name.
    pub name: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// Disable or enable.
    pub disabled: Option<bool>,
}

/// A password in the place of the one before; it ends the user's sessions.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// Hashed by argon2id.
    pub hash: String,
    /// The session that goes on, if any.
    pub spared: Option<SessionId>,
    /// Now.
    pub at: Timestamp,
}

impl std::fmt::Debug for NewPassword {
    /// Without the hash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPassword")
            .field("spared", &self.spared)
            .finish_non_exhaustive()
    }
}

const ONE: &str = "SELECT id, name, role, disabled, created_at, version, password_hash
    FROM users WHERE id = $1";
const BY_NAME: &str = "SELECT id, name, role, disabled, created_at, version, password_hash
    FROM users WHERE name_key = $1";
const PAGE: &str = "SELECT id, name, role, disabled, created_at, version
    FROM users WHERE id > $1 ORDER BY id LIMIT $2";
const ADMINS: &str = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled = FALSE";

/// Two names are the same if their lower-case forms are.
fn name_key(name: &str) -> String {
    name.to_lowercase()
}

fn read(row: &Row) -> Result<User, StoreError> {
    let role = row.text(2)?;
    Ok(User {
        id: row.parsed(0, "user")?,
        name: row.text(1)?,
        role: Role::from_word(&role).ok_or_else(|| StoreError::corrupt("user", role))?,
        disabled: row.flag(3)?,
        created_at: row.at(4)?,
        version: row.int(5)?,
    })
}

pub(crate) async fn insert_user(tx: &mut Tx, user: &NewUser) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO users
            (id, name, name_key, role, disabled, password_hash, created_at, version)
         VALUES ($1, $2, $3, $4, FALSE, $5, $6, 1)",
        [
            id(user.id),
            user.name.as_str().into(),
            name_key(&user.name).into(),
            user.role.as_str().into(),
            user.password_hash.as_str().into(),
            user.created_at.into(),
        ],
    )
    .await
    .map_err(|e| e.or_taken("user name"))?;
    Ok(())
}

impl Store {
    /// Makes a user.
    ///
    /// # Errors
    /// `Taken` if the name is, in any case.
    pub async fn create_user(&self, user: &NewUser) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        insert_user(&mut tx, user).await?;
        tx.commit().await
    }

    /// The user.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        let row = self.house().first(ONE, [id(user)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The user with this name, in any case, and their password hash.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let row = self.house().first(BY_NAME, [name_key(name).into()]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((read(&row)?, row.text(6)?)))
    }

    /// Users in the order they were made, after `after`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn users(
        &self,
        limit: usize,
        after: Option<UserId>,
    ) -> Result<Vec<User>, StoreError> {
        let after = after.map(|a| a.to_string()).unwrap_or_default();
        let rows = self
            .house()
            .all(PAGE, [after.into(), crate::limit(limit)])
            .await?;
        rows.iter().map(read).collect()
    }

    /// Changes a user; `version` is the one that was read, if it matters.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, `Taken`, or `LastAdmin`.
    pub async fn update_user(
        &self,
        user: UserId,
        patch: &UserPatch,
        version: Option<i64>,
    ) -> Result<User, StoreError> {
        let mut tx = self.house().begin().await?;
        let changed = change(&mut tx, user, patch, version).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Changes a user and their password, all of it or nothing; tells which sessions it ended.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, `Taken`, or `LastAdmin`: then nothing has changed.
    pub async fn update_user_and_password(
        &self,
        user: UserId,
        patch: &UserPatch,
        version: Option<i64>,
        password: &NewPassword,
    ) -> Result<(User, Vec<SessionId>), StoreError> {
        let mut tx = self.house().begin().await?;
        let changed = change(&mut tx, user, patch, version).await?;
        tx.run(
            "UPDATE users SET password_hash = $2 WHERE id = $1",
            [id(user), password.hash.as_str().into()],
        )
        .await?;
        let ended = end_sessions(&mut tx, user, password.spared, password.at).await?;
        tx.commit().await?;
        Ok((changed, ended))
    }

    /// Gives the user another password, already hashed.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_password(&self, user: UserId, hash: &str) -> Result<(), StoreError> {
        let changed = self
            .house()
            .run(
                "UPDATE users SET password_hash = $2 WHERE id = $1",
                [id(user), hash.into()],
            )
            .await?;
        found(changed)
    }

    /// The user's password hash.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn password_hash(&self, user: UserId) -> Result<Option<String>, StoreError> {
        let row = self.house().first(ONE, [id(user)]).await?;
        row.map(|row| row.text(6)).transpose()
    }

    /// Removes the user with their grants and sessions.
    ///
    /// # Errors
    /// `NotFound` or `LastAdmin`.
    pub async fn delete_user(&self, user: UserId) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        tx.take_turn(Turn::Admins).await?;
        let row = tx.first(ONE, [id(user)]).await?;
        let gone = read(&row.ok_or(StoreError::NotFound)?)?;
        tx.run("DELETE FROM users WHERE id = $1", [id(user)])
            .await?;
        if gone.role == Role::Admin && !gone.disabled {
            must_have_admin(&mut tx).await?;
        }
        tx.commit().await
    }

    /// How many enabled administrators there are.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn count_admins(&self) -> Result<u64, StoreError> {
        let row = self.house().first(ADMINS, []).await?;
        let count = row.map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

async fn change(
    tx: &mut Tx,
    user: UserId,
    patch: &UserPatch,
    version: Option<i64>,
) -> Result<User, StoreError> {
    tx.take_turn(Turn::Admins).await?;
    let row = tx.first(ONE, [id(user)]).await?;
    let mut changed = read(&row.ok_or(StoreError::NotFound)?)?;
    if version.is_some_and(|v| v != changed.version) {
        return Err(StoreError::Stale);
    }
    if let Some(name) = &patch.name {
        changed.name.clone_from(name);
    }
    changed.role = patch.role.unwrap_or(changed.role);
    changed.disabled = patch.disabled.unwrap_or(changed.disabled);
    changed.version += 1;
    let args: [Arg; 6] = [
        id(user),
        changed.name.as_str().into(),
        name_key(&changed.name).into(),
        changed.role.as_str().into(),
        changed.disabled.into(),
        changed.version.into(),
    ];
    tx.run(
        "UPDATE users SET name = $2, name_key = $3, role = $4, disabled = $5, version = $6
         WHERE id = $1",
        args,
    )
    .await
    .map_err(|e| e.or_taken("user name"))?;
    if patch.role.is_some() || patch.disabled.is_some() {
        must_have_admin(tx).await?;
    }
    Ok(changed)
}

/// Looks at what the transaction has made; an error takes it back.
async fn must_have_admin(tx: &mut Tx) -> Result<(), StoreError> {
    let row = tx.first(ADMINS, []).await?;
    match row.map_or(Ok(0), |row| row.int(0))? {
        0 => Err(StoreError::LastAdmin),
        _ => Ok(()),
    }
}

/// `NotFound` if no row was touched.
pub(crate) const fn found(rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}
