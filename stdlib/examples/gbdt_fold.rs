//! Cross-validates the gradient-boosted trees on a table that carries its own folds: the bridge of
//! `tests/perf/gbdt/compare.py`.
//!
//! ```text
//! gbdt_fold INPUT OUTPUT [name=value ...]        trees leaves learning_rate min_rows bins threads
//! ```
//!
//! INPUT is a CSV without quotes. Its header names each column and says after the last colon what it is: `n` a number,
//! `c` a category's code, `value` the target of a regression, `class` a class's code, `fold` the fold of each row in one
//! repeat. A blank cell is missing. OUTPUT gets a line per repeat and row: `repeat,row,prediction…`. The seconds of the
//! fastest training are printed.

use std::error::Error;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use flow_stdlib::tree::{Column, Feature, Model, Params, Table, Target, train};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, settings @ ..] = &arguments[..] else {
        return Err("usage: gbdt_fold INPUT OUTPUT [name=value ...]".into());
    };
    let (params, threads) = parse_settings(settings)?;
    let sheet = Sheet::parse(&std::fs::read_to_string(input)?)?;

    let mut predictions = String::new();
    let mut fastest = Duration::MAX;
    for (repeat, folds) in sheet.folds.iter().enumerate() {
        let fold_count = folds.iter().max().map_or(0, |last| last + 1);
        for fold in 0..fold_count {
            let rows_where = |held_out: bool| -> Vec<usize> {
                (0..folds.len()).filter(|&row| (folds[row] == fold) == held_out).collect()
            };
            let start = Instant::now();
            let model = sheet.train(&rows_where(false), &params, threads)?;
            fastest = fastest.min(start.elapsed());
            let held_out = rows_where(true);
            let columns = sheet.take(&held_out);
            let values = model.predict(&features(&columns), threads)?;
            for (row, values) in held_out.iter().zip(values.chunks(model.loss().predictions())) {
                write!(predictions, "{repeat},{row}")?;
                values.iter().try_for_each(|value| write!(predictions, ",{value}"))?;
                predictions.push('\n');
            }
        }
    }
    std::fs::write(output, predictions)?;
    println!("{}", fastest.as_secs_f64());
    Ok(())
}

fn parse_settings(settings: &[String]) -> Result<(Params, usize)> {
    let mut params = Params::default();
    let mut threads = 1;
    for setting in settings {
        let (name, value) = setting.split_once('=').ok_or("a setting is name=value")?;
        match name {
            "trees" => params.trees = value.parse()?,
            "leaves" => params.leaves = value.parse()?,
            "learning_rate" => params.learning_rate = value.parse()?,
            "min_rows" => params.min_rows = value.parse()?,
            "bins" => params.bins = value.parse()?,
            "threads" => threads = value.parse()?,
            _ => return Err(format!("unknown setting `{name}`").into()),
        }
    }
    Ok((params, threads))
}

struct Sheet {
    columns: Vec<Cells>,
    target: Labels,
    folds: Vec<Vec<usize>>,
}

enum Cells {
    Numbers(Vec<f64>, Vec<bool>),
    Codes(Vec<u32>, Vec<bool>),
}

enum Labels {
    Values(Vec<f64>),
    Classes(Vec<u32>),
}

impl Sheet {
    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().ok_or("no header")?.split(',').collect();
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        let mut sheet = Sheet { columns: Vec::new(), target: Labels::Values(Vec::new()), folds: Vec::new() };
        for (position, name) in header.iter().enumerate() {
            let cells = || rows.iter().map(|row| row.get(position).copied().unwrap_or(""));
            let valid = || cells().map(|cell| !cell.is_empty()).collect();
            match name.rsplit(':').next() {
                Some("n") => sheet.columns.push(Cells::Numbers(numbers(cells())?, valid())),
                Some("c") => sheet.columns.push(Cells::Codes(numbers(cells())?, valid())),
                Some("value") => sheet.target = Labels::Values(numbers(cells())?),
                Some("class") => sheet.target = Labels::Classes(numbers(cells())?),
                Some("fold") => sheet.folds.push(numbers(cells())?),
                _ => return Err(format!("column `{name}` does not say what it is").into()),
            }
        }
        Ok(sheet)
    }

    fn take(&self, rows: &[usize]) -> Vec<Cells> {
        let take = |column: &Cells| match column {
            Cells::Numbers(values, valid) => Cells::Numbers(pick(values, rows), pick(valid, rows)),
            Cells::Codes(codes, valid) => Cells::Codes(pick(codes, rows), pick(valid, rows)),
        };
        self.columns.iter().map(take).collect()
    }

    fn train(&self, rows: &[usize], params: &Params, threads: usize) -> Result<Model> {
        let columns = self.take(rows);
        let (values, codes);
        let target = match &self.target {
            Labels::Values(all) => {
                values = pick(all, rows);
                Target::Values(&values)
            }
            Labels::Classes(all) => {
                codes = pick(all, rows);
                Target::Classes { codes: &codes, classes: all.iter().max().map_or(0, |last| last + 1) }
            }
        };
        let table = Table { features: &features(&columns), target, weights: None };
        Ok(train(&table, None, params, threads, &mut |_| ControlFlow::Continue(()))?)
    }
}

fn features(columns: &[Cells]) -> Vec<Feature<'_>> {
    let columns = columns.iter().map(|column| match column {
        Cells::Numbers(values, valid) => Column::Numeric { values, valid: Some(valid) },
        Cells::Codes(codes, valid) => Column::Categorical { codes, valid: Some(valid) },
    });
    columns.map(|column| Feature { name: "a column", column }).collect()
}

fn numbers<'a, T: std::str::FromStr<Err: Error + 'static> + Default>(
    cells: impl Iterator<Item = &'a str>,
) -> Result<Vec<T>> {
    cells.map(|cell| if cell.is_empty() { Ok(T::default()) } else { Ok(cell.parse()?) }).collect()
}

fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}
