//! DataFusion and the reference interpreter agree, on random expressions over random tables.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::concat_batches,
};
use flow_ir::{
    expr::{Expr, ExprKind, Function, Scope, common_type, evaluate},
    types::{Column, Row, Type},
    value::Value,
};
use proptest::prelude::*;

use super::{Evaluator, cells};
use crate::storage;

/// Every type that a random expression may have; columns have each of the scalar ones, with and without `?`.
pub(crate) static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| {
    vec![
        Type::Bool,
        Type::Int,
        Type::Float,
        Type::Text,
        Type::Date,
        Type::Time,
        Type::Duration,
        Type::Size,
        Type::List(Box::new(Type::Int)),
    ]
});

/// A function, the types of its arguments, and that of its result.
type Overload = (Function, Vec<Type>, Type);

static OVERLOADS: LazyLock<Vec<Overload>> = LazyLock::new(|| {
    let mut tuples: Vec<Vec<Type>> = vec![Vec::new()];
    let mut overloads = Vec::new();
    for _ in 0..3 {
        tuples = tuples
            .iter()
            .flat_map(|tuple| TYPES.iter().map(|ty| [tuple.as_slice(), std::slice::from_ref(ty)].concat()))
            .collect();
        for args in &tuples {
            for function in Function::ALL {
                if let Ok(result) = function.result(args) {
                    overloads.push((*function, args.clone(), result));
                }
            }
        }
    }
    overloads
});

pub(crate) fn row() -> Row {
    let columns = TYPES.iter().filter(|ty| !matches!(ty, Type::List(_))).flat_map(|ty| {
        let name = format!("{ty:?}").to_lowercase();
        let gaps = Column { name: format!("{name} gaps"), ty: ty.clone().optional(), source: None };
        [Column { name, ty: ty.clone(), source: None }, gaps]
    });
    Row { columns: columns.collect() }
}

pub(crate) fn bindings() -> Vec<(String, Value)> {
    let ints = vec![Value::Int(0), Value::Int(3), Value::Int(i64::MAX)];
    vec![("ints".to_owned(), Value::List(ints)), ("two".to_owned(), Value::Int(2))]
}

/// Decisions for a generator; 0 once they are used up, so that fewer decisions make smaller expressions.
pub(crate) struct Choices<'a>(pub std::slice::Iter<'a, u32>);

