//! How tests name nodes: by id; those in regions behind the ids of the nodes that they stand in. `nightly/clean` is a
//! node of a sub-workflow or of an arm, `days[]/load` one that runs for every element or round, and `days[3]/load`
//! that of one of them in a run.

use flow_ir::{dag::Dag, node::Node};
use flow_syntax::suggest::did_you_mean;
use rustc_hash::FxHashMap;

use super::Failure;

/// Unknown ids are answered with so many that there are.
const LISTED: usize = 12;

/// Where the nodes of a DAG are, by what a test calls them; those of regions behind the one that has them.
pub(crate) struct Index {
    places: Vec<(String, Path)>,
    by_id: FxHashMap<String, usize>,
}

/// A node's place in its body, and before it, from the outside in, those of the nodes that it stands in, each with the
/// place of its region.
type Path = Vec<u32>;

/// A node, and all of its body: ports count among these.
pub(crate) type Found<'d> = (&'d Node, &'d [Node]);

impl Index {
    pub fn of(dag: &Dag) -> Self {
        let mut places = Vec::with_capacity(dag.nodes.len());
        walk(&dag.nodes, "", &mut Vec::new(), &mut places);
        let by_id = places.iter().map(|(id, _)| id.clone()).zip(0..).collect();
        Self { places, by_id }
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.places.iter().map(|(id, _)| id.as_str())
    }

    /// The node that a test calls so.
    pub fn find<'d>(&self, dag: &'d Dag, id: &str) -> Option<Found<'d>> {
        let (_, path) = self.places.get(*self.by_id.get(id)?)?;
        at(dag, path)
    }

    pub fn nodes<'d>(&self, dag: &'d Dag) -> impl Iterator<Item = (&str, Found<'d>)> {
        self.places.iter().filter_map(|(id, path)| Some((id.as_str(), at(dag, path)?)))
    }
}

fn walk(nodes: &[Node], scope: &str, path: &mut Path, places: &mut Vec<(String, Path)>) {
    for (node, place) in nodes.iter().zip(0..) {
        path.push(place);
        let id = format!("{scope}{}", node.id);
        let inner = format!("{scope}{}", node.scope());
        places.push((id, path.clone()));
        for ((_, region), place) in node.kind.regions().into_iter().zip(0..) {
            path.push(place);
            walk(&region.nodes, &inner, path, places);
            path.pop();
        }
        path.pop();
    }
}

fn at<'d>(dag: &'d Dag, path: &[u32]) -> Option<Found<'d>> {
    let mut body: &[Node] = &dag.nodes;
    let mut steps = path.iter().map(|step| *step as usize);
    loop {
        let node = body.get(steps.next()?)?;
        let Some(region) = steps.next() else { return Some((node, body)) };
        body = &node.kind.regions().get(region)?.1.nodes;
    }
}

/// `days[3]/load` is `days[]/load`. A `for` that was decided when planned, `candidates[2].gbdt`, keeps its number.
pub fn template(id: &str) -> String {
    let mut parts: Vec<&str> = id.split('/').collect();
    let last = parts.pop().unwrap_or_default();
    let mut template = String::with_capacity(id.len());
    for part in parts {
        let open = part.rfind('[').filter(|open| {
            part.strip_suffix(']')
                .and_then(|part| part.get(open + 1..))
                .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        match open.and_then(|open| part.get(..open)) {
            Some(base) => {
                template.push_str(base);
                template.push_str("[]/");
            }
            None => {
                template.push_str(part);
                template.push('/');
            }
        }
    }
    template + last
}

/// Says that there is no such node, and which one may be meant.
pub(crate) fn unknown<'i>(id: &str, what: &str, known: impl Iterator<Item = &'i str> + Clone) -> Failure {
    let help = did_you_mean(id, known.clone()).or_else(|| {
        let mut listed: Vec<String> = known.clone().take(LISTED).map(|id| format!("`{id}`")).collect();
        if listed.is_empty() {
            return None;
        }
        if known.count() > LISTED {
            listed.push("…".to_owned());
        }
        Some(format!("there are {}", listed.join(", ")))
    });
    Failure::error(format!("there is no {what} `{id}`")).help(help)
}

#[cfg(test)]
mod tests {
    #[test]
    fn elements_have_a_template() {
        for (id, template) in [
            ("model", "model"),
            ("days[3]/load", "days[]/load"),
            ("days[]/load", "days[]/load"),
            ("nightly/clean", "nightly/clean"),
            ("folds[2].while[10]/fit", "folds[2].while[]/fit"),
            ("candidates[2].gbdt", "candidates[2].gbdt"),
            ("a[1]/b[2]/c[3]", "a[]/b[]/c[3]"),
        ] {
            assert_eq!(super::template(id), template);
        }
    }
}
