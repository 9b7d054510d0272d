//! Random types and values for property tests.

use proptest::{collection::vec, option, prelude::*};

use crate::{
    dag::{Dag, Output, Parameter},
    expr::{Expr, ExprKind, Function},
    hash::Hash,
    node::{CommandWord, Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    policy::Policy,
    region::Region,
    types::{Column, EnumType, Field, Metric, ModelType, RecordType, Refinement, Row, Task, Type},
    value::{Float64, Value},
};

/// Plain names, reserved words, and names that need backticks.
pub fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z][a-z0-9_]{0,8}",
        1 => prop::sample::select(vec!["in", "if", "none", "true", "cast", "positive", "from", "let", "inf", "exp", "with", "param", "output", "row", "op", "Int"])
            .prop_map(str::to_owned),
        1 => "[A-Z][a-z]{0,4}",
        1 => "\\PC{0,6}|[.`\"\\\\{} \n]{0,4}",
    ]
}

pub fn dotted() -> impl Strategy<Value = String> {
    prop_oneof![5 => "([a-z]{1,4}\\.){0,2}[A-Z][a-z]{0,5}", 1 => name()]
}

pub fn float() -> impl Strategy<Value = Float64> {
    prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            0.8,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            5e-324
        ]),
    ]
    .prop_map(Float64)
}

fn refinement() -> impl Strategy<Value = Refinement> {
    let bound = || prop::sample::select(vec![-1.5, 0.0, 1.0, 1e-3, 1e30]).prop_map(Float64);
    prop_oneof![
        (option::of(any::<i64>()), option::of(any::<i64>()), any::<bool>())
            .prop_map(|(low, high, inclusive)| Refinement::Int { low, high, inclusive }),
        (bound(), option::of(bound()), any::<bool>()).prop_map(|(low, high, inclusive)| Refinement::Float {
            low: Some(low),
            high,
            inclusive
        }),
        "\\PC{0,8}".prop_map(Refinement::Matching),
    ]
}

fn row_of(ty: impl Strategy<Value = Type> + 'static) -> impl Strategy<Value = Row> {
    let column = (name(), ty, option::weighted(0.2, "\\PC{0,8}")).prop_map(|(name, ty, source)| Column {
        name,
        ty,
        source,
    });
    vec(column, 0..4).prop_map(|columns| Row { columns })
}

pub fn scalar_type() -> impl Strategy<Value = Type> {
    prop::sample::select(vec![
        Type::Bool,
        Type::Int,
        Type::Float,
        Type::Float32,
        Type::Text,
        Type::Bytes,
        Type::Date,
        Type::Time,
        Type::Duration,
        Type::Size,
        Type::Fraction,
        Type::File,
        Type::Weight,
        Type::EventTime,
        Type::Category,
        Type::Probability,
        Type::Score,
        Type::Nothing,
        Type::Embedding(384),
        Type::Metric(Metric::Auc),
        Type::Metric(Metric::QuantileLoss),
    ])
}

pub fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![4 => scalar_type(), 1 => "\\PC{0,6}".prop_map(Type::Opaque)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let task = prop::sample::select(vec![
            Task::Classifier,
            Task::Regressor,
            Task::Ranker,
            Task::Clusterer,
            Task::Transformer,
        ]);
        prop_oneof![
            boxed().prop_map(Type::Id),
            boxed().prop_map(Type::QueryId),
            boxed().prop_map(Type::Pii),
            boxed().prop_map(Type::List),
            boxed().prop_map(Type::Optional),
            (boxed(), option::of("\\PC{0,8}")).prop_map(|(of, positive)| Type::Label { of, positive }),
            (boxed(), refinement()).prop_map(|(base, refinement)| Type::Refined { base, refinement }),
            (dotted(), vec(name(), 0..3))
                .prop_map(|(name, variants)| Type::Enum(EnumType { name, variants })),
            (option::of(dotted()), vec((name(), inner.clone()), 0..3)).prop_map(|(name, fields)| {
                let fields = fields.into_iter().map(|(name, ty)| Field { name, ty }).collect();
                Type::Record(RecordType { name, fields })
            }),
            row_of(inner.clone()).prop_map(Type::Dataset),
            row_of(inner.clone()).prop_map(Type::Column),
            (task, row_of(inner.clone()), option::of(row_of(inner.clone())))
                .prop_map(|(task, row, result)| Type::Model(ModelType { task, row, result })),
        ]
    })
}

