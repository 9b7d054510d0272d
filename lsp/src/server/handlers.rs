//! One handler a message, each thin: what concerns the texts goes to the actor.

use futures::channel::oneshot;
use tower_lsp::{
    Client, LanguageServer,
    jsonrpc::Result,
    ls_types::{
        CodeActionKind, CodeActionOptions, CodeActionOrCommand, CodeActionParams,
        CodeActionProviderCapability, CodeActionResponse, DidChangeTextDocumentParams,
        DidChangeWatchedFilesParams, DidChangeWatchedFilesRegistrationOptions, DidCloseTextDocumentParams,
        DidOpenTextDocumentParams, DidSaveTextDocumentParams, FileSystemWatcher, GlobPattern,
        InitializeParams, InitializeResult, InitializedParams, Registration, ServerCapabilities, ServerInfo,
        TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    },
};

use super::{
    actor::{Mailbox, Message},
    client::Abilities,
};

#[derive(Debug)]
pub struct Handlers {
    client: Client,
    mailbox: Mailbox,
    abilities: std::sync::OnceLock<Abilities>,
}

impl Handlers {
    pub fn new(client: Client, mailbox: Mailbox) -> Self {
        Self { client, mailbox, abilities: std::sync::OnceLock::new() }
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }
}

impl LanguageServer for Handlers {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let abilities = *self.abilities.get_or_init(|| Abilities::of(&params.capabilities));
        self.mailbox.send(Message::Meet(abilities));
        let synchronisation = TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(true.into()),
            ..TextDocumentSyncOptions::default()
        };
        let actions = CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        };
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                position_encoding: Some(abilities.encoding.kind()),
                text_document_sync: Some(TextDocumentSyncCapability::Options(synchronisation)),
                code_action_provider: abilities
                    .code_actions
                    .then_some(CodeActionProviderCapability::Options(actions)),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo {
                name: "flowc".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if !self.abilities.get().is_some_and(|abilities| abilities.watches_files) {
            return;
        }
        let watch = |pattern: &str| FileSystemWatcher {
            glob_pattern: GlobPattern::String(pattern.to_owned()),
            kind: None,
        };
        let options = DidChangeWatchedFilesRegistrationOptions {
            watchers: vec![watch("**/*.flow"), watch("**/flow.toml")],
        };
        let registration = Registration {
            id: "files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        // A client that refuses tells of what is saved in it; that must do.
        let _ = self.client.register_capability(vec![registration]).await;
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        self.mailbox.send(Message::Open {
            uri: document.uri,
            version: document.version,
            text: document.text,
        });
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        self.mailbox.send(Message::Change {
            uri: document.uri,
            version: document.version,
            changes: params.content_changes,
        });
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.mailbox.send(Message::Close { uri: params.text_document.uri });
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {
        self.mailbox.send(Message::DiskChanged { manifests: false });
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let manifests = params.changes.iter().any(|change| change.uri.as_str().ends_with("/flow.toml"));
        self.mailbox.send(Message::DiskChanged { manifests });
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let wanted = params.context.only.as_deref();
        if wanted.is_some_and(|kinds| !kinds.contains(&CodeActionKind::QUICKFIX)) {
            return Ok(None);
        }
        let (reply, actions) = oneshot::channel();
        let uri = params.text_document.uri;
        self.mailbox.send(Message::Actions { uri, range: params.range, reply });
        let actions = actions.await.unwrap_or_default();
        Ok(Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()))
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}
