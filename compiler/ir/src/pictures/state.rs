//! What a picture of a run is told of its nodes.

/// A node as a run knows it.
#[derive(Clone, Copy, Debug)]
pub struct NodeState<'a> {
    /// With the scopes and repetitions that it ran in: `days[3]/load`.
    pub id: &'a str,
    /// As events name it, or `cached`.
    pub state: &'a str,
    /// Of the operator alone, in its last attempt.
    pub seconds: Option<f64>,
}
