//! Drawing the same share of every class.
//!
//! Of the n rows of a class, the ⌊share · n + ½⌋ with the smallest hashes go to `train`, of equal ones the
//! earlier. Where rows are drawn by groups these are groups instead, each of the class of its first row. A
//! missing value is a class of its own.

use arrow::array::BooleanArray;
use flow_runtime::operator::{Context, OperatorError};
use rustc_hash::FxHashMap;

use super::{identity::Identities, split::Draw};
use crate::check;

/// What goes to one side as a whole: a row, or a group's rows.
struct Unit {
    hash: u64,
    class: usize,
    is_train: bool,
}

/// For each batch, which of its rows go to `train`. `class` is the place of the column of classes.
pub(super) fn sides(
    draw: &Draw<'_>,
    class: usize,
    is_grouped: bool,
    context: &dyn Context,
) -> Result<Vec<BooleanArray>, OperatorError> {
    let rows = draw.table.rows();
    // A hash and a class of each row, and which unit it belongs to.
    let bytes = rows * (size_of::<Unit>() + 2 * size_of::<usize>());
    let _reservation = context.reserve("std.table.split", "the class of each row", bytes as u64)?;
    let mut units: Vec<Unit> = Vec::with_capacity(if is_grouped { 0 } else { rows });
    let mut unit_of_row: Vec<usize> = Vec::with_capacity(draw.table.rows());
    let mut groups: FxHashMap<Box<[u8]>, usize> = FxHashMap::default();
    let mut classes: FxHashMap<Option<Box<[u8]>>, usize> = FxHashMap::default();
    let mut first = 0;
    for batch in &draw.table.batches {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        let identities = Identities::new(batch, draw.identity, first)?;
        let values = Identities::new(batch, Some(class), first)?;
        for row in 0..batch.num_rows() {
            if row.is_multiple_of(8192) {
                check(context)?;
            }
            let identity = identities.of(row);
            if is_grouped {
                if let Some(unit) = groups.get(identity.as_ref()) {
                    unit_of_row.push(*unit);
                    continue;
                }
                groups.insert(identity.as_ref().into(), units.len());
            }
            let count = classes.len();
            let class = *classes.entry(values.value(row).map(|value| value.as_ref().into())).or_insert(count);
            unit_of_row.push(units.len());
            units.push(Unit { hash: draw.hash(identity.as_ref()), class, is_train: false });
        }
        first += batch.num_rows() as u64;
    }
    choose(&mut units, classes.len(), draw.share, context)?;

    check(context)?;
    let mut rows = unit_of_row.iter().map(|unit| units.get(*unit).map(|unit| unit.is_train));
    let batches = draw.table.batches.iter();
    Ok(batches.map(|batch| rows.by_ref().take(batch.num_rows()).collect()).collect())
}

/// Sends each class's share of units to `train`.
fn choose(
    units: &mut [Unit],
    classes: usize,
    share: f64,
    context: &dyn Context,
) -> Result<(), OperatorError> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (index, unit) in units.iter().enumerate() {
        members[unit.class].push(index);
    }
    for mut members in members {
        check(context)?;
        let count = share_of(members.len(), share);
        if 0 < count && count < members.len() {
            members.select_nth_unstable_by_key(count, |index| (units[*index].hash, *index));
        }
        check(context)?;
        for index in members.iter().take(count) {
            units[*index].is_train = true;
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a number of rows is one"
)]
fn share_of(count: usize, share: f64) -> usize {
    (share * count as f64 + 0.5).floor() as usize
}
