//! A client of the house, through Nginx, as a browser or a program is one.
//!
//! Owner of what is asked and what must come back. It must never go past the web door.

use super::device::Socket;
use super::engine::Stack;
use super::shell::{answer, patiently, succeeds};
use super::{BALENA_ID, LATER_NAME};
use crate::command::say;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;

const USER: &str = "adam";
const PASSWORD: &str = "correct horse battery";
/// One of the names in the web certificate; it leads to this machine for the test.
const NAME: &str = "iothome";

/// The house, and who we are in it.
pub(super) struct House {
    ca: PathBuf,
    cookies: PathBuf,
    token: RefCell<String>,
    socket: RefCell<(String, String)>,
}

/// A status and what came with it.
struct Answer {
    status: String,
    head: String,
    body: String,
}

impl Answer {
    fn must_be(self, status: &str, what: &str) -> Result<Self, String> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!(
            "{what}: {status} was expected, and {} came: {} {}",
            self.status, self.head, self.body
        ))
    }

    fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.body).map_err(|e| format!("no JSON ({e}): {}", self.body))
    }
}

impl House {
    /// Fetches the house's own authority, as a phone does it, and trusts nothing else after.
    pub(super) fn find(stack: &Stack<'_>) -> Result<Self, String> {
        let ca = stack.folder.join("ca.pem");
        let cookies = stack.folder.join("cookies");
        let _ = std::fs::remove_file(&cookies);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--insecure"]);
        answer(curl.arg("-o").arg(&ca).arg("https://127.0.0.1/ca.crt"))?;
        Ok(Self {
            ca,
            cookies,
            token: RefCell::default(),
            socket: RefCell::default(),
        })
    }

    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--max-time", "30"])
            .args(["--resolve", &format!("{NAME}:443:127.0.0.1")])
            .args(["--resolve", &format!("{LATER_NAME}:443:127.0.0.1")])
            .arg("--cacert")
            .arg(&self.ca);
        curl
    }

    fn ask(curl: &mut Command) -> Result<Answer, String> {
        let said = answer(curl)?.replace('\r', "");
        let (head, body) = said.split_once("\n\n").unwrap_or((said.as_str(), ""));
        let status = head.split_whitespace().nth(1).unwrap_or_default();
        Ok(Answer {
            status: status.to_owned(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    /// A request to REST over HTTPS.
    fn rest(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let mut curl = self.curl();
        curl.args(["--request", method]);
        if !self.token.borrow().is_empty() {
            let bearer = format!("Authorization: Bearer {}", self.token.borrow());
            curl.args(["--header", &bearer]);
        }
        if let Some(body) = body {
            curl.args(["--header", "Content-Type: application/json"])
                .args(["--data", &body.to_string()]);
        }
        Self::ask(curl.arg(format!("https://{NAME}{path}")))
    }

    /// A request as it comes through balena's tunnel: plain, on port 80, under the public name.
    fn by_the_url(path: &str, more: &[&str]) -> Result<Answer, String> {
        let host = format!("Host: {BALENA_ID}.balena-devices.com");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--max-time", "30"])
            .args(["--header", &host])
            .args(more);
        Self::ask(curl.arg(format!("http://127.0.0.1{path}")))
    }

    /// Set-up is refused under the public device URL, and works at home with the code.
    pub(super) fn set_up_is_for_the_home(&self, code: &str) -> Result<(), String> {
        say("== set-up: not under the public device URL; at home, with the code from the logs");
        Self::by_the_url("/set-up", &[])?.must_be("403", "the set-up page by the URL")?;
        let body = json!({"code": code, "home": "Test home", "zone": "Europe/Berlin",
            "username": USER, "password": PASSWORD});
        let text = body.to_string();
        let post = [
            "--header",
            "Content-Type: application/json",
            "--data",
            text.as_str(),
        ];
        Self::by_the_url("/api/v1/setup", &post)?.must_be("403", "set-up by the URL")?;
        self.rest("POST", "/api/v1/setup", Some(&body))?
            .must_be("201", "set-up")?;
        self.sign_in_again()
    }

    /// A new token; those of before a restart hold as well, but this is what people do.
    pub(super) fn sign_in_again(&self) -> Result<(), String> {
        self.token.borrow_mut().clear();
        let body = json!({"username": USER, "password": PASSWORD});
        let answer = self.rest("POST", "/api/v1/auth/login", Some(&body))?;
        let answer = answer.must_be("200", "sign-in")?.json()?;
        let token = answer["access_token"].as_str().unwrap_or_default();
        token.clone_into(&mut self.token.borrow_mut());
        Ok(())
    }

    /// The page's own form, with the cookies that follow from it.
    pub(super) fn sign_in_by_page(&self) -> Result<(), String> {
        say("== sign-in by the page, through Nginx");
        let with_cookies = |curl: &mut Command| {
            curl.arg("--cookie-jar")
                .arg(&self.cookies)
                .arg("--cookie")
                .arg(&self.cookies);
        };
        let mut form = self.curl();
        with_cookies(&mut form);
        form.args(["--header", &format!("Origin: https://{NAME}")])
            .args(["--data-urlencode", &format!("username={USER}")])
            .args(["--data-urlencode", &format!("password={PASSWORD}")])
            .arg(format!("https://{NAME}/sign-in"));
        let answer = Self::ask(&mut form)?.must_be("303", "the form")?;
        if !answer.head.contains("strict-transport-security") {
            return Err(format!("no HSTS: {}", answer.head));
        }
        let mut page = self.curl();
        with_cookies(&mut page);
        let home = Self::ask(page.arg(format!("https://{NAME}/")))?.must_be("200", "home")?;
        if !home.head.starts_with("http/2") {
            return Err(format!("no HTTP/2: {}", home.head));
        }
        Ok(())
    }

    /// TLS ended outside, HTTP on port 80: no redirect without end, secure cookies.
    pub(super) fn the_public_device_url_works(&self) -> Result<(), String> {
        say("== sign-in by the public device URL");
        let https = ["--header", "X-Forwarded-Proto: https"];
        Self::by_the_url("/sign-in", &https)?.must_be("200", "the page by the URL")?;
        let plain = ["--header", "X-Forwarded-Proto: http"];
        let sent = Self::by_the_url("/sign-in", &plain)?.must_be("308", "plain, by the URL")?;
        let there = format!("location: https://{BALENA_ID}.balena-devices.com/sign-in");
        if !sent.head.contains(&there) {
            return Err(format!("sent elsewhere: {}", sent.head));
        }
        let origin = format!("Origin: https://{BALENA_ID}.balena-devices.com");
        let fields = format!("username={USER}&password={PASSWORD}").replace(' ', "+");
        let form = ["--header", origin.as_str(), "--data", fields.as_str()];
        let answer = Self::by_the_url("/sign-in", &form)?.must_be("303", "the form by the URL")?;
        let secure = answer.head.contains("__host-iothome") && answer.head.contains("secure");
        if !secure || answer.head.contains("location: http:") {
            return Err(format!("not as over HTTPS: {}", answer.head));
        }
        Ok(())
    }

    /// Whoever comes plain is sent to HTTPS.
    pub(super) fn plain_http_is_sent_to_https(&self) -> Result<(), String> {
        let mut curl = self.curl();
        let answer = Self::ask(curl.args(["--header", "Host: iothome", "http://127.0.0.1/x?y=1"]))?
            .must_be("308", "plain HTTP")?;
        if answer.head.contains("location: https://iothome/x?y=1") {
            return Ok(());
        }
        Err(format!("sent elsewhere: {}", answer.head))
    }

    /// Makes a device and starts the firmware that belongs to it, with the broker's
    /// fingerprint burnt in.
    pub(super) fn attach_a_socket(&self) -> Result<Socket, String> {
        say("== a device over TLS on 8883, the broker's fingerprint burnt in");
        let body = json!({"name": "Socket", "room": "Workshop", "entities": [
            {"id": "power", "name": "Power", "kind": "switch", "config": {
                "command_topic": "esp8266/socket", "payload_on": "1", "payload_off": "0",
                "state_topic": "esp8266/socket/status",
                "value_template": "{{ value_json.state }}",
                "state_on": "1", "state_off": "0",
                "availability_topic": "esp8266/socket/availability"}}]});
        let made = self.rest("POST", "/api/v1/devices", Some(&body))?;
        let made = made.must_be("201", "a device")?.json()?;
        let word = |name: &str| made["credential"][name].as_str().map(str::to_owned);
        let (Some(user), Some(password)) = (word("username"), word("password")) else {
            return Err(format!("no credential: {made}"));
        };
        let mut socket = Socket::start(&self.fingerprint()?, &user, &password)?;
        *self.socket.borrow_mut() = (user, password);
        socket.wait_for("connected")?;
        patiently("the socket's state is known", 30, || {
            let answer = self.rest("GET", "/api/v1/devices/socket", None).ok()?;
            let entity = answer.json().ok()?["entities"][0].clone();
            (entity["availability"] == "available" || entity["availability"] == "online")
                .then_some(())
        })?;
        Ok(socket)
    }

    /// Makes a device that nothing belongs to.
    pub(super) fn make_a_device(&self, name: &str) -> Result<(), String> {
        let body = json!({"name": name, "room": "Workshop", "entities": []});
        self.rest("POST", "/api/v1/devices", Some(&body))?
            .must_be("201", name)
            .map(drop)
    }

    /// Whether the house has that device.
    pub(super) fn must_know(&self, id: &str, knows: bool) -> Result<(), String> {
        let status = if knows { "200" } else { "404" };
        self.rest("GET", &format!("/api/v1/devices/{id}"), None)?
            .must_be(status, id)
            .map(drop)
    }

    fn fingerprint(&self) -> Result<String, String> {
        let broker = self.rest("GET", "/api/v1/broker", None)?;
        let broker = broker.must_be("200", "the broker")?.json()?;
        let sha256 = broker["sha256"].as_str().map(str::to_owned);
        sha256.ok_or_else(|| format!("no fingerprint: {broker}"))
    }

    /// A command that the device itself confirms.
    pub(super) fn switch(&self, action: &str) -> Result<(), String> {
        let path = "/api/v1/devices/socket/entities/power/commands?wait=20s";
        // The device may have come back a moment ago.
        let ended = patiently(&format!("{action} is confirmed"), 30, || {
            let body = json!({ "action": action });
            let ended = self.rest("POST", path, Some(&body)).ok()?.json().ok()?;
            (ended["status"] == "confirmed").then_some(ended)
        })?;
        say(&format!(
            "   {action}: confirmed in {} ms",
            ended["latency_ms"]
        ));
        Ok(())
    }

    /// The same device with another fingerprint says nothing at all to this broker.
    pub(super) fn a_wrong_fingerprint_is_refused(&self) -> Result<(), String> {
        let (user, password) = self.socket.borrow().clone();
        let mut socket = Socket::start(&"00".repeat(32), &user, &password)?;
        socket.wait_for("refuses")?;
        say("   another fingerprint: the device refuses to talk");
        Ok(())
    }

    /// Whether Nginx shows a certificate of the house for that name.
    pub(super) fn shows_a_certificate_for(&self, name: &str) -> bool {
        let mut curl = self.curl();
        succeeds(curl.arg(format!("https://{name}/health/live")))
    }
}
