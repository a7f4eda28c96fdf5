//! Making a device by hand, step by step: its entities one at a time, and the test bench.
//!
//! Owner of those calls of the hub. It must never publish by itself.

use super::Hub;
use crate::error::HubError;
use crate::mqtt::{FILTERS_OF_A_LOOK, Tapped, check_tap};
use crate::registrar::{By, NewEntity, RegistrarMsg, TestPayload};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::policy::Subject;
use iothome_engine::view::DeviceView;
use std::sync::Arc;

impl Hub {
    /// Adds an entity to a device that was made by hand.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, `Taken` and `Invalid` name the field (`entities[0].config.…`);
    /// `Conflict` if the device announces itself.
    pub async fn add_entity(
        &self,
        device: &DeviceId,
        new: NewEntity,
        if_match: Option<i64>,
        by: &Subject,
    ) -> Result<(Arc<DeviceView>, EntityId), HubError> {
        self.working()?;
        let (id, new, by) = (device.clone(), Box::new(new), By::from(by));
        let ask = |reply| RegistrarMsg::AddEntity(id, new, if_match, by, reply);
        let (entity, version) = self.inner.registrar.ask(ask).await?;
        Ok((self.shown_at(device, version).await?, entity))
    }

    /// Takes an entity of a device that was made by hand away, for good.
    ///
    /// # Errors
    /// `NotFound`, `Stale`; `Conflict` if the device announced it.
    pub async fn remove_entity(
        &self,
        device: &DeviceId,
        entity: &EntityId,
        if_match: Option<i64>,
        by: &Subject,
    ) -> Result<Arc<DeviceView>, HubError> {
        self.working()?;
        let (id, entity, by) = (device.clone(), entity.clone(), By::from(by));
        let ask = |reply| RegistrarMsg::RemoveEntity(id, entity, if_match, by, reply);
        let version = self.inner.registrar.ask(ask).await?;
        self.shown_at(device, version).await
    }

    /// Listens to topics for as long as somebody looks, and tells the last messages.
    ///
    /// # Errors
    /// `Invalid` names the filter that nobody may listen to; `Busy` while the hub starts.
    pub async fn tap(&self, filters: &[String]) -> Result<Tapped, HubError> {
        self.working()?;
        if filters.len() > FILTERS_OF_A_LOOK {
            let problem = format!("must be at most {FILTERS_OF_A_LOOK}");
            return Err(HubError::invalid("topics", &problem));
        }
        for (n, filter) in filters.iter().enumerate() {
            check_tap(filter).map_err(|e| HubError::invalid(format!("topics[{n}]"), &e))?;
        }
        let mqtt = self.inner.services.wire.mqtt().ok_or(HubError::Busy)?;
        Ok(mqtt.tap(filters).await)
    }

    /// How many topics the test bench listens to now.
    pub fn tapped_topics(&self) -> usize {
        let mqtt = self.inner.services.wire.mqtt();
        mqtt.map_or(0, |mqtt| mqtt.tapped())
    }

    /// Publishes a test payload on purpose: at once, not retained, never to another device.
    ///
    /// # Errors
    /// `Invalid` names the field; `Conflict` while the broker is away.
    pub async fn send_test(&self, test: TestPayload, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        let by = By::from(by);
        let ask = |reply| RegistrarMsg::SendTest(test, by, reply);
        self.inner.registrar.ask(ask).await
    }
}
