//! How a node is run: what it may use, and what happens when it fails.

/// The policy of one node. Keys, defaults and units are those of `with (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Cores.
    pub cpu: u32,
    pub gpu: u32,
    /// Bytes.
    pub memory: u64,
    /// Bytes.
    pub gpu_memory: Option<u64>,
    pub device: Device,
    pub precision: Option<Precision>,
    /// Microseconds, of one attempt.
    pub timeout: Option<i64>,
    /// Further attempts after a failed one.
    pub retry: u32,
    /// Microseconds before the first retry; doubles with each.
    pub backoff: i64,
    pub on_failure: OnFailure,
    pub cache: bool,
    pub pool: Option<String>,
    pub priority: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    Auto,
    Cpu,
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    F64,
    F32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    CancelDependents,
    BlockDependents,
    Continue,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cpu: 1,
            gpu: 0,
            memory: 512 << 20,
            gpu_memory: None,
            device: Device::Auto,
            precision: None,
            timeout: None,
            retry: 0,
            backoff: 1_000_000,
            on_failure: OnFailure::CancelDependents,
            cache: true,
            pool: None,
            priority: 0,
        }
    }
}
