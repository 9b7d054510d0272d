//! Whatever tables are made of one another: where a row that a model was fitted on is in the table that measures
//! it, the checker says so. Random programs are run on a small table, by the plainest means.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fmt::Write;

use flow_analysis::Analysis;
use proptest::prelude::*;

/// How a table is made of those before it, by their places.
#[derive(Clone, Debug)]
enum Step {
    Where { of: usize, column: bool, low: i64, holds: bool },
    Both { of: usize, low: i64, other: i64, holds: bool },
    Union { of: usize, other: usize },
    Split { of: usize, seed: i64 },
    SplitWhere { of: usize, low: i64 },
    Fold { of: usize, index: i64 },
    Bootstrap { of: usize, seed: i64 },
    Sort { of: usize },
    Limit { of: usize, count: usize },
    Sample { of: usize, seed: i64 },
    Distinct { of: usize },
    Derive { of: usize },
    If { of: usize, other: usize, flag: bool },
}

/// Of the source: which row it is, and two columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Row {
    index: i64,
    x: i64,
    y: i64,
}

const ROWS: i64 = 24;

fn source() -> Vec<Row> {
    (0..ROWS).map(|index| Row { index, x: index * 7 % 10, y: index * 3 % 8 }).collect()
}

fn step() -> impl Strategy<Value = Step> {
    // Rather what was made last.
    let of = prop_oneof![0usize..3, 0usize..12];
    let (seed, low) = (0..2i64, 0..10i64);
    prop_oneof![
        1 => (of.clone(), any::<bool>(), low.clone(), any::<bool>())
            .prop_map(|(of, column, low, holds)| Step::Where { of, column, low, holds }),
        1 => (of.clone(), low.clone(), 0..8i64, any::<bool>())
            .prop_map(|(of, low, other, holds)| Step::Both { of, low, other, holds }),
        3 => (of.clone(), of.clone()).prop_map(|(of, other)| Step::Union { of, other }),
        3 => (of.clone(), seed.clone()).prop_map(|(of, seed)| Step::Split { of, seed }),
        1 => (of.clone(), low).prop_map(|(of, low)| Step::SplitWhere { of, low }),
        2 => (of.clone(), 0..3i64).prop_map(|(of, index)| Step::Fold { of, index }),
        2 => (of.clone(), seed.clone()).prop_map(|(of, seed)| Step::Bootstrap { of, seed }),
        1 => of.clone().prop_map(|of| Step::Sort { of }),
        1 => (of.clone(), 0..20usize).prop_map(|(of, count)| Step::Limit { of, count }),
        1 => (of.clone(), seed).prop_map(|(of, seed)| Step::Sample { of, seed }),
        1 => of.clone().prop_map(|of| Step::Distinct { of }),
        1 => of.clone().prop_map(|of| Step::Derive { of }),
        1 => (of.clone(), of, any::<bool>()).prop_map(|(of, other, flag)| Step::If { of, other, flag }),
    ]
}

/// Some number below `below`, by what decides; equal calls give equal numbers.
fn draw(seed: i64, place: i64, kind: i64, below: i64) -> i64 {
    let mixed = (seed + 1)
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(place.wrapping_mul(1_442_695_040_888_963_407))
        .wrapping_add(kind * 97);
    (mixed ^ (mixed >> 29)).wrapping_mul(0x2545_F491_4F6C_DD1D).rem_euclid(1_000_003) % below
}

