//! An artifact that a node gave is missing or damaged: whoever made it makes it again, and with it all that gave it
//! on, by itself or in a list.

use flow_ir::{hash::Hash, node::NodeKind};
use rustc_hash::FxHashSet;

use super::{Driver, World, nodes};
use crate::{
    artifact::{ArtifactError, Reference, Summary},
    decide::{Event, Place},
    task::Failure,
};

/// What a node could not read.
#[derive(Clone, Copy)]
struct Loss {
    /// What it read: the artifact, or a list that holds it.
    of: Hash,
    artifact: Hash,
}

impl<W: World> Driver<W> {
    /// An input is missing or corrupt: its nodes must run again, unless one of them has an effect.
    pub(super) fn input_lost(&mut self, node: u32, attempt: u32, of: Hash, error: &ArtifactError) {
        let failure = || Failure::Input { of, error: error.clone() };
        let loss = Loss { of, artifact: error.hash() };
        let mut givers = Vec::new();
        self.add_givers(node, loss, &mut givers);
        // Who stands furthest outside has made it: those within only gave it on.
        let Some(producer) = givers.iter().copied().min_by_key(|giver| self.depth(*giver)) else {
            return self.fail(node, attempt, failure());
        };
        if let Some(giver) = givers.iter().find(|giver| self.has_effect(**giver)) {
            let giver = &self.ids[*giver as usize];
            let message = format!("{error}; `{giver}`, which gave it, has an effect and is not run twice");
            return self.fail(node, attempt, Failure::operator(message));
        }
        let mut lost = FxHashSet::from_iter([loss.artifact, loss.of]);
        // The cache must not give them on either.
        lost.extend(
            givers.iter().flat_map(|giver| self.holding(*giver, loss)).map(|reference| reference.hash),
        );
        self.batch.lost.extend(&lost);
        self.lost.extend(lost);
        if let Err(cannot) = self.world.remove(loss.artifact) {
            let message = format!("{error}; it cannot be replaced: {cannot}");
            return self.fail(node, attempt, Failure::operator(message));
        }
        for giver in givers {
            self.nodes[giver as usize].lost = Some(loss.artifact);
            self.nodes[giver as usize].failure = Some(failure());
            if giver != producer {
                let attempt = self.setup.state.attempt(giver);
                self.step(&Event::OutputLost { node: giver, attempt });
            }
        }
        self.nodes[node as usize].failure = Some(failure());
        let producer_attempt = self.setup.state.attempt(producer);
        self.step(&Event::InputLost { node, attempt, producer, producer_attempt });
    }

    /// The nodes from which this one has what it reads: of its own scope, of its regions, of earlier iterations of
    /// the loop that it stands in, or of the scope around it; and those from which they have it in turn.
    fn add_givers(&self, node: u32, loss: Loss, givers: &mut Vec<u32>) {
        let state = &self.setup.state;
        let mut found: Vec<u32> =
            state.producers(node).filter(|producer| self.gave(*producer, loss)).collect();
        if found.is_empty() {
            found = self.within_places(state.places(node), loss);
        }
        let place = state.instance(state.scope(node)).map(|instance| instance.place);
        if let Some(place) = place.filter(|_| found.is_empty()) {
            let is_before = |earlier: &Place| earlier.iteration < place.iteration;
            let is_loop = self.kind(place.node).is_some_and(|kind| matches!(kind, NodeKind::Loop { .. }));
            if is_loop {
                let earlier = state.places(place.node).into_iter().filter(is_before).collect();
                found = self.within_places(earlier, loss);
            }
            if found.is_empty() {
                return self.add_givers(place.node, loss, givers);
            }
        }
        for giver in found {
            if givers.contains(&giver) {
                continue;
            }
            givers.push(giver);
            for inner in self.within_places(state.places(giver), loss) {
                if !givers.contains(&inner) {
                    givers.push(inner);
                }
            }
            // Whoever makes nothing by itself gave on what it read.
            if self
                .kind(giver)
                .is_some_and(|kind| !matches!(kind, NodeKind::Task(_) | NodeKind::Query { .. }))
            {
                self.add_givers(giver, loss, givers);
            }
        }
    }

    /// The nodes in instances of regions that gave it, and those in their regions.
    fn within_places(&self, places: Vec<Place>, loss: Loss) -> Vec<u32> {
        let state = &self.setup.state;
        let instances = places.into_iter().filter_map(|place| state.instance(state.scope_at(place)?));
        let mut found = Vec::new();
        for inner in instances.flat_map(|instance| instance.nodes).filter(|inner| self.gave(*inner, loss)) {
            found.extend(self.within_places(state.places(inner), loss));
            found.push(inner);
        }
        found
    }

    fn gave(&self, node: u32, loss: Loss) -> bool {
        self.holding(node, loss).next().is_some()
    }

    /// Which outputs of a node are what is lost, or lists that hold it.
    fn holding(&self, node: u32, loss: Loss) -> impl Iterator<Item = &Reference> {
        let outputs = self.nodes.get(node as usize).map(|data| data.outputs.as_slice()).unwrap_or_default();
        outputs.iter().map(|output| &output.reference).filter(move |reference| self.holds(reference, loss))
    }

    fn holds(&self, reference: &Reference, loss: Loss) -> bool {
        if reference.hash == loss.of || reference.hash == loss.artifact {
            return true;
        }
        matches!(reference.summary, Summary::List { .. })
            && match self.world.elements(reference) {
                Ok(elements) => elements.iter().any(|element| self.holds(element, loss)),
                // It is to be made again in any case.
                Err(error) => error.is_lost(),
            }
    }

    /// How many regions there are around a node.
    fn depth(&self, node: u32) -> usize {
        let state = &self.setup.state;
        let around = |node: &u32| state.instance(state.scope(*node)).map(|instance| instance.place.node);
        std::iter::successors(Some(node), around).count()
    }

    fn kind(&self, node: u32) -> Option<&NodeKind> {
        nodes::node(&self.setup.dag, &self.setup.state, node).map(|node| &node.kind)
    }
}
