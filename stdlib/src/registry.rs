//! Which body belongs to which name.

use std::sync::Arc;

use flow_ir::{
    hash::Hash,
    node::{OperatorRef, QUERY},
};
use flow_runtime::operator::{Call, Context, Datum, Native, Operator, OperatorError, Registry};

use crate::{data, debug, metrics, table, train};

/// The operators of `std`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardLibrary;

type Body = fn(&Call, &dyn Context) -> Result<Vec<Datum>, OperatorError>;

/// An operator's full name; its version, which rises when results change; the hash of the signature
/// that the body was written for; and the body.
type Entry = (&'static str, u32, &'static str, Body);

#[rustfmt::skip]
const OPERATORS: &[Entry] = &[
    ("std.data.csv",               1, "96307d036161dd957ed52c5eb9e338c898b20230914e60428e1f7bbc509f1477", data::csv::csv),
    ("std.data.rows",              1, "e6c75c1c47ffd2d754cc52ea02d90552c86c32a845eb08bc4571945ea6b6df91", data::rows::rows),
    ("std.debug.fail",             1, "8840becccb3376ccdcfa5f95ffec90d523b304a1f337232621be16e2e0824663", debug::fail),
    ("std.debug.noop",             1, "bf2a37b649d96dfffccdc52a47e594670c599b04bec24631971204eb77bbd41b", debug::noop),
    ("std.debug.sleep",            1, "f67388a216dd5e66ce7cbd7e61512207aaa7efd5b1ffdc506e2a46df14f35fea", debug::sleep),
    ("std.metrics.classification", 2, "0d0c3100210f89b7d5cf472a75091626aba2c4ceb79e63d1c538df7dbb3455da", metrics::classification::classification),
    ("std.metrics.regression",     2, "58534456b6ff459f2ae3473523423c205a6c52965c1e82f53ff05313c52247e1", metrics::regression::regression),
    ("std.table.assume_unseen",    1, "2517b45a92860921cd2ef03722de69e87b0cc6bf6ef8c8ce62dd11b4a2473a12", table::unseen::assume_unseen),
    ("std.table.derive",           1, "7f1e6acdd241aefaf7a90d9d4e8d0dfd34b41927614f1c866d167fdc65868ac9", table::steps::alone),
    ("std.table.drop",             1, "82a554690d566874bd9404c6202eb6b37d601e23c651735cf112a9d1ee28dfeb", table::steps::alone),
    ("std.table.predict",          1, "c3b92963c54b313c10dd5fda0cf09ff0f4ae84119848e561ef5df1d0665e52a6", table::predict::predict),
    ("std.table.select",           1, "ee573e1928a24a766f195d4165cc844c705c8dcbf5f7c6e61bae6b3e52c84be9", table::steps::alone),
    ("std.table.split",            1, "fe19a8dc0003cf15152d3682ebb12407885b4ed38153994b5769683b9527e92e", table::split::split),
    ("std.table.where",            1, "1ef9027dea61a89cbf6b908331394015bcb16aa3f4799e9e117f05eddc145ca0", table::steps::alone),
    ("std.tree.gbdt",              train::VERSION, "fb10b2abc7e2adf48b8cdafb35a259366e86d67c97e9ad5a03029218d6b56923", train::gbdt),
];

impl Registry for StandardLibrary {
    fn find(&self, name: &str) -> Option<Native> {
        if name == QUERY {
            let OperatorRef { version, signature, .. } = OperatorRef::query();
            return Some(Native { version, signature, body: Arc::new(Function(table::steps::query)) });
        }
        let (_, version, signature, body) = OPERATORS.iter().find(|(operator, ..)| *operator == name)?;
        let signature = Hash::from_hex(signature)?;
        Some(Native { version: *version, signature, body: Arc::new(Function(*body)) })
    }
}

impl StandardLibrary {
    /// Whether calls of that operator can be steps of a query.
    pub fn is_step(name: &str) -> bool {
        table::steps::verb(name).is_some()
    }

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
