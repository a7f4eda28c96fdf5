//! Deciding occurrences and ending them, many in one transaction.
//!
//! Owner of who came first: a row that is there already was decided by somebody
//! else, or before. It must never write an action of an occurrence that it did not
//! decide itself.

use super::Decided;
use crate::db::{Arg, Tx, id, json};
use crate::insert::{Insert, Update};
use crate::{Store, StoreError};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::{ActionRun, Occurrence, OccurrenceState};
use iothome_engine::time::Timestamp;
use std::collections::HashSet;

/// The end of an occurrence, or of one of its actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Of which occurrence.
    pub due_at: Timestamp,
    /// Which of its actions; the occurrence itself if `None`.
    pub index: Option<u16>,
    /// How it ended.
    pub state: OccurrenceState,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

const DECIDED: Insert = Insert {
    into: "INSERT INTO occurrences (schedule_id, due_at, state, reason, decided_at, ended_at,
        by_hand, decided_by)",
    columns: 8,
    // The update that changes nothing makes a row come back that the same scheduler wrote before.
    on_conflict: "ON CONFLICT (schedule_id, due_at) DO UPDATE SET decided_by = excluded.decided_by
        WHERE occurrences.decided_by = excluded.decided_by AND occurrences.state = 'claimed'
        RETURNING schedule_id, due_at",
};

const ACTIONS: Insert = Insert {
    into: "INSERT INTO occurrence_actions (schedule_id, due_at, position, run_at, device_id,
        entity_id, action, value, state, reason, command_id)",
    columns: 11,
    on_conflict: "ON CONFLICT (schedule_id, due_at, position) DO NOTHING",
};

const OCCURRENCE_ENDED: Update = Update {
    set: "UPDATE occurrences SET state = v.column3, reason = v.column4, ended_at = v.column5",
    columns: &["TEXT", "BIGINT", "TEXT", "TEXT", "BIGINT"],
    which: "occurrences.schedule_id = v.column1 AND occurrences.due_at = v.column2
        AND occurrences.state = 'claimed'",
};

const ACTION_ENDED: Update = Update {
    set: "UPDATE occurrence_actions SET state = v.column4, reason = v.column5",
    columns: &["TEXT", "BIGINT", "BIGINT", "TEXT", "TEXT"],
    which: "occurrence_actions.schedule_id = v.column1 AND occurrence_actions.due_at = v.column2
        AND occurrence_actions.position = v.column3 AND occurrence_actions.state = 'claimed'",
};

impl Store {
    /// Decides occurrences in the name of a scheduler's life, then ends others: all of it or
    /// nothing, in one transaction.
    ///
    /// Answers, in the same order, which of them are this scheduler's: what somebody else decided
    /// stays as it is, and so does what has ended. Writing the same again changes nothing.
    ///
    /// # Errors
    /// Whatever the database says; then nothing is written.
    pub async fn write_occurrences(
        &self,
        decided: &[Decided],
        settled: &[Settled],
        by: &str,
    ) -> Result<Vec<bool>, StoreError> {
        let mut tx = self.house().begin().await?;
        let ours = decide(&mut tx, decided, by).await?;
        settle(&mut tx, settled).await?;
        tx.commit().await?;
        Ok(ours)
    }
}

async fn decide(tx: &mut Tx, decided: &[Decided], by: &str) -> Result<Vec<bool>, StoreError> {
    let mut seen = HashSet::new();
    // Two rows of one statement may not be the same.
    let fresh: Vec<bool> = decided
        .iter()
        .map(|d| seen.insert((d.occurrence.schedule, d.occurrence.due_at.as_millis())))
        .collect();
    let rows = decided.iter().zip(&fresh).filter(|(_, fresh)| **fresh);
    let rows = rows.map(|(d, _)| occurrence(&d.occurrence, by)).collect();
    let mut won: HashSet<(String, i64)> = HashSet::new();
    for row in DECIDED.returning(tx, rows).await? {
        won.insert((row.text(0)?, row.int(1)?));
    }
    let ours: Vec<bool> = decided
        .iter()
        .zip(fresh)
        .map(|(d, fresh)| {
            let (schedule, due_at) = (d.occurrence.schedule, d.occurrence.due_at);
            fresh && won.contains(&(schedule.to_string(), due_at.as_millis()))
        })
        .collect();
    let mut actions = Vec::new();
    for (decided, _) in decided.iter().zip(&ours).filter(|(_, ours)| **ours) {
        for run in &decided.actions {
            actions.push(action(run)?);
        }
    }
    ACTIONS.write(tx, actions).await?;
    Ok(ours)
}

async fn settle(tx: &mut Tx, settled: &[Settled]) -> Result<(), StoreError> {
    let (mut occurrences, mut actions) = (Vec::new(), Vec::new());
    for end in settled {
        let mut args = vec![id(end.schedule), end.due_at.into()];
        let state: Arg = end.state.as_str().into();
        let reason: Arg = end.reason.as_deref().into();
        match end.index {
            None => {
                args.extend([state, reason, end.at.into()]);
                occurrences.push(args);
            }
            Some(index) => {
                args.extend([i64::from(index).into(), state, reason]);
                actions.push(args);
            }
        }
    }
    ACTION_ENDED.write(tx, actions).await?;
    OCCURRENCE_ENDED.write(tx, occurrences).await
}

fn occurrence(row: &Occurrence, by: &str) -> Vec<Arg> {
    vec![
        id(row.schedule),
        row.due_at.into(),
        row.state.as_str().into(),
        row.reason.as_deref().into(),
        row.decided_at.into(),
        row.ended_at.into(),
        row.by_hand.into(),
        by.into(),
    ]
}

fn action(run: &ActionRun) -> Result<Vec<Arg>, StoreError> {
    let value = run.value.as_ref().map(|v| json(v, "occurrence's action"));
    Ok(vec![
        id(run.schedule),
        run.due_at.into(),
        i64::from(run.index).into(),
        run.run_at.into(),
        id(&run.target.device),
        id(&run.target.entity),
        run.action.as_str().into(),
        value.transpose()?.into(),
        run.state.as_str().into(),
        run.reason.as_deref().into(),
        id(run.command),
    ])
}
