//! Types while checking: those of the IR, and what only the checker knows.

use flow_ir::types::Type;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// A mistake was made and reported; silences what follows from it.
    Error,
    Ground(Type),
}

impl Ty {
    /// The type as the IR has it; `None` where a mistake hides it.
    pub fn ground(&self) -> Option<Type> {
        match self {
            Self::Error => None,
            Self::Ground(ty) => Some(ty.clone()),
        }
    }
}
