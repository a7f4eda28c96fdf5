//! A real Chromium, driven through WebDriver and, where that has no word for it, by its own protocol.

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A browser of one test; both processes end with it.
pub(crate) struct Browser {
    pub(crate) page: Client,
    /// The driver's address of this session.
    session: String,
    http: reqwest::Client,
    _driver: Child,
    _profile: TempDir,
}

/// Width and height in CSS pixels.
pub(crate) type Size = (u32, u32);

/// A phone held upright.
pub(crate) const PHONE: Size = (390, 844);
/// A laptop.
pub(crate) const DESKTOP: Size = (1280, 900);

/// What the browser asks the page to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// As style sheets and the names of pictures say it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A key that is pressed wherever the focus is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Tab,
    Enter,
}

impl Browser {
    /// Opens one of that size that runs scripts.
    pub(crate) async fn open(size: Size) -> Self {
        Self::launch(size, true).await
    }

    /// Opens one in which script is switched off.
    pub(crate) async fn without_script(size: Size) -> Self {
        Self::launch(size, false).await
    }

    async fn launch(size: Size, script: bool) -> Self {
        iothome_tls::install_provider();
        let port = super::free_port();
        let profile = super::hub::folder();
        let driver = Command::new("/usr/bin/chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("/usr/bin/chromedriver: {e}; install `chromium-driver`"));
        let capabilities = capabilities(size, profile.path(), script);
        let address = format!("http://127.0.0.1:{port}");
        let page = super::eventually("chromedriver answers", || {
            let (capabilities, address) = (capabilities.clone(), address.clone());
            async move {
                let connector = hyper_util::client::legacy::connect::HttpConnector::new();
                ClientBuilder::new(connector)
                    .capabilities(capabilities)
                    .connect(&address)
                    .await
                    .ok()
            }
        })
        .await;
        let id = page.session_id().await.ok().flatten().expect("a session");
        let browser = Self {
            page,
            session: format!("{address}/session/{id}"),
            http: reqwest::Client::new(),
            _driver: driver,
            _profile: profile,
        };
        if !script {
            // Pages run none; what the driver asks of a page still works.
            let off = json!({"value": true});
            browser
                .cdp("Emulation.setScriptExecutionDisabled", off)
                .await;
        }
        browser
    }

    /// Opens an address.
    pub(crate) async fn goto(&self, url: &str) {
        let opened = self.page.goto(url).await;
        opened.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    /// Signs in by the page, as a person does, and waits for what comes after.
    pub(crate) async fn sign_in(&self, url: &str, user: &str, password: &str) {
        self.goto(&format!("{url}/")).await;
        self.fill("input[name=username]", user).await;
        self.fill("input[name=password]", password).await;
        self.click("main form button:not([type=button])").await;
        self.find("#nav").await;
    }

    /// Types into a field in place of what stands in it, as a person does: all of it is marked first.
    ///
    /// The driver's own way to clear a field takes the focus away in between.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        const CONTROL: &str = "\u{e009}";
        const RELEASE: &str = "\u{e000}";
        const DELETE: &str = "\u{e017}";
        let text = if text.is_empty() { DELETE } else { text };
        self.press(css, &format!("{CONTROL}a{RELEASE}{text}")).await;
    }

    /// Sends keys to an element.
    pub(crate) async fn press(&self, css: &str, keys: &str) {
        let sent = self.find(css).await.send_keys(keys).await;
        sent.unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn key(&self, key: Key) {
        let (name, code, text) = match key {
            Key::Tab => ("Tab", 9, ""),
            Key::Enter => ("Enter", 13, "\r"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": name, "code": name, "text": text,
                               "windowsVirtualKeyCode": code});
            self.cdp("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Chooses what a list of options offers, by its value.
    pub(crate) async fn choose(&self, css: &str, value: &str) {
        let chosen = self.find(css).await.select_by_value(value).await;
        chosen.unwrap_or_else(|e| panic!("{css}: {value}: {e}"));
    }

    /// Clicks, with the element in the middle of the window as a person would have it.
    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await;
        let argument = serde_json::to_value(&element).expect("an element is JSON");
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        let shown = self.page.execute(script, vec![argument]).await;
        shown.unwrap_or_else(|e| panic!("{css}: {e}"));
        let clicked = element.click().await;
        clicked.unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Waits for an element.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self
            .page
            .wait()
            .at_most(super::PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(e) => panic!(
                "no {css}: {e}\n{}",
                self.page.source().await.unwrap_or_default()
            ),
        }
    }

    /// The visible text of an element; empty while there is none.
    pub(crate) async fn text(&self, css: &str) -> String {
        match self.page.find(Locator::Css(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until an element's visible text holds the words, whatever their case.
    pub(crate) async fn wait_for_text(&self, css: &str, words: &str) {
        let words = words.to_lowercase();
        let seen = std::cell::RefCell::new(String::new());
        let says = super::within_patience(|| async {
            let text = self.text(css).await.to_lowercase();
            let spaced = |text: &str| {
                let apart = text.split(|c: char| !c.is_alphanumeric());
                let words: Vec<&str> = apart.filter(|w| !w.is_empty()).collect();
                format!(" {} ", words.join(" "))
            };
            let found = spaced(&text).contains(&spaced(&words));
            seen.replace(text);
            found.then_some(())
        })
        .await;
        if says.is_none() {
            let address = self.page.current_url().await;
            panic!("{css} never says {words}: {:?} at {address:?}", seen.take());
        }
    }

    /// Waits until there is no such element.
    pub(crate) async fn wait_until_gone(&self, css: &str) {
        super::eventually(&format!("{css} is gone"), || async {
            let found = self.page.find_all(Locator::Css(css)).await.ok()?;
            found.is_empty().then_some(())
        })
        .await;
    }

    /// Runs the body of a function in the page.
    pub(crate) async fn run(&self, body: &str) -> Value {
        let answer = self.page.execute(body, vec![]).await;
        answer.unwrap_or_else(|e| panic!("{body}: {e}"))
    }

    /// Runs the body of a function that calls its last argument with the answer.
    pub(crate) async fn run_async(&self, body: &str, arguments: Vec<Value>) -> Value {
        let answer = self.page.execute_async(body, arguments).await;
        answer.unwrap_or_else(|e| panic!("{}: {e}", body.chars().take(300).collect::<String>()))
    }

    /// Shows the page anew in that size and theme, without loading it again.
    pub(crate) async fn look(&self, size: Size, theme: Theme) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": size.0, "height": size.1, "deviceScaleFactor": 1, "mobile": size.0 < 600}),
        )
        .await;
        // Without motion: a colour on its way from one theme to the other is neither's.
        let features = json!([{"name": "prefers-color-scheme", "value": theme.word()},
                              {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.cdp("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.ask_driver(
            "goog/cdp/execute",
            json!({"cmd": command, "params": parameters}),
        )
        .await
    }

    /// What the browser complained of since it was asked last: policy, script, missing files.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let lines = self.ask_driver("se/log", json!({"type": "browser"})).await;
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    async fn ask_driver(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/{path}", self.session));
        let answer = request.json(&body).send().await;
        let answer = answer.expect("chromedriver answers");
        let status = answer.status();
        let told: Value = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{path} {body}: {status} {told}");
        told["value"].clone()
    }

    /// Keeps a picture of what is in view among the tests' artefacts.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = target().join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let png = self.page.screenshot().await.expect("a picture");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("the picture is kept");
    }

    /// Marks the loaded document; a reload wipes the mark out.
    pub(crate) async fn mark(&self) {
        self.run("window.stayed = true").await;
    }

    /// Whether the page was never loaded again since it was marked.
    pub(crate) async fn stayed(&self) -> bool {
        self.run("return window.stayed === true").await == json!(true)
    }

    /// Closes it in good order.
    pub(crate) async fn close(self) {
        // The driver is killed anyway when this fails.
        let _ = self.page.clone().close().await;
    }
}

/// The folder of everything that is built or fetched.
pub(crate) fn target() -> PathBuf {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"));
    own.parent().expect("cargo puts it into target").to_owned()
}

fn capabilities(size: Size, profile: &Path, script: bool) -> Capabilities {
    // A tap is a finger on a phone; the driver cannot tap where no script runs, and clicks.
    let touch = script && size.0 < DESKTOP.0;
    let arguments = [
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--lang=en-GB".to_owned(),
        format!("--user-data-dir={}", profile.display()),
        format!("--window-size={},{}", size.0, size.1),
    ];
    let options = json!({
        "binary": "/usr/bin/chromium",
        "args": arguments,
        "prefs": {"intl.accept_languages": "en-GB,en"},
        "mobileEmulation": {"deviceMetrics": {"width": size.0, "height": size.1, "pixelRatio": 1.0, "touch": touch}},
    });
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    let logs = json!({"browser": "SEVERE"});
    capabilities.insert("goog:loggingPrefs".to_owned(), logs);
    capabilities
}
