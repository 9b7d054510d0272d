//! Nodes that steer others: what their inputs say, and what their outputs are made of.

use std::sync::Arc;

use flow_ir::{
    node::{NodeKind, Port, VALUE_PORT},
    value::Value,
};

use super::{Driver, World, data::Output, job::Slots, nodes, part::Member};
use crate::{
    artifact::{Content, Reference, Summary},
    decide::{Event, Gather, NodeState, Part, Place, Told},
    operator::Datum,
    task::{Failure, Source, datum, scalar},
};

/// What the decider wants to know, or to have done.
#[derive(Clone, Copy)]
pub(super) enum Steering {
    /// After so many iterations.
    Ask(u64),
    Gather(Gather),
}

impl<W: World> Driver<W> {
    /// Answers what the decider has asked for.
    pub(super) fn steer(&mut self) {
        for (node, attempt, steering) in std::mem::take(&mut self.steering) {
            if !self.setup.state.is_at(node, attempt, NodeState::Running) {
                continue;
            }
            // Too late: why it failed is known already.
            if matches!(steering, Steering::Gather(_)) && !self.setup.state.is_wanted(node) {
                self.step(&Event::Stopped { node, attempt });
                continue;
            }
            let result = match steering {
                Steering::Ask(iteration) => self.told(node, iteration).map(|told| {
                    self.step(&Event::Told { node, attempt, told });
                }),
                Steering::Gather(from) => self.gather(node, from).map(|large| {
                    self.step(&Event::Computed { node, attempt });
                    self.store(node, attempt, large);
                }),
            };
            if let Err(failure) = result {
                self.done(node, attempt, Err(failure));
            }
        }
    }

    fn told(&mut self, node: u32, iteration: u64) -> Result<Told, Failure> {
        let dag = self.setup.dag.clone();
        let Some(of) = nodes::node(&dag, &self.setup.state, node) else {
            return Err(Failure::operator("it is no node of the DAG"));
        };
        let wrong = |name: &str, what: &str, found: &Value| {
            Err(Failure::operator(format!("its input `{name}` is {found}, which is no {what}")))
        };
        match &of.kind {
            NodeKind::Conditional { .. } => match self.input_value(node, "condition")? {
                Value::Bool(holds) => Ok(Told::Holds { iteration, holds }),
                other => wrong("condition", "Bool", &other),
            },
            NodeKind::Loop { .. } => {
                let place = Place { node, part: Part::Condition, iteration };
                let (source, slots) = self.given(place, |_| true)?;
                match self.scalar(&source, &slots)? {
                    Value::Bool(holds) => Ok(Told::Holds { iteration, holds }),
                    other => Err(Failure::operator(format!("its condition gave {other}, which is no Bool"))),
                }
            }
            NodeKind::Map { max, .. } => {
                let elements = self.read_elements(node)?;
                let length = elements.len() as u64;
                if length > *max {
                    let message = format!("its list has {length} elements, and at most {max} are allowed");
                    let help = Some("raise the `max` behind `run for`, or give it a shorter list".to_owned());
                    self.nodes[node as usize].failure = Some(Failure::Operator { message, help });
                }
                self.elements.insert(node, elements);
                Ok(Told::Length(length))
            }
            NodeKind::Wait => match self.input_value(node, "duration")? {
                Value::Duration(delay) => Ok(Told::Delay(self.left_of(node, delay))),
                other => wrong("duration", "Duration", &other),
            },
            _ => {
                let name = match self.input_value(node, "name")? {
                    Value::Text(name) => Arc::from(name),
                    other => return wrong("name", "Text", &other),
                };
                let timeout = match of.input("timeout") {
                    None => Value::None,
                    Some(_) => self.input_value(node, "timeout")?,
                };
                match timeout {
                    Value::None => Ok(Told::Signal { name, timeout: None }),
                    Value::Duration(timeout) => {
                        self.nodes[node as usize].limit = Some(timeout);
                        Ok(Told::Signal { name, timeout: Some(self.left_of(node, timeout)) })
                    }
                    other => wrong("timeout", "Duration", &other),
                }
            }
        }
    }

    /// Of a delay that began when the node first did, be it in another process.
    fn left_of(&self, node: u32, delay: i64) -> i64 {
        let began = self.setup.began.get(&node).copied().unwrap_or_else(|| self.world.now());
        delay.saturating_sub(self.world.now().saturating_sub(began)).max(0)
    }

    fn read_elements(&mut self, node: u32) -> Result<Vec<Source>, Failure> {
        let (source, slots) = self.input(node, "over")?;
        match source {
            Source::List(elements) => Ok(elements),
            Source::Artifact(list) if matches!(list.summary, Summary::List { .. }) => {
                let elements = self.world.elements(&list);
                let elements = elements.map_err(|error| Failure::Input { of: list.hash, error })?;
                Ok(elements.into_iter().map(Source::Artifact).collect())
            }
            source => match self.scalar(&source, &slots)? {
                Value::List(elements) => Ok(elements.into_iter().map(Source::Value).collect()),
                other => Err(Failure::operator(format!("its input `over` is {other}, which is no List"))),
            },
        }
    }

