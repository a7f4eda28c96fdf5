//! What holds for every route: who may knock, hosts, origins, headers.

use crate::common::{TestHouse, assert_problem, read};
use reqwest::Method;

/// The only API routes that anyone may use. A new one must be added here on purpose.
const OPEN: [(&str, &str); 6] = [
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/ca.crt"),
    ("POST", "/api/v1/setup"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
];

fn concrete(path: &str) -> String {
    let mut concrete = String::new();
    for (place, segment) in path.split('/').enumerate() {
        if place > 0 {
            concrete.push('/');
        }
        concrete.push_str(if segment.starts_with('{') {
            "x"
        } else {
            segment
        });
    }
    concrete
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_but_the_few_open_ones_needs_a_signed_in_user() {
    let house = TestHouse::start().await;
    let table = iothome_http::route_table();
    assert!(table.len() > 40, "the table is whole");
    for (method, path, access) in table {
        let is_page = !path.starts_with("/api") && !path.starts_with("/metrics");
        if access == "open" {
            let listed = OPEN.contains(&(method.as_str(), path));
            let known_page = [
                "/sign-in",
                "/set-up",
                "/setup",
                "/assets",
                "/manifest",
                "/favicon",
            ]
            .iter()
            .any(|start| path.starts_with(start));
            assert!(listed || (is_page && known_page), "{method} {path} is open");
            continue;
        }
        for token in [None, Some("forged.access.token")] {
            let method: Method = method.parse().unwrap();
            let mut request = house.request(method.clone(), &concrete(path));
            // A scraper on this machine may read the metrics: be one from elsewhere.
            request = request.header("x-forwarded-for", "192.0.2.1");
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = read(request.send().await.unwrap()).await;
            assert_eq!(answer.status, 401, "{method} {path} with {token:?}");
            if !is_page && !path.starts_with("/api/docs") {
                assert_problem(&answer, 401, path);
            }
        }
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_the_ca_are_there_for_anyone() {
    let house = TestHouse::start().await;
    let get = |path: &'static str| house.send(Method::GET, path, None, None);
    assert_eq!(get("/health/live").await.status, 200);
    crate::common::until("ready", || async {
        get("/health/ready").await.status == 200
    })
    .await;
    let ready = get("/health/ready").await.json();
    assert_eq!(
        (&ready["database"], &ready["broker"]),
        (&true.into(), &true.into())
    );
    let ca = get("/ca.crt").await;
    assert_eq!(ca.header("content-type"), "application/x-x509-ca-cert");
    assert!(ca.text.starts_with("-----BEGIN CERTIFICATE-----"));
    let head = house.send(Method::HEAD, "/health/live", None, None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strange_host_and_a_strange_origin_are_turned_away() {
    let house = TestHouse::start_with(|config| {
        config.names = vec!["hub.local".into()];
        config.public_url = Some("https://home.example.org".into());
    })
    .await;
    let ask = |method: Method, headers: &[(&str, &str)]| {
        let mut request = house.request(method, "/api/v1/auth/login");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async { read(request.send().await.unwrap()).await }
    };
    let strange = ask(Method::POST, &[("host", "evil.example")]).await;
    assert_problem(&strange, 421, "a rebound name");
    for host in ["hub.local", "home.example.org", "localhost:8080"] {
        assert_eq!(
            ask(Method::POST, &[("host", host)]).await.status,
            415,
            "{host}"
        );
    }
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
    ] {
        let answer = ask(Method::POST, &headers).await;
        let problem = assert_problem(&answer, 403, headers[0].1);
        assert_eq!(problem["code"], "cross_site");
    }
    for origin in [house.url.as_str(), "https://home.example.org"] {
        let answer = ask(Method::POST, &[("origin", origin)]).await;
        assert_eq!(answer.status, 415, "{origin}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers_and_a_request_id() {
    let house = TestHouse::start().await;
    for path in [
        "/health/live",
        "/api/v1/devices",
        "/api/nothing",
        "/nothing",
    ] {
        let answer = house.send(Method::GET, path, None, None).await;
        let csp = answer.header("content-security-policy");
        assert!(csp.starts_with("default-src 'none'"), "{path}: {csp}");
        assert!(!csp.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "not on HTTP"
        );
        assert!(answer.header("x-request-id").len() >= 32, "{path}");
        assert_eq!(answer.header("server"), "");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_document_and_its_page_come_from_the_hub_alone() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let document = house.get("/api/v1/openapi.json", &admin).await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let small = house
        .request(Method::GET, "/api/v1/openapi.json")
        .bearer_auth(&admin)
        .header("accept-encoding", "gzip");
    let small = small.send().await.unwrap();
    assert_eq!(small.headers().get("content-encoding").unwrap(), "gzip");
    let page = house.get("/api/docs/", &admin).await;
    assert_eq!(page.status, 200);
    assert!(
        !page.text.contains("https://") && !page.text.contains("<script>"),
        "{}",
        page.text
    );
    let csp = page.header("content-security-policy");
    assert!(csp.contains("script-src 'self'") && csp.contains("style-src 'self' 'unsafe-inline'"));
    for asset in [
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "swagger-initializer.js",
    ] {
        let path = format!("/api/docs/{asset}");
        assert_eq!(house.get(&path, &admin).await.status, 200, "{asset}");
    }
    let missing = house.get("/api/docs/../../etc/passwd", &admin).await;
    assert_eq!(missing.status, 404);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_beyond_loopback_is_answered_for_trusted_proxies_alone() {
    let house = TestHouse::start_with(|config| {
        config.http = Some("0.0.0.0:0".parse().unwrap());
        config.trusted_proxies = vec!["10.9.8.0/24".parse().unwrap()];
    })
    .await;
    let stranger = house.send(Method::GET, "/api/v1/devices", None, None).await;
    assert_problem(&stranger, 403, "a stranger");
    let health = house.send(Method::GET, "/health/live", None, None).await;
    assert_eq!(health.status, 200, "a container's own health check");
    house.stop().await;
    let house = TestHouse::start_with(|config| {
        config.http = Some("0.0.0.0:0".parse().unwrap());
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let request = house
        .request(Method::GET, "/health/live")
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-forwarded-proto", "https");
    let answer = read(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("strict-transport-security")
            .contains("max-age")
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine_a_token_or_a_user() {
    let house =
        TestHouse::start_with(|config| config.metrics_token = Some("scrape me".into())).await;
    house.set_up().await;
    let ask = |forwarded: bool, token: &str| {
        let mut request = house.request(Method::GET, "/metrics");
        if forwarded {
            request = request.header("x-forwarded-for", "192.0.2.1");
        }
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        async { request.send().await.unwrap().status().as_u16() }
    };
    // This house collects none: 404 says that the door was open.
    assert_eq!(ask(false, "").await, 404);
    assert_eq!(ask(true, "").await, 401);
    assert_eq!(ask(true, "scrape us").await, 401);
    assert_eq!(ask(true, "scrape me").await, 404);
    let admin = house.admin().await;
    assert_eq!(ask(true, &admin).await, 404);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_hub_says_so() {
    let config = iothome_http::WebConfig {
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..iothome_http::WebConfig::default()
    };
    iothome_tls::install_provider();
    let web = iothome_http::serve_standby(&config).await.unwrap();
    let url = format!("http://{}", web.http.unwrap());
    let get = |path: &str| reqwest::Client::new().get(format!("{url}{path}")).send();
    assert_eq!(get("/health/live").await.unwrap().status(), 200);
    let ready = read(get("/health/ready").await.unwrap()).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["status"], "standby");
    let other = read(get("/api/v1/devices").await.unwrap()).await;
    assert_problem(&other, 503, "anything else");
    web.stop().await;
    assert!(
        get("/health/live").await.is_err(),
        "the address is free again"
    );
}