pub fn scalar_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-9i64..9).prop_map(Value::Int),
        float().prop_map(Value::Float),
        "\\PC{0,8}|[\\\\\"{}\n\t\r]{0,4}".prop_map(Value::Text),
        vec(any::<u8>(), 0..5).prop_map(Value::Bytes),
        any::<i32>().prop_map(Value::Date),
        any::<i64>().prop_map(Value::Time),
        prop_oneof![any::<i64>(), (-99i64..99).prop_map(|seconds| seconds * 1_000_000)]
            .prop_map(Value::Duration),
        prop_oneof![any::<u64>(), (0u64..99).prop_map(|mib| mib << 20)].prop_map(Value::Size),
        "\\PC{0,8}".prop_map(Value::File),
        (dotted(), name()).prop_map(|(ty, variant)| Value::Enum { ty, variant }),
        name().prop_map(Value::Column),
    ]
}

pub fn value() -> impl Strategy<Value = Value> {
    scalar_value().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::List), fields(inner).prop_map(Value::Record),]
    })
}

/// Entries whose names do not repeat.
pub fn fields<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<(String, T)>> {
    vec((name(), of), 0..4).prop_map(|mut fields| {
        let mut names = std::collections::HashSet::new();
        fields.retain(|(name, _)| names.insert(name.clone()));
        fields
    })
}

/// Any tree of expressions, sensible or not.
pub fn expr() -> impl Strategy<Value = Expr> {
    let kind = prop_oneof![
        name().prop_map(ExprKind::Column),
        name().prop_map(ExprKind::Parameter),
        value().prop_map(ExprKind::Literal),
    ];
    let leaf = (kind, ty()).prop_map(|(kind, ty)| Expr { kind, ty });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let call = (prop::sample::select(Function::ALL), vec(inner.clone(), 0..4))
            .prop_map(|(function, args)| ExprKind::Call { function, args });
        let usual = (prop::sample::select(Function::ALL), vec(inner.clone(), 1..3))
            .prop_map(|(function, args)| ExprKind::Call { function, args });
        let case = (vec((inner.clone(), inner.clone()), 0..3), inner.clone().prop_map(Box::new))
            .prop_map(|(arms, otherwise)| ExprKind::Case { arms, otherwise });
        let kind = prop_oneof![call, usual, case, inner.prop_map(Box::new).prop_map(ExprKind::Cast)];
        (kind, option::of(scalar_type())).prop_map(|(kind, ty)| {
            let ty = ty.or_else(|| result_type(&kind)).unwrap_or(Type::Nothing);
            Expr { kind, ty }
        })
    })
}

fn result_type(kind: &ExprKind) -> Option<Type> {
    match kind {
        ExprKind::Call { function, args } => {
            function.result(&args.iter().map(|arg| arg.ty.clone()).collect::<Vec<_>>()).ok()
        }
        _ => None,
    }
}

/// A well-typed numeric expression over the columns `a: Float`, `b: Int` and `c: Float?`.
pub fn numeric_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(Expr { kind: ExprKind::Column("a".to_owned()), ty: Type::Float }),
        Just(Expr { kind: ExprKind::Column("b".to_owned()), ty: Type::Int }),
        Just(Expr { kind: ExprKind::Column("c".to_owned()), ty: Type::Float.optional() }),
        (-9i64..9).prop_map(|value| Expr { kind: ExprKind::Literal(Value::Int(value)), ty: Type::Int }),
        float().prop_map(|value| Expr { kind: ExprKind::Literal(Value::Float(value)), ty: Type::Float }),
    ];
    leaf.prop_recursive(5, 32, 3, |inner| {
        (prop::sample::select(Function::ALL), vec(inner, 1..4)).prop_map(|(function, args)| {
            let kind = ExprKind::Call { function, args };
            match result_type(&kind) {
                Some(ty) => Expr { kind, ty },
                None => Expr { kind: ExprKind::Literal(Value::Int(1)), ty: Type::Int },
            }
        })
    })
}

