//! The server as a client meets it, over pipes and with a disk in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/client.rs"]
mod client;
#[path = "support/disk.rs"]
mod disk;

use std::{
    io::{BufReader, pipe},
    thread::{self, JoinHandle},
};

use client::Client;
use disk::MemoryDisk;
use flow_lsp::server::{Ending, serve};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const RIDES: &str = "schema Ride { distance: Float, minutes: Float }\n";
const CLEAN: &str = "\
use rides.{Ride}

workflow clean(rides: Dataset<Ride>) -> (rides: Dataset<Ride>) {
    rides.where(.distance > 1.0)
}
";
const TWO_ARMS: &str = "\
use std.debug

workflow main(value: Float = 0.5) -> (result: Float) {
    let measured = debug.noop(value)
    run if measured > 0.8 { debug.noop(1.0) } else { \"too low\" }
}
";
const RIDES_URI: &str = "file:///project/rides.flow";
const CLEAN_URI: &str = "file:///project/clean.flow";

#[test]
fn a_mistake_comes_and_goes_with_an_edit() {
    let (mut client, server) = start(&MemoryDisk::with(&[("/project/rides.flow", RIDES)]));
    let capabilities = client.initialize(&["utf-16"]);
    assert_eq!(capabilities["positionEncoding"], "utf-16");
    assert_eq!(capabilities["textDocumentSync"]["change"], 2, "incremental");
    client.open(CLEAN_URI, 1, &CLEAN.replace("distance", "distnce"));
    let (version, found) = client.diagnostics(CLEAN_URI);
    assert_eq!(version, 1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["code"], "F0401");
    assert_eq!(found[0]["severity"], 1);
    assert_eq!(found[0]["source"], "flow");
    assert_eq!(found[0]["range"], range((3, 17), (3, 24)));
    let message = found[0]["message"].as_str().unwrap();
    assert!(
        message.contains("`distnce`") && message.contains("\nhelp: did you mean `distance`?"),
        "{message}"
    );
    client.edit(CLEAN_URI, 2, (3, 21), (3, 21), "a");
    assert_eq!(client.diagnostics(CLEAN_URI), (json!(2), vec![]));
    assert_eq!(end(client, server), Ending::Orderly);
}

#[test]
fn an_edit_of_one_module_shows_in_the_others() {
    let files = [("/project/rides.flow", RIDES), ("/project/clean.flow", CLEAN)];
    let (mut client, server) = start(&MemoryDisk::with(&files));
    client.initialize(&[]);
    client.open(CLEAN_URI, 1, CLEAN);
    assert_eq!(client.codes(CLEAN_URI, 1), [""; 0]);
    client.open(RIDES_URI, 1, RIDES);
    client.edit(RIDES_URI, 2, (0, 14), (0, 22), "length");
    assert_eq!(client.codes(CLEAN_URI, 1), ["F0401"]);
    // Closed without being saved: the disk's text counts again.
    client.close(RIDES_URI);
    assert_eq!(client.codes(CLEAN_URI, 1), [""; 0]);
    end(client, server);
}

#[test]
fn a_closed_module_is_told_of_until_it_is_mended_or_gone() {
    let disk = MemoryDisk::with(&[("/project/rides.flow", RIDES), ("/project/clean.flow", CLEAN)]);
    let (mut client, server) = start(&disk);
    client.initialize(&[]);
    client.open(RIDES_URI, 1, "schema Ride { minutes: Float }\n");
    let (version, found) = client.diagnostics(CLEAN_URI);
    assert_eq!((version, found.len()), (Json::Null, 1), "{found:?}");
    disk.remove("/project/clean.flow");
    client.notify("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": CLEAN_URI, "type": 3}]}));
    assert_eq!(client.diagnostics(CLEAN_URI), (Json::Null, vec![]));
    end(client, server);
}

#[test]
fn a_file_without_a_project_is_told_of_while_it_is_open() {
    let (mut client, server) = start(&MemoryDisk::with(&[("/loose/a.flow", "wrong")]));
    client.initialize(&[]);
    client.open("file:///loose/a.flow", 1, "wrong");
    assert_ne!(client.codes("file:///loose/a.flow", 1), [""; 0]);
    client.close("file:///loose/a.flow");
    assert_eq!(client.diagnostics("file:///loose/a.flow"), (Json::Null, vec![]));
    end(client, server);
}

