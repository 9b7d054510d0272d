//! The view as lines of text, for a terminal of some size: all that is drawn at one moment.
//!
//! From above: what the run is and how far it has come; what runs, and how far that is; what waits, and for what;
//! the end of the log. Each part is given lines by how much it tells; what has no room is counted.

use flow_ir::{
    node::{Node, NodeKind},
    text::bytes,
};

use super::{
    board::{Board, Notice, Seat, Stand},
    estimate,
    line::{Line, Palette, Style},
    text::{about, clock, cut_id, cut_middle, figure, number, plain, width},
};
use crate::words::place;

/// What the view is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// A node that has run for less is gone before it is read.
const SEEN_AFTER: i64 = 200_000;

/// Readers of running nodes that are looked at for what comes next.
const LOOKED_AT: usize = 200;

/// At most as many lines for what waits, and for the log.
const MOST_WAITING: usize = 4;
const MOST_LOG: usize = 6;

/// What a person can follow: a wider terminal leaves the rest empty.
const MOST_COLUMNS: usize = 120;

/// The lines of the view, no more than the size has room for. `remaining` is the estimate of what is left.
pub fn draw(board: &Board, now: i64, remaining: Option<i64>, size: Size, palette: Palette) -> Vec<String> {
    let view = View { board, now, columns: size.columns.saturating_sub(1).clamp(1, MOST_COLUMNS), palette };
    // The line below the view belongs to the cursor.
    let room = size.rows.saturating_sub(1).max(1);
    let mut lines = view.head(remaining, room);
    let mut left = room - lines.len();
    let is_roomy = left >= 12;
    let running = view.running();
    let waiting = view.waiting(if room < 12 { 2 } else { MOST_WAITING });
    let log = if room < 8 { 0 } else { board.log.len().min(MOST_LOG) };
    let gaps = if is_roomy { 1 } else { 0 };
    // What runs matters most, then what waits; yet each of the others is left a line or two.
    let others = waiting.len().min(2) + log.min(2) + 3 * gaps;
    let running = view.rows(running, left.saturating_sub(others).max(1).min(left));
    for part in [running, waiting] {
        push(&mut lines, &mut left, part, gaps);
    }
    let log = view.log(log.min(left.saturating_sub(gaps)));
    push(&mut lines, &mut left, log, gaps);
    lines
}

/// A notice as it stays on the screen; lines as long as they are.
pub fn notice(notice: &Notice, run: &str, palette: Palette) -> Vec<String> {
    let told = |style, word: &str, node: &str, message: &str, help: Option<&str>| {
        let mut lines = Vec::new();
        for (at, part) in message.lines().enumerate() {
            let mut line = Line::new(usize::MAX, palette);
            match at {
                0 => line.add(style, word).add(Style::Plain, &format!(" node `{}`: ", plain(node))),
                _ => line.add(Style::Plain, "  "),
            };
            line.add(Style::Plain, &plain(part));
            lines.push(line.finish());
        }
        for part in help.into_iter().flat_map(str::lines) {
            let mut line = Line::new(usize::MAX, palette);
            line.add(Style::Cyan, " help:").add(Style::Plain, " ").add(Style::Plain, &plain(part));
            lines.push(line.finish());
        }
        lines
    };
    match notice {
        Notice::Failed { node, message, help } => told(Style::Red, "error:", node, message, help.as_deref()),
        Notice::Retrying { node, message } => told(Style::Yellow, "retry:", node, message, None),
        Notice::Stuck { node, message } => told(Style::Yellow, "slow:", node, message, None),
        Notice::Note(note) => {
            let mut line = Line::new(usize::MAX, palette);
            line.add(Style::Yellow, "warning:").add(Style::Plain, " ").add(Style::Plain, &plain(note));
            vec![line.finish()]
        }
        Notice::Enough { what } => {
            let mut line = Line::new(usize::MAX, palette);
            line.add(Style::Dim, &format!("more {what} are not shown here; `flowc show {run}` has all"));
            vec![line.finish()]
        }
    }
}

/// The slowest nodes, once all is over; none where nothing took its time.
pub fn slowest(board: &Board, columns: usize, palette: Palette) -> Vec<String> {
    let slow: Vec<_> = board.slowest.iter().filter(|slow| slow.seconds >= 1.0).collect();
    let columns = columns.saturating_sub(1).clamp(1, MOST_COLUMNS);
    let widest = slow.iter().map(|slow| width(&plain(&slow.id))).max().unwrap_or_default().min(columns / 2);
    let lines = slow.into_iter().enumerate().map(|(at, slow)| {
        let mut line = Line::new(columns, palette);
        line.add(Style::Dim, if at == 0 { "slowest" } else { "" }).to(9);
        line.add(Style::Plain, &cut_id(&plain(&slow.id), widest)).to(9 + widest + 2);
        line.add(Style::Plain, &format!("{:>8}", format!("{:.1} s", slow.seconds)));
        if let Some(cpu) = slow.cpu_seconds {
            line.add(Style::Dim, &format!("  cpu {cpu:.1} s"));
        }
        if let Some(peak) = slow.peak_memory {
            line.add(Style::Dim, &format!("  {}", bytes(peak)));
        }
        line.finish()
    });
    lines.collect()
}