impl Choices<'_> {
    fn of<'t, T>(&mut self, options: &'t [T]) -> &'t T {
        &options[self.below(options.len())]
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0.next().map_or(0, |choice| *choice as usize % end)
    }

    pub fn expr(&mut self, ty: &Type, depth: usize) -> Expr {
        let leaf = |choices: &mut Self| choices.leaf(ty);
        if depth == 0 {
            return leaf(self);
        }
        match self.below(8) {
            0 | 1 => leaf(self),
            2 => self.cast(ty, depth).unwrap_or_else(|| self.leaf(ty)),
            3 => {
                let condition = self.expr(&Type::Bool, depth - 1);
                let (value, otherwise) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                match common_type(&value.ty, &otherwise.ty) {
                    Some(ty) => {
                        let arms = vec![(condition, value)];
                        Expr { kind: ExprKind::Case { arms, otherwise: Box::new(otherwise) }, ty }
                    }
                    None => leaf(self),
                }
            }
            _ => self.call(ty, depth).unwrap_or_else(|| self.leaf(ty)),
        }
    }

    fn call(&mut self, ty: &Type, depth: usize) -> Option<Expr> {
        let fitting: Vec<&Overload> = OVERLOADS.iter().filter(|(.., result)| result == ty).collect();
        let functions: Vec<Function> = {
            let mut functions: Vec<Function> = fitting.iter().map(|(function, ..)| *function).collect();
            functions.dedup();
            functions.sort();
            functions.dedup();
            functions
        };
        if functions.is_empty() {
            return None;
        }
        let function = *self.of(&functions);
        let overloads: Vec<&&Overload> = fitting.iter().filter(|(of, ..)| *of == function).collect();
        let (_, types, _) = **self.of(&overloads);
        let args: Vec<Expr> = types.iter().map(|ty| self.expr(ty, depth - 1)).collect();
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
        let result = function.result(&types).ok()?;
        Some(Expr { kind: ExprKind::Call { function, args }, ty: result })
    }

    fn cast(&mut self, ty: &Type, depth: usize) -> Option<Expr> {
        let from: &[Type] = match ty {
            Type::Int => &[Type::Float, Type::Bool, Type::Text],
            Type::Float => &[Type::Int, Type::Bool, Type::Text],
            Type::Text => &[Type::Int, Type::Float, Type::Bool, Type::Date, Type::Duration],
            Type::Time => &[Type::Date, Type::Text],
            Type::Date => &[Type::Time],
            _ => return None,
        };
        let from = self.of(from).clone();
        let operand = self.expr(&from, depth - 1);
        let ty = if operand.ty.is_optional() { ty.clone().optional() } else { ty.clone() };
        Some(Expr { kind: ExprKind::Cast(Box::new(operand)), ty })
    }

    fn leaf(&mut self, ty: &Type) -> Expr {
        if matches!(ty, Type::List(_)) {
            return Expr { kind: ExprKind::Parameter("ints".to_owned()), ty: ty.clone() };
        }
        match self.below(5) {
            0 => Expr { kind: ExprKind::Literal(self.value(ty)), ty: ty.clone() },
            1 if *ty == Type::Int => Expr { kind: ExprKind::Parameter("two".to_owned()), ty: Type::Int },
            2 => column(&format!("{} gaps", format!("{ty:?}").to_lowercase()), ty.clone().optional()),
            _ => column(&format!("{ty:?}").to_lowercase(), ty.clone()),
        }
    }

    fn value(&mut self, ty: &Type) -> Value {
        let ints = [0, 1, -1, 2, 3, 7, -12, 1_000_003, i64::MAX, i64::MIN, 63];
        let floats =
            [0.0, -0.0, 1.0, -1.5, 0.5, 2.5, 1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 9e18];
        match ty.storage() {
            Type::Bool => Value::Bool(self.below(2) == 1),
            Type::Int => Value::Int(*self.of(&ints)),
            Type::Float => Value::from(*self.of(&floats)),
            Type::Text => Value::from(*self.of(&[
                "",
                "a",
                "ab",
                "Ünï",
                " 12 ",
                "-3.5",
                "true",
                "a.*",
                "(",
                "2026-11-20",
            ])),
            Type::Date => Value::Date(*self.of(&[0, -1, 11_016, 20_777, -719_529, 2_000_000])),
            Type::Time => {
                Value::Time(*self.of(&[0, -1, 1_795_167_000_000_000, 951_782_400_000_001, i64::MAX]))
            }
            Type::Duration => Value::Duration(*self.of(&[0, 1, -90_000_000, 86_400_000_000, i64::MAX])),
            Type::Size => Value::Size(*self.of(&[0, 1, 4096, u64::MAX])),
            other => panic!("no column has the type {other:?}"),
        }
    }

    pub fn batch(&mut self, rows: usize) -> RecordBatch {
        let row = row();
        let columns = row.columns.iter().map(|column| {
            let values: Vec<Value> = (0..rows)
                .map(|_| match column.ty.is_optional() && self.below(3) == 0 {
                    true => Value::None,
                    false => self.value(&column.ty),
                })
                .collect();
            cells::array(&values, &column.ty).unwrap()
        });
        RecordBatch::try_new(storage::schema(&row).unwrap(), columns.collect()).unwrap()
    }
}

fn column(name: &str, ty: Type) -> Expr {
    Expr { kind: ExprKind::Column(name.to_owned()), ty }
}

fn call(function: Function, args: Vec<Expr>) -> Expr {
    let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
    let ty = function.result(&types).unwrap();
    Expr { kind: ExprKind::Call { function, args }, ty }
}

fn literal(value: impl Into<Value>, ty: Type) -> Expr {
    Expr { kind: ExprKind::Literal(value.into()), ty }
}

struct OneRow<'a> {
    values: Vec<(String, Value)>,
    bindings: &'a [(String, Value)],
}

impl Scope for OneRow<'_> {
    fn column(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(column, _)| column == name).map(|(_, value)| value)
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        self.bindings.iter().find(|(parameter, _)| parameter == name).map(|(_, value)| value)
    }
}

/// By the interpreter: each row's value, or the first row's error.
fn reference(expr: &Expr, bindings: &[(String, Value)], batch: &RecordBatch) -> Result<Vec<Value>, String> {
    let row_type = row();
    let values = (0..batch.num_rows()).map(|row| {
        let values = row_type
            .columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| (column.name.clone(), cells::value(array, row, &column.ty).unwrap()));
        let scope = OneRow { values: values.collect(), bindings };
        let value = evaluate(expr, &scope).map_err(|error| format!("row {}: {error}", row + 1))?;
        let fits = value == Value::None || value.fits(expr.ty.storage()).is_ok();
        if fits { Ok(value) } else { Err(format!("row {}: {value} is no {}", row + 1, expr.ty)) }
    });
    values.collect()
}

fn values(array: &ArrayRef, ty: &Type) -> Vec<Value> {
    (0..array.len()).map(|row| cells::value(array, row, ty).unwrap()).collect()
}

