//! Reads the text of a DAG. Every node stands after those it refers to, so one pass serves, and no
//! cycle can be written.

use std::collections::{HashMap, HashSet};

use super::{
    dag_write::{bound_type, is_deterministic, row_of},
    expr::{TypeScope, read_expr},
    reference::{Reference, read_id, read_reference},
    scan::{Cursor, SyntaxError},
    types::{NoRows, read_fields, read_path, read_row, read_type},
    value::{read_scalar, read_value},
};
use crate::{
    dag::{Dag, Output, Parameter},
    expr::Expr,
    hash::Hash,
    node::{
        CommandWord, Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef, VALUE_PORT,
    },
    policy::Policy,
    read_error::ReadError,
    rows::RowTable,
    types::{RecordType, Row, Type},
    value::Value,
};

impl Dag {
    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    /// Says what is wrong and where; see [`ReadError`].
    pub fn from_text(text: &str) -> Result<Self, ReadError> {
        let mut reader = Reader::new(text);
        match reader.dag() {
            Ok(dag) => Ok(dag),
            Err(Problem::Syntax(error)) => {
                let before = text.get(..error.offset).unwrap_or(text);
                let line_start = before.rfind('\n').map_or(0, |at| at + 1);
                Err(ReadError::Text {
                    line: before.matches('\n').count() + 1,
                    column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
                    error,
                })
            }
            Err(Problem::Meaning(error)) => Err(error),
        }
    }
}

enum Problem {
    Syntax(SyntaxError),
    Meaning(ReadError),
}

impl From<SyntaxError> for Problem {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::Meaning(error)
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    rows: RowTable,
    parameters: HashMap<String, Type>,
    nodes: Vec<Node>,
    index: HashMap<String, u32>,
    /// The operators that tasks name, by the name in the text; they are declared at the end.
    tasks: Vec<Task>,
}