#[test]
fn columns_are_utf_16_units_or_bytes() {
    let text = "workflow a() -> (t: Text) { let t = \"🚕🚕é\" + nme\n    (t: t) }\n";
    for (offered, chosen, column) in
        [(&[][..], "utf-16", 46), (&["utf-16", "utf-8"], "utf-8", 51), (&["utf-32"], "utf-16", 46)]
    {
        let (mut client, server) = start(&MemoryDisk::default());
        let capabilities = client.initialize(offered);
        assert_eq!(capabilities["positionEncoding"], chosen);
        client.open(CLEAN_URI, 1, text);
        let (_, found) = client.diagnostics(CLEAN_URI);
        assert_eq!(found[0]["code"], "F0201", "{found:?}");
        assert_eq!(found[0]["range"], range((0, column), (0, column + 3)));
        // The same places lead back: what is replaced is the name.
        client.edit(CLEAN_URI, 2, (0, column), (0, column + 3), "\"b\"");
        let found = client.codes(CLEAN_URI, 2);
        assert!(!found.contains(&"F0201".to_owned()), "{found:?}");
        end(client, server);
    }
}

#[test]
fn labels_are_related_places_and_unused_names_are_grey() {
    let (mut client, server) = start(&MemoryDisk::with(&[("/project/rides.flow", RIDES)]));
    client.initialize(&[]);
    client.open(CLEAN_URI, 1, TWO_ARMS);
    let (_, found) = client.diagnostics(CLEAN_URI);
    assert_eq!(found[0]["code"], "F0502", "{found:?}");
    let related = &found[0]["relatedInformation"][0];
    assert_eq!(related["location"], json!({"uri": CLEAN_URI, "range": range((4, 28), (4, 43))}));
    client.open(CLEAN_URI, 2, "use rides\n");
    let (_, found) = client.diagnostics(CLEAN_URI);
    assert_eq!((&found[0]["code"], &found[0]["severity"]), (&json!("F0205"), &json!(2)), "{found:?}");
    assert_eq!(found[0]["tags"], json!([1]), "{found:?}");
    end(client, server);
}

#[test]
fn a_fix_is_an_action_that_works() {
    let (mut client, server) = start(&MemoryDisk::with(&[("/project/rides.flow", RIDES)]));
    let capabilities = client.initialize(&[]);
    assert_eq!(capabilities["codeActionProvider"]["codeActionKinds"], json!(["quickfix"]));
    client.open(CLEAN_URI, 7, &CLEAN.replace("distance", "distnce"));
    let ask = |from, to| {
        json!({
            "textDocument": {"uri": CLEAN_URI}, "range": range(from, to), "context": {"diagnostics": []},
        })
    };
    let answer = client.request("textDocument/codeAction", ask((3, 18), (3, 18)));
    let action = &answer["result"][0];
    assert_eq!(action["kind"], "quickfix");
    assert_eq!(action["diagnostics"][0]["code"], "F0401");
    let change = &action["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": CLEAN_URI, "version": 7}));
    let edit = &change["edits"][0];
    client.notify(
        "textDocument/didChange",
        json!({
            "textDocument": {"uri": CLEAN_URI, "version": 8},
            "contentChanges": [{"range": edit["range"], "text": edit["newText"]}],
        }),
    );
    assert_eq!(client.codes(CLEAN_URI, 8), [""; 0]);
    let answer = client.request("textDocument/codeAction", ask((0, 0), (5, 0)));
    assert_eq!(answer["result"], json!([]));
    end(client, server);
}

#[test]
fn many_edits_at_once_end_in_the_last_text() {
    let (mut client, server) = start(&MemoryDisk::with(&[("/project/rides.flow", RIDES)]));
    client.initialize(&[]);
    client.open(CLEAN_URI, 0, CLEAN);
    for version in 1..=200 {
        let (from, text) = if version % 2 == 1 { ((3, 17), "x") } else { ((3, 17), "") };
        let to = if version % 2 == 1 { (3, 17) } else { (3, 18) };
        client.edit(CLEAN_URI, version, from, to, text);
    }
    client.edit(CLEAN_URI, 201, (3, 17), (3, 17), "x");
    assert_eq!(client.codes(CLEAN_URI, 201), ["F0401"]);
    end(client, server);
}

