//! What broke a requirement, in words: where the rows met, and what to do.

use std::sync::Arc;

use flow_syntax::{
    diagnostic::{Diagnostic, Edit},
    span::Span,
};

use super::{
    evaluate::Evaluator,
    region::{Entry, Part},
    require::{Violation, ViolationKind},
    terms::{Node, Term},
    value::Table,
};
use crate::names::quoted;

/// What a requirement is about, where it is checked.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The table that is measured on, or trained on.
    pub place: Span,
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
    pub fn describe(&self, violation: &Violation, subject: &Subject) -> Diagnostic {
        let table = match &subject.data {
            Some(name) => format!("`{name}`"),
            None => "this table".to_owned(),
        };
        let model = match &subject.model {
            Some(name) if subject.is_several => format!("one of `{name}`"),
            Some(name) => format!("`{name}`"),
            None => "the model".to_owned(),
        };
        let message = match (&violation.kind, &subject.callee) {
            (ViolationKind::Label(feature), None) => {
                format!("the feature `{feature}` tells the label: it was computed from it")
            }
            (ViolationKind::Label(feature), Some(callee)) => {
                format!("`{callee}` trains on `{feature}`, which was computed from the label")
            }
            (kind, None) => match kind {
                ViolationKind::Fitted => format!("{table} holds rows that {model} was fitted on"),
                ViolationKind::Chosen => format!("{table} holds rows that {model} was chosen on"),
                ViolationKind::Seen => {
                    format!("{table} holds rows that {model} has seen{}", self.through(violation))
                }
                _ => format!(
                    "{table} has seen its own rows{}, so that it measures nothing",
                    self.through(violation)
                ),
            },
            (kind, Some(callee)) => match kind {
                ViolationKind::Fitted => format!("`{callee}` measures a model on rows that it was fitted on"),
                ViolationKind::Chosen => format!("`{callee}` measures a model on rows that it was chosen on"),
                ViolationKind::Seen => {
                    format!("`{callee}` measures a model on rows that it has seen{}", self.through(violation))
                }
                _ => format!(
                    "`{callee}` measures a model on rows that have seen themselves{}",
                    self.through(violation)
                ),
            },
        };
        let mut diagnostic = Diagnostic::error(violation.code, subject.place, message);
        let met = violation.met.place;
        if met != Span::default() && met != subject.place {
            let words = match &violation.kind {
                ViolationKind::Fitted => "fitted on these rows here",
                ViolationKind::Chosen => "these rows decided here",
                ViolationKind::Seen | ViolationKind::SeenByItself => "all of these rows were looked at here",
                ViolationKind::Label(_) => "computed from the label here",
            };
            diagnostic = diagnostic.label(met, words);
        }
        if let Some(held) = &violation.held
            && held.place != Span::default()
            && held.place != met
            && held.place != subject.place
        {
            diagnostic = diagnostic.label(held.place, "the rows come from here");
        }
        diagnostic = match &violation.kind {
            ViolationKind::Label(feature) => label_help(diagnostic, feature, subject),
            ViolationKind::Fitted => self.fitted_help(diagnostic, violation, subject),
            ViolationKind::Chosen => self.chosen_help(diagnostic, violation, subject),
            _ => diagnostic.help(self.seen_help(&violation.met)),
        };
        diagnostic
    }

    /// By which call the rows were seen, as far as it has a name.
    fn through(&self, violation: &Violation) -> String {
        match self.called.get(&violation.met.place) {
            Some(name) => format!(" through `{name}`"),
            None => String::new(),
        }
    }

    fn fitted_help(&self, diagnostic: Diagnostic, violation: &Violation, subject: &Subject) -> Diagnostic {
        let Some(held) = &violation.held else { return diagnostic };
        if let Some(other) = self.other_part(&violation.met) {
            let help = format!("measure on `{other}`, the other part of this split");
            let is_the_part = subject.callee.is_none()
                && subject.data.is_some()
                && subject.table.as_ref().is_some_and(|table| {
                    // The bare part, as the split gave it.
                    matches!(self.terms.node(table.id), Some(Node::Field(..)))
                });
            let diagnostic = diagnostic.help(help);
            if is_the_part {
                let edit = Edit { span: subject.place, text: quoted(&other) };
                return diagnostic.fix(format!("measure on `{other}`"), vec![edit]);
            }
            return diagnostic;
        }
        let is_fold = |part: &Part| {
            matches!(part, Part::Fold(_) | Part::OtherFolds(_) | Part::Stretch(_) | Part::StretchesBefore(_))
        };
        let mut constraints = held.region.constraints.iter().chain(&violation.met.region.constraints);
        if constraints.any(|constraint| is_fold(&constraint.part)) {
            return diagnostic.help(
                "measure each model on the `test` of its own fold: every other fold's rows trained it",
            );
        }
        if self.has_named_part(held) && self.has_named_part(&violation.met) {
            return diagnostic
                .help("two splits of the same rows overlap: split once, and use both of its parts");
        }
        if subject.table.as_ref().is_some_and(|table| table.is_repeated) {
            return diagnostic
                .help("rows that are there twice may land in both parts: split first, repeat after");
        }
        diagnostic.help(
            "split first, `let (train, test) = table.split(80%)`; fit on `train`, and measure on `test`",
        )
    }

    fn chosen_help(&self, diagnostic: Diagnostic, violation: &Violation, _subject: &Subject) -> Diagnostic {
        if let Some(other) = self.other_part(&violation.met) {
            return diagnostic.help(format!(
                "what decided cannot judge as well: report on rows that decided nothing, as `{other}` if nothing else saw it"
            ));
        }
        diagnostic.help(
            "what decided cannot judge as well: keep a third part for the report, \
             `split_named(train: 60%, validate: 20%, test: 20%)`",
        )
    }

    fn seen_help(&self, met: &Entry) -> String {
        let verb = self.called.get(&met.place).map_or("", String::as_str);
        match verb {
            "group" | "join" | "join_asof" => {
                "group and join within the training rows alone, and join the result to both parts".to_owned()
            }
            "window" => "windows look back in time: split by time too, `.split_at(.at, …)`".to_owned(),
            "predict" => "predict rows that the model was not fitted on, or use `out_of_fold`".to_owned(),
            "values" | "only" => "compute it from the training rows alone".to_owned(),
            "" => "split first, and let only the training rows be looked at".to_owned(),
            name => {
                format!("split first: fit `{name}` on the training rows alone, and `.apply` it to both parts")
            }
        }
    }

    /// The name of another part of the split that these rows are a part of.
    fn other_part(&self, entry: &Entry) -> Option<String> {
        entry.region.constraints.iter().rev().find_map(|constraint| {
            let Part::Named(own) = &constraint.part else { return None };
            self.named_rows.iter().find_map(|(rows, name)| match self.terms.node(*rows) {
                Some(Node::Field(of, part)) if *of == constraint.of && **part != **own => Some(name.clone()),
                _ => None,
            })
        })
    }

    fn has_named_part(&self, entry: &Entry) -> bool {
        entry.region.constraints.iter().any(|constraint| matches!(constraint.part, Part::Named(_)))
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

fn label_help(diagnostic: Diagnostic, feature: &str, subject: &Subject) -> Diagnostic {
    let drop = format!(".drop(.{})", quoted(feature));
    let diagnostic = diagnostic.help(format!(
        "leave it out, `{drop}`, or compute it from other rows than those that are trained on"
    ));
    if subject.callee.is_some() {
        return diagnostic;
    }
    let edit = Edit { span: Span::new(subject.place.end, subject.place.end), text: drop.clone() };
    diagnostic.fix(format!("add `{drop}`"), vec![edit])
}
