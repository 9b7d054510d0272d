//! `std.debug`: operators for tests and measurements.

use std::{
    thread,
    time::{Duration, Instant},
};

use flow_runtime::operator::{Call, Context, Datum, OperatorError};

use crate::arguments;

/// How long a sleeper may overlook that it is cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(20);

/// Gives its value on.
pub fn noop(call: &Call, _context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    Ok(vec![arguments::datum(call, "value")?.clone()])
}

/// Waits, then gives its value on. A negative time is none.
pub fn sleep(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let microseconds = arguments::duration(call, "time")?;
    let time = Duration::from_micros(u64::try_from(microseconds).unwrap_or(0));
    let begin = Instant::now();
    while let Some(left) = time.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) {
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
        thread::sleep(left.min(CANCEL_INTERVAL));
    }
    noop(call, context)
}

/// Fails the first `times` attempts, then gives its value on.
pub fn fail(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let times = arguments::int(call, "times")?;
    let attempt = context.attempt();
    if i64::from(attempt) <= times {
        return Err(OperatorError::failed(format!("attempt {attempt} fails, as the first {times} shall")));
    }
    noop(call, context)
}
