//! Every page of the route table in every look: judged by axe-core and by the house's own measure,
//! and kept as pictures in `target/screenshots`.

use super::scenes::{self, House};
use super::schedules;
use crate::support::axe;
use crate::support::browser::{Browser, DESKTOP, Key, PHONE, Size, Theme};
use crate::support::hub::{Start, folder};
use crate::support::{eventually, tell};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Routes that are no page by what they are: what answers with something else than HTML is none.
const NO_PAGES: [&str; 2] = ["/assets/{file}", "/live"];

/// Taller than this, a picture shows more of the same.
const PICTURE_HEIGHT_MAX: u32 = 3_000;

/// What an address answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Page,
    /// A file, say.
    NoPage,
    /// This house has none now.
    NotHere,
}

/// Looks at pages, notes what is wrong with them and goes on.
struct Judge<'a> {
    browser: &'a Browser,
    scene: &'static str,
    /// Templates of the route table that were shown.
    shown: BTreeSet<&'static str>,
    faults: Vec<String>,
    /// Milliseconds until something was seen, of every page.
    visible_ms: Vec<u64>,
}

impl<'a> Judge<'a> {
    fn new(browser: &'a Browser, scene: &'static str) -> Self {
        Self {
            browser,
            scene,
            shown: BTreeSet::new(),
            faults: Vec::new(),
            visible_ms: Vec::new(),
        }
    }

    /// One page at both sizes in both themes.
    async fn page(&mut self, name: &str, url: &str) {
        let browser = self.browser;
        for size in [PHONE, DESKTOP] {
            browser.look(size, Theme::Light).await;
            browser.goto(url).await;
            let told = browser.run_async(MEASURE, vec![]).await;
            self.visible_ms.extend(told["visible_ms"].as_u64());
            if told["shift"] != json!(0) {
                self.fault(
                    name,
                    size.0,
                    "moves while it loads",
                    &told["moved"].to_string(),
                );
            }
            for theme in Theme::ALL {
                unroll(browser, size, theme).await;
                for fault in axe::faults(browser).await {
                    self.fault(name, size.0, theme.word(), &fault);
                }
                let picture = format!("{}-{name}-{}-{}", self.scene, size.0, theme.word());
                browser.picture(&picture).await;
            }
        }
        for complaint in browser.complaints().await {
            self.fault(name, 0, "the browser complains", &complaint);
        }
    }

    fn fault(&mut self, page: &str, width: u32, look: &str, what: &str) {
        let scene = self.scene;
        self.faults
            .push(format!("{scene}, {page}, {width} px, {look}: {what}"));
    }

    /// Every page of the route table that this house has now.
    async fn all(&mut self, house: &House, places: &Places) {
        for template in page_templates() {
            for (name, path) in places.addresses(template) {
                let answer = self.ask(&path).await;
                if answer != Answer::NotHere {
                    self.shown.insert(template);
                }
                if answer == Answer::Page {
                    let url = format!("{}{path}", house.hub.url());
                    self.page(&name, &url).await;
                }
            }
        }
    }

    async fn ask(&self, path: &str) -> Answer {
        let ask = "
            const [path, done] = arguments, gone = new AbortController();
            fetch(path, { redirect: 'manual', signal: gone.signal, headers: { Accept: 'text/html' } }).then((answer) => {
                done([answer.type, answer.status, answer.headers.get('content-type')]);
                gone.abort();
            });";
        let told = self.browser.run_async(ask, vec![json!(path)]).await;
        if told[0] == "opaqueredirect" {
            return Answer::NotHere;
        }
        if told[1] == 404 {
            // The browser complains of what we only asked, and not always at once.
            eventually("a complaint of what is not there", || async {
                let complaints = self.browser.complaints().await;
                complaints.iter().any(|c| c.contains(path)).then_some(())
            })
            .await;
            return Answer::NotHere;
        }
        assert_eq!(told[1], 200, "{path}: {told}");
        match told[2].as_str() {
            Some(kind) if kind.starts_with("text/html") => Answer::Page,
            _ => Answer::NoPage,
        }
    }

