use std::sync::Arc;

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef},
    policy::Policy,
};
use proptest::prelude::*;

use super::{
    waiting::{Holder, Who, reasons},
    *,
};
use crate::decide::Graph;

const GIB: u64 = 1 << 30;

fn machine(cores: u32) -> Machine {
    let gpus = (0..2).map(|index| Gpu { index, memory: Some(16 * GIB) }).collect();
    let pools = [("db".into(), 2), ("shut".into(), 0)].into();
    Machine { cores, memory: 64 * GIB, gpus, pools }
}

fn node(id: &str, policy: Policy) -> Node {
    Node {
        id: id.to_owned(),
        kind: NodeKind::Task(OperatorRef {
            name: "std.debug.noop".to_owned(),
            version: 1,
            signature: Hash([0; 32]),
            place: OperatorPlace::Native,
        }),
        inputs: Vec::new(),
        outputs: Vec::new(),
        policy,
        effect: false,
        deterministic: true,
        after: Vec::new(),
    }
}

fn cores(cpu: u32) -> Policy {
    Policy { cpu, memory: 0, ..Policy::default() }
}

fn dag_of(nodes: Vec<Node>) -> Dag {
    let (workflow, parameters, outputs, origin) = ("w".to_owned(), Vec::new(), Vec::new(), None);
    Dag { workflow, parameters, nodes, outputs, origin }
}

fn scheduler(nodes: Vec<Node>, machine: Machine, weights: &Weights) -> Result<Scheduler, CannotFit> {
    let dag = dag_of(nodes);
    Scheduler::new(&dag, &Graph::new(&dag).unwrap(), machine, weights)
}

fn of(nodes: Vec<Node>, machine: Machine) -> Scheduler {
    let count = nodes.len() as u32;
    let mut scheduler = scheduler(nodes, machine, &Weights::default()).unwrap();
    (0..count).for_each(|node| scheduler.add(node, 1));
    scheduler
}

/// Seed 9822 of the injected faults: a node whose input was lost became ready twice, and its cores were never free again.
#[test]
fn a_node_that_is_handed_out_twice_gives_back_all() {
    let mut scheduler = of(vec![node("twice", cores(1)), node("all", cores(2))], machine(2));
    scheduler.add(0, 1);
    assert_eq!([scheduler.take(), scheduler.take()], [Some((0, 1)), Some((0, 1))]);
    scheduler.release(0);
    assert_eq!(scheduler.take(), None);
    scheduler.release(0);
    assert_eq!(scheduler.take(), Some((1, 1)));
}

#[test]
fn priority_then_the_critical_path_then_the_order() {
    let mut nodes: Vec<Node> =
        ["short", "long", "end", "urgent"].into_iter().map(|id| node(id, cores(1))).collect();
    nodes[2].after = vec![NodeIndex(1)];
    nodes[3].policy.priority = 1;
    let order = |weights: &Weights| {
        let mut scheduler = scheduler(nodes.clone(), machine(4), weights).unwrap();
        [0, 1, 3].into_iter().for_each(|node| scheduler.add(node, 1));
        std::iter::from_fn(|| scheduler.take().map(|(node, _)| node)).collect::<Vec<_>>()
    };
    assert_eq!(order(&Weights::default()), [3, 1, 0]);
    // Earlier runs know better than the count of nodes.
    let known = [("short", 9_000_000), ("long", 1_000), ("end", 1_000)];
    assert_eq!(order(&known.into_iter().map(|(id, time)| (id.to_owned(), time)).collect()), [3, 0, 1]);
}

#[test]
fn what_took_long_in_one_instance_of_a_region_goes_first_in_another() {
    let nodes: Vec<Node> = ["short", "long"].into_iter().map(|id| node(id, cores(1))).collect();
    let body = dag_of(nodes.clone());
    let ids: Vec<Arc<str>> = vec!["days[7]/short".into(), "days[7]/long".into()];
    let order = |weights: &Weights| {
        let mut scheduler = scheduler(vec![node("days", cores(1))], machine(4), weights).unwrap();
        scheduler.add_region(0, &nodes, &ids, &Graph::new(&body).unwrap());
        [1, 2].into_iter().for_each(|node| scheduler.add(node, 1));
        std::iter::from_fn(|| scheduler.take().map(|(node, _)| node)).collect::<Vec<_>>()
    };
    assert_eq!(order(&Weights::default()), [1, 2]);
    let known = [("days/long", 9_000_000), ("days/short", 1_000)];
    assert_eq!(order(&known.into_iter().map(|(id, time)| (id.to_owned(), time)).collect()), [2, 1]);
}

