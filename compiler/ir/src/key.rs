//! Cache keys: nodes with equal keys give equal outputs, so that one's artifacts serve the other.
//!
//! A key is the BLAKE3 hash of: the operator's name, version and signature; what its inputs are;
//! the names and types of its outputs; `numerics`, which says what kind of device computes; and for
//! external operators a hash of their code. A parameter counts as its value, a File as its content,
//! a port as its artifact. What is bound to the parameter of a region counts in the same way, so that a node
//! has one key inside a region and outside. Ids of nodes, names of parameters, resources, devices and places in the
//! text are no part of it.
//!
//! A query counts as its inputs and the calls that it makes of them: what a step reads of another counts by that
//! one's place.
//!
//! Nodes that pass things on, wait, or run regions have no key: they compute nothing that is worth keeping. The
//! nodes in their regions have theirs, and are found again one by one.
//!
//! # The encoding
//!
//! What is hashed is prefix-free: each part begins with a byte that tells its kind, texts and lists
//! with their length as 8 bytes (all numbers are little-endian), and parts of one kind have the same
//! order of fields. So no two different inputs give the same bytes. Changing the encoding changes
//! [`VERSION`], and with it all keys.

use crate::{
    expr::{Expr, ExprKind},
    hash::Hash,
    node::{CommandWord, Input, Node, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    types::{Refinement, Row, Type},
    value::Value,
};

/// Of the encoding; the first text of every key.
pub const VERSION: &str = "flow-key/1";

/// What [`KeyFacts::numerics`] says where the CPU computes. It rises when results of the CPU's change.
pub const NUMERICS_CPU: &str = "cpu/1";

/// The key of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub Hash);

/// What a key needs to know from outside of the node.
pub trait KeyFacts {
    /// The content hash of the artifact at a port, where it is known.
    fn port(&self, port: PortRef) -> Option<Hash>;
    /// What a parameter is bound to, where it is known.
    fn parameter(&self, name: &str) -> Option<Known<'_>>;
    /// The content hash of the file at a path, where it is known.
    fn file(&self, path: &str) -> Option<Hash>;
    /// A hash of an external operator's code and environment, where it is known; never asked for
    /// native operators.
    fn environment(&self, place: &OperatorPlace) -> Option<Hash>;
    /// What kind of device computes: [`NUMERICS_CPU`], `gpu-f32/1`.
    fn numerics(&self) -> &str;
}

/// What a parameter is bound to: a workflow's to a value, a region's to whatever its node reads.
#[derive(Clone, Debug)]
pub enum Known<'a> {
    Value(&'a Value),
    /// Its content hash.
    Artifact(Hash),
    List(Vec<Self>),
    Record(Vec<(&'a str, Self)>),
}

/// The node's key; none for kinds without one, where an input's content is not known yet, and for nodes with an effect.
pub fn node_key(node: &Node, facts: &impl KeyFacts) -> Option<Key> {
    if node.effect {
        return None;
    }
    let mut encoder = Encoder { bytes: Vec::with_capacity(512), facts, bindings: &[], query: None };
    encoder.text(VERSION);
    encoder.text(facts.numerics());
    match &node.kind {
        NodeKind::Task(operator) => {
            encoder.operator(operator);
            encoder.code(&operator.place)?;
            encoder.length(node.inputs.len());
            for (name, input) in &node.inputs {
                encoder.text(name);
                encoder.input(input)?;
            }
        }
        NodeKind::Expression(expr) => {
            encoder.tag(Tag::Expression);
            encoder.bound(expr, &node.inputs)?;
        }
        NodeKind::Query { body } => {
            encoder.tag(Tag::Query);
            encoder.length(node.inputs.len());
            node.inputs.iter().try_for_each(|(_, input)| encoder.input(input))?;
            encoder.query = Some(&node.inputs);
            encoder.length(body.nodes.len());
            body.nodes.iter().try_for_each(|step| encoder.step(step))?;
            encoder.length(body.outputs.len());
            body.outputs.iter().try_for_each(|output| encoder.input(&output.input))?;
        }
        NodeKind::Pass
        | NodeKind::Wait
        | NodeKind::WaitFor
        | NodeKind::Conditional { .. }
        | NodeKind::Map { .. }
        | NodeKind::Loop { .. }
        | NodeKind::Workflow { .. } => return None,
    }
    encoder.outputs(&node.outputs);
    Some(Key(Hash::of(&encoder.bytes)))
}

/// A part of what a key is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What kind of device computes.
    Numerics,
    /// Its name, version and signature, and where it is.
    Operator,
    /// An external operator's code and environment.
    Code,
    Expression,
    Input(String),
    /// One of the calls that a query makes, by its place.
    Step(usize),
    /// The names and types of what it gives.
    Outputs,
}

/// The parts of a node's key, each with a hash where it is known: the keys of two nodes are equal where all of
/// their parts are. No parts where the node's kind has no key.
pub fn key_parts(node: &Node, facts: &impl KeyFacts) -> Vec<(Part, Option<Hash>)> {
    let mut encoder = Encoder { bytes: Vec::new(), facts, bindings: &[], query: None };
    let mut parts = Vec::with_capacity(node.inputs.len() + 4);
    encoder.text(facts.numerics());
    parts.push((Part::Numerics, encoder.take(Some(()))));
    match &node.kind {
        NodeKind::Task(operator) => {
            encoder.operator(operator);
            parts.push((Part::Operator, encoder.take(Some(()))));
            let known = encoder.code(&operator.place);
            parts.push((Part::Code, encoder.take(known)));
        }
        NodeKind::Expression(expr) => {
            // What the parameters are bound to are parts of their own.
            encoder.bindings = &node.inputs;
            let known = encoder.expr(expr);
            parts.push((Part::Expression, encoder.take(known)));
            encoder.bindings = &[];
        }
        NodeKind::Query { body } => {
            encoder.query = Some(&node.inputs);
            for (place, step) in body.nodes.iter().enumerate() {
                let known = encoder.step(step);
                parts.push((Part::Step(place), encoder.take(known)));
            }
            encoder.query = None;
        }
        _ => return Vec::new(),
    }
    for (name, input) in &node.inputs {
        let known = encoder.input(input);
        parts.push((Part::Input(name.clone()), encoder.take(known)));
    }
    encoder.outputs(&node.outputs);
    parts.push((Part::Outputs, encoder.take(Some(()))));
    parts
}

/// The bytes that tell what comes next. Never reorder: add at the end.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    Task,
    Expression,
    Port,
    Bound,
    None,
    False,
    True,
    Int,
    Float,
    Text,
    Bytes,
    Date,
    Time,
    Duration,
    Size,
    File,
    List,
    Record,
    Enum,
    Column,
    Parameter,
    Literal,
    Call,
    Cast,
    Case,
    Native,
    Python,
    Command,
    WordText,
    WordInput,
    WordOutput,
    Absent,
    Present,
    Type,
    Refined,
    Row,
    Model,
    Query,
    Step,
}

struct Encoder<'a, F> {
    bytes: Vec<u8>,
    facts: &'a F,
    /// What the parameters of the expression at hand are bound to: they count by place, not by name.
    bindings: &'a [(String, Input)],
    /// Where the steps of a query are at hand, its inputs: to them the steps' parameters are bound, and the ports
    /// that they read are each other's.
    query: Option<&'a [(String, Input)]>,
}

