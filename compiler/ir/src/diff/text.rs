//! A difference for people.
//!
//! ```text
//! ~ param share: value 0.8 -> 0.7  changes results
//! + scaled  std.prep.scale
//! - old  std.debug.noop
//! ~ model  std.tree.gbdt  changes results
//!     depth: 4 -> 6
//!     data: split.train -> scaled
//!     with retry: 0 -> 2  (policy only)
//! > final  std.metrics.best  was best, keeps the cache
//! because of model: report
//! outputs that change: report
//! 1 added, 1 removed, 1 renamed, 1 changed, results change of 3 nodes and 1 output
//! ```

use std::collections::HashMap;

use super::model::{Cause, Change, DagDiff, Effect, FieldChange, Kind, NodeDiff, Part};

/// Nodes told one by one, and names of those that follow from one cause; the rest is counted.
const MOST_NODES: usize = 200;
const MOST_NAMES: usize = 12;
/// Changes told of one node.
const MOST_CHANGES: usize = 24;
/// Longer texts are cut, so that what differs is seen.
const LONGEST: usize = 72;

/// How many nodes there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub added: usize,
    pub removed: usize,
    pub renamed: usize,
    pub rewired: usize,
    pub changed: usize,
    /// Those whose results change, of all kinds and those that only follow.
    pub results: usize,
    /// The outputs that change.
    pub outputs: usize,
}

impl DagDiff {
    /// Whether the two are equal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn summary(&self) -> Summary {
        let is_other = |effect| effect == Effect::ChangesResults;
        let outputs = self.outputs.iter().filter(|output| is_other(output.effect)).count();
        let mut summary = Summary {
            results: self.followers.len(),
            outputs: outputs + self.affected.len(),
            ..Summary::default()
        };
        for node in &self.nodes {
            match node.kind {
                Kind::Added => summary.added += 1,
                Kind::Removed => summary.removed += 1,
                Kind::Renamed => summary.renamed += 1,
                Kind::Rewired => summary.rewired += 1,
                Kind::Changed => summary.changed += 1,
            }
            summary.results += usize::from(is_other(node.effect));
        }
        summary
    }

    /// A line for each difference; nothing for equal DAGs. What a line is about shows its first character: `+`
    /// added, `-` removed, `~` changed, `>` renamed, a space for details, else a word.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        if let Some((before, after)) = &self.workflow {
            line(format!("~ workflow {before} -> {after}"));
        }
        for parameter in &self.parameters {
            let name = named("param", &parameter.name, parameter.was.as_deref());
            line(fields(parameter.kind, &name, &parameter.changes, parameter.effect));
        }
        // What is there only because the types of what is read changed goes with the nodes that follow.
        let (told, following): (Vec<_>, Vec<_>) = self.nodes.iter().partition(|node| !only_follows(node));
        for node in told.iter().take(MOST_NODES) {
            line(head(node));
            let changes = node.changes.iter().take(MOST_CHANGES);
            changes.for_each(|change| line(format!("    {}", detail(change, node.effect))));
            if node.changes.len() > MOST_CHANGES {
                line(format!("    … and {} more changes", node.changes.len() - MOST_CHANGES));
            }
        }
        if told.len() > MOST_NODES {
            line(format!("  … and {} more nodes", told.len() - MOST_NODES));
        }
        for output in &self.outputs {
            let name = named("output", &output.name, output.was.as_deref());
            line(fields(output.kind, &name, &output.changes, output.effect));
        }
        let followers = self.followers.iter().map(|follower| (&follower.cause, &*follower.path));
        let following = following.iter().filter_map(|node| Some((node.cause.as_ref()?, &*node.path)));
        for (cause, names) in by_cause(following.chain(followers)) {
            line(format!("because of {cause}: {}", listed(&names)));
        }
        if !self.affected.is_empty() {
            let names: Vec<&str> = self.affected.iter().map(|(name, _)| name.as_str()).collect();
            line(format!("outputs that change: {}", listed(&names)));
        }
        for path in self.reordered.iter().take(MOST_NAMES) {
            let of = path.strip_suffix('/').map(|path| format!(" of {path}")).unwrap_or_default();
            line(format!("in another order: what stands in the DAG{of}"));
        }
        if !self.is_empty() {
            line(self.summary().to_string());
        }
        text
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = [
            (self.added, "added"),
            (self.removed, "removed"),
            (self.renamed, "renamed"),
            (self.rewired, "rewired"),
            (self.changed, "changed"),
        ];
        let mut kinds: Vec<String> = kinds
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let count = |count: usize, one: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            several => Some(format!("{several} {one}s")),
        };
        let results = [count(self.results, "node"), count(self.outputs, "output")];
        let results: Vec<String> = results.into_iter().flatten().collect();
        kinds.push(match results.as_slice() {
            [] => "no results change".to_owned(),
            results => format!("results change of {}", results.join(" and ")),
        });
        f.write_str(&kinds.join(", "))
    }
}

impl Effect {
    /// `changes results`
    pub fn in_words(self) -> &'static str {
        match self {
            Self::PolicyOnly => "policy only",
            Self::KeepsCache => "keeps the cache",
            Self::ChangesResults => "changes results",
        }
    }
}

