//! How large everything is, and where: text decides the size of cards, cards that of regions.

use super::text::{Face, shortened, width};
use crate::pictures::{
    layered::{Edge, Graph, Layout, Point, Size, lay_out},
    scene::{Body, Card, Link, Shape},
};

pub const TITLE: f64 = 13.0;
pub const PLAIN: f64 = 11.0;
pub const SMALL: f64 = 10.0;

/// Left and right of the text in a card.
pub const PADDING: f64 = 15.0;
/// Text is shortened to fit these.
const MOST_TITLE: f64 = 210.0;
const MOST_SUBTITLE: f64 = 230.0;
const MOST_LINE: f64 = 250.0;
const MOST_PORT: f64 = 120.0;
/// Of a card, and of a pill.
const LEAST_WIDTH: f64 = 92.0;
pub const PILL_HEIGHT: f64 = 26.0;
pub const PORTS_HEIGHT: f64 = 21.0;
pub const BADGE_HEIGHT: f64 = 16.0;
/// How far the two cards behind a card of many stand out below.
pub const STACK: f64 = 8.0;
/// Of a region: its head, and around what is in it.
pub const HEAD: f64 = 34.0;
pub const AROUND: f64 = 18.0;
pub const PANEL_HEAD: f64 = 28.0;
const BETWEEN_PANELS: f64 = 14.0;
/// Beside the panels of a loop, for the line that goes back.
pub const BACK: f64 = 30.0;

/// A card with its size, and its text as it fits.
pub struct Measured<'a> {
    pub card: &'a Card,
    /// With what stands behind it.
    pub size: Size,
    pub title: String,
    pub subtitle: String,
    pub lines: Vec<String>,
    pub ports: Vec<MeasuredPort>,
    /// What the state line says; empty without a run.
    pub state: String,
    pub panels: Vec<MeasuredPanel<'a>>,
}

pub struct MeasuredPort {
    pub name: String,
    /// From the left of the card.
    pub left: f64,
    pub width: f64,
}

pub struct MeasuredPanel<'a> {
    pub title: &'static str,
    /// Within the card.
    pub at: Point,
    pub size: Size,
    pub body: MeasuredBody<'a>,
}

pub struct MeasuredBody<'a> {
    pub cards: Vec<Measured<'a>>,
    pub links: &'a [Link],
    pub layout: Layout,
}

impl<'a> MeasuredBody<'a> {
    pub fn new(body: &'a Body) -> Self {
        let cards: Vec<Measured<'a>> = body.cards.iter().map(Measured::new).collect();
        let edges = body.links.iter().map(|link| Edge {
            from: link.from,
            exit: cards.get(link.from).map_or(0.0, |card| card.exit(link.port)),
            to: link.to,
        });
        let graph = Graph { boxes: cards.iter().map(|card| card.size).collect(), edges: edges.collect() };
        Self { layout: lay_out(&graph), links: &body.links, cards }
    }
}

impl<'a> Measured<'a> {
    fn new(card: &'a Card) -> Self {
        let face = if card.shape == Shape::Expression { Face::Mono } else { Face::Plain };
        let title = shortened(&card.title, Face::Bold, TITLE, MOST_TITLE);
        let subtitle = shortened(&card.subtitle, face, PLAIN, MOST_SUBTITLE);
        let lines = card.lines.iter().map(|line| shortened(line, Face::Plain, PLAIN, MOST_LINE)).collect();
        let panels = card.panels.iter().map(|panel| (panel.title, MeasuredBody::new(&panel.body))).collect();
        let state = state_line(card);
        let mut measured = Self {
            card,
            size: Size::default(),
            title,
            subtitle,
            lines,
            ports: Vec::new(),
            state,
            panels: Vec::new(),
        };
        if card.panels.is_empty() {
            measured.size = measured.plain_size();
        } else {
            measured.size = measured.place_panels(panels);
        }
        measured.place_ports();
        measured
    }