    fn input_value(&mut self, node: u32, name: &str) -> Result<Value, Failure> {
        let (source, slots) = self.input(node, name)?;
        self.scalar(&source, &slots)
    }

    pub(super) fn scalar(&self, source: &Source, slots: &Slots) -> Result<Value, Failure> {
        let mut load = |reference: &Reference| slots.find(reference, |missing| self.world.load(missing));
        scalar("value", source, &mut load)
    }

    /// Puts a node's outputs together; gives what is still to be made durable.
    fn gather(&mut self, node: u32, from: Gather) -> Result<Vec<Content>, Failure> {
        let dag = self.setup.dag.clone();
        let Some(of) = nodes::node(&dag, &self.setup.state, node) else {
            return Err(Failure::operator("it is no node of the DAG"));
        };
        let mut outputs = Vec::with_capacity(of.outputs.len());
        let mut contents = Vec::new();
        for port in &of.outputs {
            let named = |name: &str| name == port.name;
            let output = match from {
                Gather::Inputs => {
                    let name = if of.kind == NodeKind::Pass { port.name.as_str() } else { "value" };
                    let (source, slots) = self.input(node, name)?;
                    self.output(port, source, &slots, &mut contents)?
                }
                Gather::Instance(part) => {
                    let (source, slots) = self.given(Place { node, part, iteration: 0 }, named)?;
                    self.output(port, source, &slots, &mut contents)?
                }
                Gather::State { iterations, .. } => {
                    let (state, slots) = self.loop_state(node, iterations)?;
                    let is_whole = of.outputs.len() == 1 && port.name == VALUE_PORT;
                    let source =
                        if is_whole { state } else { self.part(state, &Member::Field(&port.name), &slots)? };
                    self.output(port, source, &slots, &mut contents)?
                }
                Gather::Elements(count) => {
                    let mut elements = Vec::new();
                    let mut slots = Slots::default();
                    for iteration in 0..count {
                        let place = Place { node, part: Part::Body, iteration };
                        let (source, its) = self.given(place, named)?;
                        slots.around.extend(its.all().cloned());
                        elements.push(source);
                    }
                    self.list(port, elements, &slots, &mut contents)?
                }
            };
            outputs.push(output);
        }
        let data = &mut self.nodes[node as usize];
        data.outputs = outputs;
        data.failure = None;
        data.ended_at_max = matches!(from, Gather::State { at_max: true, .. });
        Ok(self.keep_contents(node, contents))
    }

    /// An artifact is given on as it is; anything else becomes one.
    fn output(
        &self,
        port: &Port,
        source: Source,
        slots: &Slots,
        contents: &mut Vec<Content>,
    ) -> Result<Output, Failure> {
        if let Source::Artifact(reference) = source {
            let slot = slots.all().find(|slot| slot.reference == reference).cloned();
            return Ok(Output::new(reference, slot));
        }
        let mut load = |reference: &Reference| slots.find(reference, |missing| self.world.load(missing));
        let datum = datum(&port.name, &source, &mut load)?;
        self.written(port, datum, contents)
    }

    /// A list of artifacts names them, without reading them; one of values is a value.
    fn list(
        &self,
        port: &Port,
        elements: Vec<Source>,
        slots: &Slots,
        contents: &mut Vec<Content>,
    ) -> Result<Output, Failure> {
        let artifacts = elements.iter().map(|element| match element {
            Source::Artifact(reference) if !matches!(reference.summary, Summary::Value(_)) => {
                Some(reference.clone())
            }
            _ => None,
        });
        if let Some(artifacts) = artifacts.collect::<Option<Vec<_>>>()
            && !artifacts.is_empty()
        {
            let (reference, content) = self.world.list(&artifacts)?;
            contents.push(content);
            return Ok(Output::new(reference, None));
        }
        let mut load = |reference: &Reference| slots.find(reference, |missing| self.world.load(missing));
        let datum = datum(&port.name, &Source::List(elements), &mut load)?;
        self.written(port, datum, contents)
    }

    fn written(&self, port: &Port, datum: Datum, contents: &mut Vec<Content>) -> Result<Output, Failure> {
        let encoded = self.world.encode("run", vec![datum], std::slice::from_ref(port))?;
        let Some(encoded) = encoded.into_iter().next() else {
            return Err(Failure::operator(format!("nothing was written for its port `{}`", port.name)));
        };
        contents.extend(encoded.contents);
        Ok(Output::in_memory(encoded.reference, encoded.datum))
    }
}
