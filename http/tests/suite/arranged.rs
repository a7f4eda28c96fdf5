//! Rooms, icons, places, favourites and preferences over REST.

use crate::common::{Answer, TestHouse, assert_problem, read};
use reqwest::Method;
use serde_json::{Value, json};

fn rooms(answer: &Answer) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap().clone();
    let line = |room: &Value| format!("{}={}", room["id"].as_str().unwrap(), room["name"]);
    items.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_made_renamed_ordered_and_deleted_with_its_devices() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for id in ["lamp", "fan"] {
        house.add_switch(&admin, id).await;
        let path = format!("/api/v1/devices/{id}");
        let placed = house.patch(&path, &admin, json!({"room": "Hall"})).await;
        assert_eq!(placed.status, 200, "{}", placed.text);
    }
    let body = json!({"name": "Küche", "icon": "pot"});
    let made = house.post("/api/v1/rooms", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("location"), "/api/v1/rooms/kuche");
    let twin = house
        .post("/api/v1/rooms", &admin, json!({"name": "KÜCHE"}))
        .await;
    assert_problem(&twin, 409, "the same name in another case");
    let strange = json!({"name": "Bath", "icon": "unicorn"});
    let strange = house.post("/api/v1/rooms", &admin, strange).await;
    assert_problem(&strange, 422, "no such picture");
    assert_eq!(strange.json()["field"], "icon");

    let path = "/api/v1/rooms/hall";
    let tag = house.get(path, &admin).await.header("etag").to_owned();
    let change = json!({"name": "Entrance", "position": 9, "icon": "door"});
    let changed = house.patch(path, &admin, change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json()["devices"], 2, "they came along");
    let stale = house
        .request(Method::DELETE, path)
        .bearer_auth(&admin)
        .header("if-match", tag);
    let stale = read(stale.send().await.unwrap()).await;
    assert_problem(&stale, 412, "a stale tag");
    let listed = house.get("/api/v1/rooms", &admin).await;
    let order = [
        "kitchen=\"Kitchen\"",
        "kuche=\"Küche\"",
        "hall=\"Entrance\"",
    ];
    assert_eq!(rooms(&listed), order);
    let lamp = house.get("/api/v1/devices/lamp", &admin).await.json();
    assert_eq!(lamp["room"], "Entrance");

    assert_eq!(house.delete(path, &admin).await.status, 204);
    assert_problem(&house.get(path, &admin).await, 404, "gone");
    let lamp = house.get("/api/v1/devices/lamp", &admin).await.json();
    assert_eq!(lamp["room"], Value::Null);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_has_an_icon_and_a_place() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "lamp").await;
    let path = "/api/v1/devices/lamp";
    let change = json!({"room": "Hall", "icon": "bulb", "position": 3});
    let changed = house.patch(path, &admin, change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let told = changed.json();
    assert_eq!(
        (&told["icon"], &told["position"]),
        (&json!("bulb"), &json!(3))
    );
    let moved = house.patch(path, &admin, json!({"room": "Bath"})).await;
    assert_eq!(moved.json()["position"], Value::Null, "new in that room");
    let cleared = house.patch(path, &admin, json!({"icon": null})).await;
    assert_eq!(cleared.json()["icon"], Value::Null);
    for (field, value) in [
        ("icon", json!("unicorn")),
        ("icon", json!(7)),
        ("position", json!(-1)),
        ("position", json!(1e9 as i64)),
    ] {
        let bad = house.patch(path, &admin, json!({field: value})).await;
        assert_problem(&bad, 422, field);
        assert_eq!(bad.json()["field"], field, "{}", bad.text);
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_their_rooms_and_change_none() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for (id, room) in [("lamp", "Hall"), ("safe", "Cellar")] {
        house.add_switch(&admin, id).await;
        let path = format!("/api/v1/devices/{id}");
        house.patch(&path, &admin, json!({"room": room})).await;
    }
    let (eve, token) = house.member(&admin, "eve").await;
    house.grant(&admin, "lamp", &eve, &["view"]).await;
    let listed = house.get("/api/v1/rooms", &token).await;
    assert_eq!(rooms(&listed), ["hall=\"Hall\""]);
    assert_problem(
        &house.get("/api/v1/rooms/cellar", &token).await,
        404,
        "not theirs",
    );
    let body = json!({"name": "Mine"});
    let made = house.post("/api/v1/rooms", &token, body.clone()).await;
    assert_problem(&made, 403, "make");
    let changed = house.patch("/api/v1/rooms/hall", &token, body).await;
    assert_problem(&changed, 403, "change");
    let gone = house.delete("/api/v1/rooms/hall", &token).await;
    assert_problem(&gone, 403, "delete");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_and_preferences_are_ones_own() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for id in ["lamp", "fan", "safe"] {
        house.add_switch(&admin, id).await;
    }
    let (eve, token) = house.member(&admin, "eve").await;
    for id in ["lamp", "fan"] {
        house.grant(&admin, id, &eve, &["view"]).await;
    }
    let path = "/api/v1/me/favourites";
    let set = house
        .put(path, &token, json!({"devices": ["fan", "lamp"]}))
        .await;
    assert_eq!(set.status, 200, "{}", set.text);
    assert_eq!(
        house.get(path, &token).await.json()["devices"],
        json!(["fan", "lamp"])
    );
    assert_eq!(house.get(path, &admin).await.json()["devices"], json!([]));
    for bad in [json!(["safe"]), json!(["lamp", "lamp"]), json!(["No Such"])] {
        let refused = house.put(path, &token, json!({"devices": bad})).await;
        assert_problem(&refused, 422, "not theirs, twice, or none");
    }
    let grant = format!("/api/v1/devices/fan/grants/{eve}");
    assert_eq!(house.delete(&grant, &admin).await.status, 204);
    let left = house.get(path, &token).await;
    assert_eq!(
        left.json()["devices"],
        json!(["lamp"]),
        "no longer theirs to see"
    );

    let path = "/api/v1/me/preferences";
    let none = json!({"language": null, "theme": null});
    assert_eq!(house.get(path, &token).await.json(), none);
    let german = house.patch(path, &token, json!({"language": "de"})).await;
    assert_eq!(german.json(), json!({"language": "de", "theme": null}));
    let dark = house.patch(path, &token, json!({"theme": "dark"})).await;
    assert_eq!(dark.json(), json!({"language": "de", "theme": "dark"}));
    assert_eq!(house.get(path, &admin).await.json(), none);
    for (field, value) in [("language", "xx"), ("theme", "pink")] {
        let bad = house.patch(path, &token, json!({field: value})).await;
        assert_problem(&bad, 422, field);
        assert_eq!(bad.json()["field"], field);
    }
    house.stop().await;
}
