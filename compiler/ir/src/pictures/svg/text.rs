//! How wide text is, and how it is written in XML.

use std::fmt::Write;

/// Advance widths of Arial and its bold from space to tilde, in thousandths of the size; Helvetica's and Liberation Sans' are
/// the same.
const PLAIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Plain,
    Bold,
    Mono,
}

/// How a text is written: its face, its size in pixels and its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Heading,
    Title,
    Name,
    Keyword,
    /// Its place is its middle.
    Label,
    Plain,
    Formula,
}

impl Style {
    pub fn class(self) -> &'static str {
        match self {
            Self::Heading => "h1 ",
            Self::Title => "id ",
            Self::Name => "bold ",
            Self::Keyword => "word ",
            Self::Label => "small middle ",
            Self::Plain => "",
            Self::Formula => "mono ",
        }
    }

    pub fn face(self) -> Face {
        match self {
            Self::Heading | Self::Title | Self::Name | Self::Keyword => Face::Bold,
            Self::Label | Self::Plain => Face::Plain,
            Self::Formula => Face::Mono,
        }
    }

    pub fn size(self) -> f64 {
        match self {
            Self::Heading => 19.0,
            Self::Title => 13.0,
            Self::Name | Self::Plain | Self::Formula => 11.0,
            Self::Keyword | Self::Label => 10.0,
        }
    }

    pub fn width(self, text: &str) -> f64 {
        width(text, self.face(), self.size())
    }
}

/// The width of a text in pixels.
pub fn width(text: &str, face: Face, size: f64) -> f64 {
    text.chars().map(|c| advance(c, face)).sum::<f64>() * size / 1000.0
}

fn advance(c: char, face: Face) -> f64 {
    let is_wide = matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f000..=0x1ffff | 0x20000..=0x3ffff);
    let table = match face {
        Face::Plain => &PLAIN,
        Face::Bold => &BOLD,
        Face::Mono if !is_wide => return 602.0,
        Face::Mono => return 1204.0,
    };
    let place = u32::from(c).checked_sub(32).and_then(|place| table.get(place as usize));
    match (place, c) {
        (Some(advance), _) => f64::from(*advance),
        // Wide characters come from some other font, which may be wider than square.
        (None, _) if is_wide => 1400.0,
        (None, '…' | '—') => 1000.0,
        (None, '·') => 333.0,
        (None, '×') => 584.0,
        (None, _) => 750.0,
    }
}

/// The text, or its beginning and end with an ellipsis between them where it is wider than it may be.
pub fn shortened(text: &str, face: Face, size: f64, most: f64) -> String {
    let text: String = text.chars().take(4096).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    if width(&text, face, size) <= most {
        return text;
    }
    let characters: Vec<char> = text.chars().collect();
    let room = most - width("…", face, size);
    let scaled = |c: &char| advance(*c, face) * size / 1000.0;
    let (mut used, mut head, mut tail) = (0.0, 0, 0);
    while head + tail < characters.len() {
        // Beginnings tell more: two thirds are theirs.
        let from_head = head <= 2 * tail;
        let next = if from_head { characters.get(head) } else { characters.get(characters.len() - 1 - tail) };
        let Some(next) = next else { break };
        used += scaled(next);
        if used > room {
            break;
        }
        if from_head { head += 1 } else { tail += 1 }
    }
    let beginning: String = characters.iter().take(head).collect();
    let end: String = characters.iter().skip(characters.len() - tail).collect();
    format!("{}…{}", beginning.trim_end(), end.trim_start())
}

/// Adds text as XML has it. What XML cannot hold, and what turns the direction of other text, becomes a replacement
/// character.
pub fn escape_into(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&#39;"),
            '\t' | '\n' | '\r' => xml.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                xml.push('\u{fffd}')
            }
            c if c.is_control() => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
}

/// Adds a length with at most one digit behind the point.
pub fn number_into(xml: &mut String, number: f64) {
    let tenths = (number * 10.0).round();
    // Writing to a text cannot fail. Adding zero makes of a negative zero a plain one.
    let _ = write!(xml, "{}", tenths / 10.0 + 0.0);
}
