//! One card: its box, its text, and within a region what that holds.

use super::{
    draw::draw_body,
    measure::{
        BACK, BADGE_HEIGHT, HEAD, Measured, MeasuredPanel, PADDING, PANEL_HEAD, PILL_HEIGHT, PLAIN,
        PORTS_HEIGHT, SMALL, STACK, TITLE, badge_width, badges_width, bar_height, keyword_gap,
    },
    palette::{self, Tone},
    pen::Pen,
    text::{Face, Style, width},
};
use crate::pictures::{
    layered::Point,
    scene::{Card, Shape, State},
};

/// Draws a card whose upper left corner is at the origin.
pub fn draw_card(pen: &mut Pen, measured: &Measured<'_>) {
    pen.title(&said(measured.card));
    if measured.is_pill() {
        draw_pill(pen, measured);
    } else if measured.panels.is_empty() {
        draw_plain(pen, measured);
    } else {
        draw_region(pen, measured);
    }
}

/// The whole of what a card says, for those who point at it or have it read to them.
fn said(card: &Card) -> String {
    let mut said = card.title.clone();
    if !card.subtitle.is_empty() {
        let between = if matches!(card.shape, Shape::Parameter | Shape::Output) { " = " } else { ": " };
        said += between;
        said += &card.subtitle;
    }
    let states = card.tally.states.iter().map(|(state, count)| format!("{count} {}", state.name()));
    for word in card.lines.iter().cloned().chain(card.badges.iter().cloned()).chain(states) {
        said += ", ";
        said += &word;
    }
    said
}

/// What colours a card: in a run its state, else what it gives.
fn tone_of(card: &Card) -> Tone {
    match (card.tally.state(), card.shape) {
        (Some(state), _) => palette::of_state(state),
        (None, Shape::Steering) => palette::STEERING,
        _ => palette::of_gives(card.gives),
    }
}

fn is_dim(card: &Card) -> bool {
    matches!(card.tally.state(), Some(State::Skipped | State::Pending))
}

fn draw_pill(pen: &mut Pen, measured: &Measured<'_>) {
    let tone = pen.tone_of(measured.card.gives);
    let is_output = measured.card.shape == Shape::Output;
    let size = measured.size;
    if is_output {
        pen.rect(Point::default(), size.width, size.height, PILL_HEIGHT / 2.0, &format!("f-{}", tone.name));
    } else {
        let class = format!("f-card s-{}", tone.name);
        pen.rect(Point::default(), size.width, size.height, PILL_HEIGHT / 2.0, &class);
        let class = format!("f-{} pale", tone.name);
        pen.rect(Point::default(), size.width, size.height, PILL_HEIGHT / 2.0, &class);
    }
    let text = if is_output { "f-card" } else { "f-text" };
    let at = Point { x: 13.0, y: PILL_HEIGHT / 2.0 + 4.0 };
    pen.text(at, Style::Name, text, &measured.title);
    if !measured.subtitle.is_empty() {
        let x = at.x + width(&measured.title, Face::Bold, PLAIN) + 4.0;
        let class = if is_output { "f-card" } else { "f-soft" };
        pen.text(Point { x, y: at.y }, Style::Plain, class, &format!("= {}", measured.subtitle));
    }
}

fn draw_plain(pen: &mut Pen, measured: &Measured<'_>) {
    let card = measured.card;
    let tone = tone_of(card);
    let radius = if card.shape == Shape::Expression { 17.0 } else { 8.0 };
    let height = measured.front_height();
    draw_stack(pen, measured, radius, tone);
    let dashed = if card.shape == Shape::Steering { " after" } else { "" };
    pen.rect(
        Point::default(),
        measured.size.width,
        height,
        radius,
        &format!("f-card s-{}{dashed}", edge_of(card).name),
    );
    if matches!(card.shape, Shape::Task) {
        pen.bar(height, tone);
    } else {
        pen.rect(Point::default(), measured.size.width, height, radius, &format!("f-{} tint", tone.name));
    }
    let mut at = Point { x: PADDING, y: 9.0 + 12.0 };
    if !measured.card.keyword().is_empty() {
        pen.text(at, Style::Keyword, &format!("f-{}", tone.name), measured.card.keyword());
        at.x += width(measured.card.keyword(), Face::Bold, SMALL) + keyword_gap(measured.card.keyword());
    }
    let dim = if is_dim(card) { "f-soft" } else { "f-text" };
    pen.text(at, Style::Title, dim, &measured.title);
    at = Point { x: PADDING, y: at.y + 1.0 };
    if !measured.subtitle.is_empty() {
        at.y += 15.0;
        let style = if card.shape == Shape::Expression { Style::Formula } else { Style::Plain };
        pen.text(at, style, "f-soft", &measured.subtitle);
    }
    for line in &measured.lines {
        at.y += 15.0;
        pen.text(at, Style::Plain, "f-soft", line);
    }
    if !measured.state.is_empty() {
        at.y += 15.0;
        draw_state(pen, measured, at);
        at.y += bar_height(card);
    }
    let badges = measured.badges();
    if !badges.is_empty() {
        draw_badges(pen, &badges, Point { x: PADDING, y: at.y + 7.0 });
    }
    draw_ports(pen, measured);
}

/// The line around a card: quiet without a run.
fn edge_of(card: &Card) -> Tone {
    match card.tally.state() {
        Some(State::Skipped | State::Pending) | None => palette::LINE,
        Some(state) => palette::of_state(state),
    }
}

