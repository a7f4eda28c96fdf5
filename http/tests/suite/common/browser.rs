//! A browser without script, for tests: keeps cookies, follows forms, reads pages.

use super::{Answer, TestHouse, read, until};
use reqwest::Method;
use std::collections::BTreeMap;

/// A browser.
pub(crate) struct Browser<'a> {
    house: &'a TestHouse,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    /// With no cookie.
    pub(crate) fn new(house: &'a TestHouse) -> Self {
        Self {
            house,
            cookies: BTreeMap::new(),
        }
    }

    /// Signed in.
    pub(crate) async fn signed_in(house: &'a TestHouse, name: &str, password: &str) -> Self {
        let mut browser = Self::new(house);
        let answer = browser
            .post("/sign-in", &[("username", name), ("password", password)])
            .await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// Goes on at another house of this machine: browsers keep one set of cookies for a host,
    /// whatever its port.
    pub(crate) const fn visit(&mut self, house: &'a TestHouse) {
        self.house = house;
    }

    /// What the browser sends as `Cookie`.
    pub(crate) fn cookie_header(&self) -> String {
        let pairs = self.cookies.iter().map(|(n, v)| format!("{n}={v}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Drops one cookie.
    pub(crate) fn forget(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    /// Asks for a page.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, false).await
    }

    /// Asks for a page until its markup has a passage.
    pub(crate) async fn wait_for_html(&mut self, path: &str, html: &str) {
        let browser = tokio::sync::Mutex::new(self);
        until(html, || async {
            browser.lock().await.get(path).await.text.contains(html)
        })
        .await;
    }

    /// Asks for a page until people can read a passage on it.
    pub(crate) async fn wait_for_words(&mut self, path: &str, words: &str) {
        let browser = tokio::sync::Mutex::new(self);
        until(words, || async {
            words_of(&browser.lock().await.get(path).await.text).contains(words)
        })
        .await;
    }

    /// Posts fields as they are.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(fields), false).await
    }

    /// Posts fields as the script does.
    pub(crate) async fn fetch(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(fields), true).await
    }

    /// The form token of a page.
    pub(crate) async fn token(&mut self, page: &str) -> String {
        let answer = self.get(page).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        token_of(&answer.text)
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: Option<&[(&str, &str)]>,
        script: bool,
    ) -> Answer {
        let mut request = self
            .house
            .request(method, path)
            .header("accept", if script { "*/*" } else { "text/html" })
            .header("sec-fetch-site", "same-origin");
        if !self.cookies.is_empty() {
            request = request.header("cookie", self.cookie_header());
        }
        if script {
            request = request.header("x-fragment", "1");
        }
        if let Some(fields) = fields {
            request = request.form(fields);
        }
        let answer = read(request.send().await.unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// The first form token of a page.
pub(crate) fn token_of(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

/// What a reader reads of a page: its text without tags, blanks made single.
pub(crate) fn words_of(html: &str) -> String {
    let mut words = String::new();
    let mut tag = false;
    for c in html.chars() {
        match c {
            '<' => tag = true,
            '>' => {
                tag = false;
                words.push(' ');
            }
            c if !tag => words.push(c),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
