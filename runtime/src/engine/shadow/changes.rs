//! What in a DAG is another than in the one that a recorded run was of.

use std::{fmt::Write, rc::Rc};

use flow_ir::{
    dag::{Dag, Output},
    node::{Input, Node, NodeIndex, NodeKind, PortRef},
    region::Region,
    template::{Step, Templates},
};
use rustc_hash::FxHashMap;

/// All nodes of a DAG and of its regions, by their templates' paths.
#[derive(Debug, Default)]
pub struct Shapes {
    nodes: FxHashMap<String, Shape>,
}

/// All of a node that its results follow from, with other nodes by their ids: what is equal does the same. Hashes
/// would do, and say less to those who debug.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    kind: String,
    inputs: Vec<(String, String)>,
    /// Of its regions, in their order.
    outputs: Vec<Vec<String>>,
}

/// For each node of a run of the DAG, whether it or anything that it rests on has changed.
#[derive(Debug)]
pub struct Changes<'a> {
    dag: &'a Dag,
    templates: Templates,
    before: &'a Shapes,
    now: Shapes,
    /// By the steps that lead to it, and which region of the last it is.
    scopes: FxHashMap<(Vec<Step>, usize), Rc<Scope>>,
}

/// What has changed in the DAG, or in an instance of a region.
#[derive(Debug, Default)]
struct Scope {
    /// By their places.
    nodes: Vec<NodeChange>,
    parameters: Vec<(String, bool)>,
}

#[derive(Debug)]
struct NodeChange {
    has_changed: bool,
    /// Where one port may have changed without the others: those of a called workflow, or of a map.
    ports: Option<Vec<bool>>,
}

impl Shapes {
    pub fn new(dag: &Dag, templates: &Templates) -> Self {
        let mut nodes = FxHashMap::default();
        let mut number = 0;
        dag.for_each_node(&mut |node| {
            if let Some(template) = templates.get(number) {
                let around =
                    template.around.and_then(|around| templates.region(dag, around, template.region));
                let shape = match around {
                    Some(region) => Shape::new(node, &Names { nodes: &region.nodes, dag: None }),
                    None => Shape::new(node, &Names { nodes: &dag.nodes, dag: Some(dag) }),
                };
                nodes.insert(template.path.clone(), shape);
            }
            number += 1;
        });
        Self { nodes }
    }
}

impl<'a> Changes<'a> {
    pub fn new(dag: &'a Dag, before: &'a Shapes) -> Self {
        let templates = Templates::new(dag);
        let now = Shapes::new(dag, &templates);
        Self { dag, templates, before, now, scopes: FxHashMap::default() }
    }

    /// Whether a node of a run has; one that the DAG lacks counts as changed.
    pub fn has_changed(&mut self, id: &str) -> bool {
        let Some(steps) = self.templates.steps(id) else { return true };
        let Some((node, around)) = steps.split_last() else { return true };
        let Some(template) = self.templates.get(node.template) else { return true };
        let (region, place) = (template.region, template.place);
        self.scope(around, region).nodes.get(place).is_none_or(|node| node.has_changed)
    }

    /// The instance of a region that these steps lead to.
    fn scope(&mut self, around: &[Step], region: usize) -> Rc<Scope> {
        let key = self.key(around, region);
        if let Some(scope) = self.scopes.get(&key) {
            return scope.clone();
        }
        let Some((owner, outside)) = around.split_last() else {
            let scope = Rc::new(self.changed_in(&self.dag.nodes, &[], "", Vec::new()));
            self.scopes.insert(key, scope.clone());
            return scope;
        };
        let outer_region = self.templates.get(owner.template).map_or(0, |template| template.region);
        let outer = self.scope(outside, outer_region);
        self.instance(around, region, &outer)
    }

    fn key(&self, around: &[Step], region: usize) -> (Vec<Step>, usize) {
        (around.iter().map(|step| self.alike(*step)).collect(), region)
    }

