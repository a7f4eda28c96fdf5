//! Occurrences: what became of each due instant, and of each of its actions.
//!
//! Owner of `occurrences` and `occurrence_actions`. A due instant of a schedule has
//! one row, whoever writes it first; it must never be decided again, and an end must
//! never be overwritten.

mod write;

pub use write::Settled;

use crate::db::{Row, id};
use crate::{Store, StoreError};
use iothome_engine::ids::{EntityRef, ScheduleId};
use iothome_engine::schedule::{ActionRun, Occurrence, OccurrenceState};
use iothome_engine::time::Timestamp;
use std::collections::HashMap;

/// Rows a step of pruning: short enough that a command waiting to be written does not notice.
const CHUNK: i64 = 500;

/// An occurrence with its actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its actions, in their order; none if it was never to run.
    pub actions: Vec<ActionRun>,
}

/// An occurrence that a former life of the hub left with an action to be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its actions, each with whether its command has a row.
    pub actions: Vec<(ActionRun, bool)>,
}

const OCCURRENCES: &str = "SELECT schedule_id, due_at, state, reason, decided_at, ended_at, by_hand
    FROM occurrences WHERE schedule_id = $1 AND due_at < $2 ORDER BY due_at DESC LIMIT $3";
const ACTIONS: &str = "SELECT schedule_id, due_at, position, run_at, device_id, entity_id, action,
        value, state, reason, command_id
    FROM occurrence_actions WHERE schedule_id = $1 AND due_at BETWEEN $2 AND $3
    ORDER BY due_at, position";
// From the small index of open actions: the occurrences are many.
const OPEN: &str = "SELECT o.schedule_id, o.due_at, o.state, o.reason, o.decided_at, o.ended_at,
        o.by_hand
    FROM (SELECT DISTINCT schedule_id, due_at FROM occurrence_actions WHERE state = 'claimed') a
    JOIN occurrences o ON o.schedule_id = a.schedule_id AND o.due_at = a.due_at";
const OPEN_ACTIONS: &str = "SELECT a.schedule_id, a.due_at, a.position, a.run_at, a.device_id,
        a.entity_id, a.action, a.value, a.state, a.reason, a.command_id,
        EXISTS (SELECT 1 FROM commands c WHERE c.id = a.command_id)
    FROM (SELECT DISTINCT schedule_id, due_at FROM occurrence_actions WHERE state = 'claimed') o
    JOIN occurrence_actions a ON a.schedule_id = o.schedule_id AND a.due_at = o.due_at
    ORDER BY a.schedule_id, a.due_at, a.position";
/// Most decided instants that are read when the hub starts: a second of a very large house.
const DECIDED_MAX: i64 = 100_000;

const DECIDED: &str = "SELECT schedule_id, due_at FROM occurrences
    WHERE due_at > $1 AND by_hand = FALSE ORDER BY due_at, schedule_id LIMIT $2";

fn state(row: &Row, column: usize) -> Result<OccurrenceState, StoreError> {
    let word = row.text(column)?;
    OccurrenceState::from_word(&word).ok_or_else(|| StoreError::corrupt("occurrence", word))
}

fn occurrence(row: &Row) -> Result<Occurrence, StoreError> {
    Ok(Occurrence {
        schedule: row.parsed(0, "occurrence")?,
        due_at: row.at(1)?,
        state: state(row, 2)?,
        reason: row.opt_text(3)?,
        decided_at: row.at(4)?,
        ended_at: row.opt_at(5)?,
        by_hand: row.flag(6)?,
    })
}

fn action(row: &Row) -> Result<ActionRun, StoreError> {
    const WHAT: &str = "occurrence's action";
    let index = u16::try_from(row.int(2)?);
    let value = row.opt_text(7)?;
    Ok(ActionRun {
        schedule: row.parsed(0, WHAT)?,
        due_at: row.at(1)?,
        index: index.map_err(|e| StoreError::corrupt(WHAT, e))?,
        run_at: row.at(3)?,
        target: EntityRef {
            device: row.parsed(4, WHAT)?,
            entity: row.parsed(5, WHAT)?,
        },
        action: row.parsed(6, WHAT)?,
        value: value
            .map(|v| serde_json::from_str(&v).map_err(|e| StoreError::corrupt(WHAT, e)))
            .transpose()?,
        state: state(row, 8)?,
        reason: row.opt_text(9)?,
        command: row.parsed(10, WHAT)?,
    })
}

