//! How much work a stranger's file may ask of the planner.

use flow_ir::value::Value;

use crate::error::Problem;

const STEPS: u64 = 10_000_000;
const NODES: u32 = 1_000_000;
/// Workflows that call each other, and `run if`s in each other. A DAG's JSON nests with them, and readers bear
/// 128 brackets in each other.
pub const REGIONS: u32 = 30;
const BYTES: u64 = 64 << 20;
/// Expressions in expressions, those of inlined fns included. The parser stops at 200 brackets and
/// 500 operators in each other, so that this is room for fns that call fns.
const DEPTH: u32 = 1_000;

#[derive(Debug, Default)]
pub(super) struct Fuel {
    steps: u64,
    bytes: u64,
    nodes: u32,
    depth: u32,
}

impl Fuel {
    pub(super) fn enter(&mut self) -> Result<(), Problem> {
        self.steps(1)?;
        if self.depth >= DEPTH {
            return Err(Problem::Fuel { limit: "1,000 expressions in each other" });
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn steps(&mut self, count: u64) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > STEPS { Err(Problem::Fuel { limit: "10 million steps" }) } else { Ok(()) }
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(count);
        if self.bytes > BYTES { Err(Problem::Fuel { limit: "64 MiB of values" }) } else { Ok(()) }
    }

    /// Counts a copy of `value`. Small ones pass as a part of the node they stand in.
    pub(super) fn copy(&mut self, value: &Value) -> Result<(), Problem> {
        let size = heap_size(value);
        if size < 256 { Ok(()) } else { self.bytes(size) }
    }

    /// Counts a node, of the workflow's own or of a region.
    pub(super) fn node(&mut self) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > NODES { Err(Problem::Fuel { limit: "a million nodes" }) } else { Ok(()) }
    }

    /// Enters a region that stands in as many others.
    pub(super) fn region(&mut self, depth: u32) -> Result<(), Problem> {
        self.steps(1)?;
        if depth >= REGIONS { Err(Problem::Fuel { limit: "30 regions in each other" }) } else { Ok(()) }
    }
}

/// The bytes that a value holds beside itself.
pub(super) fn heap_size(value: &Value) -> u64 {
    match value {
        Value::Text(text) | Value::File(text) | Value::Column(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        Value::Enum { ty, variant } => (ty.len() + variant.len()) as u64,
        Value::List(items) => items.iter().map(|item| VALUE_SIZE + heap_size(item)).sum(),
        Value::Record(fields) => {
            fields.iter().map(|(name, field)| VALUE_SIZE + name.len() as u64 + heap_size(field)).sum()
        }
        _ => 0,
    }
}

pub(super) const VALUE_SIZE: u64 = size_of::<Value>() as u64;

/// Does work that recurses: expressions stand in each other deeper than the stack of a thread, so that it
/// grows where little is left.
pub(super) fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    const LITTLE: usize = 128 << 10;
    const MORE: usize = 4 << 20;
    stacker::maybe_grow(LITTLE, MORE, work)
}
