//! What the rule of a verb is given, and what it gives.

use flow_ir::types::{Row, Type};
use flow_syntax::{ast, span::Span};

use crate::{
    body::Expr,
    check::{Checker, Typed},
    db::Item,
    header::VALUE,
    stages::Stage,
};

/// A call of a verb, with the table that it works on and its row.
pub(crate) struct VerbCall<'db> {
    /// The verb's declaration.
    pub item: Item<'db>,
    pub data: Typed,
    pub row: Row,
    pub args: Vec<&'db ast::Arg>,
    pub name: &'db ast::Name,
    pub span: Span,
}

/// What the node takes, in the order of the verb's parameters, and what it gives.
pub(crate) struct VerbResult {
    pub inputs: Vec<(String, Expr)>,
    pub outputs: Vec<(String, Type)>,
    /// Whether the value is the record of the outputs, rather than the only one.
    pub is_record: bool,
    /// Of the value: a list's length may be known when planned.
    pub stage: Stage,
}

impl VerbResult {
    /// One table.
    pub fn table(inputs: Vec<(String, Expr)>, row: Row) -> Self {
        Self::value(inputs, Type::Dataset(row), Stage::Run)
    }

    /// Tables with names, of the same row.
    pub fn parts(
        inputs: Vec<(String, Expr)>,
        row: &Row,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let outputs = names.into_iter().map(|name| (name.into(), Type::Dataset(row.clone()))).collect();
        Self { inputs, outputs, is_record: true, stage: Stage::Run }
    }

    pub fn value(inputs: Vec<(String, Expr)>, ty: Type, stage: Stage) -> Self {
        Self { inputs, outputs: vec![(VALUE.to_owned(), ty)], is_record: false, stage }
    }
}

/// Types a call; `None` where it is wrong, which is reported.
pub(crate) type Rule = for<'c, 'db> fn(&'c mut Checker<'db>, VerbCall<'db>) -> Option<VerbResult>;
