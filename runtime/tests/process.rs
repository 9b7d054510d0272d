//! Commands as operators, well-behaved and otherwise. They need `/bin/sh` and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use flow_ir::{
    node::{CommandWord, Input, Node, NodeKind, OperatorPlace},
    types::Type,
    value::Value,
};
use flow_runtime::{
    act::{
        Cancel,
        process::{Environment, kill_orphans},
    },
    artifact::{Reference, Summary},
    engine::{Engine, RunOptions, RunReport},
    folder::AttemptFolder,
    task::run_envelope,
};
use support::*;

/// A project in a folder of its own.
struct Project {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join(".flow"), Arc::new(TestRegistry::default())).unwrap();
        let mut environment = Environment::of(folder.path());
        environment.variables = vec![("OF_THE_PROJECT".to_owned(), "yes".to_owned())];
        Self { engine: engine.with_environment(environment), folder }
    }

    fn run(&self, build: Build) -> RunReport {
        self.engine.run(build.dag(&[]), &RunOptions::default(), &Cancel::new()).unwrap()
    }

    /// Runs one script; gives the run, and what is wrong with it.
    fn script(&self, text: &str, ty: Type, change: impl FnOnce(&mut Node)) -> (String, String) {
        let mut build = Build::default();
        script(&mut build, "node", text, ty, &[], change);
        let report = self.run(build);
        let wrong = report.failures.iter().map(|(_, failure)| match failure.help() {
            Some(help) => format!("{failure}; {help}"),
            None => failure.to_string(),
        });
        (report.run, wrong.collect::<Vec<_>>().join("\n"))
    }

    fn attempt(&self, run: &str, node: &str, attempt: u32) -> AttemptFolder {
        self.engine.run_folder(run).node(node).attempt(attempt)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// `sh -c TEXT`, whose `$1` is the output's path and `$2` and so on are the inputs.
fn script(
    build: &mut Build,
    id: &str,
    text: &str,
    ty: Type,
    inputs: &[(&str, Input)],
    change: impl FnOnce(&mut Node),
) -> Input {
    let word = |text: &str| CommandWord::Text(text.to_owned());
    let mut words =
        vec![word("sh"), word("-c"), word(text), word("sh"), CommandWord::Output("value".to_owned())];
    words.extend(inputs.iter().map(|(name, _)| CommandWord::Input((*name).to_owned())));
    build.with(id, "test.script", ty, inputs, |node| {
        place(node, OperatorPlace::Command(words));
        node.policy.memory = 64 << 20;
        change(node);
    })
}

fn place(node: &mut Node, to: OperatorPlace) {
    if let NodeKind::Task(operator) = &mut node.kind {
        operator.place = to;
    }
}

fn value(report: &RunReport, engine: &Engine, node: &str) -> Value {
    let nodes = engine.show(&report.run).unwrap().1;
    let found = nodes.into_iter().find(|found| found.id == node).unwrap();
    match &found.outputs[0].1 {
        Reference { summary: Summary::Value(Some(value)), .. } => value.clone(),
        other => panic!("{other:?}"),
    }
}

/// A number that no other test has among its words.
fn mark(test: u32) -> String {
    format!("{}{test}", std::process::id())
}

/// Processes with this text among their words.
fn processes(text: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    pids.filter(|pid| *pid != own && pid.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains(text)
        })
        .collect()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn values_tables_and_blobs_go_in_and_come_out() {
    let project = Project::new();
    let mut build = Build::default();
    let table = build.node("table", "range", numbers(), &[("rows", constant(1000)), ("batch", constant(70))]);
    let copy = script(&mut build, "copy", r#"cp "$2" "$1""#, numbers(), &[("data", table)], |_| {});
    let total = build.node("total", "total", Type::Int, &[("data", copy)]);
    let sum = r#"echo $(($2 + $3)) > "$1""#;
    let sum = script(&mut build, "sum", sum, Type::Int, &[("a", total), ("b", constant(1))], |_| {});
    let blob = script(&mut build, "blob", r#"printf '%s' "$2" > "$1""#, some_model(), &[("x", sum)], |_| {});
    script(&mut build, "length", r#"wc -c < "$2" > "$1""#, Type::Int, &[("blob", blob)], |_| {});
    let list = Input::Constant(Value::List(vec![Value::Int(1), Value::Int(2)]));
    script(&mut build, "list", r#"cp "$2" "$1""#, Type::List(Box::new(Type::Int)), &[("x", list)], |_| {});
    let report = project.run(build);
    assert_eq!(report.failures, []);
    assert_eq!(value(&report, &project.engine, "sum"), Value::Int(499_501));
    assert_eq!(value(&report, &project.engine, "length"), Value::Int(6));
    assert_eq!(value(&report, &project.engine, "list"), Value::List(vec![Value::Int(1), Value::Int(2)]));
    for node in ["copy", "sum", "blob"] {
        let folder = project.attempt(&report.run, node, 1);
        assert!(folder.exit().exists() && !folder.inputs().exists() && !folder.outputs().exists(), "{node}");
    }
    // In a process of its own `flowc task` gives the same.
    for node in ["copy", "sum", "blob"] {
        let text = project.engine.envelope(&report.run, node).unwrap().to_json().to_string();
        let (engine, registry) = (&project.engine, TestRegistry::default());
        let answer =
            run_envelope(&text, &registry, engine.environment(), engine.artifacts(), &Cancel::new()).unwrap();
        let nodes = project.engine.show(&report.run).unwrap().1;
        let reference = &nodes.iter().find(|found| found.id == node).unwrap().outputs[0].1;
        assert_eq!(answer["outputs"]["value"], reference.to_json(), "{answer}");
    }
}

#[test]
fn what_a_bad_operator_does_is_said_in_one_clear_line() {
    let project = Project::new();
    let told = |text: &str, ty: Type| project.script(text, ty, |_| {}).1;
    for (text, ty, expected) in [
        (
            "exit 0",
            Type::Int,
            "the process ended without an error, but did not write its output `value`; a command writes it to the \
             path that `out.value` stands for; a function returns it",
        ),
        (
            "exit 3",
            Type::Int,
            "it ended with exit code 3, and wrote nothing; `flowc logs` shows all that it wrote",
        ),
        (
            "echo first >&2; echo 'no such thing' >&2; exit 1",
            Type::Int,
            "it ended with exit code 1: no such thing; `flowc logs` shows all that it wrote",
        ),
        (
            "kill -SEGV $$",
            Type::Int,
            "it was ended by signal 11 (SIGSEGV), and wrote nothing; `flowc logs` shows all that it wrote",
        ),
        ("echo seven > $1", Type::Int, "output `value`: expected Int, found \"seven\""),
        (
            "printf '\\377' > $1",
            Type::Int,
            "output `value`: a file of 1 bytes that begins with `·` is no text",
        ),
        (
            "echo '[1, \"x\"]' > $1",
            Type::List(Box::new(Type::Int)),
            "output `value`: [1]: expected Int, found \"x\"",
        ),
        (": > $1", Type::Int, "output `value`: expected Int, found an empty file"),
        ("mkfifo $1", Type::Int, "output `value` cannot be read: it is no regular file"),
        ("ln -s /dev/zero $1", Type::Int, "output `value` cannot be read: it is no regular file"),
        (
            "echo 'a,b' > $1",
            numbers(),
            "output `value`: a file of 4 bytes that begins with `a,b·` is no Arrow IPC file: \
             Ipc error: Expected a continuation marker",
        ),
        (
            ": > $1",
            numbers(),
            "output `value`: an empty file is no Arrow IPC file: Ipc error: it has no schema",
        ),
        ("echo >&3 garbage; echo '{\"metric\": [1]}' >&3; echo 1 > $1", Type::Int, ""),
    ] {
        let told = told(text, ty);
        let is_same = told == expected
            || (!expected.is_empty() && told.starts_with("output") && {
                let shared = expected.split(" is no Arrow").next().unwrap();
                expected.contains("Arrow") && told.starts_with(shared)
            });
        assert!(is_same, "{text}:\n{told}\n{expected}");
    }
    let full = told("head -c 10 /dev/zero > /dev/full", Type::Int);
    assert!(full.contains("No space left on device"), "{full}");
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let project = Project::new();
    let mut build = Build::default();
    let table = build.node("table", "range", numbers(), &[("rows", constant(5)), ("batch", constant(2))]);
    let ty = |text: &str| Type::parse(text).unwrap();
    let copy = r#"cp "$2" "$1""#;
    for (id, of) in [
        ("text", "Dataset<{ x: Text }>"),
        ("limits", "Dataset<{ x: Int in 0..=3 }>"),
        ("personal", "Dataset<{ x: Pii<Int in 0..=3> }>"),
        ("names", "Dataset<{ y: Int }>"),
    ] {
        let input = [("data", table.clone())];
        script(&mut build, id, copy, ty(of), &input, |node| {
            node.policy.on_failure = flow_ir::policy::OnFailure::CancelDependents
        });
    }
    let report = project.run(build);
    let wrong: Vec<String> =
        report.failures.iter().map(|(node, failure)| format!("{node}: {failure}")).collect();
    assert_eq!(
        wrong,
        [
            "text: output `value`: column `x` is Text, and holds Arrow's Int64",
            "limits: output `value`: row 5 of column `x` holds `4`, which is no Int in 0..=3",
            "personal: output `value`: row 5 of column `x` holds what is no Pii<Int in 0..=3>; it is personal data, \
             and not shown",
            "names: output `value`: it lacks columns of its type: `y`; it has `x` instead",
        ]
    );
}

#[test]
fn megabytes_without_a_newline_are_kept_in_bounds() {
    let project = Project::new();
    let text = "head -c 50000000 /dev/zero | tr '\\0' x; echo; echo the end; echo 1 > $1";
    let (run, wrong) = project.script(text, Type::Int, |_| {});
    assert_eq!(wrong, "");
    let kept = fs::read_to_string(project.attempt(&run, "node", 1).stdout()).unwrap();
    assert!(kept.len() < 20_000_000 && kept.ends_with("x\nthe end\n"), "{}", kept.len());
    assert!(kept.contains(" bytes are left out here\n"));
}

#[test]
fn one_that_ignores_the_wish_to_stop_is_killed_with_all_that_it_started() {
    let project = Project::new();
    let mark = &mark(311);
    // Itself, a child in a session of its own, and one that lost its parents.
    let text = format!(
        "trap '' TERM; setsid sleep {mark}1 & (setsid sh -c 'trap \"\" TERM; sleep {mark}2' &) ; \
         sleep {mark}3; sleep {mark}4"
    );
    let started = Instant::now();
    let (run, wrong) = project.script(&text, Type::Int, |node| node.policy.timeout = Some(300_000));
    assert_eq!(wrong, "took longer than its timeout of 0.3 s");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert_eq!(processes(mark), [""; 0]);
    let exit = fs::read_to_string(project.attempt(&run, "node", 1).exit()).unwrap();
    assert!(exit.contains(r#""end":"cancelled""#), "{exit}");
}

#[test]
fn what_outlives_an_operator_ends_with_it() {
    let project = Project::new();
    let mark = &mark(322);
    // It would write over the output a moment after the end.
    let text = format!(
        "echo 1 > $1; (setsid sh -c 'sleep 0.3; echo 2 > '$1'; sleep {mark}' &); sleep {mark}1 & exit 0"
    );
    let mut build = Build::default();
    script(&mut build, "node", &text, Type::Int, &[], |_| {});
    let report = project.run(build);
    assert_eq!(value(&report, &project.engine, "node"), Value::Int(1));
    assert_eq!(processes(mark), [""; 0]);
    let stderr = fs::read_to_string(project.attempt(&report.run, "node", 1).stderr()).unwrap();
    assert!(stderr.contains(" outlived the operator, and w"), "{stderr}");
}

#[test]
fn a_cancelled_run_leaves_no_process() {
    let project = Project::new();
    let mark = &mark(333);
    let mut build = Build::default();
    let ready = project.path("ready");
    let text = format!("sleep {mark} & echo > {}; wait", ready.display());
    script(&mut build, "node", &text, Type::Int, &[], |_| {});
    let cancel = Cancel::new();
    let stopper = cancel.clone();
    let thread = std::thread::spawn(move || {
        wait_until("the operator", || ready.exists());
        stopper.cancel();
        Instant::now()
    });
    let report = project.engine.run(build.dag(&[]), &RunOptions::default(), &cancel).unwrap();
    let asked = thread.join().unwrap();
    assert_eq!(report.status.name(), "cancelled");
    assert!(asked.elapsed() < Duration::from_millis(2500), "one that heeds SIGTERM is gone at once");
    assert_eq!(processes(mark), [""; 0]);
}

#[test]
fn memory_is_limited_for_all_processes_together() {
    let project = Project::new();
    // A shell's variable of 40 MB, in two processes; each by itself would fit.
    let hog = "x=$(head -c 40000000 /dev/zero | tr '\\0' x); sleep 60";
    let text =
        format!("sh -c \"{}\" & sh -c \"{}\" & wait", hog.replace('$', "\\$"), hog.replace('$', "\\$"));
    let started = Instant::now();
    let (_, wrong) = project.script(&text, Type::Int, |node| node.policy.memory = 64 << 20);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(
        wrong.starts_with("it and its processes used ")
            && wrong.ends_with("MiB of memory, and its limit is 64 MiB: it was stopped; give it more, as in `with (memory: 4GiB)`"),
        "{wrong}"
    );
}

#[test]
fn each_attempt_keeps_what_it_wrote_and_finds_the_checkpoint() {
    let project = Project::new();
    let text = "c=$(sed 's/.*\"checkpoint\":\"\\([^\"]*\\)\".*/\\1/' $FLOW_CALL); mkdir -p $c; echo try; echo x >> $c/tries; \
                n=$(wc -l < $c/tries); echo $n >&2; [ $n = 3 ] && echo $n > $1";
    let mut build = Build::default();
    script(&mut build, "a/b", text, Type::Int, &[], |node| {
        node.policy.retry = 2;
        node.policy.backoff = 1000;
    });
    let report = project.run(build);
    assert_eq!(value(&report, &project.engine, "a/b"), Value::Int(3));
    let node = project.engine.run_folder(&report.run).node("a/b");
    assert_eq!(node.attempts().unwrap(), [1, 2, 3]);
    for attempt in 1..=3 {
        let folder = node.attempt(attempt);
        assert_eq!(fs::read_to_string(folder.stdout()).unwrap(), "try\n");
        assert_eq!(fs::read_to_string(folder.stderr()).unwrap(), format!("{attempt}\n"));
        assert_eq!(folder.outputs().exists(), attempt < 3, "what failed can be looked at");
    }
    assert!(!node.checkpoint().exists());
}

#[test]
fn what_is_told_while_it_runs_reaches_those_who_watch() {
    let project = Project::new();
    let mut build = Build::default();
    let text = r#"echo '{"metric": ["loss", 0.5]}' >&3; echo '{"metric": ["loss", 0.25]}' >&3
        echo '{"log": "half way"}' >&3; x=$(head -c 8000000 /dev/zero | tr '\0' x); sleep 0.3; echo 1 > $1"#;
    script(&mut build, "node", text, Type::Int, &[], |_| {});
    let ears = Arc::new(Ears::default());
    let options = RunOptions { subscribers: vec![ears.clone()], ..RunOptions::default() };
    let report = project.engine.run(build.dag(&[]), &options, &Cancel::new()).unwrap();
    assert_eq!(report.failures, []);
    let events = ears.0.lock().unwrap();
    let finished = events.iter().find(|event| event.kind.name() == "node.finished").unwrap();
    assert_eq!(finished.data["metrics"]["loss"], 0.25);
    let peak = finished.data["peak_memory"].as_u64().unwrap();
    assert!((8_000_000..40_000_000).contains(&peak), "of the script, not of this process: {peak}");
    assert!(finished.data["cpu_seconds"].is_number(), "{}", finished.data);
    let log = fs::read_to_string(project.attempt(&report.run, "node", 1).log()).unwrap();
    assert!(log.ends_with("Z half way\n"), "{log}");
}

#[test]
fn the_environment_is_the_declared_one() {
    let project = Project::new();
    // `cargo` sets CARGO and more for its tests: none of that may get through.
    let (run, wrong) =
        project.script("env | cut -d= -f1 | sort; pwd; echo 1 > $1", Type::Int, |node| node.policy.cpu = 2);
    assert_eq!(wrong, "");
    let out = fs::read_to_string(project.attempt(&run, "node", 1).stdout()).unwrap();
    let names: Vec<&str> = out.lines().collect();
    assert!(
        names.contains(&"PATH") && names.contains(&"OF_THE_PROJECT") && names.contains(&"OMP_NUM_THREADS"),
        "{out}"
    );
    assert!(!names.iter().any(|name| name.starts_with("CARGO") || name.starts_with("NEXTEST")), "{out}");
    let work = names.last().unwrap();
    assert!(work.ends_with("/node/1/work"), "its own folder: {work}");
}

#[test]
fn a_file_of_the_project_is_found_and_counts_in_the_cache() {
    let project = Project::new();
    fs::write(project.path("fit.sh"), "echo 1 > $1\n").unwrap();
    let run = || {
        let mut build = Build::default();
        let word = |text: &str| CommandWord::Text(text.to_owned());
        let words = vec![word("sh"), word("fit.sh"), CommandWord::Output("value".to_owned())];
        build.with("node", "test.fit", Type::Int, &[], |node| place(node, OperatorPlace::Command(words)));
        let report = project.run(build);
        (value(&report, &project.engine, "node"), report.counts.cached)
    };
    assert_eq!(run(), (Value::Int(1), 0));
    assert_eq!(run(), (Value::Int(1), 1));
    fs::write(project.path("fit.sh"), "echo 2 > $1\n").unwrap();
    assert_eq!(run(), (Value::Int(2), 0));
}

#[test]
fn what_is_not_there_is_said_before_anything_starts() {
    let project = Project::new();
    let error = |place_of: OperatorPlace| {
        let mut build = Build::default();
        build.with("node", "test.fit", Type::Int, &[], |node| place(node, place_of));
        let error = project.engine.run(build.dag(&[]), &RunOptions::default(), &Cancel::new()).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        error(OperatorPlace::Command(vec![CommandWord::Text("no-such-program".to_owned())])),
        "node `node` calls `test.fit`: there is no program `no-such-program`, neither in the project nor on the PATH"
    );
    assert_eq!(
        error(OperatorPlace::Python("fit".to_owned())),
        "node `node` calls `test.fit`: `fit` is not written as `module:function`"
    );
}

#[test]
fn a_script_that_cannot_be_started_says_why() {
    let project = Project::new();
    let script = project.path("broken");
    fs::write(&script, "no first line\n").unwrap();
    let mut permissions = script.metadata().unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&script, permissions).unwrap();
    let mut build = Build::default();
    let words = vec![CommandWord::Text("./broken".to_owned())];
    build.with("node", "test.fit", Type::Int, &[], |node| place(node, OperatorPlace::Command(words)));
    let report = project.run(build);
    let failure = &report.failures[0].1;
    assert!(
        failure.to_string().ends_with("/broken` cannot be started: Exec format error (os error 8)"),
        "{failure}"
    );
    assert_eq!(failure.help(), Some("a script begins with the program that runs it: #!/bin/sh"));
}

#[test]
fn orphans_of_a_run_are_found_and_killed_and_no_others() {
    let project = Project::new();
    let mark = &mark(344);
    let run = project.engine.run_folder("r1");
    let folder = run.node("node").attempt(1);
    fs::create_dir_all(folder.path()).unwrap();
    let start = |words: &str, folder: Option<&Path>| {
        let mut command = Command::new("sh");
        command.args(["-c", words]).stdin(Stdio::null()).env_clear().process_group(0);
        if let Some(folder) = folder {
            command.env("FLOW_FOLDER", folder);
        }
        command.spawn().unwrap()
    };
    let mut marked = start(&format!("sleep {mark}1 & sleep {mark}2"), Some(folder.path()));
    let mut of_other_run =
        start(&format!("exec sleep {mark}8"), Some(project.engine.run_folder("r10").path()));
    // One that cleared its environment is known by its number.
    let mut noted = start(&format!("exec sleep {mark}3"), None);
    wait_until("the processes", || processes(mark).len() >= 4);
    let stat = fs::read_to_string(format!("/proc/{}/stat", noted.id())).unwrap();
    let ticks: u64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let system = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let json = serde_json::json!({ "pid": noted.id(), "started": ticks, "system": system.trim() });
    fs::write(folder.process(), json.to_string()).unwrap();

    assert!(kill_orphans(&run).unwrap() >= 3);
    // Their ends may have been taken along.
    let _ = (marked.wait(), noted.wait());
    wait_until("their end", || processes(mark).len() == 1);
    assert_eq!(kill_orphans(&run).unwrap(), 0);
    assert!(of_other_run.try_wait().unwrap().is_none());
    of_other_run.kill().unwrap();
    of_other_run.wait().unwrap();
}

#[test]
fn a_no_op_costs_little_more_than_its_spawn() {
    let project = Project::new();
    let count: u32 = 30;
    let mut build = Build::default();
    let mut previous = constant(0);
    for index in 0..count {
        let words = vec![CommandWord::Text("true".to_owned())];
        previous = build.with(&format!("n{index}"), "test.true", Type::Nothing, &[("x", previous)], |node| {
            place(node, OperatorPlace::Command(words));
        });
    }
    let bare = Instant::now();
    for _ in 0..count {
        assert!(Command::new("true").status().unwrap().success());
    }
    let bare = bare.elapsed() / count;
    let started = Instant::now();
    let report = project.run(build);
    let each = started.elapsed() / count;
    assert_eq!(report.failures, []);
    // Five times what is promised of a release build, and of its two syncs; `tests/perf` measures.
    let (spawn, sync) = (bare, time_of_a_sync());
    let limit = 5 * (spawn + Duration::from_millis(5) + 2 * sync);
    assert!(each < limit, "{each:?} for each; a spawn takes {spawn:?}, a sync {sync:?}");
}

/// The mean of some, each of a file that has grown by a page.
fn time_of_a_sync() -> Duration {
    let mut file = tempfile::tempfile().unwrap();
    let started = Instant::now();
    for _ in 0..10 {
        std::io::Write::write_all(&mut file, &[1; 4096]).unwrap();
        file.sync_all().unwrap();
    }
    started.elapsed() / 10
}
