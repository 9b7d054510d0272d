//! Events in, requests to a collector out.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Node, NodeKind, OperatorPlace, OperatorRef},
    policy::Policy,
    region::Region,
};
use flow_runtime::{
    event::{Beginning, Event, Kind, Subscriber},
    store::Durations,
};
use serde_json::{Value as Json, json};

use super::{
    Exporter,
    span::{Attribute, Spans},
};
use crate::terminal::{Colour, Terminal};

fn beginning() -> Beginning {
    let node = |id: &str, place, gpu| Node {
        id: id.to_owned(),
        kind: NodeKind::Task(OperatorRef {
            name: format!("lab.{id}"),
            version: 1,
            signature: Hash::of(b""),
            place,
        }),
        inputs: Vec::new(),
        after: Vec::new(),
        outputs: Vec::new(),
        policy: Policy { gpu, ..Policy::default() },
        effect: false,
        deterministic: true,
    };
    let dag = Dag {
        workflow: "tips.tips".into(),
        parameters: Vec::new(),
        nodes: vec![
            node("fetch", OperatorPlace::Native, 0),
            node("embed", OperatorPlace::Python("m:f".into()), 1),
        ],
        outputs: Vec::new(),
        origin: None,
    };
    Beginning {
        run: "1qe7h0g2".into(),
        dag: Arc::new(dag),
        states: Arc::default(),
        cores: 2,
        memory: 1,
        durations: Arc::new(Durations::default),
    }
}

/// A run of which one node comes from the cache, and the other succeeds the second time.
fn events() -> Vec<Event> {
    let told = [
        ("", 0, Kind::RunStarted, Json::Null),
        ("fetch", 1, Kind::Cached, json!({ "outputs": {} })),
        ("embed", 1, Kind::Ready, Json::Null),
        ("embed", 1, Kind::Running, Json::Null),
        ("embed", 2, Kind::Retrying, json!({ "message": "out of memory", "delay": 1.0 })),
        ("embed", 2, Kind::Running, Json::Null),
        ("embed", 2, Kind::Finishing, Json::Null),
        (
            "embed",
            2,
            Kind::Finished,
            json!({ "seconds": 0.25, "peak_memory": 4096, "metrics": { "loss": 0.5 } }),
        ),
        ("", 0, Kind::RunFinished, json!({ "status": "finished", "nodes": { "total": 2 } })),
    ];
    let event = |(seq, (node, attempt, kind, data)): (u64, (&str, u32, Kind, Json))| Event {
        run: "1qe7h0g2".into(),
        seq,
        epoch: 1,
        node: (!node.is_empty()).then(|| node.into()),
        attempt,
        kind,
        time: 1_795_199_425_000_000 + i64::try_from(seq).unwrap(),
        data,
    };
    (1..).zip(told).map(event).collect()
}

fn attribute<'a>(span: &'a Json, name: &str) -> Option<&'a Json> {
    span["attributes"].as_array()?.iter().find(|attribute| attribute["key"] == name)?.get("value")
}

/// A collector that answers each request in turn with the next of these, and the last one again and again.
fn collector(answers: Vec<&'static str>) -> (String, mpsc::Receiver<(String, Json)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, requests) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter().peekable();
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            while let Some(request) = read(&mut reader) {
                let answer =
                    if answers.len() > 1 { answers.next().unwrap() } else { answers.peek().unwrap() };
                let _ = told.send(request);
                let (status, body) = answer.split_once(' ').unwrap();
                let text = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                reader.get_mut().write_all(text.as_bytes()).unwrap();
            }
        }
    });
    (url, requests)
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, Json)> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).unwrap()))
}

fn quiet() -> Terminal {
    Terminal::new(Colour::Never, true, false)
}

fn export(url: &str) -> Duration {
    let exporter = Exporter::new(url, &quiet()).map_err(|failure| failure.message).unwrap();
    exporter.begin(&beginning());
    let started = Instant::now();
    for event in events() {
        exporter.event(&event);
    }
    let told = started.elapsed();
    exporter.end();
    told
}