    /// All iterations but the first change alike: where a loop's state has not changed at first, it has later if what
    /// its body gives in the first iteration has, and that neither comes nor goes with further ones.
    fn alike(&self, step: Step) -> Step {
        let template = self.templates.get(step.template);
        let is_loop = template.is_some_and(|template| template.is_repeated)
            && self
                .templates
                .node(self.dag, step.template)
                .is_some_and(|node| matches!(node.kind, NodeKind::Loop { .. }));
        Step { iteration: if is_loop { step.iteration.min(1) } else { 0 }, ..step }
    }

    /// Likewise, with the scope around, which may end with the node that runs the region.
    fn instance(&mut self, around: &[Step], region: usize, outer: &Scope) -> Rc<Scope> {
        let key = self.key(around, region);
        if let Some(scope) = self.scopes.get(&key) {
            return scope.clone();
        }
        let dag = self.dag;
        let found = around.last().and_then(|owner| {
            let path = self.templates.get(owner.template)?.path.clone();
            let node = self.templates.node(dag, owner.template)?;
            Some((*owner, path, node, node.kind.regions().get(region)?.1))
        });
        let Some((owner, path, node, body)) = found else { return Rc::default() };
        let mut parameters = Vec::with_capacity(body.parameters.len());
        for (place, parameter) in body.parameters.iter().enumerate() {
            let name = match &node.kind {
                NodeKind::Map { .. } if place == 0 => "over",
                NodeKind::Loop { .. } if place == 0 => "from",
                _ => &parameter.name,
            };
            let has_changed = match &node.kind {
                NodeKind::Loop { body, .. } if place == 0 && owner.iteration > 0 => {
                    self.state_changed(around, &path, body, outer)
                }
                _ => self.input_changed(&path, node, name, outer),
            };
            parameters.push((parameter.name.clone(), has_changed));
        }
        let scope = Rc::new(self.changed_in(&body.nodes, around, &format!("{path}/"), parameters));
        self.scopes.insert(key, scope.clone());
        scope
    }

    /// Whether what the body of a loop gives in its first iteration has.
    fn state_changed(&mut self, around: &[Step], path: &str, body: &Region, outer: &Scope) -> bool {
        /// Behind the condition; see [`NodeKind::regions`].
        const BODY: usize = 1;
        let mut first = around.to_vec();
        if let Some(last) = first.last_mut() {
            last.iteration = 0;
        }
        let scope = self.instance(&first, BODY, outer);
        (0..body.outputs.len()).any(|output| self.output_changed(path, BODY, body, output, &scope))
    }

    fn changed_in(
        &mut self,
        nodes: &[Node],
        around: &[Step],
        prefix: &str,
        parameters: Vec<(String, bool)>,
    ) -> Scope {
        let mut scope = Scope { nodes: Vec::with_capacity(nodes.len()), parameters };
        for node in nodes {
            let path = format!("{prefix}{}", node.id);
            let has_changed = self.before.nodes.get(&path) != self.now.nodes.get(&path)
                || node.after.iter().any(|before| scope.has_changed(*before))
                || node.inputs.iter().any(|(_, input)| scope.reads_changed(input));
            let ports = if has_changed { self.ports_changed(&path, node, around, &scope) } else { None };
            scope.nodes.push(NodeChange { has_changed, ports });
        }
        scope
    }

    /// Which ports of a node have that has itself; none where it is all of them.
    fn ports_changed(
        &mut self,
        path: &str,
        node: &Node,
        around: &[Step],
        outer: &Scope,
    ) -> Option<Vec<bool>> {
        let body = match &node.kind {
            NodeKind::Workflow { body, .. } => body,
            NodeKind::Map { body, .. } if !self.input_changed(path, node, "over", outer) => body,
            _ => return None,
        };
        let template = self.templates.at(path)?;
        let around: Vec<Step> = around.iter().copied().chain([Step { template, iteration: 0 }]).collect();
        let scope = self.instance(&around, 0, outer);
        let outputs = 0..body.outputs.len();
        Some(outputs.map(|output| self.output_changed(path, 0, body, output, &scope)).collect())
    }

