//! An operator whose body is a process of its own: a function of Python's, or a command.

use std::{
    ffi::{CString, OsString},
    fs, io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt, unix::process::ExitStatusExt},
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
};

use flow_ir::{node::OperatorPlace, text::bytes, value::Value};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::{Value as Json, json};

use super::{
    call::{self, Kind, Written, cannot_write},
    capture::Capture,
    code::Missing,
    environment::Environment,
    messages::Messages,
    outputs::{self, regular_file},
    proc, python,
    spawn::{Start, Started, c_string, spawn},
    watch::{End, Streams, Watched, watch},
};
use crate::{
    folder::AttemptFolder,
    operator::{Call, Context, Datum, Operator, OperatorError},
};

/// Runs one place in an environment.
#[derive(Clone, Debug)]
pub struct ProcessOperator {
    place: OperatorPlace,
    environment: Arc<Environment>,
}

/// The variable by which all processes of an attempt are known: its folder.
pub const MARK: &str = "FLOW_FOLDER";

impl ProcessOperator {
    /// None for a native place, which has no process.
    pub fn new(place: OperatorPlace, environment: Arc<Environment>) -> Option<Self> {
        (place != OperatorPlace::Native).then_some(Self { place, environment })
    }
}

impl Operator for ProcessOperator {
    fn run(&self, call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
        match context.folder() {
            Some(folder) => self.run_in(folder, call, context),
            None => {
                let folder = tempfile::tempdir().map_err(|error| {
                    OperatorError::failed(format!("no temporary folder can be made: {error}"))
                })?;
                let path = folder.path().join("1");
                let given = self.run_in(&AttemptFolder::at(path), call, context)?;
                if given.iter().any(|datum| matches!(datum, Datum::Value(Value::File(_)))) {
                    // A folder, which is no artifact: its path must mean something when this has ended.
                    let _ = folder.keep();
                    return Ok(given);
                }
                let folder = Arc::new(folder);
                let keep = |datum| match datum {
                    Datum::File(file) => Datum::File(file.within(folder.clone())),
                    other => other,
                };
                Ok(given.into_iter().map(keep).collect())
            }
        }
    }
}

impl ProcessOperator {
    fn run_in(
        &self,
        folder: &AttemptFolder,
        call: &Call,
        context: &dyn Context,
    ) -> Result<Vec<Datum>, OperatorError> {
        let program = self.program()?;
        let written = call::write(call, &self.place, &self.environment, folder, context)?;
        let (started, streams) = self.start(&program, &written, folder, context)?;
        self.note_process(&started, folder);
        let mark = [MARK.as_bytes(), b"=", folder.path().as_os_str().as_bytes()].concat();
        let watched = watch(&started, streams, &mark, context.memory(), context)
            .map_err(|error| OperatorError::failed(format!("the process cannot be watched: {error}")))?;
        context.used(watched.usage);
        note_end(&watched, folder);
        judge(&watched, folder, context)?;
        let outputs = outputs::read(&call.outputs, folder)?;
        clean(call, folder);
        Ok(outputs)
    }

    fn program(&self) -> Result<PathBuf, OperatorError> {
        let found = match &self.place {
            OperatorPlace::Python(_) => self.environment.python().map_err(Missing::from),
            OperatorPlace::Command(words) => self.environment.find_program(words),
            OperatorPlace::Native => Err(Missing::NoProgram),
        };
        found.map_err(|missing| OperatorError::Failed { message: missing.to_string(), help: missing.help() })
    }

