//! That a node has the inputs, the ports and the regions that its kind needs.

use rustc_hash::FxHashSet;

use flow_ir::{
    node::{Input, Node, NodeKind},
    region::Region,
    types::Type,
};

use super::graph::{Graph, GraphError, Kind};

/// What the node is to the decider, with the graphs of its regions.
pub(super) fn kind(node: &Node) -> Result<Kind, GraphError> {
    let shape = Shape { node };
    Ok(match &node.kind {
        NodeKind::Task(_) | NodeKind::Expression(_) => Kind::Plain,
        NodeKind::Query { body } => {
            shape.query(body)?;
            Kind::Plain
        }
        NodeKind::Pass => {
            shape.ports(|port| node.input(port).is_some(), "input")?;
            Kind::Pass
        }
        NodeKind::Wait => {
            shape.one_port()?;
            shape.inputs(&["value", "duration"])?;
            Kind::Wait
        }
        NodeKind::WaitFor => {
            shape.one_port()?;
            shape.inputs(&["value", "name"])?;
            Kind::WaitFor
        }
        NodeKind::Conditional { then, otherwise } => {
            shape.inputs(&["condition"])?;
            shape.own_ids(&[then, otherwise])?;
            Kind::Conditional {
                then: shape.region(then, None, None)?,
                otherwise: shape.region(otherwise, None, None)?,
            }
        }
        NodeKind::Map { max, body } => {
            shape.inputs(&["over"])?;
            Kind::Map { max: *max, body: shape.region(body, Some("element"), None)? }
        }
        NodeKind::Loop { max, condition, body } => {
            shape.state_ports(body)?;
            shape.inputs(&["from"])?;
            shape.own_ids(&[condition, body])?;
            Kind::Loop {
                max: *max,
                condition: shape.region(condition, Some("state"), Some(1))?,
                body: shape.region(body, Some("state"), Some(1))?,
            }
        }
        NodeKind::Workflow { body, .. } => Kind::Workflow { body: shape.region(body, None, None)? },
    })
}

struct Shape<'a> {
    node: &'a Node,
}

impl Shape<'_> {
    fn wrong<T>(&self, problem: String) -> Result<T, GraphError> {
        Err(GraphError::Shape { node: self.node.id.clone(), kind: self.node.kind.name(), problem })
    }

    fn inputs(&self, names: &[&str]) -> Result<(), GraphError> {
        match names.iter().find(|name| self.node.input(name).is_none()) {
            Some(name) => self.wrong(format!("has no input `{name}`")),
            None => Ok(()),
        }
    }

    fn one_port(&self) -> Result<(), GraphError> {
        match self.node.outputs.len() {
            1 => Ok(()),
            ports => self.wrong(format!("has {ports} ports instead of one")),
        }
    }

    /// The steps run as one operator does: what starts a process or is seen outside is a node of its own.
    fn query(&self, steps: &Region) -> Result<(), GraphError> {
        self.one_port()?;
        self.region(steps, None, Some(1))?;
        steps.misfit_for_query().map_or(Ok(()), |problem| self.wrong(problem))
    }

    /// The state, or the fields of the record that it is.
    fn state_ports(&self, body: &Region) -> Result<(), GraphError> {
        let state = body.parameters.first().map(|parameter| &parameter.ty);
        match (self.node.outputs.as_slice(), state) {
            ([_], _) => Ok(()),
            (_, Some(Type::Record(state))) => {
                self.ports(|port| state.field(port).is_some(), "field of the state")
            }
            _ => self.one_port(),
        }
    }

    fn ports(&self, gives: impl Fn(&str) -> bool, what: &str) -> Result<(), GraphError> {
        match self.node.outputs.iter().find(|port| !gives(&port.name)) {
            Some(port) => self.wrong(format!("no {what} gives its port `{}`", port.name)),
            None => Ok(()),
        }
    }

    /// Ids are told apart by nothing else where one arm runs and the other's nodes are skipped.
    fn own_ids(&self, regions: &[&Region]) -> Result<(), GraphError> {
        let mut ids = FxHashSet::default();
        match regions.iter().flat_map(|region| &region.nodes).find(|node| !ids.insert(node.id.as_str())) {
            Some(node) => self.wrong(format!("two nodes in its regions have the id `{}`", node.id)),
            None => Ok(()),
        }
    }

    /// `first` is what the first parameter is bound to, where that is no input. A region of a set number of
    /// outputs gives them by place, all others by name.
    fn region(
        &self,
        region: &Region,
        first: Option<&str>,
        outputs: Option<usize>,
    ) -> Result<std::sync::Arc<Graph>, GraphError> {
        if let Some(first) = first
            && region.parameters.is_empty()
        {
            return self.wrong(format!("a region of it has no parameter for the {first}"));
        }
        let bound = region.parameters.get(usize::from(first.is_some())..).unwrap_or_default();
        if let Some(unbound) = bound.iter().find(|parameter| self.node.input(&parameter.name).is_none()) {
            return self.wrong(format!("no input is bound to the parameter `{}` of a region", unbound.name));
        }
        match outputs {
            None => self.ports(|port| region.outputs.iter().any(|output| output.name == port), "region")?,
            Some(count) if count == region.outputs.len() => {}
            Some(count) => {
                let found = region.outputs.len();
                return self.wrong(format!("a region of it has {found} outputs instead of {count}"));
            }
        }
        let inputs = region.nodes.iter().flat_map(|node| &node.inputs).map(|(_, input)| input);
        for input in inputs.chain(region.outputs.iter().map(|output| &output.input)) {
            if let Some(name) = unknown(input, region) {
                return self
                    .wrong(format!("a region of it reads `{name}`, which is no parameter of the region"));
            }
        }
        Graph::of_region(region)
    }
}

/// A parameter that the input reads, and the region has not.
fn unknown<'a>(input: &'a Input, region: &Region) -> Option<&'a str> {
    match input {
        Input::Parameter(name) => {
            let is_known = region.parameters.iter().any(|parameter| parameter.name == *name);
            (!is_known).then_some(name)
        }
        Input::List(inputs) => inputs.iter().find_map(|input| unknown(input, region)),
        Input::Record(inputs) | Input::Expression { bindings: inputs, .. } => {
            inputs.iter().find_map(|(_, input)| unknown(input, region))
        }
        Input::Constant(_) | Input::Port(_) => None,
    }
}
