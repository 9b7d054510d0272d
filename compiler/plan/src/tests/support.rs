//! Programs made by hand, without the checker, for tests of the planner alone.

use std::{collections::HashMap, sync::Arc};

use flow_analysis::{
    body::{
        Binding, Body, Expr, ExprKind, Instance, ItemRef, Local, LocalId, OperatorCall, OperatorInfo, Pattern,
    },
    signature::{Declaration, Output, Param, Signature},
    ty::Ty,
};
use flow_ir::{
    dag::Dag,
    expr::Function,
    hash::Hash,
    key::Key,
    node::{Input, NodeKind, OperatorPlace},
    types::Type,
    value::Value,
};
use flow_syntax::{diagnostic::Diagnostic, span::Span};

use crate::{
    error::PlanError,
    evaluate::evaluate,
    parameters::Given,
    program::{PlanFacts, Program},
};

/// One workflow `w` in the module `m`, whose file is `flows/m.flow`, and fns and constants beside it.
#[derive(Default)]
pub(crate) struct TestProgram {
    pub(crate) params: Vec<Param>,
    pub(crate) outputs: Vec<(&'static str, &'static str)>,
    pub(crate) fns: HashMap<&'static str, Body>,
    pub(crate) body: Option<Arc<Body>>,
}

/// Every operator is implemented but these; nothing is known of files and the cache.
pub(crate) struct Facts;

const NOT_IMPLEMENTED: [&str; 2] = ["unwritten", "round_all"];

impl PlanFacts for Facts {
    fn operator_version(&self, operator: &str) -> Option<u32> {
        let name = operator.rsplit('.').next().unwrap();
        (!NOT_IMPLEMENTED.contains(&name)).then_some(1)
    }

    fn can_use_gpu(&self, _: &str) -> bool {
        false
    }

    fn is_step(&self, operator: &str) -> bool {
        ["derive", "drop", "select", "where"].iter().any(|verb| operator == format!("std.table.{verb}"))
    }

    fn file_hash(&self, _: &str) -> Option<Hash> {
        None
    }

    fn environment(&self, _: &OperatorPlace) -> Option<Hash> {
        None
    }

    fn cached(&self, _: Key) -> Option<Vec<Hash>> {
        None
    }
}

impl Program for TestProgram {
    fn signature(&self, module: &str, workflow: &str) -> Option<Arc<Signature>> {
        let output = |(name, ty): &(&str, &str)| Output {
            name: (*name).to_owned(),
            doc: None,
            ty: Ty::Ground(ty_of(ty)),
        };
        (module == "m" && workflow == "w").then(|| {
            Arc::new(Signature {
                name: "m.w".to_owned(),
                doc: None,
                params: self.params.clone(),
                outputs: self.outputs.iter().map(output).collect(),
            })
        })
    }

    fn callables(&self) -> Vec<String> {
        Vec::new()
    }

    fn workflow_body(&self, _: &str, _: &str) -> Option<Arc<Body>> {
        self.body.clone()
    }

    fn body(&self, function: &Instance) -> Option<Arc<Body>> {
        self.fns.get(function.item.name.as_str()).cloned().map(Arc::new)
    }

    fn const_body(&self, constant: &ItemRef) -> Option<Arc<Body>> {
        self.fns.get(constant.name.as_str()).cloned().map(Arc::new)
    }

    fn operator(&self, operator: &ItemRef) -> Option<Declaration> {
        let name = format!("{}.{}", operator.module, operator.name);
        let param = |name: &str, ty| Param {
            name: name.to_owned(),
            doc: None,
            ty: Ty::Ground(ty_of(ty)),
            default: None,
        };
        let params = match name.as_str() {
            "std.data.csv" => vec![param("path", "File")],
            _ => vec![param("limited", "Int in 1..=16")],
        };
        Some(Declaration { operator: info(&name), params })
    }

    fn check_where_same(&self, _: &str, _: &str, _: &[u32]) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn item_offset(&self, _: &ItemRef) -> u32 {
        1000
    }

    fn file(&self, module: &str) -> Option<String> {
        Some(format!("flows/{module}.flow"))
    }

    fn source_hash(&self, _: &str) -> Option<Hash> {
        None
    }
}

