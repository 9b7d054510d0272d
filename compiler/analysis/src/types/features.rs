//! What a trainer makes of a row: its label, its task, its features.

use flow_ir::types::{Column, Row, Task, Type};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LabelProblem {
    None,
    /// Their names.
    Several(Vec<String>),
    /// The label's name, and its type that no task predicts.
    Type(String, Type),
}

pub fn label_columns(row: &Row) -> impl Iterator<Item = &Column> {
    row.columns.iter().filter(|column| matches!(column.ty.present(), Type::Label { .. }))
}

/// The only label of a row.
pub fn the_label(row: &Row) -> Result<&Column, LabelProblem> {
    let labels: Vec<&Column> = label_columns(row).collect();
    match labels.as_slice() {
        [] => Err(LabelProblem::None),
        [label] => Ok(label),
        several => Err(LabelProblem::Several(several.iter().map(|label| label.name.clone()).collect())),
    }
}

/// The task that a row's label sets.
pub fn task_of(row: &Row) -> Result<Task, LabelProblem> {
    let label = the_label(row)?;
    let Type::Label { of, .. } = label.ty.present() else { return Err(LabelProblem::None) };
    let is_ranked = row.columns.iter().any(|column| matches!(column.ty.present(), Type::QueryId(_)));
    match of.present() {
        _ if is_ranked => Ok(Task::Ranker),
        Type::Bool | Type::Category => Ok(Task::Classifier),
        Type::Int | Type::Float | Type::Float32 | Type::Fraction => Ok(Task::Regressor),
        other => Err(LabelProblem::Type(label.name.clone(), other.clone())),
    }
}

/// The columns that trainers can neither learn from nor pass over by their meaning: text, dates and others.
pub fn unfit_features(row: &Row) -> impl Iterator<Item = &Column> {
    row.columns.iter().filter(|column| {
        !column.ty.is_feature()
            && !matches!(
                column.ty.present(),
                Type::Id(_)
                    | Type::Label { .. }
                    | Type::QueryId(_)
                    | Type::Pii(_)
                    | Type::Weight
                    | Type::EventTime
                    | Type::Probability
                    | Type::Score
            )
    })
}
