//! Types as written.

use super::{Expr, Name, Path, Text};
use crate::span::Span;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeExpr {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `Float`, `Dataset<Ride>`, `Embedding<384>`, `clean.Ride`
    Named {
        path: Path,
        args: Vec<TypeArg>,
    },
    /// `Float?`
    Optional(Box<TypeExpr>),
    /// `Int in 1..=16`, `Text matching r"…"`
    Refined {
        base: Box<TypeExpr>,
        refinement: Refinement,
    },
    /// `{ ..R without (a), b: Int, .. }`
    Row(Vec<RowEntry>),
    /// `(train: Dataset<R>, test: Dataset<R>)`
    Record(Vec<RecordTypeField>),
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeArg {
    Type(TypeExpr),
    /// The 384 of `Embedding<384>`.
    Number(i64, Span),
    /// The `"sklearn"` of `Opaque<"sklearn">`.
    Text(Text),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refinement {
    /// Bounds are signed literals or names of constants; an open side is `None`.
    In {
        low: Option<Box<Expr>>,
        high: Option<Box<Expr>>,
        inclusive: bool,
    },
    Matching(Text),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowEntry {
    /// `..R`, with at most one change to it
    Spread { row: Path, change: Option<RowChange>, span: Span },
    /// `b: Int`
    Column { name: Name, ty: TypeExpr },
    /// `[into]: T`: the parameter of that name holds the column's name
    Named { param: Name, ty: TypeExpr, span: Span },
    /// `..`: any further columns
    Open(Span),
}

/// What a spread does to its row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowChange {
    /// `without (a, c)`
    Without(Vec<Name>),
    /// `without columns`: the parameter of that name lists them
    WithoutListed(Name),
    /// `with columns present`: their `?` removed
    WithPresent(Name),
    /// `with columns: T`
    WithType(Name, TypeExpr),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordTypeField {
    pub name: Name,
    pub ty: TypeExpr,
}
