//! In which language and theme somebody reads.
//!
//! Owner of that choice: what the viewer has set, else what their browser asks for.
//! It must never fail: a page in English is better than none.

use crate::app::App;
use crate::auth::CurrentUser;
use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use iothome_engine::ids::UserId;
use iothome_views::Theme;
use iothome_views::texts::{self, Texts};
use std::fmt;

/// Language and theme of one viewer.
#[derive(Clone, Copy)]
pub(crate) struct Taste {
    /// The texts to show.
    pub(crate) t: &'static Texts,
    /// Light or dark.
    pub(crate) theme: Theme,
}

impl fmt::Debug for Taste {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.t.lang, self.theme.as_str())
    }
}

impl Taste {
    /// Of whoever sent this request, signed in or not.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        CurrentUser::of(request).map_or_else(|| Self::asked(request.headers()), |user| user.taste)
    }

    /// What the browser asks for.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        let header = headers.get(ACCEPT_LANGUAGE);
        let header = header.and_then(|value| value.to_str().ok());
        Self {
            t: texts::negotiate(header.unwrap_or_default()),
            theme: Theme::Auto,
        }
    }

    /// What this user has set, and where they have not, what their browser asks for.
    pub(crate) async fn chosen(app: &App, user: UserId, headers: &HeaderMap) -> Self {
        let asked = Self::asked(headers);
        let chosen = match app.store.preferences(user).await {
            Ok(chosen) => chosen,
            Err(error) => {
                tracing::debug!(%error, "preferences were not read; the browser's are taken");
                return asked;
            }
        };
        Self {
            t: chosen
                .language
                .as_deref()
                .and_then(texts::of)
                .unwrap_or(asked.t),
            theme: match chosen.theme {
                None => Theme::Auto,
                Some(iothome_store::Theme::Light) => Theme::Light,
                Some(iothome_store::Theme::Dark) => Theme::Dark,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn whoever_is_not_signed_in_reads_what_their_browser_asks_for() {
        let german = TestRequest::get()
            .insert_header((ACCEPT_LANGUAGE, "de-CH, en;q=0.5"))
            .to_http_request();
        assert_eq!(format!("{:?}", Taste::of(&german)), "de, auto");
        let none = TestRequest::get().to_http_request();
        assert_eq!(format!("{:?}", Taste::of(&none)), "en, auto");
    }
}
