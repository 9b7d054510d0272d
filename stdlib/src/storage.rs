//! How types are stored: a row of the language is an Arrow schema.
//!
//! A meaning is stored as what it is a meaning of (`Label<Category>` as text), `?` as nullability.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use flow_ir::types::{Row, Type};
use flow_runtime::operator::OperatorError;

pub use flow_runtime::artifact::table::{data_type, field};

/// The Arrow schema of a row, its columns in order.
///
/// # Errors
/// Where a column's type cannot be stored in a table.
pub fn schema(row: &Row) -> Result<SchemaRef, OperatorError> {
    let fields = row
        .columns
        .iter()
        .map(|column| {
            field(&column.name, &column.ty).ok_or_else(|| {
                OperatorError::failed(format!("column `{}` has a type that no table can hold", column.name))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Whether values of this type are personal, so that no message may show them.
pub fn is_personal(ty: &Type) -> bool {
    match ty {
        Type::Pii(_) => true,
        Type::Id(of) | Type::QueryId(of) | Type::Optional(of) | Type::List(of) | Type::Label { of, .. } => {
            is_personal(of)
        }
        Type::Refined { base, .. } => is_personal(base),
        Type::Record(record) => record.fields.iter().any(|field| is_personal(&field.ty)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};
    use flow_ir::types::Column;

    use super::*;

    #[test]
    fn meanings_are_stored_as_what_they_mean() {
        let label = Type::Label { of: Box::new(Type::Category), positive: None };
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let cases = [
            (Type::Int, DataType::Int64),
            (label, DataType::Utf8),
            (Type::Id(Box::new(Type::Int)), DataType::Int64),
            (Type::Weight, DataType::Float64),
            (Type::EventTime, time),
            (Type::Pii(Box::new(Type::Text)), DataType::Utf8),
            (Type::Size, DataType::UInt64),
        ];
        for (ty, stored) in cases {
            assert_eq!(data_type(&ty), Some(stored.clone()), "{ty:?}");
            assert_eq!(data_type(&ty.clone().optional()), Some(stored), "{ty:?}?");
            assert!(!field("x", &ty).unwrap().is_nullable());
            assert!(field("x", &ty.optional()).unwrap().is_nullable());
        }
    }

    #[test]
    fn a_table_holds_no_tables() {
        let column = Column { name: "t".into(), ty: Type::Dataset(Row::default()), source: None };
        let error = schema(&Row { columns: vec![column] }).unwrap_err();
        assert_eq!(error.to_string(), "column `t` has a type that no table can hold");
    }
}