impl<'a, F: KeyFacts> Encoder<'a, F> {
    /// The hash of what was encoded since the last time, where that is known.
    fn take(&mut self, known: Option<()>) -> Option<Hash> {
        let hash = known.map(|()| Hash::of(&self.bytes));
        self.bytes.clear();
        hash
    }

    fn input(&mut self, input: &'a Input) -> Option<()> {
        match input {
            Input::Constant(value) => self.value(value),
            Input::Parameter(name) if let Some(inputs) = self.query => {
                self.tag(Tag::Parameter);
                self.length(inputs.iter().position(|(bound, _)| bound == name)?);
                Some(())
            }
            Input::Port(port) if self.query.is_some() => {
                self.tag(Tag::Step);
                self.number(u64::from(port.node.0));
                self.number(u64::from(port.port));
                Some(())
            }
            Input::Parameter(name) => {
                let facts = self.facts;
                self.known(&facts.parameter(name)?)
            }
            Input::Port(port) => {
                self.tag(Tag::Port);
                self.hash(self.facts.port(*port)?);
                Some(())
            }
            Input::Expression { expr, bindings } => {
                self.tag(Tag::Bound);
                self.bound(expr, bindings)
            }
            // As a constant list or record would be: whether the planner folded it makes no difference.
            Input::List(inputs) => {
                self.tag(Tag::List);
                self.length(inputs.len());
                inputs.iter().try_for_each(|input| self.input(input))
            }
            Input::Record(fields) => {
                self.tag(Tag::Record);
                self.length(fields.len());
                fields.iter().try_for_each(|(name, input)| {
                    self.text(name);
                    self.input(input)
                })
            }
        }
    }

