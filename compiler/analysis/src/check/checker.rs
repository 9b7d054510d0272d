//! What the rules of expressions work with, and what they give.

use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_syntax::{
    ast,
    diagnostic::{Code, Diagnostic, code},
    span::Span,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Entry;
use crate::{
    body::{Expr, ExprKind, Local, LocalId},
    db::{Db, File},
    stages::Stage,
    ty::Ty,
    types::Bindings,
};

/// Lambdas are checked anew at each call; calls of calls of calls may double. Past this many it is an error.
const MAX_EXPANSIONS: u32 = 10_000;

/// The bodies of lambdas that call one another stand in each other, so many deep.
const MAX_NESTED: u32 = 64;

/// Of so many unknown names in one item, nobody wants to know what each of the further ones may have meant.
pub(crate) const MAX_SUGGESTIONS: usize = 200;

/// An expression with its type and stage.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub expr: Expr,
    pub stage: Stage,
}

/// What kind of body is checked; it decides what may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Workflow,
    /// Of a fn: it may be used when planning and for every row, so that `if` is allowed on anything.
    Function,
    /// A constant or a default.
    Constant,
    Test,
}

/// The row that a leading dot speaks of.
#[derive(Clone, Debug)]
pub(crate) enum RowInScope {
    None,
    Row(Row),
    /// Many rows with equal keys: a column that is no key stands in an aggregate.
    Group {
        row: Row,
        keys: Vec<String>,
    },
    /// The row itself, and in aggregates the earlier ones.
    Window(Row),
    /// Each of the rows of an aggregate.
    Aggregated(Row),
    /// There is one, but a mistake hides it.
    Unknown,
}

impl RowInScope {
    /// Its columns, where they are known.
    pub fn columns(&self) -> Option<&Row> {
        match self {
            Self::Row(row) | Self::Group { row, .. } | Self::Window(row) | Self::Aggregated(row) => Some(row),
            Self::None | Self::Unknown => None,
        }
    }

    /// Whether aggregates have rows to speak of.
    pub fn has_aggregates(&self) -> bool {
        matches!(self, Self::Group { .. } | Self::Window(_))
    }
}

/// Checks the expressions of one item.
pub(crate) struct Checker<'db> {
    pub db: &'db dyn Db,
    pub file: File,
    /// What the item's generic parameters stand for.
    pub generics: Bindings,
    pub context: Context,
    pub row: RowInScope,
    pub diagnostics: Vec<Diagnostic>,
    pub env: Vec<Entry<'db>>,
    /// Where in `env` each name is bound, the innermost last.
    pub(super) places: FxHashMap<&'db str, Vec<usize>>,
    locals: u32,
    /// Of the lists that names are bound to.
    pub(super) lengths: FxHashMap<LocalId, usize>,
    /// Of the variables of loops over lists that are written out: the values, each with its place.
    pub(super) turns: FxHashMap<LocalId, Vec<(Value, Span)>>,
    expansions: u32,
    /// Calls of lambdas that the expression stands in.
    pub(super) nested: u32,
    /// Where a type may be written to say what a `let` is: behind its name.
    pub annotation: Option<Span>,
    /// Whether a mistake hides the type that is wanted: what it would have decided is not asked for.
    pub is_wanted_hidden: bool,
    /// Unknown names that were told: further uses of one are the same mistake.
    pub told: FxHashSet<String>,
    /// Whether the next call of a workflow may leave tables and models out: a test's, which does not run it.
    pub may_leave_out: bool,
}

impl<'db> Checker<'db> {
    pub fn new(db: &'db dyn Db, file: File, context: Context) -> Self {
        Self {
            db,
            file,
            generics: Bindings::default(),
            context,
            row: RowInScope::None,
            diagnostics: Vec::new(),
            env: Vec::new(),
            places: FxHashMap::default(),
            locals: 0,
            lengths: FxHashMap::default(),
            turns: FxHashMap::default(),
            expansions: 0,
            nested: 0,
            annotation: None,
            is_wanted_hidden: false,
            told: FxHashSet::default(),
            may_leave_out: false,
        }
    }

    pub fn local_count(&self) -> u32 {
        self.locals
    }

    pub fn new_local(&mut self, name: &str, ty: Ty) -> Local {
        let id = LocalId(self.locals);
        self.locals += 1;
        Local { id, name: name.to_owned(), ty }
    }

    /// Makes room for the locals of an expression from elsewhere; gives the number its own are moved by.
    pub fn reserve_locals(&mut self, count: u32) -> u32 {
        let first = self.locals;
        self.locals += count;
        first
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports a mistake; what stands at its place has no type.
    pub fn fail(&mut self, code: Code, span: Span, message: impl Into<String>) -> Typed {
        self.report(Diagnostic::error(code, span, message));
        Typed::error(span)
    }

    /// A value whose shape must be there when the workflow is planned.
    pub fn require_planned(&mut self, stage: &Stage, span: Span, message: &str, help: &str) -> bool {
        let is_there = stage.has_known_shape() || self.decides_later();
        if !is_there {
            self.report(Diagnostic::error(code::KNOWN_TOO_LATE, span, message).help(help));
        }
        is_there
    }

    /// Within fns and column expressions, `if` and its like are decided where the value is.
    pub fn decides_later(&self) -> bool {
        self.context == Context::Function || !matches!(self.row, RowInScope::None)
    }

    /// Checks an expression over the columns of a row, which is lent: a copy of thousands of columns for each of
    /// hundreds of expressions would cost more than checking them.
    pub fn over_row(&mut self, row: &mut Row, expr: &'db ast::Expr) -> Typed {
        let outer = std::mem::replace(&mut self.row, RowInScope::Row(std::mem::take(row)));
        let typed = self.expr(expr, None);
        if let RowInScope::Row(lent) = std::mem::replace(&mut self.row, outer) {
            *row = lent;
        }
        typed
    }

    /// Counts one more call of a lambda; past the limits it is reported, once.
    pub fn count_expansion(&mut self, span: Span) -> bool {
        if self.expansions >= MAX_EXPANSIONS {
            return false;
        }
        self.expansions += 1;
        if self.nested >= MAX_NESTED {
            self.expansions = MAX_EXPANSIONS;
            let message = format!("lambdas call one another more than {MAX_NESTED} deep here");
            let help = "write some of them as a `fn`, which is checked once";
            self.report(Diagnostic::error(code::RECURSION, span, message).help(help));
        } else if self.expansions == MAX_EXPANSIONS {
            self.fail(code::RECURSION, span, "lambdas that call lambdas expand to too many calls here");
        }
        self.expansions < MAX_EXPANSIONS
    }
}

impl Typed {
    pub fn new(kind: ExprKind, ty: Type, span: Span, stage: Stage) -> Self {
        Self { expr: Expr { kind, ty: Ty::Ground(ty), span }, stage }
    }

    /// Stands for what a mistake hides; silences what follows.
    pub fn error(span: Span) -> Self {
        Self { expr: Expr { kind: ExprKind::Error, ty: Ty::Error, span }, stage: Stage::Planned }
    }

    pub fn ty(&self) -> Option<&Type> {
        match &self.expr.ty {
            Ty::Ground(ty) => Some(ty),
            Ty::Error => None,
        }
    }

    pub fn span(&self) -> Span {
        self.expr.span
    }
}
