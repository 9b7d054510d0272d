//! The parts of a scene.

use super::tally::Tally;
use crate::types::Type;

#[derive(Debug)]
pub struct Scene {
    pub workflow: String,
    /// With those of regions.
    pub nodes: usize,
    /// Parameters that have no card, with their values: what no node reads, or what too many read.
    pub listed: Vec<(String, String)>,
    /// Whether it shows the states of a run.
    pub is_of_run: bool,
    pub body: Body,
}

/// Cards in an order in which every link goes to a later one.
#[derive(Debug, Default)]
pub struct Body {
    pub cards: Vec<Card>,
    pub links: Vec<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub from: usize,
    /// Which of its ports, where it has several.
    pub port: Option<usize>,
    pub to: usize,
    /// Whether data flows, or one only waits for the other.
    pub has_data: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Card {
    pub shape: Shape,
    pub title: String,
    pub subtitle: String,
    /// Further lines: the steps of a query, what many nodes are.
    pub lines: Vec<String>,
    /// What marks it in one word: `python`, `effect`, `gpu`.
    pub badges: Vec<String>,
    pub gives: Gives,
    /// Those to choose from; none where there is but one.
    pub ports: Vec<PortLabel>,
    /// The nodes that it stands for, without those within them. A parameter or output stands for none.
    pub count: usize,
    /// The nodes in its regions, where these are not drawn.
    pub hidden: usize,
    pub panels: Vec<Panel>,
    pub tally: Tally,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortLabel {
    pub name: String,
    pub gives: Gives,
}

/// A region, drawn.
#[derive(Debug)]
pub struct Panel {
    /// Which part it plays, where there are two.
    pub title: &'static str,
    pub body: Body,
}

impl Clone for Panel {
    fn clone(&self) -> Self {
        Self {
            title: self.title,
            body: Body { cards: self.body.cards.clone(), links: self.body.links.clone() },
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    Task,
    Expression,
    /// What waits, and what others wait at.
    Steering,
    Conditional,
    Map,
    Loop,
    Workflow,
    Parameter,
    Output,
}

/// What a node or port gives, in the few kinds that a colour can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gives {
    Table,
    Model,
    Value,
    File,
    #[default]
    Nothing,
}

impl Gives {
    pub const ALL: [Self; 5] = [Self::Table, Self::Model, Self::Value, Self::File, Self::Nothing];

    pub fn of(ty: &Type) -> Self {
        match ty {
            Type::Dataset(_) => Self::Table,
            Type::Model(_) => Self::Model,
            Type::File | Type::Opaque(_) | Type::Bytes => Self::File,
            Type::Nothing => Self::Nothing,
            Type::List(of) | Type::Optional(of) | Type::Refined { base: of, .. } => Self::of(of),
            Type::Record(record) => {
                let fields = record.fields.iter().map(|field| Self::of(&field.ty));
                fields.min().unwrap_or(Self::Value)
            }
            _ => Self::Value,
        }
    }
}

impl Card {
    /// What stands on it, for tools that draw a card as lines of text.
    pub fn label_lines(&self) -> Vec<String> {
        let keyword = self.keyword();
        let mut first = if keyword.is_empty() { String::new() } else { format!("{keyword} ") };
        first += &self.title;
        if self.count > 1 {
            first += &format!(" × {}", self.count);
        }
        if self.hidden > 0 {
            first += &format!(" ({} within)", self.hidden);
        }
        let is_pill = matches!(self.shape, Shape::Parameter | Shape::Output);
        let mut lines = vec![first];
        match self.subtitle.as_str() {
            "" => {}
            value if is_pill => lines = vec![format!("{} = {value}", self.title)],
            subtitle => lines.push(subtitle.to_owned()),
        }
        lines.extend(self.lines.iter().cloned());
        lines
    }

    /// The words of the language for a region.
    pub fn keyword(&self) -> &'static str {
        match self.shape {
            Shape::Conditional => "run if",
            Shape::Map => "run for",
            Shape::Loop => "run while",
            Shape::Workflow => "workflow",
            _ => "",
        }
    }
}
