//! The scalar functions: one row a function, with the name that text and JSON give it.

use super::named::named;

named! {
    /// A scalar function. What each means stands in the language's table of meanings, and in
    /// the reference interpreter.
    Function;

    Add "add" 1;
    Subtract "subtract" 1;
    Multiply "multiply" 1;
    /// Always a Float, but Duration / number.
    Divide "divide" 1;
    /// Remainder with the sign of the dividend.
    Remainder "remainder" 1;
    /// Int ** Int is an Int; a negative exponent is an error then.
    Power "pow" 1;
    Negate "negate" 1;
    Equal "equal" 1;
    NotEqual "not_equal" 1;
    Less "less" 1;
    LessEqual "less_equal" 1;
    Greater "greater" 1;
    GreaterEqual "greater_equal" 1;
    /// The first argument is one of the others.
    In "in" 1;
    And "and" 1;
    Or "or" 1;
    Not "not" 1;
    /// `a ?? b`
    OrElse "or_else" 1;
    IsMissing "is_missing" 1;
    Abs "abs" 1;
    Ceil "ceil" 1;
    Floor "floor" 1;
    /// Half to even; a Float stays one.
    Round "round" 1;
    Sqrt "sqrt" 1;
    Exp "exp" 1;
    Log "log" 1;
    Log1p "log1p" 1;
    Expm1 "expm1" 1;
    /// NaN beside anything is NaN.
    Min "min" 1;
    Max "max" 1;
    Clip "clip" 1;
    Sign "sign" 1;
    Sin "sin" 1;
    Cos "cos" 1;
    Tanh "tanh" 1;
    Sigmoid "sigmoid" 1;
    Lower "lower" 1;
    Upper "upper" 1;
    Trim "trim" 1;
    /// Characters of a Text, elements of a List.
    Length "length" 1;
    Contains "contains" 1;
    StartsWith "starts_with" 1;
    Replace "replace" 1;
    /// A regular expression in the second argument, unanchored.
    Matches "matches" 1;
    Concat "concat" 1;
    /// The parts of a Text between separators, a List.
    SplitText "split_text" 1;
    /// Which of the ranges between ascending bounds holds a number, by its name: `10..100`.
    Bucket "bucket" 1;
    /// 64 bits that equal values share.
    Hash "hash" 1;
    Year "year" 1;
    Month "month" 1;
    Day "day" 1;
    /// 1 is Monday, 7 is Sunday.
    Weekday "weekday" 1;
    Hour "hour" 1;
    /// From the first to the second, a Float.
    MinutesBetween "minutes_between" 1;
    DaysBetween "days_between" 1;
    /// The field of a record value; the second argument is the field's name.
    Field "field" 1;
    /// The element of a list value.
    Element "element" 1;
}
