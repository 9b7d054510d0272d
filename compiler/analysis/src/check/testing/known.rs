//! The types of what tests look at.

use flow_ir::types::{Field, RecordType, Refinement, Type};

/// A type that tests alone know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TestType {
    /// What `plan` gives: a handle.
    Dag,
    /// A node of it: a record.
    DagNode,
    /// What `simulate` gives: a handle.
    Outcome,
}

/// What a node of a simulated run ends in, or is in where the run stands still.
const STATES: &str = "pending|ready|running|finishing|finished|failed|skipped|cancelled";
/// How a simulated run ends; `waiting` is one that stands still, because what it waits for never comes.
const STATUSES: &str = "finished|failed|cancelled|blocked|waiting";
const DEVICES: &str = "auto|cpu|gpu";
const ON_FAILURE: &str = "cancel_dependents|block_dependents|continue";
const PRECISIONS: &str = "f64|f32";
const SWITCH: &str = "on|off";
/// Stand around alternatives of which the whole text is one.
const WHOLE: (&str, &str) = ("^(?:", ")$");

impl TestType {
    const ALL: [Self; 3] = [Self::Dag, Self::DagNode, Self::Outcome];

    /// As messages call it. A type of a module has the module's name before it, so that none is called like this.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dag => "Dag",
            Self::DagNode => "DagNode",
            Self::Outcome => "Outcome",
        }
    }

    pub fn of(ty: &Type) -> Option<Self> {
        let Type::Record(RecordType { name: Some(name), .. }) = ty else { return None };
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub fn ty(self) -> Type {
        match self {
            Self::Dag | Self::Outcome => named(self.name(), Vec::new()),
            Self::DagNode => named(
                self.name(),
                vec![
                    ("id", Type::Text),
                    ("op", Type::Text),
                    ("inputs", Type::List(Box::new(input()))),
                    ("policy", policy()),
                    ("device", words(DEVICES)),
                ],
            ),
        }
    }
}

/// One of `STATES`.
pub(super) fn state() -> Type {
    words(STATES)
}

/// One of `STATUSES`.
pub(super) fn status() -> Type {
    words(STATUSES)
}

/// What a test sees of an output that `run` gives: of a table and a model what is known without reading them.
pub(super) fn seen(ty: &Type) -> Type {
    match ty {
        Type::Dataset(_) => named(
            "Table",
            vec![("rows", Type::Int), ("columns", Type::List(Box::new(Type::Text))), ("hash", Type::Text)],
        ),
        Type::Model(_) | Type::Opaque(_) => named("Artifact", vec![("hash", Type::Text)]),
        Type::Optional(of) => Type::Optional(Box::new(seen(of))),
        Type::List(of) => Type::List(Box::new(seen(of))),
        Type::Record(record) => Type::Record(RecordType {
            name: record.name.clone(),
            fields: record
                .fields
                .iter()
                .map(|field| Field { name: field.name.clone(), ty: seen(&field.ty) })
                .collect(),
        }),
        other => other.clone(),
    }
}

/// The words that a text of this type is one of, where there are few. A pattern need not cover the whole text: only
/// one that says that it does names all that the text may be.
pub(in crate::check) fn words_of(ty: &Type) -> Option<Vec<&str>> {
    match ty {
        Type::Optional(of) => words_of(of),
        Type::Refined { base, refinement: Refinement::Matching(pattern) } if **base == Type::Text => {
            let words: Vec<&str> = pattern.strip_prefix(WHOLE.0)?.strip_suffix(WHOLE.1)?.split('|').collect();
            let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            words.iter().all(is_word).then_some(words)
        }
        _ => None,
    }
}

/// `(name: "data", from: "split.train")`
fn input() -> Type {
    Type::Record(RecordType {
        name: None,
        fields: ["name", "from"]
            .map(|name| Field { name: name.to_owned(), ty: Type::Text })
            .into_iter()
            .collect(),
    })
}

/// As `with (…)` has it.
fn policy() -> Type {
    named(
        "Policy",
        vec![
            ("cpu", Type::Int),
            ("gpu", Type::Int),
            ("memory", Type::Size),
            ("gpu_memory", Type::Size.optional()),
            ("device", words(DEVICES)),
            ("precision", words(PRECISIONS).optional()),
            ("timeout", Type::Duration.optional()),
            ("retry", Type::Int),
            ("backoff", Type::Duration),
            ("on_failure", words(ON_FAILURE)),
            ("cache", words(SWITCH)),
            ("pool", Type::Text.optional()),
            ("priority", Type::Int),
        ],
    )
}

fn words(alternatives: &str) -> Type {
    let pattern = format!("{}{alternatives}{}", WHOLE.0, WHOLE.1);
    Type::Refined { base: Box::new(Type::Text), refinement: Refinement::Matching(pattern) }
}

fn named(name: &str, fields: Vec<(&str, Type)>) -> Type {
    let field = |(name, ty): (&str, Type)| Field { name: name.to_owned(), ty };
    Type::Record(RecordType { name: Some(name.to_owned()), fields: fields.into_iter().map(field).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_of_patterns_for_the_whole_text() {
        let matching = |pattern: &str| Type::Refined {
            base: Box::new(Type::Text),
            refinement: Refinement::Matching(pattern.to_owned()),
        };
        assert_eq!(words_of(&words(SWITCH)), Some(vec!["on", "off"]));
        assert_eq!(words_of(&matching("^(?:cat|dog)$")), Some(vec!["cat", "dog"]));
        // `hotdog` matches, too.
        assert_eq!(words_of(&matching("cat|dog")), None);
    }
}
