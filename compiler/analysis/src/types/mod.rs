//! Types as checking sees them: schemes of signatures, what fits where, what trainers make of a row.

mod features;
mod fits;
mod item;
mod resolve;
mod scheme;
mod show;
mod size;
mod transform;

pub use features::{LabelProblem, label_columns, task_of, unfit_features};
pub(crate) use fits::column_fits;
pub use fits::{ColumnMismatch, Mismatch, fits, join, needs_cast, same};
pub use item::{Meaning, TypeItem, enum_of, type_item};
pub(crate) use resolve::Resolver;
pub use scheme::{Bindings, Bound, ColumnKind, RowChange, RowPart, RowScheme, Scheme, Unknown};
pub(crate) use scheme::{FEATURES, LABEL, put, unsourced, written_lines};
pub use show::{show, show_columns, show_row};
pub(crate) use size::{MAX_PARTS, is_too_large};
pub(crate) use transform::applied;
