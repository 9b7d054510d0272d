//! The `.flow` sources of the standard library, embedded.

/// A module's name and its text.
pub type Source = (&'static str, &'static str);

/// Every module of `std`, in alphabetical order.
pub const MODULES: &[Source] = &[
    ("std.data", include_str!("../std/data.flow")),
    ("std.debug", include_str!("../std/debug.flow")),
    ("std.metrics", include_str!("../std/metrics.flow")),
    ("std.table", include_str!("../std/table.flow")),
    ("std.tree", include_str!("../std/tree.flow")),
];
