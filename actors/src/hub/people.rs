//! Users and their grants: what the store keeps, what sessions must hear of.
//!
//! Owner of the order: first durable, then told to the sessions, then audited. It
//! must never see or keep a password longer than its hashing takes.

use super::Hub;
use crate::error::HubError;
use crate::passwords::{PASSWORD_MAX, PasswordError};
use crate::random;
use iothome_engine::ids::{DeviceId, SessionId, UserId};
use iothome_engine::policy::{Right, Rights, Role, Subject};
use iothome_store::{Home, NewPassword, NewUser, User, UserPatch};
use serde_json::json;
use std::collections::HashSet;

/// The shortest password (NIST SP 800-63B, section 5.1.1.1, asks for eight).
pub const PASSWORD_MIN: usize = 8;

/// The longest user name, in characters.
const NAME_MAX: usize = 64;

/// A user that an administrator makes.
#[derive(Clone)]
pub struct NewPerson {
    /// Their sign-in name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Their password.
    pub password: String,
}

/// What is to change of a user; `None` stays.
#[derive(Clone, Default)]
pub struct PersonPatch {
    /// A new name.
    pub name: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// Disable or enable.
    pub disabled: Option<bool>,
    /// A new password; their sessions end.
    pub password: Option<String>,
}

impl Hub {
    /// Makes a user.
    ///
    /// # Errors
    /// `Invalid` names the field; `Taken` if somebody has the name; `Busy` if too many passwords
    /// are being hashed.
    pub async fn create_user(&self, new: NewPerson, by: &Subject) -> Result<User, HubError> {
        self.working()?;
        let name = check_user_name(&new.name)?;
        check_password(&new.password)?;
        let password_hash = self.hash(new.password).await?;
        let now = self.clock().now();
        let user = NewUser {
            id: UserId::new(now, random::bytes()),
            name,
            role: new.role,
            password_hash,
            created_at: now,
        };
        self.inner.store.create_user(&user).await?;
        self.audit_by(
            by,
            "user_created",
            &user.name,
            json!({ "role": user.role.as_str() }),
        );
        self.user(user.id).await
    }

    /// Changes a user, all of it or nothing. A new password ends their sessions, but for `except`.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, `Taken`, `Invalid`, `LastAdmin`, `Busy`.
    pub async fn update_user(
        &self,
        user: UserId,
        patch: PersonPatch,
        if_match: Option<i64>,
        except: Option<SessionId>,
        by: &Subject,
    ) -> Result<User, HubError> {
        self.working()?;
        let wanted = UserPatch {
            name: patch.name.as_deref().map(check_user_name).transpose()?,
            role: patch.role,
            disabled: patch.disabled,
        };
        let new_password = patch.password.is_some();
        let changed = match patch.password {
            None => {
                self.inner
                    .store
                    .update_user(user, &wanted, if_match)
                    .await?
            }
            Some(password) => {
                check_password(&password)?;
                let password = NewPassword {
                    hash: self.hash(password).await?,
                    spared: except,
                    at: self.clock().now(),
                };
                let store = &self.inner.store;
                let done = store.update_user_and_password(user, &wanted, if_match, &password);
                let (changed, ended) = done.await?;
                self.inner.sessions.have_ended(&ended);
                changed
            }
        };
        self.inner.sessions.subject_changed(user).await;
        self.inner.scheduler.owner_changed(user).await;
        let detail = json!({
            "role": changed.role.as_str(),
            "disabled": changed.disabled,
            "password": new_password,
        });
        self.audit_by(by, "user_changed", &changed.name, detail);
        Ok(changed)
    }

    /// Deletes a user; their sessions end.
    ///
    /// # Errors
    /// `NotFound`, `LastAdmin`.
    pub async fn delete_user(&self, user: UserId, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        let gone = self.user(user).await?;
        self.inner.store.delete_user(user).await?;
        self.inner.sessions.subject_changed(user).await;
        self.inner.scheduler.owner_changed(user).await;
        self.audit_by(by, "user_deleted", &gone.name, json!({}));
        Ok(())
    }

    /// Gives a user a new password; their sessions end, but for `except`.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Busy`.
    pub async fn set_password(
        &self,
        user: UserId,
        password: String,
        except: Option<SessionId>,
        by: &Subject,
    ) -> Result<(), HubError> {
        self.working()?;
        check_password(&password)?;
        let named = self.user(user).await?;
        let hash = self.hash(password).await?;
        self.inner.store.set_password(user, &hash).await?;
        self.inner.sessions.end_all_of(user, except).await?;
        self.audit_by(by, "password_changed", &named.name, json!({}));
        Ok(())
    }