/// A DAG of a few nodes in topological order, sensible in its references alone.
pub fn dag() -> impl Strategy<Value = Dag> {
    let parameter = (ty(), option::of(value()), value());
    let ids = vec(
        "[a-z]{1,3}(\\[[0-9]\\])?([./][a-z]{1,2})?(#[0-9])?|[A-Z][a-z]?(\\.[a-z])?|\\PC{0,4}|none|row|value|a\\.b|a",
        0..5,
    );
    (dotted(), fields(parameter), ids, vec(any::<u64>(), 5))
        .prop_flat_map(|(workflow, parameters, ids, _)| {
            let parameters: Vec<Parameter> = parameters
                .into_iter()
                .map(|(name, (ty, default, value))| Parameter { name, ty, default, value })
                .collect();
            let mut unique = std::collections::HashSet::new();
            let ids: Vec<String> = ids.into_iter().filter(|id| unique.insert(id.clone())).collect();
            let nodes: Vec<_> = ids.into_iter().map(node).collect();
            (Just(workflow), Just(parameters), nodes, fields((ty(), input())))
        })
        .prop_map(|(workflow, parameters, nodes, outputs)| {
            let outputs = outputs.into_iter().map(|(name, (ty, input))| Output { name, ty, input }).collect();
            let mut dag = Dag { workflow, parameters, nodes, outputs, origin: None };
            repair(&mut dag);
            dag
        })
}

/// Its ports and parameters are indices to be brought into range.
pub fn input() -> impl Strategy<Value = Input> {
    let leaf = prop_oneof![
        value().prop_map(Input::Constant),
        (0usize..4).prop_map(|index| Input::Parameter(index.to_string())),
        (0u32..8, 0u32..4).prop_map(|(node, port)| Input::Port(PortRef { node: NodeIndex(node), port })),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Input::List),
            fields(inner.clone()).prop_map(Input::Record),
            (expr(), fields(inner)).prop_map(|(expr, bindings)| Input::Expression { expr, bindings }),
        ]
    })
}

fn node(id: String) -> BoxedStrategy<Node> {
    node_of(id, 2)
}

/// `depth` regions within each other at most.
fn node_of(id: String, depth: u32) -> BoxedStrategy<Node> {
    let word = prop_oneof![
        "\\PC{0,6}".prop_map(CommandWord::Text),
        name().prop_map(CommandWord::Input),
        name().prop_map(CommandWord::Output),
    ];
    let place = prop_oneof![
        3 => Just(OperatorPlace::Native),
        1 => "\\PC{0,6}".prop_map(OperatorPlace::Python),
        1 => vec(word, 0..3).prop_map(OperatorPlace::Command),
    ];
    let operator = (dotted(), 0u32..3, place).prop_map(|(name, version, place)| {
        NodeKind::Task(OperatorRef { signature: Hash::of(name.as_bytes()), name, version, place })
    });
    let plain = prop_oneof![
        6 => operator,
        2 => expr().prop_map(NodeKind::Expression),
        1 => prop::sample::select(vec![NodeKind::Pass, NodeKind::Wait, NodeKind::WaitFor]),
    ];
    let kind =
        if depth > 0 { prop_oneof![5 => plain, 1 => control(depth - 1)].boxed() } else { plain.boxed() };
    let ports = prop_oneof![ty().prop_map(|ty| vec![("value".to_owned(), ty)]), fields(ty()),];
    let policy = (1u32..4, any::<u64>(), option::of("\\PC{0,4}"), option::of(1i64..9_000_000), any::<bool>());
    let rest = (vec(0u32..5, 0..2), any::<bool>(), any::<bool>());
    (kind, fields(input()), ports, policy, rest)
        .prop_map(move |(kind, inputs, ports, policy, rest)| {
            let (cpu, memory, pool, timeout, cache) = policy;
            Node {
                id: id.clone(),
                kind,
                inputs,
                after: rest.0.into_iter().map(NodeIndex).collect(),
                outputs: ports.into_iter().map(|(name, ty)| Port { name, ty }).collect(),
                policy: Policy { cpu, memory, pool, timeout, cache, ..Policy::default() },
                effect: rest.1,
                deterministic: rest.2,
            }
        })
        .boxed()
}

