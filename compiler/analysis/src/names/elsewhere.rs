//! What the verbs and aggregates are called in pandas, Polars, Spark, dplyr and SQL.

/// The verb that people mean by another library's word.
pub(crate) fn verb_for(word: &str) -> Option<&'static str> {
    Some(match word {
        "filter" | "query" => "where",
        "with_columns" | "with_column" | "assign" | "mutate" | "add_column" => "derive",
        "group_by" | "groupby" | "agg" | "aggregate" | "summarize" | "summarise" => "group",
        "sort_by" | "sort_values" | "order_by" | "orderby" | "arrange" => "sort",
        "head" | "take" | "slice_head" => "limit",
        "merge" | "inner_join" | "left_join" => "join",
        "merge_asof" | "asof_join" => "join_asof",
        "concat" | "append" | "vstack" | "union_all" | "bind_rows" => "union",
        "unique" | "drop_duplicates" | "dedup" => "distinct",
        "over" | "rolling" => "window",
        "train_test_split" | "random_split" => "split",
        "kfold" | "k_fold" | "cross_validate" => "folds",
        "transform" => "apply",
        "item" => "only",
        "to_list" | "tolist" => "values",
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
