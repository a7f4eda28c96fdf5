//! The live stream of pages: re-rendered fragments.
//!
//! Owner of what a page is told, and that it is only what its session may see at
//! that moment. Numbers, resumption, keep-alive and the end are the toolkit's.

mod figures;

use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::Query;
use crate::pages::home::{self, Filter, HomeQuery, Watch};
use crate::pages::show::{self, Reading};
use crate::pages::visit::Visit;
use crate::problem::Answer;
use crate::routes::{Access, Entry};
use crate::stream::{self, Frame, Signal};
use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use figures::{Figures, Told};
use iothome_actors::{Change, Hub, SharedFavourites};
use iothome_engine::command::Command;
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::{Right, Subject};
use iothome_views::components::{Look, command};
use iothome_views::layout::house_notice;
use iothome_views::links::Back;
use iothome_views::pages::device;
use serde::Deserialize;
use std::sync::Arc;

/// Browsers drop events without data (HTML, section 9.2.6).
const NOTHING: &str = "{}";

/// The routes of the live stream.
pub(crate) fn routes() -> Vec<Entry> {
    vec![Entry::new(Method::GET, "/live", Access::Cookie, live)]
}

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum View {
    /// Cards of all devices.
    Home,
    /// One device.
    Device,
    /// Something that changes with the directory: new devices.
    Directory,
    /// The connection to the broker, its messages and clients; for administrators.
    Broker,
    /// The hub itself and its warnings; for administrators.
    System,
    /// Nothing of the house.
    Quiet,
}

/// Which stream a page wants.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    view: View,
    #[serde(default)]
    device: Option<DeviceId>,
}

/// The stream.
pub(crate) async fn live(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    wanted: Query<Wanted>,
    found: Query<HomeQuery>,
) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let wanted = wanted.0;
    let filter = Filter::of(&found.0);
    let back = match (wanted.view, &wanted.device) {
        (View::Device, Some(id)) => Back::Device(id.clone()),
        _ => Back::home(&filter.query(filter.portion)),
    };
    let favourites = app.hub.watch_favourites(user.subject.user).await?;
    let home = match wanted.view {
        View::Home => {
            let hub = app.hub.clone();
            let dear = Arc::clone(&favourites);
            Some(Watch::start(hub, &user.subject, filter, dear))
        }
        _ => None,
    };
    let mut teller = Teller {
        back,
        home,
        favourites,
        broker_connected: visit.viewer.broker_connected,
        figures: Figures::new(&app),
        hub: app.hub.clone(),
        wanted,
        visit,
    };
    stream::respond(&app, &request, &user, move |signal, subject| {
        teller.tell(signal, subject)
    })
    .await
}

/// Tells one page what it shows.
struct Teller {
    hub: Hub,
    wanted: Wanted,
    visit: Visit,
    back: Back,
    /// What a home page shows.
    home: Option<Watch>,
    /// What is dear to the reader, as it is now.
    favourites: SharedFavourites,
    /// What the page was last told of the broker.
    broker_connected: bool,
    figures: Figures,
}

impl Teller {
    fn tell(&mut self, signal: &Signal, subject: &Subject) -> Vec<Frame> {
        match signal {
            Signal::Started => self
                .broker()
                .into_iter()
                .chain([frame("hello", NOTHING)])
                .collect(),
            // Which cards there are is the page's matter: it asks for itself anew.
            Signal::Rights => {
                self.page_is_old();
                vec![frame("resync", NOTHING)]
            }
            Signal::Resync => {
                self.page_is_old();
                Vec::new()
            }
            Signal::Look if self.home.is_some() => self.changed(&[], subject, false),
            Signal::Look if subject.is_admin() => self.look(),
            Signal::Look => Vec::new(),
            Signal::Changed(changes) => self.changed(changes, subject, false),
            Signal::Missed(changes) => self.changed(changes, subject, true),
        }
    }

    fn page_is_old(&mut self) {
        if let Some(home) = &mut self.home {
            home.page_is_old();
        }
    }