impl Kind {
    /// The first character of its line.
    pub fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Renamed => '>',
            Self::Rewired | Self::Changed => '~',
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node(path) => f.write_str(path),
            Self::Parameter(name) => write!(f, "${name}"),
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NodeKind => f.write_str("kind"),
            Self::Op => f.write_str("operator"),
            Self::Version => f.write_str("operator's version"),
            Self::Signature => f.write_str("operator's signature"),
            Self::Place => f.write_str("operator's body"),
            Self::Expression => f.write_str("expression"),
            Self::Argument(name) | Self::Wire(name) => f.write_str(name),
            Self::InputName => f.write_str("name of an input"),
            Self::InputOrder => f.write_str("order of inputs"),
            Self::After => f.write_str("after"),
            Self::Port(name) => write!(f, "gives {name}"),
            Self::Column(port, name) => write!(f, "gives {port}, column {name}"),
            Self::PortOrder => f.write_str("order of outputs"),
            Self::Max => f.write_str("max"),
            Self::RegionParameter(part, name) => write!(f, "{part} takes {name}"),
            Self::RegionOutput(part, name) => write!(f, "{part} gives {name}"),
            Self::Policy(key) => write!(f, "with {key}"),
            Self::Effect => f.write_str("effect"),
            Self::Deterministic => f.write_str("deterministic"),
        }
    }
}

fn head(node: &NodeDiff) -> String {
    let mut text = format!("{} {}  {}", node.kind.sign(), node.path, node.op);
    let mut notes = Vec::new();
    if let Some(was) = &node.was {
        notes.push(format!("was {was}"));
    }
    if !matches!(node.kind, Kind::Added | Kind::Removed) {
        notes.push(node.effect.in_words().to_owned());
    }
    if let Some(cause) = &node.cause {
        notes.push(format!("because of {cause}"));
    }
    if node.has_effect {
        notes.push("has an effect".to_owned());
    }
    if !notes.is_empty() {
        text.push_str("  ");
        text.push_str(&notes.join(", "));
    }
    text
}

/// What differs; what that means, where it is not what the node's line says.
fn detail(change: &Change, effect: Effect) -> String {
    let what = between(change.before.as_deref(), change.after.as_deref());
    let note =
        if change.effect == effect { String::new() } else { format!("  ({})", change.effect.in_words()) };
    format!("{}: {what}{note}", change.part)
}

fn named(what: &str, name: &str, was: Option<&str>) -> String {
    let was = was.map(|was| format!(", was {was}")).unwrap_or_default();
    format!("{what} {name}{was}")
}

fn fields(kind: Kind, name: &str, changes: &[FieldChange], effect: Effect) -> String {
    let told: Vec<String> = changes
        .iter()
        .map(|change| {
            format!("{} {}", change.field, between(change.before.as_deref(), change.after.as_deref()))
        })
        .collect();
    let colon = if told.is_empty() { "" } else { ": " };
    let effect = match kind {
        Kind::Added | Kind::Removed => String::new(),
        _ => format!("  {}", effect.in_words()),
    };
    format!("{} {name}{colon}{}{effect}", kind.sign(), told.join(", "))
}

fn between(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if before == after => format!("{}, in its types", cut(before, 0)),
        (Some(before), Some(after)) => {
            let common =
                before.chars().zip(after.chars()).take_while(|(before, after)| before == after).count();
            format!("{} -> {}", cut(before, common), cut(after, common))
        }
        (Some(before), None) => format!("{} removed", cut(before, 0)),
        (None, Some(after)) => format!("{} added", cut(after, 0)),
        (None, None) => String::new(),
    }
}

/// A text that is not too long, with what stands behind the first `common` characters in it.
fn cut(text: &str, common: usize) -> String {
    const CONTEXT: usize = 16;
    let count = text.chars().count();
    if count <= LONGEST {
        return text.to_owned();
    }
    let start = if common + CONTEXT <= LONGEST { 0 } else { common - CONTEXT };
    let mut cut: String = if start > 0 { "…".to_owned() } else { String::new() };
    cut.extend(text.chars().skip(start).take(LONGEST));
    if start + LONGEST < count {
        cut.push('…');
    }
    cut
}

/// Whether only the types of what it gives differ, since what it reads does.
fn only_follows(node: &NodeDiff) -> bool {
    let is_type = |change: &Change| {
        matches!(change.part, Part::Port(_) | Part::Column(..) | Part::PortOrder | Part::RegionParameter(..))
    };
    node.was.is_none() && node.cause.is_some() && !node.changes.is_empty() && node.changes.iter().all(is_type)
}

/// Names by cause, causes in the order in which they come up.
fn by_cause<'a>(nodes: impl Iterator<Item = (&'a Cause, &'a str)>) -> Vec<(&'a Cause, Vec<&'a str>)> {
    let mut places: HashMap<&Cause, usize> = HashMap::new();
    let mut groups: Vec<(&Cause, Vec<&str>)> = Vec::new();
    for (cause, path) in nodes {
        let place = *places.entry(cause).or_insert_with(|| {
            groups.push((cause, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, names)) = groups.get_mut(place) {
            names.push(path);
        }
    }
    groups
}

fn listed(names: &[&str]) -> String {
    let mut text = names.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST_NAMES {
        text.push_str(&format!(" and {} more", names.len() - MOST_NAMES));
    }
    text
}