fn control(depth: u32) -> impl Strategy<Value = NodeKind> {
    // Ids differ among the regions of a node.
    let ids = |start: &'static str| {
        vec(0u8..3, 0..3).prop_map(move |mut ids| {
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().map(|id| format!("{start}{id}")).collect::<Vec<_>>()
        })
    };
    let region = |start| {
        let nodes = ids(start)
            .prop_flat_map(move |ids| ids.into_iter().map(|id| node_of(id, depth)).collect::<Vec<_>>());
        (fields(ty()), nodes, fields((ty(), input()))).prop_map(|(parameters, nodes, outputs)| Region {
            parameters: parameters.into_iter().map(|(name, ty)| Port { name, ty }).collect(),
            nodes,
            outputs: outputs.into_iter().map(|(name, (ty, input))| Output { name, ty, input }).collect(),
        })
    };
    let two = move || (region("a"), region("b"));
    prop_oneof![
        two().prop_map(|(then, otherwise)| NodeKind::Conditional { then, otherwise }),
        (any::<u64>(), region("c")).prop_map(|(max, body)| NodeKind::Map { max, body }),
        (0u64..9, two()).prop_map(|(max, (condition, body))| NodeKind::Loop { max, condition, body }),
        (dotted(), region("d")).prop_map(|(name, body)| NodeKind::Workflow { name, body }),
        region("e").prop_map(|body| NodeKind::Query { body }),
    ]
}

fn repair(dag: &mut Dag) {
    let names: Vec<String> = dag.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    repair_scope(&names, &mut dag.nodes, &mut dag.outputs);
}

fn repair_scope(names: &[String], nodes: &mut [Node], outputs: &mut [Output]) {
    let ports: Vec<u32> = nodes.iter().map(|node| node.outputs.len() as u32).collect();
    for (index, node) in nodes.iter_mut().enumerate() {
        node.after.retain(|after| (after.0 as usize) < index);
        node.inputs.iter_mut().for_each(|(_, input)| repair_input(input, index, names, &ports));
        for region in node.kind.nested_mut() {
            let names: Vec<String> =
                region.parameters.iter().map(|parameter| parameter.name.clone()).collect();
            repair_scope(&names, &mut region.nodes, &mut region.outputs);
        }
    }
    let count = ports.len();
    outputs.iter_mut().for_each(|output| repair_input(&mut output.input, count, names, &ports));
}

fn repair_input(input: &mut Input, before: usize, names: &[String], ports: &[u32]) {
    match input {
        Input::Parameter(index) => match names.get(index.parse::<usize>().unwrap()) {
            Some(name) => *index = name.clone(),
            None => *input = Input::Constant(Value::None),
        },
        Input::Port(port) => {
            let node = port.node.0 as usize;
            if node >= before || port.port >= ports[node] {
                *input = Input::Constant(Value::None);
            }
        }
        Input::List(inputs) => inputs.iter_mut().for_each(|input| repair_input(input, before, names, ports)),
        Input::Record(inputs) | Input::Expression { bindings: inputs, .. } => {
            inputs.iter_mut().for_each(|(_, input)| repair_input(input, before, names, ports));
        }
        Input::Constant(_) => {}
    }
}
