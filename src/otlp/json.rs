//! Spans as the body of an `ExportTraceServiceRequest` in OTLP's JSON: ids in hexadecimal, 64-bit integers as text,
//! enumerations as numbers (opentelemetry-proto, `docs/specification.md`, "JSON Protobuf Encoding").

use serde_json::{Value as Json, json};

use super::span::{Attribute, Span, Status};

/// `SPAN_KIND_INTERNAL`
const INTERNAL: u8 = 1;

/// `STATUS_CODE_OK` and `STATUS_CODE_ERROR`
const OK: u8 = 1;
const ERROR: u8 = 2;

pub fn request(spans: &[Span]) -> Json {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            attribute("service.name", &Attribute::Text("flow".to_owned())),
            attribute("service.version", &Attribute::Text(env!("CARGO_PKG_VERSION").to_owned())),
            attribute("process.pid", &Attribute::Int(std::process::id().into())),
        ] },
        "scopeSpans": [{
            "scope": { "name": "flowc", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] })
}

fn span(span: &Span) -> Json {
    let mut json = json!({
        "traceId": hex(&span.trace),
        "spanId": hex(&span.id),
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": nanoseconds(span.start),
        "endTimeUnixNano": nanoseconds(span.end),
        "attributes": span.attributes.iter().map(|(name, value)| attribute(name, value)).collect::<Vec<_>>(),
        "status": match &span.status {
            Status::Unset => json!({}),
            Status::Ok => json!({ "code": OK }),
            Status::Error(message) => json!({ "code": ERROR, "message": message }),
        },
    });
    if let Some(parent) = &span.parent {
        json["parentSpanId"] = json!(hex(parent));
    }
    json
}

fn attribute(name: &str, value: &Attribute) -> Json {
    let value = match value {
        Attribute::Text(text) => json!({ "stringValue": text }),
        Attribute::Int(number) => json!({ "intValue": number.to_string() }),
        Attribute::Float(number) if number.is_finite() => json!({ "doubleValue": number }),
        Attribute::Float(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Attribute::Float(number) => {
            json!({ "doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" } })
        }
        Attribute::Bool(flag) => json!({ "boolValue": flag }),
    };
    json!({ "key": name, "value": value })
}

fn nanoseconds(microseconds: i64) -> String {
    (i128::from(microseconds.max(0)) * 1000).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
