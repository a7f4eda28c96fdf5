//! Schedules that are over: turned off visibly, so that they count no longer.
//!
//! Owner of what finished means and of what counts toward a user's schedules. It must
//! never turn off one that may be due again, nor delete any.

use super::{Scheduler, disabled};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::{Definition, Plan, Schedule, When};
use iothome_store::ScheduleWrite;

/// Schedules turned off in one transaction.
const AT_ONCE: usize = 500;

/// How many times the schedules that count a user may have with those that are over: years of
/// one-time schedules, and still a list that a hub reads at its start.
const KEPT_TIMES: usize = 10;

/// The reason, as it is stored.
pub(super) fn finished() -> String {
    disabled::FINISHED.to_owned()
}

/// Whether a schedule counts toward its owner's.
pub(super) fn counts(schedule: &Schedule) -> bool {
    schedule.disabled_reason.as_deref() != Some(disabled::FINISHED)
}

impl Scheduler {
    /// Most schedules of one user with those that are over.
    pub(super) fn kept_per_user(&self) -> usize {
        self.per_user().saturating_mul(KEPT_TIMES)
    }

    /// The agenda has nothing to come of these and nothing under way.
    pub(super) async fn finish(&self, ids: Vec<ScheduleId>) {
        for some in ids.chunks(AT_ONCE) {
            let _one_at_a_time = self.inner.edits.lock().await;
            // Any may have been changed while this waited for its turn.
            let now = some.iter().filter_map(|id| self.inner.book.get(*id));
            let over = now.filter(|s| s.definition.enabled && self.is_over(&s.definition));
            let over: Vec<ScheduleWrite> = over
                .map(|schedule| ScheduleWrite::Changed(self.disabled(&schedule, finished())))
                .collect();
            if over.is_empty() {
                continue;
            }
            if let Err(problem) = self.write(over).await {
                tracing::error!(%problem, "schedules that are over are turned off at the next start");
                return;
            }
        }
    }

    /// Whether a definition is turned off and could not be due again.
    pub(super) fn is_over_and_off(&self, definition: &Definition) -> bool {
        !definition.enabled && self.is_over(definition)
    }

    /// Whether it has an end, and nothing comes before that.
    fn is_over(&self, definition: &Definition) -> bool {
        let trigger = &definition.trigger;
        let ends = matches!(trigger.when, When::At { .. }) || trigger.end_date.is_some();
        let home = self.home();
        // Without its place the sun is not over: somebody may yet tell it.
        let sunless = matches!(trigger.when, When::Sun { .. }) && home.place.is_none();
        ends && !sunless && Plan::of(definition, &home).next_after(self.now()).is_none()
    }
}
