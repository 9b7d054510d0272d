//! The one owner of all that is known. It takes messages in their order, and between them checks one module after
//! another, those first that somebody looks at; the next message stops a check.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender, TryRecvError},
};

use flow_analysis::{Interrupt, Interrupted};
use flow_syntax::{diagnostic::Diagnostic, span::Span};
use futures::{channel::oneshot, executor::block_on};
use tower_lsp::{
    Client,
    ls_types::{self, CodeAction, MessageType, Range, TextDocumentContentChangeEvent, Uri},
};

use super::{
    client::Abilities,
    convert,
    position::{self, Places},
};
use crate::{
    disk::Disk,
    features::{diagnostics, fixes},
    workspace::Workspace,
};

#[derive(Debug)]
pub enum Message {
    /// What the client can do.
    Meet(Abilities),
    Open {
        uri: Uri,
        version: i32,
        text: String,
    },
    Change {
        uri: Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
    },
    Close {
        uri: Uri,
    },
    DiskChanged {
        /// Where projects begin, too.
        manifests: bool,
    },
    Actions {
        uri: Uri,
        range: Range,
        reply: oneshot::Sender<Vec<CodeAction>>,
    },
}

/// Where messages for the actor go.
#[derive(Clone, Debug)]
pub struct Mailbox {
    sender: Sender<Message>,
    interrupt: Interrupt,
}

pub fn mailbox() -> (Mailbox, Receiver<Message>) {
    let (sender, receiver) = mpsc::channel();
    (Mailbox { sender, interrupt: Interrupt::default() }, receiver)
}

impl Mailbox {
    /// Hands a message over, and stops the check that it may make obsolete.
    pub fn send(&self, message: Message) {
        if self.sender.send(message).is_ok() {
            self.interrupt.interrupt();
        }
    }

    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

#[derive(Debug)]
pub struct Actor {
    workspace: Workspace,
    client: Client,
    abilities: Abilities,
    interrupt: Interrupt,
    open: BTreeMap<PathBuf, Document>,
    /// What the client shows, where that is something.
    published: BTreeMap<PathBuf, Published>,
    /// What is still to be checked, the next first.
    left: VecDeque<Module>,
}

/// An open file as the client knows it.
#[derive(Debug)]
struct Document {
    uri: Uri,
    version: i32,
}

#[derive(Debug, PartialEq)]
struct Published {
    version: Option<i32>,
    diagnostics: Vec<ls_types::Diagnostic>,
}

#[derive(Debug)]
struct Module {
    root: PathBuf,
    name: String,
}

impl Actor {
    pub fn new(disk: Box<dyn Disk>, client: Client, interrupt: Interrupt) -> Self {
        Self {
            workspace: Workspace::new(disk),
            client,
            abilities: Abilities::default(),
            interrupt,
            open: BTreeMap::new(),
            published: BTreeMap::new(),
            left: VecDeque::new(),
        }
    }

