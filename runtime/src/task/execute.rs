//! Runs a task: fetches its inputs, calls the operator, checks and writes what it gives.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

use flow_ir::{
    expr::Scope,
    hash::Hash,
    node::{Node, Port, PortRef},
    types::Type,
    value::Value,
};

use super::envelope::{Envelope, EnvelopeError, Resolve, Source};
use crate::{
    artifact::{ArtifactError, EncodeError, Encoded, Reference, encode},
    cpu,
    operator::{Argument, Call, Context, Datum, Operator, OperatorError, Step, Usage},
};

/// Fetches the data behind a reference.
pub type Load<'a> = dyn FnMut(&Reference) -> Result<Datum, ArtifactError> + 'a;

/// What a task gave.
#[derive(Debug)]
pub struct Executed {
    /// One for each output.
    pub outputs: Vec<Encoded>,
    /// In the operator itself.
    pub elapsed: Duration,
    /// The numbers that the operator told, by name.
    pub metrics: Vec<(String, f64)>,
}

/// Why a task gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("{message}")]
    Operator { message: String, help: Option<String> },
    #[error("operator `{op}` panicked: {message}")]
    Panic { op: String, message: String },
    #[error("cancelled")]
    Cancelled,
    #[error("took longer than its timeout of {seconds} s")]
    TimedOut { seconds: String },
    /// Running the node that gave it again would mend it.
    #[error("{error}")]
    Input {
        /// The artifact that was asked for; `error` may be about one of its elements.
        of: Hash,
        error: ArtifactError,
    },
    #[error("input `{input}` mixes tables or models into a record, which no operator takes")]
    MixedRecord { input: String },
    #[error("operator `{op}` gave {found} outputs where it has {expected}")]
    OutputCount { op: String, expected: usize, found: usize },
    #[error("operator `{op}` gave for its output `{output}` what it must not: {reason}")]
    Output { op: String, output: String, reason: String },
    #[error("its output `{output}` cannot be stored: {reason}")]
    Unstored { output: String, reason: String },
}

impl Failure {
    /// That an operator failed, with nothing to be done about it.
    pub fn operator(message: impl Into<String>) -> Self {
        Self::Operator { message: message.into(), help: None }
    }

    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Operator { help, .. } => help.as_deref(),
            _ => None,
        }
    }
}

/// Runs a task. Large outputs are written to `folder`, without their names yet.
pub fn execute(
    envelope: &Envelope,
    body: &dyn Operator,
    load: &mut Load<'_>,
    folder: &Path,
    context: &dyn Context,
) -> Result<Executed, Failure> {
    let inputs =
        envelope.inputs.iter().map(|(name, source)| Ok((name.clone(), argument(name, source, load)?)));
    let inputs = inputs.collect::<Result<_, Failure>>()?;
    let steps = envelope.steps.iter().flat_map(|steps| &steps.nodes);
    let steps = steps.map(|step| self::step(step, envelope, load)).collect::<Result<_, _>>()?;
    let call = Call { op: envelope.op.clone(), inputs, outputs: envelope.outputs.clone(), steps };
    if context.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let started = Instant::now();
    let (outputs, cpu) = cpu::measured(|| catch_unwind(AssertUnwindSafe(|| body.run(&call, context))));
    let elapsed = started.elapsed();
    context.used(Usage { wall: elapsed, cpu, peak_memory: None });
    let outputs = outputs
        .map_err(|panic| Failure::Panic { op: call.op.clone(), message: panic_message(&*panic) })?
        .map_err(|error| match error {
            OperatorError::Failed { message, help } => Failure::Operator { message, help },
            OperatorError::Cancelled => Failure::Cancelled,
        })?;
    let outputs = finish(&call.op, outputs, &call.outputs, folder)?;
    Ok(Executed { outputs, elapsed, metrics: Vec::new() })
}

/// An input that must be data.
pub fn datum(input: &str, source: &Source, load: &mut Load<'_>) -> Result<Datum, Failure> {
    match argument(input, source, load)? {
        Argument::Datum(datum) => Ok(datum),
        _ => Err(Failure::MixedRecord { input: input.to_owned() }),
    }
}

/// An input that must be a scalar.
pub fn scalar(input: &str, source: &Source, load: &mut Load<'_>) -> Result<Value, Failure> {
    match argument(input, source, load)? {
        Argument::Datum(Datum::Value(value)) => Ok(value),
        Argument::Datum(Datum::File(file)) => Ok(file.value()),
        _ => Err(Failure::MixedRecord { input: input.to_owned() }),
    }
}

/// Scalars by name, for an expression.
#[derive(Debug)]
pub struct Scalars(pub Vec<(String, Value)>);

impl Scope for Scalars {
    fn column(&self, _: &str) -> Option<&Value> {
        None
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(scalar, _)| scalar == name).map(|(_, value)| value)
    }
}

/// Checks and writes outputs.
pub fn finish(op: &str, outputs: Vec<Datum>, ports: &[Port], folder: &Path) -> Result<Vec<Encoded>, Failure> {
    if outputs.len() != ports.len() {
        return Err(Failure::OutputCount { op: op.to_owned(), expected: ports.len(), found: outputs.len() });
    }
    let outputs = outputs.into_iter().zip(ports).map(|(datum, port)| {
        let wrong = |reason| Failure::Output { op: op.to_owned(), output: port.name.clone(), reason };
        fits(&datum, &port.ty).map_err(wrong)?;
        encode(datum, folder).map_err(|error| match error {
            EncodeError::Write { .. } => {
                Failure::Unstored { output: port.name.clone(), reason: error.to_string() }
            }
            _ => wrong(error.to_string()),
        })
    });
    outputs.collect()
}

