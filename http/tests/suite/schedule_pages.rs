//! The pages of schedules as a browser without script uses them.

use crate::common::browser::{Browser, words_of};
use crate::common::device::{Manner, Switch};
use crate::common::{ADMIN, TestHouse};
use jiff::tz::TimeZone;
use serde_json::json;

pub(crate) const NEW: &str = "/schedules/new";

/// A house whose zone schedules know, and its administrator's token.
pub(crate) async fn in_berlin() -> (TestHouse, String) {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let zone = json!({"zone": "Europe/Berlin"});
    let answer = house.patch("/api/v1/home", &admin, zone).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (house, admin)
}

/// The fields of a schedule that turns the switch on.
pub(crate) fn fields<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("csrf", token),
        ("name", "Morning"),
        ("when", "daily"),
        ("time", "07:00"),
        ("a0_device", "socket"),
        ("a0_what", "power/turn_on"),
    ];
    for (name, value) in more {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all
}

/// The hidden field that marks what a preview has shown.
pub(crate) fn seen(html: &str) -> String {
    let (_, rest) = html
        .split_once("name=\"seen\" value=\"")
        .unwrap_or_else(|| panic!("no preview: {}", words_of(html)));
    rest.split('"').next().unwrap().to_owned()
}

/// Previews and saves; the path of the schedule.
pub(crate) async fn make(browser: &mut Browser<'_>, more: &[(&str, &str)]) -> String {
    let token = browser.token(NEW).await;
    let mut all = fields(&token, more);
    all.push(("do", "preview"));
    let page = browser.post(NEW, &all).await;
    assert_eq!(page.status, 200, "{}", words_of(&page.text));
    let seen = seen(&page.text);
    all.pop();
    all.extend([("seen", seen.as_str()), ("do", "save")]);
    let saved = browser.post(NEW, &all).await;
    assert_eq!(saved.status, 303, "{}", words_of(&saved.text));
    saved.header("location").to_owned()
}

pub(crate) async fn press(
    browser: &mut Browser<'_>,
    path: &str,
    more: &[(&str, &str)],
) -> crate::common::Answer {
    let token = browser.token(NEW).await;
    let mut all = vec![("csrf", token.as_str())];
    all.extend(more);
    browser.post(path, &all).await
}

/// Local date and time of the home so many seconds from now.
fn local_in(seconds: i64) -> (String, String) {
    let now = jiff::Timestamp::now().as_millisecond() / 1000;
    let at = jiff::Timestamp::from_second(now + seconds).unwrap();
    let local = TimeZone::get("Europe/Berlin").unwrap().to_datetime(at);
    (
        local.strftime("%Y-%m-%d").to_string(),
        local.strftime("%H:%M:%S").to_string(),
    )
}

#[tokio::test]
async fn a_daily_schedule_is_previewed_saved_run_by_hand_and_its_history_tells_the_command() {
    let (house, admin) = in_berlin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    browser.wait_for_words("/", "The socket Off reported").await;

    let list = words_of(&browser.get("/schedules").await.text);
    assert!(list.contains("No schedules yet"), "{list}");
    let form = browser.get("/schedules/new?device=socket").await;
    assert!(form.text.contains("name=\"a0_device\" value=\"socket\""));
    assert!(words_of(&form.text).contains("Every day at 07:00"));

    let token = browser.token(NEW).await;
    let mut all = fields(
        &token,
        &[("day_mon", "on"), ("day_tue", "on"), ("day_wed", "on")],
    );
    all.push(("do", "save"));
    let unseen = browser.post(NEW, &all).await;
    assert_eq!(unseen.status, 200, "saved what nobody has seen");
    let words = words_of(&unseen.text);
    assert!(words.contains("Look it over, then save."), "{words}");
    assert!(words.contains("Monday to Wednesday at 07:00"), "{words}");
    assert_eq!(unseen.text.matches("class=\"due-time\"").count(), 10);
    assert!(words.contains("07:00 UTC+0"), "{words}");
    let seen = seen(&unseen.text);
    all.push(("seen", &seen));
    let saved = browser.post(NEW, &all).await;
    assert_eq!(saved.status, 303, "{}", words_of(&saved.text));
    let path = saved.header("location").to_owned();

    let ran = press(&mut browser, &format!("{path}/run"), &[]).await;
    assert_eq!(ran.status, 303, "{}", words_of(&ran.text));
    let page = words_of(&browser.get(&path).await.text);
    assert!(
        page.contains("Ran by hand The socket – Turn on – confirmed in"),
        "{page}"
    );
    assert_eq!(switch.heard(), 1);
    let list = words_of(&browser.get("/schedules").await.text);
    assert!(
        list.contains("Morning") && list.contains("Last Ran"),
        "{list}"
    );
    let device = words_of(&browser.get("/devices/socket").await.text);
    assert!(device.contains("by schedule Morning"), "{device}");
    assert!(device.contains("Monday to Wednesday at 07:00"), "{device}");
    house.stop().await;
}

