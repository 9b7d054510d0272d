//! Which body belongs to which name.

use std::sync::Arc;

use flow_ir::hash::Hash;
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
    ("std.data.csv",               1, "872b4f5588d08e0ffee8d3efe59f5c8f6ddfd0381d421f677b028054087bb3a4", data::csv::csv),
    ("std.debug.fail",             1, "7025ed916c31733fde9d9615856f18ff55e5b4e5c073ae88f22467b1f10b97a8", debug::fail),
    ("std.debug.noop",             1, "b1ff24bc236048d0a32a6cb737d409492d3ef20baa9905688b5ad789b8dfa62a", debug::noop),
    ("std.debug.sleep",            1, "f5e04ff91c29a78d2251c892261a3dd675f8c598cca388d4c6af508567698d4b", debug::sleep),
    ("std.metrics.classification", 1, "fd91bae2248d47f79b8da98e7506fc9180f567e340e74ef450c945d81e764465", metrics::classification::classification),
    ("std.metrics.regression",     1, "ff5bf3d55943e474bedd4e720b5d2fa055a7a398a7f4ca3e0b1aeede0a16da00", metrics::regression::regression),
    ("std.table.derive",           1, "0815bcf2e33256292467840381608a177200b5ced13733892b3295e738b87fc9", table::derive::derive),
    ("std.table.drop",             1, "33bdd31147dbf2335243f24d5420c624c15c5a72e4e638cfbe223be81666d2aa", table::columns::drop),
    ("std.table.predict",          1, "1efcc6f02d8ee5d03e529ee42194d9d12868cacc8955b15f7b4c58ae0d6863ce", table::predict::predict),
    ("std.table.select",           1, "2ea7dbedfb56464e56473988cbedb024b70654a4ae9deb0d5c7a07707eb2eae4", table::columns::select),
    ("std.table.split",            1, "155c02adf3a46ad4a50cad3e605d685d7ab90bc9bacd11b6094def69b377071b", table::split::split),
    ("std.table.where",            1, "1ead1de9c65f2b84c7db16eb8e05b1906fe0ac49aee2e04c3c6326fb0d65579f", table::filter::filter),
    ("std.tree.gbdt",              train::VERSION, "3846e154bf74daf9739e6c1c03dc682f9cf3e3a75634755f77f6ae867b0016c2", train::gbdt),
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
