//! Typed bodies: what a workflow, fn, constant or default computes, with every name resolved.
//!
//! A lambda is checked anew at each of its calls, so a call of one stands here as a block that binds
//! the parameters. A generic fn or workflow is checked anew for each list of type arguments; a call
//! names the instance. So the types in an instance's body are ground.

use std::sync::Arc;

use flow_ir::{
    expr::{Aggregate, Function},
    hash::Hash,
    node::OperatorPlace,
    value::Value,
};
use flow_syntax::span::Span;

use crate::ty::Ty;

/// The body of a fn, a workflow, or of anything else that has a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// The parameters, in order.
    pub params: Vec<Local>,
    pub value: Expr,
    /// How many locals there are: each [`LocalId`] is below.
    pub locals: u32,
}

/// A name bound by a parameter, `let`, `for` or a lambda.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    pub id: LocalId,
    /// As written; node ids are made of it.
    pub name: String,
    pub ty: Ty,
}

/// Unique within its [`Body`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Ty,
    /// Relative to the item whose body this is.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// A literal, an enum's variant, or a column's name as an argument.
    Value(Value),
    /// `"text with {expression}"`
    Interpolate(Vec<Part>),
    Local(LocalId),
    Const(ItemRef),
    /// A column of the row in scope, inside a verb's argument or an applied column expression.
    Column(String),
    Block {
        bindings: Vec<Binding>,
        value: Box<Expr>,
    },
    /// A field of a record; a port of a call with several outputs.
    Field {
        base: Box<Expr>,
        name: String,
    },
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    List(Vec<Expr>),
    Record(Vec<(String, Expr)>),
    Range {
        low: Box<Expr>,
        high: Box<Expr>,
        inclusive: bool,
    },
    /// A scalar function or operator, whether its operands are known, columns or futures.
    Scalar {
        function: Function,
        args: Vec<Expr>,
    },
    /// One value of the rows of a group or window. The columns in its arguments are those of each of these
    /// rows; outside of it, in a `group` keys alone, in a `window` the columns of the row that it belongs to.
    /// `quantile` has its share as the second argument, which reads no column.
    Aggregate {
        function: Aggregate,
        args: Vec<Expr>,
    },
    /// The operand as a value of this expression's type: a widening or a conversion.
    Cast(Box<Expr>),
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `None` stands for `_`.
    Match {
        subject: Box<Expr>,
        arms: Vec<(Option<Value>, Expr)>,
    },
    /// The list of the bodies' values.
    For {
        pattern: Pattern,
        list: Box<Expr>,
        body: Box<Expr>,
    },
    /// A conditional node: decided while the workflow runs.
    RunIf {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
    /// A map node: one body for each element of a list that is known when run.
    RunFor {
        pattern: Pattern,
        list: Box<Expr>,
        max: Option<Box<Expr>>,
        body: Box<Expr>,
    },
    /// A loop node: tests first; the body's value is the next state.
    RunWhile {
        condition: Box<Expr>,
        state: Local,
        start: Box<Expr>,
        max: Option<Box<Expr>>,
        body: Box<Expr>,
    },
    /// A function over lists, or a node of the language's own.
    Builtin {
        builtin: Builtin,
        args: Vec<Expr>,
        /// Of the node, where it makes one.
        policy: Vec<(String, Expr)>,
    },
    CallFn {
        function: Instance,
        args: Vec<Expr>,
    },
    CallWorkflow {
        workflow: Instance,
        args: Vec<(String, Expr)>,
        /// The parameters whose argument is the default, as it is written at the declaration.
        defaults: Vec<String>,
        /// Of the node that runs it.
        policy: Box<[(String, Expr)]>,
        after: Vec<Expr>,
    },
    CallOperator(Box<OperatorCall>),
    /// What serves in tests alone.
    Test {
        function: TestFunction,
        args: Vec<Expr>,
    },
    /// A mistake was made here and reported.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Text(String),
    Expr(Expr),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    pub pattern: Pattern,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    Local(Local),
    /// By name: the record's field, and what it is bound to.
    Record(Vec<(String, Local)>),
}

/// An item of a module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemRef {
    pub module: String,
    pub name: String,
}

/// A fn or workflow with its generic parameters decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    pub item: ItemRef,
    /// In the order of the item's generics.
    pub type_args: Vec<Ty>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    Len,
    Concat,
    Mean,
    Min,
    Max,
    Sum,
    /// A list of records by one of their fields, whose name is the second argument.
    SortedBy,
    /// Some of a list's elements, drawn without replacement: the list, how many at most, a seed.
    Sample,
    /// A node that gives its second argument on once the first, a Duration, has passed.
    Wait,
    /// A node that gives its second argument on once a signal of the first's name arrives. The third is how long
    /// that may take: a Duration, or `none`.
    WaitFor,
    /// A node that gives its argument, a record, on once all of it is there.
    Pass,
}

/// What a test says, asks for, or asks of what it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TestFunction {
    /// Fails the test where its argument, a Bool, is false.
    Assert,
    /// Whether two values are equal, or not: what is missing equals nothing that is there.
    Same,
    Differs,
    /// The DAG of a call of a workflow, in which a table may be left out.
    Plan,
    /// What becomes of such a call: behind it `fail`, `slow`, `choose`, `cores` and `memory`, each perhaps `none`.
    /// The first three are lists of records that speak of a `node` each.
    Simulate,
    /// The record of the outputs of a call of a workflow. Of a table it has `(rows, columns, hash)`, of a model `(hash)`.
    Run,
    /// Of a DAG, which is the first argument.
    Nodes,
    Node,
    Count,
    Feeds,
    Width,
    Depth,
    Matches,
    /// Of a node of a DAG, a record.
    Input,
    /// Of what `simulate` gave.
    State,
    Attempts,
    Elapsed,
    Status,
    PeakCores,
    PeakMemory,
}

