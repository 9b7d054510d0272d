//! What must hold at a call: the rows that measure a model are new to it, and a trainer's features tell no label.

use std::sync::Arc;

use flow_ir::types::Type;
use flow_syntax::{
    ast::ProvenanceKind,
    diagnostic::{Code, Diagnostic, code},
};

use super::{
    evaluate::Evaluator,
    messages::Subject,
    operators::Call,
    region::{Entry, Set},
    terms::{Node, SetKind, Term, Terms},
    value::{Model, Table, Value},
};
use crate::{body::Expr, header::Callable, ty::Ty, types::Scheme};

/// What could not be decided in a body, since it depends on what its parameters bring.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Requirement {
    /// A table that measures models is new to them, and has not seen its own rows.
    Unseen(Arc<Unseen>),
    /// No feature of a trainer's table was computed from the labels of its rows.
    Unmarked { holds: Set, features: Arc<Vec<(String, Set)>> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Unseen {
    pub holds: Set,
    /// What the table itself has seen.
    pub through: Set,
    pub fitted: Set,
    pub chosen: Set,
    pub seen: Set,
}

/// A requirement that does not hold, with the two places where the rows met.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub code: Code,
    pub kind: ViolationKind,
    /// Of the table that is measured on, or trained on.
    pub held: Option<Entry>,
    /// Of what met them.
    pub met: Entry,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ViolationKind {
    Fitted,
    Chosen,
    Seen,
    /// The table has seen its own rows.
    SeenByItself,
    /// This feature tells the label.
    Label(String),
}

impl Unseen {
    /// The first of the rules that is broken.
    pub fn violation(&self, terms: &Terms) -> Option<Violation> {
        let meets = |code, kind, set: &Set| {
            let (held, met) = self.holds.meets(set, terms)?;
            Some(Violation { code, kind, held: Some(held.clone()), met: met.clone() })
        };
        meets(code::FITTED_ROWS, ViolationKind::Fitted, &self.fitted)
            .or_else(|| meets(code::CHOSEN_ROWS, ViolationKind::Chosen, &self.chosen))
            .or_else(|| meets(code::SEEN_ROWS, ViolationKind::Seen, &self.seen))
            .or_else(|| {
                // Windows show a row what was before it, which is no secret of its own.
                let through = self.through.entries().iter().filter(|entry| entry.window.is_none());
                meets(code::SEEN_ROWS, ViolationKind::SeenByItself, &through.cloned().collect())
            })
    }

    /// Whether what parameters bring may yet break it.
    fn depends_on_params(&self, terms: &Terms) -> bool {
        let models = [&self.fitted, &self.chosen, &self.seen, &self.through];
        self.holds.entries().iter().any(|held| {
            let held = held.region.source;
            models.iter().flat_map(|set| set.entries()).any(|met| {
                let met = met.region.source;
                // Parts of one parameter are told apart, unless it brings rows twice.
                is_param_set(held, terms) || is_param_set(met, terms)
            })
        })
    }
}

fn is_param_set(source: Term, terms: &Terms) -> bool {
    matches!(terms.node(source), Some(Node::SetOf(..)))
}

impl Requirement {
    pub fn violation(&self, own: Term, terms: &Terms) -> Option<Violation> {
        match self {
            Self::Unseen(unseen) => unseen.violation(terms),
            Self::Unmarked { holds, features } => features.iter().find_map(|(name, mark)| {
                let met = told_label(mark, holds, own, terms)?;
                let kind = ViolationKind::Label(name.clone());
                Some(Violation { code: code::LABEL_LEAK, kind, held: None, met: met.clone() })
            }),
        }
    }

    pub fn depends_on_params(&self, terms: &Terms) -> bool {
        match self {
            Self::Unseen(unseen) => unseen.depends_on_params(terms),
            Self::Unmarked { features, .. } => features
                .iter()
                .any(|(_, mark)| mark.entries().iter().any(|entry| is_param_set(entry.region.source, terms))),
        }
    }
}

/// Where a mark meets the rows that a trainer learns from. What a window tells is earlier than they are.
fn told_label<'m>(mark: &'m Set, holds: &Set, own: Term, terms: &Terms) -> Option<&'m Entry> {
    mark.entries().iter().filter(|entry| entry.window.is_none()).find(|entry| {
        entry.region.source == own
            || holds.entries().iter().any(|held| !held.region.is_disjoint(&entry.region, terms))
    })
}

