//! Says where each node computes, and why.

use std::fmt;

use flow_ir::{
    node::{Node, NodeKind, OperatorPlace},
    policy::Device,
};

use crate::program::PlanFacts;

/// Where a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The CPU or the GPU; none where the node computes nothing itself.
    pub device: Option<Device>,
    /// GPUs that are set aside for it.
    pub gpus: u32,
    pub because: Because,
}

/// Why it computes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It waits, passes on, or runs others.
    Steers,
    /// It computes a scalar of scalars.
    Scalar,
    /// Its operator has a body for the CPU alone.
    CpuAlone,
    /// Its operator could use a GPU, where floats may come out otherwise.
    FloatsStay,
    /// An external operator for which no GPU is set aside.
    NoGpuAsked,
    /// The policy's `device`.
    Device,
    /// The policy's `gpu`.
    Gpus,
    /// The policy's `gpu_memory`.
    GpuMemory,
}

/// Where a node computes: by what it is and what its policy asks for, never by a timing.
pub fn place(node: &Node, facts: &dyn PlanFacts) -> Placement {
    let policy = &node.policy;
    let on = |device, gpus, because| Placement { device, gpus, because };
    let cpu = |because| on(Some(Device::Cpu), 0, because);
    let (can_use_gpu, is_external) = match &node.kind {
        NodeKind::Task(operator) if operator.place == OperatorPlace::Native => {
            (facts.can_use_gpu(&operator.name), false)
        }
        NodeKind::Task(_) => (true, true),
        // No verb has a body for a GPU.
        NodeKind::Query { .. } => (false, false),
        NodeKind::Expression(_) => return cpu(Because::Scalar),
        _ => return on(None, 0, Because::Steers),
    };
    // A GPU is set aside for what asks for its memory, too: but not for what is to stay on the CPU.
    let gpus = match policy.gpu {
        0 => u32::from(policy.gpu_memory.is_some() && policy.device != Device::Cpu),
        gpus => gpus,
    };
    match policy.device {
        Device::Cpu => on(Some(Device::Cpu), gpus, Because::Device),
        _ if !can_use_gpu => on(Some(Device::Cpu), gpus, Because::CpuAlone),
        Device::Gpu => on(Some(Device::Gpu), gpus, Because::Device),
        Device::Auto if policy.gpu > 0 => on(Some(Device::Gpu), gpus, Because::Gpus),
        Device::Auto if gpus > 0 => on(Some(Device::Gpu), gpus, Because::GpuMemory),
        Device::Auto if is_external => cpu(Because::NoGpuAsked),
        Device::Auto => cpu(Because::FloatsStay),
    }
}

impl fmt::Display for Placement {
    /// Why, as it stands in brackets behind a node.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.because, self.device) {
            (Because::Steers, _) => f.write_str("computes nothing itself"),
            (Because::Scalar, _) => f.write_str("a scalar"),
            (Because::CpuAlone, _) => f.write_str("no body for a GPU"),
            (Because::FloatsStay, _) => f.write_str("floats may differ on a GPU, and none is asked for"),
            (Because::NoGpuAsked, _) => f.write_str("no GPU asked for"),
            (Because::Device, Some(Device::Gpu)) if self.gpus == 0 => {
                f.write_str("`device: gpu`; none is set aside, as `gpu: 1` would")
            }
            (Because::Device, Some(Device::Gpu)) => f.write_str("`device: gpu`"),
            (Because::Device, _) => f.write_str("`device: cpu`"),
            (Because::Gpus, _) => write!(f, "`gpu: {}`", self.gpus),
            (Because::GpuMemory, _) => f.write_str("`gpu_memory`"),
        }
    }
}
