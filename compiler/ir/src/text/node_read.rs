//! Reads nodes, their regions, and what they read.

use std::collections::HashSet;

use super::{
    dag_read::{Open, Problem, Reader, Scope},
    expr::{TypeScope, read_expr},
    node_write::{bound_type, row_of},
    reference::{Reference, read_id, read_reference},
    scan::is_name_start,
    types::read_type,
    value::{read_scalar, read_value},
};
use crate::{
    dag::Output,
    expr::Expr,
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef, VALUE_PORT},
    policy::Policy,
    read_error::ReadError,
    region::Region,
    types::{Row, Type},
    value::Value,
};

impl Scope {
    /// Of a port or a parameter.
    fn type_of(&self, input: &Input) -> Option<&Type> {
        match input {
            Input::Parameter(name) => self.parameters.get(name),
            Input::Port(port) => {
                Some(&self.nodes.get(port.node.0 as usize)?.outputs.get(port.port as usize)?.ty)
            }
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// Nodes, and the outputs behind them.
    pub fn nodes(&mut self) -> Result<Vec<Output>, Problem> {
        loop {
            self.cursor.space();
            let start = self.cursor.offset();
            let is_over = self.cursor.rest().is_empty()
                || self.cursor.peek() == Some('}')
                || self.cursor.eat_word("output")
                || self.cursor.eat_word("op");
            if is_over {
                self.cursor.rewind(start);
                break;
            }
            self.node()?;
        }
        let mut outputs = Vec::new();
        let mut names = HashSet::new();
        while self.cursor.eat_word("output") {
            let name = self.cursor.name()?;
            if !names.insert(name.clone()) {
                return Err(ReadError::Duplicate { kind: "output", name }.into());
            }
            self.cursor.expect(":")?;
            let ty = read_type(&mut self.cursor, &self.rows)?;
            self.cursor.expect("=")?;
            let input = self.input(&[], &format!("output `{name}`"))?;
            outputs.push(Output { name, ty, input });
        }
        Ok(outputs)
    }

    fn node(&mut self) -> Result<(), Problem> {
        let id = read_id(&mut self.cursor)?;
        self.cursor.expect("=")?;
        self.cursor.space();
        let mut operator = None;
        let (mut kind, inputs) = if self.cursor.peek() == Some('{') {
            let (expr, bindings) = self.expression(None, &id)?;
            (NodeKind::Expression(expr), bindings)
        } else {
            let kind = match self.control()? {
                Some(kind) => kind,
                None => {
                    operator = Some(self.operator_name()?);
                    unknown_operator()
                }
            };
            let inputs = self.call_inputs(&id)?;
            (kind, inputs)
        };
        if let NodeKind::Map { max, .. } | NodeKind::Loop { max, .. } = &mut kind {
            *max = self.max()?;
        }
        let mut after = Vec::new();
        if self.cursor.eat_word_inline("after") {
            self.cursor.expect("(")?;
            self.items(")", |reader| {
                let other = read_id(&mut reader.cursor)?;
                let unknown =
                    || ReadError::UnknownNode { place: format!("node `{id}`, `after`"), node: other.clone() };
                after.push(NodeIndex(*reader.scope.index.get(&other).ok_or_else(unknown)?));
                Ok(())
            })?;
        }
        self.cursor.expect("->")?;
        let outputs = self.outputs(&id)?;
        let policy = self.policy(&id)?;
        let effect = self.cursor.eat_word_inline("effect");
        let is_deterministic = self.cursor.eat_word_inline("deterministic");
        let is_marked = is_deterministic || self.cursor.eat_word_inline("indeterministic");
        self.regions(&mut kind, &id)?;
        let place = u32::try_from(self.scope.nodes.len()).unwrap_or(u32::MAX);
        if self.scope.index.insert(id.clone(), place).is_some() {
            return Err(ReadError::Duplicate { kind: "node", name: id }.into());
        }
        self.open.push(Open { operator, is_marked });
        self.scope.nodes.push(Node {
            id,
            kind,
            inputs,
            after,
            outputs,
            policy,
            effect,
            deterministic: is_deterministic,
        });
        Ok(())
    }

    /// What stands behind `run`, with regions that are still empty; none where a task is called.
    fn control(&mut self) -> Result<Option<NodeKind>, Problem> {
        let start = self.cursor.offset();
        let is_control = self.cursor.eat_word("run") && {
            self.cursor.blanks();
            self.cursor.peek().is_some_and(is_name_start)
        };
        if !is_control {
            self.cursor.rewind(start);
            return Ok(None);
        }
        let here = self.cursor.offset();
        let empty = || Region { parameters: Vec::new(), nodes: Vec::new(), outputs: Vec::new() };
        Ok(Some(match self.cursor.identifier().unwrap_or_default() {
            "pass" => NodeKind::Pass,
            "wait" => NodeKind::Wait,
            "wait_for" => NodeKind::WaitFor,
            "if" => NodeKind::Conditional { then: empty(), otherwise: empty() },
            "for" => NodeKind::Map { max: 0, body: empty() },
            "while" => NodeKind::Loop { max: 0, condition: empty(), body: empty() },
            "workflow" => NodeKind::Workflow { name: self.path()?, body: empty() },
            "query" => NodeKind::Query { body: empty() },
            _ => {
                self.cursor.rewind(here);
                let kinds = "`if`, `for`, `while`, `workflow`, `query`, `pass`, `wait` or `wait_for`";
                return Err(self.cursor.error(kinds).into());
            }
        }))
    }

    fn operator_name(&mut self) -> Result<String, Problem> {
        self.cursor.space();
        let start = self.cursor.offset();
        self.path()?;
        self.version_mark();
        Ok(self.cursor.since(start).to_owned())
    }

    fn call_inputs(&mut self, id: &str) -> Result<Vec<(String, Input)>, Problem> {
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
        Ok(inputs)
    }

    fn max(&mut self) -> Result<u64, Problem> {
        if !self.cursor.eat_word("max") {
            return Err(self.cursor.error("`max`").into());
        }
        self.cursor.space();
        let start = self.cursor.offset();
        let digits = self.word();
        digits.parse().map_err(|_| {
            self.cursor.rewind(start);
            self.cursor.error("a whole number").into()
        })
    }

    /// The regions of a node, which stand behind it.
    fn regions(&mut self, kind: &mut NodeKind, id: &str) -> Result<(), Problem> {
        let parts: Vec<&'static str> = kind.nested().iter().map(|(part, _)| *part).collect();
        // The ids of one node's regions are told apart by nothing else.
        let mut ids = HashSet::new();
        for (part, region) in parts.into_iter().zip(kind.nested_mut()) {
            if !self.cursor.eat_word(part) {
                return Err(self.cursor.error(format!("`{part}`")).into());
            }
            self.cursor.expect("(")?;
            let parameters = self.ports(id)?;
            let types = parameters.iter().map(|parameter| (parameter.name.clone(), parameter.ty.clone()));
            let within = Scope { parameters: types.collect(), ..Scope::default() };
            let outer = std::mem::replace(&mut self.scope, within);
            self.cursor.deepen()?;
            self.cursor.expect("{")?;
            let outputs = self.nodes()?;
            self.cursor.expect("}")?;
            self.cursor.rise();
            let nodes = std::mem::replace(&mut self.scope, outer).nodes;
            if let Some(node) = nodes.iter().find(|node| !ids.insert(node.id.clone())) {
                return Err(ReadError::Duplicate { kind: "node", name: node.id.clone() }.into());
            }
            *region = Region { parameters, nodes, outputs };
        }
        Ok(())
    }

    fn outputs(&mut self, id: &str) -> Result<Vec<Port>, Problem> {
        if self.cursor.eat("(") {
            return self.ports(id);
        }
        let ty = read_type(&mut self.cursor, &self.rows)?;
        Ok(vec![Port { name: VALUE_PORT.to_owned(), ty }])
    }

    /// Up to the closing bracket.
    fn ports(&mut self, id: &str) -> Result<Vec<Port>, Problem> {
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
                if !self.scope.parameters.contains_key(&name) {
                    return Err(ReadError::UnknownParameter { place: place.to_owned(), name }.into());
                }
                Input::Parameter(name)
            }
            Some('{') => {
                let row = row_of(before, |input| self.scope.type_of(input)).cloned();
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
        let types = bindings.iter().filter_map(|(name, input)| {
            Some((name.as_str(), bound_type(input, |input| self.scope.type_of(input))?))
        });
        let scope = TypeScope { row, parameters: types.collect() };
        let expr = read_expr(&mut self.cursor, &scope, &self.rows)?;
        self.cursor.expect("}")?;
        Ok((expr, bindings))
    }

    fn port(&mut self, place: &str) -> Result<PortRef, Problem> {
        let Reference { id, port, is_exact } = read_reference(&mut self.cursor)?;
        let find = |id: &str, port: &str| {
            let node = *self.scope.index.get(id)?;
            Some(PortRef { node: NodeIndex(node), port: self.scope.nodes.get(node as usize)?.port(port)? })
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
            (None, Some((node, port))) if !self.scope.index.contains_key(&id) && !is_exact => {
                (node.to_owned(), port.to_owned())
            }
            (None, _) => (id, VALUE_PORT.to_owned()),
        };
        Err(Problem::Meaning(
            match self.scope.index.get(&node).and_then(|index| self.scope.nodes.get(*index as usize)) {
                Some(found) => ReadError::UnknownPort {
                    place,
                    ports: found.outputs.iter().map(|port| port.name.clone()).collect(),
                    node,
                    port,
                },
                None => ReadError::UnknownNode { place, node },
            },
        ))
    }
}

/// Until the operators are declared.
fn unknown_operator() -> NodeKind {
    NodeKind::Task(OperatorRef {
        name: String::new(),
        version: 0,
        signature: Hash([0; 32]),
        place: OperatorPlace::Native,
    })
}

fn constant(input: Input) -> Option<Value> {
    if let Input::Constant(value) = input { Some(value) } else { None }
}
