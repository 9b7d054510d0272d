//! The view on a terminal: hears of the run on one thread, and draws on another.

use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use flow_runtime::{
    event::{Beginning, Event, Subscriber},
    store::Durations,
};

use super::{
    board::{Board, Notice},
    estimate, frame,
    frame::Size,
    line::Palette,
    screen::Screen,
};
use crate::terminal;

/// Between two drawings while something happens: an event is on the screen as fast as an eye can tell.
const FRAME: Duration = Duration::from_millis(33);

/// Between two drawings while nothing happens: clocks go on.
const IDLE: Duration = Duration::from_millis(100);

/// Between two estimates of the time that is left.
const ESTIMATE: Duration = Duration::from_secs(1);

/// A run that is over before this needs no estimate.
const LONG: Duration = Duration::from_secs(1);

pub struct Live {
    shared: Arc<Shared>,
    make: Mutex<Option<Make>>,
    drawer: Mutex<Option<JoinHandle<()>>>,
}

/// Gives what is drawn on, when the run begins.
type Make = Box<dyn FnOnce() -> (Box<dyn Write + Send>, SizeOf) + Send>;

/// The size of the terminal now.
pub type SizeOf = Box<dyn Fn() -> Size + Send>;

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    palette: Palette,
}

#[derive(Default)]
struct State {
    board: Option<Board>,
    /// Text from elsewhere in the process, to go above the view.
    said: Vec<String>,
    has_changed: bool,
    is_over: bool,
}

impl Live {
    pub fn new(
        palette: Palette,
        make: impl FnOnce() -> (Box<dyn Write + Send>, SizeOf) + Send + 'static,
    ) -> Self {
        let shared = Shared { state: Mutex::default(), changed: Condvar::new(), palette };
        Self { shared: Arc::new(shared), make: Mutex::new(Some(Box::new(make))), drawer: Mutex::default() }
    }

    fn change(&self, change: impl FnOnce(&mut Board)) {
        let mut state = self.shared.lock();
        if let Some(board) = &mut state.board {
            change(board);
            state.has_changed = true;
            self.shared.changed.notify_one();
        }
    }
}

impl Subscriber for Live {
    fn name(&self) -> String {
        "the terminal".to_owned()
    }

    fn begin(&self, beginning: &Beginning) {
        let Some(make) = self.make.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        self.shared.lock().board = Some(Board::new(beginning, now()));
        let shared = self.shared.clone();
        terminal::draw_below(move |text| {
            let mut state = shared.lock();
            state.said.push(text.to_owned());
            state.has_changed = true;
            shared.changed.notify_one();
        });
        let (shared, durations) = (self.shared.clone(), beginning.durations.clone());
        let drawer = std::thread::Builder::new().name("flow-view".to_owned()).spawn(move || {
            let (out, size) = make();
            shared.draw(Screen::new(out), &size, &durations);
        });
        *self.drawer.lock().unwrap_or_else(PoisonError::into_inner) = drawer.ok();
    }

    fn event(&self, event: &Event) {
        self.change(|board| board.event(event));
    }

    fn progress(&self, node: &str, done: u64, total: u64) {
        self.change(|board| board.progress(node, done, total));
    }

    fn metric(&self, node: &str, name: &str, value: f64) {
        self.change(|board| board.metric(node, name, value));
    }

    fn memory(&self, node: &str, bytes: u64) {
        self.change(|board| board.memory(node, bytes));
    }

    fn log(&self, node: &str, line: &str) {
        self.change(|board| board.logged(node, line));
    }

    fn note(&self, line: &str) {
        self.change(|board| board.say("notes", Notice::Note(line.to_owned())));
    }

    fn end(&self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(drawer) = self.drawer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = drawer.join();
        }
        terminal::draw_no_more();
        for text in std::mem::take(&mut self.shared.lock().said) {
            terminal::tell(&text);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the run is over; then only what is to stay is left.
    fn draw<W: Write>(
        self: &Arc<Self>,
        mut screen: Screen<W>,
        size: &SizeOf,
        durations: &Arc<dyn Fn() -> Durations + Send + Sync>,
    ) {
        let began = Instant::now();
        let mut is_asked = false;
        let mut estimated: Option<(Instant, i64, Option<i64>)> = None;
        loop {
            let mut state = self.lock();
            if !state.has_changed && !state.is_over {
                (state, _) = self.changed.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            }
            state.has_changed = false;
            let (is_over, said) = (state.is_over, std::mem::take(&mut state.said));
            let Some(board) = &mut state.board else { return };
            let (now, at, size) = (now(), Instant::now(), size());
            let mut above: Vec<String> =
                said.iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
            for notice in std::mem::take(&mut board.notices) {
                above.extend(frame::notice(&notice, &board.run, self.palette));
            }
            if is_over {
                above.extend(frame::slowest(board, size.columns, self.palette));
                drop(state);
                screen.show(&above, Vec::new(), size);
                return;
            }
            if estimated.is_none_or(|(made, ..)| at.duration_since(made) >= ESTIMATE) {
                estimated = Some((at, now, estimate::remaining(board, now)));
            }
            // Between two estimates the time goes on.
            let remaining = estimated.and_then(|(_, made, left)| Some((left? - (now - made)).max(0)));
            let lines = frame::draw(board, now, remaining, size, self.palette);
            drop(state);
            screen.show(&above, lines, size);
            if !is_asked && began.elapsed() > LONG {
                is_asked = true;
                self.ask(durations.clone());
            }
            std::thread::sleep(FRAME.saturating_sub(at.elapsed()));
        }
    }

    /// Reads the durations on a thread of its own: the view does not wait for the store.
    fn ask(self: &Arc<Self>, durations: Arc<dyn Fn() -> Durations + Send + Sync>) {
        let shared = self.clone();
        // Without it there is an estimate less.
        let _ = std::thread::Builder::new().name("flow-durations".to_owned()).spawn(move || {
            let durations = durations();
            if let Some(board) = &mut shared.lock().board {
                board.durations = durations;
            }
        });
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
