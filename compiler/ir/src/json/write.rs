//! Writes `flow-dag/1`: one line a row, parameter, node and output, so that it is small and can be
//! compared line by line.

use serde::Serialize;

use super::{FORMAT, border::*, constant::Constant, entries::Entries};
use crate::{
    dag::{Dag, Origin, Output},
    expr::{Expr, ExprKind},
    node::{CommandWord, Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    region::Region,
    rows::RowTable,
    text::{types::write_type, words::write_name},
    types::Type,
};

impl Dag {
    /// The DAG in `flow-dag/1`; the same DAG gives the same bytes.
    pub fn to_json(&self) -> String {
        let rows = RowTable::of(self);
        let writer = Writer { rows: &rows, nodes: &self.nodes };
        let mut text =
            format!("{{\n\"format\": {},\n\"workflow\": {},\n", line(FORMAT), line(&self.workflow));
        if !writer.rows.rows.is_empty() {
            let rows = writer.rows.rows.iter().map(|(name, row)| (line(name), line(&row.to_string())));
            let rows: Vec<String> = rows.map(|(name, row)| format!("{name}: {row}")).collect();
            text += &format!("\"rows\": {{\n{}\n}},\n", rows.join(",\n"));
        }
        let parameters = self.parameters.iter().map(|parameter| {
            line(&ParameterJson {
                name: parameter.name.clone(),
                ty: writer.ty(&parameter.ty),
                default: parameter.default.clone().map(Constant),
                value: Constant(parameter.value.clone()),
            })
        });
        list(&mut text, "parameters", parameters);
        text += ",\n";
        list(&mut text, "nodes", self.nodes.iter().map(|node| line(&writer.node(node))));
        text += ",\n";
        let outputs = self.outputs.iter().map(|output| line(&writer.output(output)));
        list(&mut text, "outputs", outputs);
        if let Some(origin) = &self.origin {
            text += &format!(",\n\"origin\": {}", line(&origin_json(origin)));
        }
        text += "\n}\n";
        text
    }
}

fn list(text: &mut String, name: &str, lines: impl Iterator<Item = String>) {
    *text += &format!("\"{name}\": [");
    for (index, line) in lines.enumerate() {
        *text += if index == 0 { "\n" } else { ",\n" };
        *text += &line;
    }
    *text += if text.ends_with('[') { "]" } else { "\n]" };
}

fn line(value: &(impl Serialize + ?Sized)) -> String {
    // Only maps with keys that are no strings can fail, and there are none.
    serde_json::to_string(value).unwrap_or_default()
}

/// Writes what stands among `nodes`: those of the DAG, or of a region.
#[derive(Clone, Copy)]
struct Writer<'a> {
    rows: &'a RowTable,
    nodes: &'a [Node],
}