    /// Whether it stands for many: nodes, or runs of what is in it.
    pub fn is_stack(&self) -> bool {
        self.card.count > 1 || self.card.shape == Shape::Map
    }

    pub fn is_pill(&self) -> bool {
        matches!(self.card.shape, Shape::Parameter | Shape::Output) && self.card.lines.is_empty()
    }

    /// Its height without what stands behind it.
    pub fn front_height(&self) -> f64 {
        self.size.height - if self.is_stack() { STACK } else { 0.0 }
    }

    /// The words at its upper right: how many it stands for, and its marks.
    pub fn badges(&self) -> Vec<String> {
        let mut badges = Vec::new();
        if self.card.count > 1 {
            badges.push(format!("× {}", self.card.count));
        }
        if self.card.hidden > 0 {
            badges.push(format!("{} within", nodes(self.card.hidden)));
        }
        badges.extend(self.card.badges.iter().cloned());
        badges
    }

    /// Where the edges of a port leave, from the middle.
    fn exit(&self, port: Option<usize>) -> f64 {
        let port = port.and_then(|port| self.ports.get(port));
        port.map_or(0.0, |port| port.left + port.width / 2.0 - self.size.width / 2.0)
    }

    fn plain_size(&self) -> Size {
        if self.is_pill() {
            let text = width(&self.title, Face::Bold, PLAIN) + value_width(&self.subtitle);
            return Size { width: text + 2.0 * 13.0, height: PILL_HEIGHT };
        }
        let face = if self.card.shape == Shape::Expression { Face::Mono } else { Face::Plain };
        let widths = [
            width(self.card.keyword(), Face::Bold, SMALL)
                + keyword_gap(self.card.keyword())
                + width(&self.title, Face::Bold, TITLE),
            width(&self.subtitle, face, PLAIN),
            self.lines.iter().map(|line| width(line, Face::Plain, PLAIN)).fold(0.0, f64::max),
            width(&self.state, Face::Plain, PLAIN) + if self.state.is_empty() { 0.0 } else { 12.0 },
            badges_width(&self.badges()),
        ];
        let inner = widths.into_iter().fold(0.0, f64::max);
        let mut height = 9.0 + 17.0;
        for is_there in [!self.subtitle.is_empty(), !self.state.is_empty()] {
            height += if is_there { 15.0 } else { 0.0 };
        }
        height += 15.0 * self.lines.len() as f64 + bar_height(self.card);
        height += if self.badges().is_empty() { 0.0 } else { BADGE_HEIGHT + 5.0 };
        height += 8.0 + if self.card.ports.is_empty() { 0.0 } else { PORTS_HEIGHT };
        height += if self.is_stack() { STACK } else { 0.0 };
        let ports: f64 = self.port_widths().iter().map(|(_, width)| width).sum();
        Size { width: (inner + 2.0 * PADDING).max(LEAST_WIDTH).max(ports), height }
    }

    fn port_widths(&self) -> Vec<(String, f64)> {
        let shorten = |name: &str| shortened(name, Face::Plain, SMALL, MOST_PORT);
        let ports = self.card.ports.iter().map(|port| shorten(&port.name));
        ports.map(|name| (name.clone(), width(&name, Face::Plain, SMALL) + 18.0)).collect()
    }

    /// Ports share the width of the card, each as wide as its name needs and an equal part of the rest.
    fn place_ports(&mut self) {
        let ports = self.port_widths();
        let rest = self.size.width - ports.iter().map(|(_, width)| width).sum::<f64>();
        let more = rest.max(0.0) / ports.len().max(1) as f64;
        let mut left = 0.0;
        for (name, width) in ports {
            self.ports.push(MeasuredPort { name, left, width: width + more });
            left += width + more;
        }
    }

