//! Reads the text of a DAG. Every node stands after those it refers to, so one pass serves, and no
//! cycle can be written.

use std::collections::HashMap;

use super::{
    node_write::is_deterministic,
    scan::{Cursor, SyntaxError},
    types::{NoRows, read_fields, read_path, read_row, read_type},
    value::read_value,
};
use crate::{
    dag::{Dag, Parameter},
    hash::Hash,
    node::{CommandWord, Node, NodeKind, OperatorPlace, OperatorRef},
    read_error::ReadError,
    rows::RowTable,
    types::{RecordType, Type},
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

pub(super) enum Problem {
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

pub(super) struct Reader<'a> {
    pub cursor: Cursor<'a>,
    pub rows: RowTable,
    pub scope: Scope,
    /// Of every node in the order in which they end, so that those of regions come before the node that has them.
    pub open: Vec<Open>,
}

/// What can be referred to: nodes and parameters of the DAG, or of a region.
#[derive(Default)]
pub(super) struct Scope {
    pub nodes: Vec<Node>,
    pub index: HashMap<String, u32>,
    pub parameters: HashMap<String, Type>,
}

/// What is known of a node only when the operators are declared, at the end.
pub(super) struct Open {
    /// The name of a task's operator in the text.
    pub operator: Option<String>,
    /// Whether the text says itself if the node is deterministic.
    pub is_marked: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            rows: RowTable::default(),
            scope: Scope::default(),
            open: Vec::new(),
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
        let outputs = self.nodes()?;
        self.operators()?;
        self.cursor.expect_end()?;
        Ok(Dag { workflow, parameters, nodes: std::mem::take(&mut self.scope.nodes), outputs, origin: None })
    }

    /// A dotted name, whose parts may be empty in backticks.
    pub fn path(&mut self) -> Result<String, Problem> {
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
        if self.scope.parameters.insert(name.clone(), ty.clone()).is_some() {
            return Err(ReadError::Duplicate { kind: "parameter", name }.into());
        }
        Ok(Parameter { name, ty, default, value })
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
        let mut nodes = std::mem::take(&mut self.scope.nodes);
        let declared = declare(&mut nodes, &operators, &mut self.open.drain(..));
        self.scope.nodes = nodes;
        Ok(declared?)
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
    pub fn word(&mut self) -> &'a str {
        self.cursor.space();
        let start = self.cursor.offset();
        while self.cursor.peek().is_some_and(|c| c.is_ascii_alphanumeric()) {
            self.cursor.next();
        }
        self.cursor.since(start)
    }

    /// `~2`, behind the name of the second of two operators that share it.
    pub fn version_mark(&mut self) {
        if self.cursor.peek() == Some('~') {
            self.cursor.next();
            while self.cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
                self.cursor.next();
            }
        }
    }

    /// Items separated by commas, up to `close`; the opening bracket has been read.
    pub fn items(
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

/// Gives tasks their operators, and nodes what these suggest.
fn declare(
    nodes: &mut [Node],
    operators: &HashMap<String, OperatorRef>,
    open: &mut impl Iterator<Item = Open>,
) -> Result<(), ReadError> {
    for node in nodes {
        for region in node.kind.nested_mut() {
            declare(&mut region.nodes, operators, open)?;
        }
        let Some(Open { operator, is_marked }) = open.next() else { return Ok(()) };
        if let Some(name) = operator {
            let Some(operator) = operators.get(&name) else {
                return Err(ReadError::UnknownOperator { node: node.id.clone(), name });
            };
            node.kind = NodeKind::Task(operator.clone());
        }
        if !is_marked {
            node.deterministic = is_deterministic(node);
        }
    }
    Ok(())
}
