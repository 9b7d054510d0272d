//! Which body belongs to which name.

use std::sync::Arc;

use flow_ir::hash::Hash;
use flow_runtime::operator::{Call, Context, Datum, Native, Operator, OperatorError, Registry};

use crate::{data, debug};

/// The operators of `std`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardLibrary;

type Body = fn(&Call, &dyn Context) -> Result<Vec<Datum>, OperatorError>;

/// An operator's full name; its version, which rises when results change; the hash of the signature
/// that the body was written for; and the body.
type Entry = (&'static str, u32, &'static str, Body);

#[rustfmt::skip]
const OPERATORS: &[Entry] = &[
    ("std.data.csv",    1, "872b4f5588d08e0ffee8d3efe59f5c8f6ddfd0381d421f677b028054087bb3a4", data::csv::csv),
    ("std.debug.fail",  1, "7025ed916c31733fde9d9615856f18ff55e5b4e5c073ae88f22467b1f10b97a8", debug::fail),
    ("std.debug.noop",  1, "b1ff24bc236048d0a32a6cb737d409492d3ef20baa9905688b5ad789b8dfa62a", debug::noop),
    ("std.debug.sleep", 1, "f5e04ff91c29a78d2251c892261a3dd675f8c598cca388d4c6af508567698d4b", debug::sleep),
];

impl Registry for StandardLibrary {
    fn find(&self, name: &str) -> Option<Native> {
        let (_, version, signature, body) = OPERATORS.iter().find(|(operator, ..)| *operator == name)?;
        let signature = Hash::from_hex(signature)?;
        Some(Native { version: *version, signature, body: Arc::new(Function(*body)) })
    }
}

impl StandardLibrary {
    /// The full names of all operators, in alphabetical order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        OPERATORS.iter().map(|(name, ..)| *name)
    }
}

struct Function(Body);

impl Operator for Function {
    fn run(&self, call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        (self.0)(call, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_is_found_by_its_name() {
        for name in StandardLibrary::names() {
            assert!(StandardLibrary.find(name).is_some(), "{name}");
        }
        assert!(StandardLibrary::names().is_sorted());
        assert!(StandardLibrary.find("std.data.cvs").is_none());
    }
}
