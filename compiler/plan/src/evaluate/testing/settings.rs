//! What `simulate` is told: which nodes fail, how long they take, what is chosen, and on what.

use flow_analysis::body::{Expr, ExprKind};
use flow_ir::{node::NodeKind, value::Value};
use flow_syntax::span::Span;

use super::super::evaluator::{Evaluator, Frame, Result};
use super::state::Looked;
use crate::{
    error::Problem,
    testing::{
        Choice, Failure, Fault, Simulation,
        ids::{template, unknown},
    },
};

/// What is said of one node, and where.
struct Setting {
    span: Span,
    id: String,
    fields: Vec<(String, Value)>,
}

impl Evaluator<'_> {
    /// `fail`, `slow`, `choose`, `cores` and `memory`, in that order.
    pub(super) fn simulation(
        &mut self,
        frame: &mut Frame,
        looked: &Looked,
        args: &[Expr],
    ) -> Result<Simulation> {
        let [fail, slow, choose, cores, memory] = args else {
            let fact = "a simulation has other arguments".to_owned();
            return Err(Problem::Disagreement { fact }.into());
        };
        let mut simulation = Simulation::default();
        for Setting { span, id, fields } in self.settings(frame, fail)? {
            self.operator_named(frame, span, &id, looked, "fail")?;
            let times = match field(&fields, "times") {
                Some(Value::Int(times)) => Some(self.count(frame, span, "times", *times)?),
                _ => None,
            };
            simulation.fail.push(Fault { node: id, times });
        }
        for Setting { span, id, fields } in self.settings(frame, slow)? {
            self.operator_named(frame, span, &id, looked, "take time")?;
            if let Some(Value::Duration(time)) = field(&fields, "time") {
                if *time < 0 {
                    let failure = Failure::error(format!("`{id}` takes no time below zero"));
                    return Err(self.failed(frame, span, failure));
                }
                simulation.slow.push((id, *time));
            }
        }
        for Setting { span, id, fields } in self.settings(frame, choose)? {
            let choice = self.choice(frame, span, &id, &fields, looked)?;
            simulation.choose.push((id, choice));
        }
        if let Some(Value::Int(count)) = self.known_value(frame, cores)? {
            if count == 0 {
                let failure = Failure::error("`cores` must be at least 1, not 0");
                return Err(self.failed(frame, cores.span, failure));
            }
            simulation.cores = Some(self.count(frame, cores.span, "cores", count)?);
        }
        if let Some(Value::Size(bytes)) = self.known_value(frame, memory)? {
            simulation.memory = Some(bytes);
        }
        Ok(simulation)
    }

    /// The records of a list, each with its place where it is written out.
    fn settings(&mut self, frame: &mut Frame, list: &Expr) -> Result<Vec<Setting>> {
        let mut values = Vec::new();
        if let ExprKind::List(items) = &list.kind {
            for item in items {
                values.extend(self.known_value(frame, item)?.map(|value| (item.span, value)));
            }
        } else if let Some(Value::List(items)) = self.known_value(frame, list)? {
            values.extend(items.into_iter().map(|item| (list.span, item)));
        }
        let setting = |(span, value)| match value {
            Value::Record(fields) => match field(&fields, "node") {
                Some(Value::Text(id)) => Some(Setting { span, id: id.clone(), fields }),
                _ => None,
            },
            _ => None,
        };
        Ok(values.into_iter().filter_map(setting).collect())
    }

    fn known_value(&mut self, frame: &mut Frame, expr: &Expr) -> Result<Option<Value>> {
        let value = self.expr(frame, expr, None)?;
        Ok(value.as_known().map(|value| (**value).clone()))
    }

    /// Only what is done by somebody can fail or take long.
    fn operator_named(&self, frame: &Frame, span: Span, id: &str, looked: &Looked, does: &str) -> Result<()> {
        match self.node_named(frame, span, id, looked)? {
            NodeKind::Task(_) => Ok(()),
            kind => {
                let failure = Failure::error(format!(
                    "`{id}` is no call of an operator but {}: it does not {does} by itself",
                    in_words(kind)
                ));
                Err(self.failed(frame, span, failure))
            }
        }
    }

    fn node_named<'d>(
        &self,
        frame: &Frame,
        span: Span,
        id: &str,
        looked: &'d Looked,
    ) -> Result<&'d NodeKind> {
        let index = looked.index();
        let found = index.find(&looked.dag, id).or_else(|| index.find(&looked.dag, &template(id)));
        match found {
            Some((node, _)) => Ok(&node.kind),
            None => Err(self.failed(frame, span, unknown(id, "node", index.ids()))),
        }
    }

    fn choice(
        &self,
        frame: &Frame,
        span: Span,
        id: &str,
        fields: &[(String, Value)],
        looked: &Looked,
    ) -> Result<Choice> {
        let kind = self.node_named(frame, span, id, looked)?;
        let refuse = |message: String, help: &str| {
            Err(self.failed(frame, span, Failure::error(message).help(Some(help.to_owned()))))
        };
        match (kind, field(fields, "arm"), field(fields, "times")) {
            (NodeKind::Conditional { .. }, Some(Value::Text(arm)), None) => match arm.as_str() {
                "then" => Ok(Choice::Then),
                "else" => Ok(Choice::Otherwise),
                _ => refuse(format!("`{id}` has no arm `{arm}`"), "its arms are called `then` and `else`"),
            },
            (NodeKind::Map { max, .. } | NodeKind::Loop { max, .. }, None, Some(Value::Int(times))) => {
                let times = u64::from(self.count(frame, span, "times", *times)?);
                if times > *max {
                    return refuse(
                        format!("`{id}` is bounded by `max {max}`, and {times} are more"),
                        "choose fewer, or raise `max`",
                    );
                }
                Ok(Choice::Times(times))
            }
            (NodeKind::Conditional { .. }, ..) => {
                refuse(format!("which arm `{id}` takes is not said"), "`arm: \"then\"` or `arm: \"else\"`")
            }
            (NodeKind::Map { .. } | NodeKind::Loop { .. }, ..) => {
                refuse(format!("how often `{id}` runs is not said"), "`times: 3`")
            }
            (other, ..) => refuse(
                format!("`{id}` is {}, which chooses nothing", in_words(other)),
                "`choose` speaks of `run if`, `run for` and `run while`",
            ),
        }
    }

    fn count(&self, frame: &Frame, span: Span, what: &str, count: i64) -> Result<u32> {
        u32::try_from(count).map_err(|_| {
            self.failed(frame, span, Failure::error(format!("`{what}` is a count, and this is {count}")))
        })
    }
}

fn field<'v>(fields: &'v [(String, Value)], name: &str) -> Option<&'v Value> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

fn in_words(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Task(_) => "a call of an operator",
        NodeKind::Expression(_) => "an expression",
        NodeKind::Pass => "a `pass`",
        NodeKind::Wait => "a `wait`",
        NodeKind::WaitFor => "a `wait_for`",
        NodeKind::Conditional { .. } => "a `run if`",
        NodeKind::Map { .. } => "a `run for`",
        NodeKind::Loop { .. } => "a `run while`",
        NodeKind::Workflow { .. } => "a workflow",
        NodeKind::Query { .. } => "a query",
    }
}
