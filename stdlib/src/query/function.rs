//! The language's functions and conversions, as functions that DataFusion can call.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef},
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, exec_datafusion_err, internal_datafusion_err},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
    },
};
use flow_ir::{
    expr::{Function, convert},
    types::Type,
    value::Value,
};

use super::{
    cells,
    kernel::{self, Argument},
};
use crate::storage;

/// What is done to the cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Call(Function),
    Cast,
}

/// An argument: a value for all rows, or an input of that type, in the order of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    Constant(Value),
    Input(Type),
}

/// Calls an operation with slots that `inputs` fill; the result is of type `ty`.
pub fn call(operation: Operation, slots: Vec<Slot>, inputs: Vec<Expr>, ty: &Type) -> Option<Expr> {
    let function = RowFunction {
        operation,
        slots,
        data_type: storage::data_type(ty)?,
        ty: ty.clone(),
        signature: Signature::user_defined(Volatility::Immutable),
    };
    Some(ScalarUDF::from(function).call(inputs))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowFunction {
    operation: Operation,
    slots: Vec<Slot>,
    ty: Type,
    data_type: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Call(function) => function.name(),
            Operation::Cast => "cast",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.data_type.clone(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut inputs = args.args.into_iter();
        let arguments = self.slots.iter().map(|slot| match slot {
            Slot::Constant(value) => Ok(Argument::Constant(value.clone())),
            Slot::Input(_) => {
                let input = inputs.next().ok_or_else(|| internal_datafusion_err!("an input is missing"))?;
                input.to_array(args.number_rows).map(Argument::Column)
            }
        });
        let arguments = arguments.collect::<Result<Vec<_>>>()?;
        if let Operation::Call(function) = self.operation {
            let column = kernel::apply(function, &arguments);
            if let Some(column) = column.map_err(|_| exec_datafusion_err!("a row has no value"))? {
                return self.widened(column).map(ColumnarValue::Array);
            }
        }
        self.row_by_row(&arguments, args.number_rows).map(ColumnarValue::Array)
    }
}

impl RowFunction {
    fn row_by_row(&self, arguments: &[Argument], rows: usize) -> Result<ArrayRef> {
        let mut values = Vec::with_capacity(rows);
        let mut cells = Vec::with_capacity(arguments.len());
        for row in 0..rows {
            cells.clear();
            for (argument, slot) in arguments.iter().zip(&self.slots) {
                cells.push(match (argument, slot) {
                    (Argument::Constant(value), _) => value.clone(),
                    (Argument::Column(column), Slot::Input(ty)) => cells::value(column, row, ty)
                        .ok_or_else(|| internal_datafusion_err!("a column holds {}", column.data_type()))?,
                    (Argument::Column(_), Slot::Constant(_)) => Value::None,
                });
            }
            let value = match (self.operation, cells.as_slice()) {
                (Operation::Call(function), cells) => function.apply(cells),
                (Operation::Cast, [cell]) => convert(cell, &self.ty),
                (Operation::Cast, _) => return Err(internal_datafusion_err!("a cast has one operand")),
            };
            let value = value.map_err(|error| exec_datafusion_err!("{error}"))?;
            values.push(super::lower::widened(value, &self.ty));
        }
        cells::array(&values, &self.ty).ok_or_else(|| {
            internal_datafusion_err!("`{}` gave another type than {}", self.name(), self.data_type)
        })
    }

    /// A kernel's Ints where Floats are expected.
    fn widened(&self, column: ArrayRef) -> Result<ArrayRef> {
        if column.data_type() == &self.data_type { Ok(column) } else { Ok(cast(&column, &self.data_type)?) }
    }
}
