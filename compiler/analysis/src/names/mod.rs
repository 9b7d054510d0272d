//! Which item a name means.
//!
//! `scopes` gathers the names of a module, its own and the imported ones, with `standard` for what is in scope
//! everywhere, and resolves a name in them. `uses` says what is wrong with imports, `repeats` and `case` what is
//! wrong with the names that a module defines, `cycles` which items need themselves and which modules one another, by
//! what `mentions` finds in their trees. For a name that means nothing there is `suggest`, and `elsewhere` for what
//! it would have meant in another tool.

mod case;
mod cycles;
mod elsewhere;
mod mentions;
mod repeats;
mod scopes;
mod standard;
mod suggest;
mod uses;

pub use cycles::{ImportCycle, import_cycles, recursion};
pub(crate) use elsewhere::{aggregate_for, verb_for};
pub use mentions::{References, references};
pub(crate) use repeats::repeats;
pub use scopes::{Import, Scope, imported_modules, imports, module_named, resolve, scope};
pub use standard::{prelude, verbs};
pub(crate) use suggest::{did_you_mean, quoted};
pub use uses::{Mistake, check_uses};
