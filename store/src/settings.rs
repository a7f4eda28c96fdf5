//! Settings the hub makes for itself: keys, an installation id.
//!
//! Owner of `settings`. It must never hold what a person sets on the command line.

use crate::{Store, StoreError};

impl Store {
    /// What stands under the key.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let row = self
            .house()
            .first("SELECT value FROM settings WHERE key = $1", [key.into()])
            .await?;
        row.map(|row| row.text(0)).transpose()
    }

    /// Puts the value under the key.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.house()
            .run(
                "INSERT INTO settings (key, value) VALUES ($1, $2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [key.into(), value.into()],
            )
            .await?;
        Ok(())
    }

    /// Puts the value under the key unless something is there; says what stands now.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn set_setting_if_absent(
        &self,
        key: &str,
        value: &str,
    ) -> Result<String, StoreError> {
        // The update that changes nothing makes the row come back in both cases.
        let rows = self
            .house()
            .returning(
                "INSERT INTO settings (key, value) VALUES ($1, $2)
                 ON CONFLICT (key) DO UPDATE SET value = settings.value
                 RETURNING value",
                [key.into(), value.into()],
            )
            .await?;
        match rows.first() {
            Some(row) => row.text(0),
            None => Ok(value.to_owned()),
        }
    }
}
