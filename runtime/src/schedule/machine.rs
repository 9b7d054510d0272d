//! What there is to run on, and nodes that ask for more than that.

use std::{collections::BTreeMap, fs, num::NonZero, process::Command, sync::Arc};

use flow_ir::{dag::Dag, node::Node, text::bytes};
use serde_json::{Map, Value as Json, json};

use super::amount::{Amount, Need, WHOLE};

/// What there is, or how much of it a run may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub cores: u32,
    /// Bytes.
    pub memory: u64,
    pub gpus: Vec<Gpu>,
    /// How many nodes may be in each pool at once.
    pub pools: BTreeMap<Arc<str>, u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// As the driver counts.
    pub index: u32,
    /// Bytes; none where it does not say.
    pub memory: Option<u64>,
}

/// A node that would wait for ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotFit {
    #[error(
        "node `{node}` needs {need} cores, and this run may use {limit}: lower its `cpu` or raise `--jobs`"
    )]
    Cores { node: String, need: u32, limit: u32 },
    #[error(
        "node `{node}` needs {} of memory, and this run may use {}: lower its `memory` or raise `--memory`",
        bytes(*need), bytes(*limit)
    )]
    Memory { node: String, need: u64, limit: u64 },
    #[error("node `{node}` needs {}, and there {}", gpus(*need), match there { 0 => "are none".to_owned(), 1 => "is 1".to_owned(), more => format!("are {more}") })]
    Gpus { node: String, need: u32, there: u32 },
    #[error(
        "node `{node}` needs {} with {} of memory, and {}",
        gpus(*need), bytes(*memory),
        match largest { None => "there are none".to_owned(), Some(largest) => format!("the largest here has {}", bytes(*largest)) }
    )]
    GpuMemory { node: String, need: u32, memory: u64, largest: Option<u64> },
    #[error(
        "node `{node}` needs a place in the pool `{pool}`, which has no limit: write `{pool} = 4` (or what it can bear) below `[pools]` in flow.toml"
    )]
    NoPool { node: String, pool: String },
    #[error("node `{node}` needs a place in the pool `{pool}`, whose limit in flow.toml is 0")]
    ClosedPool { node: String, pool: String },
}

impl Machine {
    /// This machine without its GPUs: all cores that this process may run on, all memory, no pools.
    pub fn here() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            memory: memory().unwrap_or(u64::MAX),
            gpus: Vec::new(),
            pools: BTreeMap::new(),
        }
    }

    /// This machine with all GPUs that `CUDA_VISIBLE_DEVICES` leaves, if the DAG asks for any: looking takes a
    /// moment.
    pub fn here_for(dag: &Dag) -> Self {
        Self { gpus: if wants_gpus(&dag.nodes) { gpus_here() } else { Vec::new() }, ..Self::here() }
    }

    /// All of it.
    pub fn whole(&self) -> Amount {
        Amount {
            cores: self.cores,
            memory: self.memory,
            gpus: self.gpus.iter().map(|gpu| (gpu.index, WHOLE)).collect(),
            pools: self.pools.iter().map(|(pool, places)| (pool.clone(), *places)).collect(),
        }
    }

    /// Bytes of a GPU; none where it does not say.
    pub fn gpu_memory(&self, index: u32) -> Option<u64> {
        self.gpus.iter().find(|gpu| gpu.index == index)?.memory
    }

    /// `{"cores": 2, "memory": 8589934592, "gpus": [{"index": 0, "memory": null}], "pools": {"db": 4}}`
    pub fn to_json(&self) -> Json {
        let gpu = |gpu: &Gpu| json!({ "index": gpu.index, "memory": gpu.memory });
        let pools = self.pools.iter().map(|(pool, places)| (pool.to_string(), json!(places)));
        json!({
            "cores": self.cores,
            "memory": self.memory,
            "gpus": self.gpus.iter().map(gpu).collect::<Vec<_>>(),
            "pools": pools.collect::<Map<_, _>>(),
        })
    }

    /// None where it is none.
    pub fn from_json(json: &Json) -> Option<Self> {
        let small = |json: &Json| json.as_u64().and_then(|number| u32::try_from(number).ok());
        let gpu =
            |gpu: &Json| Some(Gpu { index: small(gpu.get("index")?)?, memory: gpu.get("memory")?.as_u64() });
        let pool = |(pool, places): (&String, &Json)| Some((pool.as_str().into(), small(places)?));
        Some(Self {
            cores: small(json.get("cores")?)?,
            memory: json.get("memory")?.as_u64()?,
            gpus: json.get("gpus")?.as_array()?.iter().map(gpu).collect::<Option<_>>()?,
            pools: json.get("pools")?.as_object()?.iter().map(pool).collect::<Option<_>>()?,
        })
    }

    /// Refuses a DAG with a node that exceeds this by itself.
    pub fn check(&self, dag: &Dag) -> Result<(), CannotFit> {
        self.check_nodes(&dag.nodes, "")
    }

    /// Those of regions too, whose ids begin with that of the region's node.
    fn check_nodes(&self, nodes: &[Node], scope: &str) -> Result<(), CannotFit> {
        for node in nodes {
            self.check_node(node, scope)?;
            for (_, region) in node.kind.regions() {
                self.check_nodes(&region.nodes, &format!("{scope}{}/", node.id))?;
            }
        }
        Ok(())
    }

    fn check_node(&self, node: &Node, scope: &str) -> Result<(), CannotFit> {
        let need = Need::of(node);
        let id = || format!("{scope}{}", node.id);
        if need.cores > self.cores {
            return Err(CannotFit::Cores { node: id(), need: need.cores, limit: self.cores });
        }
        if need.memory > self.memory {
            return Err(CannotFit::Memory { node: id(), need: need.memory, limit: self.memory });
        }
        if let Some(pool) = &need.pool {
            let pool = pool.to_string();
            match self.pools.get(pool.as_str()) {
                None => return Err(CannotFit::NoPool { node: id(), pool }),
                Some(0) => return Err(CannotFit::ClosedPool { node: id(), pool }),
                Some(_) => {}
            }
        }
        let there = u32::try_from(self.gpus.len()).unwrap_or(u32::MAX);
        if need.gpus > there {
            return Err(CannotFit::Gpus { node: id(), need: need.gpus, there });
        }
        if self.whole().place(&Amount::default(), &need, self).is_err()
            && let Some(memory) = need.gpu_memory
        {
            let largest = self.gpus.iter().filter_map(|gpu| gpu.memory).max();
            return Err(CannotFit::GpuMemory { node: id(), need: need.gpus, memory, largest });
        }
        Ok(())
    }
}