    fn output_changed(&self, path: &str, region: usize, body: &Region, output: usize, scope: &Scope) -> bool {
        let text = |shapes: &Shapes| shapes.nodes.get(path)?.outputs.get(region)?.get(output).cloned();
        let reads_changed = |output: &Output| scope.reads_changed(&output.input);
        text(self.before) != text(&self.now) || body.outputs.get(output).is_none_or(reads_changed)
    }

    fn input_changed(&self, path: &str, node: &Node, name: &str, scope: &Scope) -> bool {
        let text = |shapes: &Shapes| shapes.nodes.get(path)?.input(name).map(str::to_owned);
        text(self.before) != text(&self.now)
            || node.input(name).is_none_or(|input| scope.reads_changed(input))
    }
}

impl Scope {
    fn has_changed(&self, node: NodeIndex) -> bool {
        self.nodes.get(node.0 as usize).is_some_and(|node| node.has_changed)
    }

    fn port_changed(&self, port: PortRef) -> bool {
        self.nodes.get(port.node.0 as usize).is_some_and(|node| {
            let by_port = node.ports.as_ref().and_then(|ports| ports.get(port.port as usize));
            by_port.copied().unwrap_or(node.has_changed)
        })
    }

    fn reads_changed(&self, input: &Input) -> bool {
        let mut changed = false;
        input.for_each_port(&mut |port| changed |= self.port_changed(port));
        input.for_each_parameter(&mut |name| {
            changed |= self.parameters.iter().any(|(parameter, changed)| parameter == name && *changed);
        });
        changed
    }
}

impl Shape {
    fn new(node: &Node, names: &Names<'_>) -> Self {
        let regions = node.kind.regions().into_iter().map(|(_, region)| {
            let names = Names { nodes: &region.nodes, dag: None };
            region.outputs.iter().map(|output| names.text(&output.input)).collect()
        });
        Self {
            kind: format!("{:?} {:?}", node.kind, node.outputs),
            inputs: node.inputs.iter().map(|(name, input)| (name.clone(), names.text(input))).collect(),
            outputs: regions.collect(),
        }
    }

    fn input(&self, name: &str) -> Option<&str> {
        self.inputs.iter().find(|(input, _)| input == name).map(|(_, text)| text.as_str())
    }
}

/// What inputs name: nodes of the DAG or of a region, and the DAG's parameters.
struct Names<'a> {
    nodes: &'a [Node],
    /// None in a region, where the names of parameters are all there is.
    dag: Option<&'a Dag>,
}

impl Names<'_> {
    fn text(&self, input: &Input) -> String {
        let mut text = String::new();
        self.write(input, &mut text);
        text
    }

    fn write(&self, input: &Input, text: &mut String) {
        let write_all = |inputs: &[(String, Input)], text: &mut String| {
            for (name, input) in inputs {
                let _ = write!(text, "({name} = ");
                self.write(input, text);
                text.push(')');
            }
        };
        match input {
            Input::Constant(value) => drop(write!(text, "{value:?}")),
            Input::Parameter(name) => {
                let parameters = self.dag.map(|dag| &dag.parameters).into_iter().flatten();
                let value = parameters.filter(|parameter| parameter.name == *name).map(|found| &found.value);
                let _ = match self.dag {
                    Some(_) => write!(text, "{:?}", value.collect::<Vec<_>>()),
                    None => write!(text, "the parameter {name}"),
                };
            }
            Input::Port(PortRef { node, port }) => {
                let _ = write!(text, "{:?}.{port}", self.nodes.get(node.0 as usize).map(|node| &node.id));
            }
            Input::Expression { expr, bindings } => {
                write_all(bindings, text);
                let _ = write!(text, "{expr:?}");
            }
            Input::Record(fields) => write_all(fields, text),
            Input::List(inputs) => {
                for input in inputs {
                    text.push('[');
                    self.write(input, text);
                    text.push(']');
                }
            }
        }
    }
}
