//! Disks that are full, read-only or torn, and processes that meet at one store: each is told in one clear error
//! that says what to do, nothing that was told before is lost, and nothing hangs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    collections::HashSet,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// `nobody`, on most systems.
const NOBODY: u32 = 65_534;

/// A workflow whose tables are files of their own.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/iris");
    fs::copy(example.join("iris.flow"), folder.path().join("iris.flow")).unwrap();
    let text = fs::read_to_string(example.join("iris.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let rows = rows.trim_end();
    fs::write(folder.path().join("iris.csv"), format!("{header}\n{}", format!("{rows}\n").repeat(20)))
        .unwrap();
    folder
}

const RUN: [&str; 5] = ["run", "iris.flow", "--trees", "1", "-q"];

fn flowc(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowc"));
    command.args(words);
    finish(folder, command)
}

/// Runs it to its end, which must come, and not by a panic or a signal.
fn finish(folder: &Path, mut command: Command) -> Output {
    let out = tempfile::NamedTempFile::new().unwrap();
    let err = tempfile::NamedTempFile::new().unwrap();
    let mut child = command
        .current_dir(folder)
        .env("FLOW_LEDGER", folder.join("ledger"))
        .stdin(Stdio::null())
        .stdout(out.reopen().unwrap())
        .stderr(err.reopen().unwrap())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} hangs: {}", fs::read_to_string(err.path()).unwrap());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let output =
        Output { status, stdout: fs::read(out.path()).unwrap(), stderr: fs::read(err.path()).unwrap() };
    assert!(matches!(status.code(), Some(0..=3)), "{command:?}: {status}: {}", said(&output));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One error, and what to do.
fn is_clear(output: &Output) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    assert_eq!(text.matches("help: ").count(), 1, "{text}");
}

/// The nodes that `--format json` told to have finished.
fn told(output: &Output) -> HashSet<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let events = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let finished = events.filter(|event| event["type"] == "flow.node.finished");
    finished.map(|event| event["subject"].as_str().unwrap().to_owned()).collect()
}

fn finished_nodes(folder: &Path) -> HashSet<String> {
    let shown = flowc(folder, &["show", "last", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let nodes = json["tasks"].as_array().unwrap().iter();
    nodes
        .filter(|node| node["state"] == "finished")
        .map(|node| node["node"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_full_disk_is_told_and_what_was_told_stays() {
    let undisturbed = project();
    let expected = flowc(undisturbed.path(), &RUN);
    assert_eq!(expected.status.code(), Some(0), "{}", said(&expected));
    let mut failures = 0;
    // A limit on the size of a file stands in for the disk, at the log of the store and at artifacts.
    for kibibytes in [4, 16, 40, 64, 96, 160] {
        let folder = project();
        let mut limited = Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$@\"");
        limited
            .args(["-c", &script, "flowc", env!("CARGO_BIN_EXE_flowc")])
            .args(RUN)
            .args(["--format", "json"]);
        let output = finish(folder.path(), limited);
        if output.status.success() {
            continue;
        }
        failures += 1;
        let text = said(&output);
        let is_told = text.contains("error: ")
            || String::from_utf8_lossy(&output.stdout).contains("\"type\":\"flow.node.failed\"");
        assert!(is_told, "{kibibytes} KiB: {text}");
        let told = told(&output);
        if !told.is_empty() {
            assert!(told.is_subset(&finished_nodes(folder.path())), "{kibibytes} KiB: {told:?}");
        }
        // With room again all goes on as if nothing had been.
        let again = flowc(folder.path(), &RUN);
        assert_eq!(again.status.code(), Some(0), "{kibibytes} KiB: {}", said(&again));
        assert_eq!(again.stdout, expected.stdout);
    }
    assert!(failures > 2, "the limit is not kept here");
}

/// A disk of its own, of so many bytes; none where this process may not mount one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={bytes}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        let is_mounted = mounted.is_ok_and(|mounted| mounted.status.success());
        if !is_mounted {
            // Hardly anybody hears what a test that passes says: CI promises a disk, and its skip is a failure.
            let is_promised = std::env::var_os("FLOW_NO_SKIP").is_some_and(|set| !set.is_empty());
            assert!(!is_promised, "this process may not mount a disk of its own, and FLOW_NO_SKIP is set");
            eprintln!("skipped: this process may not mount a disk of its own");
        }
        is_mounted.then(|| Self(folder))
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let mounted = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status().unwrap();
        assert!(mounted.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_disk_that_fills_up_and_one_that_turns_read_only() {
    let Some(disk) = Disk::new(400 << 10) else {
        return;
    };
    let folder = disk.0.path();
    let source = project();
    for name in ["iris.flow", "iris.csv"] {
        fs::copy(source.path().join(name), folder.join(name)).unwrap();
    }
    let full = flowc(folder, &RUN);
    assert!(!full.status.success() && said(&full).contains("error: "), "{}", said(&full));
    disk.remount("size=64m");
    let expected = flowc(source.path(), &RUN);
    let again = flowc(folder, &RUN);
    assert_eq!((again.status.code(), &again.stdout), (Some(0), &expected.stdout), "{}", said(&again));
    disk.remount("ro");
    is_clear(&flowc(folder, &["run", "iris.flow", "--trees", "2", "-q"]));
    disk.remount("rw");
    assert_eq!(flowc(folder, &["runs"]).status.code(), Some(0));
}

#[test]
fn a_folder_that_is_not_ours_to_write() {
    let folder = project();
    assert_eq!(flowc(folder.path(), &RUN).status.code(), Some(0));
    let expected = flowc(folder.path(), &["runs"]).stdout;
    let state = folder.path().join(".flow");
    let lock = |mode| {
        for folder in [folder.path(), &state, &state.join("runs"), &state.join("artifacts")] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        for entry in fs::read_dir(&state).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o666)).unwrap();
            }
        }
    };
    lock(0o555);
    // Whoever may do anything may write as well, so that another has to try.
    let as_nobody = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowc"));
        command.args(words);
        if may_do_anything() {
            command.uid(NOBODY);
        }
        command
    };
    if as_nobody(&["--version"]).output().is_ok_and(|output| output.status.success()) {
        is_clear(&finish(folder.path(), as_nobody(&RUN)));
    } else {
        eprintln!("skipped: no other user can run flowc here");
    }
    lock(0o755);
    assert_eq!(flowc(folder.path(), &["runs"]).stdout, expected);
}

