//! Reads `flow-dag/1`.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
};

use super::{FORMAT, border::*, constant::Constant, entries::Entries};
use crate::{
    dag::{Dag, Origin, Output, Parameter},
    expr::{Expr, ExprKind, Function},
    hash::Hash,
    node::{CommandWord, Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    policy::Policy,
    read_error::ReadError,
    region::Region,
    rows::RowTable,
    text::{
        MAX_OPERATORS,
        scan::Cursor,
        types::{NoRows, read_row, read_type},
    },
    types::{Row, Type},
};

impl Dag {
    /// Reads a DAG in `flow-dag/1`, from any source: nothing about the text is trusted.
    ///
    /// # Errors
    /// Says what is wrong and where; see [`ReadError`].
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let json = parse(text)?;
        let reader = Reader::new(&json)?;
        let mut scope = Scope { nodes: &json.nodes, ..Scope::default() };
        scope.add_ids(&json.nodes)?;
        scope.add_parameters(json.parameters.iter().map(|parameter| parameter.name.as_str()))?;
        let nodes = json.nodes.iter().map(|node| reader.node(node, &scope)).collect::<Result<Vec<_>, _>>()?;
        let outputs = reader.outputs(&json.outputs, &scope)?;
        let parameters = json.parameters.iter().map(|parameter| {
            Ok(Parameter {
                name: parameter.name.clone(),
                ty: reader.ty(&parameter.ty, Place { node: None, part: &parameter.name })?,
                default: parameter.default.clone().map(|Constant(value)| value),
                value: parameter.value.0.clone(),
            })
        });
        let parameters = parameters.collect::<Result<_, _>>()?;
        let origin = json.origin.as_ref().map(|origin| read_origin(origin, &nodes)).transpose()?;
        let dag = Self { workflow: json.workflow.clone(), parameters, nodes, outputs, origin };
        dag.check_order()?;
        Ok(dag)
    }
}

fn parse(text: &str) -> Result<DagJson, ReadError> {
    // Another format may have other parts, so its name is what there is to say about it.
    let other_format = || {
        let head: Head = serde_json::from_str(text).ok()?;
        let found = head.format.unwrap_or_default();
        (found != FORMAT).then_some(ReadError::UnknownFormat { found })
    };
    match serde_json::from_str::<DagJson>(text) {
        Ok(json) if json.format == FORMAT => Ok(json),
        Ok(json) => Err(ReadError::UnknownFormat { found: json.format }),
        Err(error) => Err(other_format().unwrap_or_else(|| ReadError::Json {
            line: error.line(),
            column: error.column(),
            message: without_place(&error.to_string()),
        })),
    }
}

/// serde_json ends its messages with the place, which stands in front here.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message).to_owned()
}

/// Where something stands, put into words only for an error.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: Option<&'a str>,
    part: &'a str,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.node {
            Some(node) => write!(f, "node `{node}`, `{}`", self.part),
            None => write!(f, "`{}`", self.part),
        }
    }
}

struct Reader<'a> {
    rows: RowTable,
    /// Most types of a DAG come again and again; each with its columns, those of tables within it too.
    types: RefCell<HashMap<&'a str, (Type, usize)>>,
    /// Of all types so far.
    columns: Cell<usize>,
}

/// The most columns that all types of a DAG may have: a row that is named once may stand at every port.
const MOST_COLUMNS: usize = 5_000_000;

/// A node with more ports has them by name.
const FEW_PORTS: usize = 32;

/// What the nodes of the DAG, or of a region, can refer to.
#[derive(Default)]
struct Scope<'a> {
    nodes: &'a [NodeJson],
    ids: HashMap<&'a str, u32>,
    parameters: HashSet<&'a str>,
    /// Of nodes that have many.
    ports: RefCell<HashMap<u32, HashMap<&'a str, u32>>>,
}

