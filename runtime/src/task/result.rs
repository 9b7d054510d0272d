//! Runs an envelope in a process of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use flow_ir::node::{Node, OperatorRef};
use serde_json::{Map, Value as Json, json};

use super::{
    envelope::{Envelope, EnvelopeError, Identity},
    execute::{Executed, Failure, execute},
};
use crate::{
    act::{
        Cancel, NativeContext, Notes, Throttle,
        process::{Environment, ProcessOperator},
    },
    artifact::{ArtifactError, Artifacts},
    event::Broadcast,
    operator::{Budget, Operator, Registry},
};

/// The format of the answer's JSON, with its version.
pub const RESULT_FORMAT: &str = "flow-result/1";

/// Runs an envelope, and stores what it gives as artifacts, all as files. The answer is a `flow-result/1`;
/// a task that fails is an answer too.
///
/// # Errors
/// When the envelope is none, or asks for an operator that is not here.
pub fn run_envelope(
    text: &str,
    registry: &dyn Registry,
    environment: &Arc<Environment>,
    artifacts: &Artifacts,
    cancel: &Cancel,
) -> Result<Json, EnvelopeError> {
    let envelope = Envelope::from_json(text)?;
    let body = match ProcessOperator::new(envelope.place.clone(), environment.clone()) {
        Some(process) => Arc::new(process),
        None => native(&envelope.operator(), registry)?,
    };
    for step in envelope.steps.iter().flat_map(|steps| &steps.nodes).filter_map(Node::operator) {
        native(&step, registry)?;
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    cancel.listen(move || flag.store(true, Ordering::Relaxed));
    let context = NativeContext {
        node: envelope.identity.node.clone(),
        attempt: envelope.identity.attempt,
        threads: envelope.cores.max(1) as usize,
        memory: envelope.memory,
        budget: Budget::new(envelope.memory),
        scratch: artifacts.folder().into(),
        // Whoever starts this process has set those aside, and says so in its environment.
        gpus: Vec::new(),
        is_personal: envelope.is_personal,
        cancelled,
        cancel: cancel.clone(),
        deadline: envelope.deadline.map(instant),
        broadcast: Broadcast::default(),
        progress: Throttle::default(),
        notes: Notes::none(),
    };
    let mut load = |reference: &_| artifacts.load(reference);
    let executed = execute(&envelope, &*body, &mut load, artifacts.folder(), &context);
    Ok(answer(&envelope, executed, artifacts))
}

fn native(operator: &OperatorRef, registry: &dyn Registry) -> Result<Arc<dyn Operator>, EnvelopeError> {
    let op = || operator.name.clone();
    let native = registry.find(&operator.name).ok_or_else(|| EnvelopeError::NoOperator { op: op() })?;
    if native.version != operator.version || native.signature != operator.signature {
        return Err(EnvelopeError::OtherOperator { op: op() });
    }
    Ok(native.body)
}

fn answer(envelope: &Envelope, executed: Result<Executed, Failure>, artifacts: &Artifacts) -> Json {
    let Identity { run, node, attempt, epoch } = &envelope.identity;
    let mut json =
        json!({ "format": RESULT_FORMAT, "run": **run, "node": **node, "attempt": attempt, "epoch": epoch });
    let stored = executed.and_then(|executed| {
        let seconds = executed.elapsed.as_secs_f64();
        let outputs = store(envelope, executed, artifacts);
        let outputs =
            outputs.map_err(|error| Failure::Operator { message: error.to_string(), help: None })?;
        Ok((seconds, outputs))
    });
    match stored {
        Ok((seconds, outputs)) => {
            json["seconds"] = json!(seconds);
            json["outputs"] = Json::Object(outputs);
        }
        Err(failure) => json["error"] = json!({ "message": failure.to_string(), "help": failure.help() }),
    }
    json
}

fn store(
    envelope: &Envelope,
    executed: Executed,
    artifacts: &Artifacts,
) -> Result<Map<String, Json>, ArtifactError> {
    let outputs = envelope.outputs.iter().zip(executed.outputs);
    outputs
        .map(|(port, encoded)| {
            let reference = encoded.reference.to_json();
            encoded.contents.into_iter().try_for_each(|content| artifacts.publish(content))?;
            Ok((port.name.clone(), reference))
        })
        .collect()
}

/// When that is by this process's clock.
fn instant(microseconds: i64) -> Instant {
    let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(microseconds).unwrap_or_default());
    Instant::now() + at.duration_since(SystemTime::now()).unwrap_or_default()
}
