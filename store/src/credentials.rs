//! Broker users that the hub manages.
//!
//! Owner of `credentials` and `credential_topics`. It must never see a password,
//! only its digest.

use crate::db::{Arg, Row, Tx, id};
use crate::{Store, StoreError};
use iothome_engine::access::{Access, Credential, TopicRule};
use iothome_engine::ids::CredentialId;
use std::collections::HashMap;

const fn word(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write => "write",
    }
}

fn access(word: &str) -> Result<Access, StoreError> {
    match word {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        other => Err(StoreError::corrupt("credential", other)),
    }
}

fn read(row: &Row) -> Result<Credential, StoreError> {
    let device = row
        .opt_text(3)?
        .map(|d| d.parse().map_err(|e| StoreError::corrupt("credential", e)))
        .transpose()?;
    Ok(Credential {
        id: row.parsed(0, "credential")?,
        username: row.text(1)?,
        name: row.text(2)?,
        device,
        secret_sha256: row.text(4)?,
        topics: Vec::new(),
        created_at: row.at(5)?,
    })
}

async fn insert_topics(
    tx: &mut Tx,
    credential: CredentialId,
    topics: &[TopicRule],
) -> Result<(), StoreError> {
    for (position, rule) in (0i64..).zip(topics) {
        tx.run(
            "INSERT INTO credential_topics (credential_id, position, filter, access)
             VALUES ($1, $2, $3, $4)",
            [
                id(credential),
                position.into(),
                rule.filter.as_str().into(),
                word(rule.access).into(),
            ],
        )
        .await?;
    }
    Ok(())
}

pub(crate) async fn insert_credential(
    tx: &mut Tx,
    credential: &Credential,
) -> Result<(), StoreError> {
    let device = credential.device.as_ref().map(ToString::to_string);
    let args: [Arg; 6] = [
        id(credential.id),
        credential.username.as_str().into(),
        credential.name.as_str().into(),
        device.into(),
        credential.secret_sha256.as_str().into(),
        credential.created_at.into(),
    ];
    tx.run(
        "INSERT INTO credentials (id, username, name, device_id, secret_sha256, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args,
    )
    .await
    .map_err(|e| e.or_taken("broker user name").or_not_found())?;
    insert_topics(tx, credential.id, &credential.topics).await
}

impl Store {
    /// Every credential, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn credentials(&self) -> Result<Vec<Credential>, StoreError> {
        let mut tx = self.house().snapshot().await?;
        let rows = tx
            .all(
                "SELECT id, username, name, device_id, secret_sha256, created_at
                 FROM credentials ORDER BY created_at, id",
                [],
            )
            .await?;
        let mut credentials = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let places: HashMap<String, usize> = credentials
            .iter()
            .enumerate()
            .map(|(place, credential)| (credential.id.to_string(), place))
            .collect();
        let topics = tx
            .all(
                "SELECT credential_id, filter, access FROM credential_topics
                 ORDER BY credential_id, position",
                [],
            )
            .await?;
        for row in topics {
            if let Some(&place) = places.get(&row.text(0)?) {
                credentials[place].topics.push(TopicRule {
                    filter: row.text(1)?,
                    access: access(&row.text(2)?)?,
                });
            }
        }
        Ok(credentials)
    }

    /// Writes a new credential down.
    ///
    /// # Errors
    /// `Taken` if the user name is; `NotFound` if its device is not there.
    pub async fn create_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        insert_credential(&mut tx, credential).await?;
        tx.commit().await
    }

    /// Keeps the credential's password under seal, in place of one before it.
    ///
    /// # Errors
    /// `NotFound` if there is no such credential.
    pub async fn keep_sealed(
        &self,
        credential: CredentialId,
        sealed: &str,
    ) -> Result<(), StoreError> {
        let kept = self.house().run(
            "INSERT INTO sealed_passwords (credential_id, sealed) VALUES ($1, $2)
             ON CONFLICT (credential_id) DO UPDATE SET sealed = excluded.sealed",
            [id(credential), sealed.into()],
        );
        kept.await.map_err(StoreError::or_not_found)?;
        Ok(())
    }

    /// Every password under seal.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn sealed_passwords(&self) -> Result<HashMap<CredentialId, String>, StoreError> {
        let text = "SELECT credential_id, sealed FROM sealed_passwords";
        let rows = self.house().all(text, []).await?;
        let read = |row: &Row| Ok((row.parsed(0, "sealed password")?, row.text(1)?));
        rows.iter().map(read).collect()
    }

    /// Replaces the digest of the password; `false` if there is no such credential.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn rotate_credential(
        &self,
        credential: CredentialId,
        secret_sha256: &str,
    ) -> Result<bool, StoreError> {
        let changed = self
            .house()
            .run(
                "UPDATE credentials SET secret_sha256 = $2 WHERE id = $1",
                [id(credential), secret_sha256.into()],
            )
            .await?;
        Ok(changed > 0)
    }

    /// Replaces what the credential may touch.
    ///
    /// # Errors
    /// `NotFound` if there is no such credential.
    pub async fn set_credential_topics(
        &self,
        credential: CredentialId,
        topics: &[TopicRule],
    ) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        tx.run(
            "DELETE FROM credential_topics WHERE credential_id = $1",
            [id(credential)],
        )
        .await?;
        insert_topics(&mut tx, credential, topics)
            .await
            .map_err(StoreError::or_not_found)?;
        tx.commit().await
    }

    /// Deletes the credential; tells the user name that is revoked.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn delete_credential(
        &self,
        credential: CredentialId,
    ) -> Result<Option<String>, StoreError> {
        let rows = self
            .house()
            .returning(
                "DELETE FROM credentials WHERE id = $1 RETURNING username",
                [id(credential)],
            )
            .await?;
        rows.first().map(|row| row.text(0)).transpose()
    }
}
