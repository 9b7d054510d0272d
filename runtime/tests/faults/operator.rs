//! The one operator of all plans: what it gives follows from what it reads, and from nothing else.

use std::sync::Arc;

use flow_ir::{hash::Hash, value::Value};
use flow_runtime::artifact::SMALL;
use flow_runtime::operator::{Argument, Blob, Call, Context, Datum, Native, Operator, OperatorError};

use crate::{
    build::PARTS,
    plan::{NodePlan, OP, Plan, Size},
};

pub struct Work {
    /// Of each node, and of each part of its regions, whether it fails and how much it gives.
    nodes: Vec<(bool, Size)>,
}

/// What an input may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    Nothing,
    Number(i64),
    /// The number that the bytes begin with.
    Bytes(i64),
}

impl Work {
    pub fn native(plan: &Plan) -> Native {
        let parts = |(at, node): (usize, &NodePlan)| {
            let is_broken = |part| node.is_broken && part == if node.control.is_some() { 2 } else { 0 };
            (0..PARTS).map(|part| (is_broken(part), plan.size(at))).collect::<Vec<_>>()
        };
        let nodes = plan.nodes.iter().enumerate().flat_map(parts).collect();
        Native { version: 1, signature: Hash::of(OP.as_bytes()), body: Arc::new(Self { nodes }) }
    }
}

/// What a node gives.
pub fn give(seed: u64, node: usize, inputs: &[Read]) -> i64 {
    let mut bytes = [seed.to_le_bytes(), node.to_le_bytes()].concat();
    for input in inputs {
        let (kind, number) = match input {
            Read::Nothing => (0u8, 0),
            Read::Number(number) => (1, *number),
            Read::Bytes(number) => (2, *number),
        };
        bytes.push(kind);
        bytes.extend(number.to_le_bytes());
    }
    let Hash([a, b, c, d, ..]) = Hash::of(&bytes);
    i64::from(u32::from_le_bytes([a, b, c, d]))
}

impl Operator for Work {
    fn run(&self, call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        let mut inputs = Vec::new();
        let (mut node, mut seed) = (0, 0);
        for (name, input) in &call.inputs {
            let Argument::Datum(datum) = input else {
                return Err(OperatorError::failed(format!("`{name}` is no datum: {input:?}")));
            };
            let read = read(datum);
            match (name.as_str(), read) {
                ("node", Read::Number(number)) => node = number as usize,
                ("seed", Read::Number(number)) => seed = number as u64,
                _ => inputs.push(read),
            }
        }
        let (is_broken, size) = self.nodes[node];
        if is_broken {
            return Err(OperatorError::failed("it is broken"));
        }
        let number = give(seed, node, &inputs);
        let length = match size {
            Size::Short => return Ok(vec![Datum::Value(Value::Int(number))]),
            Size::Small => 8,
            // As many bytes as make it a file.
            Size::Large => SMALL as usize,
        };
        let mut bytes = vec![0; length];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Ok(vec![Datum::Blob(Blob { format: "bytes/1".into(), bytes: bytes.into() })])
    }
}

fn read(datum: &Datum) -> Read {
    match datum {
        Datum::Value(Value::None) => Read::Nothing,
        Datum::Value(Value::Int(number)) => Read::Number(*number),
        Datum::Blob(Blob { bytes, .. }) => Read::Bytes(i64::from_le_bytes(bytes[..8].try_into().unwrap())),
        // All that it says counts.
        Datum::List(elements) => digest(&elements.iter().map(read).collect::<Vec<_>>()),
        other => digest(other),
    }
}

fn digest(of: &impl std::fmt::Debug) -> Read {
    let Hash([a, b, c, d, ..]) = Hash::of(format!("{of:?}").as_bytes());
    Read::Number(i64::from(u32::from_le_bytes([a, b, c, d])))
}

/// The surroundings of an operator that nothing ever stops in the middle.
pub struct Quiet;

impl Context for Quiet {
    fn is_cancelled(&self) -> bool {
        false
    }

    fn attempt(&self) -> u32 {
        1
    }

    fn threads(&self) -> usize {
        1
    }

    fn memory(&self) -> u64 {
        0
    }

    fn gpus(&self) -> &[u32] {
        &[]
    }

    fn progress(&self, _: u64, _: u64) {}

    fn log(&self, _: &str) {}
}
