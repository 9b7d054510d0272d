//! The document: head, body, legend.

use std::collections::HashSet;

use super::{
    card::draw_card,
    measure::{Measured, MeasuredBody, PLAIN, nodes},
    palette::{self, Tone},
    pen::Pen,
    text::{Face, Style, shortened, width},
};
use crate::{
    dag::Dag,
    pictures::{
        NodeState,
        layered::Point,
        scene::{Body, Gives, Link, Scene, Shape, State, Tallies, scene},
    },
};

const MARGIN: f64 = 28.0;
const HEAD: f64 = 60.0;
const LINE: f64 = 17.0;
/// So that head and legend have room beside the narrowest DAG.
const LEAST_WIDTH: f64 = 300.0;

impl Dag {
    /// The DAG as an SVG, from top to bottom, with its parameters, regions and outputs. Colours say what each node
    /// gives. What is large is folded: of a great many nodes some hundred and fifty cards remain. Equal DAGs give equal bytes.
    pub fn to_svg(&self) -> String {
        document(&scene(self, &Tallies::default()))
    }

    /// The same of a run, whose states the colours tell. Nodes of regions that ran several times are counted.
    pub fn to_svg_of_run(&self, states: &[NodeState<'_>]) -> String {
        document(&scene(self, &Tallies::new(self, states)))
    }
}

fn document(scene: &Scene) -> String {
    let body = MeasuredBody::new(&scene.body);
    let legend = Legend::of(scene);
    let inner =
        body.layout.size.width.max(LEAST_WIDTH).max(width(&scene.workflow, Face::Bold, 19.0).min(600.0));
    let listed = wrapped(&scene.listed, inner);
    let top = MARGIN + HEAD + LINE * listed.len() as f64;
    let rows = legend.rows(inner);
    let bottom =
        top + body.layout.size.height + if rows.is_empty() { 0.0 } else { 18.0 + LINE * rows.len() as f64 };
    let (wide, high) = ((inner + 2.0 * MARGIN).ceil(), (bottom + MARGIN).ceil());

    let mut pen = Pen::new(scene.is_of_run);
    pen.raw(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow-dag\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" \
         height=\"{high}\" role=\"img\">\n"
    ));
    pen.title(&format!("DAG of {}", scene.workflow));
    pen.element("desc", &described(scene));
    pen.raw(&format!("<style>{}</style>\n", palette::style()));
    pen.rect(Point::default(), wide, high, 14.0, "f-page");
    let mut at = Point { x: MARGIN, y: MARGIN + 15.0 };
    pen.text(at, Style::Heading, "f-text", &shortened(&scene.workflow, Face::Bold, 19.0, inner));
    at.y += LINE + 2.0;
    pen.text(at, Style::Plain, "f-soft", &nodes(scene.nodes));
    for line in listed {
        at.y += LINE;
        pen.text(at, Style::Plain, "f-soft", &line);
    }
    pen.raw("\n");
    let left = MARGIN + (inner - body.layout.size.width) / 2.0;
    pen.at(Point { x: left, y: top }, |pen| draw_body(pen, &body));
    let mut at = Point { x: MARGIN, y: top + body.layout.size.height + 18.0 + 11.0 };
    for row in rows {
        row.draw(&mut pen, at);
        at.y += LINE;
    }
    pen.raw("\n</svg>\n");
    pen.finish()
}

/// The picture in words.
fn described(scene: &Scene) -> String {
    let of = |shape: Shape| -> Vec<&str> {
        let cards = scene.body.cards.iter().filter(|card| card.shape == shape);
        cards.map(|card| card.title.as_str()).collect()
    };
    let mut said = format!("{} from top to bottom", nodes(scene.nodes));
    for (what, names) in [("parameters", of(Shape::Parameter)), ("outputs", of(Shape::Output))] {
        if !names.is_empty() {
            said += &format!("; {what}: {}", names.join(", "));
        }
    }
    said
}

