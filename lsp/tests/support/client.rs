//! An editor's side of the protocol, for tests.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value as Json, json};

/// Longer than any answer takes, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    input: Option<Box<dyn Write>>,
    received: Receiver<Json>,
    /// Notifications and requests of the server that nobody has looked at.
    kept: VecDeque<Json>,
    last_id: i64,
}

impl Client {
    pub fn new(input: impl Write + 'static, output: impl Read + Send + 'static) -> Self {
        let (sender, received) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self { input: Some(Box::new(input)), received, kept: VecDeque::new(), last_id: 0 }
    }

    /// Says hello as an editor does that can do all that the server uses.
    pub fn initialize(&mut self, encodings: &[&str]) -> Json {
        let answer = self.request(
            "initialize",
            json!({"processId": null, "rootUri": null, "capabilities": {
                "general": {"positionEncodings": encodings},
                "workspace": {"workspaceEdit": {"documentChanges": true}},
                "textDocument": {
                    "publishDiagnostics": {
                        "relatedInformation": true, "versionSupport": true, "tagSupport": {"valueSet": [1, 2]},
                    },
                    "codeAction": {
                        "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}},
                    },
                },
            }}),
        );
        self.notify("initialized", json!({}));
        answer["result"]["capabilities"].clone()
    }

    pub fn open(&mut self, uri: &str, version: i64, text: &str) {
        let document = json!({"uri": uri, "languageId": "flow", "version": version, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Replaces what lies between two places, each a line and a character.
    pub fn edit(&mut self, uri: &str, version: i64, from: (u32, u32), to: (u32, u32), text: &str) {
        let place = |(line, character)| json!({"line": line, "character": character});
        let change = json!({"range": {"start": place(from), "end": place(to)}, "text": text});
        self.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}),
        );
    }

    pub fn close(&mut self, uri: &str) {
        self.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    }

    /// What the server says next of a file: the version that it speaks of, and the diagnostics.
    pub fn diagnostics(&mut self, uri: &str) -> (Json, Vec<Json>) {
        let message = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri
        });
        let params = &message["params"];
        (params["version"].clone(), params["diagnostics"].as_array().unwrap().clone())
    }

    /// The codes of what the server says of that version of a file.
    pub fn codes(&mut self, uri: &str, version: i64) -> Vec<String> {
        loop {
            let (found, diagnostics) = self.diagnostics(uri);
            if found == version {
                return diagnostics.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect();
            }
        }
    }

    pub fn request(&mut self, method: &str, params: Json) -> Json {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    pub fn notify(&mut self, method: &str, params: Json) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    pub fn send(&mut self, message: &Json) {
        let body = message.to_string();
        self.send_bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    /// The next message that is wanted; others are kept.
    pub fn wait(&mut self, is_wanted: impl Fn(&Json) -> bool) -> Json {
        if let Some(index) = self.kept.iter().position(&is_wanted) {
            return self.kept.remove(index).unwrap();
        }
        loop {
            let message = self.received.recv_timeout(PATIENCE).expect("an answer");
            if is_wanted(&message) {
                return message;
            }
            self.kept.push_back(message);
        }
    }

    /// Asks the server to end, and lets it.
    pub fn leave(&mut self) {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "shutdown"}));
        let answer = self.wait(|message| message["id"] == id);
        assert_eq!(answer["result"], Json::Null, "{answer}");
        self.send(&json!({"jsonrpc": "2.0", "method": "exit"}));
    }

    /// Closes the server's input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// Waits until the server writes no more; what it wrote since is a sequence of messages.
    pub fn wait_for_end(&mut self) {
        while self.received.recv_timeout(PATIENCE) != Err(mpsc::RecvTimeoutError::Disconnected) {}
    }
}

/// The next message. Anything but the protocol fails the test.
fn read(stream: &mut impl BufRead) -> Option<Json> {
    let mut header = String::new();
    if stream.read_line(&mut header).ok()? == 0 {
        return None;
    }
    let length = header
        .trim()
        .strip_prefix("Content-Length: ")
        .unwrap_or_else(|| panic!("not the protocol: {header:?}"));
    let mut end = String::new();
    stream.read_line(&mut end).ok()?;
    assert_eq!(end, "\r\n");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    let message: Json = serde_json::from_slice(&body).unwrap();
    assert_eq!(message["jsonrpc"], "2.0");
    Some(message)
}
