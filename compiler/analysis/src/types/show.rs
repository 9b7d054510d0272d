//! Types in messages: as the language writes them, and short. The written form of the IR spells
//! out enums and records, which helps no reader of a message.

use flow_ir::types::{Refinement, Row, Type};

/// Rows with more columns are shortened.
const COLUMNS: usize = 4;

pub fn show(ty: &Type) -> String {
    match ty {
        Type::Bool => "Bool".into(),
        Type::Int => "Int".into(),
        Type::Float => "Float".into(),
        Type::Float32 => "Float32".into(),
        Type::Text => "Text".into(),
        Type::Bytes => "Bytes".into(),
        Type::Date => "Date".into(),
        Type::Time => "Time".into(),
        Type::Duration => "Duration".into(),
        Type::Size => "Size".into(),
        Type::Fraction => "Fraction".into(),
        Type::File => "File".into(),
        Type::Id(of) => format!("Id<{}>", show(of)),
        Type::Label { of, .. } => format!("Label<{}>", show(of)),
        Type::QueryId(of) => format!("QueryId<{}>", show(of)),
        Type::Pii(of) => format!("Pii<{}>", show(of)),
        Type::Weight => "Weight".into(),
        Type::EventTime => "EventTime".into(),
        Type::Category => "Category".into(),
        Type::Embedding(size) => format!("Embedding<{size}>"),
        Type::Probability => "Probability".into(),
        Type::Score => "Score".into(),
        Type::Optional(inner) if **inner == Type::Nothing => "none".into(),
        Type::Optional(inner) => format!("{}?", show(inner)),
        Type::List(inner) => format!("List<{}>", show(inner)),
        Type::Record(record) => match &record.name {
            Some(name) => short(name).to_owned(),
            None => {
                let fields: Vec<String> = record
                    .fields
                    .iter()
                    .map(|field| format!("{}: {}", field.name, show(&field.ty)))
                    .collect();
                format!("({})", fields.join(", "))
            }
        },
        Type::Enum(ty) => short(&ty.name).to_owned(),
        Type::Refined { base, refinement } => format!("{} {}", show(base), show_refinement(refinement)),
        Type::Dataset(row) => format!("Dataset<{}>", show_row(row)),
        Type::Model(model) => match &model.result {
            Some(result) => format!("{}<{}, {}>", model.task.name(), show_row(&model.row), show_row(result)),
            None => format!("{}<{}>", model.task.name(), show_row(&model.row)),
        },
        Type::Metric(metric) => metric.name().to_owned(),
        Type::Column(row) => format!("Column<{}>", show_row(row)),
        Type::Opaque(name) => format!("Opaque<\"{name}\">"),
        Type::Nothing => "none".into(),
    }
}

pub fn show_row(row: &Row) -> String {
    let mut columns: Vec<String> = row
        .columns
        .iter()
        .take(COLUMNS)
        .map(|column| format!("{}: {}", crate::names::quoted(&column.name), show(&column.ty)))
        .collect();
    if row.columns.len() > COLUMNS {
        columns.push(format!("… {} more", row.columns.len() - COLUMNS));
    }
    if columns.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", columns.join(", ")) }
}

/// Names in a sentence: `a`, `b` and `c`.
pub fn show_columns<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

fn show_refinement(refinement: &Refinement) -> String {
    let range = |low: Option<String>, high: Option<String>, inclusive: bool| {
        let dots = if inclusive && high.is_some() { "..=" } else { ".." };
        format!("in {}{dots}{}", low.unwrap_or_default(), high.unwrap_or_default())
    };
    match refinement {
        Refinement::Int { low, high, inclusive } => {
            range(low.map(|low| low.to_string()), high.map(|high| high.to_string()), *inclusive)
        }
        Refinement::Float { low, high, inclusive } => {
            range(low.map(|low| format!("{:?}", low.0)), high.map(|high| format!("{:?}", high.0)), *inclusive)
        }
        Refinement::Matching(pattern) => format!("matching r\"{pattern}\""),
    }
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