/// Whether permissions bind this process: a file that nobody may write tells.
fn may_do_anything() -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o400)).unwrap();
    fs::File::options().write(true).open(file.path()).is_ok()
}

#[test]
fn a_torn_log_loses_no_more_than_its_end() {
    let whole = project();
    let expected = flowc(whole.path(), &RUN);
    let (main, log) = store_under_way();
    let length = log.len();
    let mut torn: Vec<Vec<u8>> = [0, 10, 33, 5000, length / 3, length / 2, length - 4096, length - 1]
        .into_iter()
        .map(|end| log[..end].to_vec())
        .collect();
    for at in [8, 40, length / 4, length / 2, length - 100] {
        let mut garbled = log.clone();
        garbled[at..].iter_mut().take(64).for_each(|byte| *byte ^= 0x5a);
        torn.push(garbled);
    }
    for log in torn {
        let folder = project();
        let state = folder.path().join(".flow");
        fs::create_dir_all(state.join("artifacts")).unwrap();
        fs::write(state.join("store.sqlite"), &main).unwrap();
        fs::write(state.join("store.sqlite-wal"), &log).unwrap();
        let runs = flowc(folder.path(), &["runs", "--format", "json"]);
        assert_eq!(runs.status.code(), Some(0), "{} of {length} bytes: {}", log.len(), said(&runs));
        let again = flowc(folder.path(), &RUN);
        assert_eq!((again.status.code(), &again.stdout), (Some(0), &expected.stdout), "{}", said(&again));
    }
}

/// The file and its log while a run is at work: at its end the log is folded into the file.
fn store_under_way() -> (Vec<u8>, Vec<u8>) {
    let folder = project();
    let state = folder.path().join(".flow");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            flowc(folder.path(), &RUN);
            is_over.store(true, Ordering::Relaxed);
        });
        let (mut main, mut log) = (Vec::new(), Vec::new());
        while !is_over.load(Ordering::Relaxed) {
            let now = fs::read(state.join("store.sqlite")).unwrap_or_default();
            let longer = fs::read(state.join("store.sqlite-wal")).unwrap_or_default();
            if longer.len() > log.len() {
                (main, log) = (now, longer);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(log.len() > 16_384, "{} bytes", log.len());
        (main, log)
    })
}

