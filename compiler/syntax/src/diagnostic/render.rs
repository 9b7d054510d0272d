//! Diagnostics for people, drawn by ariadne.

use std::ops::Range;

use ariadne::{Color, Config, Fmt, IndexType, Label, Report, ReportKind};

use super::{Diagnostic, Severity, Source, Sources, code};
use crate::lines::char_boundary;
use crate::span::Span;

/// Further places are told apart by colour; the diagnostic's own place has that of its severity.
const LABEL_COLOURS: [Color; 3] = [Color::Cyan, Color::Magenta, Color::Blue];

/// The diagnostic as lines for a terminal, with its places in the text. `module` is where it was found, its
/// spans count from the begin of that file. With `colour` there are ANSI escapes.
pub fn render(diagnostic: &Diagnostic, module: &str, sources: &Sources<'_>, colour: bool) -> String {
    let headline_colour = match diagnostic.severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
    };
    let headline = headline(diagnostic, headline_colour, colour);
    let Some(own) = sources.get(module) else {
        return format!("{headline}\n  in module `{module}`\n");
    };

    let mut own_places = vec![place(own, diagnostic.span, &diagnostic.note, headline_colour)];
    let mut other_places = Vec::new();
    for (label, label_colour) in diagnostic.labels.iter().zip(LABEL_COLOURS.into_iter().cycle()) {
        match label.module.as_deref().filter(|other| *other != module) {
            None => own_places.push(place(own, label.span, &label.message, label_colour)),
            Some(other) => {
                let source = sources.get(other);
                other_places
                    .extend(source.map(|source| place(source, label.span, &label.message, label_colour)));
            }
        }
    }
    // Ariadne begins a new excerpt whenever a place lies above the one before.
    own_places.sort_by_key(|place| place.range.end);
    other_places.sort_by(|a, b| (&a.source.file, a.range.end).cmp(&(&b.source.file, b.range.end)));

    let config = Config::new().with_color(colour).with_index_type(IndexType::Char).with_cross_gap(false);
    let own_range = character_range(own.text, diagnostic.span);
    let mut report = Report::build(ReportKind::Error, (own.file.clone(), own_range)).with_config(config);
    let places: Vec<Place<'_, '_>> = own_places.into_iter().chain(other_places).collect();
    for (place, order) in places.iter().zip(0..) {
        let label = Label::new((place.source.file.clone(), place.range.clone()))
            .with_color(place.colour)
            .with_order(order);
        // Without a message ariadne does not mark the place at all.
        report.add_label(label.with_message(if place.message.is_empty() { "here" } else { place.message }));
    }
    if let Some(help) = diagnostic.help.as_ref().or(diagnostic.fix.as_ref().map(|fix| &fix.title)) {
        report.add_help(help);
    }

    let texts = places.iter().map(|place| (place.source.file.clone(), place.source.text));
    let mut excerpts = Vec::new();
    if report.finish().write(ariadne::sources(texts), &mut excerpts).is_err() {
        // Writing into memory does not fail; if it ever did, the message is what matters.
        return format!("{headline}\n");
    }
    let excerpts = String::from_utf8_lossy(&excerpts);
    // Ariadne's own first line says `Error:`, and is coloured in part whatever the settings.
    without_trailing_spaces(&headline, excerpts.lines().skip(1))
}

fn headline(diagnostic: &Diagnostic, headline_colour: Color, colour: bool) -> String {
    let kind = match diagnostic.code {
        code::NONE => diagnostic.severity.word().to_owned(),
        code => format!("{}[{code}]", diagnostic.severity.word()),
    };
    if colour {
        format!("{}: {}", kind.fg(headline_colour), diagnostic.message)
    } else {
        format!("{kind}: {}", diagnostic.message)
    }
}

struct Place<'s, 't> {
    source: &'s Source<'t>,
    range: Range<usize>,
    message: &'s str,
    colour: Color,
}

fn place<'s, 't>(source: &'s Source<'t>, span: Span, message: &'s str, colour: Color) -> Place<'s, 't> {
    Place { source, range: character_range(source.text, span), message, colour }
}

/// The span in characters. Ariadne can count in bytes, but then takes the place of another file's excerpt in
/// characters all the same, and panics where that byte lies within a character.
fn character_range(text: &str, span: Span) -> Range<usize> {
    let count = |part: &str| part.chars().count();
    // What is missing at the end is shown behind the last thing that is there, not on a line of its own.
    let last = text.trim_end().len();
    let start = char_boundary(text, span.start).min(last);
    let end = char_boundary(text, span.end).clamp(start, last);
    let before = count(text.get(..start).unwrap_or_default());
    before..before + count(text.get(start..end).unwrap_or_default())
}

/// Ariadne pads lines; a log or a test that is compared line by line is better without.
fn without_trailing_spaces<'t>(headline: &'t str, lines: impl Iterator<Item = &'t str>) -> String {
    std::iter::once(headline).chain(lines).flat_map(|line| [line.trim_end(), "\n"]).collect()
}