struct View<'a> {
    board: &'a Board,
    now: i64,
    columns: usize,
    palette: Palette,
}

impl View<'_> {
    fn line(&self) -> Line {
        Line::new(self.columns, self.palette)
    }

    /// What the run is, how far it has come, and how its nodes stand.
    fn head(&self, remaining: Option<i64>, room: usize) -> Vec<String> {
        let board = self.board;
        let elapsed = clock(self.now - board.started);
        let mut title = self.line();
        title.add(Style::Bold, &cut_middle(&plain(&board.dag.workflow), self.columns / 2));
        title.add(Style::Dim, &format!("  run {}", board.run));
        let (over, total) = (board.over(), board.total());
        let share = f64::from(over) / f64::from(total.max(1));
        let mut bar = self.line();
        let counted = format!(" {}/{} ", number(over.into()), number(total.into()));
        let mut told = match remaining {
            Some(left) if over < total => format!("about {} left", about(left)),
            _ => percent(share),
        };
        if room < 3 {
            told = format!("{told}  {elapsed}");
        } else {
            title.add_right(Style::Plain, &elapsed);
        }
        if self.columns < width(&counted) + width(&told) + 12 {
            told = percent(share);
        }
        let beside = width(&counted) + width(&told) + 1;
        let part = |stand: Stand| f64::from(board.count(stand)) / f64::from(total.max(1));
        let shares = [
            (Style::Green, part(Stand::Finished)),
            (Style::Blue, part(Stand::Cached)),
            (Style::Red, part(Stand::Failed)),
            (Style::Yellow, part(Stand::Cancelled) + part(Stand::Skipped)),
        ];
        bar.bar(self.columns.saturating_sub(beside), &shares);
        bar.add(Style::Plain, &counted).add_right(Style::Plain, &told);
        match room {
            0..3 => vec![bar.finish()],
            3..6 => vec![title.finish(), bar.finish()],
            _ => vec![title.finish(), bar.finish(), self.counts()],
        }
    }

    fn counts(&self) -> String {
        let mut line = self.line();
        for stand in Stand::ALL {
            let count = self.board.count(stand);
            if count > 0 {
                let separator = if line.room() == self.columns { "" } else { "  " };
                let style = style(stand);
                line.add(Style::Plain, separator).add(style, &number(count.into()));
                line.add(
                    if style == Style::Dim { style } else { Style::Plain },
                    &format!(" {}", stand.word()),
                );
            }
        }
        line.finish()
    }

    /// A row for each node that has run long enough to be read; those that run others, which tell how far these are,
    /// come first, the outermost before those in them.
    fn running(&self) -> (Vec<Row>, Vec<Row>) {
        let board = self.board;
        let mut around = Vec::new();
        let mut at_work = Vec::new();
        for index in &board.running {
            let Some(seat) = board.seats.get(*index) else { continue };
            let elapsed = self.now - seat.since;
            if elapsed < SEEN_AFTER && seat.progress.is_none() {
                continue;
            }
            let node = board.node(*index);
            let runs_others = seat.inside.1 > 0;
            let row = Row {
                id: plain(&seat.id).into_owned(),
                place: node.filter(|_| !runs_others).map(|node| place(node).to_string()).unwrap_or_default(),
                attempt: if seat.attempt > 1 { format!("attempt {}", seat.attempt) } else { String::new() },
                elapsed: clock(elapsed),
                expected: estimate::expected(board, *index).filter(|expected| *expected >= 1_000_000),
                progress: seat.progress.or_else(|| self.inside(seat, node)),
                memory: seat.memory.map(bytes),
                metric: seat.metric.as_ref().map(|(name, value)| format!("{name} {}", figure(*value))),
            };
            if runs_others { around.push((seat.id.matches('/').count(), row)) } else { at_work.push(row) }
        }
        around.sort_by_key(|(depth, _)| *depth);
        (around.into_iter().map(|(_, row)| row).collect(), at_work)
    }

    /// How many of the nodes inside have ended. How often a loop goes round nobody knows.
    fn inside(&self, seat: &Seat, node: Option<&Node>) -> Option<(u64, u64)> {
        let is_loop = node.is_some_and(|node| matches!(node.kind, NodeKind::Loop { .. }));
        (seat.inside.1 > 0 && !is_loop).then(|| (seat.inside.0.into(), seat.inside.1.into()))
    }

    /// The rows that there is room for, those that have run longest; the rest is counted. What runs others leaves
    /// two thirds to what is at work.
    fn rows(&self, (mut rows, mut at_work): (Vec<Row>, Vec<Row>), room: usize) -> Vec<String> {
        let all = rows.len() + at_work.len();
        if all > room {
            let room = room.saturating_sub(1);
            rows.truncate(room.saturating_sub(at_work.len()).max(room / 3).max(usize::from(room > 1)));
            at_work.truncate(room.saturating_sub(rows.len()));
        }
        rows.append(&mut at_work);
        let widest = |of: &dyn Fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or_default();
        let layout = Layout {
            id: widest(&|row| width(&row.id)).min((self.columns / 2).max(12)),
            place: if self.columns < 76 { 0 } else { widest(&|row| width(&row.place)).min(20) },
            elapsed: widest(&|row| width(&row.elapsed)),
            has_progress: rows.iter().any(|row| row.progress.is_some()),
        };
        let hidden = all - rows.len();
        let mut lines: Vec<String> = rows.into_iter().map(|row| self.row(&row, &layout)).collect();
        if hidden > 0 && room > 0 {
            let mut line = self.line();
            line.add(Style::Dim, &format!("  … {} more running", number(hidden as u64)));
            lines.push(line.finish());
        }
        lines
    }

    fn row(&self, row: &Row, layout: &Layout) -> String {
        let mut line = self.line();
        line.add(Style::Cyan, self.spinner()).add(Style::Plain, " ");
        line.add(Style::Plain, &cut_id(&row.id, layout.id));
        let mut column = 2 + layout.id + 2;
        if layout.place > 0 {
            line.to(column).add(Style::Dim, &row.place);
            column += layout.place + 2;
        }
        line.to(column + layout.elapsed - width(&row.elapsed)).add(Style::Plain, &row.elapsed);
        column += layout.elapsed + 2;
        line.to(column);
        if let Some((done, total)) = row.progress {
            let room = self.columns.saturating_sub(column);
            let share = if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) };
            let counted = format!(" {}/{}", number(done), number(total));
            // A count that is cut tells another number.
            let (bar, told) = match room.checked_sub(width(&counted)) {
                Some(left) if left >= 6 => ((room / 3).clamp(6, 24.min(left)), counted),
                _ => (room.saturating_sub(5).min(24), format!(" {}", percent(share))),
            };
            line.bar(bar, &[(Style::Cyan, share)]);
            line.add(Style::Plain, &told);
        } else if let Some(expected) = row.expected {
            line.add(Style::Dim, &format!("of about {}", clock(expected)));
        } else if layout.has_progress && (row.metric.is_some() || row.memory.is_some()) {
            line.to(column + (self.columns.saturating_sub(column) / 3).clamp(6, 24));
        }
        let told = [
            (Style::Plain, row.metric.as_deref()),
            (Style::Dim, row.memory.as_deref()),
            (Style::Yellow, Some(&*row.attempt)),
        ];
        for (style, text) in told {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                line.add(Style::Plain, "  ").add(style, text);
            }
        }
        line.finish()
    }

    fn spinner(&self) -> &'static str {
        const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        if !self.palette.unicode {
            return "*";
        }
        let frame = usize::try_from((self.now - self.board.started).max(0) / 100_000).unwrap_or_default();
        FRAMES.get(frame % FRAMES.len()).copied().unwrap_or_default()
    }

    /// What waits, and for what: another attempt, a place to run, other nodes.
    fn waiting(&self, room: usize) -> Vec<String> {
        let board = self.board;
        let mut rows: Vec<(String, Style, String)> = Vec::new();
        let seats = board.retrying.iter().filter_map(|index| Some((*index, board.seats.get(*index)?)));
        let mut retrying: Vec<_> = seats.collect();
        retrying.sort_by_key(|(_, seat)| seat.due);
        for (index, seat) in retrying.into_iter().take(room) {
            let of = board.node(index).map_or(0, |node| node.policy.retry);
            let of = if of > 0 { format!(" of {of}") } else { String::new() };
            let when = match seat.due - self.now {
                left if left > 0 => format!("in {}", about(left)),
                _ => "now".to_owned(),
            };
            let tries = seat.attempt.saturating_sub(1);
            rows.push((plain(&seat.id).into_owned(), Style::Yellow, format!("retry {tries}{of} {when}")));
        }
        let ready = board.count(Stand::Ready);
        if ready > 0 && rows.len() < room {
            let why = "ready, for a free place to run".to_owned();
            rows.push((
                format!("{} {}", number(ready.into()), if ready == 1 { "node" } else { "nodes" }),
                Style::Dim,
                why,
            ));
        }
        for (index, node) in self.next(room - rows.len()) {
            let open = self.open(node);
            let Some(seat) = board.seats.get(index) else { continue };
            let Some(first) = open.first().and_then(|at| board.seats.get(*at)) else { continue };
            let others = match open.len() - 1 {
                0 => String::new(),
                more => format!(" and {} more", number(more as u64)),
            };
            let room = self.columns.saturating_sub(width(&others) + 8) / 2;
            let first = cut_id(&plain(&first.id), room.max(8)).into_owned();
            rows.push((plain(&seat.id).into_owned(), Style::Dim, format!("after {first}{others}")));
        }
        let widest =
            rows.iter().map(|(node, ..)| width(node)).max().unwrap_or_default().min(self.columns / 2);
        let lines = rows.into_iter().map(|(node, style, why)| {
            let mut line = self.line();
            line.add(Style::Plain, "  ").add(Style::Dim, &cut_id(&node, widest)).to(2 + widest + 2);
            line.add(style, &why);
            line.finish()
        });
        lines.collect()
    }

    /// The nodes that a node still waits for.
    fn open(&self, node: &Node) -> Vec<usize> {
        let mut open = Vec::new();
        node.for_each_dependency(|dependency| {
            let at = dependency.0 as usize;
            if self.board.seats.get(at).is_some_and(|seat| !seat.stand.is_over()) && !open.contains(&at) {
                open.push(at);
            }
        });
        open
    }

    /// The nodes that are next once those end that run: the readers of these with the fewest open inputs.
    fn next(&self, room: usize) -> Vec<(usize, &Node)> {
        let board = self.board;
        let readers = board.running.iter().flat_map(|index| board.readers(*index)).take(LOOKED_AT);
        let mut next: Vec<(usize, usize, &Node)> = Vec::new();
        for index in readers.map(|index| *index as usize) {
            let is_pending = board.seats.get(index).is_some_and(|seat| seat.stand == Stand::Pending);
            let Some(node) = board.node(index).filter(|_| is_pending) else { continue };
            if next.iter().any(|(_, known, _)| *known == index) {
                continue;
            }
            next.push((self.open(node).len(), index, node));
        }
        next.sort_by_key(|(open, index, _)| (*open, *index));
        next.into_iter().take(room).map(|(_, index, node)| (index, node)).collect()
    }

    /// The last lines of the log.
    fn log(&self, room: usize) -> Vec<String> {
        let log = &self.board.log;
        let last = log.iter().skip(log.len().saturating_sub(room));
        let last: Vec<_> = last.map(|(node, line)| (plain(node), line)).collect();
        let widest = last.iter().map(|(node, _)| width(node)).max().unwrap_or_default().min(self.columns / 4);
        let lines = last.into_iter().map(|(node, text)| {
            let mut line = self.line();
            let bar = if self.palette.unicode { " │ " } else { " | " };
            line.add(Style::Dim, &cut_id(&node, widest)).to(widest).add(Style::Dim, bar);
            line.add(Style::Plain, text);
            line.finish()
        });
        lines.collect()
    }
}