    /// Says how soon pages were seen, and fails with everything that was wrong with them.
    fn verdict(self) {
        let Self {
            faults,
            mut visible_ms,
            scene,
            ..
        } = self;
        visible_ms.sort_unstable();
        let at = |n: usize| visible_ms.get(n).copied().unwrap_or_default();
        let (count, middle) = (visible_ms.len(), at(visible_ms.len() / 2));
        let most = at(count.saturating_sub(1));
        tell(&format!(
            "Pages, {scene}: visible after {middle} ms, at most {most} ms ({count} looks)"
        ));
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
}

/// How long until something was seen, and how much of it moved; what follows the first paint within
/// a moment counts.
const MEASURE: &str = "
    const done = arguments[arguments.length - 1], moved = [];
    let shift = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (entry.hadRecentInput) continue;
            shift += entry.value;
            moved.push(...entry.sources.map((s) => s.node && (s.node.id || s.node.className || s.node.nodeName)));
        }
    }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => {
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        done({ shift, moved, visible_ms: paint && Math.round(paint.startTime) });
    }, 300);";

/// Makes the window as high as the page, up to a limit, and everything in it laid out.
///
/// Cards far below the window are laid out only when somebody comes near them; they are judged as
/// they are then.
async fn unroll(browser: &Browser, size: Size, theme: Theme) {
    browser
        .run(
            "if (window.unrolled) return;
            window.unrolled = true;
            for (const sheet of document.styleSheets)
                sheet.insertRule('.card { content-visibility: visible !important }', sheet.cssRules.length);",
        )
        .await;
    browser.look(size, theme).await;
    let height = browser
        .run("return document.documentElement.scrollHeight")
        .await;
    let height = u32::try_from(height.as_u64().unwrap_or_default()).unwrap_or(u32::MAX);
    let height = height.clamp(size.1, PICTURE_HEIGHT_MAX);
    browser.look((size.0, height), theme).await;
}

/// What a browser can be sent to, from the route table itself: a new page cannot be forgotten.
fn page_templates() -> Vec<&'static str> {
    let table = iothome_http::route_table();
    let pages = table.into_iter().filter(|(method, path, access)| {
        method == "GET"
            && matches!(*access, "open" | "cookie")
            && !path.starts_with("/api/")
            && !path.starts_with("/health/")
            && !NO_PAGES.contains(path)
    });
    pages.map(|(_, path, _)| path).collect()
}

/// What stands for the parameters of addresses in a house.
struct Places {
    /// A device that announced itself, if there is one.
    device: String,
    /// One that was made by hand.
    by_hand: String,
    /// An entity of the one made by hand.
    entity: String,
    /// A broker user of a bridge.
    credential: String,
    /// Somebody.
    user: String,
    /// A room.
    room: String,
    /// A schedule.
    schedule: String,
}

impl Places {
    async fn of(browser: &Browser, house: &House, device: &str, by_hand: &str) -> Self {
        let api = &house.api;
        let (_, found) = api.get(&format!("/api/v1/devices/{by_hand}")).await;
        let entity = found["entities"][0]["id"].as_str().unwrap_or_default();
        let bridge = json!({"name": "Bridge", "device": null,
                            "topics": [{"filter": "zigbee2mqtt/#", "access": "write"}]});
        let (_, bridge) = api.post("/api/v1/broker/credentials", bridge).await;
        let eve = json!({"username": "eve", "password": "a long enough word", "role": "member"});
        let (_, eve) = api.post("/api/v1/users", eve).await;
        let (_, rooms) = api.get("/api/v1/rooms").await;
        let id = |made: &Value| made["id"].as_str().unwrap_or_default().to_owned();
        Self {
            device: device.to_owned(),
            by_hand: by_hand.to_owned(),
            entity: entity.to_owned(),
            credential: id(&bridge),
            user: id(&eve),
            room: id(&rooms["items"][0]),
            schedule: schedules::make(browser, house, by_hand).await,
        }
    }

