//! `flowc lsp` as an editor starts it: the real process, its pipes and files on a real disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "../lsp/tests/support/client.rs"]
mod client;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use client::Client;

const RIDES: &str = "schema Ride { distance: Float, minutes: Float }\n";
const CLEAN: &str = "\
use rides.{Ride}

// 🚕
workflow clean(rides: Dataset<Ride>) -> (rides: Dataset<Ride>) {
    rides.where(.distance > 1.0)
}
";

#[test]
fn a_mistake_comes_and_goes_with_an_edit() {
    let folder = project();
    let (mut client, mut process) = start(folder.path());
    client.initialize(&[]);
    let clean = uri(folder.path(), "src/clean.flow");
    client.open(&clean, 1, &CLEAN.replace("// 🚕\n", "/* */").replace("distance", "distnce"));
    assert_ne!(client.codes(&clean, 1), [""; 0]);
    client.edit(&clean, 2, (2, 0), (2, 5), "// 🚕\n");
    let (_, found) = client.diagnostics(&clean);
    let codes: Vec<_> = found.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["F0401"]);
    assert_eq!(found[0]["range"]["start"], serde_json::json!({"line": 4, "character": 17}));
    client.edit(&clean, 3, (4, 21), (4, 21), "a");
    assert_eq!(client.codes(&clean, 3), [""; 0]);
    client.leave();
    client.wait_for_end();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn help_and_completions_list_it() {
    for words in [&["--help"][..], &["completions", "fish"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_flowc")).args(words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("lsp") && text.contains("Language Server Protocol"), "{words:?}: {text}");
    }
}

#[test]
fn an_edited_schema_shows_in_the_modules_that_read_it() {
    let folder = project();
    let (mut client, mut process) = start(folder.path());
    client.initialize(&[]);
    let (rides, clean) = (uri(folder.path(), "src/rides.flow"), uri(folder.path(), "src/clean.flow"));
    client.open(&clean, 1, CLEAN);
    assert_eq!(client.codes(&clean, 1), [""; 0]);
    client.open(&rides, 1, RIDES);
    client.edit(&rides, 2, (0, 14), (0, 22), "length");
    assert_eq!(client.codes(&clean, 1), ["F0401"]);
    // Saved elsewhere, then closed here: the disk's text counts.
    fs::write(folder.path().join("src/rides.flow"), RIDES.replace("minutes", "seconds")).unwrap();
    client.close(&rides);
    assert_eq!(client.codes(&clean, 1), [""; 0]);
    client.hang_up();
    client.wait_for_end();
    assert_eq!(process.wait().unwrap().code(), Some(1), "a client that leaves without a word");
}

#[test]
fn nothing_outside_of_the_project_is_read() {
    let folder = project();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.flow"), "const SECRET: Int = 1\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.flow"), folder.path().join("src/linked.flow"))
        .unwrap();
    let (mut client, mut process) = start(folder.path());
    client.initialize(&[]);
    let clean = uri(folder.path(), "src/clean.flow");
    client.open(&clean, 1, "use linked.{SECRET}\nconst A: Int = SECRET\n");
    assert_eq!(client.codes(&clean, 1), ["F0202"]);
    // A file beside the source folder is no module of the project.
    client.open(&uri(folder.path(), "notes.flow"), 1, "wrong");
    let shown = client.wait(|message| message["method"] == "window/showMessage");
    let message = shown["params"]["message"].as_str().unwrap();
    assert!(message.contains("outside the project's source folder"), "{message}");
    client.leave();
    client.wait_for_end();
    process.wait().unwrap();
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flow.toml"), "name = \"rides\"\nsource = \"src\"\n").unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/rides.flow"), RIDES).unwrap();
    folder
}

fn uri(folder: &Path, file: &str) -> String {
    format!("file://{}/{file}", folder.display())
}

/// Started elsewhere: an editor's folder says nothing.
fn start(folder: &Path) -> (Client, Child) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(["lsp", "--stdio"])
        .current_dir(folder.parent().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let client = Client::new(process.stdin.take().unwrap(), process.stdout.take().unwrap());
    (client, process)
}