/// As bits, but every NaN is one: which of them an operation gives, IEEE 754 leaves open.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a == b || a.0.is_nan() && b.0.is_nan(),
        _ => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn datafusion_means_what_the_interpreter_means(
        wanted in 0..8_usize,
        expr in prop::collection::vec(any::<u32>(), 0..60),
        seed: u64,
        rows in (0..8_usize, 0..8_usize),
    ) {
        let expr = Choices(expr.iter()).expr(&TYPES[wanted], 4);
        let cells: Vec<u32> = (0..400).map(|at| (blake3::hash(&[seed, at].map(u64::to_le_bytes).concat()).as_bytes()[0]).into()).collect();
        let mut cells = Choices(cells.iter());
        let batches = [cells.batch(rows.0), cells.batch(rows.1)];
        let schema = batches[0].schema();
        let whole = concat_batches(&schema, &batches).unwrap();
        let bindings = bindings();

        let expected = reference(&expr, &bindings, &whole);
        let evaluator = Evaluator::new(Cow::Borrowed(&expr), &bindings, &schema).unwrap();
        let found = evaluator.evaluate(&batches[0], 0).and_then(|first| {
            let second = evaluator.evaluate(&batches[1], rows.0)?;
            Ok([values(&first, &expr.ty), values(&second, &expr.ty)].concat())
        });
        match (expected, found) {
            (Ok(expected), Ok(found)) => {
                prop_assert_eq!(expected.len(), found.len());
                for (row, (expected, found)) in expected.iter().zip(&found).enumerate() {
                    prop_assert!(same(expected, found), "row {}: {:?}, not {:?} of {:?}", row + 1, found, expected, expr);
                }
            }
            (Err(expected), Err(found)) => prop_assert_eq!(expected, found.to_string()),
            (expected, found) => prop_assert!(false, "{:?}, not {:?} of {:?}", found, expected, expr),
        }
    }
}

/// What hot loops are made of must run in DataFusion: the interpreter is there for errors alone.
#[test]
fn the_interpreter_stays_out() {
    let (int, float, text) =
        (column("int", Type::Int), column("float", Type::Float), column("text", Type::Text));
    let zero = || literal(Value::Int(0), Type::Int);
    let is_safe = || call(Function::NotEqual, vec![int.clone(), zero()]);
    let remainder = || call(Function::Remainder, vec![literal(Value::Int(7), Type::Int), int.clone()]);
    let guarded = Expr {
        kind: ExprKind::Case { arms: vec![(is_safe(), remainder())], otherwise: Box::new(zero()) },
        ty: Type::Int,
    };
    let cases = [
        call(Function::Divide, vec![int.clone(), int.clone()]),
        call(Function::Log1p, vec![float.clone()]),
        call(Function::Greater, vec![float.clone(), literal(0.5, Type::Float)]),
        call(Function::In, vec![text.clone(), literal("a", Type::Text), literal("b", Type::Text)]),
        call(Function::Lower, vec![text]),
        guarded,
        call(Function::And, vec![is_safe(), call(Function::Equal, vec![remainder(), zero()])]),
    ];
    let ints = [0_i64, 1, 2, 0, 5].map(Value::Int);
    let row = row();
    let columns = row.columns.iter().map(|column| {
        let values: Vec<Value> = match column.name.as_str() {
            "int" => ints.to_vec(),
            _ => (0..5_u32).map(|choice| Choices([choice].iter()).value(&column.ty)).collect(),
        };
        cells::array(&values, &column.ty).unwrap()
    });
    let batch = RecordBatch::try_new(storage::schema(&row).unwrap(), columns.collect()).unwrap();
    for expr in cases {
        let evaluator = Evaluator::new(Cow::Borrowed(&expr), &[], &batch.schema()).unwrap();
        assert!(evaluator.compute(&batch).is_some(), "{expr:?}");
    }
}

#[test]
fn personal_values_are_not_shown() {
    let ty = Type::Pii(Box::new(Type::Int));
    let row = Row { columns: vec![Column { name: "n".into(), ty: ty.clone(), source: None }] };
    let values = cells::array(&[Value::Int(1), Value::Int(i64::MAX)], &ty).unwrap();
    let batch = RecordBatch::try_new(storage::schema(&row).unwrap(), vec![values]).unwrap();
    let sum = call(Function::Add, vec![column("n", ty), literal(Value::Int(1), Type::Int)]);
    let error =
        Evaluator::new(Cow::Borrowed(&sum), &[], &batch.schema()).unwrap().evaluate(&batch, 10).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 12: the expression has no value for personal data, which is not shown"
    );
}

#[test]
fn a_column_of_another_type_is_refused() {
    let schema = storage::schema(&row()).unwrap();
    let error = Evaluator::new(Cow::Owned(column("int", Type::Text)), &[], &schema).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the expression reads the column `int` as another type than Int64, which it holds"
    );
    let error =
        Evaluator::new(Cow::Owned(column("speed", Type::Text)), &[], &Arc::clone(&schema)).unwrap_err();
    assert_eq!(error.to_string(), "the expression reads the column `speed`, which the table lacks");
}
