//! The `.flow` sources of the standard library, embedded.

/// A module's name and its text.
pub type Source = (&'static str, &'static str);

/// Every module of `std`, in alphabetical order.
pub const MODULES: &[Source] = &[
    ("std.cluster", include_str!("../std/cluster.flow")),
    ("std.data", include_str!("../std/data.flow")),
    ("std.debug", include_str!("../std/debug.flow")),
    ("std.explain", include_str!("../std/explain.flow")),
    ("std.factor", include_str!("../std/factor.flow")),
    ("std.linear", include_str!("../std/linear.flow")),
    ("std.metrics", include_str!("../std/metrics.flow")),
    ("std.neighbors", include_str!("../std/neighbors.flow")),
    ("std.neural", include_str!("../std/neural.flow")),
    ("std.onnx", include_str!("../std/onnx.flow")),
    ("std.prep", include_str!("../std/prep.flow")),
    ("std.reduce", include_str!("../std/reduce.flow")),
    ("std.report", include_str!("../std/report.flow")),
    ("std.search", include_str!("../std/search.flow")),
    ("std.table", include_str!("../std/table.flow")),
    ("std.tree", include_str!("../std/tree.flow")),
];