impl TestProgram {
    pub(crate) fn param(mut self, name: &str, ty: &str, default: Option<Expr>) -> Self {
        self.params.push(Param { name: name.to_owned(), doc: None, ty: Ty::Ground(ty_of(ty)), default });
        self
    }

    pub(crate) fn output(mut self, name: &'static str, ty: &'static str) -> Self {
        self.outputs.push((name, ty));
        self
    }

    pub(crate) fn function(mut self, name: &'static str, params: &[&str], value: Expr) -> Self {
        let ty = value.ty.clone();
        let params = params.iter().enumerate().map(|(index, name)| local(index, name, ty.clone())).collect();
        self.fns.insert(name, Body { params, value, locals: 20 });
        self
    }

    /// After all parameters.
    pub(crate) fn body(mut self, value: Expr) -> Self {
        let param = |(index, param): (usize, &Param)| local(index, &param.name, param.ty.clone());
        let params = self.params.iter().enumerate().map(param).collect();
        self.body = Some(Arc::new(Body { params, value, locals: 100 }));
        self
    }

    pub(crate) fn plan(&self) -> Result<Dag, PlanError> {
        evaluate(self, &Facts, "m", "w", &Given::default())
    }

    /// The plan's nodes and outputs, a line each.
    pub(crate) fn shown(&self) -> Vec<String> {
        show(&self.plan().unwrap())
    }

    pub(crate) fn error(&self) -> String {
        self.plan().unwrap_err().to_string()
    }
}

pub(crate) fn ty_of(text: &str) -> Type {
    Type::parse(text).unwrap()
}

fn local(index: usize, name: &str, ty: Ty) -> Local {
    Local { id: LocalId(u32::try_from(index).unwrap()), name: name.to_owned(), ty }
}

pub(crate) fn expr(kind: ExprKind, ty: &str) -> Expr {
    Expr { kind, ty: Ty::Ground(ty_of(ty)), span: Span::new(10, 20) }
}

pub(crate) fn value(text: &str, ty: &str) -> Expr {
    expr(ExprKind::Value(Value::parse(text).unwrap()), ty)
}

pub(crate) fn get(id: u32, ty: &str) -> Expr {
    expr(ExprKind::Local(LocalId(id)), ty)
}

pub(crate) fn column(name: &str, ty: &str) -> Expr {
    expr(ExprKind::Column(name.to_owned()), ty)
}

pub(crate) fn field(base: Expr, name: &str, ty: &str) -> Expr {
    expr(ExprKind::Field { base: Box::new(base), name: name.to_owned() }, ty)
}

pub(crate) fn scalar(function: Function, args: Vec<Expr>, ty: &str) -> Expr {
    expr(ExprKind::Scalar { function, args }, ty)
}

pub(crate) fn record(fields: Vec<(&str, Expr)>, ty: &str) -> Expr {
    expr(ExprKind::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()), ty)
}

pub(crate) fn list(items: Vec<Expr>, ty: &str) -> Expr {
    expr(ExprKind::List(items), ty)
}

pub(crate) fn call_fn(name: &str, args: Vec<Expr>, ty: &str) -> Expr {
    let item = ItemRef { module: "m".to_owned(), name: name.to_owned() };
    expr(ExprKind::CallFn { function: Instance { item, type_args: Vec::new() }, args }, ty)
}

/// Statements as (local, name, value), then the value.
pub(crate) fn block(bindings: Vec<(u32, &str, Expr)>, value: Expr) -> Expr {
    let binding = |(id, name, value): (u32, &str, Expr)| Binding {
        pattern: Pattern::Local(Local { id: LocalId(id), name: name.to_owned(), ty: value.ty.clone() }),
        value,
        span: Span::new(0, 30),
    };
    let ty = value.ty.clone();
    let bindings = bindings.into_iter().map(binding).collect();
    Expr { kind: ExprKind::Block { bindings, value: Box::new(value) }, ty, span: Span::new(0, 40) }
}

pub(crate) fn each(id: u32, name: &str, list: Expr, body: Expr, ty: &str) -> Expr {
    let element = match list.ty.ground() {
        Some(Type::List(of)) => *of,
        _ => panic!("no list"),
    };
    let pattern = Pattern::Local(local(id as usize, name, Ty::Ground(element)));
    expr(ExprKind::For { pattern, list: Box::new(list), body: Box::new(body) }, ty)
}

