use std::time::{Duration, Instant};

use flow_ir::value::Value;
use flow_runtime::operator::{Datum, OperatorError};

use crate::support::{Surroundings, call};

fn is_seven(outputs: &[Datum]) -> bool {
    matches!(outputs, [Datum::Value(Value::Int(7))])
}

#[test]
fn noop_gives_its_value_on() {
    let outputs = call("std.debug.noop").value("value", Value::Int(7)).run().unwrap();
    assert!(is_seven(&outputs));
}

#[test]
fn sleep_waits() {
    let begin = Instant::now();
    let sleep = call("std.debug.sleep").value("value", Value::Int(7)).value("time", Value::Duration(50_000));
    assert!(is_seven(&sleep.run().unwrap()));
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[test]
fn sleep_ends_when_cancelled() {
    let begin = Instant::now();
    let surroundings = Surroundings { cancelled: true, ..Surroundings::default() };
    let sleep =
        call("std.debug.sleep").value("value", Value::Int(7)).value("time", Value::Duration(60_000_000));
    assert_eq!(sleep.run_in(&surroundings).unwrap_err(), OperatorError::Cancelled);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn fail_fails_the_first_attempts() {
    let fail = call("std.debug.fail").value("value", Value::Int(7)).value("times", Value::Int(2));
    for attempt in 1..=2 {
        let error = fail.run_in(&Surroundings { attempt, ..Surroundings::default() }).unwrap_err();
        assert_eq!(error.to_string(), format!("attempt {attempt} fails, as the first 2 shall"));
    }
    assert!(is_seven(&fail.run_in(&Surroundings { attempt: 3, ..Surroundings::default() }).unwrap()));
}