    fn start(
        &self,
        program: &Path,
        written: &Written,
        folder: &AttemptFolder,
        context: &dyn Context,
    ) -> Result<(Started, Streams), OperatorError> {
        let mut variables = self.environment.variables(context.threads());
        let mut set = |name: &str, value: OsString| {
            variables.retain(|(known, _)| known != name);
            variables.push((name.into(), value));
        };
        set(MARK, folder.path().into());
        set("FLOW_CALL", written.call.clone().into());
        if !context.gpus().is_empty() {
            let gpus: Vec<String> = context.gpus().iter().map(u32::to_string).collect();
            set("CUDA_VISIBLE_DEVICES", gpus.join(",").into());
        }
        let mut arguments = vec![program.as_os_str().as_bytes().to_vec()];
        match &self.place {
            OperatorPlace::Python(_) => {
                let package = python::package().map_err(|error| {
                    OperatorError::failed(format!("the package `flowlang` cannot be written: {error}"))
                })?;
                let paths = [package].into_iter().chain(self.environment.sources.iter().cloned());
                let paths = std::env::join_paths(paths)
                    .map_err(|error| OperatorError::failed(format!("the project's folder: {error}")))?;
                set("PYTHONPATH", paths);
                set("PYTHONSAFEPATH", "1".into());
                arguments.extend([b"-m".to_vec(), b"flowlang".to_vec()]);
            }
            _ => arguments.extend(written.words.iter().skip(1).map(|word| word.clone().into_bytes())),
        }
        let start = || -> io::Result<(Started, Streams)> {
            let pipe = || pipe_with(PipeFlags::CLOEXEC);
            let ((stdout, to_stdout), (stderr, to_stderr), (messages, to_messages)) =
                (pipe()?, pipe()?, pipe()?);
            let nothing: OwnedFd = fs::File::open("/dev/null")?.into();
            let streams = Streams {
                stdout: Capture::new(stdout, folder.stdout())?,
                stderr: Capture::new(stderr, folder.stderr())?,
                messages: Messages::new(messages)?,
            };
            let environment = variables
                .iter()
                .map(|(name, value)| c_string([name.as_bytes(), b"=", value.as_bytes()].concat()));
            let started = spawn(Start {
                program: c_string(program.as_os_str().as_bytes())?,
                arguments: arguments.into_iter().map(c_string).collect::<io::Result<Vec<CString>>>()?,
                environment: environment.collect::<io::Result<_>>()?,
                folder: c_string(folder.work().as_os_str().as_bytes())?,
                files: [nothing, to_stdout, to_stderr, to_messages],
            })?;
            Ok((started, streams))
        };
        start().map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => cannot_write(folder.path(), &error),
            _ => {
                let message = format!("`{}` cannot be started: {error}", program.display());
                match error.raw_os_error() {
                    Some(code) if code == rustix::io::Errno::NOEXEC.raw_os_error() => {
                        OperatorError::with_help(
                            message,
                            "a script begins with the program that runs it: #!/bin/sh",
                        )
                    }
                    Some(code) if code == rustix::io::Errno::TOOBIG.raw_os_error() => {
                        OperatorError::with_help(
                            message,
                            "its words are too long together: hand what is long over in a table or a list",
                        )
                    }
                    _ => OperatorError::failed(message),
                }
            }
        })
    }

    /// So that a later process finds this one, should flowc die.
    fn note_process(&self, started: &Started, folder: &AttemptFolder) {
        let ticks = proc::row(started.pid).map(|row| row.identity.started);
        let json = json!({ "pid": started.pid.as_raw_pid(), "started": ticks, "system": proc::system() });
        // The mark in its environment serves too.
        let _ = fs::write(folder.process(), json.to_string());
    }
}

/// What has served and takes room goes; what a person may want to read stays. Removing little things costs more time
/// than it saves room.
fn clean(call: &Call, folder: &AttemptFolder) {
    // Whatever cannot be removed now goes with the run; what was not needed is not there.
    if fs::metadata(folder.call()).is_ok_and(|file| file.len() > LARGE_CALL) {
        let _ = fs::remove_file(folder.call());
    }
    if fs::read_dir(folder.work()).is_ok_and(|mut files| files.next().is_some()) {
        let _ = fs::remove_dir_all(folder.work());
    }
    let _ = fs::remove_dir_all(folder.inputs());
    if call.outputs.iter().all(|port| Kind::of(&port.ty) != Some(Kind::File)) {
        let _ = fs::remove_dir_all(folder.outputs());
    }
    let _ = fs::remove_dir_all(folder.checkpoint());
}

