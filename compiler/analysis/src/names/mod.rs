//! Which item a name means.

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
