//! Expressions: everything that has a value.

use super::{Name, PolicyEntry, TypeExpr};
use crate::span::Span;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    Literal(Literal),
    /// `"text with {expression}"`
    Interpolated(Vec<TextPart>),
    Name(Name),
    /// `.minutes`: a column of the row in scope
    Column(Name),
    /// `report.auc`, `tree.gbdt`, `Loss.squared`
    Field {
        base: Box<Expr>,
        name: Name,
    },
    /// `f(a, b: c)`; `x.f(a)` has a field as its callee
    Call {
        callee: Box<Expr>,
        args: Vec<Arg>,
    },
    /// `folds[0]`
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    /// `call(…) with (cpu: 2)`
    With {
        call: Box<Expr>,
        policy: Vec<PolicyEntry>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `a..b`, `a..=b`
    Range {
        low: Box<Expr>,
        high: Box<Expr>,
        inclusive: bool,
    },
    /// Without `else` the value is nothing, which only a statement may be.
    If {
        condition: Box<Expr>,
        then: Block,
        otherwise: Option<Box<Expr>>,
    },
    Match {
        subject: Box<Expr>,
        arms: Vec<MatchArm>,
    },
    /// `for depth in depths { … }`
    For {
        pattern: Pattern,
        list: Box<Expr>,
        body: Block,
    },
    /// `run if c { … } else { … }`
    RunIf {
        condition: Box<Expr>,
        then: Block,
        otherwise: Option<Box<Expr>>,
    },
    /// `run for day in days max 366 { … }`
    RunFor {
        pattern: Pattern,
        list: Box<Expr>,
        max: Option<Box<Expr>>,
        body: Block,
    },
    /// `run while s.gain > 0.001 from s = start max 20 { … }`
    RunWhile {
        condition: Box<Expr>,
        state: Name,
        start: Box<Expr>,
        max: Option<Box<Expr>>,
        body: Block,
    },
    /// `(x, y) => e`
    Lambda {
        params: Vec<Name>,
        body: Box<Expr>,
    },
    List(Vec<Expr>),
    /// `(train: a, test)`
    Record(Vec<RecordField>),
    /// `(e)`
    Paren(Box<Expr>),
    Block(Block),
    /// Something that could not be read; its diagnostics say why.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    Bool(bool),
    None,
    /// Magnitude; `9223372036854775808` is only valid behind a minus sign.
    Int(u64),
    Float(Number),
    Text(String),
    /// `r"raw"`
    RawText(String),
    /// `80%` as its number of percent
    Percent(Number),
    /// Bytes.
    Size(u64),
    /// Microseconds.
    Duration(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
}

/// A finite floating-point literal, compared by its bits.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextPart {
    Text(String),
    Expr(Box<Expr>),
}

/// `name: value` or `value`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arg {
    pub name: Option<Name>,
    pub value: Expr,
}

/// `name: value`; for the short form `name`, the value is that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordField {
    pub name: Name,
    pub value: Expr,
    /// Whether `name:` was written.
    pub is_named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Negate,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Power,
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    /// `??`
    OrElse,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    And,
    Or,
}

impl BinaryOp {
    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Power => "**",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::OrElse => "??",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatchArm {
    pub pattern: MatchPattern,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MatchPattern {
    /// A literal, a signed number, or an enum's variant such as `Loss.squared`.
    Value(Expr),
    /// `_`
    Any(Span),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub statements: Vec<Statement>,
    /// From `{` to `}`.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Statement {
    Let(Let),
    /// In tests alone.
    Assert {
        condition: Expr,
        span: Span,
    },
    Expr(Expr),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Let {
    pub pattern: Pattern,
    pub ty: Option<TypeExpr>,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    Name(Name),
    /// `(train: fit_rows, test)`: by name, in any order
    Record {
        fields: Vec<PatternField>,
        span: Span,
    },
    Error(Span),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatternField {
    /// The record's field.
    pub field: Name,
    /// What it is bound to; the field's own name in the short form.
    pub binding: Name,
}