impl<'a> Scope<'a> {
    fn add_ids(&mut self, nodes: &'a [NodeJson]) -> Result<(), ReadError> {
        for (index, node) in (0u32..).zip(nodes) {
            if self.ids.insert(node.id.as_str(), index).is_some() {
                return Err(ReadError::Duplicate { kind: "node", name: node.id.clone() });
            }
        }
        Ok(())
    }

    fn add_parameters(&mut self, names: impl Iterator<Item = &'a str>) -> Result<(), ReadError> {
        for name in names {
            if !self.parameters.insert(name) {
                return Err(ReadError::Duplicate { kind: "parameter", name: name.to_owned() });
            }
        }
        Ok(())
    }
}

impl<'a> Reader<'a> {
    fn new(json: &'a DagJson) -> Result<Self, ReadError> {
        let mut rows = RowTable::default();
        for (name, text) in &json.rows.0 {
            let mut cursor = Cursor::new(text);
            let row = read_row(&mut cursor, &NoRows).and_then(|row| cursor.expect_end().map(|()| row));
            let place = || Place { node: None, part: name }.to_string();
            rows.insert(
                name.clone(),
                row.map_err(|error| ReadError::Type { place: place(), text: text.clone(), error })?,
            );
        }
        Ok(Self { rows, types: RefCell::default(), columns: Cell::default() })
    }

    fn node(&self, json: &'a NodeJson, scope: &Scope<'a>) -> Result<Node, ReadError> {
        let kind = self.kind(json)?;
        let outputs = self.ports(&json.outputs, json)?;
        let mut policy = Policy::default();
        for (key, Constant(value)) in &json.policy.0 {
            policy.set(key, value).map_err(|error| ReadError::Policy { node: json.id.clone(), error })?;
        }
        let place = Place { node: Some(&json.id), part: "after" };
        Ok(Node {
            id: json.id.clone(),
            kind,
            inputs: self.inputs(&json.inputs, Some(&json.id), scope)?,
            after: json.after.iter().map(|id| find(id, place, scope)).collect::<Result<_, _>>()?,
            outputs,
            policy,
            effect: json.effect,
            deterministic: json.deterministic,
        })
    }

