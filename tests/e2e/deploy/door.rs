//! What the web door promises, before and beside the hub.
//!
//! Owner of the checks of `deploy/nginx` and of the walls between the networks.

use super::house::{BROKER, House, NAME, PLAIN, TLS, ask, base, reaches, reply, source};
use super::stage::{FAR, HOME, NEIGHBOUR, address};
use crate::support::eventually;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

const HSTS: &str = "max-age=31536000";
/// A name such as balena gives a device, in public.
const PUBLIC_URL: &str = "0123456789abcdef0123456789abcdef.balena-devices.com";

/// Plain HTTP leads to HTTPS, and only balena's own way in may do without.
pub(super) async fn sends_everyone_to_https(house: &House) {
    let plain = format!("http://{}:{PLAIN}", address("nginx", "edge"));
    let client = house.visitor(HOME);
    let asked = |host: &str, proto: Option<&str>| {
        let request = client
            .get(format!("{plain}/rooms?x=1"))
            .header("host", host);
        match proto {
            Some(proto) => request.header("x-forwarded-proto", proto),
            None => request,
        }
    };
    for (host, proto) in [
        (NAME, None),
        (NAME, Some("https")),
        (PUBLIC_URL, Some("http")),
    ] {
        let told = reply(asked(host, proto)).await.expect("Nginx answers");
        assert_eq!(told.status, 308, "{host} {proto:?}");
        assert_eq!(told.header("location"), format!("https://{host}/rooms?x=1"));
        assert_eq!(
            told.header("strict-transport-security"),
            "",
            "no TLS, no promise"
        );
    }
    let told = reply(asked(PUBLIC_URL, Some("https")))
        .await
        .expect("Nginx answers");
    assert_ne!(told.status, 308, "TLS ended outside");
    assert_eq!(told.header("strict-transport-security"), HSTS);

    let told = ask(&client, "/sign-in").await.expect("Nginx answers");
    assert_eq!(told.header("strict-transport-security"), HSTS);
    assert!(
        !told.header("content-security-policy").is_empty(),
        "the hub's own headers pass"
    );
    let much = client
        .post(format!("{}/api/v1/setup", base()))
        .body(vec![b'x'; 5_500_000]);
    assert_eq!(reply(much).await.expect("Nginx answers").status, 413);
}

/// TLS 1.2 and 1.3, HTTP/2 for those who know it, and the house's own certificate.
pub(super) async fn speaks_modern_tls_only(house: &House) {
    let ca = house.volume("hub-data").join("tls/ca.pem");
    let ca = rustls::pki_types::CertificateDer::from_pem_file(ca).expect("the authority");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca).expect("a certificate");
    let roots = Arc::new(roots);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        // Nginx may be changing from the first certificate to that with the household's name.
        eventually("a handshake", || async { shakes_hands(&roots, version) }).await;
    }
    let conf = source("deploy/nginx/nginx.conf");
    assert!(
        conf.contains("ssl_protocols TLSv1.2 TLSv1.3;"),
        "and nothing older"
    );
}

fn shakes_hands(
    roots: &Arc<rustls::RootCertStore>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Option<()> {
    let config = rustls::ClientConfig::builder_with_protocol_versions(&[version]);
    let config = config.with_root_certificates(Arc::clone(roots));
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(NAME).expect("a name");
    let mut tls = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut tcp = TcpStream::connect((address("nginx", "edge"), TLS)).expect("Nginx listens");
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).ok()?;
    }
    assert_eq!(tls.protocol_version(), Some(version.version));
    assert_eq!(tls.alpn_protocol(), Some(b"h2".as_slice()), "HTTP/2");
    Some(())
}

/// Set-up is for private addresses, whatever a client claims.
pub(super) async fn lets_only_the_home_network_set_up(house: &House) {
    let far = house.visitor(FAR);
    let claimed = far
        .get(format!("{}/set-up", base()))
        .header("x-forwarded-for", "192.168.77.10");
    let page = reply(claimed).await.expect("Nginx answers");
    assert_eq!(page.status, 403);
    assert!(page.text.contains("home network only"), "{}", page.text);
    let post = far
        .post(format!("{}/api/v1/setup", base()))
        .json(&json!({}));
    let refused = reply(post).await.expect("Nginx answers");
    assert_eq!(refused.status, 403);
    assert_eq!(problem(&refused.text)["code"], "at_home_only");
    let page = ask(&house.visitor(HOME), "/set-up")
        .await
        .expect("Nginx answers");
    assert_eq!(page.status, 200, "{}", page.text);
}

