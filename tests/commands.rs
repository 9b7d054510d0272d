//! Command lines and what they print: every file of `tests/golden/run` is a session in a folder of its own.
//!
//! In a fenced block marked `console`, a line `$ COMMAND` is run by the shell where the block before left off;
//! what follows is what it prints, stdout first, and `? CODE` where its exit code is not 0. A block marked
//! `file NAME` is written to that file. Each session starts with a copy of `examples`. Run ids and seconds vary
//! and stand as `RUN` and `TIME`; hashes do not. `BLESS=1` writes what is found into the files. A session that
//! says "Needs Python with `a`, `b`." is skipped where Python lacks one of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;
use similar::TextDiff;

#[test]
fn sessions() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("tests/golden/run")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut failures = String::new();
    for path in files.into_iter().chain([root().join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap();
        if let Some(module) = lacks(&text) {
            assert!(std::env::var_os("FLOW_PYTHON").is_none(), "the Python of FLOW_PYTHON has no `{module}`");
            eprintln!("{} is skipped: Python ($FLOW_PYTHON, else python3) has no `{module}`", path.display());
            continue;
        }
        let found = Session::new().play(&text);
        if bless && found != text {
            fs::write(&path, &found).unwrap();
        } else if found != text {
            let name = path.file_name().unwrap().to_string_lossy();
            failures.push_str(
                &TextDiff::from_lines(&text, &found).unified_diff().header(&name, "found").to_string(),
            );
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// A module that a session needs and Python has not.
fn lacks(text: &str) -> Option<&str> {
    let needs = text.lines().find_map(|line| line.strip_prefix("Needs Python with "))?;
    let python = std::env::var_os("FLOW_PYTHON").unwrap_or_else(|| "python3".into());
    let has = |module: &&str| {
        let import = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        import.is_ok_and(|output| output.status.success())
    };
    needs.split('`').skip(1).step_by(2).find(|module| !has(module))
}

struct Session {
    folder: tempfile::TempDir,
    varying: Vec<(Regex, &'static str)>,
}

impl Session {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&root().join("examples"), &folder.path().join("examples"));
        let varying = [
            // The first word of a line of `runs` and `show`, and where a sentence names a run.
            (r"(?m)^[0-9a-z]{8}  (?P<state>finished|failed|cancelled|interrupted|blocked)", "RUN  $state"),
            (r"\brun [0-9a-z]{8}\b", "run RUN"),
            (r"(?P<command>`flowc (cancel|logs|resume|retry|show)) [0-9a-z]{8}\b", "$command RUN"),
            (r"\bprocess [0-9]+\b", "process PID"),
            (
                r"(?m)^ +[0-9.]+s  (?P<state>started|finished)( +)[0-9a-z]{8}(?P<rest>: |$)",
                "TIME  $state  RUN$rest",
            ),
            (r"(?m)^ +[0-9]+\.[0-9]+s  ", "TIME  "),
            // What a node took is told where that is worth a word.
            (
                r"(?m)(?P<node>^  .* finished .*?)(  cpu [0-9.]+ s)?(  [0-9.]+ ([KMG]iB|bytes?))?(?P<rest>$|  [0-9]+ attempts)",
                "$node$rest",
            ),
            (
                r"(?m)(?P<node>^TIME  finished +[^\s:]+): ([0-9.]+ s|[0-9.]+ [KMG]iB)(, [0-9.]+ [KMG]iB)?(?P<rest>, .*)?$",
                "$node$rest",
            ),
            (r" +[0-9]+\.[0-9]+ s\b", " TIME"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "DATE"),
        ];
        let varying = varying.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name)).to_vec();
        Self { folder, varying }
    }

    /// The text with what its commands print now.
    fn play(&self, text: &str) -> String {
        let mut played = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            played.push_str(line);
            played.push('\n');
            let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
            let mut block: Vec<&str> = Vec::new();
            while let Some(line) = lines.next_if(|line| *line != "```") {
                block.push(line);
            }
            if info == "console" {
                for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    played.push_str(&format!("$ {command}\n{}", self.run(command)));
                }
            } else {
                if let Some(name) = info.strip_prefix("file ") {
                    fs::write(self.folder.path().join(name), block.join("\n") + "\n").unwrap();
                }
                block.iter().for_each(|line| played.extend([*line, "\n"]));
            }
            played.extend(lines.next().map(|line| format!("{line}\n")));
        }
        played
    }

    fn run(&self, command: &str) -> String {
        let flowc = Path::new(env!("CARGO_BIN_EXE_flowc")).parent().unwrap();
        let path = std::env::join_paths(
            [flowc.to_path_buf()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(self.folder.path())
            .env("PATH", path.unwrap())
            .env_remove("NO_COLOR")
            // What runs elsewhere on this machine is no part of a test.
            .env("FLOW_LEDGER", self.folder.path().join(".ledger"))
            .output()
            .unwrap();
        let mut text = String::new();
        for stream in [&output.stdout, &output.stderr] {
            text.push_str(&String::from_utf8_lossy(stream));
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
        }
        text = text.replace(self.folder.path().to_str().unwrap(), "DIR");
        for (pattern, name) in &self.varying {
            text = pattern.replace_all(&text, *name).into_owned();
        }
        let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        match output.status.code() {
            Some(0) => text,
            code => format!("{text}? {}\n", code.map_or("signal".to_owned(), |code| code.to_string())),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
            // What a file holds is remembered once it has not changed for a while.
            let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
            fs::File::options().append(true).open(to.join(name)).unwrap().set_modified(long_ago).unwrap();
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
