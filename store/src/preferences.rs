//! How somebody likes their pages.
//!
//! Owner of `preferences`. It must never know which languages there are.

use crate::db::id;
use crate::{Store, StoreError};
use iothome_engine::ids::UserId;

/// Light or dark, whatever the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark letters on light ground.
    Light,
    /// Light letters on dark ground.
    Dark,
}

impl Theme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// The word used in SQL, REST and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }
}

/// What a user chose; `None` is "as the browser says".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The language's tag, such as `de`.
    pub language: Option<String>,
    /// Light or dark.
    pub theme: Option<Theme>,
}

impl Store {
    /// What the user chose; nothing if they never did.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn preferences(&self, user: UserId) -> Result<Preferences, StoreError> {
        let row = self
            .house()
            .first(
                "SELECT language, theme FROM preferences WHERE user_id = $1",
                [id(user)],
            )
            .await?;
        let Some(row) = row else {
            return Ok(Preferences::default());
        };
        Ok(Preferences {
            language: row.opt_text(0)?,
            // A theme of a later version is "as the browser says".
            theme: row.opt_text(1)?.as_deref().and_then(Theme::from_word),
        })
    }

    /// Keeps what the user chose.
    ///
    /// # Errors
    /// `NotFound` if there is no such user.
    pub async fn set_preferences(
        &self,
        user: UserId,
        preferences: &Preferences,
    ) -> Result<(), StoreError> {
        self.house()
            .run(
                "INSERT INTO preferences (user_id, language, theme) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id) DO UPDATE
                 SET language = excluded.language, theme = excluded.theme",
                [
                    id(user),
                    preferences.language.as_deref().into(),
                    preferences.theme.map(Theme::as_str).into(),
                ],
            )
            .await
            .map_err(StoreError::or_not_found)?;
        Ok(())
    }
}