/// The program's lines, and the rows that they give.
fn make(step: &Step, tables: &[Vec<Row>], has_id: bool, flags: [bool; 2]) -> Vec<(String, Vec<Row>)> {
    // Counted from the last.
    let at = |of: &usize| tables.len() - 1 - of % tables.len();
    // A random split goes by the place of a row, or by what names it.
    let place = |(place, row): (usize, &Row)| if has_id { row.index } else { i64::try_from(place).unwrap() };
    let kept = |of: &usize, keeps: &dyn Fn((usize, &Row)) -> bool| -> Vec<Row> {
        tables[at(of)]
            .iter()
            .enumerate()
            .filter(|(index, row)| keeps((*index, row)))
            .map(|(_, row)| *row)
            .collect()
    };
    let parts = |call: String, names: [&str; 2], rows: &dyn Fn(bool) -> Vec<Row>| {
        let part = |(name, is_first)| (format!("{call}.{name}"), rows(is_first));
        names.into_iter().zip([true, false]).map(part).collect()
    };
    match step {
        Step::Where { of, column, low, holds } => {
            let (name, not) = (if *column { "x" } else { "y" }, if *holds { "" } else { "not " });
            let rows = kept(of, &|(_, row)| ((if *column { row.x } else { row.y }) < *low) == *holds);
            vec![(format!("t{}.where({not}(.{name} < {low}))", at(of)), rows)]
        }
        Step::Both { of, low, other, holds } => {
            let not = if *holds { "" } else { "not " };
            let rows = kept(of, &|(_, row)| (row.x < *low && row.y >= *other) == *holds);
            vec![(format!("t{}.where({not}(.x < {low} and .y >= {other}))", at(of)), rows)]
        }
        Step::Union { of, other } => {
            let rows = tables[at(of)].iter().chain(&tables[at(other)]).copied().collect();
            vec![(format!("t{}.union(t{})", at(of), at(other)), rows)]
        }
        Step::Split { of, seed } => {
            parts(format!("t{}.split(50%, seed: {seed})", at(of)), ["train", "test"], &|train| {
                kept(of, &|row| (draw(*seed, place(row), 0, 2) == 0) == train)
            })
        }
        Step::SplitWhere { of, low } => {
            parts(format!("t{}.split_where(.x < {low})", at(of)), ["yes", "no"], &|yes| {
                kept(of, &|(_, row)| (row.x < *low) == yes)
            })
        }
        Step::Fold { of, index } => {
            // Two folds of one partition.
            let fold = |index: i64| -> Vec<(String, Vec<Row>)> {
                parts(format!("t{}.folds(3)[{index}]", at(of)), ["train", "test"], &|train| {
                    kept(of, &|row| (draw(0, place(row), 1, 3) != index) == train)
                })
            };
            fold(*index).into_iter().chain(fold((index + 1) % 3)).collect()
        }
        Step::Bootstrap { of, seed } => {
            let table = &tables[at(of)];
            let length = i64::try_from(table.len()).unwrap();
            let drawn: Vec<usize> =
                (0..length).map(|index| usize::try_from(draw(*seed, index, 2, length)).unwrap()).collect();
            parts(format!("t{}.bootstrap(seed: {seed})", at(of)), ["in_bag", "out_of_bag"], &|in_bag| {
                if in_bag {
                    drawn.iter().map(|index| table[*index]).collect()
                } else {
                    kept(of, &|(index, _)| !drawn.contains(&index))
                }
            })
        }
        Step::Sort { of } => {
            let mut rows = tables[at(of)].clone();
            rows.sort_by_key(|row| row.x);
            vec![(format!("t{}.sort(.x)", at(of)), rows)]
        }
        Step::Limit { of, count } => {
            let rows = tables[at(of)].iter().take(*count).copied().collect();
            vec![(format!("t{}.limit({count})", at(of)), rows)]
        }
        Step::Sample { of, seed } => {
            let rows = kept(of, &|row| draw(*seed, place(row), 3, 2) == 0);
            vec![(format!("t{}.sample(50%, seed: {seed})", at(of)), rows)]
        }
        Step::Distinct { of } => {
            let mut found: Vec<Row> = Vec::new();
            for row in &tables[at(of)] {
                if !found.iter().any(|other| other.x == row.x && other.y == row.y) {
                    found.push(*row);
                }
            }
            vec![(format!("t{}.distinct(.x, .y)", at(of)), found)]
        }
        Step::Derive { of } => vec![(format!("t{}.derive(x: .x)", at(of)), tables[at(of)].clone())],
        Step::If { of, other, flag } => {
            let index = usize::from(*flag);
            let rows = if flags[index] { &tables[at(of)] } else { &tables[at(other)] };
            vec![(format!("if flag{index} {{ t{} }} else {{ t{} }}", at(of), at(other)), rows.clone())]
        }
    }
}

