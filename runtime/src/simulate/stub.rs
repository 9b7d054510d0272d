//! The simplest that fits a type.

use flow_ir::{
    hash::Hash,
    node::Port,
    types::{Refinement, Type},
    value::{Float64, Value},
};

use crate::artifact::{Reference, Summary};

/// Of a type of scalars; none for tables, models, and texts that must match a pattern which the empty one does not.
pub fn value(ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(false),
        Type::Int => Value::Int(0),
        Type::Float | Type::Float32 | Type::Fraction | Type::Weight | Type::Probability | Type::Score => {
            Value::from(0.0)
        }
        Type::Metric(_) => Value::from(0.0),
        Type::Text | Type::Category => Value::Text(String::new()),
        Type::Bytes => Value::Bytes(Vec::new()),
        Type::Date => Value::Date(0),
        Type::Time | Type::EventTime => Value::Time(0),
        Type::Duration => Value::Duration(0),
        Type::Size => Value::Size(0),
        Type::File => Value::File(String::new()),
        Type::Optional(_) | Type::Nothing => Value::None,
        Type::Id(of) | Type::Label { of, .. } | Type::QueryId(of) | Type::Pii(of) => value(of)?,
        Type::List(of) => Value::List(vec![value(of)?]),
        Type::Record(record) => Value::Record(
            record
                .fields
                .iter()
                .map(|field| Some((field.name.clone(), value(&field.ty)?)))
                .collect::<Option<_>>()?,
        ),
        Type::Enum(of) => Value::Enum { ty: of.name.clone(), variant: of.variants.first()?.clone() },
        Type::Refined { base, refinement } => refined(value(base)?, refinement),
        _ => return None,
    })
}

/// Of an artifact that is nowhere: its hash follows from whose it is.
pub fn reference(node: &str, port: &Port) -> Reference {
    let summary = match port.ty.present() {
        Type::Dataset(row) => Summary::Table { rows: 0, columns: row.columns.len() as u64 },
        Type::List(_) => Summary::List { length: 1 },
        _ => Summary::Blob { format: "simulated".to_owned() },
    };
    Reference { hash: Hash::of(format!("{node}.{}", port.name).as_bytes()), size: 0, summary }
}

/// The value nearest to zero that the refinement allows.
fn refined(value: Value, refinement: &Refinement) -> Value {
    match (value, refinement) {
        (Value::Int(_), Refinement::Int { low, high, inclusive }) => {
            let high = high.map_or(i64::MAX, |high| high.saturating_sub(i64::from(!inclusive)));
            Value::Int(0.min(high).max(low.unwrap_or(i64::MIN)))
        }
        (Value::Float(_), Refinement::Float { low, high, inclusive }) => {
            let high =
                high.map_or(f64::INFINITY, |Float64(high)| if *inclusive { high } else { high.next_down() });
            let low = low.map_or(f64::NEG_INFINITY, |Float64(low)| low);
            Value::from(0f64.min(high).max(low))
        }
        (value, _) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_fits() {
        let refined = |low, high| Type::Refined {
            base: Box::new(Type::Int),
            refinement: Refinement::Int { low, high, inclusive: false },
        };
        for (ty, made) in [
            (Type::Int, "0"),
            (refined(Some(3), None), "3"),
            (refined(Some(-9), Some(-3)), "-4"),
            (Type::List(Box::new(Type::Float)), "[0.0]"),
            (Type::Int.optional(), "none"),
        ] {
            let value = value(&ty).unwrap();
            assert_eq!(value.to_string(), made);
            assert!(value.fits(&ty).is_ok(), "{made}");
        }
    }
}
