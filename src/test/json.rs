//! Tests for programs: one JSON object a line for each, in the order of the text, and one for all at the end.
//!
//! ```json
//! {"type": "test", "file": "a.flow", "line": 3, "column": 6, "name": "…", "status": "failed", "seconds": 0.001,
//!  "message": "…", "help": "…", "left": "1", "right": "2", "details": "…",
//!  "place": {"file": "a.flow", "line": 4, "column": 12}}
//! {"type": "summary", "passed": 3, "failed": 1, "errors": 0, "seconds": 0.02}
//! ```
//! `status` is `passed`, `failed`, or `error` where the test could not be carried out. What there is not is left out.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::report::{Case, Counts, Verdict, position};

pub fn case(case: &Case<'_>) -> String {
    let mut object = Map::new();
    let mut set = |key: &str, value: Json| {
        object.insert(key.to_owned(), value);
    };
    set("type", json!("test"));
    if let Some((file, at)) = position(case.sources, case.module, case.test.span) {
        set("file", json!(file));
        set("line", json!(at.line));
        set("column", json!(at.column));
    }
    set("name", json!(case.test.name));
    set("status", json!(case.verdict.word()));
    set("seconds", json!(case.elapsed.as_secs_f64()));
    if let Verdict::Not(fault) = &case.verdict {
        set("message", json!(fault.diagnostic.message));
        if let Some(help) = &fault.diagnostic.help {
            set("help", json!(help));
        }
        if let Some((left, right)) = &fault.sides {
            set("left", json!(left));
            set("right", json!(right));
        }
        if !fault.details.is_empty() {
            set("details", json!(fault.details));
        }
        let place = fault.module.as_deref();
        if let Some((file, at)) =
            place.and_then(|module| position(case.sources, module, fault.diagnostic.span))
        {
            set("place", json!({ "file": file, "line": at.line, "column": at.column }));
        }
    }
    format!("{}\n", Json::Object(object))
}

pub fn summary(counts: Counts, elapsed: Duration) -> String {
    let Counts { passed, failed, errors } = counts;
    let seconds = elapsed.as_secs_f64();
    let summary = json!({ "type": "summary", "passed": passed, "failed": failed, "errors": errors, "seconds": seconds });
    format!("{summary}\n")
}
