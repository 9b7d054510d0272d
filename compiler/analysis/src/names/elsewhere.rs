//! What the verbs and aggregates are called in pandas, Polars, Spark, dplyr and SQL.

/// The verb that people mean by another library's word, and a call of it.
pub(crate) fn verb_for(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "filter" | "query" => ("where", ".where(.fare > 10.0)"),
        "with_columns" | "with_column" | "assign" | "mutate" | "add_column" => {
            ("derive", ".derive(speed: .distance / .minutes)")
        }
        "group_by" | "groupby" | "agg" | "aggregate" | "summarize" | "summarise" => {
            ("group", ".group(.city, mean_fare: mean(.fare), n: count())")
        }
        "sort_by" | "sort_values" | "order_by" | "orderby" | "arrange" => {
            ("sort", ".sort(.city, .at, descending: true)")
        }
        "head" | "take" | "slice_head" => ("limit", ".limit(10)"),
        "merge" | "inner_join" | "left_join" => ("join", ".join(other, on: .key, kind: Join.left)"),
        "merge_asof" | "asof_join" => ("join_asof", ".join_asof(facts, on: .key, at: .at)"),
        "concat" | "append" | "vstack" | "union_all" | "bind_rows" => ("union", ".union(other)"),
        "unique" | "drop_duplicates" | "dedup" => ("distinct", ".distinct(.user, .day)"),
        "over" | "rolling" => ("window", ".window(by: .user, order: .at, n: count(), last: 7d)"),
        "train_test_split" | "random_split" => ("split", ".split(80%, seed: 7)"),
        "kfold" | "k_fold" | "cross_validate" => ("folds", ".folds(5)"),
        "transform" => ("apply", ".apply(transformer)"),
        "item" => ("only", ".only()"),
        "to_list" | "tolist" => ("values", ".values(.day)"),
        _ => return None,
    })
}

/// The aggregate that people mean by another library's word.
pub(crate) fn aggregate_for(word: &str) -> Option<&'static str> {
    Some(match word {
        "avg" | "average" => "mean",
        "stddev" | "stdev" | "std_dev" | "sd" => "std",
        "nunique" | "n_unique" | "n_distinct" => "count_distinct",
        "n" | "size" => "count",
        "percentile" => "quantile",
        "minimum" => "min",
        "maximum" => "max",
        "total" => "sum",
        _ => return None,
    })
}