    fn kind(&self, json: &'a NodeJson) -> Result<NodeKind, ReadError> {
        let NodeJson { op, expression, name, max, then, otherwise, condition, body, .. } = json;
        let parts: &[&str] = match json.kind.as_str() {
            "task" => &["op"],
            "expression" => &["expression"],
            "pass" | "wait" | "wait_for" => &[],
            "conditional" => &["then", "otherwise"],
            "map" => &["max", "body"],
            "loop" => &["max", "condition", "body"],
            "workflow" => &["name", "body"],
            "query" => &["body"],
            kind => return Err(ReadError::UnknownKind { node: json.id.clone(), kind: kind.to_owned() }),
        };
        let given = [
            ("op", op.is_some()),
            ("expression", expression.is_some()),
            ("name", name.is_some()),
            ("max", max.is_some()),
            ("then", then.is_some()),
            ("otherwise", otherwise.is_some()),
            ("condition", condition.is_some()),
            ("body", body.is_some()),
        ];
        let wrong = || ReadError::Part { node: json.id.clone(), kind: json.kind.clone(), parts };
        if given.iter().any(|(part, is_given)| *is_given != parts.contains(part)) {
            return Err(wrong());
        }
        // The ids of one node's regions are told apart by nothing else.
        let mut ids = Scope::default();
        let mut region = |region: &'a Option<RegionJson>| {
            let region = region.as_ref().ok_or_else(wrong)?;
            let mut read = || {
                ids.add_ids(&region.nodes)?;
                self.region(region, json)
            };
            read().map_err(|error| error.within(&json.id))
        };
        Ok(match json.kind.as_str() {
            "task" => {
                let operator = read_operator(op.as_ref().ok_or_else(wrong)?);
                NodeKind::Task(operator.map_err(|error| error.within(&json.id))?)
            }
            "expression" => {
                let place = Place { node: Some(&json.id), part: "expression" };
                NodeKind::Expression(self.expr(expression.as_ref().ok_or_else(wrong)?, place)?)
            }
            "wait" => NodeKind::Wait,
            "wait_for" => NodeKind::WaitFor,
            "conditional" => NodeKind::Conditional { then: region(then)?, otherwise: region(otherwise)? },
            "map" => NodeKind::Map { max: max.ok_or_else(wrong)?, body: region(body)? },
            "loop" => NodeKind::Loop {
                max: max.ok_or_else(wrong)?,
                condition: region(condition)?,
                body: region(body)?,
            },
            "workflow" => NodeKind::Workflow { name: name.clone().ok_or_else(wrong)?, body: region(body)? },
            "query" => NodeKind::Query { body: region(body)? },
            _ => NodeKind::Pass,
        })
    }

    fn region(&self, json: &'a RegionJson, of: &'a NodeJson) -> Result<Region, ReadError> {
        let mut scope = Scope { nodes: &json.nodes, ..Scope::default() };
        scope.add_ids(&json.nodes)?;
        scope.add_parameters(json.parameters.iter().map(|parameter| parameter.name.as_str()))?;
        Ok(Region {
            parameters: self.ports(&json.parameters, of)?,
            nodes: json.nodes.iter().map(|node| self.node(node, &scope)).collect::<Result<_, _>>()?,
            outputs: self.outputs(&json.outputs, &scope)?,
        })
    }

    fn ports(&self, json: &'a [PortJson], of: &'a NodeJson) -> Result<Vec<Port>, ReadError> {
        let mut names = HashSet::new();
        let mut ports = Vec::with_capacity(json.len());
        for port in json {
            if !names.insert(port.name.as_str()) {
                return Err(ReadError::Duplicate { kind: "port", name: format!("{}.{}", of.id, port.name) });
            }
            let ty = self.ty(&port.ty, Place { node: Some(&of.id), part: &port.name })?;
            ports.push(Port { name: port.name.clone(), ty });
        }
        Ok(ports)
    }

    fn outputs(&self, json: &'a [OutputJson], scope: &Scope<'a>) -> Result<Vec<Output>, ReadError> {
        let mut names = HashSet::new();
        let mut outputs = Vec::with_capacity(json.len());
        for output in json {
            if !names.insert(output.name.as_str()) {
                return Err(ReadError::Duplicate { kind: "output", name: output.name.clone() });
            }
            let place = Place { node: None, part: &output.name };
            outputs.push(Output {
                name: output.name.clone(),
                ty: self.ty(&output.ty, place)?,
                input: self.input(&output.input, place, scope)?,
            });
        }
        Ok(outputs)
    }

    fn inputs(
        &self,
        json: &'a Entries<InputJson>,
        node: Option<&str>,
        scope: &Scope<'a>,
    ) -> Result<Vec<(String, Input)>, ReadError> {
        let read = |(name, input): &'a (String, InputJson)| {
            Ok((name.clone(), self.input(input, Place { node, part: name }, scope)?))
        };
        json.0.iter().map(read).collect()
    }

    fn input(&self, json: &'a InputJson, place: Place<'_>, scope: &Scope<'a>) -> Result<Input, ReadError> {
        Ok(match json {
            InputJson::Constant(Constant(value)) => Input::Constant(value.clone()),
            InputJson::Parameter(name) if scope.parameters.contains(name.as_str()) => {
                Input::Parameter(name.clone())
            }
            InputJson::Parameter(name) => {
                return Err(ReadError::UnknownParameter { place: place.to_string(), name: name.clone() });
            }
            InputJson::Port(reference) => Input::Port(find_port(reference, place, scope)?),
            InputJson::Expression(json) => Input::Expression {
                expr: self.expr(&json.steps, place)?,
                bindings: self.inputs(&json.bindings, place.node, scope)?,
            },
            InputJson::List(inputs) => Input::List(
                inputs.iter().map(|input| self.input(input, place, scope)).collect::<Result<_, _>>()?,
            ),
            InputJson::Record(fields) => Input::Record(self.inputs(fields, place.node, scope)?),
        })
    }

    fn ty(&self, text: &'a str, place: Place<'_>) -> Result<Type, ReadError> {
        if let Some((ty, columns)) = self.types.borrow().get(text) {
            self.count(*columns)?;
            return Ok(ty.clone());
        }
        let mut cursor = Cursor::new(text);
        let ty = read_type(&mut cursor, &self.rows).and_then(|ty| cursor.expect_end().map(|()| ty));
        let ty =
            ty.map_err(|error| ReadError::Type { place: place.to_string(), text: text.to_owned(), error })?;
        let columns = columns_of(&ty);
        self.count(columns)?;
        self.types.borrow_mut().insert(text, (ty.clone(), columns));
        Ok(ty)
    }

    fn count(&self, columns: usize) -> Result<(), ReadError> {
        self.columns.set(self.columns.get().saturating_add(columns));
        if self.columns.get() > MOST_COLUMNS {
            return Err(ReadError::TooLarge { what: "columns of types", most: MOST_COLUMNS });
        }
        Ok(())
    }

    fn expr(&self, steps: &'a [StepJson], place: Place<'_>) -> Result<Expr, ReadError> {
        // Each with its height, and taken when it becomes a part of another.
        let mut parts: Vec<Option<(Expr, u32)>> = Vec::with_capacity(steps.len());
        for (step, json) in steps.iter().enumerate() {
            let problem = |problem| ReadError::Step { place: place.to_string(), step, problem };
            let mut height = 0;
            let mut part = |index: usize| {
                let (expr, below) = parts.get_mut(index).and_then(Option::take).ok_or_else(|| {
                    problem("names a part that does not stand before it or is used already")
                })?;
                height = height.max(below + 1);
                Ok::<_, ReadError>(expr)
            };
            let kind = match &json.is {
                StepKindJson::Column(name) => ExprKind::Column(name.clone()),
                StepKindJson::Parameter(name) => ExprKind::Parameter(name.clone()),
                StepKindJson::Literal(Constant(value)) => ExprKind::Literal(value.clone()),
                StepKindJson::Call(name, args) => ExprKind::Call {
                    function: Function::named(name).ok_or_else(|| ReadError::UnknownFunction {
                        place: place.to_string(),
                        name: name.clone(),
                    })?,
                    args: args.iter().map(|index| part(*index)).collect::<Result<_, _>>()?,
                },
                StepKindJson::Cast(operand) => ExprKind::Cast(Box::new(part(*operand)?)),
                StepKindJson::Case(arms, otherwise) => ExprKind::Case {
                    arms: arms
                        .iter()
                        .map(|(condition, value)| Ok((part(*condition)?, part(*value)?)))
                        .collect::<Result<_, ReadError>>()?,
                    otherwise: Box::new(part(*otherwise)?),
                },
            };
            if height > MAX_OPERATORS {
                return Err(problem("nests too deeply"));
            }
            parts.push(Some((Expr { kind, ty: self.ty(&json.ty, place)? }, height)));
        }
        let last = steps.len().saturating_sub(1);
        let problem = |problem| ReadError::Step { place: place.to_string(), step: last, problem };
        let (whole, _) = parts.pop().flatten().ok_or_else(|| problem("is missing"))?;
        if parts.iter().any(Option::is_some) {
            return Err(problem("leaves an earlier step unused"));
        }
        Ok(whole)
    }
}

