//! Every operator that `std` declares has a body, written for that very declaration, or is known to have none yet; the
//! README names those that have one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use flow_analysis::Analysis;
use flow_ir::hash::Hash;
use flow_runtime::operator::Registry;
use flow_stdlib::StandardLibrary;

/// What `check` knows and no run can do yet: `flowc plan` says F0703. A name leaves this list with its body.
const NO_BODY_YET: &[&str] = &[
    "std.cluster.kmeans",
    "std.data.arrow",
    "std.data.jsonl",
    "std.data.parquet",
    "std.data.profile",
    "std.data.write_csv",
    "std.data.write_parquet",
    "std.explain.importance",
    "std.explain.shap",
    "std.factor.factorization_machine",
    "std.linear.elastic_net",
    "std.linear.logistic",
    "std.linear.ridge",
    "std.metrics.best",
    "std.metrics.ranking",
    "std.metrics.training_fit",
    "std.neighbors.knn",
    "std.neural.mlp",
    "std.onnx.export",
    "std.onnx.load",
    "std.prep.hash_features",
    "std.prep.impute",
    "std.prep.min_max",
    "std.prep.one_hot",
    "std.prep.ordinal",
    "std.prep.out_of_fold",
    "std.prep.pipeline",
    "std.prep.quantile_bins",
    "std.prep.standardize",
    "std.prep.target_encode",
    "std.prep.tfidf",
    "std.reduce.pca",
    "std.report.calibration",
    "std.report.confusion",
    "std.report.learning_curve",
    "std.report.page",
    "std.report.residuals",
    "std.report.roc",
    "std.table.apply",
    "std.table.bootstrap",
    "std.table.distinct",
    "std.table.folds",
    "std.table.folds_at",
    "std.table.group",
    "std.table.join",
    "std.table.join_asof",
    "std.table.limit",
    "std.table.only",
    "std.table.rename",
    "std.table.sample",
    "std.table.sort",
    "std.table.split_at",
    "std.table.split_named",
    "std.table.split_where",
    "std.table.union",
    "std.table.values",
    "std.table.window",
    "std.tree.random_forest",
];

#[test]
fn bodies_belong_to_declarations() {
    let declared: BTreeMap<String, Hash> = Analysis::new().operator_signatures().into_iter().collect();
    let mut wrong = Vec::new();
    for (name, signature) in &declared {
        match StandardLibrary.find(name) {
            None if NO_BODY_YET.contains(&name.as_str()) => {}
            None => wrong.push(format!("`{name}` has no body")),
            Some(_) if NO_BODY_YET.contains(&name.as_str()) => {
                wrong.push(format!("`{name}` has a body: take it from the list of those without"));
            }
            Some(native) if native.signature != *signature => {
                wrong.push(format!("the declaration of `{name}` has changed: see whether its body still fits, then write {signature} into the registry"));
            }
            Some(_) => {}
        }
    }
    wrong.extend(
        StandardLibrary::names()
            .filter(|name| !declared.contains_key(*name))
            .map(|name| format!("`{name}` has a body and no declaration")),
    );
    wrong.extend(
        NO_BODY_YET
            .iter()
            .filter(|name| !declared.contains_key(**name))
            .map(|name| format!("`{name}` is listed and has no declaration")),
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn readme_names_what_runs() {
    let readme = include_str!("../README.md");
    let (_, told) = readme.split_once("What runs: ").unwrap();
    let (told, _) = told.split_once("Workflows call workflows").unwrap();
    let words: BTreeSet<&str> = told.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).collect();
    let names = StandardLibrary::names()
        .map(|name| name.strip_prefix("std.table.").or_else(|| name.strip_prefix("std.")).unwrap_or(name));
    assert_eq!(words, names.collect());
}
