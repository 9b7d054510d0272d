//! The view as a whole: scenes drawn for terminals of many sizes, and how fast an event is seen.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    policy::Policy,
    region::Region,
    types::Type,
};
use flow_runtime::{
    event::{Beginning, Event, Kind, Subscriber},
    store::Durations,
};
use serde_json::{Value as Json, json};

use super::{
    board::Board,
    estimate,
    frame::{self, Size},
    line::Palette,
    live::Live,
    screen::Screen,
    text::width,
};

const PLAIN: Palette = Palette { colour: false, unicode: true };
const SECOND: i64 = 1_000_000;

fn node(id: &str, place: OperatorPlace, reads: &[u32]) -> Node {
    let inputs = reads
        .iter()
        .map(|node| (format!("in{node}"), Input::Port(PortRef { node: NodeIndex(*node), port: 0 })));
    Node {
        id: id.to_owned(),
        kind: NodeKind::Task(OperatorRef {
            name: format!("lab.{}", id.split(['[', '#']).next().unwrap_or_default()),
            version: 1,
            signature: Hash::of(b""),
            place,
        }),
        inputs: inputs.collect(),
        after: Vec::new(),
        outputs: vec![Port { name: "value".into(), ty: Type::Int }],
        policy: Policy::default(),
        effect: false,
        deterministic: true,
    }
}

fn beginning(nodes: Vec<Node>, durations: Durations) -> Beginning {
    let dag = Dag {
        workflow: "tips.tips".into(),
        parameters: Vec::new(),
        nodes,
        outputs: Vec::new(),
        origin: None,
    };
    Beginning {
        run: "1qe7h0g2".into(),
        dag: Arc::new(dag),
        states: Arc::default(),
        cores: 2,
        memory: 8 << 30,
        durations: Arc::new(move || durations.clone()),
    }
}

/// Tells a board of events at seconds.
struct Teller {
    seq: u64,
}

impl Teller {
    fn event(&mut self, second: f64, node: &str, kind: Kind, data: Json) -> Event {
        self.seq += 1;
        Event {
            run: "1qe7h0g2".into(),
            seq: self.seq,
            epoch: 1,
            node: (!node.is_empty()).then(|| node.into()),
            attempt: if matches!(kind, Kind::Retrying) { 2 } else { 1 },
            kind,
            time: super::board::microseconds(second),
            data,
        }
    }
}

/// A morning's training: one embeds on a GPU, one trains, one waits for its second attempt, one has failed.
fn training() -> (Board, i64) {
    let mut embed = node("embed", OperatorPlace::Python("embedding:main".into()), &[0]);
    embed.policy.gpu = 1;
    let mut fetch = node("fetch", OperatorPlace::Command(Vec::new()), &[]);
    fetch.policy.retry = 3;
    let mut trainer = node("candidates[2].gbdt", OperatorPlace::Native, &[0]);
    trainer.policy.cpu = 4;
    let nodes = vec![
        node("rides", OperatorPlace::Native, &[]),
        embed,
        fetch,
        trainer,
        node("report", OperatorPlace::Native, &[1, 2, 3]),
        node("notify", OperatorPlace::Native, &[]),
        node("unread", OperatorPlace::Native, &[3]),
    ];
    let mut durations = Durations::default();
    for id in ["embed", "fetch", "candidates[2].gbdt", "report", "unread"] {
        durations.add(id, Duration::from_secs(100));
    }
    let beginning = beginning(nodes, durations);
    let mut board = Board::new(&beginning, 0);
    board.durations = (beginning.durations)();
    let mut teller = Teller { seq: 0 };
    for (second, node, kind, data) in [
        (0.0, "", Kind::RunStarted, json!({ "nodes": 7 })),
        (0.1, "rides", Kind::Cached, json!({})),
        (0.2, "embed", Kind::Running, Json::Null),
        (0.2, "fetch", Kind::Running, Json::Null),
        (1.0, "notify", Kind::Running, Json::Null),
        (
            1.5,
            "notify",
            Kind::Failed,
            json!({ "message": "no route to \u{1b}[31mhost\nsecond line", "help": "is the network up?" }),
        ),
        (20.2, "candidates[2].gbdt", Kind::Running, Json::Null),
        (50.2, "embed", Kind::Stuck, json!({ "message": "has run for 50 s; its earlier run took 12 s" })),
        (58.0, "fetch", Kind::Retrying, json!({ "message": "connection refused", "delay": 8.0 })),
    ] {
        board.event(&teller.event(second, node, kind, data));
    }
    board.progress("candidates[2].gbdt", 61, 100);
    board.metric("candidates[2].gbdt", "auc", 0.912_34);
    board.memory("embed", 1_288_490_189);
    board.logged("embed", "  1%|#     |\r 40%|####  | 40/100 [00:12<00:18]");
    board.logged("candidates[2].gbdt", "no gain in 5 rounds\u{7}");
    (board, 61 * SECOND)
}

