//! Devices that announced themselves and wait for somebody to decide.
//!
//! Owner of `new_devices`. It must never decide who may announce what.

use crate::db::{Arg, Row, json};
use crate::insert::Insert;
use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How a waiting device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NewStatus {
    /// Nobody has decided.
    New,
    /// Somebody does not want it.
    Ignored,
    /// It claims topics it may not have; it cannot be accepted.
    Conflict,
    /// It was a device of the house and was deleted.
    Removed,
}

impl NewStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::New, Self::Ignored, Self::Conflict, Self::Removed];

    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ignored => "ignored",
            Self::Conflict => "conflict",
            Self::Removed => "removed",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// One configuration as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedConfig {
    /// On which topic.
    pub topic: String,
    /// What it hashes to.
    pub hash: String,
    /// The payload, JSON text as received.
    pub payload: String,
}

/// A device that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDevice {
    /// Its id among the new devices.
    pub id: String,
    /// What discovery knows it by.
    pub identity: Vec<String>,
    /// What it calls itself.
    pub name: String,
    /// How it stands.
    pub status: NewStatus,
    /// Why, for a conflict.
    pub reason: Option<String>,
    /// What it announced.
    pub announced: Vec<AnnouncedConfig>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
}

const PUT: Insert = Insert {
    into: "INSERT INTO new_devices
        (id, identity, name, status, reason, announced, first_seen_at, last_seen_at)",
    columns: 8,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET identity = excluded.identity,
        name = excluded.name, status = excluded.status, reason = excluded.reason,
        announced = excluded.announced, first_seen_at = excluded.first_seen_at,
        last_seen_at = excluded.last_seen_at",
};

fn read(row: &Row) -> Result<NewDevice, StoreError> {
    let status = row.text(3)?;
    Ok(NewDevice {
        id: row.text(0)?,
        identity: row.json(1, "new device")?,
        name: row.text(2)?,
        status: NewStatus::from_word(&status)
            .ok_or_else(|| StoreError::corrupt("new device", status))?,
        reason: row.opt_text(4)?,
        announced: row.json(5, "new device")?,
        first_seen_at: row.at(6)?,
        last_seen_at: row.at(7)?,
    })
}

fn write(device: &NewDevice) -> Result<Vec<Arg>, StoreError> {
    Ok(vec![
        device.id.as_str().into(),
        json(&device.identity, "new device")?.into(),
        device.name.as_str().into(),
        device.status.as_str().into(),
        device.reason.as_deref().into(),
        json(&device.announced, "new device")?.into(),
        device.first_seen_at.into(),
        device.last_seen_at.into(),
    ])
}

impl Store {
    /// Every device that waits, the first seen first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn new_devices(&self) -> Result<Vec<NewDevice>, StoreError> {
        let rows = self
            .house()
            .all(
                "SELECT id, identity, name, status, reason, announced, first_seen_at, last_seen_at
                 FROM new_devices ORDER BY first_seen_at, id",
                [],
            )
            .await?;
        rows.iter().map(read).collect()
    }

    /// Puts devices that are new among them or changed, all or none.
    ///
    /// Of two with the same id the later counts.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn put_new_devices(&self, devices: &[NewDevice]) -> Result<(), StoreError> {
        let last = crate::last_of_each(devices, |device| device.id.clone());
        let rows = last.into_iter().map(write).collect::<Result<_, _>>()?;
        let mut tx = self.house().begin().await?;
        PUT.write(&mut tx, rows).await?;
        tx.commit().await
    }

    /// Takes a device from those that wait; `false` if it was not there.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn delete_new_device(&self, id: &str) -> Result<bool, StoreError> {
        let gone = self
            .house()
            .run("DELETE FROM new_devices WHERE id = $1", [id.into()])
            .await?;
        Ok(gone > 0)
    }
}