    /// A call that a query makes.
    fn step(&mut self, step: &'a Node) -> Option<()> {
        let NodeKind::Task(operator) = &step.kind else { return None };
        self.operator(operator);
        self.code(&operator.place)?;
        self.length(step.inputs.len());
        for (name, input) in &step.inputs {
            self.text(name);
            self.input(input)?;
        }
        self.outputs(&step.outputs);
        Some(())
    }

    fn known(&mut self, known: &Known<'_>) -> Option<()> {
        match known {
            Known::Value(value) => self.value(value),
            Known::Artifact(hash) => {
                self.tag(Tag::Port);
                self.hash(*hash);
                Some(())
            }
            Known::List(elements) => {
                self.tag(Tag::List);
                self.length(elements.len());
                elements.iter().try_for_each(|element| self.known(element))
            }
            Known::Record(fields) => {
                self.tag(Tag::Record);
                self.length(fields.len());
                fields.iter().try_for_each(|(name, field)| {
                    self.text(name);
                    self.known(field)
                })
            }
        }
    }

    fn bound(&mut self, expr: &Expr, bindings: &'a [(String, Input)]) -> Option<()> {
        self.length(bindings.len());
        bindings.iter().try_for_each(|(_, input)| self.input(input))?;
        let outer = std::mem::replace(&mut self.bindings, bindings);
        let encoded = self.expr(expr);
        self.bindings = outer;
        encoded
    }

