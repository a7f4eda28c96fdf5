//! Live events on their way through Nginx.
//!
//! Owner of how long they take, which is told and not judged; that none is held back is.

use super::house::{House, NAME, TLS, base};
use super::stage::address;
use super::switch::signed_in;
use crate::support::api::Api;
use crate::support::device::Device;
use crate::support::tell;
use reqwest::RequestBuilder;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, channel};

/// Reports that are timed.
const REPORTS: usize = 25;
/// Far longer than an event takes, and far shorter than the hub's next word by itself: what
/// Nginx held back would come with that.
const BOUND: Duration = Duration::from_secs(10);

/// An open stream: the instant and text of each piece.
struct Stream(Receiver<(Instant, String)>);

impl Stream {
    async fn open(request: RequestBuilder) -> Self {
        let mut response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "the stream opens");
        let (sender, pieces) = channel(1_000);
        tokio::spawn(async move {
            while let Ok(Some(piece)) = response.chunk().await {
                let text = String::from_utf8_lossy(&piece).into_owned();
                if sender.send((Instant::now(), text)).await.is_err() {
                    return;
                }
            }
        });
        Self(pieces)
    }

    /// How long after `since` a piece came that has this in it.
    async fn hears(&mut self, word: &str, since: Instant) -> f64 {
        let heard = async {
            while let Some((at, text)) = self.0.recv().await {
                if text.contains(word) {
                    return at.duration_since(since).as_secs_f64() * 1_000.0;
                }
            }
            panic!("the stream ended")
        };
        let heard = tokio::time::timeout(BOUND, heard).await;
        heard.unwrap_or_else(|_| panic!("{word} was held back"))
    }
}

/// Each report is heard through Nginx as soon as without it, by programs and by pages.
pub(super) async fn events_come_at_once(house: &House, api: &Api, device: &Device) {
    let person = signed_in(house).await;
    let through = person.get(format!("{}/api/v1/events", base()));
    let mut through = Stream::open(through.bearer_auth(api.token())).await;
    // This machine has an address in the network of the proxy, so the hub believes it.
    let hub = format!("http://{}:8080/api/v1/events", address("hub", "edge"));
    let direct = reqwest::Client::new()
        .get(hub)
        .header("host", format!("{NAME}:{TLS}"));
    let direct = direct.header("x-forwarded-proto", "https");
    let mut direct = Stream::open(direct.bearer_auth(api.token())).await;
    let page = person.get(format!("{}/live?view=home", base()));
    let mut page = Stream::open(page).await;

    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for n in 0..REPORTS {
        let state = if n % 2 == 0 { "OFF" } else { "ON" };
        let word = format!("\"{}\"", state.to_lowercase());
        let since = Instant::now();
        device.report("gate/light", state, false).await;
        times[0].push(through.hears(&word, since).await);
        times[1].push(direct.hears(&word, since).await);
        times[2].push(page.hears("gate", since).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let [through, direct, page] = times.map(median);
    tell(&format!(
        "live events, report to stream: {through:.1} ms through Nginx, {direct:.1} ms without, \
         {page:.1} ms to a page (medians of {REPORTS})"
    ));
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
