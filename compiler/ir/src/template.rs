//! Where the node of a run stands in its DAG.
//!
//! A run calls the nodes of regions after the node that runs these: `nightly/clean` in a conditional or a called
//! workflow, `days[3]/load` in a map or a loop. The instances of a region all have the same nodes, their templates,
//! which have paths without iterations: `days/load`.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    dag::Dag,
    node::{Node, NodeKind},
    region::Region,
};

/// The nodes of a DAG and of its regions, in the order of [`Dag::for_each_node`], to be found by what runs call them.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    all: Vec<Template>,
    by_path: HashMap<String, u32>,
}

/// A node of a DAG, or of a region in it.
#[derive(Clone, Debug)]
pub struct Template {
    pub path: String,
    /// The number of the template that runs the region it is in.
    pub around: Option<u32>,
    /// Which of that node's [`NodeKind::regions`] it is in.
    pub region: usize,
    /// Its place in the DAG or in that region.
    pub place: usize,
    /// It runs its regions once for each element or iteration.
    pub is_repeated: bool,
}

/// A node of a run, or one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The number of its template.
    pub template: u32,
    /// In which the next step stands, where the template is repeated.
    pub iteration: u64,
}

/// The path of a node's template as far as its id tells, without the DAG: of `models[2]/clean` it cannot be known whether
/// `models` is run for each of several elements, or `models[2]` is called so; both give `models/clean`.
pub fn path_of(id: &str) -> Cow<'_, str> {
    if !id.contains("]/") {
        return Cow::Borrowed(id);
    }
    let (around, own) = id.rsplit_once('/').unwrap_or(("", id));
    let mut path = String::with_capacity(id.len());
    for part in around.split('/') {
        let iterated = part.strip_suffix(']').and_then(|part| part.rsplit_once('['));
        let is_iteration = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        path.push_str(iterated.filter(|(_, text)| is_iteration(text)).map_or(part, |(part, _)| part));
        path.push('/');
    }
    path.push_str(own);
    Cow::Owned(path)
}

impl Templates {
    /// O(nodes).
    pub fn new(dag: &Dag) -> Self {
        let mut templates = Self::default();
        templates.add(&dag.nodes, None, 0);
        templates
    }

    /// A node of a run with those around it, the outermost first; none where the DAG has no such node.
    pub fn steps(&self, id: &str) -> Option<Vec<Step>> {
        if let Some(template) = self.by_path.get(id).copied()
            && self.get(template)?.around.is_none()
        {
            return Some(vec![Step { template, iteration: 0 }]);
        }
        // Ids may have slashes and brackets of their own.
        id.rmatch_indices('/')
            .find_map(|(slash, _)| self.steps_within(id.get(..slash)?, id.get(slash + 1..)?))
    }

    /// The number of a node's template.
    pub fn find(&self, id: &str) -> Option<u32> {
        Some(self.steps(id)?.last()?.template)
    }

    /// The number of the template with this path.
    pub fn at(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    pub fn get(&self, template: u32) -> Option<&Template> {
        self.all.get(template as usize)
    }

    /// The node that a template is, in the DAG that these are of.
    pub fn node<'d>(&self, dag: &'d Dag, template: u32) -> Option<&'d Node> {
        let Template { around, region, place, .. } = self.get(template)?;
        match around {
            None => dag.nodes.get(*place),
            Some(around) => self.region(dag, *around, *region)?.nodes.get(*place),
        }
    }

    /// One of a template's regions.
    pub fn region<'d>(&self, dag: &'d Dag, template: u32, region: usize) -> Option<&'d Region> {
        Some(self.node(dag, template)?.kind.regions().get(region)?.1)
    }

    fn add(&mut self, nodes: &[Node], around: Option<u32>, region: usize) {
        let path_around =
            around.and_then(|around| self.get(around)).map(|around| format!("{}/", around.path));
        for (place, node) in nodes.iter().enumerate() {
            let path = format!("{}{}", path_around.as_deref().unwrap_or_default(), node.id);
            let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
            self.by_path.entry(path.clone()).or_insert(number);
            let is_repeated = matches!(node.kind, NodeKind::Map { .. } | NodeKind::Loop { .. });
            self.all.push(Template { path, around, region, place, is_repeated });
            for (region, (_, body)) in node.kind.regions().into_iter().enumerate() {
                self.add(&body.nodes, Some(number), region);
            }
        }
    }

    /// `own` in the instance that `around` names: `nightly`, or `days[3]`.
    fn steps_within(&self, around: &str, own: &str) -> Option<Vec<Step>> {
        let indexed = around.strip_suffix(']').and_then(|around| {
            let (around, iteration) = around.rsplit_once('[')?;
            Some((around, iteration.parse().ok()?))
        });
        let of = |id: &str, repeated: bool, iteration: u64| {
            let mut steps = self.steps(id)?;
            let last = steps.last_mut()?;
            last.iteration = iteration;
            let template = self.get(last.template)?;
            let number = *self.by_path.get(&format!("{}/{own}", template.path))?;
            steps.push(Step { template: number, iteration: 0 });
            (template.is_repeated == repeated).then_some(steps)
        };
        of(around, false, 0).or_else(|| indexed.and_then(|(around, iteration)| of(around, true, iteration)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Policy, region::Region};

    fn node(id: &str, kind: NodeKind) -> Node {
        let (inputs, outputs, after) = (Vec::new(), Vec::new(), Vec::new());
        Node {
            id: id.to_owned(),
            kind,
            inputs,
            outputs,
            after,
            policy: Policy::default(),
            effect: false,
            deterministic: true,
        }
    }

    fn region(nodes: Vec<Node>) -> Region {
        Region { parameters: Vec::new(), nodes, outputs: Vec::new() }
    }

    #[test]
    fn nodes_of_runs_are_found_in_regions_of_regions() {
        let inner = node(
            "inner",
            NodeKind::Workflow { name: "inner".to_owned(), body: region(vec![node("load", NodeKind::Pass)]) },
        );
        let days = node("days[]", NodeKind::Map { max: 9, body: region(vec![inner]) });
        let dag = Dag {
            workflow: "w".to_owned(),
            parameters: Vec::new(),
            nodes: vec![node("models[2].gbdt", NodeKind::Pass), days],
            outputs: Vec::new(),
            origin: None,
        };
        let templates = Templates::new(&dag);
        for (id, path) in [
            ("models[2].gbdt", Some("models[2].gbdt")),
            ("days[]", Some("days[]")),
            ("days[][3]/inner", Some("days[]/inner")),
            ("days[][12]/inner/load", Some("days[]/inner/load")),
            // Not without the iteration, nor with one where there is none.
            ("days[]/inner", None),
            ("days[][3]/inner[1]/load", None),
            ("days[][x]/inner", None),
            ("days[][3]", None),
            ("other/load", None),
            ("", None),
            ("/", None),
        ] {
            let found = templates.find(id).and_then(|number| templates.get(number));
            assert_eq!(found.map(|template| template.path.as_str()), path, "{id}");
        }
        assert_eq!(path_of("days[][3]/inner/x[1]"), "days[]/inner/x[1]");
        assert_eq!(path_of("a[1]/b[2]/c"), "a/b/c");
        assert_eq!(path_of("a[1].b"), "a[1].b");
        let steps = templates.steps("days[][12]/inner/load").unwrap();
        assert_eq!(steps.iter().map(|step| step.iteration).collect::<Vec<_>>(), [12, 0, 0]);
        let last = steps.last().unwrap().template;
        assert_eq!(templates.node(&dag, last).unwrap().id, "load");
    }
}