#[test]
fn the_store_alone_has_the_runs_that_have_ended() {
    let folder = project();
    let said_of = |words: &[&str]| {
        let output = flowc(folder.path(), words);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
    };
    assert_eq!(said_of(&RUN).0, Some(0));
    let runs = said_of(&["runs"]);
    let state = folder.path().join(".flow");
    for name in ["store.sqlite-wal", "store.sqlite-shm"] {
        fs::remove_file(state.join(name)).unwrap();
    }
    assert_eq!(said_of(&["runs"]), runs);
    // Nor does anybody take an empty store for a new one while there is something left of past runs.
    for name in ["store.sqlite-wal", "store.sqlite-shm"] {
        fs::remove_file(state.join(name)).unwrap();
    }
    fs::write(state.join("store.sqlite"), "").unwrap();
    let (code, listed, warning) = said_of(&["runs"]);
    assert_eq!((code, listed.as_str()), (Some(0), ""));
    assert!(warning.contains("the store is empty, although `.flow/artifacts` holds"), "{warning}");
    let (code, _, error) = said_of(&["show", "last"]);
    assert_eq!(code, Some(3), "{error}");
    // Until that has been removed.
    for entry in fs::read_dir(state.join("artifacts")).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_dir_all(path).unwrap();
    }
    assert!(said_of(&["runs"]).2.contains("no runs yet"));
}

#[test]
fn gc_frees_a_disk_that_is_full() {
    let Some(disk) = Disk::new(4 << 20) else {
        return;
    };
    let folder = disk.0.path();
    fs::write(folder.join("fill.flow"), FILL).unwrap();
    // By the files of a run.
    let fill = ["run", "-q", "fill.flow", "fill"];
    is_clear(&flowc(folder, &fill));
    let gc = flowc(folder, &["gc", "--keep", "0"]);
    assert_eq!(gc.status.code(), Some(0), "{}", said(&gc));
    assert!(String::from_utf8_lossy(&gc.stdout).contains("removed 1 run ("));
    // By artifacts.
    let full = (0..40).find(|n| {
        !flowc(folder, &["run", "-q", "fill.flow", "keep", "-p", &format!("n={n}")]).status.success()
    });
    assert!(full.is_some());
    let free = |folder: &Path| fs::write(folder.join("free"), vec![0; 1 << 20]);
    assert!(free(folder).is_err());
    let _ = fs::write(folder.join("rest"), vec![0; 1 << 22]);
    let gc = flowc(folder, &["gc", "--keep", "1"]);
    assert_eq!(gc.status.code(), Some(0), "{}", said(&gc));
    fs::remove_file(folder.join("rest")).unwrap();
    free(folder).unwrap();
}

const FILL: &str = r#"
operator large(n: Int) -> Int = command ["sh", "-c", "head -c 9000000 /dev/zero > big; echo 3 > $1", "sh", out.value, n]
operator text(n: Int) -> List<Text> = command [
    "sh", "-c", "(printf '[\"%s' $2; head -c 300000 /dev/zero | tr '\\0' x; printf '\"]') > $1", "sh", out.value, n
]
workflow fill(n: Int = 1) -> (x: Int) { (x: large(n)) }
workflow keep(n: Int = 1) -> (x: List<Text>) { (x: text(n)) }
"#;

#[test]
fn processes_that_make_one_store_at_once() {
    let folder = project();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| flowc(folder.path(), &RUN))).collect();
        for run in runs {
            let output = run.join().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
    });
    let runs = flowc(folder.path(), &["runs", "--format", "json"]);
    assert_eq!(String::from_utf8_lossy(&runs.stdout).matches("\"status\":\"finished\"").count(), 4);
}

#[test]
fn a_migration_that_is_killed_is_done_by_the_next() {
    for milliseconds in 0..12 {
        let folder = project();
        let state = folder.path().join(".flow");
        fs::create_dir_all(&state).unwrap();
        let store = rusqlite::Connection::open(state.join("store.sqlite")).unwrap();
        store.execute_batch(include_str!("../runtime/tests/data/store-1.sql")).unwrap();
        drop(store);
        let mut victim = Command::new(env!("CARGO_BIN_EXE_flowc"))
            .arg("runs")
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(2 * milliseconds));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let runs = flowc(folder.path(), &["runs"]);
        assert_eq!(String::from_utf8_lossy(&runs.stdout).lines().count(), 4, "{}", said(&runs));
    }
}
