//! That a DAG from elsewhere is one that a planner could have written: what is bound and read has the type that is
//! asked for there. What an operator asks for stands in its declaration, which the DAG has not.

use std::collections::HashMap;

use crate::{
    dag::{Dag, Output},
    expr::{Expr, ExprKind, Function, SignatureError, field_type},
    fits::Misfit,
    node::{Input, Node, NodeKind, Port, VALUE_PORT},
    region::Region,
    types::{Row, Type},
    value::Value,
};

/// What does not fit, and where. `place` is such as ``node `days/load`, input `data` ``.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    #[error("{place}: {misfit}")]
    Value { place: String, misfit: Misfit },
    #[error("{place}: expected {expected}, found {found}")]
    Type { place: String, expected: String, found: String },
    #[error("{place}: there is no column `{name}`")]
    Column { place: String, name: String },
    #[error("{place}: the expression reads `{name}`, which is bound to nothing")]
    Unbound { place: String, name: String },
    #[error("{place}: {error}")]
    Call { place: String, error: Box<SignatureError> },
    #[error("the DAG has {nodes} nodes, more than {MAX_NODES}")]
    TooLarge { nodes: usize },
}

/// As many as evaluation may make of a text.
pub const MAX_NODES: usize = 1_000_000;

/// Longer types are cut in messages.
const LONGEST: usize = 120;

impl Dag {
    /// Checks the types of what is bound to parameters, of what regions and control nodes are given, of expressions,
    /// and of outputs. Takes time in proportion to the DAG.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self) -> Result<(), CheckError> {
        let nodes = self.nodes.iter().map(Node::count).sum();
        if nodes > MAX_NODES {
            return Err(CheckError::TooLarge { nodes });
        }
        for parameter in &self.parameters {
            let place = |what: &str| format!("parameter `{}`{what}", parameter.name);
            let fits = |value: &Value, what| {
                value.fits(&parameter.ty).map_err(|misfit| CheckError::Value { place: place(what), misfit })
            };
            fits(&parameter.value, "")?;
            parameter.default.as_ref().map_or(Ok(()), |default| fits(default, ", its default"))?;
        }
        let parameters = self.parameters.iter().map(|parameter| (&*parameter.name, &parameter.ty)).collect();
        Scope { nodes: &self.nodes, parameters, path: "" }.check(&self.outputs)
    }
}

/// Whether a value of type `found` can stand where one of type `expected` is asked. Limits and meanings are left
/// to those who look at the values; a value that may be missing is not refused.
pub fn accepts(expected: &Type, found: &Type) -> bool {
    match (expected.storage(), found.storage()) {
        (_, Type::Nothing) | (Type::Nothing, _) => true,
        (Type::List(expected), Type::List(found)) => accepts(expected, found),
        (Type::Record(expected), Type::Record(found)) => {
            expected.fields.len() == found.fields.len()
                && expected
                    .fields
                    .iter()
                    .all(|field| found.field(&field.name).is_some_and(|found| accepts(&field.ty, &found.ty)))
        }
        (Type::Enum(expected), Type::Enum(found)) => expected.name == found.name,
        (Type::Dataset(expected), Type::Dataset(found)) => {
            let found: HashMap<&str, &Type> =
                found.columns.iter().map(|column| (column.name.as_str(), &column.ty)).collect();
            let is_there = |name: &str, ty| found.get(name).is_some_and(|found| accepts(ty, found));
            expected.columns.iter().all(|column| is_there(&column.name, &column.ty))
        }
        (Type::Model(expected), Type::Model(found)) => expected.task == found.task,
        (Type::Column(_), Type::Column(_)) => true,
        (Type::Float | Type::Float32, Type::Int | Type::Float | Type::Float32) => true,
        (Type::Embedding(expected), Type::Embedding(found)) => expected == found,
        (expected, found) => expected == found,
    }
}

/// The nodes of the DAG, or of a region.
struct Scope<'a> {
    nodes: &'a [Node],
    parameters: HashMap<&'a str, &'a Type>,
    /// What stands before the ids.
    path: &'a str,
}

impl<'a> Scope<'a> {
    fn check(&self, outputs: &'a [Output]) -> Result<(), CheckError> {
        self.nodes.iter().try_for_each(|node| self.node(node))?;
        outputs.iter().try_for_each(|output| {
            let of = self.path.strip_suffix('/').map(|path| format!(" of `{path}`")).unwrap_or_default();
            self.fits(&output.input, &output.ty, &|| format!("output `{}`{of}", output.name))
        })
    }