    /// Name and path of everything that the template leads to.
    fn addresses(&self, template: &str) -> Vec<(String, String)> {
        // Only what was made by hand has these.
        let by_hand = ["entit", "/credential"]
            .iter()
            .any(|word| template.contains(word));
        let device = if by_hand { &self.by_hand } else { &self.device };
        let path = template
            .replace(
                "/broker/credentials/{id}",
                &format!("/broker/credentials/{}", self.credential),
            )
            .replace("{device}", device)
            .replace("{entity}", &self.entity)
            .replace("{room}", &self.room)
            .replace("/schedules/{id}", &format!("/schedules/{}", self.schedule))
            .replace("/people/{id}", &format!("/people/{}", self.user));
        assert!(!path.contains('{'), "how does one get to {template}?");
        let name = name_of(template);
        let queries: &[&str] = match template {
            "/devices/{device}/add-entity" => {
                &["kind=switch", "kind=light", "kind=cover", "kind=sensor"]
            }
            _ => &[],
        };
        if queries.is_empty() {
            return vec![(name, path)];
        }
        let each = queries.iter().map(|query| {
            let word = query.split('=').next_back().unwrap_or_default();
            (format!("{name}-{word}"), format!("{path}?{query}"))
        });
        each.collect()
    }
}

fn name_of(template: &str) -> String {
    let words = template.split(['/', '{', '}']).filter(|w| !w.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    if name.is_empty() { "home".into() } else { name }
}

async fn signed_in(house: &House) -> Browser {
    let browser = Browser::open(PHONE).await;
    browser
        .sign_in(house.hub.url(), &house.user, &house.password)
        .await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_typical_house_is_without_fault() {
    let mut shown = signed_out_pages().await;
    let house = scenes::typical().await;
    let browser = signed_in(&house).await;
    let mut judge = Judge::new(&browser, "typical");
    let places = Places::of(&browser, &house, "fridge", "esp8266").await;
    judge.all(&house, &places).await;
    for device in [
        "thermostat",
        "lamp",
        "blind",
        "washer",
        "front-door",
        "outdoor",
    ] {
        let url = format!("{}/devices/{device}", house.hub.url());
        judge.page(&format!("devices-{device}"), &url).await;
    }
    shown.append(&mut judge.shown);
    judge.verdict();
    let every: BTreeSet<&str> = page_templates().into_iter().collect();
    let missed: Vec<_> = every.difference(&shown).collect();
    assert!(missed.is_empty(), "never shown: {missed:?}");
    browser.close().await;
}

/// What a stranger sees: set-up, sign-in and errors.
async fn signed_out_pages() -> BTreeSet<&'static str> {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let browser = Browser::open(PHONE).await;
    let mut judge = Judge::new(&browser, "first");
    judge.page("set-up", &format!("{}/set-up", hub.url())).await;
    crate::support::api::Api::set_up(&hub).await;
    judge
        .page("sign-in", &format!("{}/sign-in", hub.url()))
        .await;
    judge.verdict();
    let mut judge = Judge::new(&browser, "first");
    judge
        .page("nothing-here", &format!("{}/nothing-here", hub.url()))
        .await;
    // That it is not found is the point.
    judge.faults.retain(|fault| !fault.contains("404"));
    judge.verdict();
    browser.close().await;
    BTreeSet::from(["/set-up", "/sign-in"])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_an_empty_house_is_without_fault() {
    let house = scenes::empty().await;
    let browser = signed_in(&house).await;
    let bare = json!({"id": "bare", "name": "Bare", "entities": []});
    let (status, made) = house.api.post("/api/v1/devices", bare).await;
    assert!(status.is_success(), "{made}");
    let mut judge = Judge::new(&browser, "bare");
    judge
        .page("device", &format!("{}/devices/bare", house.hub.url()))
        .await;
    judge.verdict();
    // A page whose device goes away asks for it once more.
    browser.goto(house.hub.url()).await;
    house.api.delete("/api/v1/devices/bare").await;
    let mut judge = Judge::new(&browser, "empty");
    for template in page_templates() {
        if !template.contains('{') && judge.ask(template).await == Answer::Page {
            let url = format!("{}{template}", house.hub.url());
            judge.page(&name_of(template), &url).await;
        }
    }
    judge.verdict();
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_crowded_house_is_without_fault_and_so_when_everything_is_away() {
    let house = scenes::crowded().await;
    let browser = signed_in(&house).await;
    let mut judge = Judge::new(&browser, "crowded");
    let mut places = Places::of(&browser, &house, "crowd-3", "crowd-8").await;
    judge.all(&house, &places).await;
    house.everything_goes_away().await;
    judge.scene = "away";
    "crowd-0".clone_into(&mut places.device);
    judge.all(&house, &places).await;
    judge.verdict();
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_by_keyboard_with_a_focus_that_is_seen() {
    let house = scenes::typical().await;
    let browser = signed_in(&house).await;
    for path in ["/", "/devices/thermostat", "/new-devices"] {
        browser.goto(&format!("{}{path}", house.hub.url())).await;
        let mut missed = reachable(&browser).await;
        let count = missed.len();
        for _ in 0..count + 10 {
            browser.key(Key::Tab).await;
            let told = browser.run(FOCUSED).await;
            assert!(
                told["seen"] != false && told["covered"] != true,
                "{path}: focus cannot be seen: {told}"
            );
            missed.retain(|n| *n != told["n"]);
        }
        assert!(
            count > 5 && missed.is_empty(),
            "{path}: {missed:?} of {count}"
        );
    }
    browser.close().await;
}

/// Numbers everything that the Tab key ought to reach.
async fn reachable(browser: &Browser) -> Vec<Value> {
    let script = "
        const all = document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary');
        const numbers = [];
        for (const element of all) {
            const radio = element.type === 'radio' && !element.checked;
            if (!element.checkVisibility({ visibilityProperty: true }) || element.disabled || element.tabIndex < 0 || radio) continue;
            // A property and no attribute: what the server renders anew takes attributes away.
            element.reach = numbers.length;
            numbers.push(element.reach);
        }
        return numbers;";
    let numbers = browser.run(script).await;
    numbers.as_array().cloned().unwrap_or_default()
}

/// What has the focus, whether a ring is drawn around it or its label, and whether anything lies on it.
const FOCUSED: &str = "
    const element = document.activeElement;
    if (!element || element === document.body) return { n: null };
    const ring = (e) => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1; };
    const around = [element, element.parentElement, element.nextElementSibling, ...(element.labels || [])];
    const box = element.getBoundingClientRect();
    const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const covered = !above || !(element.contains(above) || above.contains(element));
    return { covered, n: element.reach ?? null, seen: around.some((e) => e && ring(e)), what: element.outerHTML.slice(0, 120) };";

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_finds_what_is_wrong() {
    let browser = Browser::open(PHONE).await;
    let page = "data:text/html,<!doctype html><html lang=en><title>Bad</title>\
        <meta name=viewport content='width=device-width'><main><h1>Bad</h1>\
        <button style='width:20px;height:20px'>x</button><img src=data:,>\
        <p style='color:%23999;background:%23aaa;width:900px'>Too faint and too wide</p></main>";
    browser.goto(page).await;
    browser.look(PHONE, Theme::Light).await;
    let faults = axe::faults(&browser).await.join("\n");
    for word in ["color-contrast", "image-alt", "wider than", "target of 20"] {
        assert!(faults.contains(word), "{word} is not among\n{faults}");
    }
    browser.close().await;
}
