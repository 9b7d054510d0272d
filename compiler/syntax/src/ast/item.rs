//! Items: what stands at the top level of a file.

use super::{Block, Doc, Expr, Name, Path, TypeExpr};
use crate::span::Span;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    pub doc: Option<Doc>,
    pub kind: ItemKind,
    /// From the first documentation line to the item's last token.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    Use(Use),
    Const(Const),
    Type(TypeAlias),
    Enum(Enum),
    Schema(Schema),
    Fn(Function),
    Operator(Operator),
    Workflow(Workflow),
    Test(Test),
    /// Something that could not be read as an item; its diagnostics say why.
    Error,
}

/// `use std.tree`, `use pipelines.clean.{tidy, Ride}`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Use {
    pub path: Path,
    /// The names in braces, where there are braces.
    pub names: Option<Vec<Name>>,
}

/// `const SEED: Int = 7`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Const {
    pub name: Name,
    pub ty: Option<TypeExpr>,
    pub value: Expr,
}

/// `type Rounds = Int in 1..=10_000`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeAlias {
    pub name: Name,
    pub ty: TypeExpr,
}

/// `enum Loss { squared, absolute }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Enum {
    pub name: Name,
    pub variants: Vec<Variant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    pub doc: Option<Doc>,
    pub name: Name,
}

/// `schema Ride { ride_id: Id<Int>, … }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schema {
    pub name: Name,
    pub columns: Vec<SchemaColumn>,
}

/// `acidity: Float from "fixed acidity"`, `income: Label<Category> positive ">50K"`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaColumn {
    pub doc: Option<Doc>,
    pub name: Name,
    pub ty: TypeExpr,
    /// The column's name in the file, where it has another one.
    pub from: Option<Text>,
    /// The class of a label that counts as positive.
    pub positive: Option<Text>,
}

/// A plain text literal: no interpolation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    pub value: String,
    pub span: Span,
}

/// `<R: { a: Float, .. }>`: one name of a generic list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Generic {
    pub name: Name,
    pub bound: Option<TypeExpr>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Param {
    pub doc: Option<Doc>,
    pub name: Name,
    pub ty: TypeExpr,
    /// `unseen by model`: what this parameter's rows must not have met.
    pub unseen_by: Vec<Name>,
    pub default: Option<Expr>,
}

/// `fn speed(distance: Float, minutes: Float) -> Float { … }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    pub name: Name,
    pub generics: Vec<Generic>,
    pub params: Vec<Param>,
    pub result: Option<TypeExpr>,
    /// `None` where the standard library supplies the body: `fn f(…) -> T = native`.
    pub body: Option<Block>,
}

/// One node of the DAG: a typed signature and where it runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    pub name: Name,
    pub generics: Vec<Generic>,
    pub params: Vec<Param>,
    pub result: Outputs,
    /// `deterministic` or `effect`, as written after the result.
    pub marks: Vec<(Mark, Span)>,
    pub policy: Vec<PolicyEntry>,
    pub body: OperatorBody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    Deterministic,
    Effect,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperatorBody {
    /// Implemented in the standard library.
    Native,
    /// A dataset verb: the checker computes its rows.
    Verb,
    /// `python "module:function" sources: [...]`
    Python {
        entry: Text,
        sources: Vec<Text>,
    },
    /// `command ["Rscript", "fit.R", docs, out.model] sources: [...]`
    Command {
        words: Vec<Expr>,
        sources: Vec<Text>,
    },
    Error,
}

/// `key: value` of a `with (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PolicyEntry {
    pub key: Name,
    pub value: Expr,
}

/// What follows `->` of an operator or workflow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outputs {
    /// `-> Dataset<R> rows of data`
    One(Output),
    /// `-> (train: Dataset<R> part of data, test: Dataset<R> part of data)`
    Named(Vec<Output>),
    /// No `->` was written.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    pub doc: Option<Doc>,
    /// Empty in `Outputs::One`.
    pub name: Option<Name>,
    pub ty: TypeExpr,
    pub provenance: Vec<Provenance>,
}

/// `rows of data`, `part of data`, `fitted on data, more`, `chosen on validation`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Provenance {
    pub kind: ProvenanceKind,
    pub params: Vec<Name>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProvenanceKind {
    RowsOf,
    PartOf,
    FittedOn,
    ChosenOn,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workflow {
    pub name: Name,
    pub generics: Vec<Generic>,
    pub params: Vec<Param>,
    pub result: Outputs,
    pub body: Block,
}

/// `test "test rows reach nothing but the report" { … }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    pub name: Text,
    pub body: Block,
}

impl ItemKind {
    /// The name the item puts into its module's scope.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Const(item) => Some(&item.name),
            Self::Type(item) => Some(&item.name),
            Self::Enum(item) => Some(&item.name),
            Self::Schema(item) => Some(&item.name),
            Self::Fn(item) => Some(&item.name),
            Self::Operator(item) => Some(&item.name),
            Self::Workflow(item) => Some(&item.name),
            Self::Use(_) | Self::Test(_) | Self::Error => None,
        }
    }
}
