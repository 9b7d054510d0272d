//! Aggregates: one value of many rows, in `group` and `window`.
//!
//! They pass over missing values. Of no value at all there is nothing to tell: but for the counts, an aggregate
//! of what may be missing may be missing itself. The standard deviation needs two values.

use super::named::named;
use crate::types::Type;

named! {
    /// A function of all values that an expression has over the rows of a group or window.
    Aggregate;

    /// Without an argument the number of rows, with one the number of values that are there.
    Count "count" 1;
    /// How many different values there are.
    CountDistinct "count_distinct" 1;
    /// An Int is checked: overflow is an error. Of Bools, how many hold.
    Sum "sum" 1;
    /// Of Bools, the share that holds.
    Mean "mean" 1;
    Min "min" 1;
    Max "max" 1;
    /// Sample standard deviation: divided by n - 1.
    Std "std" 1;
    /// The mean of the two in the middle, where their number is even.
    Median "median" 1;
    /// The second argument is a share in 0..=1; linear between neighbours (Hyndman and Fan's type 7).
    Quantile "quantile" 1;
    /// In the order of the rows.
    First "first" 1;
    Last "last" 1;
    /// Whether it holds for one row at least.
    Any "any" 1;
    /// Whether it holds for every row.
    All "all" 1;
}

/// Why an aggregate does not take these arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    #[error("`{}` takes {expected}, not {found}", aggregate.name())]
    Arity { aggregate: Aggregate, expected: &'static str, found: usize },
    #[error("`{}` takes {expected}, not {found}", aggregate.name())]
    Argument { aggregate: Aggregate, expected: &'static str, found: Type },
    /// The values would do, but an id only identifies: it has no mean.
    #[error("`{}` does not take {found}: an id only identifies", aggregate.name())]
    Id { aggregate: Aggregate, found: Type },
}

impl Aggregate {
    /// The type of the result for arguments of these types, in a group of at least one row.
    ///
    /// Meanings are lost, with three exceptions. An Id stays an Id, and a Category a Category, where one of the
    /// values is given. Personal data stays personal there too: the least, greatest, first or last value is
    /// one person's own. Every other aggregate clears it.
    ///
    /// # Errors
    /// Too few or too many arguments, or one of a type or with a meaning that the aggregate does not take.
    pub fn result(self, args: &[Type]) -> Result<Type, AggregateError> {
        let (low, high, expected) = self.arity();
        let value = match args.first() {
            Some(value) if (low..=high).contains(&args.len()) => value,
            None if low == 0 => return Ok(Type::Int),
            _ => return Err(AggregateError::Arity { aggregate: self, expected, found: args.len() }),
        };
        if let [_, share, ..] = args
            && !matches!(share.storage(), Type::Float | Type::Float32 | Type::Int)
        {
            let expected = "a share such as `0.9` as its second argument";
            return Err(AggregateError::Argument { aggregate: self, expected, found: share.clone() });
        }
        let may_be_missing = match self {
            Self::Count | Self::CountDistinct => false,
            Self::Std => true,
            _ => value.is_optional(),
        };
        let result = self.present_result(value)?;
        Ok(if may_be_missing { result.optional() } else { result })
    }

    /// The type of the result over the rows of a window, of which there may be none.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub fn result_over_window(self, args: &[Type]) -> Result<Type, AggregateError> {
        let result = self.result(args)?;
        Ok(if matches!(self, Self::Count | Self::CountDistinct) { result } else { result.optional() })
    }

    /// The least and the greatest number of arguments, and both in words.
    pub fn arity(self) -> (usize, usize, &'static str) {
        match self {
            Self::Count => (0, 1, "at most one argument"),
            Self::Quantile => (2, 2, "a value and a share"),
            _ => (1, 1, "one argument"),
        }
    }

    fn present_result(self, value: &Type) -> Result<Type, AggregateError> {
        let present = value.present();
        let storage = value.storage();
        match self {
            Self::Count => Ok(Type::Int),
            Self::CountDistinct if is_key(value) => Ok(Type::Int),
            Self::CountDistinct => Err(self.refuse("values that can be told apart", value)),
            Self::First | Self::Last => Ok(one_of_values(present)),
            Self::Min | Self::Max if is_ordered(storage) => Ok(one_of_values(present)),
            Self::Min | Self::Max => Err(self.refuse("values with an order", value)),
            Self::Any | Self::All if *storage == Type::Bool => Ok(Type::Bool),
            Self::Any | Self::All => Err(self.refuse("a Bool", value)),
            Self::Sum | Self::Mean | Self::Std | Self::Median | Self::Quantile if is_id(present) => {
                Err(AggregateError::Id { aggregate: self, found: value.clone() })
            }
            Self::Sum | Self::Mean | Self::Std | Self::Median | Self::Quantile => match (self, storage) {
                (_, Type::Duration) => Ok(Type::Duration),
                (Self::Sum, Type::Size) => Ok(Type::Size),
                (Self::Sum, Type::Bool) => Ok(Type::Int),
                (Self::Mean, Type::Bool) => Ok(Type::Float),
                (Self::Sum, Type::Int | Type::Float | Type::Float32) => Ok(storage.clone()),
                (_, Type::Int | Type::Float | Type::Float32) => Ok(Type::Float),
                _ => Err(self.refuse("numbers", value)),
            },
        }
    }

    fn refuse(self, expected: &'static str, found: &Type) -> AggregateError {
        AggregateError::Argument { aggregate: self, expected, found: found.clone() }
    }
}