/// A task whose operator is still to be declared.
struct Task {
    node: usize,
    operator: String,
    /// Whether the text says itself if the node is deterministic.
    is_marked: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            rows: RowTable::default(),
            parameters: HashMap::new(),
            nodes: Vec::new(),
            index: HashMap::new(),
            tasks: Vec::new(),
        }
    }

    fn dag(&mut self) -> Result<Dag, Problem> {
        if !self.cursor.eat_word("dag") {
            return Err(self.cursor.error("`dag`").into());
        }
        let workflow = self.path()?;
        while self.cursor.eat_word("row") {
            let name = self.cursor.name()?;
            let row = read_row(&mut self.cursor, &NoRows)?;
            if !self.rows.insert(name.clone(), row) {
                return Err(ReadError::Duplicate { kind: "row", name }.into());
            }
        }
        while self.cursor.eat_word("record") {
            let name = self.path()?;
            self.cursor.expect("{")?;
            let fields = read_fields(&mut self.cursor, &self.rows, "}")?;
            if !self.rows.insert_record(RecordType { name: Some(name.clone()), fields }) {
                return Err(ReadError::Duplicate { kind: "record", name }.into());
            }
        }
        let mut parameters = Vec::new();
        while self.cursor.eat_word("param") {
            parameters.push(self.parameter()?);
        }
        let mut outputs = Vec::new();
        loop {
            self.cursor.space();
            let start = self.cursor.offset();
            if self.cursor.rest().is_empty() || self.cursor.eat_word("output") || self.cursor.eat_word("op") {
                self.cursor.rewind(start);
                break;
            }
            self.node()?;
        }
        let mut output_names = HashSet::new();
        while self.cursor.eat_word("output") {
            let name = self.cursor.name()?;
            if !output_names.insert(name.clone()) {
                return Err(ReadError::Duplicate { kind: "output", name }.into());
            }
            self.cursor.expect(":")?;
            let ty = read_type(&mut self.cursor, &self.rows)?;
            self.cursor.expect("=")?;
            let input = self.input(&[], &format!("output `{name}`"))?;
            outputs.push(Output { name, ty, input });
        }
        self.operators()?;
        self.cursor.expect_end()?;
        Ok(Dag { workflow, parameters, nodes: std::mem::take(&mut self.nodes), outputs, origin: None })
    }

    /// A dotted name, whose parts may be empty in backticks.
    fn path(&mut self) -> Result<String, Problem> {
        self.cursor.space();
        Ok(read_path(&mut self.cursor)?)
    }

    fn parameter(&mut self) -> Result<Parameter, Problem> {
        let name = self.cursor.name()?;
        self.cursor.expect(":")?;
        let ty = read_type(&mut self.cursor, &self.rows)?;
        self.cursor.expect("=")?;
        let value = read_value(&mut self.cursor)?;
        let start = self.cursor.offset();
        self.cursor.blanks();
        let mut default = None;
        if self.cursor.peek() == Some('(') {
            self.cursor.next();
            if !self.cursor.eat_word("default") {
                return Err(self.cursor.error("`default`").into());
            }
            default = if self.cursor.eat(")") {
                Some(value.clone())
            } else {
                let default = read_value(&mut self.cursor)?;
                self.cursor.expect(")")?;
                Some(default)
            };
        } else {
            self.cursor.rewind(start);
        }
        if self.parameters.insert(name.clone(), ty.clone()).is_some() {
            return Err(ReadError::Duplicate { kind: "parameter", name }.into());
        }
        Ok(Parameter { name, ty, default, value })
    }

    fn node(&mut self) -> Result<(), Problem> {
        let id = read_id(&mut self.cursor)?;
        self.cursor.expect("=")?;
        self.cursor.space();
        let (kind, inputs) = if self.cursor.peek() == Some('{') {
            let (expr, bindings) = self.expression(None, &id)?;
            (NodeKind::Expression(expr), bindings)
        } else {
            let start = self.cursor.offset();
            self.path()?;
            self.version_mark();
            self.tasks.push(Task {
                node: self.nodes.len(),
                operator: self.cursor.since(start).to_owned(),
                is_marked: false,
            });
            self.cursor.expect("(")?;
            let mut inputs = Vec::new();
            self.items(")", |reader| {
                let name = reader.cursor.name()?;
                reader.cursor.expect(":")?;
                let place = format!("node `{id}`, `{name}`");
                let input = reader.input(&inputs, &place)?;
                if inputs.iter().any(|(other, _)| *other == name) {
                    return Err(ReadError::Duplicate { kind: "input", name: format!("{id}.{name}") }.into());
                }
                inputs.push((name, input));
                Ok(())
            })?;
            // Filled in when the operators are declared, at the end.
            let operator = OperatorRef {
                name: String::new(),
                version: 0,
                signature: Hash([0; 32]),
                place: OperatorPlace::Native,
            };
            (NodeKind::Task(operator), inputs)
        };
        let mut after = Vec::new();
        if self.cursor.eat_word_inline("after") {
            self.cursor.expect("(")?;
            self.items(")", |reader| {
                let other = read_id(&mut reader.cursor)?;
                let unknown =
                    || ReadError::UnknownNode { place: format!("node `{id}`, `after`"), node: other.clone() };
                after.push(NodeIndex(*reader.index.get(&other).ok_or_else(unknown)?));
                Ok(())
            })?;
        }
        let outputs = self.outputs(&id)?;
        let policy = self.policy(&id)?;
        let effect = self.cursor.eat_word_inline("effect");
        let mut node = Node { id, kind, inputs, after, outputs, policy, effect, deterministic: false };
        let place = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        if self.index.insert(node.id.clone(), place).is_some() {
            return Err(ReadError::Duplicate { kind: "node", name: node.id }.into());
        }
        let is_marked = self.cursor.eat_word_inline("deterministic");
        node.deterministic = is_marked;
        if is_marked || self.cursor.eat_word_inline("indeterministic") {
            if let (NodeKind::Task(_), Some(task)) = (&node.kind, self.tasks.last_mut()) {
                task.is_marked = true;
            }
        } else {
            node.deterministic = is_deterministic(&node);
        }
        self.nodes.push(node);
        Ok(())
    }

    fn outputs(&mut self, id: &str) -> Result<Vec<Port>, Problem> {
        self.cursor.expect("->")?;
        if !self.cursor.eat("(") {
            let ty = read_type(&mut self.cursor, &self.rows)?;
            return Ok(vec![Port { name: VALUE_PORT.to_owned(), ty }]);
        }
        let mut names = HashSet::new();
        let mut ports = Vec::new();
        self.items(")", |reader| {
            let name = reader.cursor.name()?;
            reader.cursor.expect(":")?;
            let ty = read_type(&mut reader.cursor, &reader.rows)?;
            if !names.insert(name.clone()) {
                return Err(ReadError::Duplicate { kind: "port", name: format!("{id}.{name}") }.into());
            }
            ports.push(Port { name, ty });
            Ok(())
        })?;
        Ok(ports)
    }

    fn policy(&mut self, id: &str) -> Result<Policy, Problem> {
        let mut policy = Policy::default();
        if !self.cursor.eat_word_inline("with") {
            return Ok(policy);
        }
        self.cursor.expect("(")?;
        self.items(")", |reader| {
            let key = reader.cursor.name()?;
            reader.cursor.expect(":")?;
            let value = match read_scalar(&mut reader.cursor)? {
                Some(value) => value,
                None => Value::Text(reader.cursor.name()?),
            };
            policy.set(&key, &value).map_err(|error| ReadError::Policy { node: id.to_owned(), error })?;
            Ok(())
        })?;
        Ok(policy)
    }

    fn input(&mut self, before: &[(String, Input)], place: &str) -> Result<Input, Problem> {
        self.cursor.deepen()?;
        self.cursor.space();
        let input = match self.cursor.peek() {
            Some('$') => {
                self.cursor.next();
                let name = self.cursor.name()?;
                if !self.parameters.contains_key(&name) {
                    return Err(ReadError::UnknownParameter { place: place.to_owned(), name }.into());
                }
                Input::Parameter(name)
            }
            Some('{') => {
                let row = row_of(before, |port| port_type(&self.nodes, port)).cloned();
                let (expr, bindings) = self.expression(row.as_ref(), place)?;
                Input::Expression { expr, bindings }
            }
            Some('[' | '(') => self.group(before, place, true)?,
            Some('.') => Input::Constant(read_value(&mut self.cursor)?),
            _ if self.cursor.eat_word("inputs") => self.group(before, place, false)?,
            _ => match read_scalar(&mut self.cursor)? {
                Some(value) => Input::Constant(value),
                None => Input::Port(self.port(place)?),
            },
        };
        self.cursor.rise();
        Ok(input)
    }

    /// A list or record of inputs; one of constants alone is a constant if `folds`.
    fn group(&mut self, before: &[(String, Input)], place: &str, folds: bool) -> Result<Input, Problem> {
        if self.cursor.eat("[") {
            let mut inputs = Vec::new();
            self.items("]", |reader| {
                inputs.push(reader.input(before, place)?);
                Ok(())
            })?;
            if folds && inputs.iter().all(|input| matches!(input, Input::Constant(_))) {
                return Ok(Input::Constant(Value::List(inputs.into_iter().filter_map(constant).collect())));
            }
            return Ok(Input::List(inputs));
        }
        self.cursor.expect("(")?;
        let mut fields = Vec::new();
        let mut names = HashSet::new();
        self.items(")", |reader| {
            let name = reader.cursor.name()?;
            reader.cursor.expect(":")?;
            if !names.insert(name.clone()) {
                return Err(ReadError::Duplicate { kind: "field", name }.into());
            }
            let input = reader.input(before, place)?;
            fields.push((name, input));
            Ok(())
        })?;
        if folds && fields.iter().all(|(_, input)| matches!(input, Input::Constant(_))) {
            let fields = fields.into_iter().filter_map(|(name, input)| Some((name, constant(input)?)));
            return Ok(Input::Constant(Value::Record(fields.collect())));
        }
        Ok(Input::Record(fields))
    }

    /// `{ let limit = $limit; .fare > limit }`
    fn expression(
        &mut self,
        row: Option<&Row>,
        place: &str,
    ) -> Result<(Expr, Vec<(String, Input)>), Problem> {
        self.cursor.expect("{")?;
        let mut bindings: Vec<(String, Input)> = Vec::new();
        let mut names = HashSet::new();
        while self.cursor.eat_word("let") {
            let name = self.cursor.name()?;
            self.cursor.expect("=")?;
            let input = self.input(&[], place)?;
            self.cursor.expect(";")?;
            if !names.insert(name.clone()) {
                return Err(ReadError::Duplicate { kind: "binding", name }.into());
            }
            bindings.push((name, input));
        }
        let nodes = &self.nodes;
        let parameters = &self.parameters;
        let types = bindings.iter().filter_map(|(name, input)| {
            let ty = bound_type(input, |port| port_type(nodes, port), |name| parameters.get(name))?;
            Some((name.as_str(), ty))
        });
        let scope = TypeScope { row, parameters: types.collect() };
        let expr = read_expr(&mut self.cursor, &scope, &self.rows)?;
        self.cursor.expect("}")?;
        Ok((expr, bindings))
    }

    fn port(&mut self, place: &str) -> Result<PortRef, Problem> {
        let Reference { id, port, is_exact } = read_reference(&mut self.cursor)?;
        let find = |id: &str, port: &str| {
            let node = *self.index.get(id)?;
            Some(PortRef { node: NodeIndex(node), port: self.nodes.get(node as usize)?.port(port)? })
        };
        let found = match &port {
            Some(port) => find(&id, port),
            None => {
                let split = id.rsplit_once('.').filter(|_| !is_exact);
                split.and_then(|(id, port)| find(id, port)).or_else(|| find(&id, VALUE_PORT))
            }
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let place = place.to_owned();
        let (node, port) = match (port, id.rsplit_once('.')) {
            (Some(port), _) => (id, port),
            (None, Some((node, port))) if !self.index.contains_key(&id) && !is_exact => {
                (node.to_owned(), port.to_owned())
            }
            (None, _) => (id, VALUE_PORT.to_owned()),
        };
        Err(Problem::Meaning(match self.index.get(&node).and_then(|index| self.nodes.get(*index as usize)) {
            Some(found) => ReadError::UnknownPort {
                place,
                ports: found.outputs.iter().map(|port| port.name.clone()).collect(),
                node,
                port,
            },
            None => ReadError::UnknownNode { place, node },
        }))
    }

    fn operators(&mut self) -> Result<(), Problem> {
        let mut operators = HashMap::new();
        while self.cursor.eat_word("op") {
            self.cursor.space();
            let start = self.cursor.offset();
            let name = self.path()?;
            self.version_mark();
            let alias = self.cursor.since(start).to_owned();
            let operator = self.operator(name)?;
            if operators.insert(alias.clone(), operator).is_some() {
                return Err(ReadError::Duplicate { kind: "operator", name: alias }.into());
            }
        }
        for task in std::mem::take(&mut self.tasks) {
            let Some(node) = self.nodes.get_mut(task.node) else { continue };
            let Some(operator) = operators.get(&task.operator) else {
                return Err(ReadError::UnknownOperator { node: node.id.clone(), name: task.operator }.into());
            };
            node.kind = NodeKind::Task(operator.clone());
            // What the operator's place suggests is known only now.
            if !task.is_marked {
                node.deterministic = is_deterministic(node);
            }
        }
        Ok(())
    }

    fn operator(&mut self, name: String) -> Result<OperatorRef, Problem> {
        if !self.cursor.eat_word("version") {
            return Err(self.cursor.error("`version`").into());
        }
        let version = self.word();
        let version = version.parse().map_err(|_| self.cursor.error("the operator's version"))?;
        if !self.cursor.eat_word("signature") {
            return Err(self.cursor.error("`signature`").into());
        }
        let text = self.word();
        let signature = Hash::from_hex(text).ok_or_else(|| ReadError::Hash { text: text.to_owned() })?;
        let place = if self.cursor.eat_word_inline("python") {
            OperatorPlace::Python(self.cursor.text_literal()?)
        } else if self.cursor.eat_word_inline("command") {
            self.cursor.expect("[")?;
            OperatorPlace::Command(self.cursor.list("]", read_word)?)
        } else {
            OperatorPlace::Native
        };
        Ok(OperatorRef { name, version, signature, place })
    }

    /// Letters and digits.
    fn word(&mut self) -> &'a str {
        self.cursor.space();
        let start = self.cursor.offset();
        while self.cursor.peek().is_some_and(|c| c.is_ascii_alphanumeric()) {
            self.cursor.next();
        }
        self.cursor.since(start)
    }

    /// `~2`, behind the name of the second of two operators that share it.
    fn version_mark(&mut self) {
        if self.cursor.peek() == Some('~') {
            self.cursor.next();
            while self.cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
                self.cursor.next();
            }
        }
    }

    /// Items separated by commas, up to `close`; the opening bracket has been read.
    fn items(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        while !self.cursor.eat(close) {
            item(self)?;
            if !self.cursor.eat(",") {
                self.cursor.expect(close)?;
                return Ok(());
            }
        }
        Ok(())
    }
}

fn read_word(cursor: &mut Cursor<'_>) -> Result<CommandWord, SyntaxError> {
    cursor.space();
    if cursor.peek() == Some('"') {
        return cursor.text_literal().map(CommandWord::Text);
    }
    let name = cursor.name()?;
    if name == "out" && cursor.peek() == Some('.') {
        cursor.next();
        return cursor.name().map(CommandWord::Output);
    }
    Ok(CommandWord::Input(name))
}

fn constant(input: Input) -> Option<Value> {
    if let Input::Constant(value) = input { Some(value) } else { None }
}

fn port_type(nodes: &[Node], port: PortRef) -> Option<&Type> {
    Some(&nodes.get(port.node.0 as usize)?.outputs.get(port.port as usize)?.ty)
}
