//! Writes what the recorder gathered, and reads last states back.
//!
//! Owner of the writing side of history. It must never write half a batch.

use super::marks::Mark;
use super::{FIVE_MINUTES_MS, HOUR_MS, HistoryBatch, columns, floor_to, value};
use crate::db::{Arg, Row, Turn, Tx, id, json};
use crate::insert::Insert;
use crate::{Store, StoreError};
use iothome_engine::history::LastState;
use iothome_engine::ids::EntityRef;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const SAMPLES: Insert = Insert {
    into: "INSERT INTO samples (series, at, number, word)",
    columns: 4,
    on_conflict: "ON CONFLICT (series, at) DO UPDATE SET number = excluded.number,
        word = excluded.word",
};
const LAST_STATES: Insert = Insert {
    into: "INSERT INTO last_states (series, number, word, attributes, reported_at, changed_at)",
    columns: 6,
    on_conflict: "ON CONFLICT (series) DO UPDATE SET number = excluded.number,
        word = excluded.word, attributes = excluded.attributes,
        reported_at = excluded.reported_at, changed_at = excluded.changed_at",
};
const AVAILABILITY: Insert = Insert {
    into: "INSERT INTO availability (device_id, at, online)",
    columns: 3,
    on_conflict: "ON CONFLICT (device_id, at) DO UPDATE SET online = excluded.online",
};
const LOSSES: Insert = Insert {
    into: "INSERT INTO losses (series, at, count)",
    columns: 3,
    on_conflict: "ON CONFLICT (series, at) DO UPDATE SET count = excluded.count",
};

/// Every entity of the batch that needs a series.
fn targets(batch: &HistoryBatch) -> BTreeSet<&EntityRef> {
    let samples = batch.samples.iter().map(|s| &s.target);
    let states = batch.last_states.iter().map(|s| &s.target);
    let losses = batch.losses.iter().map(|(target, _, _)| target);
    samples.chain(states).chain(losses).collect()
}

type Numbers = HashMap<EntityRef, i64>;

/// Samples by series and time: the order of the table, and no key twice.
fn sample_rows(batch: &HistoryBatch, numbers: &Numbers) -> Vec<Vec<Arg>> {
    let sorted: BTreeMap<(i64, i64), _> = batch
        .samples
        .iter()
        .map(|s| ((numbers[&s.target], s.at.as_millis()), &s.value))
        .collect();
    let row = |((series, at), value): ((i64, i64), _)| {
        let (number, word) = columns(Some(value));
        vec![series.into(), at.into(), number, word]
    };
    sorted.into_iter().map(row).collect()
}

fn state_rows(batch: &HistoryBatch, numbers: &Numbers) -> Result<Vec<Vec<Arg>>, StoreError> {
    let last: BTreeMap<i64, &LastState> = batch
        .last_states
        .iter()
        .map(|s| (numbers[&s.target], s))
        .collect();
    let row = |(series, state): (i64, &LastState)| {
        let (number, word) = columns(state.state.as_ref());
        Ok(vec![
            series.into(),
            number,
            word,
            json(&state.attributes, "last state")?.into(),
            state.reported_at.into(),
            state.changed_at.into(),
        ])
    };
    last.into_iter().map(row).collect()
}

fn availability_rows(batch: &HistoryBatch) -> Vec<Vec<Arg>> {
    let last: BTreeMap<_, bool> = batch
        .availability
        .iter()
        .map(|(device, at, online)| ((device, at.as_millis()), *online))
        .collect();
    last.into_iter()
        .map(|((device, at), online)| vec![id(device), at.into(), online.into()])
        .collect()
}

fn loss_rows(batch: &HistoryBatch, numbers: &Numbers) -> Vec<Vec<Arg>> {
    let mut sums: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for (target, at, count) in &batch.losses {
        *sums.entry((numbers[target], at.as_millis())).or_default() += i64::from(*count);
    }
    sums.into_iter()
        .map(|((series, at), count)| vec![series.into(), at.into(), count.into()])
        .collect()
}

/// Samples older than what is rolled up make roll-ups go back for them, but not
/// to where samples may be gone: a bucket must not be made anew from the rest.
async fn go_back_for(tx: &mut Tx, first: i64) -> Result<(), StoreError> {
    let Some(rolled) = Mark::Rolled5m.get(tx).await? else {
        return Ok(());
    };
    if first >= rolled {
        return Ok(());
    }
    let kept = Mark::PrunedRaw.get(tx).await?.unwrap_or(i64::MIN);
    let back = floor_to(first, FIVE_MINUTES_MS).max(kept);
    Mark::Rolled5m.lower(tx, back).await?;
    let kept = Mark::Pruned5m.get(tx).await?.unwrap_or(i64::MIN);
    Mark::Rolled1h
        .lower(tx, floor_to(back, HOUR_MS).max(kept))
        .await
}

impl Store {
    /// Writes a batch, all or nothing, in one transaction. Writing it again changes nothing.
    ///
    /// # Errors
    /// Whatever the database says; then nothing of the batch is written.
    pub async fn write_history(&self, batch: &HistoryBatch) -> Result<(), StoreError> {
        if *batch == HistoryBatch::default() {
            return Ok(());
        }
        let numbers = self.series_of(&targets(batch)).await?;
        let states = state_rows(batch, &numbers)?;
        let mut tx = self.history_db().begin().await?;
        tx.take_turn(Turn::History).await?;
        if let Some(first) = batch.samples.iter().map(|s| s.at.as_millis()).min() {
            go_back_for(&mut tx, first).await?;
        }
        SAMPLES.write(&mut tx, sample_rows(batch, &numbers)).await?;
        LAST_STATES.write(&mut tx, states).await?;
        AVAILABILITY
            .write(&mut tx, availability_rows(batch))
            .await?;
        LOSSES.write(&mut tx, loss_rows(batch, &numbers)).await?;
        tx.commit().await
    }

    /// The last known state of every entity that ever reported.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn last_states(&self) -> Result<Vec<LastState>, StoreError> {
        let rows = self
            .history_db()
            .all(
                "SELECT s.device_id, s.entity_id, l.number, l.word, l.attributes,
                    l.reported_at, l.changed_at
                 FROM last_states l JOIN series s ON s.id = l.series
                 ORDER BY s.device_id, s.entity_id",
                [],
            )
            .await?;
        rows.iter().map(read_state).collect()
    }
}

fn read_state(row: &Row) -> Result<LastState, StoreError> {
    Ok(LastState {
        target: EntityRef {
            device: row.parsed(0, "last state")?,
            entity: row.parsed(1, "last state")?,
        },
        state: value(row.opt_real(2)?, row.opt_text(3)?),
        attributes: row.json(4, "last state")?,
        reported_at: row.opt_at(5)?,
        changed_at: row.opt_at(6)?,
    })
}