/// A call of a query, without its table.
fn step(node: &Node, envelope: &Envelope, load: &mut Load<'_>) -> Result<Step, Failure> {
    let inputs = node.inputs.iter().skip(1).map(|(name, input)| {
        let source =
            Source::new(input, &Within(envelope)).map_err(|error| Failure::operator(error.to_string()))?;
        Ok((name.clone(), argument(name, &source, load)?))
    });
    let inputs = inputs.collect::<Result<_, Failure>>()?;
    let call = Call { op: node.op().to_owned(), inputs, outputs: node.outputs.clone(), steps: Vec::new() };
    Ok(Step { id: node.id.clone(), call })
}

/// Among the steps of a query: their parameters are its inputs.
struct Within<'a>(&'a Envelope);

impl Resolve for Within<'_> {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        let input = self.0.inputs.iter().find(|(input, _)| input == name);
        input
            .map(|(_, source)| source.clone())
            .ok_or_else(|| EnvelopeError::NoParameter { name: name.to_owned() })
    }

    fn port(&self, _: PortRef) -> Option<Reference> {
        None
    }
}

/// An input with its data.
fn argument(input: &str, source: &Source, load: &mut Load<'_>) -> Result<Argument, Failure> {
    Ok(match source {
        Source::Value(value) => Argument::Datum(Datum::Value(value.clone())),
        Source::Artifact(reference) => Argument::Datum(fetch(reference, load)?),
        Source::Expression { expr, bindings } => {
            let bindings =
                bindings.iter().map(|(name, source)| Ok((name.clone(), scalar(input, source, load)?)));
            Argument::Expression { expr: expr.clone(), bindings: bindings.collect::<Result<_, Failure>>()? }
        }
        Source::List(sources) => {
            let elements = sources.iter().map(|source| match argument(input, source, load)? {
                Argument::Datum(datum) => Ok(datum),
                _ => Err(Failure::MixedRecord { input: input.to_owned() }),
            });
            Argument::Datum(list(elements.collect::<Result<_, _>>()?))
        }
        Source::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, source)| Ok((name.clone(), argument(input, source, load)?)))
                .collect::<Result<Vec<_>, Failure>>()?;
            record(fields)
        }
    })
}

fn fetch(reference: &Reference, load: &mut Load<'_>) -> Result<Datum, Failure> {
    load(reference).map_err(|error| Failure::Input { of: reference.hash, error })
}

/// A list of values is a value; any other stays a list of data.
fn list(elements: Vec<Datum>) -> Datum {
    if !elements.iter().all(|element| matches!(element, Datum::Value(_))) {
        return Datum::List(elements);
    }
    let values = elements.into_iter().filter_map(|element| match element {
        Datum::Value(value) => Some(value),
        _ => None,
    });
    Datum::Value(Value::List(values.collect()))
}

/// Likewise for a record.
fn record(fields: Vec<(String, Argument)>) -> Argument {
    if !fields.iter().all(|(_, field)| matches!(field, Argument::Datum(Datum::Value(_)))) {
        return Argument::Record(fields);
    }
    let values = fields.into_iter().filter_map(|(name, field)| match field {
        Argument::Datum(Datum::Value(value)) => Some((name, value)),
        _ => None,
    });
    Argument::Datum(Datum::Value(Value::Record(values.collect())))
}

/// Whether a datum is what its port promises.
fn fits(datum: &Datum, ty: &Type) -> Result<(), String> {
    match (datum, ty.present()) {
        (Datum::Value(Value::None), _) if ty.is_optional() => Ok(()),
        (Datum::Table(table), Type::Dataset(row)) => {
            let found = table.schema.fields().iter().map(|field| field.name());
            if found.eq(row.columns.iter().map(|column| &column.name)) {
                return Ok(());
            }
            let names = |names: &mut dyn Iterator<Item = &String>| {
                names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            };
            Err(format!(
                "columns {} instead of {}",
                names(&mut table.schema.fields().iter().map(|field| field.name())),
                names(&mut row.columns.iter().map(|column| &column.name))
            ))
        }
        (Datum::File(_), Type::File) => Ok(()),
        (Datum::File(_), _) => Err("a file".to_owned()),
        (Datum::Written(written), _) => fits(&Datum::Table(written.table().clone()), ty),
        (Datum::Blob(_), Type::Model(_) | Type::Opaque(_)) => Ok(()),
        (Datum::List(elements), Type::List(of)) => elements.iter().try_for_each(|element| fits(element, of)),
        (Datum::Value(value), Type::Dataset(_) | Type::Model(_) | Type::Opaque(_)) => {
            Err(format!("a value, {}", crate::artifact::value::to_json(value)))
        }
        (Datum::Value(value), _) => value.fits(ty).map_err(|misfit| misfit.to_string()),
        (Datum::Table(_), _) => Err("a table".to_owned()),
        (Datum::Blob(blob), _) => Err(format!("a `{}`", blob.format)),
        (Datum::List(_), _) => Err("a list".to_owned()),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