impl Writer<'_> {
    fn ty(&self, ty: &Type) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        write_type(&mut text, ty, self.rows).unwrap_or_default();
        text
    }

    fn node(&self, node: &Node) -> NodeJson {
        let mut json = NodeJson {
            id: node.id.clone(),
            kind: node.kind.name().to_owned(),
            op: None,
            expression: None,
            name: None,
            max: None,
            then: None,
            otherwise: None,
            condition: None,
            body: None,
            inputs: self.inputs(&node.inputs),
            after: node.after.iter().map(|after| self.id(*after)).collect(),
            outputs: self.ports(&node.outputs),
            policy: Entries(
                node.policy
                    .changed()
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), Constant(value)))
                    .collect(),
            ),
            effect: node.effect,
            deterministic: node.deterministic,
        };
        match &node.kind {
            NodeKind::Task(operator) => json.op = Some(operator_json(operator)),
            NodeKind::Expression(expr) => json.expression = Some(self.steps(expr)),
            NodeKind::Pass | NodeKind::Wait | NodeKind::WaitFor => {}
            NodeKind::Conditional { then, otherwise } => {
                json.then = Some(self.region(then));
                json.otherwise = Some(self.region(otherwise));
            }
            NodeKind::Map { max, body } => {
                json.max = Some(*max);
                json.body = Some(self.region(body));
            }
            NodeKind::Loop { max, condition, body } => {
                json.max = Some(*max);
                json.condition = Some(self.region(condition));
                json.body = Some(self.region(body));
            }
            NodeKind::Workflow { name, body } => {
                json.name = Some(name.clone());
                json.body = Some(self.region(body));
            }
            NodeKind::Query { body } => json.body = Some(self.region(body)),
        }
        json
    }

    fn region(&self, region: &Region) -> RegionJson {
        let within = Writer { rows: self.rows, nodes: &region.nodes };
        RegionJson {
            parameters: within.ports(&region.parameters),
            nodes: region.nodes.iter().map(|node| within.node(node)).collect(),
            outputs: region.outputs.iter().map(|output| within.output(output)).collect(),
        }
    }

    fn ports(&self, ports: &[Port]) -> Vec<PortJson> {
        ports.iter().map(|port| PortJson { name: port.name.clone(), ty: self.ty(&port.ty) }).collect()
    }

    fn output(&self, output: &Output) -> OutputJson {
        OutputJson { name: output.name.clone(), ty: self.ty(&output.ty), input: self.input(&output.input) }
    }

    fn inputs(&self, inputs: &[(String, Input)]) -> Entries<InputJson> {
        Entries(inputs.iter().map(|(name, input)| (name.clone(), self.input(input))).collect())
    }

    fn input(&self, input: &Input) -> InputJson {
        match input {
            Input::Constant(value) => InputJson::Constant(Constant(value.clone())),
            Input::Parameter(name) => InputJson::Parameter(name.clone()),
            Input::Port(port) => InputJson::Port(self.port(*port)),
            Input::Expression { expr, bindings } => InputJson::Expression(ExpressionJson {
                steps: self.steps(expr),
                bindings: self.inputs(bindings),
            }),
            Input::List(inputs) => InputJson::List(inputs.iter().map(|input| self.input(input)).collect()),
            Input::Record(fields) => InputJson::Record(self.inputs(fields)),
        }
    }

    fn find(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index.0 as usize)
    }

    fn id(&self, index: NodeIndex) -> String {
        self.find(index).map(|node| node.id.clone()).unwrap_or_default()
    }

    fn port(&self, port: PortRef) -> String {
        let mut text = self.id(port.node) + ".";
        let name = self.find(port.node).and_then(|node| node.outputs.get(port.port as usize));
        write_name(&mut text, name.map_or("", |port| &port.name)).unwrap_or_default();
        text
    }

    fn steps(&self, expr: &Expr) -> Vec<StepJson> {
        let mut steps = Vec::new();
        self.step(expr, &mut steps);
        steps
    }

    /// Adds an expression behind its parts, and gives its place.
    fn step(&self, expr: &Expr, steps: &mut Vec<StepJson>) -> usize {
        let is = match &expr.kind {
            ExprKind::Column(name) => StepKindJson::Column(name.clone()),
            ExprKind::Parameter(name) => StepKindJson::Parameter(name.clone()),
            ExprKind::Literal(value) => StepKindJson::Literal(Constant(value.clone())),
            ExprKind::Call { function, args } => {
                let args = args.iter().map(|arg| self.step(arg, steps)).collect();
                StepKindJson::Call(function.name().to_owned(), args)
            }
            ExprKind::Cast(operand) => StepKindJson::Cast(self.step(operand, steps)),
            ExprKind::Case { arms, otherwise } => {
                let arms = arms
                    .iter()
                    .map(|(condition, value)| (self.step(condition, steps), self.step(value, steps)))
                    .collect();
                StepKindJson::Case(arms, self.step(otherwise, steps))
            }
        };
        steps.push(StepJson { is, ty: self.ty(&expr.ty) });
        steps.len() - 1
    }
}

fn operator_json(operator: &OperatorRef) -> OperatorJson {
    let word = |word: &CommandWord| match word {
        CommandWord::Text(text) => WordJson::Text(text.clone()),
        CommandWord::Input(name) => WordJson::Input(name.clone()),
        CommandWord::Output(name) => WordJson::Output(name.clone()),
    };
    OperatorJson {
        name: operator.name.clone(),
        version: operator.version,
        signature: operator.signature.to_string(),
        place: match &operator.place {
            OperatorPlace::Native => PlaceJson::Native,
            OperatorPlace::Python(function) => PlaceJson::Python(function.clone()),
            OperatorPlace::Command(words) => PlaceJson::Command(words.iter().map(word).collect()),
        },
    }
}

fn origin_json(origin: &Origin) -> OriginJson {
    OriginJson {
        file: origin.file.clone(),
        source: origin.source.map(|hash| hash.to_string()),
        doc: origin.doc.clone(),
        parameters: Entries(origin.parameters.clone()),
        spans: origin.spans.clone(),
    }
}
