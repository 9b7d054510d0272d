//! What trainers and measurements ask of rows, beyond their parameters' types.

use flow_ir::{
    types::{Column, Metric, ModelType, Row, Task, Type},
    value::Value,
};
use flow_syntax::{
    ast::ProvenanceKind,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Typed, known_value};
use crate::{
    header::Callable,
    names::quoted,
    types::{LabelProblem, Scheme, column_fits, label_columns, show, show_columns, task_of, unfit_features},
};

/// The enum whose variants are metrics.
const METRIC: &str = "std.metrics.Metric";

impl Checker<'_> {
    /// An operator that is `fitted on` tables: they need one label that suits the task, and features.
    pub fn check_training(&mut self, callable: &Callable, args: &[(String, Typed)]) -> Option<()> {
        for output in &callable.outputs {
            let Scheme::Model { task, .. } = &output.scheme else { continue };
            if matches!(task, Some(Task::Transformer | Task::Clusterer)) {
                self.check_learned_columns(callable, args)?;
                continue;
            }
            let fitted = output.provenance.iter().filter(|(kind, _)| *kind == ProvenanceKind::FittedOn);
            let params: Vec<&String> = fitted.flat_map(|(_, params)| params).collect();
            for (_, typed) in args.iter().filter(|(name, _)| params.contains(&name)) {
                let Some(Type::Dataset(row)) = typed.ty() else { continue };
                match (task_of(row), task) {
                    (Err(problem), _) => {
                        self.report_label(&problem, &callable.item.name, typed.span());
                        return None;
                    }
                    (Ok(is), Some(wanted)) if is != *wanted => {
                        let label =
                            label_columns(row).next().map(|label| (label.name.clone(), show(&label.ty)));
                        let (label, ty) = label.unwrap_or_default();
                        let reason = match is {
                            Task::Ranker => "this table's `QueryId`".to_owned(),
                            _ => format!("the label `{label}`, which is `{ty}`,"),
                        };
                        let message = format!(
                            "`{}` trains a {}, and {reason} makes a {}",
                            callable.item.name,
                            wanted.name(),
                            is.name()
                        );
                        self.fail(code::WRONG_TASK, typed.span(), message);
                        return None;
                    }
                    _ => {}
                }
                let unfit: Vec<Column> = unfit_features(row).cloned().collect();
                if !unfit.is_empty() {
                    self.report_unfit(&unfit, typed.span());
                    return None;
                }
            }
        }
        Some(())
    }

    /// What a transformer or a clusterer learns from, where its columns are named: neither ids nor labels.
    fn check_learned_columns(&mut self, callable: &Callable, args: &[(String, Typed)]) -> Option<()> {
        for (_, typed) in args {
            let row = match typed.ty() {
                Some(Type::Column(row)) => row,
                Some(Type::List(of)) => match &**of {
                    Type::Column(row) => row,
                    _ => continue,
                },
                _ => continue,
            };
            let column = row.columns.iter().find_map(|column| match column.ty.present() {
                Type::Id(_) | Type::QueryId(_) => Some((column, "which only identifies")),
                Type::Label { .. } => Some((column, "which is what is to be predicted")),
                _ => None,
            });
            let Some((column, why)) = column else { continue };
            let message = format!(
                "`{}` does not learn from the column `{}`: it is `{}`, {why}",
                callable.item.name,
                column.name,
                show(&column.ty)
            );
            self.report(
                Diagnostic::error(code::MEANING_FORBIDS, typed.span(), message)
                    .help(format!("leave `.{}` out of the columns", quoted(&column.name))),
            );
            return None;
        }
        Some(())
    }

    /// A table that is `unseen by` a model is there to measure it: it has the model's features and its label.
    pub fn check_measuring(&mut self, callable: &Callable, args: &[(String, Typed)]) -> Option<()> {
        let value = |name: &String| args.iter().find(|(arg, _)| arg == name).map(|(_, typed)| typed);
        for param in &callable.params {
            let Some(data) = value(&param.name) else { continue };
            let Some(Type::Dataset(row)) = data.ty().cloned() else { continue };
            for model in param.unseen_by.iter().filter_map(value) {
                let Some(model) = model_of(model).cloned() else { continue };
                self.check_features(&model, &row, data.span())?;
                self.check_label(&model, &row, data.span())?;
            }
        }
        Some(())
    }

    /// A metric that is known goes with the task of the models that it measures.
    pub fn check_metric(&mut self, args: &[(String, Typed)]) -> Option<()> {
        let mut models = args.iter().filter_map(|(_, typed)| model_of(typed));
        let Some(task) = models.next().map(|model| model.task) else { return Some(()) };
        for (_, typed) in args {
            let Some(Value::Enum { ty, variant }) = known_value(&typed.expr) else { continue };
            let metric = Metric::ALL.iter().find(|metric| metric.variant() == variant);
            let Some(metric) = metric.filter(|metric| ty == METRIC && metric.task() != task) else {
                continue;
            };
            let fitting: Vec<&str> = Metric::ALL
                .iter()
                .filter(|metric| metric.task() == task)
                .map(|metric| metric.variant())
                .collect();
            let message =
                format!("`{variant}` measures a {}, and this is a {}", metric.task().name(), task.name());
            self.report(Diagnostic::error(code::WRONG_TASK, typed.span(), message).help(format!(
                "a {} is measured by {}",
                task.name(),
                show_columns(fitting)
            )));
            return None;
        }
        Some(())
    }

    /// Whether a table has every feature of a model, with its type.
    pub fn check_features(&mut self, model: &ModelType, row: &Row, span: Span) -> Option<()> {
        let mut missing = Vec::new();
        for feature in model.row.columns.iter().filter(|column| column.ty.is_feature()) {
            match row.column(&feature.name) {
                None => missing.push(feature.name.as_str()),
                // A trainer that met no missing value still says what becomes of one.
                Some(column) if column_fits(column.ty.present(), feature.ty.present()) => {}
                Some(column) => {
                    let message = format!(
                        "the model's feature `{}` is `{}`, and in this table it is `{}`",
                        feature.name,
                        show(&feature.ty),
                        show(&column.ty)
                    );
                    self.fail(code::MODEL_LACKS_FEATURE, span, message);
                    return None;
                }
            }
        }
        if missing.is_empty() {
            return Some(());
        }
        let message = format!("the model needs {}, which this table lacks", show_columns(missing));
        self.report(
            Diagnostic::error(code::MODEL_LACKS_FEATURE, span, message)
                .help("prepare this table as the one that the model was fitted on"),
        );
        None
    }

    fn check_label(&mut self, model: &ModelType, row: &Row, span: Span) -> Option<()> {
        let label = label_columns(&model.row).next()?;
        if row.column(&label.name).is_some_and(|column| column_fits(&column.ty, &label.ty)) {
            return Some(());
        }
        let message =
            format!("a measurement needs the label `{}: {}` in this table", label.name, show(&label.ty));
        self.fail(code::LABEL_COUNT, span, message);
        None
    }

    /// A table without one usable label, where `name` needs one.
    pub fn report_label(&mut self, problem: &LabelProblem, name: &str, at: Span) {
        let diagnostic = match problem {
            LabelProblem::None => {
                let message = format!("`{name}` needs a label, and this table has none");
                Diagnostic::error(code::LABEL_COUNT, at, message)
                    .help("mark the column to predict in the schema, `species: Label<Category>`, or with `label(…)`")
            }
            LabelProblem::Several(names) => {
                let names = show_columns(names.iter().map(String::as_str));
                let message = format!("`{name}` needs one label, and this table has {names}");
                Diagnostic::error(code::LABEL_COUNT, at, message)
                    .help("leave out all but one with `.drop(…)`")
            }
            LabelProblem::Type(label, ty) => {
                let message = format!("no task predicts the label `{label}`, which is `{}`", show(ty));
                Diagnostic::error(code::LABEL_COUNT, at, message)
                    .help("a label is a Category, Bool, Int or Float")
            }
        };
        self.report(diagnostic);
    }

    fn report_unfit(&mut self, unfit: &[Column], span: Span) {
        let names: Vec<&str> = unfit.iter().map(|column| column.name.as_str()).collect();
        let types: Vec<String> = unfit.iter().map(|column| show(&column.ty)).collect();
        let message = match (names.as_slice(), types.as_slice()) {
            ([name], [ty]) => format!("the column `{name}` is `{ty}`, which no trainer learns from"),
            _ => format!("the columns {} cannot be features", show_columns(names.iter().copied())),
        };
        let columns: Vec<String> = names.iter().map(|name| format!(".{}", quoted(name))).collect();
        let drop = format!(".drop({})", columns.join(", "));
        let is_text = unfit.iter().all(|column| *column.ty.storage() == Type::Text);
        let help = match names.first() {
            Some(name) if is_text => {
                let name = quoted(name);
                format!("leave it out, `{drop}`, or make it a category: `.derive({name}: category(.{name}))`")
            }
            _ => format!("leave it out: `{drop}`"),
        };
        let edit = Edit { span: Span::new(span.end, span.end), text: drop.clone() };
        self.report(
            Diagnostic::error(code::NOT_A_FEATURE, span, message)
                .help(help)
                .fix(format!("add `{drop}`"), vec![edit]),
        );
    }
}

/// The type of a model, or of the models in a list.
fn model_of(typed: &Typed) -> Option<&ModelType> {
    match typed.ty()? {
        Type::Model(model) => Some(model),
        Type::List(element) => match &**element {
            Type::Model(model) => Some(model),
            _ => None,
        },
        _ => None,
    }
}
