//! What the client at the other end can do.

use tower_lsp::ls_types::{ClientCapabilities, DiagnosticTag};

use super::position::Encoding;

/// What we use of a client's capabilities. Without a word from it: what each must be able to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    pub encoding: Encoding,
    /// Shows further places of a diagnostic.
    pub related_information: bool,
    /// Shows unused text in grey.
    pub unnecessary_tag: bool,
    /// Takes actions with edits, rather than commands.
    pub code_actions: bool,
    /// Takes edits of a certain version of a text.
    pub document_changes: bool,
    /// Tells of files that change on the disk when asked to.
    pub watches_files: bool,
}

impl Abilities {
    pub fn of(client: &ClientCapabilities) -> Self {
        let text = client.text_document.as_ref();
        let workspace = client.workspace.as_ref();
        let publish = text.and_then(|text| text.publish_diagnostics.as_ref());
        let tags = publish.and_then(|publish| publish.tag_support.as_ref());
        let encodings = client.general.as_ref().and_then(|general| general.position_encodings.as_deref());
        Self {
            encoding: Encoding::choose(encodings.unwrap_or_default()),
            related_information: publish.and_then(|publish| publish.related_information).unwrap_or(false),
            unnecessary_tag: tags.is_some_and(|tags| tags.value_set.contains(&DiagnosticTag::UNNECESSARY)),
            code_actions: text
                .and_then(|text| text.code_action.as_ref())
                .is_some_and(|actions| actions.code_action_literal_support.is_some()),
            document_changes: workspace
                .and_then(|workspace| workspace.workspace_edit.as_ref()?.document_changes)
                .unwrap_or(false),
            watches_files: workspace
                .and_then(|workspace| workspace.did_change_watched_files.as_ref()?.dynamic_registration)
                .unwrap_or(false),
        }
    }
}