/// Edges first, so that cards stand on them.
pub fn draw_body(pen: &mut Pen, body: &MeasuredBody<'_>) {
    let mut drawn = HashSet::new();
    for (link, route) in body.links.iter().zip(&body.layout.routes) {
        let tone = tone_of(pen, link, &body.cards);
        pen.edge(route, link, tone, &mut drawn);
    }
    for (card, at) in body.cards.iter().zip(&body.layout.boxes) {
        pen.raw("\n");
        pen.at(*at, |pen| draw_card(pen, card));
    }
}

/// An edge has the colour of what it carries.
fn tone_of(pen: &Pen, link: &Link, cards: &[Measured<'_>]) -> Tone {
    let from = cards.get(link.from).map(|card| card.card);
    if !link.has_data {
        return palette::STEERING;
    }
    let port = from.and_then(|card| card.ports.get(link.port?));
    pen.tone_of(port.map_or_else(|| from.map(|card| card.gives).unwrap_or_default(), |port| port.gives))
}

/// `name = value` of parameters without a card, in lines that fit.
fn wrapped(listed: &[(String, String)], room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in listed {
        let one = shortened(&format!("{name} = {value}"), Face::Plain, PLAIN, 240.0_f64.min(room));
        match lines.last_mut() {
            Some(line) if width(&format!("{line}  ·  {one}"), Face::Plain, PLAIN) <= room => {
                *line += "  ·  ";
                *line += &one;
            }
            _ => lines.push(one),
        }
    }
    lines
}

/// What the colours mean, of those that are there.
struct Legend(Vec<(Tone, &'static str)>);

impl Legend {
    fn of(scene: &Scene) -> Self {
        let mut gives = Vec::new();
        let mut states = Vec::new();
        let mut waits = false;
        collect(&scene.body, &mut gives, &mut states, &mut waits);
        let state_words = State::ALL.into_iter().filter(|state| states.contains(state));
        let mut words: Vec<(Tone, &'static str)> =
            state_words.map(|state| (palette::of_state(state), state.name())).collect();
        let gives_words = Gives::ALL.into_iter().filter(|own| !scene.is_of_run && gives.contains(own));
        words.extend(gives_words.map(|own| (palette::of_gives(own), word_of(own))));
        if waits {
            words.push((palette::STEERING, "dashed: waits, without data"));
        }
        Self(words)
    }

    fn rows(&self, room: f64) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for entry in &self.0 {
            match rows.last_mut() {
                Some(row) if row.width() + Row::entry_width(entry.1) <= room => row.0.push(*entry),
                _ => rows.push(Row(vec![*entry])),
            }
        }
        rows
    }
}

fn collect(body: &Body, gives: &mut Vec<Gives>, states: &mut Vec<State>, waits: &mut bool) {
    *waits |= body.links.iter().any(|link| !link.has_data);
    for card in &body.cards {
        gives.push(card.gives);
        gives.extend(card.ports.iter().map(|port| port.gives));
        states.extend(card.tally.states.iter().map(|(state, _)| *state));
        card.panels.iter().for_each(|panel| collect(&panel.body, gives, states, waits));
    }
}

fn word_of(gives: Gives) -> &'static str {
    match gives {
        Gives::Table => "a table",
        Gives::Model => "a model",
        Gives::Value => "a value",
        Gives::File => "a file",
        Gives::Nothing => "no result",
    }
}

struct Row(Vec<(Tone, &'static str)>);

impl Row {
    fn entry_width(word: &str) -> f64 {
        width(word, Face::Plain, PLAIN) + 28.0
    }

    fn width(&self) -> f64 {
        self.0.iter().map(|(_, word)| Self::entry_width(word)).sum()
    }

    fn draw(&self, pen: &mut Pen, at: Point) {
        let mut x = at.x;
        for (tone, word) in &self.0 {
            pen.dot(Point { x: x + 4.0, y: at.y - 4.0 }, *tone);
            pen.text(Point { x: x + 12.0, y: at.y }, Style::Plain, "f-soft", word);
            x += Self::entry_width(word);
        }
    }
}
