//! From a DAG to cards and links.

use std::collections::{BTreeSet, HashMap};

use super::{
    card::{Body, Card, Gives, Link, Panel, Scene, Shape},
    face::{Pill, many_card, many_pills, node_card, output_card, parameter_card},
    fold::{MOST_CARDS, groups},
    tally::{Tallies, Tally},
};
use crate::{
    dag::{Dag, Output},
    node::Node,
    region::Region,
    types::Type,
};

/// Regions within each other that are drawn; deeper ones are cards.
const MOST_DEEP: usize = 4;
/// Scalar parameters that more nodes read than this are listed and have no card.
const MOST_READERS: usize = 4;
/// More parameters, or outputs, than this of one body share a card.
const MOST_PILLS: usize = 12;

/// What there is to draw; `tallies` are empty without a run.
pub fn scene(dag: &Dag, tallies: &Tallies) -> Scene {
    let mut builder = Builder { tallies, room: MOST_CARDS };
    let parameters = dag.parameters.iter().map(|parameter| Pill {
        name: &parameter.name,
        value: Some(parameter.value.to_string()),
        gives: Gives::of(&parameter.ty),
    });
    let parameters: Vec<Pill<'_>> = parameters.collect();
    let mut readers: HashMap<&str, usize> = HashMap::new();
    let inputs = dag.nodes.iter().flat_map(|node| &node.inputs).map(|(_, input)| input);
    for input in inputs.chain(dag.outputs.iter().map(|output| &output.input)) {
        input.for_each_parameter(&mut |name| *readers.entry(name).or_default() += 1);
    }
    let (drawn, listed): (Vec<Pill<'_>>, Vec<Pill<'_>>) = parameters.into_iter().partition(|parameter| {
        let count = readers.get(parameter.name).copied().unwrap_or(0);
        count > 0 && (count <= MOST_READERS || parameter.gives != Gives::Value)
    });
    let body = builder.body(&Scope { path: "", depth: 0 }, &drawn, &dag.nodes, &dag.outputs);
    Scene {
        workflow: dag.workflow.clone(),
        nodes: dag.nodes.iter().map(count).sum(),
        listed: listed
            .into_iter()
            .map(|pill| (pill.name.to_owned(), pill.value.unwrap_or_default()))
            .collect(),
        is_of_run: !tallies.is_empty(),
        body,
    }
}

/// The nodes that run: this one, and those of its regions.
fn count(node: &Node) -> usize {
    let regions = node.kind.regions();
    1 + regions.into_iter().flat_map(|(_, region)| &region.nodes).map(count).sum::<usize>()
}

/// Where a body stands.
struct Scope<'a> {
    path: &'a str,
    depth: usize,
}

struct Builder<'a> {
    tallies: &'a Tallies,
    /// Cards that may yet be drawn within regions.
    room: usize,
}