fn picture(columns: usize, rows: usize) -> String {
    let (board, now) = training();
    let lines = frame::draw(&board, now, estimate::remaining(&board, now), Size { columns, rows }, PLAIN);
    lines.join("\n")
}

#[test]
fn a_roomy_terminal_shows_everything() {
    let expected = "\
tips.tips  run 1qe7h0g2                                                                     1:01
━━━━━━━━━━━━━━━━━━━━━───────────────────────────────────────────────────── 2/7  about 3 min left
1 cached  2 running  1 to be retried  2 waiting  1 failed

⠋ embed               python · gpu  1:00  of about 1:40  1.2 GiB
⠋ candidates[2].gbdt  4 cores       0:40  ━━━━━━━━━━──────── 61/100  auc 0.9123

  fetch   retry 1 of 3 in 5 s
  unread  after candidates[2].gbdt
  report  after embed and 2 more

embed              │  40%|####  | 40/100 [00:12<00:18]
candidates[2].gbdt │ no gain in 5 rounds\\u{7}";
    let drawn = picture(97, 30);
    assert_eq!(drawn, expected, "\n{drawn}");
}

#[test]
fn a_narrow_terminal_shows_what_matters_most() {
    let expected = "\
tips.tips  run 1qe7h0g2                                1:01
━━━━━━━━━━─────────────────────────── 2/7  about 3 min left
1 cached  2 running  1 to be retried  2 waiting  1 failed
⠋ embed               1:00  of about 1:40  1.2 GiB
⠋ candidates[2].gbdt  0:40  ━━━━━━──── 61/100  auc 0.9123
  fetch   retry 1 of 3 in 5 s
  unread  after candidates[2].gbdt
embed          │  40%|####  | 40/100 [00:12<00:18]
candida…].gbdt │ no gain in 5 rounds\\u{7}";
    let drawn = picture(60, 12);
    assert_eq!(drawn, expected, "\n{drawn}");
}

#[test]
fn a_tiny_terminal_shows_how_far_it_is() {
    let drawn = picture(30, 3);
    assert_eq!(drawn, "━━━━━─────────────── 2/7  28%\n  … 2 more running", "\n{drawn}");
}

#[test]
fn failures_are_told_for_good_and_harmlessly() {
    let (board, _) = training();
    let lines: Vec<String> =
        board.notices.iter().flat_map(|notice| frame::notice(notice, &board.run, PLAIN)).collect();
    assert_eq!(
        lines,
        [
            "error: node `notify`: no route to host",
            "  second line",
            " help: is the network up?",
            "slow: node `embed`: has run for 50 s; its earlier run took 12 s",
            "retry: node `fetch`: connection refused",
        ]
    );
}