#[test]
fn what_can_never_fit_is_refused() {
    let refused = |change: &dyn Fn(&mut Policy)| {
        let mut policy = cores(1);
        change(&mut policy);
        scheduler(vec![node("train", policy)], machine(4), &Weights::default()).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&|policy| policy.cpu = 5),
        "node `train` needs 5 cores, and this run may use 4: lower its `cpu` or raise `--jobs`"
    );
    assert_eq!(
        refused(&|policy| policy.memory = 65 * GIB),
        "node `train` needs 65 GiB of memory, and this run may use 64 GiB: lower its `memory` or raise `--memory`"
    );
    assert_eq!(refused(&|policy| policy.gpu = 3), "node `train` needs 3 GPUs, and there are 2");
    assert_eq!(
        refused(&|policy| policy.gpu_memory = Some(20 * GIB)),
        "node `train` needs a GPU with 20 GiB of memory, and the largest here has 16 GiB"
    );
    assert_eq!(
        refused(&|policy| policy.pool = Some("dp".to_owned())),
        "node `train` needs a place in the pool `dp`, which has no limit: write `dp = 4` (or what it can bear) below `[pools]` in flow.toml"
    );
    assert_eq!(
        refused(&|policy| policy.pool = Some("shut".to_owned())),
        "node `train` needs a place in the pool `shut`, whose limit in flow.toml is 0"
    );
}

#[test]
fn gpus_are_whole_or_shared_by_memory() {
    let whole = Policy { gpu: 1, ..cores(1) };
    let half = Policy { gpu_memory: Some(8 * GIB), ..cores(1) };
    let nodes = vec![node("a", half.clone()), node("b", half.clone()), node("c", whole), node("d", half)];
    let mut scheduler = of(nodes, machine(8));
    let mut given = Vec::new();
    while let Some((node, _)) = scheduler.take() {
        given.push((node, scheduler.taken(node).unwrap().gpus.clone()));
    }
    // Two halves share a GPU, so that another is left whole; the third half waits for one.
    let half = 8 * GIB;
    assert_eq!(given, [(0, vec![(0, half)]), (1, vec![(0, half)]), (2, vec![(1, WHOLE)])]);
    scheduler.release(2);
    assert_eq!(scheduler.take(), Some((3, 1)));
    assert_eq!(scheduler.taken(3).unwrap().gpus, [(1, half)]);
}

#[test]
fn a_pool_holds_so_many_and_others_pass() {
    let pooled = Policy { pool: Some("db".to_owned()), ..cores(1) };
    let mut nodes: Vec<Node> = (0..4).map(|index| node(&format!("q{index}"), pooled.clone())).collect();
    nodes.push(node("free", cores(1)));
    let mut scheduler = of(nodes, machine(8));
    let taken: Vec<u32> = std::iter::from_fn(|| scheduler.take().map(|(node, _)| node)).collect();
    assert_eq!(taken, [0, 1, 4]);
    scheduler.release(1);
    assert_eq!(scheduler.take(), Some((2, 1)));
    assert_eq!(scheduler.take(), None);
}

#[test]
fn small_nodes_do_not_starve_a_big_one() {
    // A stream of small nodes keeps one core of two busy for as long as they are let through.
    for (big, most) in [(0, 70), (5_000, 1_100)] {
        let mut nodes: Vec<Node> = (0..10_000).map(|index| node(&format!("n{index}"), cores(1))).collect();
        nodes[big].policy.cpu = 2;
        let mut scheduler = of(nodes, machine(2));
        let mut running = Vec::new();
        let mut before = 0;
        'taking: loop {
            while let Some((node, _)) = scheduler.take() {
                if node == big as u32 {
                    break 'taking;
                }
                before += 1;
                running.push(node);
            }
            scheduler.release(running.remove(0));
        }
        assert!(before <= most, "{before} small nodes came before the big one");
    }
}