/// The pairs of a program's tables for which the checker has no alarm.
fn disjoint_pairs(lines: &[String], has_id: bool) -> Vec<(usize, usize)> {
    let id = if has_id { "id: Id<Int>, " } else { "" };
    let mut text = format!(
        "use std.tree\nuse std.metrics\nschema S {{ {id}x: Int, y: Int, good: Label<Bool> }}\n\
         workflow w(t0: Dataset<S>, flag0: Bool = true, flag1: Bool = true) -> (t: Dataset<S>) {{\n"
    );
    for (index, line) in lines.iter().enumerate() {
        writeln!(text, "let t{} = {line}", index + 1).unwrap();
    }
    let count = lines.len() + 1;
    for index in 0..count {
        writeln!(text, "let m{index} = tree.gbdt(t{index})").unwrap();
    }
    let first = text.matches('\n').count();
    let pairs: Vec<(usize, usize)> = (0..count).flat_map(|a| (0..count).map(move |b| (a, b))).collect();
    for (a, b) in &pairs {
        writeln!(text, "let r{a}_{b} = metrics.classification(m{a}, t{b})").unwrap();
    }
    text.push_str("t0\n}\n");
    let mut analysis = Analysis::new();
    analysis.set_file("main", "main.flow", text.as_str());
    let mut alarms = Vec::new();
    for found in analysis.check("main").iter().filter(|found| found.is_error()) {
        assert_eq!(found.code.0, 601, "{found:?} in\n{text}");
        alarms.push(text.get(..found.span.start as usize).unwrap().matches('\n').count() - first);
    }
    let is_quiet = |(index, _): &(usize, &(usize, usize))| !alarms.contains(index);
    pairs.iter().enumerate().filter(is_quiet).map(|(_, pair)| *pair).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_that_meet_are_found(
        steps in proptest::collection::vec(step(), 2..8),
        has_id in any::<bool>(),
    ) {
        let mut worlds: Vec<Vec<Vec<Row>>> = Vec::new();
        let mut lines = Vec::new();
        for flags in [[true, true], [true, false], [false, true], [false, false]] {
            let mut tables = vec![source()];
            lines.clear();
            for step in &steps {
                for (line, rows) in make(step, &tables, has_id, flags) {
                    lines.push(line);
                    tables.push(rows);
                }
            }
            worlds.push(tables);
        }
        for (a, b) in disjoint_pairs(&lines, has_id) {
            for tables in &worlds {
                let met: Vec<&Row> = tables[a].iter().filter(|row| tables[b].contains(row)).collect();
                prop_assert!(met.is_empty(), "t{a} and t{b} share {met:?} in {lines:#?}, has_id: {has_id}");
            }
        }
    }
}

#[test]
fn what_is_disjoint_is_told() {
    let lines: Vec<String> = [
        "t0.split(80%).train",
        "t0.split(80%).test",
        "t2.split(50%).train",
        "t2.split(50%).test",
        "t0.where(.x < 3)",
        "t0.where(.x >= 3 and .y < 2)",
        "t0.where(not (.x < 5 and .y > 1)).where(.x < 5).where(.y > 1)",
        "t1.union(t4)",
    ]
    .map(str::to_owned)
    .to_vec();
    let quiet = disjoint_pairs(&lines, false);
    for pair in [(1, 2), (1, 3), (1, 4), (3, 4), (5, 6), (8, 3)] {
        assert!(quiet.contains(&pair) && quiet.contains(&(pair.1, pair.0)), "{pair:?} of {quiet:?}");
    }
    for pair in [(1, 1), (2, 3), (1, 5), (8, 4), (8, 2), (0, 3)] {
        assert!(!quiet.contains(&pair), "{pair:?} of {quiet:?}");
    }
}
