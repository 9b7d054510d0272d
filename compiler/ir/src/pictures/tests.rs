use crate::dag::Dag;

const DAG: &str = "dag a.a

data = std.data.csv(path: file\"a.csv\") -> Dataset<{ x: Int }>
split = split(data: data) -> (train: Dataset<{ x: Int }>, test: Dataset<{ x: Int }>)
half = { 1.0 < 2.0 } -> Bool
send = notify(a: split.train, b: split.train, c: split.test) after (half) -> () effect

output rows: Dataset<{ x: Int }> = data

op std.data.csv version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op split version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op notify version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
";

#[test]
fn dot() {
    let text = Dag::from_text(DAG).unwrap().to_dot();
    let body: Vec<&str> = text.lines().skip(4).collect();
    assert_eq!(
        body,
        [
            "    n0 [label=\"data\\ndata.csv\"]",
            "    n1 [label=\"split\"]",
            "    n2 [label=\"half\\n1.0 < 2.0\" shape=ellipse]",
            "    n3 [label=\"send\\nnotify\" peripheries=2]",
            "    n4 [label=\"rows\" shape=plaintext]",
            "    n0 -> n1",
            "    n0 -> n4",
            "    n1 -> n3 [label=\"train\"]",
            "    n1 -> n3 [label=\"test\"]",
            "    n2 -> n3 [style=dashed]",
            "}",
        ]
    );
}

#[test]
fn mermaid() {
    let text = Dag::from_text(DAG).unwrap().to_mermaid();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "flowchart TB",
            "    n0[\"data<br>data.csv\"]",
            "    n1[\"split\"]",
            "    n2(\"half<br>1.0 #60; 2.0\")",
            "    n3[\"send<br>notify\"]",
            "    n4>\"rows\"]",
            "    n0 --> n1",
            "    n0 --> n4",
            "    n1 -->|\"train\"| n3",
            "    n1 -->|\"test\"| n3",
            "    n2 -.-> n3",
        ]
    );
}
