//! Room for work that recurses: items stand in each other deeper than the stack of a thread.

/// Does a piece of work that may need as much stack as the deepest body, or as another such piece within it.
pub fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    const LITTLE: usize = 1 << 20;
    const MORE: usize = 16 << 20;
    stacker::maybe_grow(LITTLE, MORE, work)
}
