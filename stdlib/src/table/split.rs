//! `std.table.split`: two parts of a table, at random but the same each time.
//!
//! A row goes to `train` where `hash(row) < share`. The hash is BLAKE3, keyed by
//! `derive_key("flow std.table.split 1", seed as 8 bytes, little-endian)`, of the row's [`Identities`]:
//!
//! - with `group`, the value of that column;
//! - else the value of the row's Id column, where the row type has exactly one `Id`;
//! - else, and where that value is missing, the row's index in the table as 8 bytes, little-endian.
//!
//! The top 53 bits of its first 8 bytes, read as a little-endian number, over 2^53. A row with an Id, or of a
//! group, stays on its side when other rows come or go; the parts hold `share` of the rows on average only.
//! Rows that the same hashes have parted before are refused: see [`Spread`].
//! With `stratify` each class has its share: see [`strata`].

use arrow::{
    array::BooleanArray,
    compute::{filter_record_batch, not},
};
use flow_ir::types::Row;
use flow_runtime::{
    artifact::map::release,
    operator::{Call, Context, Datum, OperatorError, Table},
};

use super::{
    columns::{self, column_index},
    identity::{Identities, id_column},
    spread::Spread,
    strata,
};
use crate::{arguments, internal, storage};

const KEY_CONTEXT: &str = "flow std.table.split 1";

/// Gives `train` and `test`, both in the order of `data`.
pub fn split(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let table = arguments::table(call, "data")?;
    let row = arguments::output_row(call, 0)?;
    let place = |name: Option<&str>| name.map(|name| column_index(&table.schema, name)).transpose();
    let group = place(arguments::optional_column(call, "group")?)?;
    let class = place(arguments::optional_column(call, "stratify")?)?;
    let draw = Draw {
        table,
        share: arguments::float_within(call, "share", 0.0, 1.0)?,
        key: blake3::derive_key(KEY_CONTEXT, &arguments::int(call, "seed")?.to_le_bytes()),
        identity: if group.is_some() { group } else { place(id_column(row))? },
    };
    let trains = match class {
        Some(class) => strata::sides(&draw, class, group.is_some(), context)?,
        None => draw.sides(context)?,
    };
    part(table, row, &trains, context)
}

/// How the rows of a table are drawn.
pub(super) struct Draw<'a> {
    pub table: &'a Table,
    /// Of the rows that go to `train`.
    pub share: f64,
    pub key: [u8; 32],
    /// The column that tells rows apart.
    pub identity: Option<usize>,
}

impl Draw<'_> {
    /// For each batch, which of its rows go to `train`.
    fn sides(&self, context: &dyn Context) -> Result<Vec<BooleanArray>, OperatorError> {
        let mut first = 0;
        let mut spread = Spread::default();
        let sides = self.table.batches.iter().map(|batch| {
            if context.is_cancelled() {
                return Err(OperatorError::Cancelled);
            }
            let identities = Identities::new(batch, self.identity, first)?;
            first += batch.num_rows() as u64;
            let hashes = (0..batch.num_rows()).map(|row| fraction(self.hash(identities.of(row).as_ref())));
            let hashes = hashes.inspect(|hash| spread.add(*hash));
            Ok(hashes.map(|hash| Some(hash < self.share)).collect())
        });
        let sides = sides.collect::<Result<_, _>>()?;
        if 0.0 < self.share && self.share < 1.0 && spread.is_cut() {
            return Err(OperatorError::with_help(
                "these rows are one part of a split with the same seed: it would not part them again by the share",
                "give one of the two another seed, as `seed: 1`",
            ));
        }
        Ok(sides)
    }

    /// 53 random bits.
    pub fn hash(&self, identity: &[u8]) -> u64 {
        let hash = blake3::keyed_hash(&self.key, identity);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(first) >> 11
    }
}

/// Where a hash lies between 0 and 1.
fn fraction(hash: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    let numerator = hash as f64;
    numerator / (1_u64 << 53) as f64
}

fn part(
    table: &Table,
    row: &Row,
    trains: &[BooleanArray],
    context: &dyn Context,
) -> Result<Vec<Datum>, OperatorError> {
    let schema = storage::schema(row)?;
    let (mut train, mut test) = (context.table(schema.clone()), context.table(schema.clone()));
    for (batch, sides) in table.batches.iter().zip(trains) {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        let others = not(sides).map_err(internal)?;
        let batch = columns::batch(&schema, batch.columns().to_vec(), batch.num_rows())?;
        train.push(filter_record_batch(&batch, sides).map_err(internal)?)?;
        test.push(filter_record_batch(&batch, &others).map_err(internal)?)?;
        release(&batch);
    }
    Ok(vec![train.finish()?, test.finish()?])
}