/// Two more cards behind one that stands for many.
fn draw_stack(pen: &mut Pen, measured: &Measured<'_>, radius: f64, tone: Tone) {
    if !measured.is_stack() {
        return;
    }
    let (wide, high) = (measured.size.width, measured.front_height());
    for step in [2.0, 1.0] {
        let inset = 7.0 * step;
        let at = Point { x: inset, y: 2.0 * radius };
        let height = high + STACK / 2.0 * step - 2.0 * radius;
        pen.rect(at, wide - 2.0 * inset, height, radius, "f-card s-line");
        pen.rect(at, wide - 2.0 * inset, height, radius, &format!("f-{} pale", tone.name));
    }
}

/// A dot and words; of many states a bar in their proportions beneath.
fn draw_state(pen: &mut Pen, measured: &Measured<'_>, at: Point) {
    let tally = &measured.card.tally;
    let Some(state) = tally.state() else { return };
    pen.dot(Point { x: at.x + 4.0, y: at.y - 4.0 }, palette::of_state(state));
    pen.text(Point { x: at.x + 12.0, y: at.y }, Style::Plain, "f-soft", &measured.state);
    if tally.states.len() < 2 {
        return;
    }
    let room = measured.size.width - 2.0 * at.x;
    let mut x = at.x;
    for (state, count) in &tally.states {
        let part = room * *count as f64 / tally.total() as f64;
        let class = format!("f-{}", palette::of_state(*state).name);
        pen.rect(Point { x, y: at.y + 4.0 }, part, 3.0, 0.0, &class);
        x += part;
    }
}

fn draw_badges(pen: &mut Pen, badges: &[String], at: Point) {
    let mut x = at.x;
    for badge in badges {
        let own = badge_width(badge);
        let is_effect = badge == "effect";
        let tone = if is_effect { palette::NOTHING } else { palette::STEERING };
        pen.rect(
            Point { x, y: at.y },
            own,
            BADGE_HEIGHT,
            BADGE_HEIGHT / 2.0,
            &format!("f-{} pale", tone.name),
        );
        let class = if is_effect { "f-nothing" } else { "f-text" };
        pen.text(Point { x: x + own / 2.0, y: at.y + 11.5 }, Style::Label, class, badge);
        x += own + 4.0;
    }
}

/// The ports side by side along the lower side.
fn draw_ports(pen: &mut Pen, measured: &Measured<'_>) {
    if measured.ports.is_empty() {
        return;
    }
    let bottom = measured.front_height();
    let top = bottom - PORTS_HEIGHT;
    pen.line(Point { x: 0.0, y: top }, Point { x: measured.size.width, y: top }, "s-line");
    for (number, (port, label)) in measured.ports.iter().zip(&measured.card.ports).enumerate() {
        if number > 0 {
            pen.line(Point { x: port.left, y: top }, Point { x: port.left, y: bottom }, "s-line");
        }
        let tone = pen.tone_of(label.gives);
        let at = Point { x: port.left + port.width / 2.0, y: top + 14.5 };
        pen.text(at, Style::Label, &format!("f-{}", tone.name), &port.name);
    }
}

fn draw_region(pen: &mut Pen, measured: &Measured<'_>) {
    let card = measured.card;
    let tone = if card.tally.states.is_empty() { palette::STEERING } else { tone_of(card) };
    let height = measured.front_height();
    draw_stack(pen, measured, 12.0, palette::STEERING);
    pen.rect(
        Point::default(),
        measured.size.width,
        height,
        12.0,
        &format!("f-page s-{}", edge_of(card).name),
    );
    pen.rect(Point::default(), measured.size.width, height, 12.0, &format!("f-{} tint", tone.name));
    let mut at = Point { x: super::measure::AROUND, y: 22.0 };
    let keyword = measured.card.keyword();
    pen.text(at, Style::Keyword, "f-steering", keyword);
    at.x += width(keyword, Face::Bold, SMALL) + keyword_gap(keyword);
    let dim = if is_dim(card) { "f-soft" } else { "f-text" };
    pen.text(at, Style::Title, dim, &measured.title);
    at.x += width(&measured.title, Face::Bold, TITLE) + 7.0;
    pen.text(at, Style::Plain, "f-soft", &measured.subtitle);
    let badges = measured.badges();
    let right = measured.size.width - super::measure::AROUND - badges_width(&badges) + 4.0;
    draw_badges(pen, &badges, Point { x: right, y: 10.0 });
    if !measured.state.is_empty() {
        draw_state(pen, measured, Point { x: super::measure::AROUND, y: HEAD + 3.0 });
    }
    for panel in &measured.panels {
        draw_panel(pen, panel);
    }
    if card.shape == Shape::Loop {
        draw_back(pen, measured);
    }
    draw_ports(pen, measured);
}

fn draw_panel(pen: &mut Pen, panel: &MeasuredPanel<'_>) {
    let own = panel.body.layout.size;
    let mut top = 0.0;
    if !panel.title.is_empty() {
        pen.rect(panel.at, panel.size.width, panel.size.height, 9.0, "f-page s-line");
        pen.text(Point { x: panel.at.x + 12.0, y: panel.at.y + 15.0 }, Style::Keyword, "f-soft", panel.title);
        top = PANEL_HEAD;
    }
    let at = Point { x: panel.at.x + (panel.size.width - own.width) / 2.0, y: panel.at.y + top };
    pen.at(at, |pen| draw_body(pen, &panel.body));
}

/// From the end of a loop's body back to its condition, at the right.
fn draw_back(pen: &mut Pen, measured: &Measured<'_>) {
    let (Some(first), Some(last)) = (measured.panels.first(), measured.panels.last()) else { return };
    let x = first.at.x + first.size.width;
    let middle = |panel: &MeasuredPanel<'_>| panel.at.y + panel.size.height / 2.0;
    pen.back(x, middle(last), middle(first), BACK - 8.0);
    let below = first.at.y + first.size.height;
    pen.down(Point { x: first.at.x + first.size.width / 2.0, y: below }, last.at.y);
}