#[test]
fn a_run_is_one_trace_with_a_span_for_each_attempt() {
    let (url, requests) = collector(vec!["200 {}"]);
    export(&url);
    let (head, body) = requests.recv().unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{head}");
    let resource = &body["resourceSpans"][0];
    assert_eq!(
        resource["resource"]["attributes"][0],
        json!({ "key": "service.name", "value": { "stringValue": "flow" } })
    );
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    let names: Vec<&str> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fetch", "embed", "embed", "tips.tips"]);
    let [fetch, first, second, run] = &spans[..] else { panic!("{spans:#?}") };
    let is_hex = |text: &Json, length| {
        let text = text.as_str().unwrap();
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    for span in spans {
        assert!(is_hex(&span["traceId"], 32) && is_hex(&span["spanId"], 16), "{span:#}");
        assert_eq!(span["traceId"], run["traceId"]);
        assert_eq!(span["kind"], 1);
    }
    assert!(run.get("parentSpanId").is_none());
    assert_eq!(run["startTimeUnixNano"], "1795199425000001000");
    assert_eq!(run["endTimeUnixNano"], "1795199425000009000");
    assert_eq!(attribute(run, "flow.nodes.total"), Some(&json!({ "intValue": "2" })));
    for node in [fetch, first, second] {
        assert_eq!(node["parentSpanId"], run["spanId"]);
    }
    assert_eq!(attribute(fetch, "flow.cached"), Some(&json!({ "boolValue": true })));
    assert_eq!(fetch["startTimeUnixNano"], fetch["endTimeUnixNano"]);
    assert_ne!(first["spanId"], second["spanId"]);
    assert_eq!(first["status"], json!({ "code": 2, "message": "out of memory" }));
    assert_eq!(attribute(first, "flow.attempt"), Some(&json!({ "intValue": "1" })));
    assert_eq!(second["status"], json!({ "code": 1 }));
    assert_eq!(attribute(second, "flow.attempt"), Some(&json!({ "intValue": "2" })));
    assert_eq!(attribute(second, "flow.op"), Some(&json!({ "stringValue": "lab.embed" })));
    assert_eq!(attribute(second, "flow.place"), Some(&json!({ "stringValue": "python" })));
    assert_eq!(attribute(second, "flow.device"), Some(&json!({ "stringValue": "gpu" })));
    assert_eq!(attribute(second, "flow.peak_memory"), Some(&json!({ "intValue": "4096" })));
    assert_eq!(attribute(second, "flow.metric.loss"), Some(&json!({ "doubleValue": 0.5 })));
}

#[test]
fn events_told_twice_give_the_same_spans() {
    let spans = || {
        let mut spans = Spans::default();
        spans.begin(&beginning().dag);
        events().iter().filter_map(|event| spans.event(event)).collect::<Vec<_>>()
    };
    assert_eq!(spans(), spans());
    assert_eq!(spans().len(), 4);
}

#[test]
fn a_node_in_a_region_is_below_the_region() {
    let mut spans = Spans::default();
    let event = |seq: u64, node: &str, kind| Event {
        run: "r".into(),
        seq,
        epoch: 1,
        node: (!node.is_empty()).then(|| node.into()),
        attempt: 1,
        kind,
        time: 0,
        data: Json::Null,
    };
    for (node, kind) in [("", Kind::RunStarted), ("days", Kind::Running), ("days[2]/fit", Kind::Running)] {
        assert_eq!(spans.event(&event(1, node, kind)), None);
    }
    let inner = spans.event(&event(2, "days[2]/fit", Kind::Finished)).unwrap();
    let other = spans.event(&event(2, "days[2]/fit/deeper", Kind::Cached)).unwrap();
    let region = spans.event(&event(3, "days", Kind::Finished)).unwrap();
    let run = spans.event(&event(4, "", Kind::RunFinished)).unwrap();
    assert_eq!(inner.parent, Some(region.id));
    assert_eq!(other.parent, Some(region.id));
    assert_eq!(region.parent, Some(run.id));
}

#[test]
fn a_collector_that_is_busy_is_asked_again() {
    let (url, requests) = collector(vec!["503 {}", "200 {}"]);
    let exporter = Exporter::new(&url, &quiet()).map_err(|failure| failure.message).unwrap();
    exporter.begin(&beginning());
    events().iter().for_each(|event| exporter.event(event));
    let both = [requests.recv().unwrap().1, requests.recv().unwrap().1];
    assert_eq!(both[0], both[1]);
    exporter.end();
}

#[test]
fn a_run_does_not_wait_for_a_collector_that_is_not_there() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let told = export(&format!("http://127.0.0.1:{port}"));
    assert!(told < Duration::from_millis(500), "{told:?}");
}

#[test]
fn a_collector_that_never_answers_is_left_at_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    let told = export(&url);
    assert!(told < Duration::from_millis(500), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn nodes_in_regions_say_what_they_call() {
    let mut beginning = beginning();
    let mut dag = Dag::clone(&beginning.dag);
    let body = Region { parameters: Vec::new(), nodes: dag.nodes.clone(), outputs: Vec::new() };
    let days = dag.nodes.first_mut().unwrap();
    (days.id, days.kind) = ("days".into(), NodeKind::Map { max: 9, body });
    beginning.dag = Arc::new(dag);
    let mut spans = Spans::default();
    spans.begin(&beginning.dag);
    let event = events().remove(3);
    let told = [("days", Kind::Running), ("days[7]/embed", Kind::Running), ("days[7]/embed", Kind::Finished)];
    let ended: Vec<_> = told
        .into_iter()
        .filter_map(|(node, kind)| spans.event(&Event { node: Some(node.into()), kind, ..event.clone() }))
        .collect();
    let [span] = ended.as_slice() else { panic!("{ended:?}") };
    for (key, value) in [("flow.op", "lab.embed"), ("flow.place", "python"), ("flow.device", "gpu")] {
        let value = Attribute::Text(value.to_owned());
        assert!(span.attributes.contains(&(key.to_owned(), value)), "{key} in {:?}", span.attributes);
    }
    assert!(span.parent.is_some());
}