    fn place(&self, node: &Node, part: &str) -> String {
        format!("node `{}{}`, `{part}`", self.path, node.id)
    }

    fn node(&self, node: &'a Node) -> Result<(), CheckError> {
        let rows: Vec<&Row> = node.inputs.iter().filter_map(|(_, input)| self.row(input)).collect();
        for (name, input) in &node.inputs {
            self.expressions(input, &rows, &|| self.place(node, name))?;
        }
        let inputs: HashMap<&str, &Input> = match node.kind {
            NodeKind::Task(_) | NodeKind::Expression(_) => HashMap::new(),
            _ => node.inputs.iter().map(|(name, input)| (name.as_str(), input)).collect(),
        };
        let given = |name: &str, ty: &Type| match inputs.get(name) {
            Some(input) => self.fits(input, ty, &|| self.place(node, name)),
            None => Ok(()),
        };
        let port = |name: &str, found: &Type| match node.outputs.iter().find(|port| port.name == name) {
            Some(port) => expect(&port.ty, found, &|| self.place(node, name)),
            None => Ok(()),
        };
        match &node.kind {
            NodeKind::Task(_) => {}
            NodeKind::Expression(expr) => {
                let place = || self.place(node, "expression");
                self.expression(expr, &[], &node.inputs, &place)?;
                port(VALUE_PORT, &expr.ty)?;
            }
            NodeKind::Pass => {
                for port in &node.outputs {
                    given(&port.name, &port.ty)?;
                }
            }
            NodeKind::Wait | NodeKind::WaitFor => {
                node.outputs.iter().try_for_each(|port| given(VALUE_PORT, &port.ty))?;
                given("duration", &Type::Duration)?;
                given("name", &Type::Text)?;
                given("timeout", &Type::Duration.optional())?;
            }
            NodeKind::Conditional { then, otherwise } => {
                given("condition", &Type::Bool)?;
                for region in [then, otherwise] {
                    self.region(node, region, &inputs, 0)?;
                    region.outputs.iter().try_for_each(|output| port(&output.name, &output.ty))?;
                }
            }
            NodeKind::Map { body, .. } => {
                if let Some(element) = body.parameters.first() {
                    given("over", &Type::List(Box::new(element.ty.clone())))?;
                }
                self.region(node, body, &inputs, 1)?;
                for output in &body.outputs {
                    port(&output.name, &Type::List(Box::new(output.ty.clone())))?;
                }
            }
            NodeKind::Loop { condition, body, .. } => {
                for region in [condition, body] {
                    if let Some(state) = region.parameters.first() {
                        given("from", &state.ty)?;
                    }
                    self.region(node, region, &inputs, 1)?;
                }
                let answer = condition.outputs.first();
                answer.map_or(Ok(()), |answer| {
                    expect(&Type::Bool, &answer.ty, &|| self.place(node, "condition"))
                })?;
                if let (Some(state), Some(next)) = (body.parameters.first(), body.outputs.first()) {
                    expect(&state.ty, &next.ty, &|| self.place(node, "body"))?;
                    if let [value] = node.outputs.as_slice() {
                        expect(&value.ty, &next.ty, &|| self.place(node, &value.name))?;
                    }
                }
            }
            NodeKind::Workflow { body, .. } => {
                self.region(node, body, &inputs, 0)?;
                body.outputs.iter().try_for_each(|output| port(&output.name, &output.ty))?;
            }
            NodeKind::Query { body } => self.region(node, body, &inputs, 0)?,
        }
        Ok(())
    }

    /// Checks what a region is given by name, and what is in it; of its parameters the
    /// first `bound_otherwise` are given otherwise.
    fn region(
        &self,
        node: &'a Node,
        region: &'a Region,
        inputs: &HashMap<&str, &Input>,
        bound_otherwise: usize,
    ) -> Result<(), CheckError> {
        let bound = region.parameters.get(bound_otherwise..).unwrap_or_default();
        for Port { name, ty } in bound {
            if let Some(input) = inputs.get(name.as_str()) {
                self.fits(input, ty, &|| self.place(node, name))?;
            }
        }
        let parameters = region.parameters.iter().map(|port| (port.name.as_str(), &port.ty)).collect();
        let path = format!("{}{}/", self.path, node.id);
        Scope { nodes: &region.nodes, parameters, path: &path }.check(&region.outputs)
    }