    fn changed(&mut self, changes: &[Change], subject: &Subject, missed: bool) -> Vec<Frame> {
        self.visit.now = self.hub.clock().now();
        if changes.iter().any(|c| matches!(c, Change::Directory)) {
            self.page_is_old();
        }
        let at_home = self.at_home(changes, subject, missed);
        let told = changes.iter().filter_map(|c| self.change(c, subject));
        let mut frames: Vec<Frame> = told.chain(at_home).collect();
        // The toolkit has merged changes of a device; of the directory one is enough.
        if let Some(first) = frames.iter().position(|f| f.event == "resync") {
            let resync = frames.swap_remove(first);
            frames.retain(|f| f.event != "resync");
            frames.push(resync);
        }
        frames.extend(self.broker());
        frames
    }

    fn change(&self, change: &Change, subject: &Subject) -> Option<Frame> {
        match (change, self.wanted.view) {
            // Also the navigation says how many devices wait.
            (Change::Directory, _) => Some(frame("resync", NOTHING)),
            (Change::Device(id), View::Device) => self.device(id, subject),
            (Change::Command(command), View::Device) => self.command(command, subject),
            _ => None,
        }
    }

    /// What a home page is told of devices.
    fn at_home(&mut self, changes: &[Change], subject: &Subject, missed: bool) -> Vec<Frame> {
        let Some(home) = &mut self.home else {
            return Vec::new();
        };
        let devices: Vec<&DeviceId> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Device(id) => Some(id),
                Change::Command(_) | Change::Directory => None,
            })
            .collect();
        let look = Look {
            t: self.visit.t,
            csrf: &self.visit.viewer.csrf,
            back: &self.back,
        };
        let home::Told { elements, anew } = home.changed(
            &self.visit,
            look,
            subject,
            &devices,
            missed && !devices.is_empty(),
        );
        let elements = elements.into_iter();
        let cards = elements.map(|element| frame("card", element.into_string()));
        let anew = anew.then(|| frame("resync", NOTHING));
        cards.chain(anew).collect()
    }

    /// Whether the page shows that device and its reader may see it.
    fn shows(&self, id: &DeviceId, subject: &Subject) -> bool {
        let own = self.wanted.device.as_ref() == Some(id);
        own && subject.may(Right::View, id)
    }

    fn reading(&self, id: &DeviceId, subject: &Subject) -> Reading<'_> {
        Reading {
            t: self.visit.t,
            zone: &self.visit.zone,
            now: self.visit.now,
            rights: subject.rights(id),
        }
    }

    fn device(&self, id: &DeviceId, subject: &Subject) -> Option<Frame> {
        if !self.shows(id, subject) {
            return None;
        }
        let view = self.hub.house().device(id)?;
        let reading = self.reading(id, subject);
        let look = Look {
            t: self.visit.t,
            csrf: &self.visit.viewer.csrf,
            back: &self.back,
        };
        let dear = self.favourites.load().contains(id);
        let html = device::panel(look, &show::panel(reading, &view, dear));
        Some(frame("card", html.into_string()))
    }

    fn command(&self, asked: &Command, subject: &Subject) -> Option<Frame> {
        if !self.shows(&asked.device, subject) {
            return None;
        }
        let view = self.hub.house().device(&asked.device)?;
        let reading = self.reading(&asked.device, subject);
        let line = show::line(reading, view.entity(&asked.entity), asked);
        Some(frame(
            "command",
            command::row(self.visit.t, &line).into_string(),
        ))
    }

    /// What is no change of the house and still moves.
    fn look(&mut self) -> Vec<Frame> {
        self.visit.now = self.hub.clock().now();
        let told = match self.wanted.view {
            View::Broker => self.figures.broker(&self.visit),
            View::System => self.figures.system(&self.visit),
            _ => return Vec::new(),
        };
        let frames = told.into_iter().map(|told| match told {
            Told::Card(html) => frame("card", html),
            Told::Anew => frame("resync", NOTHING),
        });
        frames.collect()
    }

    /// Tells when the hub has lost or found its broker.
    fn broker(&mut self) -> Option<Frame> {
        let connected = self.hub.broker().connected;
        if connected == self.broker_connected {
            return None;
        }
        self.broker_connected = connected;
        if matches!(self.wanted.view, View::Broker | View::System) {
            return Some(frame("resync", NOTHING));
        }
        let notice = house_notice(self.visit.t, connected);
        Some(frame("card", notice.into_string()))
    }
}

fn frame(event: &'static str, data: impl Into<String>) -> Frame {
    Frame {
        event,
        data: data.into(),
    }
}
