//! What a workflow, or an operator, asks for and gives: for the planner, the command line and forms.

use std::sync::Arc;

use crate::{
    body::{Expr, OperatorInfo},
    ty::Ty,
};

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

/// An operator and its parameters. The type of one that has a variable is [`Ty::Error`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Declaration {
    pub operator: Arc<OperatorInfo>,
    pub params: Vec<Param>,
}
