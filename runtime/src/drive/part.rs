//! Takes parts out of lists and records that hold tables and models: they are found, and nothing is computed.

use flow_ir::{
    expr::{Expr, ExprKind, Function},
    node::Node,
    value::Value,
};

use super::{Driver, World, job::Slots};
use crate::{
    artifact::Summary,
    task::{Failure, Source},
};

pub(super) enum Member<'a> {
    Field(&'a str),
    /// From 0.
    Element(i64),
}

impl<W: World> Driver<W> {
    /// What an expression that only takes parts of what it reads comes to; none for all others.
    pub(super) fn taken_out(
        &self,
        node: &Node,
        expr: &Expr,
        scope: u32,
        slots: &Slots,
    ) -> Result<Option<Source>, Failure> {
        let ExprKind::Call { function, args } = &expr.kind else { return Ok(None) };
        let [of, Expr { kind: ExprKind::Literal(part), .. }] = args.as_slice() else { return Ok(None) };
        let part = match (function, part) {
            (Function::Field, Value::Text(name)) => Member::Field(name),
            (Function::Element, Value::Int(index)) => Member::Element(*index),
            _ => return Ok(None),
        };
        let source = match &of.kind {
            ExprKind::Parameter(name) => {
                let Some(input) = node.input(name) else { return Ok(None) };
                let source = Source::new(input, &self.within(scope));
                source.map_err(|error| Failure::operator(error.to_string()))?
            }
            _ => match self.taken_out(node, of, scope, slots)? {
                Some(source) => source,
                None => return Ok(None),
            },
        };
        self.part(source, &part, slots).map(Some)
    }

    pub(super) fn part(&self, source: Source, part: &Member<'_>, slots: &Slots) -> Result<Source, Failure> {
        let place = |index: &i64| usize::try_from(*index).ok();
        let found = match (source, part) {
            (Source::Record(fields), Member::Field(name)) => {
                fields.into_iter().find(|(field, _)| field == name).map(|(_, part)| part)
            }
            (Source::List(elements), Member::Element(index)) => {
                place(index).and_then(|place| elements.into_iter().nth(place))
            }
            (Source::Artifact(list), Member::Element(index))
                if matches!(list.summary, Summary::List { .. }) =>
            {
                let elements = self.world.elements(&list);
                let elements = elements.map_err(|error| Failure::Input { of: list.hash, error })?;
                place(index).and_then(|place| elements.into_iter().nth(place)).map(Source::Artifact)
            }
            (source, part) => match (self.scalar(&source, slots)?, part) {
                (Value::Record(fields), Member::Field(name)) => {
                    fields.into_iter().find(|(field, _)| field == name).map(|(_, part)| Source::Value(part))
                }
                (Value::List(elements), Member::Element(index)) => {
                    place(index).and_then(|place| elements.into_iter().nth(place)).map(Source::Value)
                }
                _ => None,
            },
        };
        found.ok_or_else(|| match part {
            Member::Field(name) => Failure::operator(format!("there is no field `{name}`")),
            Member::Element(index) => Failure::operator(format!("the list has no element {index}")),
        })
    }
}