    fn type_of(&self, input: &Input) -> Option<&'a Type> {
        match input {
            Input::Parameter(name) => self.parameters.get(name.as_str()).copied(),
            Input::Port(port) => {
                Some(&self.nodes.get(port.node.0 as usize)?.outputs.get(port.port as usize)?.ty)
            }
            _ => None,
        }
    }

    fn row(&self, input: &Input) -> Option<&'a Row> {
        match self.type_of(input)?.present() {
            Type::Dataset(row) => Some(row),
            _ => None,
        }
    }

    /// Whether what an input gives can stand where `ty` is asked.
    fn fits(&self, input: &Input, ty: &Type, place: &dyn Fn() -> String) -> Result<(), CheckError> {
        match input {
            Input::Constant(value) => {
                value.fits(ty).map_err(|misfit| CheckError::Value { place: place(), misfit })
            }
            Input::Parameter(_) | Input::Port(_) => {
                self.type_of(input).map_or(Ok(()), |found| expect(ty, found, place))
            }
            Input::Expression { expr, .. } => expect(ty, &expr.ty, place),
            Input::List(items) => match ty.present() {
                Type::List(of) => items.iter().try_for_each(|item| self.fits(item, of, place)),
                Type::Embedding(_) => items.iter().try_for_each(|item| self.fits(item, &Type::Float, place)),
                _ => Err(misfit(ty, "a list", place)),
            },
            Input::Record(fields) => match ty.present() {
                Type::Record(record) => {
                    fields.iter().try_for_each(|(name, field)| match record.field(name) {
                        Some(expected) => self.fits(field, &expected.ty, place),
                        None => {
                            let misfit = Misfit::Field { name: name.clone(), is_missing: false };
                            Err(CheckError::Value { place: place(), misfit })
                        }
                    })
                }
                _ => Err(misfit(ty, "a record", place)),
            },
        }
    }

    /// The expressions that an input holds; `rows` are those of the tables that the node reads.
    fn expressions(
        &self,
        input: &'a Input,
        rows: &[&Row],
        place: &dyn Fn() -> String,
    ) -> Result<(), CheckError> {
        match input {
            Input::Expression { expr, bindings } => self.expression(expr, rows, bindings, place),
            Input::List(items) => items.iter().try_for_each(|item| self.expressions(item, rows, place)),
            Input::Record(fields) => {
                fields.iter().try_for_each(|(_, field)| self.expressions(field, rows, place))
            }
            Input::Constant(_) | Input::Parameter(_) | Input::Port(_) => Ok(()),
        }
    }

    fn expression(
        &self,
        expr: &Expr,
        rows: &[&Row],
        bindings: &[(String, Input)],
        place: &dyn Fn() -> String,
    ) -> Result<(), CheckError> {
        let within = |expr: &Expr| self.expression(expr, rows, bindings, place);
        match &expr.kind {
            ExprKind::Column(name) => {
                let mut columns = rows.iter().filter_map(|row| row.column(name));
                match columns.next() {
                    Some(column) => expect(&expr.ty, &column.ty, place),
                    None => Err(CheckError::Column { place: place(), name: name.clone() }),
                }
            }
            ExprKind::Parameter(name) => match bindings.iter().find(|(bound, _)| bound == name) {
                Some((_, input)) => self.fits(input, &expr.ty, place),
                None => Err(CheckError::Unbound { place: place(), name: name.clone() }),
            },
            ExprKind::Literal(_) => Ok(()),
            ExprKind::Cast(operand) => within(operand),
            ExprKind::Call { function, args } => {
                args.iter().try_for_each(within)?;
                if let (Function::Field, [record, Expr { kind: ExprKind::Literal(Value::Text(name)), .. }]) =
                    (function, args.as_slice())
                    && let Some(found) = field_type(&record.ty, name)
                {
                    return expect(&expr.ty, &found, place);
                }
                let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
                match function.result(&types) {
                    Ok(result) => expect(&expr.ty, &result, place),
                    Err(error) => Err(CheckError::Call { place: place(), error: Box::new(error) }),
                }
            }
            ExprKind::Case { arms, otherwise } => {
                for (condition, value) in arms {
                    within(condition)?;
                    expect(&Type::Bool, &condition.ty, place)?;
                    within(value)?;
                    expect(&expr.ty, &value.ty, place)?;
                }
                within(otherwise)?;
                expect(&expr.ty, &otherwise.ty, place)
            }
        }
    }
}

fn expect(expected: &Type, found: &Type, place: &dyn Fn() -> String) -> Result<(), CheckError> {
    if accepts(expected, found) { Ok(()) } else { Err(misfit(expected, &found.to_string(), place)) }
}

fn misfit(expected: &Type, found: &str, place: &dyn Fn() -> String) -> CheckError {
    let cut = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    CheckError::Type { place: place(), expected: cut(&expected.to_string()), found: cut(found) }
}
