//! What other processes want of a run: written down by them, read by its owner every 50 ms.

use serde_json::{Value as Json, json};

/// Told once or twice; the number says which are the same.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCommand {
    pub id: i64,
    pub kind: CommandKind,
    /// When it was given: microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CommandKind {
    /// For the owner that the run has then. If that dies before it reads it, who asked must see to it.
    Cancel,
    /// For the owner: to be taken when all that it has of the cache is said in events that it hands over before.
    Barrier,
    /// For the run, whoever owns it.
    Signal { name: String },
}

impl CommandKind {
    /// As it stands in the store.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Barrier => "barrier",
            Self::Signal { .. } => "signal",
        }
    }

    /// What goes with the name.
    pub fn data(&self) -> Json {
        match self {
            Self::Cancel | Self::Barrier => Json::Null,
            Self::Signal { name } => json!({ "name": name }),
        }
    }

    /// None for what only a newer version understands.
    pub fn read(name: &str, data: &Json) -> Option<Self> {
        match name {
            "cancel" => Some(Self::Cancel),
            "barrier" => Some(Self::Barrier),
            "signal" => Some(Self::Signal { name: data.get("name")?.as_str()?.to_owned() }),
            _ => None,
        }
    }
}
