//! Composition: what starts after what, and how it all ends.
//!
//! Owner of the order. The house is locked before anything of it is touched, and
//! the web door opens last; at the end it is the other way round.

use crate::banner::Banner;
use crate::broker_side::BrokerSide;
use crate::cli::BannerForm;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::settings::{Discovery, Mode, Settings};
use crate::signals::Signals;
use crate::{cert, deploy_init, people, web};
use iothome_actors::{Clock, DiscoveryMode, Hub, HubConfig, Scheduling, load_access};
use iothome_http::{LogFilter, Warnings, Web, WebConfig};
use iothome_store::{DatabaseUrl, HouseLock, Store};
use iothome_tls::Authority;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;

/// The whole goodbye; a service manager is promised three seconds.
const STOP_WITHIN: Duration = Duration::from_millis(2_900);
/// A standby takes over within this time and a moment.
const TRY_LOCK_EVERY: Duration = Duration::from_secs(1);
/// The web certificate renews months early: twice a day is plenty.
const RENEW_EVERY: Duration = Duration::from_secs(12 * 3_600);

/// Why a run ended.
enum Ended {
    Asked,
    LockLost,
}

/// Runs the hub until it is told to stop.
pub(crate) async fn run(
    settings: Settings,
    form: BannerForm,
    warnings: Warnings,
    log: LogFilter,
) -> Result<(), StartError> {
    #[cfg(not(feature = "embedded"))]
    if settings.mode == Mode::Demo {
        return Err(StartError::NoDemo);
    }
    let mut signals = Signals::listen()?;
    let dir = DataDir::open(&settings.data_dir, settings.mode)?;
    let authority = Arc::new(cert::authority(&dir, &settings)?);
    let place = Place {
        prometheus: web::metrics()?,
        settings,
        dir,
        authority,
        warnings,
        log,
        form,
    };
    let mut has_lived = false;
    loop {
        // Boxed: the whole hub is in this future.
        match Box::pin(place.live_once(&mut signals)).await {
            Ok(Ended::Asked) => return Ok(()),
            Ok(Ended::LockLost) => {
                tracing::error!(
                    "the house's lock was lost: everything stops until it is held again"
                );
                has_lived = true;
            }
            // At the first start somebody watches, and wants to know that the database is away.
            Err(StartError::Store(error)) if has_lived && error.is_passing() => {
                tracing::warn!(%error, "the database is away; trying again");
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = signals.stop() => return Ok(()),
            () = tokio::time::sleep(TRY_LOCK_EVERY) => {}
        }
    }
}

/// What stays the same from one run to the next.
pub(crate) struct Place {
    pub(crate) settings: Settings,
    pub(crate) dir: DataDir,
    pub(crate) authority: Arc<Authority>,
    pub(crate) prometheus: metrics_exporter_prometheus::PrometheusHandle,
    pub(crate) warnings: Warnings,
    pub(crate) log: LogFilter,
    form: BannerForm,
}

/// Everything that runs, in the order in which it started.
struct Living {
    store: Store,
    side: BrokerSide,
    hub: Hub,
    web: Web,
    chores: JoinSet<()>,
    #[cfg(feature = "embedded")]
    home: Option<iothome_simulator::Home>,
}

impl Place {
    async fn live_once(&self, signals: &mut Signals) -> Result<Ended, StartError> {
        let mut config = web::config(self)?;
        let url = DatabaseUrl::parse(self.settings.database_url.expose())?;
        // A database that does not answer must not hold up the end.
        let store = tokio::select! {
            opened = Store::open(&url) => opened?,
            () = signals.stop() => return Ok(Ended::Asked),
        };
        let Some(lock) = self.lock(&store, &config, signals).await? else {
            store.close().await;
            return Ok(Ended::Asked);
        };
        let lock = Arc::new(lock);
        let (living, banner) = self.start(store, &lock, &mut config).await?;
        banner.print(self.form);
        tracing::info!(url = banner.url, "the hub is running");
        let ended = tokio::select! {
            () = signals.stop() => Ended::Asked,
            () = lock.lost() => Ended::LockLost,
        };
        let goodbye = async {
            living.stop().await;
            lock.release().await;
        };
        // A second signal, or a goodbye that hangs, ends it all the same.
        tokio::select! {
            () = goodbye => {}
            () = signals.stop() => tracing::warn!("told twice to stop: not everything was finished"),
            () = tokio::time::sleep(STOP_WITHIN) => tracing::warn!("not everything was finished in time"),
        }
        Ok(ended)
    }

    /// The house's lock; `None` if told to stop while waiting for it.
    async fn lock(
        &self,
        store: &Store,
        config: &WebConfig,
        signals: &mut Signals,
    ) -> Result<Option<HouseLock>, StartError> {
        if let Some(lock) = store.try_lock_house().await? {
            return Ok(Some(lock));
        }
        tracing::info!("another hub runs this house: standing by until its lock is free");
        let standby = iothome_http::serve_standby(config)
            .await
            .map_err(|e| StartError::Web(e.to_string()))?;
        let lock = loop {
            tokio::select! {
                () = signals.stop() => break None,
                () = tokio::time::sleep(TRY_LOCK_EVERY) => {}
            }
            match store.try_lock_house().await {
                Ok(None) => {}
                Ok(Some(lock)) => break Some(lock),
                // A database that is away for a moment is what a standby is there for.
                Err(error) => tracing::warn!(%error, "the house's lock could not be tried"),
            }
        };
        standby.stop().await;
        Ok(lock)
    }

    async fn start(
        &self,
        store: Store,
        lock: &Arc<HouseLock>,
        config: &mut WebConfig,
    ) -> Result<(Living, Banner), StartError> {
        let hub_error = |e: iothome_actors::HubError| StartError::Hub(e.to_string());
        #[cfg(feature = "embedded")]
        let demo = match self.settings.mode {
            Mode::Demo => Some(crate::demo::prepare(&store, &self.settings).await?),
            Mode::Serve => None,
        };
        let access = load_access(&store).await.map_err(hub_error)?;
        let choice = &self.settings.broker;
        let side = BrokerSide::open(choice, &self.dir, &self.authority, &store, &access).await?;
        let hub = Hub::start(
            self.hub_config(&side, access, lock),
            store.clone(),
            Clock::system(),
        );
        let hub = Box::pin(hub).await.map_err(hub_error)?;
        config.broker_clients = side.clients();
        if store.home().await?.is_none() {
            let code = iothome_http::new_setup_code();
            config.setup_code = Some(code.map_err(|e| StartError::Web(e.to_string()))?);
        }
        let web = iothome_http::serve(config.clone(), hub.clone(), store.clone());
        let web = Box::pin(web)
            .await
            .map_err(|e| StartError::Web(e.to_string()))?;
        let mut chores = JoinSet::new();
        chores.spawn(people::heed_resets(hub.clone()));
        let export = self.settings.web_tls_export.clone();
        chores.spawn(renew(Arc::clone(&self.authority), export));
        let banner = web::banner(self, &web, &side, config)?;
        #[cfg(feature = "embedded")]
        let (mut home, mut signs_in) = (None, None);
        #[cfg(not(feature = "embedded"))]
        let signs_in = None;
        #[cfg(feature = "embedded")]
        if let Some(user) = demo {
            let prefix = &self.settings.discovery_prefix;
            home = Some(crate::demo::start(&hub, &side, &user, prefix).await?);
            chores.spawn(crate::demo::accept_announced(hub.clone(), user.subject()));
            signs_in = Some((user.name, user.password));
        }
        let banner = banner.with_user(signs_in);
        let living = Living {
            store,
            side,
            hub,
            web,
            chores,
            #[cfg(feature = "embedded")]
            home,
        };
        Ok((living, banner))
    }

    fn hub_config(
        &self,
        side: &BrokerSide,
        access: iothome_actors::SharedAccess,
        lock: &Arc<HouseLock>,
    ) -> HubConfig {
        HubConfig {
            mqtt: side.mqtt.clone(),
            broker_address: side.address.clone(),
            managed: side.is_managed(),
            discovery: match self.settings.discovery {
                Discovery::Ask => DiscoveryMode::Ask,
                Discovery::Accept => DiscoveryMode::Accept,
                Discovery::Off => DiscoveryMode::Off,
            },
            discovery_prefix: self.settings.discovery_prefix.clone(),
            access,
            cut: side.cutter(),
            dynsec: side.seal.clone(),
            sha256: side.sha256.map(|f| f.to_string()),
            sha1: side.sha1.clone(),
            seen: side.seen.clone(),
            password_workers: password_workers(),
            scheduling: Scheduling {
                per_user: self.settings.schedules_per_user,
                lock: Some(Arc::clone(lock)),
            },
        }
    }
}

/// One thread hashes on a small machine, two on a larger one: the house comes first.
fn password_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores > 2 { 2 } else { 1 }
}

/// Renews the web certificate in time; the listener takes it up by itself. Never returns.
async fn renew(authority: Arc<Authority>, export: Option<PathBuf>) {
    loop {
        if let Some(folder) = &export
            && let Err(error) = deploy_init::copy_pair(authority.folder(), folder, "web")
        {
            tracing::error!(%error, "the proxy's copy of the web certificate could not be written");
        }
        tokio::time::sleep(RENEW_EVERY).await;
        match authority.renew_web(SystemTime::now()) {
            Ok(iothome_tls::Renewal::Kept) => {}
            Ok(iothome_tls::Renewal::Renewed) => tracing::info!("the web certificate was renewed"),
            Err(error) => tracing::error!(%error, "the web certificate could not be renewed"),
        }
    }
}

impl Living {
    /// Takes no more work, finishes what is in flight, writes what is buffered, says goodbye.
    async fn stop(mut self) {
        tracing::info!("stopping");
        self.chores.abort_all();
        tokio::join!(self.web.stop(), self.hub.shutdown());
        #[cfg(feature = "embedded")]
        if let Some(home) = self.home {
            home.stop().await;
        }
        self.side.stop().await;
        self.store.close().await;
        tracing::info!("stopped");
    }
}
