//! What a node asks for, what it gets, and whether there is enough of it.

use std::sync::Arc;

use flow_ir::{
    node::{Node, NodeKind},
    policy::Device,
};

use super::machine::Machine;

/// What a node asks for while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Need {
    pub cores: u32,
    /// Bytes.
    pub memory: u64,
    /// How many GPUs.
    pub gpus: u32,
    /// Bytes on each of them, which others may share; none asks for the whole of each.
    pub gpu_memory: Option<u64>,
    /// A place in this pool.
    pub pool: Option<Arc<str>>,
}

/// A part of a machine that is set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub cores: u32,
    /// Bytes.
    pub memory: u64,
    /// GPUs by their index, and how many bytes of each; [`WHOLE`] keeps all others away.
    pub gpus: Vec<(u32, u64)>,
    /// Places in pools.
    pub pools: Vec<(Arc<str>, u32)>,
}

/// All of a GPU.
pub const WHOLE: u64 = u64::MAX;

/// What there is too little of, for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    pub cores: bool,
    pub memory: bool,
    pub gpus: bool,
    pub pool: bool,
}

impl Lack {
    pub fn or(self, other: Self) -> Self {
        Self {
            cores: self.cores || other.cores,
            memory: self.memory || other.memory,
            gpus: self.gpus || other.gpus,
            pool: self.pool || other.pool,
        }
    }
}

impl Need {
    /// Only operators take something; memory on a GPU asks for one GPU at least.
    pub fn of(node: &Node) -> Self {
        let policy = &node.policy;
        if !matches!(node.kind, NodeKind::Task(_) | NodeKind::Query { .. }) {
            return Self::default();
        }
        let wants_memory = policy.gpu_memory.is_some() && policy.device != Device::Cpu;
        Self {
            cores: policy.cpu,
            memory: policy.memory,
            gpus: policy.gpu.max(u32::from(wants_memory)),
            gpu_memory: policy.gpu_memory,
            pool: policy.pool.as_deref().map(Arc::from),
        }
    }

    /// Whether it takes anything of what is lacking.
    pub fn touches(&self, lack: Lack) -> bool {
        lack.cores && self.cores > 0
            || lack.memory && self.memory > 0
            || lack.gpus && self.gpus > 0
            || lack.pool && self.pool.is_some()
    }
}

impl Amount {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, other: &Self) {
        self.cores = self.cores.saturating_add(other.cores);
        self.memory = self.memory.saturating_add(other.memory);
        merge(&mut self.gpus, &other.gpus, u64::saturating_add);
        merge(&mut self.pools, &other.pools, u32::saturating_add);
    }

    /// Takes `other` out, which is part of it.
    pub fn remove(&mut self, other: &Self) {
        self.cores = self.cores.saturating_sub(other.cores);
        self.memory = self.memory.saturating_sub(other.memory);
        merge(&mut self.gpus, &other.gpus, u64::saturating_sub);
        merge(&mut self.pools, &other.pools, u32::saturating_sub);
    }

    /// The GPUs of which it has a part.
    pub fn gpu_indices(&self) -> impl Iterator<Item = u32> {
        self.gpus.iter().map(|(index, _)| *index)
    }

    /// Bytes of a GPU.
    pub fn gpu(&self, index: u32) -> u64 {
        self.gpus.iter().find(|(gpu, _)| *gpu == index).map_or(0, |(_, bytes)| *bytes)
    }

    /// Places in a pool.
    pub fn pool(&self, name: &str) -> u32 {
        self.pools.iter().find(|(pool, _)| **pool == *name).map_or(0, |(_, places)| *places)
    }

    /// What to set aside for `need`, given that `used` is taken already.
    ///
    /// # Errors
    /// What there is too little of.
    pub fn place(&self, used: &Self, need: &Need, machine: &Machine) -> Result<Self, Lack> {
        let mut lack = Lack {
            cores: need.cores > self.cores.saturating_sub(used.cores),
            memory: need.memory > self.memory.saturating_sub(used.memory),
            gpus: false,
            pool: need.pool.as_ref().is_some_and(|pool| used.pool(pool) >= self.pool(pool)),
        };
        let gpus = match need.gpus {
            0 => Vec::new(),
            count => self.choose(used, count, need.gpu_memory, machine).unwrap_or_else(|| {
                lack.gpus = true;
                Vec::new()
            }),
        };
        if lack != Lack::default() {
            return Err(lack);
        }
        let pools = need.pool.iter().map(|pool| (pool.clone(), 1)).collect();
        Ok(Self { cores: need.cores, memory: need.memory, gpus, pools })
    }

    /// The GPUs on which the least is left that still suffices, so that large needs find whole ones.
    fn choose(
        &self,
        used: &Self,
        count: u32,
        memory: Option<u64>,
        machine: &Machine,
    ) -> Option<Vec<(u32, u64)>> {
        let mut fitting: Vec<(u64, u32)> = Vec::new();
        for (index, held) in &self.gpus {
            let taken = used.gpu(*index);
            let left = match (*held, machine.gpu_memory(*index)) {
                (WHOLE, Some(total)) => total.saturating_sub(taken),
                // Of a GPU that does not say how much memory it has nothing is shared.
                (WHOLE, None) if taken == 0 => WHOLE,
                (WHOLE, None) => 0,
                (part, _) => part.saturating_sub(taken),
            };
            let fits = match memory {
                None => *held == WHOLE && taken == 0,
                Some(bytes) => taken != WHOLE && left >= bytes,
            };
            if fits {
                fitting.push((left, *index));
            }
        }
        fitting.sort_unstable();
        let count = usize::try_from(count).ok()?;
        let chosen = fitting.get(..count)?;
        let mut chosen: Vec<(u32, u64)> =
            chosen.iter().map(|(_, index)| (*index, memory.unwrap_or(WHOLE))).collect();
        chosen.sort_unstable();
        Some(chosen)
    }
}

/// Joins counts by their keys, and leaves zeros out.
fn merge<K: Clone + Ord, V: Copy + Default + PartialEq>(
    into: &mut Vec<(K, V)>,
    other: &[(K, V)],
    join: fn(V, V) -> V,
) {
    for (key, value) in other {
        match into.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = join(*known, *value),
            None => into.push((key.clone(), join(V::default(), *value))),
        }
    }
    into.retain(|(_, value)| *value != V::default());
    into.sort_by(|a, b| a.0.cmp(&b.0));
}