/// Bytes of a `call.json` that is not kept.
const LARGE_CALL: u64 = 64 << 10;

/// What its end means.
fn judge(watched: &Watched, folder: &AttemptFolder, context: &dyn Context) -> Result<(), OperatorError> {
    let status = match watched.end {
        End::Cancelled => return Err(OperatorError::Cancelled),
        End::Memory(used) => {
            let (used, limit) = (bytes(used), bytes(context.memory()));
            return Err(OperatorError::with_help(
                format!(
                    "it and its processes used {used} of memory, and its limit is {limit}: it was stopped"
                ),
                "give it more, as in `with (memory: 4GiB)`",
            ));
        }
        End::Ended(status) => ExitStatus::from_raw(status),
    };
    if status.success() {
        return Ok(());
    }
    let told = regular_file(&folder.error()).ok();
    if let Some(told) = told.and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok())
        && let Some(message) = told.get("message").and_then(Json::as_str)
    {
        if context.is_personal() {
            return Err(withheld("it failed".to_owned()));
        }
        let help = told.get("help").and_then(Json::as_str).map(str::to_owned);
        return Err(OperatorError::Failed { message: message.to_owned(), help });
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}{}", signal_name(signal)),
        (None, None) => "it ended in no known way".to_owned(),
    };
    if context.is_personal() && !(watched.stderr.0.is_empty() && watched.stdout.0.is_empty()) {
        return Err(withheld(how));
    }
    let last = watched.stderr.0.last().or(watched.stdout.0.last());
    let message = match last {
        Some(line) => format!("{how}: {line}"),
        None => format!("{how}, and wrote nothing"),
    };
    Err(OperatorError::Failed { message, help: why(status, watched, context) })
}

/// An error without the words of an operator that has been given personal data.
fn withheld(how: String) -> OperatorError {
    OperatorError::with_help(
        format!("{how}; what it wrote is not shown here, since it may have personal data in it"),
        "`flowc logs` shows all that it wrote",
    )
}

/// How it ended, for `flowc logs` and for who looks into the folder.
fn note_end(watched: &Watched, folder: &AttemptFolder) {
    let (status, reason) = match watched.end {
        End::Ended(status) => (Some(ExitStatus::from_raw(status)), "ended"),
        End::Cancelled => (None, "cancelled"),
        End::Memory(_) => (None, "memory"),
    };
    let json = json!({
        "end": reason,
        "code": status.and_then(|status| status.code()),
        "signal": status.and_then(|status| status.signal()),
        "seconds": watched.usage.wall.as_secs_f64(),
        "cpu_seconds": watched.usage.cpu.map(|cpu| cpu.as_secs_f64()),
        "peak_memory": watched.usage.peak_memory,
        "left_behind": watched.left_behind,
    });
    // Its absence says that the end was not seen, which is worth no failure.
    let _ = fs::write(folder.exit(), json.to_string());
}

fn why(status: ExitStatus, watched: &Watched, context: &dyn Context) -> Option<String> {
    const KILL: i32 = 9;
    let is_full = |stream: &(Vec<String>, Option<io::Error>)| {
        stream.1.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::StorageFull)
    };
    if is_full(&watched.stdout) || is_full(&watched.stderr) {
        return Some("the disk is full: make room, then `flowc retry` the run".to_owned());
    }
    match (status.code(), status.signal()) {
        (None, Some(KILL)) => {
            let peak =
                watched.usage.peak_memory.map(|peak| format!(" it had {} at its peak, and", bytes(peak)));
            Some(format!(
                "somebody else killed it, often the system for want of memory:{} may have {}",
                peak.as_deref().unwrap_or(" it"),
                bytes(context.memory())
            ))
        }
        _ => Some("`flowc logs` shows all that it wrote".to_owned()),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        24 => " (SIGXCPU)",
        25 => " (SIGXFSZ)",
        _ => "",
    }
}