    /// A region's panels: the arms of a conditional beside each other, else below each other.
    fn place_panels(&mut self, panels: Vec<(&'static str, MeasuredBody<'a>)>) -> Size {
        let beside = self.card.shape == Shape::Conditional;
        let head = HEAD + if self.state.is_empty() { 0.0 } else { 15.0 };
        let (mut x, mut y) = (AROUND, head);
        let mut inner = Size::default();
        for (title, body) in panels {
            let top = if title.is_empty() { 0.0 } else { PANEL_HEAD };
            let own = body.layout.size;
            let titled = width(title, Face::Bold, SMALL) + 2.0 * AROUND;
            let framed = if title.is_empty() { 0.0 } else { AROUND };
            let size = Size {
                width: (own.width + 2.0 * framed).max(titled).max(40.0),
                height: (own.height + top + framed).max(24.0),
            };
            self.panels.push(MeasuredPanel { title, at: Point { x, y }, size, body });
            if beside {
                x += size.width + BETWEEN_PANELS;
            } else {
                y += size.height + if title.is_empty() { 0.0 } else { BETWEEN_PANELS };
            }
            inner.width = inner.width.max(if beside { x - AROUND - BETWEEN_PANELS } else { size.width });
            inner.height = if beside { inner.height.max(size.height) } else { y - head };
        }
        if !beside && self.panels.iter().any(|panel| !panel.title.is_empty()) {
            inner.height -= BETWEEN_PANELS;
        }
        let back = if self.card.shape == Shape::Loop { BACK } else { 0.0 };
        let words = [width(self.card.keyword(), Face::Bold, SMALL), width(&self.title, Face::Bold, TITLE)];
        let subtitle = width(&self.subtitle, Face::Plain, PLAIN);
        let badges = badges_width(&self.badges());
        let headline = words.iter().sum::<f64>() + subtitle + badges + 26.0;
        let ports: f64 = self.port_widths().iter().map(|(_, width)| width).sum();
        let width = (inner.width + back).max(headline).max(width(&self.state, Face::Plain, PLAIN) + 12.0);
        let size = Size {
            width: (width + 2.0 * AROUND).max(ports),
            height: head
                + inner.height
                + AROUND
                + if self.card.ports.is_empty() { 0.0 } else { PORTS_HEIGHT }
                + if self.is_stack() { STACK } else { 0.0 },
        };
        // What is narrower than the head stands in the middle; panels of one region are equally large.
        let rest = size.width - 2.0 * AROUND - back - inner.width;
        for panel in &mut self.panels {
            if beside {
                panel.at.x += rest / 2.0;
                panel.size.height = inner.height;
            } else {
                panel.size.width = inner.width + rest;
            }
        }
        size
    }
}

/// Of the bar below a state line, which tells how many are in which.
pub fn bar_height(card: &Card) -> f64 {
    if card.tally.states.len() > 1 { 6.0 } else { 0.0 }
}

/// `3 nodes`
pub fn nodes(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

/// The width of ` = value` behind a pill's name.
pub fn value_width(value: &str) -> f64 {
    if value.is_empty() {
        0.0
    } else {
        4.0 + width("= ", Face::Plain, PLAIN) + width(value, Face::Plain, PLAIN)
    }
}

pub fn badge_width(badge: &str) -> f64 {
    width(badge, Face::Plain, SMALL) + 14.0
}

pub fn badges_width(badges: &[String]) -> f64 {
    badges.iter().map(|badge| badge_width(badge) + 4.0).sum()
}

/// Between a keyword and the title behind it.
pub fn keyword_gap(keyword: &str) -> f64 {
    if keyword.is_empty() { 0.0 } else { 7.0 }
}

/// `finished · 1.2 s`, or of many `180 finished · 20 failed`.
fn state_line(card: &Card) -> String {
    let tally = &card.tally;
    let mut words: Vec<String> = match tally.states.as_slice() {
        [(state, 1)] => vec![state.name().to_owned()],
        states => states.iter().map(|(state, count)| format!("{count} {}", state.name())).collect(),
    };
    // What takes no time worth a word has none.
    words.extend(tally.seconds.filter(|seconds| *seconds >= 0.0005).map(duration));
    words.join(" · ")
}

/// Three digits at most.
fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.9995 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 9.95 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}
