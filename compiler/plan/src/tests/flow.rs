//! What a test is told of paths is what the DAG itself says, where both can be asked.

use flow_ir::dag::Dag;

use super::golden::cases;
use crate::testing::flow::Flow;

#[test]
fn paths_agree_with_the_graph() {
    let mut asked = 0;
    for (name, ..) in cases() {
        let text = super::golden::expected(&name);
        let dag = Dag::from_text(&text).unwrap();
        let (graph, flow) = (dag.graph(), Flow::of(&dag));
        let mut sources: Vec<String> = dag.nodes.iter().map(|node| node.id.clone()).collect();
        let targets: Vec<String> =
            sources.iter().cloned().chain(dag.outputs.iter().map(|output| output.name.clone())).collect();
        for node in dag.nodes.iter().filter(|node| node.outputs.len() > 1) {
            sources.extend(node.outputs.iter().map(|port| format!("{}.{}", node.id, port.name)));
        }
        for from in &sources {
            for to in &targets {
                let path = flow.path(from, to).unwrap();
                assert_eq!(
                    path.is_some(),
                    graph.feeds(from, to).unwrap(),
                    "{name}: {from} feeds {to}: {path:?}"
                );
                asked += 1;
            }
        }
        assert_eq!(flow.path("nowhere", "nobody"), Err("nowhere"));
    }
    assert!(asked > 1_000, "{asked}");
}