    /// Works until nobody can send messages any more.
    pub fn run(mut self, messages: &Receiver<Message>) {
        loop {
            match messages.try_recv() {
                Ok(message) => self.take(message),
                Err(TryRecvError::Disconnected) => return,
                // A message that comes in right here waits for one module.
                Err(TryRecvError::Empty) => match self.left.pop_front() {
                    Some(module) => self.check(module),
                    None => match messages.recv() {
                        Ok(message) => self.take(message),
                        Err(_) => return,
                    },
                },
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Meet(abilities) => self.abilities = abilities,
            Message::Open { uri, version, text } => {
                let Some(file) = convert::path(&uri) else { return };
                self.open.insert(file.clone(), Document { uri, version });
                if let Err(why) = self.workspace.open(&file, text) {
                    block_on(self.client.show_message(MessageType::WARNING, why));
                }
                self.check_around(&file);
            }
            Message::Change { uri, version, changes } => {
                let Some(file) = convert::path(&uri) else { return };
                let Some(text) = self.workspace.text(&file) else { return };
                let text = position::change(text, changes, self.abilities.encoding);
                self.workspace.edit(&file, text);
                self.open.entry(file.clone()).and_modify(|document| document.version = version);
                self.check_around(&file);
            }
            Message::Close { uri } => {
                let Some(file) = convert::path(&uri) else { return };
                self.open.remove(&file);
                self.workspace.close(&file);
                self.check_everything();
            }
            Message::DiskChanged { manifests } => {
                if manifests {
                    self.workspace.find_projects();
                } else {
                    self.workspace.synchronise();
                }
                self.check_everything();
            }
            Message::Actions { uri, range, reply } => {
                // Who asked may have stopped waiting.
                let _ = reply.send(self.actions(&uri, range).unwrap_or_default());
            }
        }
    }

    /// Checks the project of an open file again, that file first.
    fn check_around(&mut self, file: &Path) {
        let Some((project, module)) = self.workspace.home(file) else { return };
        let root = project.root().to_path_buf();
        self.left.retain(|module| module.root != root);
        for name in project.modules(Some(module)).into_iter().rev() {
            self.left.push_front(Module { root: root.clone(), name });
        }
    }

    /// Checks all projects again, and takes back what was said of files that no longer belong to one.
    fn check_everything(&mut self) {
        self.left.clear();
        let mut files = BTreeSet::new();
        for project in self.workspace.projects() {
            for name in project.modules(None) {
                files.extend(project.file(&name));
                self.left.push_back(Module { root: project.root().to_path_buf(), name });
            }
        }
        let gone: Vec<PathBuf> =
            self.published.keys().filter(|file| !files.contains(*file)).cloned().collect();
        for file in gone {
            self.publish(&file, Vec::new());
        }
    }

    fn check(&mut self, module: Module) {
        let Some(project) = self.workspace.project(&module.root) else { return };
        let check = || {
            project.analysis().interruptible(&self.interrupt, |analysis| diagnostics(analysis, &module.name))
        };
        match catch_unwind(AssertUnwindSafe(check)) {
            Ok(Ok(found)) => {
                let Some(file) = project.file(&module.name) else { return };
                let found = convert::diagnostics(project, &module.name, &found, &self.abilities);
                self.publish(&file, found);
            }
            Ok(Err(Interrupted)) => self.left.push_front(module),
            // A bug in the checker, which the panic's message on stderr tells of: the other modules can be checked.
            Err(_) => {
                let message = format!("`{}` cannot be checked, by a mistake of flowc's own", module.name);
                block_on(self.client.log_message(MessageType::ERROR, message));
            }
        }
    }

    /// Tells the client what is wrong with a file, unless it knows.
    fn publish(&mut self, file: &Path, diagnostics: Vec<ls_types::Diagnostic>) {
        let document = self.open.get(file);
        let version = document.map(|document| document.version);
        let known = self.published.get(file);
        let is_silent = diagnostics.is_empty() && document.is_none();
        let published = Published { version, diagnostics };
        if known == Some(&published) || (known.is_none() && is_silent) {
            return;
        }
        let Some(uri) = document.map(|document| document.uri.clone()).or_else(|| convert::uri(file)) else {
            return;
        };
        block_on(self.client.publish_diagnostics(uri, published.diagnostics.clone(), version));
        if is_silent {
            self.published.remove(file);
        } else {
            self.published.insert(file.to_path_buf(), published);
        }
    }

    fn actions(&self, uri: &Uri, range: Range) -> Option<Vec<CodeAction>> {
        let file = convert::path(uri)?;
        let document = self.open.get(&file)?;
        let (project, module) = self.workspace.home(&file)?;
        let text = project.analysis().text(module)?;
        let places = Places::new(text, self.abilities.encoding);
        let bytes = places.bytes(range);
        let found = fixes(project.analysis(), module, Span::new(bytes.start as u32, bytes.end as u32));
        let action = |diagnostic: &Diagnostic| {
            let mended =
                convert::diagnostics(project, module, std::slice::from_ref(diagnostic), &self.abilities)
                    .pop();
            let fix = diagnostic.fix.as_ref()?;
            Some(convert::quick_fix(fix, &document.uri, document.version, &places, &self.abilities, mended))
        };
        Some(found.iter().filter_map(action).collect())
    }
}