/// The columns and fields that a type holds.
fn columns_of(ty: &Type) -> usize {
    let of_row = |row: &Row| row.columns.iter().map(|column| 1 + columns_of(&column.ty)).sum::<usize>();
    match ty {
        Type::Dataset(row) | Type::Column(row) => of_row(row),
        Type::Model(model) => of_row(&model.row) + model.result.as_ref().map_or(0, of_row),
        Type::Record(record) => record.fields.iter().map(|field| 1 + columns_of(&field.ty)).sum(),
        Type::Enum(of) => of.variants.len(),
        Type::Optional(of)
        | Type::List(of)
        | Type::Id(of)
        | Type::QueryId(of)
        | Type::Pii(of)
        | Type::Label { of, .. }
        | Type::Refined { base: of, .. } => columns_of(of),
        _ => 0,
    }
}

fn find(id: &str, place: Place<'_>, scope: &Scope<'_>) -> Result<NodeIndex, ReadError> {
    let unknown = || ReadError::UnknownNode { place: place.to_string(), node: id.to_owned() };
    scope.ids.get(id).copied().map(NodeIndex).ok_or_else(unknown)
}

fn find_port(reference: &str, place: Place<'_>, scope: &Scope<'_>) -> Result<PortRef, ReadError> {
    let no_port = || ReadError::NoPort { place: place.to_string(), reference: reference.to_owned() };
    let (id, port) = if reference.ends_with('`') {
        // The name itself may hold what looks like its beginning.
        let quoted = reference.match_indices(".`").find_map(|(at, _)| {
            let (id, rest) = reference.split_at_checked(at)?;
            let mut cursor = Cursor::new(rest.strip_prefix('.')?);
            let name = cursor.name().ok()?;
            cursor.expect_end().ok().map(|()| (id, name))
        });
        quoted.ok_or_else(no_port)?
    } else {
        let (id, port) = reference.rsplit_once('.').ok_or_else(no_port)?;
        (id, port.to_owned())
    };
    let node = find(id, place, scope)?;
    let ports = scope.nodes.get(node.0 as usize).map(|node| node.outputs.as_slice()).unwrap_or_default();
    let found = if ports.len() > FEW_PORTS {
        let mut many = scope.ports.borrow_mut();
        let names = || ports.iter().map(|port| port.name.as_str()).zip(0..).collect();
        many.entry(node.0).or_insert_with(names).get(port.as_str()).copied()
    } else {
        (0..).zip(ports).find(|(_, json)| json.name == port).map(|(index, _)| index)
    };
    match found {
        Some(port) => Ok(PortRef { node, port }),
        None => Err(ReadError::UnknownPort {
            place: place.to_string(),
            node: id.to_owned(),
            port,
            ports: ports.iter().map(|port| port.name.clone()).collect(),
        }),
    }
}

