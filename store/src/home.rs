//! The home: its name, zone and place, and that it was set up once.
//!
//! Owner of `home`. It must never be set up twice.

use crate::users::{NewUser, insert_user};
use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;

/// The home.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// What the household calls it.
    pub name: String,
    /// Its time zone, an IANA name.
    pub zone: String,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// When it was set up.
    pub set_up_at: Timestamp,
}

impl Store {
    /// The home, once it is set up.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn home(&self) -> Result<Option<Home>, StoreError> {
        let row = self
            .house()
            .first(
                "SELECT name, zone, latitude, longitude, set_up_at FROM home WHERE id = 1",
                [],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Home {
            name: row.text(0)?,
            zone: row.text(1)?,
            latitude: row.opt_real(2)?,
            longitude: row.opt_real(3)?,
            set_up_at: row.at(4)?,
        }))
    }

    /// Sets the home up with its first administrator, both or neither.
    ///
    /// `false` if it was set up before: then nothing is done.
    ///
    /// # Errors
    /// `Taken` if the name of the administrator is; then the home is not set up.
    pub async fn set_up(&self, home: &Home, admin: &NewUser) -> Result<bool, StoreError> {
        let mut tx = self.house().begin().await?;
        let first = tx
            .run(
                "INSERT INTO home (id, name, zone, latitude, longitude, set_up_at)
                 VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                [
                    home.name.as_str().into(),
                    home.zone.as_str().into(),
                    home.latitude.into(),
                    home.longitude.into(),
                    home.set_up_at.into(),
                ],
            )
            .await?;
        if first == 0 {
            return Ok(false);
        }
        insert_user(&mut tx, admin).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Changes name, zone and place of a home that is set up.
    ///
    /// # Errors
    /// `NotFound` if it is not set up.
    pub async fn set_home(&self, home: &Home) -> Result<(), StoreError> {
        let changed = self
            .house()
            .run(
                "UPDATE home SET name = $1, zone = $2, latitude = $3, longitude = $4 WHERE id = 1",
                [
                    home.name.as_str().into(),
                    home.zone.as_str().into(),
                    home.latitude.into(),
                    home.longitude.into(),
                ],
            )
            .await?;
        if changed == 0 {
            return Err(StoreError::NotFound);
        }
        Ok(())
    }
}