pub(crate) fn info(name: &str) -> Arc<OperatorInfo> {
    Arc::new(OperatorInfo {
        name: name.to_owned(),
        signature: Hash::of(name.as_bytes()),
        place: OperatorPlace::Native,
        effect: name.contains("write"),
        deterministic: !name.contains("write"),
        policy: vec![("cpu".to_owned(), value("2", "Int"))],
    })
}

/// A call with one result.
pub(crate) fn operator(name: &str, inputs: Vec<(&str, Expr)>, ty: &str) -> Expr {
    expr(ExprKind::CallOperator(Box::new(operator_call(name, inputs, vec![("value", ty)], false))), ty)
}

pub(crate) fn operator_call(
    name: &str,
    inputs: Vec<(&str, Expr)>,
    outputs: Vec<(&str, &str)>,
    is_record: bool,
) -> OperatorCall {
    OperatorCall {
        operator: info(name),
        inputs: inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        outputs: outputs.into_iter().map(|(name, ty)| (name.to_owned(), Ty::Ground(ty_of(ty)))).collect(),
        is_record,
        policy: Vec::new(),
        after: Vec::new(),
    }
}

pub(crate) const TABLE: &str = "Dataset<{ a: Int, b: Float? }>";

pub(crate) fn csv(path: &str) -> Expr {
    operator("std.data.csv", vec![("path", value(&format!("file{path:?}"), "File"))], TABLE)
}

pub(crate) fn show(dag: &Dag) -> Vec<String> {
    let port = |input: &Input| shown_input(dag, input);
    let node = |node: &flow_ir::node::Node| {
        let inputs: Vec<_> =
            node.inputs.iter().map(|(name, input)| format!("{name}: {}", port(input))).collect();
        let after: Vec<_> = node.after.iter().map(|index| dag.node(*index).unwrap().id.clone()).collect();
        let after = if after.is_empty() { String::new() } else { format!(" after {}", after.join(", ")) };
        let what = match &node.kind {
            NodeKind::Task(operator) => operator.name.trim_start_matches("std.").to_owned(),
            NodeKind::Expression(expr) => shown_expr(expr),
            kind => kind.name().to_owned(),
        };
        format!("{} = {what}({}){after}", node.id, inputs.join(", "))
    };
    let output = |output: &flow_ir::dag::Output| format!("-> {}: {}", output.name, port(&output.input));
    dag.nodes.iter().map(node).chain(dag.outputs.iter().map(output)).collect()
}

fn shown_input(dag: &Dag, input: &Input) -> String {
    let fields = |fields: &[(String, Input)]| {
        fields.iter().map(|(name, input)| format!("{name}: {}", shown_input(dag, input))).collect::<Vec<_>>()
    };
    match input {
        Input::Constant(value) => value.to_string(),
        Input::Parameter(name) => format!("${name}"),
        Input::Port(port) => {
            let node = dag.node(port.node).unwrap();
            format!("{}.{}", node.id, node.outputs[port.port as usize].name)
        }
        Input::Expression { expr, bindings } => {
            format!("{{{}; {}}}", shown_expr(expr), fields(bindings).join(", "))
        }
        Input::List(items) => {
            format!("[{}]", items.iter().map(|item| shown_input(dag, item)).collect::<Vec<_>>().join(", "))
        }
        Input::Record(of) => format!("({})", fields(of).join(", ")),
    }
}

fn shown_expr(expr: &flow_ir::expr::Expr) -> String {
    use flow_ir::expr::ExprKind as Kind;
    match &expr.kind {
        Kind::Column(name) => format!(".{name}"),
        Kind::Parameter(name) => name.clone(),
        Kind::Literal(value) => value.to_string(),
        Kind::Call { function, args } => {
            format!("{}({})", function.name(), args.iter().map(shown_expr).collect::<Vec<_>>().join(", "))
        }
        Kind::Cast(operand) => format!("{} as {}", shown_expr(operand), expr.ty),
        Kind::Case { arms, otherwise } => {
            let arm = |(test, value): &(flow_ir::expr::Expr, flow_ir::expr::Expr)| {
                format!("{} => {}", shown_expr(test), shown_expr(value))
            };
            let arms: Vec<_> = arms.iter().map(arm).collect();
            format!("case({}, {})", arms.join(", "), shown_expr(otherwise))
        }
    }
}