/// Whether rows can be told apart by such values: as keys of `group`, `join` and `distinct`, and to count.
pub fn is_key(ty: &Type) -> bool {
    !matches!(
        ty.storage(),
        Type::Embedding(_)
            | Type::List(_)
            | Type::Record(_)
            | Type::Dataset(_)
            | Type::Model(_)
            | Type::Opaque(_)
            | Type::Column(_)
            | Type::Nothing
    )
}

fn is_id(present: &Type) -> bool {
    match present {
        Type::Id(_) | Type::QueryId(_) => true,
        Type::Pii(of) | Type::Label { of, .. } => is_id(of.present()),
        _ => false,
    }
}

/// Whether values of this storage have an order.
fn is_ordered(storage: &Type) -> bool {
    matches!(
        storage,
        Type::Int
            | Type::Float
            | Type::Float32
            | Type::Date
            | Type::Time
            | Type::Text
            | Type::Duration
            | Type::Size
    )
}

/// The type of one of the values: whoever it identifies and whosever it is, it still does.
fn one_of_values(present: &Type) -> Type {
    match present {
        Type::Id(_) | Type::QueryId(_) | Type::Category | Type::Embedding(_) | Type::Fraction => {
            present.clone()
        }
        Type::Pii(of) => Type::Pii(Box::new(one_of_values(of.present()))),
        Type::Label { of, .. } => one_of_values(of.present()),
        other => other.storage().clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results() {
        let ty = |text: &str| Type::parse(text).unwrap();
        for (aggregate, value, expected) in [
            ("count", "Text?", Some("Int")),
            ("count_distinct", "Id<Int>", Some("Int")),
            ("count_distinct", "Embedding<3>", None),
            ("sum", "Int", Some("Int")),
            ("sum", "Float?", Some("Float?")),
            ("sum", "Bool", Some("Int")),
            ("sum", "Weight", Some("Float")),
            ("sum", "Id<Int>", None),
            ("sum", "Pii<Int>", Some("Int")),
            ("sum", "Pii<Id<Int>>", None),
            ("sum", "Text", None),
            ("sum", "Size", Some("Size")),
            ("mean", "Size", None),
            ("mean", "Int", Some("Float")),
            ("mean", "Label<Bool>", Some("Float")),
            ("mean", "Duration?", Some("Duration?")),
            ("mean", "Embedding<3>", None),
            ("std", "Float", Some("Float?")),
            ("median", "Bool", None),
            ("min", "EventTime", Some("Time")),
            ("max", "Id<Int>", Some("Id<Int>")),
            ("max", "Label<Category> positive \"a\"", Some("Category")),
            ("min", "Bool", None),
            ("first", "Pii<Text>", Some("Pii<Text>")),
            ("last", "Embedding<3>?", Some("Embedding<3>?")),
            ("last", "Label<Float>", Some("Float")),
            ("any", "Bool?", Some("Bool?")),
            ("all", "Int", None),
        ] {
            let result = Aggregate::named(aggregate).unwrap().result(&[ty(value)]);
            assert_eq!(result.ok(), expected.map(ty), "{aggregate}({value})");
        }
    }

    #[test]
    fn a_window_may_be_empty() {
        for aggregate in Aggregate::ALL.iter().filter(|aggregate| **aggregate != Aggregate::Quantile) {
            let value = match aggregate {
                Aggregate::Any | Aggregate::All => Type::Bool,
                _ => Type::Int,
            };
            let result = aggregate.result_over_window(&[value]).unwrap();
            let is_count = matches!(aggregate, Aggregate::Count | Aggregate::CountDistinct);
            assert_eq!(result.is_optional(), !is_count, "{}", aggregate.name());
        }
    }

    #[test]
    fn arguments_are_counted() {
        assert_eq!(Aggregate::Count.result(&[]), Ok(Type::Int));
        assert_eq!(Aggregate::Quantile.result(&[Type::Int, Type::Fraction]), Ok(Type::Float));
        assert!(Aggregate::Quantile.result(&[Type::Int, Type::Text]).is_err());
        assert!(Aggregate::Quantile.result(&[Type::Int]).is_err());
        assert!(Aggregate::Sum.result(&[]).is_err());
        assert!(Aggregate::Count.result(&[Type::Int, Type::Int]).is_err());
    }

    #[test]
    fn names_are_their_own() {
        for aggregate in Aggregate::ALL {
            assert_eq!(Aggregate::named(aggregate.name()), Some(*aggregate));
        }
    }
}
