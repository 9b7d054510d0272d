//! Where processes cannot be watched as Linux lets them be: what is said there.

use std::{io, sync::Arc};

use flow_ir::node::OperatorPlace;

use super::environment::Environment;
use crate::{
    folder::RunFolder,
    operator::{Call, Context, Datum, Operator, OperatorError},
};

/// Runs one place in an environment: not here.
#[derive(Clone, Debug)]
pub struct ProcessOperator(OperatorPlace);

impl ProcessOperator {
    /// None for a native place, which has no process.
    pub fn new(place: OperatorPlace, _: Arc<Environment>) -> Option<Self> {
        (place != OperatorPlace::Native).then_some(Self(place))
    }
}

impl Operator for ProcessOperator {
    fn run(&self, call: &Call, _: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        let kind =
            if matches!(self.0, OperatorPlace::Python(_)) { "a function of Python's" } else { "a command" };
        Err(OperatorError::with_help(
            format!("`{}` is {kind}, and this flowc runs such operators on Linux alone", call.op),
            "run the workflow on Linux: a container or WSL 2 will do",
        ))
    }
}

/// There are none.
pub fn kill_orphans(_: &RunFolder) -> io::Result<usize> {
    Ok(0)
}
