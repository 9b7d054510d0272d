//! Every code there is. A code keeps its meaning for ever; one that is no longer raised stays reserved.

use super::Code;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: Code = Code($number);)*

        /// All of them, in ascending order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

/// Of what is told as a diagnostic and is none: a test that does not hold.
pub const NONE: Code = Code(0);

codes! {
    /// Something else was expected here.
    UNEXPECTED_TOKEN = 101;
    /// A bracket or a text that is never closed.
    UNCLOSED = 102;
    /// A number, date, time, size, duration or text that cannot be read.
    MALFORMED_LITERAL = 103;

    /// No name, field or port of that name.
    UNKNOWN_NAME = 201;
    /// No module of that name.
    UNKNOWN_MODULE = 202;
    /// One scope defines one name twice.
    DEFINED_TWICE = 203;
    /// Modules that import one another in a circle.
    IMPORT_CYCLE = 204;
    /// Imported or bound, and used nowhere. A warning.
    UNUSED = 205;
    /// A value in PascalCase, or a type in snake_case. A warning.
    NAME_CASE = 206;

    /// One type is wanted, another one is there.
    TYPE_MISMATCH = 301;
    /// A parameter without default that the call leaves out.
    MISSING_ARGUMENT = 302;
    /// An argument that no parameter takes, or that is given twice.
    UNKNOWN_ARGUMENT = 303;
    /// A value outside of its refinement.
    OUT_OF_RANGE = 304;
    /// A `match` that leaves cases out.
    NOT_EXHAUSTIVE = 305;
    /// A value that may be missing, used as if it were there.
    MAYBE_MISSING = 306;

    /// The row has no such column.
    NO_SUCH_COLUMN = 401;
    /// The column is there, with another type.
    COLUMN_TYPE = 402;
    /// Columns missing, or too many, for the row that is wanted.
    COLUMNS_DIFFER = 403;
    /// What the column means forbids this use of it.
    MEANING_FORBIDS = 404;
    /// A trainer needs exactly one label.
    LABEL_COUNT = 405;
    /// The model needs a feature that the table lacks.
    MODEL_LACKS_FEATURE = 406;
    /// The trainer or metric does not fit the task.
    WRONG_TASK = 407;
    /// The column cannot be a feature.
    NOT_A_FEATURE = 408;

    /// Needed when planned, known only when run.
    KNOWN_TOO_LATE = 501;
    /// The arms of a `run if` have two types.
    RUN_ARMS_DIFFER = 502;
    /// A fn or workflow that calls itself.
    RECURSION = 503;

    /// Rows that the model was fitted on.
    FITTED_ROWS = 601;
    /// Rows that were seen through a transformer, an aggregate or a lookup.
    SEEN_ROWS = 602;
    /// Rows that decided between models.
    CHOSEN_ROWS = 603;
    /// A feature that was computed from the label.
    LABEL_LEAK = 604;
    /// Personal data at a trainer or sink.
    PERSONAL_DATA = 605;
    /// A join that lets the future in.
    FUTURE_JOINED = 606;

    /// A policy key that does not exist, or a value out of its range.
    BAD_POLICY = 701;
    /// A device that the operator cannot use.
    WRONG_DEVICE = 702;
    /// Nothing implements the operator.
    NO_IMPLEMENTATION = 703;
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_ascend() {
        assert!(super::ALL.is_sorted_by(|a, b| a < b));
    }
}
