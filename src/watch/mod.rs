//! A run as it happens: [`live`] on a terminal, [`lines`] elsewhere, [`event_lines`] for programs.
//!
//! The view on a terminal: a [`board`] knows how all nodes stand, [`estimate`] says how long the rest may take,
//! [`frame`] makes lines of it for a terminal of some size, out of each [`line`]'s pieces, and a [`screen`] puts them
//! where they belong. Whatever is shown has been made harmless by [`text`].

mod board;
mod estimate;
mod event_lines;
mod frame;
mod line;
mod lines;
mod live;
mod screen;
#[cfg(test)]
mod tests;
pub mod text;

use std::{io::IsTerminal, sync::Arc};

use console::Term;
use flow_runtime::event::Subscriber;

pub use board::microseconds;
pub use event_lines::EventLines;

use crate::terminal::Terminal;
use frame::Size;
use line::Palette;

/// The view for people.
pub struct View {
    /// None where they want quiet.
    pub subscriber: Option<Arc<dyn Subscriber>>,
    /// Whether failures are told where they stay to be seen.
    pub tells_failures: bool,
}

pub fn view(terminal: &Terminal) -> View {
    if terminal.quiet {
        return View { subscriber: None, tells_failures: false };
    }
    if !is_capable() {
        return View { subscriber: Some(Arc::new(lines::Lines::new(terminal))), tells_failures: false };
    }
    let palette = Palette { colour: terminal.colour_err, unicode: speaks_unicode() };
    let live = live::Live::new(palette, || {
        let size: live::SizeOf = Box::new(|| {
            let (rows, columns) = Term::stderr().size_checked().unwrap_or((24, 80));
            Size { columns: columns.into(), rows: rows.into() }
        });
        (Box::new(std::io::stderr()), size)
    });
    View { subscriber: Some(Arc::new(live)), tells_failures: true }
}

/// Whether stderr is a terminal that can move its cursor.
fn is_capable() -> bool {
    let named = std::env::var("TERM").unwrap_or_default();
    std::io::stderr().is_terminal() && !matches!(named.as_str(), "" | "dumb")
}

/// Where nothing is said of the language, as in most containers, terminals speak it all the same.
fn speaks_unicode() -> bool {
    let mut set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    set.find(|value| !value.is_empty()).is_none_or(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("tells_failures", &self.tells_failures).finish_non_exhaustive()
    }
}