fn wants_gpus(nodes: &[Node]) -> bool {
    let mut nodes = nodes.iter();
    nodes.any(|node| {
        Need::of(node).gpus > 0 || node.kind.regions().iter().any(|(_, region)| wants_gpus(&region.nodes))
    })
}

fn gpus(count: u32) -> String {
    if count == 1 { "a GPU".to_owned() } else { format!("{count} GPUs") }
}

/// Bytes; none where the system does not say.
fn memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The NVIDIA GPUs that this process may use. Asking each for its memory starts a program, so that it is done
/// only where there is a GPU at all.
fn gpus_here() -> Vec<Gpu> {
    let known = fs::read_dir("/proc/driver/nvidia/gpus").map_or(0, Iterator::count);
    let devices = (0_u32..).take_while(|index| fs::exists(format!("/dev/nvidia{index}")).unwrap_or_default());
    // A container may show the driver's folder and only some of the devices, or the other way around.
    let count = devices.count().max(known);
    if count == 0 {
        return Vec::new();
    }
    let answer = Command::new("nvidia-smi")
        .args(["--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"])
        .output();
    let listed = answer.ok().filter(|answer| answer.status.success());
    let listed = listed.map(|answer| parse_listed(&String::from_utf8_lossy(&answer.stdout)));
    let all = listed.filter(|listed| !listed.is_empty()).unwrap_or_else(|| {
        let indices = 0..u32::try_from(count).unwrap_or(u32::MAX);
        indices.map(|index| (String::new(), Gpu { index, memory: None })).collect()
    });
    visible(all, std::env::var("CUDA_VISIBLE_DEVICES").ok().as_deref())
}

/// Lines such as `0, GPU-5a1f…, 143771`, in MiB; each GPU with its name.
fn parse_listed(text: &str) -> Vec<(String, Gpu)> {
    let gpu = |line: &str| {
        let mut fields = line.split(',').map(str::trim);
        let (index, uuid) = (fields.next()?.parse().ok()?, fields.next()?.to_owned());
        let mebibytes: Option<u64> = fields.next().and_then(|field| field.parse().ok());
        Some((uuid, Gpu { index, memory: mebibytes.map(|size| size << 20) }))
    };
    text.lines().filter_map(gpu).collect()
}

/// Those that `CUDA_VISIBLE_DEVICES` names, by index or by the beginning of their names. As in CUDA, what stands
/// behind a name that there is not does not count.
fn visible(all: Vec<(String, Gpu)>, variable: Option<&str>) -> Vec<Gpu> {
    let Some(variable) = variable else { return all.into_iter().map(|(_, gpu)| gpu).collect() };
    let named = variable.split(',').map(str::trim).map_while(|name| {
        let is_named = |(uuid, gpu): &&(String, Gpu)| match name.parse::<u32>() {
            Ok(index) => gpu.index == index,
            Err(_) => !name.is_empty() && uuid.starts_with(name),
        };
        all.iter().find(is_named).map(|(_, gpu)| gpu.clone())
    });
    let mut named: Vec<Gpu> = named.collect();
    named.sort_by_key(|gpu| gpu.index);
    named.dedup();
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_those_that_are_there_and_visible() {
        let all = parse_listed("0, GPU-aa, 143771\n1, GPU-ab, [N/A]\n2, GPU-b, 1024\n");
        let indices = |variable: Option<&str>| -> Vec<u32> {
            visible(all.clone(), variable).into_iter().map(|gpu| gpu.index).collect()
        };
        assert_eq!(all[0].1.memory, Some(143_771 << 20));
        assert_eq!(all[1].1.memory, None);
        assert_eq!(indices(None), [0, 1, 2]);
        assert_eq!(indices(Some("2,0")), [0, 2]);
        assert!(indices(Some("")).is_empty());
        assert!(indices(Some("-1")).is_empty());
        assert_eq!(indices(Some("GPU-b")), [2]);
        assert_eq!(indices(Some("1,7,0")), [1], "CUDA stops at the first that there is not");
    }
}