fn read_operator(json: &OperatorJson) -> Result<OperatorRef, ReadError> {
    let word = |word: &WordJson| match word {
        WordJson::Text(text) => CommandWord::Text(text.clone()),
        WordJson::Input(name) => CommandWord::Input(name.clone()),
        WordJson::Output(name) => CommandWord::Output(name.clone()),
    };
    Ok(OperatorRef {
        name: json.name.clone(),
        version: json.version,
        signature: read_hash(&json.signature)?,
        place: match &json.place {
            PlaceJson::Native => OperatorPlace::Native,
            PlaceJson::Python(function) => OperatorPlace::Python(function.clone()),
            PlaceJson::Command(words) => OperatorPlace::Command(words.iter().map(word).collect()),
        },
    })
}

fn read_origin(json: &OriginJson, nodes: &[Node]) -> Result<Origin, ReadError> {
    let nodes = nodes.iter().map(Node::count).sum();
    if !json.spans.is_empty() && json.spans.len() != nodes {
        return Err(ReadError::Spans { found: json.spans.len(), nodes });
    }
    Ok(Origin {
        file: json.file.clone(),
        source: json.source.as_deref().map(read_hash).transpose()?,
        doc: json.doc.clone(),
        parameters: json.parameters.0.clone(),
        spans: json.spans.clone(),
    })
}

fn read_hash(text: &str) -> Result<Hash, ReadError> {
    Hash::from_hex(text).ok_or_else(|| ReadError::Hash { text: text.to_owned() })
}