#[test]
fn what_makes_no_sense_is_answered_or_ignored() {
    let (mut client, server) = start(&MemoryDisk::default());
    let error = |message: &Json| message["error"]["code"].clone();
    // Before `initialize`.
    let answer = client.request("textDocument/codeAction", json!({}));
    assert_eq!(error(&answer), -32002, "{answer}");
    client.open(CLEAN_URI, 1, "wrong");
    client.initialize(&[]);
    client.send_bytes(b"Content-Length: 9\r\n\r\n{\"jsonrpc");
    assert_eq!(error(&client.wait(|message| message["id"] == Json::Null)), -32700);
    client.send(&json!({"jsonrpc": "2.0", "id": 77}));
    assert_eq!(error(&client.wait(|message| message["id"] == 77)), -32600);
    client.send(&json!([1, 2]));
    assert_eq!(error(&client.wait(|message| message["id"] == Json::Null)), -32600);
    client.send(&json!({"jsonrpc": "2.0", "id": 12345, "result": "nobody asked"}));
    let answer = client.request("textDocument/hover", json!({"wrong": 1}));
    assert!(error(&answer).is_i64(), "{answer}");
    assert_eq!(error(&client.request("no/such", json!({}))), -32601);
    assert_eq!(error(&client.request("initialize", json!({"capabilities": {}}))), -32600);
    // Files that are not open, that cannot be, and places that are not.
    client.edit("file:///project/closed.flow", 1, (0, 0), (0, 1), "x");
    client.close("file:///project/closed.flow");
    client.open("untitled:Untitled-1", 1, "wrong");
    client.open("file:///project/README.md", 1, "wrong");
    client.open("file:///nowhere/a.flow", 1, "wrong");
    let shown = client.wait(|message| message["method"] == "window/showMessage");
    assert_eq!(shown["params"]["message"], "nobody can know that file");
    client.open(CLEAN_URI, 1, "");
    client.edit(CLEAN_URI, 2, (9, 9), (0, 0), "const A: Int = x\n");
    client.edit(CLEAN_URI, 3, (u32::MAX, u32::MAX), (0, 0), "// end");
    assert_eq!(client.codes(CLEAN_URI, 3), ["F0201"]);
    assert_eq!(end(client, server), Ending::Orderly);
}

#[test]
fn a_client_that_hangs_up_ends_it() {
    let (mut client, server) = start(&MemoryDisk::default());
    client.initialize(&[]);
    client.open(CLEAN_URI, 1, CLEAN);
    client.hang_up();
    client.wait_for_end();
    assert_eq!(server.join().unwrap(), Ending::Abrupt);
}

#[test]
fn it_may_end_before_it_began() {
    let (mut client, server) = start(&MemoryDisk::default());
    client.send(&json!({"jsonrpc": "2.0", "method": "exit"}));
    client.wait_for_end();
    assert_eq!(server.join().unwrap(), Ending::Abrupt);
}

#[test]
fn an_eager_client_need_not_wait_for_answers() {
    let (mut client, server) = start(&MemoryDisk::with(&[("/project/rides.flow", RIDES)]));
    client
        .send(&json!({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"capabilities": {}}}));
    client.notify("initialized", json!({}));
    client.open(CLEAN_URI, 1, &CLEAN.replace("distance", "distnce"));
    client.edit(CLEAN_URI, 2, (3, 21), (3, 21), "a");
    assert_eq!(client.codes(CLEAN_URI, 2), [""; 0]);
    end(client, server);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Messages of any order and content are survived.
    #[test]
    fn any_messages_are_survived(
        messages in prop::collection::vec((0..METHODS.len(), params(), any::<bool>()), 0..12),
    ) {
        let (mut client, server) = start(&MemoryDisk::with(&[("/project/rides.flow", RIDES)]));
        for (id, (method, params, is_request)) in messages.into_iter().enumerate() {
            let mut message = json!({"jsonrpc": "2.0", "method": METHODS[method], "params": params});
            if is_request {
                message["id"] = json!(id + 1000);
            }
            client.send(&message);
        }
        let answer = client.request("no/such", json!({}));
        prop_assert!(answer["error"]["code"].is_i64());
        drop(client);
        prop_assert_eq!(server.join().unwrap(), Ending::Abrupt);
    }

    /// Whatever is edited wherever: in the end the server has the text that the client has.
    #[test]
    fn client_and_server_agree_on_the_text(
        edits in prop::collection::vec((0..6_u32, 0..12_u32, 0..6_u32, 0..12_u32, "[a🚕é\r\n ]{0,4}"), 0..12),
    ) {
        let (mut client, server) = start(&MemoryDisk::default());
        client.initialize(&[]);
        let mut text = "🚕 one\ntwo é\r\n\nthree 🚕🚕\n".to_owned();
        client.open(CLEAN_URI, 0, &text);
        let mut version = 0;
        for (line, column, end_line, end_column, new) in &edits {
            let (from, to) = (offset(&text, *line, *column), offset(&text, *end_line, *end_column));
            let (from, to, start, end) = if from <= to {
                (from, to, (*line, *column), (*end_line, *end_column))
            } else {
                (to, from, (*end_line, *end_column), (*line, *column))
            };
            text.replace_range(from..to, new);
            version += 1;
            client.edit(CLEAN_URI, version, start, end, new);
        }
        // A character that no program may have, behind all others: its place shows what the server has.
        let lines = text.split("\r\n").flat_map(|line| line.split(['\r', '\n'])).count() as u32;
        let last: String = text.chars().rev().take_while(|c| !['\r', '\n'].contains(c)).collect();
        let column = last.chars().map(|c| c.len_utf16() as u32).sum::<u32>();
        client.edit(CLEAN_URI, version + 1, (u32::MAX, 0), (u32::MAX, 0), "\u{1}");
        let (mut found, mut diagnostics) = client.diagnostics(CLEAN_URI);
        while found != version + 1 {
            (found, diagnostics) = client.diagnostics(CLEAN_URI);
        }
        let end_of_text = json!({"line": lines - 1, "character": column + 1});
        let furthest = diagnostics.iter().map(|one| &one["range"]["end"]).max_by_key(|end| {
            (end["line"].as_u64(), end["character"].as_u64())
        });
        prop_assert_eq!(furthest, Some(&end_of_text));
        end(client, server);
    }
}