    fn value(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::None => self.tag(Tag::None),
            Value::Bool(value) => self.tag(if *value { Tag::True } else { Tag::False }),
            Value::Int(value) => self.signed(Tag::Int, *value),
            Value::Float(value) => {
                self.tag(Tag::Float);
                self.number(value.0.to_bits());
            }
            Value::Text(text) => self.tagged_text(Tag::Text, text),
            Value::Bytes(bytes) => {
                self.tag(Tag::Bytes);
                self.length(bytes.len());
                self.bytes.extend_from_slice(bytes);
            }
            Value::Date(days) => self.signed(Tag::Date, i64::from(*days)),
            Value::Time(at) => self.signed(Tag::Time, *at),
            Value::Duration(time) => self.signed(Tag::Duration, *time),
            Value::Size(bytes) => {
                self.tag(Tag::Size);
                self.number(*bytes);
            }
            Value::File(path) => {
                self.tag(Tag::File);
                self.hash(self.facts.file(path)?);
            }
            Value::List(values) => {
                self.tag(Tag::List);
                self.length(values.len());
                values.iter().try_for_each(|value| self.value(value))?;
            }
            Value::Record(fields) => {
                self.tag(Tag::Record);
                self.length(fields.len());
                fields.iter().try_for_each(|(name, value)| {
                    self.text(name);
                    self.value(value)
                })?;
            }
            Value::Enum { ty, variant } => {
                self.tagged_text(Tag::Enum, ty);
                self.text(variant);
            }
            Value::Column(name) => self.tagged_text(Tag::Column, name),
        }
        Some(())
    }

    fn expr(&mut self, expr: &Expr) -> Option<()> {
        match &expr.kind {
            ExprKind::Column(name) => self.tagged_text(Tag::Column, name),
            ExprKind::Parameter(name) => {
                self.tag(Tag::Parameter);
                match self.bindings.iter().position(|(bound, _)| bound == name) {
                    Some(place) => self.length(place),
                    None => {
                        self.number(u64::MAX);
                        self.text(name);
                    }
                }
            }
            ExprKind::Literal(value) => {
                self.tag(Tag::Literal);
                self.value(value)?;
            }
            ExprKind::Call { function, args } => {
                self.tagged_text(Tag::Call, function.name());
                self.number(u64::from(function.version()));
                self.length(args.len());
                args.iter().try_for_each(|arg| self.expr(arg))?;
            }
            ExprKind::Cast(operand) => {
                self.tag(Tag::Cast);
                self.expr(operand)?;
            }
            ExprKind::Case { arms, otherwise } => {
                self.tag(Tag::Case);
                self.length(arms.len());
                for (condition, value) in arms {
                    self.expr(condition)?;
                    self.expr(value)?;
                }
                self.expr(otherwise)?;
            }
        }
        self.ty(&expr.ty);
        Some(())
    }

    fn operator(&mut self, operator: &OperatorRef) {
        self.tag(Tag::Task);
        self.text(&operator.name);
        self.number(u64::from(operator.version));
        self.hash(operator.signature);
        match &operator.place {
            OperatorPlace::Native => self.tag(Tag::Native),
            OperatorPlace::Python(function) => self.tagged_text(Tag::Python, function),
            OperatorPlace::Command(words) => {
                self.tag(Tag::Command);
                self.length(words.len());
                for word in words {
                    match word {
                        CommandWord::Text(text) => self.tagged_text(Tag::WordText, text),
                        CommandWord::Input(name) => self.tagged_text(Tag::WordInput, name),
                        CommandWord::Output(name) => self.tagged_text(Tag::WordOutput, name),
                    }
                }
            }
        }
    }

    fn code(&mut self, place: &OperatorPlace) -> Option<()> {
        if *place != OperatorPlace::Native {
            self.hash(self.facts.environment(place)?);
        }
        Some(())
    }

    fn outputs(&mut self, outputs: &[Port]) {
        self.length(outputs.len());
        for port in outputs {
            self.text(&port.name);
            self.ty(&port.ty);
        }
    }

    /// The names of records serve people and are left out; those of enums are part of their values.
    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Id(of) => self.wrapped("Id", of),
            Type::QueryId(of) => self.wrapped("QueryId", of),
            Type::Pii(of) => self.wrapped("Pii", of),
            Type::Optional(of) => self.wrapped("Optional", of),
            Type::List(of) => self.wrapped("List", of),
            Type::Label { of, positive } => {
                self.wrapped("Label", of);
                self.maybe_text(positive.as_deref());
            }
            Type::Refined { base, refinement } => {
                self.tag(Tag::Refined);
                self.ty(base);
                self.refinement(refinement);
            }
            Type::Record(record) => {
                self.tagged_text(Tag::Type, "Record");
                self.length(record.fields.len());
                for field in &record.fields {
                    self.text(&field.name);
                    self.ty(&field.ty);
                }
            }
            Type::Enum(of) => {
                self.tagged_text(Tag::Type, "Enum");
                self.text(&of.name);
                self.length(of.variants.len());
                of.variants.iter().for_each(|variant| self.text(variant));
            }
            Type::Dataset(row) => {
                self.tagged_text(Tag::Type, "Dataset");
                self.row(row);
            }
            Type::Model(model) => {
                self.tagged_text(Tag::Model, model.task.name());
                self.row(&model.row);
                match &model.result {
                    None => self.tag(Tag::Absent),
                    Some(row) => {
                        self.tag(Tag::Present);
                        self.row(row);
                    }
                }
            }
            // Written with all that they are: `Float`, `Embedding<384>`, `Opaque<"sklearn">`.
            plain => {
                let text = plain.to_string();
                self.tagged_text(Tag::Type, &text);
            }
        }
    }

    fn wrapped(&mut self, name: &str, of: &Type) {
        self.tagged_text(Tag::Type, name);
        self.ty(of);
    }

    fn row(&mut self, row: &Row) {
        self.tag(Tag::Row);
        self.length(row.columns.len());
        for column in &row.columns {
            self.text(&column.name);
            self.ty(&column.ty);
            self.maybe_text(column.source.as_deref());
        }
    }

    fn refinement(&mut self, refinement: &Refinement) {
        let text = refinement.to_string();
        self.text(&text);
    }

    fn maybe_text(&mut self, text: Option<&str>) {
        match text {
            None => self.tag(Tag::Absent),
            Some(text) => self.tagged_text(Tag::Present, text),
        }
    }

    fn tag(&mut self, tag: Tag) {
        self.bytes.push(tag as u8);
    }

    fn tagged_text(&mut self, tag: Tag, text: &str) {
        self.tag(tag);
        self.text(text);
    }

    fn signed(&mut self, tag: Tag, value: i64) {
        self.tag(tag);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn hash(&mut self, hash: Hash) {
        self.bytes.extend_from_slice(&hash.0);
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{arbitrary, dag::Dag};

    /// All that is asked for is known, by its name.
    struct AllKnown<'a> {
        dag: &'a Dag,
        numerics: &'static str,
    }

    impl KeyFacts for AllKnown<'_> {
        fn port(&self, port: PortRef) -> Option<Hash> {
            Some(Hash::of(&[port.node.0 as u8, port.port as u8]))
        }

        fn parameter(&self, name: &str) -> Option<Known<'_>> {
            self.dag
                .parameters
                .iter()
                .find(|parameter| parameter.name == name)
                .map(|parameter| Known::Value(&parameter.value))
        }

        fn file(&self, path: &str) -> Option<Hash> {
            (path != "unknown").then(|| Hash::of(path.trim_start_matches("./").as_bytes()))
        }

        fn environment(&self, place: &OperatorPlace) -> Option<Hash> {
            Some(Hash::of(format!("{place:?}").as_bytes()))
        }

        fn numerics(&self) -> &str {
            self.numerics
        }
    }

    const NODES: &str = "dag a.a