/// Ids of 200 characters, wide ones, 300 that run at once, 20,000 that wait.
fn crowd() -> Board {
    let mut nodes = Vec::new();
    for index in 0..20_000_u32 {
        let id = match index % 3 {
            0 => format!("{}[{index}]", "一つの長い名前".repeat(20)),
            1 => format!("{}[{index}]", "scope/".repeat(35)),
            _ => format!("n[{index}]"),
        };
        nodes.push(node(
            &id,
            OperatorPlace::Native,
            &if index >= 300 { vec![index % 300] } else { Vec::new() },
        ));
    }
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    let mut board = Board::new(&beginning(nodes, Durations::default()), 0);
    let mut teller = Teller { seq: 0 };
    for id in &ids[..300] {
        board.event(&teller.event(0.5, id, Kind::Running, Json::Null));
        board.progress(id, 1, 3);
        board.metric(id, "損失", 0.1);
        board.logged(id, "\u{1b}[2J日本語 and a lot more");
        board.logged(id, "\r\n");
    }
    board.logged(&ids[0], &"日本語\u{7}".repeat(100_000));
    for id in &ids[300..400] {
        board.event(&teller.event(0.5, id, Kind::Failed, json!({ "message": "no" })));
        board.event(&teller.event(0.5, id, Kind::Retrying, json!({ "message": "no", "delay": 1e9 })));
    }
    board
}

#[test]
fn nodes_in_regions_are_estimated_by_earlier_runs_of_any_instance() {
    let body = Region {
        parameters: Vec::new(),
        nodes: vec![node("load", OperatorPlace::Python("m:f".into()), &[])],
        outputs: Vec::new(),
    };
    let mut days = node("days", OperatorPlace::Native, &[]);
    days.kind = NodeKind::Map { max: 9, body };
    let mut durations = Durations::default();
    for (id, seconds) in [("days", 40), ("days[0]/load", 30), ("days[1]/load", 10)] {
        durations.add(id, Duration::from_secs(seconds));
    }
    let beginning = beginning(vec![days], durations);
    let mut board = Board::new(&beginning, 0);
    board.durations = (beginning.durations)();
    let mut teller = Teller { seq: 0 };
    for id in ["days", "days[5]/load"] {
        board.event(&teller.event(0.0, id, Kind::Running, Json::Null));
    }
    assert_eq!(estimate::expected(&board, 1), Some(20 * SECOND));
    assert_eq!(estimate::remaining(&board, 10 * SECOND), Some(30 * SECOND));
    let lines = frame::draw(&board, 10 * SECOND, None, Size { columns: 80, rows: 24 }, PLAIN);
    let load = lines.iter().find(|line| line.contains("days[5]/load")).unwrap();
    assert!(load.contains("python") && load.contains("of about 0:20"), "{load}");
}