    /// Gives a user rights on a device, in place of those they had.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or device; `Invalid` for no right at all.
    pub async fn set_grant(
        &self,
        user: UserId,
        device: &DeviceId,
        rights: Rights,
        by: &Subject,
    ) -> Result<(), HubError> {
        self.working()?;
        if rights.is_empty() {
            return Err(HubError::invalid("rights", "must name at least one right"));
        }
        if self.house().device(device).is_none() {
            return Err(HubError::NotFound);
        }
        let named = self.user(user).await?;
        self.inner.store.set_grant(user, device, rights).await?;
        self.inner.sessions.subject_changed(user).await;
        self.inner.scheduler.owner_changed(user).await;
        let words: Vec<&str> = rights.list().into_iter().map(Right::as_str).collect();
        let detail = json!({ "user": named.name, "rights": words });
        self.audit_by(by, "grant_set", device.as_str(), detail);
        Ok(())
    }

    /// Takes a user's rights on a device.
    ///
    /// # Errors
    /// `NotFound` if they had none.
    pub async fn remove_grant(
        &self,
        user: UserId,
        device: &DeviceId,
        by: &Subject,
    ) -> Result<(), HubError> {
        self.working()?;
        if !self.inner.store.remove_grant(user, device).await? {
            return Err(HubError::NotFound);
        }
        self.inner.sessions.subject_changed(user).await;
        self.inner.scheduler.owner_changed(user).await;
        let detail = json!({ "user": user.to_string() });
        self.audit_by(by, "grant_removed", device.as_str(), detail);
        Ok(())
    }

    /// Sets many grants of one user or on one device, all of them or none; no right takes a grant
    /// away.
    ///
    /// # Errors
    /// `NotFound` if one of the users or devices is gone.
    pub async fn set_grants(
        &self,
        grants: &[(UserId, DeviceId, Rights)],
        by: &Subject,
    ) -> Result<(), HubError> {
        self.working()?;
        self.inner.store.set_grants(grants).await?;
        let users: HashSet<UserId> = grants.iter().map(|(user, ..)| *user).collect();
        for user in users {
            self.inner.sessions.subject_changed(user).await;
            self.inner.scheduler.owner_changed(user).await;
        }
        for (user, device, rights) in grants {
            let words: Vec<&str> = rights.list().into_iter().map(Right::as_str).collect();
            let detail = json!({ "user": user.to_string(), "rights": words });
            self.audit_by(by, "grant_set", device.as_str(), detail);
        }
        Ok(())
    }

    /// Changes the home's name, zone and place.
    ///
    /// # Errors
    /// `NotFound` if it is not set up.
    pub async fn set_home(&self, home: &Home, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        self.inner.store.set_home(home).await?;
        self.home_changed().await?;
        let detail = json!({ "zone": home.zone });
        self.audit_by(by, "home_changed", &home.name, detail);
        Ok(())
    }

    async fn user(&self, user: UserId) -> Result<User, HubError> {
        self.inner.store.user(user).await?.ok_or(HubError::NotFound)
    }

    async fn hash(&self, password: String) -> Result<String, HubError> {
        let hashed = self.inner.passwords.hash(password).await;
        hashed.map_err(|problem| match problem {
            PasswordError::Busy => HubError::Busy,
            other => HubError::invalid("password", &other),
        })
    }
}

/// A sign-in name: 1 to 64 characters that print, without spaces at the ends.
///
/// # Errors
/// `Invalid`.
pub fn check_user_name(name: &str) -> Result<String, HubError> {
    let length = name.chars().count();
    if length == 0 || length > NAME_MAX {
        return Err(HubError::invalid(
            "name",
            &format!("must have 1 to {NAME_MAX} characters"),
        ));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return Err(HubError::invalid(
            "name",
            "must not begin or end with a space or hold control characters",
        ));
    }
    Ok(name.to_owned())
}

/// A password that people choose: 8 characters at least.
///
/// # Errors
/// `Invalid`.
pub fn check_password(password: &str) -> Result<(), HubError> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        let problem = format!(
            "must have at least {PASSWORD_MIN} characters and at most {PASSWORD_MAX} bytes"
        );
        return Err(HubError::invalid("password", &problem));
    }
    Ok(())
}
