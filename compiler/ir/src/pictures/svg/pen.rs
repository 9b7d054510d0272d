//! Writes elements.

use std::collections::HashSet;

use super::{
    palette::{self, Tone},
    text::{Style, escape_into, number_into},
};
use crate::pictures::{
    layered::{Point, Run},
    scene::{Gives, Link},
};

/// All text goes through [`escape_into`].
pub struct Pen {
    xml: String,
    /// Whether colours tell states, and so nothing else.
    is_of_run: bool,
}

impl Pen {
    pub fn new(is_of_run: bool) -> Self {
        Self { xml: String::new(), is_of_run }
    }

    /// The colour of what is given.
    pub fn tone_of(&self, gives: Gives) -> Tone {
        if self.is_of_run { palette::STEERING } else { palette::of_gives(gives) }
    }

    pub fn finish(self) -> String {
        self.xml
    }

    /// Markup as it is.
    pub fn raw(&mut self, xml: &str) {
        self.xml.push_str(xml);
    }

    fn number(&mut self, number: f64) {
        number_into(&mut self.xml, number);
    }

    fn attributes(&mut self, attributes: &[(&str, f64)]) {
        for (name, value) in attributes {
            self.raw(&format!(" {name}=\""));
            self.number(*value);
            self.raw("\"");
        }
    }

    pub fn element(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        escape_into(&mut self.xml, text);
        self.raw(&format!("</{name}>"));
    }

    pub fn title(&mut self, text: &str) {
        self.element("title", text);
    }

    /// What `draw` draws, moved.
    pub fn at(&mut self, at: Point, draw: impl FnOnce(&mut Self)) {
        self.raw("<g transform=\"translate(");
        self.number(at.x);
        self.raw(" ");
        self.number(at.y);
        self.raw(")\">");
        draw(self);
        self.raw("</g>");
    }

    /// Without a class that strokes, a rectangle has no line.
    pub fn rect(&mut self, at: Point, width: f64, height: f64, radius: f64, class: &str) {
        self.raw("<rect");
        if at != Point::default() {
            self.attributes(&[("x", at.x), ("y", at.y)]);
        }
        self.attributes(&[("width", width), ("height", height)]);
        if radius > 0.0 {
            self.attributes(&[("rx", radius)]);
        }
        self.raw(&format!(" class=\"{class}\"/>"));
    }

    /// Text of a colour. Its length is said, where it is known for certain, so that no other font makes it overflow.
    pub fn text(&mut self, at: Point, style: Style, colour: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        self.raw("<text");
        self.attributes(&[("x", at.x), ("y", at.y)]);
        if text.len() > 1 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            self.attributes(&[("textLength", style.width(text))]);
            self.raw(" lengthAdjust=\"spacingAndGlyphs\"");
        }
        self.raw(&format!(" class=\"{}{colour}\">", style.class()));
        escape_into(&mut self.xml, text);
        self.raw("</text>");
    }

    pub fn dot(&mut self, at: Point, tone: Tone) {
        self.raw("<circle");
        self.attributes(&[("cx", at.x), ("cy", at.y), ("r", 4.0)]);
        self.raw(&format!(" class=\"f-{}\"/>", tone.name));
    }

    pub fn line(&mut self, from: Point, to: Point, class: &str) {
        self.raw("<path d=\"M");
        self.point(from);
        self.raw("L");
        self.point(to);
        self.raw(&format!("\" class=\"{class}\"/>"));
    }

    /// The coloured bar at the left of a card.
    pub fn bar(&mut self, height: f64, tone: Tone) {
        self.raw("<path d=\"M5 0H8A8 8 0 0 0 0 8V");
        self.number(height - 8.0);
        self.raw("A8 8 0 0 0 8 ");
        self.number(height);
        self.raw("H5V");
        self.number(height);
        self.raw(&format!("Z\" class=\"f-{}\"/>", tone.name));
    }

    /// Upright on each layer, and in between a curve that begins and ends upright. Parts that stand in `drawn`, of edges
    /// from the same point, are not drawn again: two lines on each other are thicker than one.
    pub fn edge(&mut self, route: &[Run], link: &Link, tone: Tone, drawn: &mut HashSet<[u64; 4]>) {
        let (Some((first, rest)), Some(last)) = (route.split_first(), route.last()) else { return };
        let mut path = Self::new(self.is_of_run);
        let mut is_begun = drawn.insert([first.x, first.top, first.x, first.bottom].map(f64::to_bits));
        if is_begun {
            path.raw("M");
            path.point(Point { x: first.x, y: first.top });
            path.raw("V");
            path.number(first.bottom);
        }
        let mut above = first;
        for run in rest {
            // The line ends within the arrow's head.
            let inset = if std::ptr::eq(run, last) { 6.0 } else { 0.0 };
            if drawn.insert([above.x, above.bottom, run.x, run.top].map(f64::to_bits)) {
                if !is_begun {
                    path.raw("M");
                    path.point(Point { x: above.x, y: above.bottom });
                }
                let middle = f64::midpoint(above.bottom, run.top);
                path.raw("C");
                path.point(Point { x: above.x, y: middle });
                path.raw(" ");
                path.point(Point { x: run.x, y: middle });
                path.raw(" ");
                path.point(Point { x: run.x, y: run.top - inset });
                path.raw("V");
                path.number(run.bottom - inset);
                is_begun = true;
            } else {
                is_begun = false;
            }
            above = run;
        }
        let after = if link.has_data { "" } else { " after" };
        self.raw(&format!("<path d=\"{}\" class=\"edge s-{}{after}\"/>", path.xml, tone.name));
        self.head(Point { x: last.x, y: last.bottom }, tone);
    }

    /// An arrow's head that points down.
    fn head(&mut self, tip: Point, tone: Tone) {
        self.raw("<path d=\"M");
        self.point(tip);
        self.raw(&format!("l-4 -7h8z\" class=\"f-{}\"/>", tone.name));
    }

    /// A short edge straight down.
    pub fn down(&mut self, from: Point, to: f64) {
        self.line(from, Point { x: from.x, y: to - 6.0 }, "edge s-steering");
        self.head(Point { x: from.x, y: to }, palette::STEERING);
    }

    /// A line that goes out to the right at `from`, up, and back in at `to`.
    pub fn back(&mut self, x: f64, from: f64, to: f64, out: f64) {
        self.raw("<path d=\"M");
        self.point(Point { x, y: from });
        self.raw(&format!("h{}a10 10 0 0 0 10 -10V", out - 10.0));
        self.number(to + 10.0);
        self.raw(&format!("a10 10 0 0 0 -10 -10h-{}\" class=\"edge s-steering\"/>", out - 16.0));
        self.raw("<path d=\"M");
        self.point(Point { x, y: to });
        self.raw("l7 -4v8z\" class=\"f-steering\"/>");
    }

    fn point(&mut self, at: Point) {
        self.number(at.x);
        self.raw(" ");
        self.number(at.y);
    }
}
