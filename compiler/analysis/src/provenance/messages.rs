//! What broke a requirement, in words: where the rows met, and what to do.

use std::sync::Arc;

use flow_syntax::{
    diagnostic::{Diagnostic, Edit},
    span::Span,
};

use super::{
    evaluate::Evaluator,
    region::{Entry, Part, Set},
    require::{Requirement, Unseen, Violation, ViolationKind},
    terms::{LOOKUP_OF_MANY, Node, Term},
    value::{Column, Table},
};
use crate::names::quoted;

/// What a requirement is about, where it is checked.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The table that is measured on, or trained on.
    pub place: Span,
    /// Where the rows met before, where that is said better than by the rows themselves.
    pub met: Option<Span>,
    /// What the table and the model are called.
    pub data: Option<String>,
    pub model: Option<String>,
    /// Whether there are several models, in a list.
    pub is_several: bool,
    /// The fn or workflow that asks for it, where that is not the operator itself.
    pub callee: Option<String>,
    pub table: Option<Arc<Table>>,
}

impl Evaluator<'_> {
    /// `requirement` is the one that is broken.
    pub fn describe(
        &self,
        violation: &Violation,
        requirement: &Requirement,
        subject: &Subject,
    ) -> Diagnostic {
        let mut diagnostic =
            Diagnostic::error(violation.code, subject.place, self.message(violation, subject)).note(
                match &violation.kind {
                    ViolationKind::Label(_) => "trained on here",
                    _ => "measured on here",
                },
            );
        let met = subject.met.unwrap_or(violation.met.place);
        if met != Span::default() && met != subject.place {
            let words = match &violation.kind {
                ViolationKind::Fitted => "fitted on these rows here",
                ViolationKind::Chosen => "these rows decided here",
                ViolationKind::Seen | ViolationKind::SeenByItself => "all of these rows were looked at here",
                ViolationKind::Label(_) => "computed from the label here",
            };
            diagnostic = diagnostic.label(met, words);
        }
        match (&violation.kind, requirement) {
            (ViolationKind::Label(feature), _) => self.label_help(diagnostic, feature, violation, subject),
            (ViolationKind::Fitted, Requirement::Unseen(unseen)) => {
                self.fitted_help(diagnostic, violation, unseen, subject)
            }
            (ViolationKind::Chosen, Requirement::Unseen(unseen)) => diagnostic.help(self.chosen_help(unseen)),
            _ => diagnostic.help(self.seen_help(violation)),
        }
    }

    fn message(&self, violation: &Violation, subject: &Subject) -> String {
        let table = subject.data.as_ref().map_or("this table".to_owned(), |name| format!("`{name}`"));
        let model = match &subject.model {
            Some(name) if subject.is_several => format!("one of `{name}`"),
            Some(name) => format!("`{name}`"),
            None => "the model".to_owned(),
        };
        let through = self.through(violation);
        let Some(callee) = &subject.callee else {
            return match &violation.kind {
                ViolationKind::Label(feature) => {
                    format!("the feature `{feature}` tells the label: it was computed from it")
                }
                ViolationKind::Fitted => format!("{table} holds rows that {model} was fitted on"),
                ViolationKind::Chosen => format!("{table} holds rows that {model} was chosen on"),
                ViolationKind::Seen => format!("{table} holds rows that {model} has seen{through}"),
                ViolationKind::SeenByItself => {
                    format!("{table} has seen its own rows{through}, so that it measures nothing")
                }
            };
        };
        let rows = match &subject.data {
            Some(name) => format!("`{name}`, "),
            None => String::new(),
        };
        match &violation.kind {
            ViolationKind::Label(feature) => {
                format!("`{callee}` trains on `{feature}`, which was computed from the label")
            }
            ViolationKind::Fitted => {
                format!("`{callee}` measures a model on {rows}rows that it was fitted on")
            }
            ViolationKind::Chosen => {
                format!("`{callee}` measures a model on {rows}rows that it was chosen on")
            }
            ViolationKind::Seen => {
                format!("`{callee}` measures a model on {rows}rows that it has seen{through}")
            }
            ViolationKind::SeenByItself => {
                format!("`{callee}` measures a model on {rows}rows that have seen themselves{through}")
            }
        }
    }

    /// By which call the rows were seen, as far as it has a name.
    fn through(&self, violation: &Violation) -> String {
        match self.called.get(&violation.met.place) {
            Some(name) => format!(" through `{name}`"),
            None => String::new(),
        }
    }

    fn label_help(
        &self,
        diagnostic: Diagnostic,
        feature: &str,
        violation: &Violation,
        subject: &Subject,
    ) -> Diagnostic {
        let drop = format!(".drop(.{})", quoted(feature));
        // What was fitted on labels gives them back for the rows that it was fitted on.
        let diagnostic = diagnostic.help(match self.called.get(&violation.met.place).map(String::as_str) {
            Some("target_encode") => {
                "train on the `rows` that `target_encode` gives: they are encoded out of fold".to_owned()
            }
            Some(name) => format!(
                "`{name}` has learned these rows' labels: predict training rows with `prep.out_of_fold`, \
                 or leave it out, `{drop}`"
            ),
            None => format!(
                "leave it out, `{drop}`, or compute it from other rows than those that are trained on"
            ),
        });
        if subject.callee.is_some() {
            return diagnostic;
        }
        let edit = Edit { span: Span::new(subject.place.end, subject.place.end), text: drop.clone() };
        diagnostic.fix(format!("add `{drop}`"), vec![edit])
    }

    fn fitted_help(
        &self,
        diagnostic: Diagnostic,
        violation: &Violation,
        unseen: &Unseen,
        subject: &Subject,
    ) -> Diagnostic {
        let Some(held) = &violation.held else { return diagnostic };
        if subject.table.as_ref().is_some_and(|table| table.is_repeated) {
            return diagnostic.help(
                "rows that are there twice may land in both parts: split first, and repeat them after",
            );
        }
        let parts = |entry: &Entry| -> Vec<Term> {
            let named = entry.region.constraints.iter();
            named.filter(|other| matches!(other.part, Part::Named(_))).map(|other| other.of).collect()
        };
        let (own, others) = (parts(held), parts(&violation.met));
        let is_another_split = !others.is_empty() && own.iter().any(|partition| !others.contains(partition));
        let unmet = self.unmet_part(&violation.met, unseen);
        if is_another_split {
            let mend = unmet.map_or("split once, and use both of its parts".to_owned(), |unmet| {
                format!("measure on `{unmet}`, the other part of the one that trained it")
            });
            return diagnostic.help(format!("two splits of the same rows overlap: {mend}"));
        }
        if let Some(unmet) = unmet {
            let diagnostic = diagnostic.help(format!("measure on `{unmet}`, the other part of this split"));
            // The bare part, as the split gave it, is exchanged for the other.
            let is_bare = subject.table.as_ref().is_some_and(|table| {
                matches!(self.terms.node(table.id), Some(Node::Field(..))) && subject.data.is_some()
            });
            if is_bare && subject.callee.is_none() {
                let edit = Edit { span: subject.place, text: quoted(&unmet) };
                return diagnostic.fix(format!("measure on `{unmet}`"), vec![edit]);
            }
            return diagnostic;
        }
        let is_fold = |part: &Part| part.index().is_some();
        let mut constraints = held.region.constraints.iter().chain(&violation.met.region.constraints);
        if constraints.any(|constraint| is_fold(&constraint.part)) {
            return diagnostic.help(
                "measure each model on the `test` of its own fold: the rows of every other fold trained it",
            );
        }
        let is_of_many = |column: &Column| {
            let definition = self.terms.node(column.definition);
            matches!(definition, Some(Node::Call(name, _)) if &**name == LOOKUP_OF_MANY)
        };
        if subject.table.as_ref().is_some_and(|table| table.columns.values().any(is_of_many)) {
            return diagnostic.help(
                "a row that finds several in a join stands in all of their parts: divide by its own columns, \
                 or join to `.distinct(…)` on the key, if each finds one",
            );
        }
        diagnostic.help(match self.other_part(held, &|_| true) {
            Some(other) => format!("these rows are a part of what it was fitted on: fit on `{other}` alone"),
            None => {
                "split first, `let (train, test) = table.split(80%)`; fit on `train`, and measure on `test`"
                    .to_owned()
            }
        })
    }

    fn chosen_help(&self, unseen: &Unseen) -> String {
        let part = unseen.chosen.entries().iter().find_map(|entry| self.unmet_part(entry, unseen));
        match part {
            Some(part) => {
                format!("what decided cannot judge as well: report on `{part}`, which decided nothing")
            }
            None => "what decided cannot judge as well: keep a part for the report alone, \
                     `split_named(train: 60%, valid: 20%, test: 20%)`"
                .to_owned(),
        }
    }

    fn seen_help(&self, violation: &Violation) -> String {
        let train = violation.held.as_ref().and_then(|held| self.other_part(held, &|_| true));
        let train = train.map_or("the training rows".to_owned(), |train| format!("`{train}`"));
        let name = self.called.get(&violation.met.place).map_or("", String::as_str);
        if name == "window" || violation.met.window.is_some() && name == "join_asof" {
            return "this looks back in time: split by time too, `.split_at(.at, …)`, so that the past \
                    trains and the future measures"
                .to_owned();
        }
        match name {
            "group" | "join" | "join_asof" => {
                format!(
                    "split first: group and look up within {train} alone, and join the result to both parts"
                )
            }
            "predict" => {
                "predict with a model that was fitted on other rows, or use `out_of_fold`".to_owned()
            }
            "out_of_fold" => format!("split first, and predict out of fold within {train} alone"),
            "values" | "only" => format!("split first, and compute it from {train} alone"),
            "" => format!("split first, and let {train} alone be looked at"),
            name if violation.kind == ViolationKind::SeenByItself => format!(
                "where each row that `{name}` gives depends on one row of a table alone, its signature \
                 can say so: `rows of …`"
            ),
            name => {
                format!("split first: fit `{name}` on {train} alone, and `.apply` it to both parts")
            }
        }
    }

    /// The name of another part of the split that these rows are a part of, which the models have not met.
    fn unmet_part(&self, entry: &Entry, unseen: &Unseen) -> Option<String> {
        self.other_part(entry, &|holds| {
            [&unseen.fitted, &unseen.chosen, &unseen.seen]
                .iter()
                .all(|met| holds.meets(met, &self.terms).is_none())
        })
    }

    fn other_part(&self, entry: &Entry, is_fit: &dyn Fn(&Set) -> bool) -> Option<String> {
        entry.region.constraints.iter().rev().find_map(|constraint| {
            let Part::Named(own) = &constraint.part else { return None };
            self.named_rows.iter().find_map(|named| match self.terms.node(named.rows) {
                Some(Node::Field(of, part))
                    if *of == constraint.of && **part != **own && is_fit(&named.holds) =>
                {
                    Some(named.name.clone())
                }
                _ => None,
            })
        })
    }

    /// What people call a source.
    pub fn source_name(&self, source: Term, params: &[String]) -> Option<String> {
        match self.terms.node(source)? {
            Node::SetOf(_, base) | Node::Rows(base) => self.source_name(*base, params),
            Node::Param(index) => params.get(*index as usize).cloned(),
            Node::Field(base, name) => Some(format!("{}.{name}", self.source_name(*base, params)?)),
            Node::Element(base, _) => Some(format!("{}[…]", self.source_name(*base, params)?)),
            Node::Call(name, args) if &**name == "file" => match self.terms.literal(*args.first()?)? {
                flow_ir::value::Value::File(path) | flow_ir::value::Value::Text(path) => Some(path.clone()),
                _ => Some("file".to_owned()),
            },
            Node::Call(name, _) => Some(name.rsplit('.').next().unwrap_or(name).to_owned()),
            _ => None,
        }
    }
}
