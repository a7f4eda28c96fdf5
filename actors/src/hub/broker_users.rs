//! The broker's users and their accounts there, asked of the hub.
//!
//! Owner of those questions only: the registrar decides, the accounts' actor tells the broker.

use super::Hub;
use crate::accounts::{self, AccountsStatus};
use crate::error::HubError;
use crate::registrar::{By, IssuedCredential, NewCredential, RegistrarMsg};
use iothome_engine::access::Credential;
use iothome_engine::ids::CredentialId;
use iothome_engine::policy::Subject;
use std::sync::Arc;

impl Hub {
    /// The broker's users, by user name.
    pub fn credentials(&self) -> Vec<Credential> {
        let access = self.inner.config.access.load();
        let lasting = access
            .iter()
            .filter(|c| !accounts::is_throw_away(&c.username));
        let mut all: Vec<Credential> = lasting.cloned().collect();
        all.sort_by(|a, b| a.username.cmp(&b.username));
        all
    }

    /// Makes a broker user. Its password is in the answer and nowhere else.
    ///
    /// # Errors
    /// `Invalid` names the field; `Conflict` if the hub does not manage the broker's users.
    pub async fn create_credential(
        &self,
        new: NewCredential,
        by: &Subject,
    ) -> Result<IssuedCredential, HubError> {
        self.working()?;
        let (new, by) = (Box::new(new), By::from(by));
        let ask = |reply| RegistrarMsg::CreateCredential(new, by, reply);
        self.inner.registrar.ask(ask).await
    }

    /// Gives a broker user a new password and ends its connections.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if the hub does not manage the broker's users.
    pub async fn rotate_credential(
        &self,
        id: CredentialId,
        by: &Subject,
    ) -> Result<IssuedCredential, HubError> {
        self.working()?;
        let by = By::from(by);
        let ask = |reply| RegistrarMsg::RotateCredential(id, by, reply);
        self.inner.registrar.ask(ask).await
    }

    /// Takes a broker user away and ends its connections.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if the hub does not manage the broker's users.
    pub async fn delete_credential(&self, id: CredentialId, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        let by = By::from(by);
        let ask = |reply| RegistrarMsg::DeleteCredential(id, by, reply);
        self.inner.registrar.ask(ask).await
    }

    /// How the accounts at the broker stand.
    pub fn accounts(&self) -> Arc<AccountsStatus> {
        self.inner.accounts.status()
    }

    /// Looks at the accounts at the broker and tries it out with a throw-away one, now.
    ///
    /// # Errors
    /// `Conflict` if the hub makes no accounts there or the broker is away; `Busy`.
    pub async fn test_broker(&self, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        self.inner.accounts.test().await?;
        self.audit_by(by, "broker_tested", "broker", serde_json::json!({}));
        Ok(())
    }
}