impl Builder<'_> {
    fn body(
        &mut self,
        scope: &Scope<'_>,
        parameters: &[Pill<'_>],
        nodes: &[Node],
        outputs: &[Output],
    ) -> Body {
        let edges = edges(nodes);
        let pairs: Vec<(usize, usize)> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let groups = groups(nodes, &pairs);
        let mut body = Body::default();
        let several = parameters.len() > MOST_PILLS;
        if several {
            body.cards.push(many_pills(
                Shape::Parameter,
                "parameters",
                parameters.iter().map(|pill| pill.name),
            ));
        } else {
            body.cards.extend(parameters.iter().map(parameter_card));
        }
        let parameter_of: HashMap<&str, usize> = parameters
            .iter()
            .enumerate()
            .map(|(number, pill)| (pill.name, if several { 0 } else { number }))
            .collect();
        let first = body.cards.len();
        let mut cards: Vec<(usize, usize)> = Vec::with_capacity(nodes.len());
        for (number, group) in groups.iter().enumerate() {
            cards.extend(group.iter().map(|node| (*node, first + number)));
            body.cards.push(self.group_card(scope, nodes, group));
        }
        cards.sort_unstable();
        let card_of: Vec<usize> = cards.into_iter().map(|(_, card)| card).collect();
        self.open_regions(scope, nodes, &groups, body.cards.get_mut(first..).unwrap_or_default());

        let mut links = BTreeSet::new();
        let port_of = |cards: &[Card], card: usize, port: u32| {
            let port = port as usize;
            cards.get(card).is_some_and(|card| port < card.ports.len()).then_some(port)
        };
        for edge in &edges {
            let (Some(&from), Some(&to)) = (card_of.get(edge.from), card_of.get(edge.to)) else { continue };
            let port = edge.port.and_then(|port| port_of(&body.cards, from, port));
            if from != to {
                links.insert(Link { from, port, to, has_data: edge.port.is_some() });
            }
        }
        for (node, to) in nodes.iter().zip(&card_of) {
            for (_, input) in &node.inputs {
                input.for_each_parameter(&mut |name| {
                    links.extend(parameter_of.get(name).map(|from| Link {
                        from: *from,
                        port: None,
                        to: *to,
                        has_data: true,
                    }));
                });
            }
        }
        let names = outputs.iter().map(|output| output.name.as_str());
        let several = outputs.len() > MOST_PILLS;
        let outputs = outputs.iter().filter(|output| output.ty != Type::Nothing);
        for (number, output) in outputs.enumerate() {
            if number == 0 && several {
                body.cards.push(many_pills(Shape::Output, "outputs", names.clone()));
            } else if !several {
                body.cards.push(output_card(output));
            }
            let to = body.cards.len() - 1;
            output.input.for_each_port(&mut |port| {
                if let Some(from) = card_of.get(port.node.0 as usize) {
                    let port = port_of(&body.cards, *from, port.port);
                    links.insert(Link { from: *from, port, to, has_data: true });
                }
            });
            output.input.for_each_parameter(&mut |name| {
                let from = parameter_of.get(name);
                links.extend(from.map(|from| Link { from: *from, port: None, to, has_data: true }));
            });
        }
        body.links = without_doubles(links);
        body
    }

    /// Draws regions within their cards, the smallest first, as long as there is room.
    fn open_regions(&mut self, scope: &Scope<'_>, nodes: &[Node], groups: &[Vec<usize>], cards: &mut [Card]) {
        let single = |group: &Vec<usize>| match group.as_slice() {
            [node] => nodes.get(*node),
            _ => None,
        };
        let mut with_regions: Vec<(usize, usize, &Node)> = groups
            .iter()
            .enumerate()
            .filter_map(|(card, group)| single(group).map(|node| (card, node)))
            .filter(|(_, node)| !node.kind.regions().is_empty())
            .map(|(card, node)| (count(node), card, node))
            .collect();
        with_regions.sort_by_key(|(size, card, _)| (*size, *card));
        for (size, card, node) in with_regions {
            let Some(card) = cards.get_mut(card) else { continue };
            let room = self.room;
            let panels = (scope.depth < MOST_DEEP && room > 0).then(|| self.panels(scope, node));
            let drawn = panels.iter().flatten().map(|panel| panel.body.cards.len()).sum::<usize>();
            match panels {
                Some(panels) if drawn <= self.room => {
                    self.room -= drawn;
                    card.panels = panels;
                }
                _ => {
                    self.room = room;
                    card.hidden = size - 1;
                }
            }
        }
    }

    fn panels(&mut self, scope: &Scope<'_>, node: &Node) -> Vec<Panel> {
        let path = format!("{}{}", scope.path, node.scope());
        let scope = Scope { path: &path, depth: scope.depth + 1 };
        let regions = node.kind.regions();
        let several = regions.len() > 1;
        regions
            .into_iter()
            .map(|(part, region)| Panel {
                title: match part {
                    "otherwise" => "else",
                    part if several => part,
                    _ => "",
                },
                body: self.region(&scope, region),
            })
            .collect()
    }

    fn region(&mut self, scope: &Scope<'_>, region: &Region) -> Body {
        let parameters = region.parameters.iter();
        let parameters: Vec<Pill<'_>> = parameters
            .map(|port| Pill { name: &port.name, value: None, gives: Gives::of(&port.ty) })
            .collect();
        self.body(scope, &parameters, &region.nodes, &region.outputs)
    }

    fn group_card(&self, scope: &Scope<'_>, nodes: &[Node], group: &[usize]) -> Card {
        let members: Vec<&Node> = group.iter().filter_map(|node| nodes.get(*node)).collect();
        let mut tally = Tally::default();
        members.iter().for_each(|node| tally.add(&self.tallies.of(scope.path, node)));
        match members.as_slice() {
            [] => Card::default(),
            [node] => Card { tally, ..node_card(node, nodes) },
            [first, ..] => {
                let hidden = members.iter().map(|node| count(node) - 1).sum();
                Card { tally, hidden, ..many_card(first, &members) }
            }
        }
    }
}

/// An edge between nodes of one body; one without a port carries no data.
#[derive(PartialEq)]
struct NodeEdge {
    from: usize,
    port: Option<u32>,
    to: usize,
}

/// Each once. What a node reads from itself or from a later one is no DAG's, and is left out.
fn edges(nodes: &[Node]) -> Vec<NodeEdge> {
    let mut edges = Vec::new();
    for (to, node) in nodes.iter().enumerate() {
        let mut own = BTreeSet::new();
        for (_, input) in &node.inputs {
            input.for_each_port(&mut |port| {
                own.insert((port.node.0 as usize, Some(port.port)));
            });
        }
        own.extend(node.after.iter().map(|after| (after.0 as usize, None)));
        edges.extend(own.into_iter().filter(|(from, _)| *from < to).map(|(from, port)| NodeEdge {
            from,
            port,
            to,
        }));
    }
    edges
}

/// Of two links between the same cards that say the same, one is drawn; waiting is implied where data flows.
fn without_doubles(links: BTreeSet<Link>) -> Vec<Link> {
    let with_data: BTreeSet<(usize, usize)> =
        links.iter().filter(|link| link.has_data).map(|link| (link.from, link.to)).collect();
    links.into_iter().filter(|link| link.has_data || !with_data.contains(&(link.from, link.to))).collect()
}
