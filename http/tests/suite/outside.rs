//! Behind a proxy of the home and behind a public device URL: who may set up, and that
//! everything else works there.

use crate::common::{ADMIN, Answer, TestHouse, assert_problem, read};
use reqwest::Method;
use serde_json::{Value, json};

/// A public device URL; TLS is ended outside.
const OUTSIDE: &str = "0123456789abcdef0123456789abcdef.balena-devices.com";
/// What the proxy of the home knows the browser by when it comes through balena's tunnel.
const TUNNEL: &str = "10.114.101.1";

async fn behind_a_proxy(local_only: bool) -> TestHouse {
    TestHouse::start_with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.names = vec!["hub.local".into(), OUTSIDE.into()];
        config.outside_host = Some(OUTSIDE.into());
        config.setup_local_only = local_only;
        config.setup_code = Some("RIGHT".into());
    })
    .await
}

/// What the proxy passes on.
struct From {
    host: &'static str,
    address: &'static str,
}

const AT_HOME: From = From {
    host: "hub.local",
    address: "192.168.1.20",
};
const BY_THE_URL: From = From {
    host: OUTSIDE,
    address: TUNNEL,
};
const FROM_THE_NET: From = From {
    host: "hub.local",
    address: "203.0.113.9",
};

impl From {
    fn ask(&self, house: &TestHouse, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = house.request(method, path);
        request
            .header("host", self.host)
            .header("x-forwarded-for", self.address)
            .header("x-forwarded-proto", "https")
            .header("accept", "text/html")
    }

    async fn set_up(&self, house: &TestHouse, code: &str) -> Answer {
        let body: Value = json!({"code": code, "home": "Our home", "zone": "Europe/Berlin",
            "username": ADMIN.0, "password": ADMIN.1});
        let request = self.ask(house, Method::POST, "/api/v1/setup");
        read(request.json(&body).send().await.unwrap()).await
    }

    async fn page(&self, house: &TestHouse) -> Answer {
        let request = self.ask(house, Method::GET, "/set-up");
        read(request.send().await.unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_is_for_the_home_network_and_no_refusal_costs_a_try() {
    let house = behind_a_proxy(true).await;
    for from in [BY_THE_URL, FROM_THE_NET] {
        for code in ["WRONG", "RIGHT"] {
            // More often than a code has tries.
            for _ in 0..6 {
                let problem = assert_problem(&from.set_up(&house, code).await, 403, from.host);
                assert_eq!(problem["code"], "not_at_home");
            }
        }
        let page = from.page(&house).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("home network"), "{}", page.text);
        let form = from.ask(&house, Method::POST, "/set-up");
        let form = form.header("origin", format!("https://{}", from.host));
        let answer = read(form.form(&[("code", "RIGHT")]).send().await.unwrap()).await;
        assert_eq!(answer.status, 403, "the form, too");
    }
    assert!(house.store.home().await.unwrap().is_none());
    assert_eq!(AT_HOME.page(&house).await.status, 200);
    assert_eq!(AT_HOME.set_up(&house, "RIGHT").await.status, 201);
    // Afterwards it is the same nothing for everyone.
    assert_problem(&FROM_THE_NET.set_up(&house, "RIGHT").await, 404, "done");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_set_up_to_the_world_still_has_the_code_as_its_lock() {
    let house = behind_a_proxy(false).await;
    assert_eq!(BY_THE_URL.page(&house).await.status, 200);
    let wrong = BY_THE_URL.set_up(&house, "WRONG").await;
    assert_eq!(assert_problem(&wrong, 403, "code")["code"], "wrong_code");
    assert_eq!(BY_THE_URL.set_up(&house, "RIGHT").await.status, 201);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_act_by_the_public_device_url() {
    let house = behind_a_proxy(true).await;
    house.set_up().await;
    let origin = format!("https://{OUTSIDE}");
    let sign_in = |origin: &str| {
        let request = BY_THE_URL.ask(&house, Method::POST, "/sign-in");
        let request = request.header("origin", origin);
        let form = request.form(&[("username", ADMIN.0), ("password", ADMIN.1)]);
        async { read(form.send().await.unwrap()).await }
    };
    assert_eq!(sign_in("https://evil.example").await.status, 403);
    assert_eq!(sign_in(&format!("http://{OUTSIDE}")).await.status, 403);
    let answer = sign_in(&origin).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert!(
        answer.header("location").starts_with('/'),
        "no other scheme or host"
    );
    let cookies: Vec<&str> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(!cookies.is_empty());
    for cookie in &cookies {
        assert!(
            cookie.starts_with("__Host-") && cookie.contains("Secure"),
            "{cookie}"
        );
    }
    let jar: Vec<&str> = cookies.iter().filter_map(|c| c.split(';').next()).collect();
    let home = BY_THE_URL.ask(&house, Method::GET, "/");
    let home = read(home.header("cookie", jar.join("; ")).send().await.unwrap()).await;
    assert_eq!(home.status, 200, "{}", home.text);
    assert_ne!(home.header("strict-transport-security"), "");
    let live = BY_THE_URL.ask(&house, Method::GET, "/live?view=home");
    let live = live.header("cookie", jar.join("; ")).send().await.unwrap();
    assert_eq!(live.status(), 200, "live events, too");
    drop(live);
    house.stop().await;
}
