//! "did you mean": the one known name that a misspelled one most likely stands for.

/// The candidate nearest to `wanted`, if one is near enough that offering it helps.
///
/// Near is a Damerau-Levenshtein distance (insert, delete, replace, swap of neighbours), letter case
/// aside, of at most a third of the longer name and never over 3. Of equally near candidates the first in
/// alphabetical order is taken, so that the answer does not depend on the order they come in.
pub fn suggest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wanted.to_lowercase();
    let length = folded.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != wanted)
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let other_length = other.chars().count();
            let limit = (length.max(other_length) / 3).clamp(1, 3);
            // The lengths alone rule out most names, and bound the cost for absurdly long ones.
            if length.abs_diff(other_length) > limit || length.min(other_length) < 2 {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&folded, &other);
            (distance <= limit).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The same as a sentence for a diagnostic's help: ``did you mean `distance`?``
pub fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest(wanted, candidates).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, suggest};

    const COLUMNS: [&str; 6] = ["distance", "minutes", "tipped", "at", "city", "ride_id"];

    #[test]
    fn near_names_are_found() {
        for (wanted, expected) in [
            ("distnce", Some("distance")),
            ("Minutes", Some("minutes")),
            ("rideid", Some("ride_id")),
            ("tpiped", Some("tipped")),
            ("ta", Some("at")),
            ("velocity", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(wanted, COLUMNS), expected, "{wanted}");
        }
    }

    #[test]
    fn the_answer_does_not_depend_on_the_order() {
        assert_eq!(suggest("colum_c", ["column_b", "column_a"]), Some("column_a"));
        assert_eq!(suggest("colum_c", ["column_a", "column_b"]), Some("column_a"));
    }

    #[test]
    fn a_name_is_no_suggestion_for_itself() {
        assert_eq!(suggest("city", COLUMNS), None);
    }

    #[test]
    fn the_sentence() {
        assert_eq!(did_you_mean("distnce", COLUMNS).as_deref(), Some("did you mean `distance`?"));
    }
}