/// The database is for the hub alone, and the hub's plain door for Nginx alone.
pub(super) async fn keeps_networks_apart(house: &House) {
    let database = SocketAddr::new(address("postgres", "data"), 5432);
    let broker = SocketAddr::new(address("mosquitto", "devices"), BROKER);
    let walls = [
        ("nginx", database, false),
        ("mosquitto", database, false),
        ("nginx", broker, false),
        ("hub", database, true),
        ("hub", broker, true),
    ];
    let asked = walls.map(|(from, to, expected)| {
        let asked = tokio::task::spawn_blocking(move || reaches(from, to));
        async move { assert_eq!(asked.await.expect("it ends"), expected, "{from} to {to}") }
    });
    for asked in asked {
        asked.await;
    }
    let from_home = tokio::net::TcpStream::connect(database).await;
    assert!(
        from_home.is_err(),
        "a device or browser does not reach the database"
    );
    let hub = format!("http://{}:8080/", address("hub", "devices"));
    let told = reply(house.visitor(HOME).get(hub))
        .await
        .expect("the hub answers");
    assert_eq!(told.status, 403, "a device is no proxy: {}", told.text);
}

/// The hub's role at the database may do what the hub does, and nothing beside.
pub(super) fn gives_the_database_s_role_the_least(house: &House) {
    let query = "select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls \
                 from pg_roles where rolname = current_user";
    assert_eq!(house.sql(query), "f", "no rights over the server");
    let query = "select string_agg(datname, ',') from pg_database \
                 where has_database_privilege(datname, 'connect') and datallowconn";
    assert_eq!(house.sql(query), "iothome", "no other database");
}

/// Who guesses passwords is slowed by the hub and by Nginx, in words that fit; nobody else is.
pub(super) async fn stops_guessing(house: &House) {
    let guesser = house.visitor(NEIGHBOUR);
    let mut told = Vec::new();
    for n in 0..10 {
        let body = json!({"username": format!("name{n}"), "password": "a guess"});
        let request = guesser
            .post(format!("{}/api/v1/auth/login", base()))
            .json(&body);
        let request = request.header("x-forwarded-for", "10.9.9.9");
        told.push(reply(request).await.expect("an answer"));
    }
    let statuses: Vec<u16> = told.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses[..5], [401; 5], "five a minute");
    assert_eq!(statuses[5..], [429; 5], "then no more");
    let last = told.last().expect("ten answers");
    assert!(
        last.text.contains("from this address"),
        "Nginx itself: {}",
        last.text
    );
    assert_eq!(problem(&last.text)["code"], "too_many_requests");
    assert!(!last.header("retry-after").is_empty());

    let form = [("username", "adam"), ("password", "a guess"), ("csrf", "")];
    let page = guesser.post(format!("{}/sign-in", base())).form(&form);
    let page = reply(page).await.expect("an answer");
    assert_eq!(page.status, 429);
    assert!(page.text.contains("Too many tries"), "{}", page.text);
    assert_eq!(page.header("strict-transport-security"), HSTS);
    let fresh = house
        .visitor(HOME)
        .post(format!("{}/sign-in", base()))
        .form(&form);
    assert_ne!(
        reply(fresh).await.expect("an answer").status,
        429,
        "others are not slowed"
    );

    eventually("the audit names the real address", || async {
        let query =
            "select distinct target from audit where action = 'sign_in_failed' and name = ''";
        (house.sql(query) == NEIGHBOUR.to_string()).then_some(())
    })
    .await;
}

/// While the hub restarts people see a page and programs a problem; then everything goes on.
pub(super) async fn has_a_page_while_the_hub_is_away(house: &mut House) {
    house.hub.kill();
    let client = house.visitor(HOME);
    let get = client.get(format!("{}/", base()));
    let post = client
        .post(format!("{}/devices/x/delete", base()))
        .body("csrf=1");
    for request in [get, post] {
        let page = reply(request).await.expect("Nginx answers");
        assert_eq!(page.status, 503);
        assert!(page.text.contains("the hub is starting"), "{}", page.text);
        assert_eq!(page.header("strict-transport-security"), HSTS);
        assert!(!page.header("retry-after").is_empty());
        let style = style_of(&page.text);
        assert!(
            page.header("content-security-policy").contains(&style),
            "its style is allowed"
        );
    }
    let told = ask(&client, "/api/v1/devices")
        .await
        .expect("Nginx answers");
    assert_eq!(
        (told.status, &problem(&told.text)["code"]),
        (503, &json!("hub_away"))
    );
    house.hub.start();
    house.until_ready().await;
}

/// The hash by which a policy allows the page's one style sheet.
fn style_of(page: &str) -> String {
    let (_, style) = page.split_once("<style>").expect("a style sheet");
    let (style, _) = style.split_once("</style>").expect("its end");
    let hash = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    format!("'sha256-{}'", data_encoding::BASE64.encode(hash.as_ref()))
}

fn problem(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("no problem document ({e}): {text}"))
}
