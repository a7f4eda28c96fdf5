//! The log, changed while the hub runs.

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::hub::{Start, folder};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_the_hub_talkative_and_quiet_again_without_a_restart() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let path = "/api/v1/system/log-level";
    let set = async |filter: serde_json::Value| {
        let body = json!({ "filter": filter });
        let (status, told) = api.request(Method::PUT, path, Some(&body)).await;
        assert!(status.is_success(), "{status} {told}");
        told
    };
    let talks = || hub.log().matches("\"DEBUG\"").count() + hub.log().matches("\"TRACE\"").count();
    api.wait_for_broker().await;
    assert_eq!(talks(), 0, "{}", hub.log());
    let told = set(json!("trace")).await;
    assert_eq!(told, json!({"filter": "trace", "until_restart": true}));
    eventually("more is logged", || async {
        api.get("/api/v1/devices").await;
        (talks() > 0).then_some(())
    })
    .await;
    let told = set(json!(null)).await;
    assert_eq!(told["until_restart"], false, "{told}");
    // What was under way may still be written; after that it is quiet.
    let before = std::cell::Cell::new(talks());
    eventually("the log is quiet", || async {
        api.get("/api/v1/devices").await;
        let now = talks();
        (before.replace(now) == now).then_some(())
    })
    .await;
    assert_eq!(hub.stop().await, Some(0));
}
