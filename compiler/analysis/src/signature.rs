//! What a workflow asks for and gives: for the planner, the command line and forms.

use crate::{body::Expr, ty::Ty};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// With its module: `iris.iris`.
    pub name: String,
    pub doc: Option<String>,
    pub params: Vec<Param>,
    pub outputs: Vec<Output>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Param {
    pub name: String,
    pub doc: Option<String>,
    pub ty: Ty,
    /// An expression of its own: no other parameter is in scope. A reader, such as `data.csv("rides.csv")`,
    /// where the parameter is a Dataset.
    pub default: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    pub name: String,
    pub doc: Option<String>,
    pub ty: Ty,
}