#[tokio::test]
async fn what_is_due_fires_by_itself_and_shows_in_the_history() {
    let (house, admin) = in_berlin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    browser.wait_for_words("/", "The socket Off reported").await;
    let (date, time) = local_in(4);
    let path = make(
        &mut browser,
        &[("when", "at"), ("date", &date), ("time", &time)],
    )
    .await;
    browser
        .wait_for_words(&path, "Ran The socket – Turn on – confirmed in")
        .await;
    assert_eq!(switch.heard(), 1);
    let page = words_of(&browser.get(&path).await.text);
    assert!(page.contains("Nothing more to come"), "{page}");
    let list = words_of(&browser.get("/schedules").await.text);
    assert!(list.contains(" Done Once, on "), "{list}");
    house.stop().await;
}

#[tokio::test]
async fn a_schedule_is_switched_skipped_duplicated_and_deleted() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let path = make(&mut browser, &[]).await;
    let skipped = press(&mut browser, &format!("{path}/skip"), &[]).await;
    assert_eq!(skipped.status, 303);
    let page = words_of(&browser.get(&path).await.text);
    assert!(page.contains("will be skipped"), "{page}");
    let off = press(
        &mut browser,
        &format!("{path}/switch"),
        &[("enabled", "false"), ("back", "list")],
    )
    .await;
    assert!(
        off.header("location").starts_with("/schedules#"),
        "{}",
        off.text
    );
    let page = browser.get(&path).await;
    assert!(page.text.contains("aria-checked=\"false\""));
    let token = browser.token(NEW).await;
    let card = browser
        .fetch(
            &format!("{path}/switch"),
            &[("csrf", &token), ("enabled", "true")],
        )
        .await;
    assert!(card.text.starts_with("<article"), "{}", card.text);
    assert!(card.text.contains("aria-checked=\"true\""));
    let copy = press(&mut browser, &format!("{path}/duplicate"), &[]).await;
    assert!(copy.header("location").ends_with("/edit"));
    let ask = words_of(&browser.get(&format!("{path}/delete")).await.text);
    assert!(ask.contains("Delete Morning?"), "{ask}");
    let gone = press(&mut browser, &format!("{path}/delete"), &[]).await;
    assert_eq!(gone.header("location"), "/schedules");
    assert_eq!(browser.get(&path).await.status, 404);
    house.stop().await;
}

#[tokio::test]
async fn who_may_only_look_is_offered_nothing_and_refused_everything() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    house.add_switch(&admin, "secret").await;
    let (eve, _) = house.member(&admin, "eve").await;
    house
        .grant(&admin, "socket", &eve, &["view", "control"])
        .await;
    let mut adam = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let path = make(&mut adam, &[]).await;
    let hidden = make(&mut adam, &[("name", "Hidden"), ("a0_device", "secret")]).await;

    let mut eve = Browser::signed_in(&house, "eve", "member's password").await;
    let list = eve.get("/schedules").await;
    let words = words_of(&list.text);
    assert!(
        words.contains("Morning") && !words.contains("Hidden"),
        "{words}"
    );
    assert!(
        !list.text.contains("role=\"switch\""),
        "a switch for who may not"
    );
    assert!(!list.text.contains("href=\"/schedules/new\""));
    assert_eq!(eve.get(&hidden).await.status, 404);
    let page = eve.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("/run\""), "a button for who may not");
    assert_eq!(eve.get(&format!("{path}/edit")).await.status, 403);
    assert_eq!(
        press(&mut eve, &format!("{path}/run"), &[]).await.status,
        403
    );
    assert_eq!(
        press(&mut eve, &format!("{path}/delete"), &[]).await.status,
        403
    );
    assert_eq!(
        press(&mut eve, &format!("{hidden}/run"), &[]).await.status,
        404
    );

    let token = eve.token(NEW).await;
    let mut all = fields(&token, &[("do", "preview")]);
    let preview = eve.post(NEW, &all).await;
    let seen = seen(&preview.text);
    all.retain(|(name, _)| *name != "do");
    all.extend([("do", "save"), ("seen", &seen)]);
    let refused = eve.post(NEW, &all).await;
    assert_eq!(refused.status, 422, "{}", words_of(&refused.text));
    assert!(words_of(&refused.text).contains("You may not schedule this device"));
    let week = words_of(&eve.get("/schedules/week").await.text);
    assert!(
        week.contains("Morning") && !week.contains("Hidden"),
        "{week}"
    );
    house.stop().await;
}