/// A call that makes a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperatorCall {
    pub operator: Arc<OperatorInfo>,
    /// One for each parameter, in the operator's order, defaults filled in. Arguments over columns
    /// hold [`ExprKind::Column`]s. `derive` has `data`, and `columns` as a record of expressions;
    /// `select` has `columns` as a list of column names also where a schema was given.
    pub inputs: Vec<(String, Expr)>,
    /// Names and types. One unnamed result is called `value`.
    pub outputs: Vec<(String, Ty)>,
    /// Whether the call's value is the record of its outputs, rather than its only output.
    pub is_record: bool,
    /// The call site's `with (…)` alone; it overrides the operator's, key by key.
    pub policy: Vec<(String, Expr)>,
    /// The values of `after:`.
    pub after: Vec<Expr>,
}

/// What the planner needs to know of an operator's declaration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperatorInfo {
    /// With its module: `std.tree.gbdt`.
    pub name: String,
    /// Of the declaration's tokens, documentation and comments left out.
    pub signature: Hash,
    pub place: OperatorPlace,
    pub effect: bool,
    /// Natives are, unless they say `effect`; external ones only where they say `deterministic`.
    pub deterministic: bool,
    /// The declaration's `with (…)`.
    pub policy: Vec<(String, Expr)>,
}

impl Expr {
    /// Puts an expression from another item into a body: its places become `span`, and its locals are
    /// counted from `first` on.
    pub(crate) fn relocate(&mut self, span: Span, first: u32) {
        self.span = span;
        let local = |local: &mut Local| local.id.0 += first;
        let pattern = |pattern: &mut Pattern| match pattern {
            Pattern::Local(bound) => local(bound),
            Pattern::Record(fields) => fields.iter_mut().for_each(|(_, bound)| local(bound)),
        };
        match &mut self.kind {
            ExprKind::Local(id) => id.0 += first,
            ExprKind::Block { bindings, .. } => {
                for binding in bindings {
                    binding.span = span;
                    pattern(&mut binding.pattern);
                }
            }
            ExprKind::For { pattern: bound, .. } | ExprKind::RunFor { pattern: bound, .. } => pattern(bound),
            ExprKind::RunWhile { state, .. } => local(state),
            _ => {}
        }
        self.for_each_child_mut(&mut |child| child.relocate(span, first));
    }

    /// Calls `visit` with every expression right within this one.
    pub fn for_each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match &mut self.kind {
            ExprKind::Value(_)
            | ExprKind::Local(_)
            | ExprKind::Const(_)
            | ExprKind::Column(_)
            | ExprKind::Error => {}
            ExprKind::Interpolate(parts) => {
                for part in parts {
                    if let Part::Expr(value) = part {
                        visit(value);
                    }
                }
            }
            ExprKind::Block { bindings, value } => {
                bindings.iter_mut().for_each(|binding| visit(&mut binding.value));
                visit(value);
            }
            ExprKind::Field { base, .. } | ExprKind::Cast(base) => visit(base),
            ExprKind::Index { base, index } => {
                visit(base);
                visit(index);
            }
            ExprKind::List(values)
            | ExprKind::Scalar { args: values, .. }
            | ExprKind::Aggregate { args: values, .. }
            | ExprKind::CallFn { args: values, .. }
            | ExprKind::Test { args: values, .. } => values.iter_mut().for_each(visit),
            ExprKind::Record(fields) => fields.iter_mut().for_each(|(_, value)| visit(value)),
            ExprKind::Range { low, high, .. } => {
                visit(low);
                visit(high);
            }
            ExprKind::If { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            ExprKind::RunIf { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                otherwise.iter_mut().for_each(|otherwise| visit(otherwise));
            }
            ExprKind::Match { subject, arms } => {
                visit(subject);
                arms.iter_mut().for_each(|(_, value)| visit(value));
            }
            ExprKind::For { list, body, .. } => {
                visit(list);
                visit(body);
            }
            ExprKind::RunFor { list, max, body, .. } => {
                visit(list);
                max.iter_mut().for_each(|max| visit(max));
                visit(body);
            }
            ExprKind::RunWhile { condition, start, max, body, .. } => {
                visit(start);
                max.iter_mut().for_each(|max| visit(max));
                visit(condition);
                visit(body);
            }
            ExprKind::Builtin { args, policy, .. } => {
                args.iter_mut().for_each(&mut *visit);
                policy.iter_mut().for_each(|(_, value)| visit(value));
            }
            ExprKind::CallWorkflow { args, policy, after, .. } => {
                args.iter_mut().for_each(|(_, value)| visit(value));
                policy.iter_mut().for_each(|(_, value)| visit(value));
                after.iter_mut().for_each(visit);
            }
            ExprKind::CallOperator(call) => {
                call.inputs.iter_mut().for_each(|(_, value)| visit(value));
                call.policy.iter_mut().for_each(|(_, value)| visit(value));
                call.after.iter_mut().for_each(visit);
            }
        }
    }
}