impl Evaluator<'_> {
    /// Checks what an operator asks of its inputs. Where a row is used twice, what follows from it is not told.
    pub fn check_call(&mut self, call: &Call<'_>, callable: &Callable) -> bool {
        self.check_personal(call, callable);
        let before = self.violations;
        for param in callable.params.iter().filter(|param| !param.unseen_by.is_empty()) {
            let Some((data, value)) = call.input(&param.name) else { continue };
            let value = value.clone();
            for name in &param.unseen_by {
                let Some((model, models)) = call.input(name) else { continue };
                let models = self.anywhere(models);
                self.require_unseen(data, &value, model, &models);
            }
        }
        self.check_trainer(call, callable);
        self.violations == before
    }

    fn require_unseen(&mut self, data: &Expr, value: &Value, model: &Expr, models: &Value) {
        let mut tables = Vec::new();
        tables_in(value, &mut tables);
        let mut all = Vec::new();
        models_in(models, &mut all);
        for table in tables {
            let of = |set: fn(&Model) -> &Set| Set::union_all(all.iter().map(|model| set(model)));
            let unseen = Unseen {
                holds: table.holds.clone(),
                through: table.seen.clone(),
                fitted: of(|model| &model.fitted),
                chosen: of(|model| &model.chosen),
                seen: of(|model| &model.seen),
            };
            let subject = Subject {
                place: data.span,
                met: None,
                data: self.name_of(data).map(str::to_owned),
                model: self.name_of(model).map(str::to_owned),
                is_several: !matches!(models, Value::Model(_)),
                callee: None,
                table: Some(Arc::clone(&table)),
            };
            self.require(Requirement::Unseen(Arc::new(unseen)), &subject);
        }
    }

    /// Reports a requirement that is broken, and keeps one that the callers of this body may break.
    pub fn require(&mut self, requirement: Requirement, subject: &Subject) {
        let own = self.terms.make(Node::Own);
        if let Some(violation) = requirement.violation(own, &self.terms) {
            self.violations += 1;
            let diagnostic = self.describe(&violation, &requirement, subject);
            self.report(diagnostic);
        } else if requirement.depends_on_params(&self.terms) && !self.requirements.contains(&requirement) {
            self.requirements.push(requirement);
        }
    }

    /// One mistake is told once, however many turns of a loop come upon it.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let is_told = |other: &Diagnostic| other.span == diagnostic.span && other.code == diagnostic.code;
        if !self.diagnostics.iter().any(is_told) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// A trainer that predicts learns from no column that tells the label.
    fn check_trainer(&mut self, call: &Call<'_>, callable: &Callable) {
        let predicts = |task: &Option<flow_ir::types::Task>| task.is_none_or(flow_ir::types::Task::predicts);
        for output in &callable.outputs {
            let Scheme::Model { task, .. } = &output.scheme else { continue };
            if !predicts(task) {
                continue;
            }
            let fitted = output.provenance.iter().filter(|(kind, _)| *kind == ProvenanceKind::FittedOn);
            let names: Vec<&String> = fitted.flat_map(|(_, params)| params).collect();
            for name in names {
                let Some((data, value)) = call.input(name) else { continue };
                let Ty::Ground(Type::Dataset(row)) = &data.ty else { continue };
                let mut tables = Vec::new();
                tables_in(&value.clone(), &mut tables);
                for table in tables {
                    let is_param = matches!(
                        self.terms.node(table.base),
                        Some(node) if super::value::is_param_path(node, &self.terms)
                    );
                    if table.columns.is_empty() && !is_param {
                        continue;
                    }
                    let mut features = Vec::new();
                    for column in row.columns.iter().filter(|column| column.ty.is_feature()) {
                        let mark = table.column(&column.name, &mut self.terms).mark;
                        if !mark.is_empty() {
                            features.push((column.name.clone(), mark));
                        }
                    }
                    if features.is_empty() {
                        continue;
                    }
                    let requirement =
                        Requirement::Unmarked { holds: table.label_rows(), features: Arc::new(features) };
                    let subject = Subject {
                        place: data.span,
                        met: None,
                        data: self.name_of(data).map(str::to_owned),
                        model: None,
                        is_several: false,
                        callee: None,
                        table: Some(table),
                    };
                    self.require(requirement, &subject);
                }
            }
        }
    }
}

fn tables_in(value: &Value, found: &mut Vec<Arc<Table>>) {
    match value {
        Value::Table(table) => found.push(Arc::clone(table)),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| tables_in(value, found)),
        Value::List(values) => values.iter().for_each(|value| tables_in(value, found)),
        Value::Each(_, element) => tables_in(element, found),
        Value::Unknown | Value::Scalar(_) | Value::Model(_) => {}
    }
}

fn models_in(value: &Value, found: &mut Vec<Arc<Model>>) {
    match value {
        Value::Model(model) => found.push(Arc::clone(model)),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| models_in(value, found)),
        Value::List(values) => values.iter().for_each(|value| models_in(value, found)),
        Value::Each(_, element) => models_in(element, found),
        Value::Unknown | Value::Scalar(_) | Value::Table(_) => {}
    }
}

/// What a parameter's column may be marked with is nothing that another source overlaps.
pub(super) fn is_mark(kind: &SetKind) -> bool {
    matches!(kind, SetKind::Mark(_) | SetKind::MarkOfMany(_))
}