#[tokio::test]
async fn week_and_simulation_tell_what_will_be_and_switch_nothing() {
    let (house, admin) = in_berlin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    make(&mut browser, &[]).await;
    make(
        &mut browser,
        &[("name", "Often"), ("when", "cron"), ("cron", "*/5 * * * *")],
    )
    .await;
    let week = browser.get("/schedules/week").await;
    assert_eq!(week.text.matches("class=\"week-day\"").count(), 7);
    let words = words_of(&week.text);
    assert!(words.contains("07:00 Morning"), "{words}");
    assert!(words.contains("All week long Often"), "{words}");
    let (from, to) = ("2027-03-27T00:00", "2027-03-30T00:00");
    let run = press(
        &mut browser,
        "/schedules/simulate",
        &[("from", from), ("to", to)],
    )
    .await;
    assert_eq!(run.status, 200);
    let words = words_of(&run.text);
    assert!(words.contains("Sun 28 Mar 2027"), "{words}");
    assert!(words.contains("Only the first 500 are shown."), "{words}");
    assert!(
        words.contains("The socket – Turn on → it becomes on"),
        "{words}"
    );
    for (from, to) in [
        (to, from),
        (from, "2029-01-01T00:00"),
        ("soon", to),
        (from, ""),
    ] {
        let bad = press(
            &mut browser,
            "/schedules/simulate",
            &[("from", from), ("to", to)],
        )
        .await;
        assert_eq!(bad.status, 422, "{from} {to}");
    }
    assert_eq!(switch.heard(), 0);
    house.stop().await;
}

/// Posts a form with a file, as a browser does.
async fn import(
    house: &TestHouse,
    browser: &mut Browser<'_>,
    file: &str,
    pasted: &str,
) -> crate::common::Answer {
    let token = browser.token("/schedules/files").await;
    let part = |head: &str, text: &str| {
        format!("--b0undary\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n")
    };
    let body = [
        part("name=\"csrf\"", &token),
        part("name=\"file\"; filename=\"schedules.json\"", file),
        part("name=\"pasted\"", pasted),
        "--b0undary--\r\n".to_owned(),
    ];
    let request = house
        .request(reqwest::Method::POST, "/schedules/import")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", browser.cookie_header())
        .header("content-type", "multipart/form-data; boundary=b0undary")
        .body(body.concat());
    crate::common::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_export_comes_back_and_an_import_with_faults_lists_them_all_and_adds_nothing() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let path = make(&mut browser, &[]).await;
    let file = browser.get("/schedules/export").await;
    assert!(
        file.header("content-disposition")
            .contains("schedules.json")
    );
    assert!(file.text.contains("Morning") && file.text.contains('\n'));
    press(&mut browser, &format!("{path}/delete"), &[]).await;

    let bad = file
        .text
        .replace("0 7 * * *", "0 0 31 2 *")
        .replace("\"socket\"", "\"nothing\"");
    let both = bad.replace(
        "\"schedules\": [",
        &format!("\"schedules\": [{},", {
            let start = file.text.find("[\n").unwrap() + 1;
            &file.text[start..file.text.rfind(']').unwrap()]
        }),
    );
    let refused = import(&house, &mut browser, &both, "").await;
    assert_eq!(refused.status, 422, "{}", words_of(&refused.text));
    assert!(
        refused.text.contains("schedules[1].trigger.expression"),
        "{}",
        words_of(&refused.text)
    );
    let broken = import(&house, &mut browser, "", "{\"version\": 1,").await;
    assert_eq!(broken.status, 422);
    assert!(
        broken.text.contains("{&quot;version&quot;: 1,"),
        "what was pasted was lost"
    );
    let nothing = import(&house, &mut browser, "", " ").await;
    assert_eq!(nothing.status, 422);
    let list = words_of(&browser.get("/schedules").await.text);
    assert!(list.contains("No schedules yet"), "{list}");

    let taken = import(&house, &mut browser, &file.text, "").await;
    assert_eq!(
        taken.header("location"),
        "/schedules?imported=1",
        "{}",
        words_of(&taken.text)
    );
    let list = words_of(&browser.get("/schedules?imported=1").await.text);
    assert!(
        list.contains("Imported: 1") && list.contains("Morning"),
        "{list}"
    );
    house.stop().await;
}
