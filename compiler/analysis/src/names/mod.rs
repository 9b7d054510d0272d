//! Which item a name means.

mod case;
mod cycles;
mod mentions;
mod scopes;
mod standard;
mod suggest;
mod uses;

pub use cycles::{import_cycles, recursion};
pub use mentions::{References, references};
pub use scopes::{Import, Scope, imported_modules, module_named, resolve, scope};
pub use standard::{prelude, verbs};
pub(crate) use suggest::{did_you_mean, quoted};
pub use uses::{Mistake, check_uses};