#[test]
fn a_take_does_not_look_at_every_need() {
    // As many needs as nodes, none of which fits while the first one runs.
    let mut nodes: Vec<Node> = (0..20_000).map(|index| node(&format!("n{index}"), cores(1))).collect();
    nodes.iter_mut().zip(1..).for_each(|(node, size)| node.policy.memory = size);
    let mut scheduler = of(nodes, machine(1));
    let started = std::time::Instant::now();
    for _ in 0..20_000 {
        let (node, _) = scheduler.take().unwrap();
        assert_eq!(scheduler.take(), None);
        scheduler.release(node);
    }
    assert!(started.elapsed().as_secs_f64() < 10.0, "quadratic: {:?}", started.elapsed());
}

#[test]
fn why_a_node_waits() {
    let holder = |who: Who, cores: u32, gpu: Option<(u32, u64)>, pool: u32| Holder {
        who,
        amount: Amount {
            cores,
            memory: u64::from(cores) * 20 * GIB,
            gpus: gpu.into_iter().collect(),
            pools: if pool > 0 { vec![("db".into(), pool)] } else { Vec::new() },
        },
    };
    let run = |is_stopped| Who::Run { run: "1k3f9a2b".to_owned(), process: 77, is_stopped };
    let holders = [
        holder(run(true), 2, Some((1, WHOLE)), 1),
        holder(Who::Node("train".to_owned()), 1, Some((0, GIB)), 1),
    ];
    let need = Need { cores: 2, memory: 8 * GIB, gpus: 1, gpu_memory: None, pool: Some(Arc::from("db")) };
    let told: Vec<String> = reasons(&machine(4), &need, &holders).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "2 cores (1 of 4 free; taken by `train` 1, run 1k3f9a2b (process 77, which is stopped) 2)",
            "8 GiB of memory (4 GiB of 64 GiB free; taken by `train` 20 GiB, run 1k3f9a2b (process 77, which is stopped) 40 GiB)",
            "1 GPU (of 2; taken by `train` 1, run 1k3f9a2b (process 77, which is stopped) 1)",
            "a place in pool `db` (2 of 2 taken, by `train`, run 1k3f9a2b (process 77, which is stopped))",
        ]
    );
    assert_eq!(reasons(&machine(8), &Need { cores: 2, ..Need::default() }, &holders), []);
}

proptest! {
    /// Whatever is asked for and given back in whatever order: nothing is handed out that is not there, and all is
    /// handed out in the end.
    #[test]
    fn limits_hold_and_all_nodes_run(
        needs in prop::collection::vec((1_u32..5, 0_u64..40, 0_u32..3, any::<Option<u8>>(), any::<bool>()), 1..60),
        order in prop::collection::vec(any::<prop::sample::Index>(), 120),
    ) {
        let nodes = (0..).zip(&needs).map(|(index, (cpu, memory, gpu, gpu_memory, pool))| {
            let policy = Policy {
                cpu: *cpu,
                memory: memory * GIB,
                gpu: *gpu,
                gpu_memory: gpu_memory.map(|memory| u64::from(memory % 17) * GIB),
                pool: pool.then(|| "db".to_owned()),
                ..Policy::default()
            };
            node(&format!("n{index}"), policy)
        });
        let mut scheduler = of(nodes.collect(), machine(4));
        let mut running: Vec<u32> = Vec::new();
        let mut finished = 0;
        let mut order = order.iter().cycle();
        while finished < needs.len() {
            while let Some((node, _)) = scheduler.take() {
                running.push(node);
            }
            let amounts: Vec<Amount> =
                running.iter().map(|node| scheduler.taken(*node).unwrap().clone()).collect();
            prop_assert!(amounts.iter().map(|amount| amount.cores).sum::<u32>() <= 4);
            prop_assert!(amounts.iter().map(|amount| amount.memory).sum::<u64>() <= 64 * GIB);
            prop_assert!(amounts.iter().map(|amount| amount.pool("db")).sum::<u32>() <= 2);
            for gpu in 0..2 {
                let parts: Vec<u64> = amounts.iter().map(|amount| amount.gpu(gpu)).filter(|part| *part > 0).collect();
                prop_assert!(
                    parts == [WHOLE] || parts.iter().all(|part| *part != WHOLE) && parts.iter().sum::<u64>() <= 16 * GIB
                );
            }
            prop_assert!(!running.is_empty(), "nothing runs, and {} nodes wait", needs.len() - finished);
            let next = order.next().unwrap().index(running.len());
            scheduler.release(running.swap_remove(next));
            finished += 1;
        }
    }
}
