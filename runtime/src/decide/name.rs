//! What nodes are called: those of regions after the node that runs these, and which time it is.

use std::sync::Arc;

use super::state::State;

impl State {
    /// `load`; `nightly/clean` within a conditional or a workflow; `days[3]/load` within a map or a loop.
    pub fn id(&self, node: u32) -> Arc<str> {
        if node as usize >= self.nodes.len() {
            return Arc::default();
        }
        let scope = self.scope_of(node);
        let own = scope.graph.id(node - scope.first_node);
        let Some(place) = scope.place else { return own };
        let around = self.id(place.node);
        if self.kind(place.node).is_repeated() {
            format!("{around}[{}]/{own}", place.iteration).into()
        } else {
            format!("{around}/{own}").into()
        }
    }
}
