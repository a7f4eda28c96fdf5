//! Schedules: what people wrote down, and whose it is.
//!
//! Owner of `schedules` and of the instant that the scheduler last lived at. It must
//! never decide what is due, and never let one row that cannot be read hide the others.

use crate::db::{Row, Tx, id, json};
use crate::insert::Insert;
use crate::{Store, StoreError};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::{Definition, Schedule};
use iothome_engine::time::Timestamp;

/// Under which name the scheduler's last instant stands.
const LAST_INSTANT: &str = "scheduler";

/// A change of a schedule to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleWrite {
    /// It was made.
    Made(Schedule),
    /// It was changed: the row must have the version before.
    Changed(Schedule),
    /// It was deleted; what became of its occurrences stays.
    Deleted(ScheduleId),
}

/// Some schedules, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchedulePage {
    /// Those that can be read.
    pub schedules: Vec<Schedule>,
    /// Those that cannot, and why.
    pub unreadable: Vec<(String, String)>,
    /// The id to go on after; `None` at the end.
    pub next: Option<String>,
}

const PAGE: &str = "SELECT id, owner_id, definition, enabled, disabled_reason, skip_due_at,
        created_at, updated_at, version
    FROM schedules WHERE id > $1 ORDER BY id LIMIT $2";

const ONE: &str = "SELECT id, owner_id, definition, enabled, disabled_reason, skip_due_at,
        created_at, updated_at, version
    FROM schedules WHERE id = $1";

const MADE: Insert = Insert {
    into: "INSERT INTO schedules (id, owner_id, definition, enabled, disabled_reason,
        skip_due_at, created_at, updated_at, version)",
    columns: 9,
    on_conflict: "",
};

const CHANGED: &str = "UPDATE schedules SET owner_id = $2, definition = $3, enabled = $4,
        disabled_reason = $5, skip_due_at = $6, updated_at = $7, version = $8
    WHERE id = $1 AND version = $9";

fn read(row: &Row) -> Result<Schedule, StoreError> {
    const WHAT: &str = "schedule";
    let mut definition: Definition = row.json(2, WHAT)?;
    definition.enabled = row.flag(3)?;
    Ok(Schedule {
        id: row.parsed(0, WHAT)?,
        owner: row.parsed(1, WHAT)?,
        definition,
        disabled_reason: row.opt_text(4)?,
        skip_due_at: row.opt_at(5)?,
        created_at: row.at(6)?,
        updated_at: row.at(7)?,
        version: row.int(8)?,
    })
}

impl Store {
    /// Schedules by id, after `after`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn schedules(
        &self,
        limit: usize,
        after: Option<&str>,
    ) -> Result<SchedulePage, StoreError> {
        let args = [after.unwrap_or_default().into(), crate::limit(limit)];
        let rows = self.house().all(PAGE, args).await?;
        let mut page = SchedulePage::default();
        for row in &rows {
            match read(row) {
                Ok(schedule) => page.schedules.push(schedule),
                Err(problem) => page.unreadable.push((row.text(0)?, problem.to_string())),
            }
        }
        if rows.len() == limit {
            page.next = rows.last().map(|row| row.text(0)).transpose()?;
        }
        Ok(page)
    }

    /// Writes changes of schedules: all of them or none.
    ///
    /// # Errors
    /// `Stale` if a changed one is not there with the version before; `Taken` if an id of a new
    /// one is.
    pub async fn write_schedules(&self, writes: &[ScheduleWrite]) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        let mut made = Vec::new();
        for write in writes {
            match write {
                ScheduleWrite::Made(schedule) => made.push(vec![
                    id(schedule.id),
                    id(schedule.owner),
                    json(&schedule.definition, "schedule")?.into(),
                    schedule.definition.enabled.into(),
                    schedule.disabled_reason.as_deref().into(),
                    schedule.skip_due_at.into(),
                    schedule.created_at.into(),
                    schedule.updated_at.into(),
                    schedule.version.into(),
                ]),
                ScheduleWrite::Changed(schedule) => change(&mut tx, schedule).await?,
                ScheduleWrite::Deleted(schedule) => {
                    tx.run("DELETE FROM schedules WHERE id = $1", [id(schedule)])
                        .await?;
                }
            }
        }
        let written = MADE.write(&mut tx, made).await;
        written.map_err(|e| e.or_taken("id"))?;
        tx.commit().await
    }

    /// The last instant that the scheduler is known to have lived at.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn scheduler_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = self
            .house()
            .first(
                "SELECT at FROM instants WHERE name = $1",
                [LAST_INSTANT.into()],
            )
            .await?;
        row.map(|row| row.at(0)).transpose()
    }

    /// The schedule.
    ///
    /// # Errors
    /// `Corrupt` if its row cannot be understood.
    pub async fn schedule(&self, schedule: ScheduleId) -> Result<Option<Schedule>, StoreError> {
        let row = self.house().first(ONE, [id(schedule)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Puts the scheduler's last instant back: somebody says that the clock was ahead.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn reset_scheduler_instant(&self, now: Timestamp) -> Result<(), StoreError> {
        self.house()
            .run(
                "UPDATE instants SET at = $2 WHERE name = $1 AND at > $2",
                [LAST_INSTANT.into(), now.into()],
            )
            .await?;
        Ok(())
    }

    /// Says that the scheduler lives; the instant never goes back.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn set_scheduler_instant(&self, now: Timestamp) -> Result<(), StoreError> {
        self.house()
            .run(
                "INSERT INTO instants (name, at) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET at = excluded.at
                 WHERE instants.at < excluded.at",
                [LAST_INSTANT.into(), now.into()],
            )
            .await?;
        Ok(())
    }
}

async fn change(tx: &mut Tx, schedule: &Schedule) -> Result<(), StoreError> {
    let changed = tx
        .run(
            CHANGED,
            [
                id(schedule.id),
                id(schedule.owner),
                json(&schedule.definition, "schedule")?.into(),
                schedule.definition.enabled.into(),
                schedule.disabled_reason.as_deref().into(),
                schedule.skip_due_at.into(),
                schedule.updated_at.into(),
                schedule.version.into(),
                (schedule.version - 1).into(),
            ],
        )
        .await?;
    if changed == 0 {
        return Err(StoreError::Stale);
    }
    Ok(())
}
