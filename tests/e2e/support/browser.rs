//! A real Chromium, driven through WebDriver.

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A browser of one test; both processes end with it.
pub(crate) struct Browser {
    pub(crate) page: Client,
    _driver: Child,
    _profile: TempDir,
}

/// A phone held upright, in CSS pixels.
pub(crate) const PHONE: (u32, u32) = (390, 844);
/// A laptop, in CSS pixels.
pub(crate) const DESKTOP: (u32, u32) = (1280, 900);

impl Browser {
    /// Opens one of that size; with script or without.
    pub(crate) async fn open(size: (u32, u32), script: bool) -> Self {
        let port = super::free_port();
        let profile = super::hub::folder();
        let driver = Command::new("/usr/bin/chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("/usr/bin/chromedriver: {e}; install `chromium-driver`"));
        let capabilities = capabilities(size, profile.path());
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
        if !script {
            forbid_script(&page, &address).await;
        }
        Self {
            page,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Signs in by the page, as a person does.
    pub(crate) async fn sign_in(&self, url: &str, user: &str, password: &str) {
        self.page
            .goto(&format!("{url}/"))
            .await
            .expect("the page opens");
        self.fill("input[name=username]", user).await;
        self.fill("input[name=password]", password).await;
        self.click("main form button").await;
    }

    /// Types into a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap_or_else(|e| panic!("{css}: {e}"));
        field
            .send_keys(text)
            .await
            .unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Clicks.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css)
            .await
            .click()
            .await
            .unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Waits for an element.
    pub(crate) async fn find(&self, css: &str) -> fantoccini::elements::Element {
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

    /// Keeps a picture among the test's artefacts.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let png = self.page.screenshot().await.expect("a picture");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("the picture is kept");
    }

    /// Closes it in good order.
    pub(crate) async fn close(self) {
        // The driver is killed anyway when this fails.
        let _ = self.page.clone().close().await;
    }
}

/// The page's script never arrives, as behind a filter; chromedriver itself needs script, so it
/// cannot be switched off altogether.
async fn forbid_script(page: &Client, driver: &str) {
    let session = page.session_id().await.ok().flatten().expect("a session");
    iothome_tls::install_provider();
    for (command, parameters) in [
        ("Network.enable", serde_json::json!({})),
        (
            "Network.setBlockedURLs",
            serde_json::json!({"urls": ["*.js"]}),
        ),
    ] {
        let answer = reqwest::Client::new()
            .post(format!("{driver}/session/{session}/goog/cdp/execute"))
            .json(&serde_json::json!({"cmd": command, "params": parameters}))
            .send()
            .await
            .expect("chromedriver answers");
        assert!(
            answer.status().is_success(),
            "{command}: {}",
            answer.status()
        );
    }
}

fn capabilities(size: (u32, u32), profile: &Path) -> Capabilities {
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
        format!("--user-data-dir={}", profile.display()),
        format!("--window-size={},{}", size.0, size.1),
    ];
    let options = serde_json::json!({
        "binary": "/usr/bin/chromium",
        "args": arguments,
        "mobileEmulation": {"deviceMetrics": {"width": size.0, "height": size.1, "pixelRatio": 1.0}},
    });
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities
}
