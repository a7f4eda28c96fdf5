//! Who may do what, seen from the outside.

use crate::embedded::{create, socket};
use crate::support::api::Api;
use crate::support::hub::{Start, folder};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_and_drives_only_what_is_granted_and_loses_it_at_once() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let adam = Api::set_up(&hub).await;
    create(&hub, &adam, socket("Socket")).await;
    let (status, user) = adam
        .post(
            "/api/v1/users",
            json!({"username": "eve", "password": "a long enough word", "role": "member"}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{user}");
    let eve = adam.sign_in("eve", "a long enough word").await;
    let turn_on = || {
        eve.post(
            "/api/v1/devices/socket/entities/power/commands",
            json!({"action": "turn_on"}),
        )
    };

    assert_eq!(eve.get("/api/v1/devices").await.1["items"], json!([]));
    assert_eq!(
        eve.get("/api/v1/devices/socket").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(turn_on().await.0, StatusCode::NOT_FOUND);

    let grant = format!(
        "/api/v1/devices/socket/grants/{}",
        user["id"].as_str().unwrap_or("")
    );
    let (status, body) = adam
        .request(Method::PUT, &grant, Some(&json!({"rights": ["view"]})))
        .await;
    assert!(status.is_success(), "{status} {body}");
    assert_eq!(eve.get("/api/v1/devices/socket").await.0, StatusCode::OK);
    assert_eq!(turn_on().await.0, StatusCode::FORBIDDEN);

    adam.request(
        Method::PUT,
        &grant,
        Some(&json!({"rights": ["view", "control"]})),
    )
    .await;
    assert!(turn_on().await.0.is_success());

    adam.request(Method::DELETE, &grant, None).await;
    assert_eq!(
        eve.get("/api/v1/devices/socket").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        eve.get("/api/v1/users").await.0,
        StatusCode::FORBIDDEN,
        "a member manages nobody"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_out_at_once() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let adam = Api::set_up(&hub).await;
    let (_, user) = adam
        .post(
            "/api/v1/users",
            json!({"username": "eve", "password": "a long enough word", "role": "member"}),
        )
        .await;
    let eve = adam.sign_in("eve", "a long enough word").await;
    assert_eq!(eve.get("/api/v1/devices").await.0, StatusCode::OK);
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap_or(""));
    let (status, body) = adam
        .request(Method::PATCH, &path, Some(&json!({"disabled": true})))
        .await;
    assert!(status.is_success(), "{status} {body}");
    assert_eq!(eve.get("/api/v1/devices").await.0, StatusCode::UNAUTHORIZED);
}