/// A node that runs, in words.
struct Row {
    id: String,
    place: String,
    attempt: String,
    elapsed: String,
    /// What it may take in all, in microseconds.
    expected: Option<i64>,
    progress: Option<(u64, u64)>,
    metric: Option<String>,
    memory: Option<String>,
}

/// The widths of the columns of rows.
struct Layout {
    id: usize,
    place: usize,
    elapsed: usize,
    has_progress: bool,
}

/// Adds a part as far as there is room, below a gap.
fn push(lines: &mut Vec<String>, left: &mut usize, part: Vec<String>, gap: usize) {
    if part.is_empty() || *left <= gap {
        return;
    }
    lines.extend(std::iter::repeat_n(String::new(), gap));
    let part = part.into_iter().take(*left - gap);
    let before = lines.len();
    lines.extend(part);
    *left -= gap + lines.len() - before;
}

/// A share in whole percent; all of it only when it is all.
fn percent(share: f64) -> String {
    format!("{:.0}%", (share * 100.0).floor())
}

fn style(stand: Stand) -> Style {
    match stand {
        Stand::Finished => Style::Green,
        Stand::Cached => Style::Blue,
        Stand::Running => Style::Cyan,
        Stand::Failed => Style::Red,
        Stand::Retrying | Stand::Skipped | Stand::Cancelled => Style::Yellow,
        Stand::Pending | Stand::Ready | Stand::Finishing => Style::Dim,
    }
}