impl Store {
    /// Occurrences of a schedule, the newest first, due before `before`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn occurrences_of(
        &self,
        schedule: ScheduleId,
        limit: usize,
        before: Option<Timestamp>,
    ) -> Result<Vec<Decided>, StoreError> {
        let before = before.map_or(i64::MAX, Timestamp::as_millis);
        let mut tx = self.house().snapshot().await?;
        let args = [id(schedule), before.into(), crate::limit(limit)];
        let rows = tx.all(OCCURRENCES, args).await?;
        let found = rows.iter().map(occurrence).collect::<Result<Vec<_>, _>>()?;
        let (Some(newest), Some(oldest)) = (found.first(), found.last()) else {
            return Ok(Vec::new());
        };
        let span = [id(schedule), oldest.due_at.into(), newest.due_at.into()];
        let mut actions: HashMap<Timestamp, Vec<ActionRun>> = HashMap::new();
        for row in &tx.all(ACTIONS, span).await? {
            let action = action(row)?;
            actions.entry(action.due_at).or_default().push(action);
        }
        let with_actions = found.into_iter().map(|occurrence| Decided {
            actions: actions.remove(&occurrence.due_at).unwrap_or_default(),
            occurrence,
        });
        Ok(with_actions.collect())
    }

    /// Every occurrence that has an action without an end, with all its actions.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open_occurrences(&self) -> Result<Vec<Open>, StoreError> {
        let mut tx = self.house().snapshot().await?;
        let rows = tx.all(OPEN, []).await?;
        let found = rows.iter().map(occurrence).collect::<Result<Vec<_>, _>>()?;
        let mut actions: HashMap<(ScheduleId, Timestamp), Vec<(ActionRun, bool)>> = HashMap::new();
        for row in &tx.all(OPEN_ACTIONS, []).await? {
            let action = action(row)?;
            let key = (action.schedule, action.due_at);
            actions
                .entry(key)
                .or_default()
                .push((action, row.flag(11)?));
        }
        let mut open: Vec<Open> = found
            .into_iter()
            .map(|occurrence| Open {
                actions: actions
                    .remove(&(occurrence.schedule, occurrence.due_at))
                    .unwrap_or_default(),
                occurrence,
            })
            .collect();
        open.sort_by_key(|open| (open.occurrence.due_at, open.occurrence.schedule));
        Ok(open)
    }

    /// The due instants after `after` that were decided of each schedule by its trigger, the
    /// earliest first; no more than 100,000.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn decided_after(
        &self,
        after: Timestamp,
    ) -> Result<Vec<(ScheduleId, Timestamp)>, StoreError> {
        let rows = self
            .house()
            .all(DECIDED, [after.into(), DECIDED_MAX.into()])
            .await?;
        rows.iter()
            .map(|row| Ok((row.parsed(0, "occurrence")?, row.at(1)?)))
            .collect()
    }

    /// Drops ended occurrences that were due before `before`, with their actions; tells how many.
    ///
    /// # Errors
    /// Whatever the database says; what was dropped until then stays dropped.
    pub async fn prune_occurrences(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let gone = self.prune_some(before).await?;
            dropped += gone;
            // Ends: each round but the last takes rows that no other adds.
            if gone == 0 {
                return Ok(dropped);
            }
        }
    }

    async fn prune_some(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.house().begin().await?;
        let old = "SELECT schedule_id, due_at FROM occurrences
            WHERE due_at < $1 AND state <> 'claimed' ORDER BY due_at LIMIT $2";
        let rows = tx.all(old, [before.into(), CHUNK.into()]).await?;
        for row in &rows {
            let key = || Ok::<_, StoreError>([row.text(0)?.into(), row.int(1)?.into()]);
            let actions = "DELETE FROM occurrence_actions WHERE schedule_id = $1 AND due_at = $2";
            tx.run(actions, key()?).await?;
            let one = "DELETE FROM occurrences WHERE schedule_id = $1 AND due_at = $2";
            tx.run(one, key()?).await?;
        }
        tx.commit().await?;
        Ok(u64::try_from(rows.len()).unwrap_or(0))
    }
}