const METHODS: &[&str] = &[
    "initialize",
    "initialized",
    "$/cancelRequest",
    "$/setTrace",
    "textDocument/didOpen",
    "textDocument/didChange",
    "textDocument/didSave",
    "textDocument/didClose",
    "textDocument/codeAction",
    "workspace/didChangeWatchedFiles",
    "workspace/executeCommand",
];

/// Parameters as some method wants them, or not.
fn params() -> impl Strategy<Value = Json> {
    let uri = prop::sample::select(vec![
        CLEAN_URI,
        RIDES_URI,
        "untitled:a",
        "",
        "file:///",
        "file://host/%ff.flow",
    ]);
    let number = prop::sample::select(vec![0_i64, 1, 3, -1, i64::from(u32::MAX), i64::MAX]);
    (uri, number.clone(), number.clone(), number, "[ -~🚕\n]{0,9}").prop_map(|(uri, a, b, version, text)| {
        let range = json!({"start": {"line": a, "character": b}, "end": {"line": b, "character": a}});
        let all = json!({
            "capabilities": {}, "id": a, "value": "off", "type": 1,
            "textDocument": {"uri": uri, "languageId": "flow", "version": version, "text": text},
            "contentChanges": [{"range": range, "text": text}, {"range": range, "text": ""}],
            "changes": [{"uri": uri, "type": 2}, {"uri": "file:///flow.toml", "type": 1}],
            "range": range,
            "context": {"diagnostics": []},
        });
        match a {
            3 => json!([a, text]),
            -1 => Json::Null,
            _ => all,
        }
    })
}

/// The byte at a place in UTF-16 units, found the simple way.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let mut at = 0;
    let mut lines = 0;
    let mut units = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if lines == line
            && (['\r', '\n'].contains(&character) || units + character.len_utf16() as u32 > column)
        {
            return at;
        }
        at += character.len_utf8();
        units += character.len_utf16() as u32;
        let is_pair = character == '\r' && characters.peek() == Some(&'\n');
        if ['\r', '\n'].contains(&character) && !is_pair {
            (lines, units) = (lines + 1, 0);
        }
    }
    at
}

fn range(start: (u32, u32), end: (u32, u32)) -> Json {
    let place = |(line, character): (u32, u32)| json!({"line": line, "character": character});
    json!({"start": place(start), "end": place(end)})
}

fn start(disk: &MemoryDisk) -> (Client, JoinHandle<Ending>) {
    let (server_input, client_output) = pipe().unwrap();
    let (client_input, server_output) = pipe().unwrap();
    let disk = Box::new(disk.clone());
    let server = thread::spawn(|| serve(disk, BufReader::new(server_input), server_output).unwrap());
    (Client::new(client_output, client_input), server)
}

fn end(mut client: Client, server: JoinHandle<Ending>) -> Ending {
    client.leave();
    client.wait_for_end();
    server.join().unwrap()
}
