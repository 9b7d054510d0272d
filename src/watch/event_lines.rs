//! Every event as CloudEvents, one JSON object a line.

use std::{
    fs::File,
    io::{LineWriter, Write},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use flow_runtime::event::{Event, Subscriber};

use crate::{exit::Failure, terminal::Terminal};

pub struct EventLines {
    writer: Mutex<Box<dyn Write + Send>>,
    /// Of a file, and how to say that it cannot be written; nobody is told that a pipe's reader has gone.
    file: Option<(String, Terminal)>,
    is_broken: AtomicBool,
}

impl EventLines {
    pub fn to_file(path: &Path, terminal: &Terminal) -> Result<Self, Failure> {
        let file = File::create(path)
            .map_err(|error| Failure::environment(format!("cannot write `{}`: {error}", path.display())))?;
        let named = Some((path.display().to_string(), *terminal));
        Ok(Self::new(LineWriter::new(file), named))
    }

    pub fn to_stdout() -> Self {
        Self::new(std::io::stdout(), None)
    }

    fn new(writer: impl Write + Send + 'static, file: Option<(String, Terminal)>) -> Self {
        Self { writer: Mutex::new(Box::new(writer)), file, is_broken: AtomicBool::new(false) }
    }
}

impl Subscriber for EventLines {
    fn name(&self) -> String {
        match &self.file {
            Some((path, _)) => format!("`{path}`"),
            None => "the reader of stdout".to_owned(),
        }
    }

    fn event(&self, event: &Event) {
        if self.is_broken.load(Ordering::Relaxed) {
            return;
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The run goes on, and the store has them.
        if let Err(error) = writeln!(writer, "{}", event.to_cloud_event()) {
            self.is_broken.store(true, Ordering::Relaxed);
            if let Some((path, terminal)) = &self.file {
                terminal.warning(&format!("the events are no longer written to `{path}`: {error}"));
            }
        }
    }
}

impl std::fmt::Debug for EventLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLines").field("file", &self.name()).finish_non_exhaustive()
    }
}