#[test]
fn no_frame_is_larger_than_its_terminal() {
    let boards =
        [training(), (crowd(), 2 * SECOND), (Board::new(&beginning(Vec::new(), Durations::default()), 0), 5)];
    for (board, now) in &boards {
        for columns in [1, 2, 10, 19, 40, 60, 76, 80, 119, 120, 121, 300] {
            for rows in [1, 2, 3, 4, 6, 8, 12, 24, 60] {
                for colour in [false, true] {
                    let palette = Palette { colour, unicode: !colour };
                    let lines = frame::draw(board, *now, Some(1), Size { columns, rows }, palette);
                    assert!(lines.len() <= rows.saturating_sub(1).max(1), "{rows}: {lines:#?}");
                    for line in lines {
                        assert!(width(&line) <= columns.saturating_sub(1).max(1), "{columns}: {line}");
                        let bare = line.replace("\u{1b}[", "");
                        assert!(!bare.chars().any(char::is_control), "{line:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn twenty_thousand_nodes_are_drawn_in_time() {
    let board = crowd();
    let started = Instant::now();
    for frame in 0..10 {
        let lines = frame::draw(&board, 2 * SECOND + frame, None, Size { columns: 100, rows: 40 }, PLAIN);
        assert!(lines.len() > 20);
    }
    estimate::remaining(&board, 2 * SECOND);
    // Unoptimised and on a busy machine; a frame lasts 33 ms.
    assert!(started.elapsed() / 10 < Duration::from_millis(100), "{:?}", started.elapsed());
}

/// What a terminal shows of what is written to it: as much of one as the view needs.
#[derive(Clone, Default)]
struct Glass(Arc<Mutex<(Vec<String>, usize, usize)>>);

impl Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut state = self.0.lock().unwrap();
        let (lines, row, column) = &mut *state;
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if lines.len() <= *row {
                lines.resize(*row + 1, String::new());
            }
            match character {
                '\r' => *column = 0,
                '\n' => *row += 1,
                '\u{1b}' => {
                    assert_eq!(rest.next(), Some('['));
                    let mut digits = String::new();
                    let command = rest.find(|character| {
                        if !character.is_alphabetic() {
                            digits.push(*character);
                        }
                        character.is_alphabetic()
                    });
                    match command.unwrap() {
                        'A' => *row -= digits.parse::<usize>().unwrap(),
                        'K' => lines[*row] = lines[*row].chars().take(*column).collect(),
                        'J' => {
                            lines[*row] = lines[*row].chars().take(*column).collect();
                            lines.truncate(*row + 1);
                        }
                        'h' | 'l' => assert_eq!(digits, "?2026"),
                        'm' => {}
                        other => panic!("{other}"),
                    }
                }
                character => {
                    let line = &mut lines[*row];
                    let mut cells: Vec<char> = line.chars().collect();
                    cells.resize(cells.len().max(*column + 1), ' ');
                    cells[*column] = character;
                    *line = cells.into_iter().collect();
                    *column += 1;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Glass {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().0.clone()
    }
}

#[test]
fn the_screen_ends_with_what_was_said_for_good() {
    let glass = Glass::default();
    let mut screen = Screen::new(glass.clone());
    let size = Size { columns: 40, rows: 10 };
    let text = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    screen.show(&[], text(&["one two", "three", "four"]), size);
    assert_eq!(glass.lines(), ["one two", "three", "four", ""]);
    screen.show(&[], text(&["one", "three"]), size);
    assert_eq!(glass.lines(), ["one", "three", ""]);
    screen.show(&text(&["failed"]), text(&["one", "four", "five"]), size);
    assert_eq!(glass.lines(), ["failed", "one", "four", "five", ""]);
    screen.show(&text(&["slowest"]), Vec::new(), size);
    assert_eq!(glass.lines(), ["failed", "slowest", ""]);
}

#[test]
fn lines_that_a_narrower_terminal_has_broken_are_taken_back() {
    let mut written = Vec::new();
    let mut screen = Screen::new(&mut written);
    screen.show(&[], vec!["x".repeat(39), "y".repeat(20)], Size { columns: 40, rows: 10 });
    screen.show(&[], vec!["z".to_owned()], Size { columns: 20, rows: 10 });
    let written = String::from_utf8(written).unwrap();
    assert!(written.contains("\u{1b}[3A\r\u{1b}[J"), "{written:?}");
}

#[test]
fn an_event_is_on_the_screen_within_a_tenth_of_a_second() {
    let glass = Glass::default();
    let out = glass.clone();
    let live = Live::new(PLAIN, move || (Box::new(out), Box::new(|| Size { columns: 80, rows: 24 })));
    let nodes = (0..40).map(|index| node(&format!("n[{index}]"), OperatorPlace::Native, &[])).collect();
    live.begin(&beginning(nodes, Durations::default()));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let mut teller = Teller { seq: 0 };
    let mut slowest = Duration::ZERO;
    for index in 0..20 {
        let mut event = teller.event(0.0, &format!("n[{index}]"), Kind::Finished, json!({}));
        event.time = i64::try_from(now()).unwrap();
        let told = Instant::now();
        live.event(&event);
        let shown = format!(" {}/40 ", index + 1);
        while !glass.lines().iter().any(|line| line.contains(&shown)) {
            assert!(told.elapsed() < Duration::from_secs(10), "{:?}", glass.lines());
            std::thread::sleep(Duration::from_millis(1));
        }
        slowest = slowest.max(told.elapsed());
        std::thread::sleep(Duration::from_millis(index));
    }
    // 50 ms are the store's to make it durable; the rest is slack for a busy machine.
    assert!(slowest < Duration::from_millis(200), "{slowest:?}");
    live.end();
    assert_eq!(glass.lines(), [""]);
}