param path: File = file\"a.csv\"
param limit: Float = 0.5

data = load(path: $path, sizes: [1, 2], loss: std.tree.Loss.auto) -> Dataset<{ x: Float }>
kept = where(data: data, predicate: { let l = $limit; .x > exp(l) }) -> Dataset<{ x: Float }>
more = { let a = 1; let b = 2; a + b } -> Int
both = run query(rows: data, most: $limit) -> Dataset<{ y: Float }>
body(rows: Dataset<{ x: Float }>, most: Float) {
    some = where(data: $rows, predicate: { let l = $most; .x < l }) -> Dataset<{ x: Float }>
    both = derive(data: some, columns: (y: { sqrt(.x) })) -> Dataset<{ y: Float }>
    output value: Dataset<{ y: Float }> = both
}

op load version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op where version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op derive version 3 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
";

    fn keys(text: &str) -> Vec<Option<Key>> {
        let dag = Dag::from_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        dag.nodes.iter().map(|node| node_key(node, &AllKnown { dag: &dag, numerics: NUMERICS_CPU })).collect()
    }

    fn parts(text: &str) -> Vec<Vec<(Part, Option<Hash>)>> {
        let dag = Dag::from_text(text).unwrap();
        dag.nodes
            .iter()
            .map(|node| key_parts(node, &AllKnown { dag: &dag, numerics: NUMERICS_CPU }))
            .collect()
    }

    #[test]
    fn what_changes_a_key_and_what_does_not() {
        let original = keys(NODES);
        let original_parts = parts(NODES);
        assert!(original.iter().all(Option::is_some));
        for (from, to, changed) in [
            // Of no account: ids, names of parameters and bindings, paths, policy, order without data.
            ("data = load", "rows = load", vec![]),
            ("more = {", "sum = {", vec![]),
            ("let l = $limit; .x > exp(l)", "let m = $limit; .x > exp(m)", vec![]),
            ("limit", "bound", vec![]),
            ("\"a.csv\"", "\"./a.csv\"", vec![]),
            ("$limit", "0.5", vec![]),
            ("sizes: [1, 2]", "sizes: inputs [1, 2]", vec![]),
            ("Dataset<{ x: Float }>\nkept", "Dataset<{ x: Float }> with (cpu: 8, gpu: 1)\nkept", vec![]),
            ("-> Int", "after (data) -> Int", vec![]),
            // Of account: content, arguments, versions, types, expressions.
            ("\"a.csv\"", "\"b.csv\"", vec![0]),
            ("[1, 2]", "[1, 3]", vec![0]),
            ("[1, 2]", "[1.0, 2]", vec![0]),
            ("Loss.auto", "Loss.squared", vec![0]),
            ("0.5", "0.25", vec![1, 3]),
            ("exp(l)", "expm1(l)", vec![1]),
            ("let a = 1; let b = 2", "let a = 2; let b = 1", vec![2]),
            ("a + b", "b + a", vec![2]),
            ("op load version 1", "op load version 2", vec![0]),
            ("signature af", "signature bf", vec![0]),
            ("-> Int", "-> Float", vec![2]),
            // The steps of a query: their names count for nothing, what they compute does.
            ("some", "few", vec![]),
            ("sqrt(.x)", "exp(.x)", vec![3]),
            (
                "l }) -> Dataset<{ x: Float }>\n    both",
                "l + 1.0 }) -> Dataset<{ x: Float }>\n    both",
                vec![3],
            ),
            ("op derive version 3", "op derive version 4", vec![3]),
            ("derive(data: some", "derive(data: $rows", vec![3]),
            ("rows: data", "rows: kept", vec![3]),
        ] {
            let mut text = NODES.replacen(from, to, if ["limit", "some"].contains(&from) { 99 } else { 1 });
            if from == "data = load" {
                text = text.replace("data: data", "data: rows").replace("rows: data,", "rows: rows,");
            }
            let found: Vec<usize> = keys(&text)
                .iter()
                .zip(&original)
                .enumerate()
                .filter(|(_, (a, b))| a != b)
                .map(|(i, _)| i)
                .collect();
            assert_eq!(found, changed, "{from} to {to}");
            for (node, (a, b)) in parts(&text).iter().zip(&original_parts).enumerate() {
                assert_eq!(a != b, changed.contains(&node), "{from} to {to}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn what_has_no_key() {
        assert_eq!(keys(&NODES.replace("a.csv", "unknown"))[0], None);
        assert_eq!(keys(&NODES.replace("-> Int", "-> Int effect"))[2], None);
    }

    #[test]
    fn numerics_count() {
        let dag = Dag::from_text(NODES).unwrap();
        let key = |numerics| node_key(&dag.nodes[0], &AllKnown { dag: &dag, numerics });
        assert_ne!(key(NUMERICS_CPU), key("gpu-f32/1"));
    }

    const KEYS: &str = "de78cd6b3d17bdf28c1dd9c3b34da9126ed76fe7101d4c9eb0b1388918c20dd8";

    /// A change of this hash loses every cached result: raise [`VERSION`] with it.
    #[test]
    fn keys_stay_the_same() {
        let all: Vec<String> = keys(NODES).into_iter().flatten().map(|key| key.0.to_string()).collect();
        assert_eq!(Hash::of(all.concat().as_bytes()).to_string(), KEYS);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Values, types and expressions that differ have different bytes, none of which is the
        /// beginning of another.
        #[test]
        fn the_encoding_is_prefix_free(a in arbitrary::expr(), b in arbitrary::expr(), c in arbitrary::value(), d in arbitrary::value(), e in arbitrary::ty(), f in arbitrary::ty()) {
            let dag = Dag { workflow: String::new(), parameters: vec![], nodes: vec![], outputs: vec![], origin: None };
            let facts = AllKnown { dag: &dag, numerics: NUMERICS_CPU };
            let encoded = |write: &dyn Fn(&mut Encoder<'_, AllKnown<'_>>)| {
                let mut encoder = Encoder { bytes: Vec::new(), facts: &facts, bindings: &[], query: None };
                write(&mut encoder);
                encoder.bytes
            };
            let differ = |a: Vec<u8>, b: Vec<u8>| !a.starts_with(&b) && !b.starts_with(&a);
            // The name of a record type counts for nothing, so those are left out.
            let is_nameless = |text: String| !text.contains("RecordType");
            if a != b && is_nameless(format!("{a:?}{b:?}")) {
                let bytes = |expr: &Expr| encoded(&|encoder| { encoder.expr(expr); });
                prop_assert!(differ(bytes(&a), bytes(&b)));
            }
            if c != d {
                let bytes = |value: &Value| encoded(&|encoder| { encoder.value(value); });
                prop_assert!(differ(bytes(&c), bytes(&d)));
            }
            if e != f && is_nameless(format!("{e:?}{f:?}")) {
                let bytes = |ty: &Type| encoded(&|encoder| encoder.ty(ty));
                prop_assert!(differ(bytes(&e), bytes(&f)));
            }
        }
    }
}
