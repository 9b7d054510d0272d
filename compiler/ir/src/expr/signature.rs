//! The type of each function's result.
//!
//! One rule holds for all but `is_missing`, `or_else`, `and`, `or` and comparisons with `none`: where
//! an argument may be missing, so may the result. Whether that is allowed where it stands is the
//! checker's business, as is whether a column's meaning forbids the function. What is computed from
//! personal data stays personal; every other meaning is lost.

use super::Function;
use crate::types::{RecordType, Type};

/// Why a function does not take these arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("`{}` takes {expected}, not {found}", function.name())]
    Arity { function: Function, expected: &'static str, found: usize },
    /// `index` counts from 0.
    #[error("`{}` takes {expected} here, not {found}", function.name())]
    Argument { function: Function, index: usize, expected: &'static str, found: Type },
    #[error("`{}` does not take {left} with {right}", function.name())]
    Pair { function: Function, left: Type, right: Type },
}

impl Function {
    /// The type of the result for arguments of these types.
    ///
    /// # Errors
    /// Too few or too many arguments, or one of a type that the function does not take.
    pub fn result(self, args: &[Type]) -> Result<Type, SignatureError> {
        let (low, high, expected) = self.arity();
        if args.len() < low || args.len() > high {
            return Err(SignatureError::Arity { function: self, expected, found: args.len() });
        }
        match (self, args) {
            (Self::IsMissing, _) => return Ok(Type::Bool),
            (Self::OrElse, [value, default]) => {
                let common = common_type(value, default).ok_or_else(|| self.pair(value, default))?;
                return Ok(if default.is_optional() || *default == Type::Nothing {
                    common
                } else {
                    without_optional(common)
                });
            }
            (Self::Equal | Self::NotEqual, [left, right])
                if *left == Type::Nothing || *right == Type::Nothing =>
            {
                return Ok(Type::Bool);
            }
            // What is hashed says no more who it was.
            (Self::Hash, [value]) => {
                let storage = value.storage();
                self.all(args, &[storage], "a single value", |ty| {
                    matches!(ty, Type::Bool | Type::Int | Type::Float | Type::Text | Type::Date | Type::Time)
                })?;
                return Ok(if value.is_optional() { Type::Int.optional() } else { Type::Int });
            }
            (Self::In, [value, ..]) => {
                self.check_members(args)?;
                return Ok(lifted(Type::Bool, std::slice::from_ref(value)));
            }
            _ => {}
        }
        let storage: Vec<&Type> = args.iter().map(Type::storage).collect();
        Ok(lifted(self.plain_result(args, &storage)?, args))
    }

    /// The least and the greatest number of arguments, and both in words.
    fn arity(self) -> (usize, usize, &'static str) {
        use Function::*;
        match self {
            In => (1, usize::MAX, "at least one argument"),
            Concat => (1, usize::MAX, "at least one argument"),
            Min | Max => (2, usize::MAX, "at least two arguments"),
            Clip | Replace => (3, 3, "three arguments"),
            Add | Subtract | Multiply | Divide | Remainder | Power | Equal | NotEqual | Less | LessEqual
            | Greater | GreaterEqual | And | Or | OrElse | Contains | StartsWith | Matches | SplitText
            | Bucket | MinutesBetween | DaysBetween | Field | Element => (2, 2, "two arguments"),
            Negate | Not | IsMissing | Abs | Ceil | Floor | Round | Sqrt | Exp | Log | Log1p | Expm1
            | Sign | Hash | Sin | Cos | Tanh | Sigmoid | Lower | Upper | Trim | Length | Year | Month
            | Day | Weekday | Hour => (1, 1, "one argument"),
        }
    }

    /// The type of the result of arguments that are all there.
    fn plain_result(self, args: &[Type], storage: &[&Type]) -> Result<Type, SignatureError> {
        use Function::*;
        match self {
            Add | Subtract | Multiply | Divide | Remainder | Power => self.arithmetic(args, storage),
            Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual => {
                let is_order = !matches!(self, Equal | NotEqual);
                match (args, storage) {
                    ([left, right], [a, b])
                        if !are_comparable(left, right) || is_order && !(is_ordered(a) && is_ordered(b)) =>
                    {
                        Err(self.pair(left, right))
                    }
                    _ => Ok(Type::Bool),
                }
            }
            And | Or | Not => self.all(args, storage, "a Bool", |ty| *ty == Type::Bool).map(|()| Type::Bool),
            Negate | Abs if storage == [&Type::Duration] => Ok(Type::Duration),
            Negate | Abs | Sign | Ceil | Floor | Round => {
                self.numbers(args, storage)?;
                Ok(if storage == [&Type::Int] { Type::Int } else { Type::Float })
            }
            Sqrt | Exp | Log | Log1p | Expm1 | Sin | Cos | Tanh | Sigmoid => {
                self.numbers(args, storage)?;
                Ok(Type::Float)
            }
            Min | Max | Clip => self.extreme(args, storage),
            Lower | Upper | Trim | Replace | Concat => {
                self.texts(args, storage)?;
                Ok(Type::Text)
            }
            Contains | StartsWith | Matches => {
                self.texts(args, storage)?;
                Ok(Type::Bool)
            }
            SplitText => {
                self.texts(args, storage)?;
                Ok(Type::List(Box::new(Type::Text)))
            }
            Bucket => match (args, storage) {
                ([value, ..], [number, _]) if !is_number(number) => Err(self.argument(0, "a number", value)),
                ([_, _], [_, Type::List(bound)]) if is_number(bound.storage()) && !bound.is_optional() => {
                    Ok(Type::Category)
                }
                ([_, bounds], _) => Err(self.argument(1, "a list of ascending numbers", bounds)),
                _ => Ok(Type::Category),
            },
            Length => {
                let is_long = |ty: &Type| matches!(ty, Type::Text | Type::Bytes | Type::List(_));
                self.all(args, storage, "a Text or a List", is_long)?;
                Ok(Type::Int)
            }
            Year | Month | Day | Weekday => {
                self.all(args, storage, "a Date or a Time", is_date)?;
                Ok(Type::Int)
            }
            Hour => {
                self.all(args, storage, "a Time", |ty| *ty == Type::Time)?;
                Ok(Type::Int)
            }
            MinutesBetween | DaysBetween => {
                self.all(args, storage, "a Date or a Time", is_date)?;
                Ok(Type::Float)
            }
            Element => match (args, storage) {
                ([_, _], [Type::List(of), Type::Int]) => Ok((**of).clone()),
                ([_, index], [Type::List(_), _]) => Err(self.argument(1, "an Int", index)),
                ([list, ..], _) => Err(self.argument(0, "a List", list)),
                ([], _) => Ok(Type::Nothing),
            },
            // Which field is the value of the second argument, so the record's type alone says only
            // that there is one: see `field_type`.
            Field => match (args, storage) {
                ([record, _], [Type::Record(fields), Type::Text]) => {
                    let mut types = fields.fields.iter().map(|field| field.ty.clone());
                    match types.next() {
                        Some(first) if types.all(|ty| ty == first) => Ok(first),
                        _ => Err(self.argument(0, "a record whose fields have one type", record)),
                    }
                }
                ([_, name], [Type::Record(_), _]) => Err(self.argument(1, "a field's name", name)),
                ([record, ..], _) => Err(self.argument(0, "a record", record)),
                ([], _) => Ok(Type::Nothing),
            },
            // Handled before.
            OrElse | IsMissing | In | Hash => Ok(Type::Bool),
        }
    }

    fn arithmetic(self, args: &[Type], storage: &[&Type]) -> Result<Type, SignatureError> {
        use Function::{Add, Divide, Multiply, Power, Remainder, Subtract};
        let ([left, right], [a, b]) = (args, storage) else { return Ok(Type::Nothing) };
        let result = match (self, *a, *b) {
            (Divide, a, b) if is_number(a) && is_number(b) => Type::Float,
            (_, Type::Int, Type::Int) => Type::Int,
            (_, a, b) if is_number(a) && is_number(b) => Type::Float,
            (Add | Subtract, Type::Duration, Type::Duration) => Type::Duration,
            (Add | Subtract, at @ (Type::Date | Type::Time), Type::Duration) => at.clone(),
            (Add, Type::Duration, at @ (Type::Date | Type::Time)) => at.clone(),
            (Subtract, Type::Date | Type::Time, Type::Date | Type::Time) => Type::Duration,
            (Multiply, Type::Duration, factor) | (Multiply, factor, Type::Duration) if is_number(factor) => {
                Type::Duration
            }
            (Divide, Type::Duration, divisor) if is_number(divisor) => Type::Duration,
            (Divide, Type::Duration, Type::Duration) | (Divide, Type::Size, Type::Size) => Type::Float,
            (Add | Subtract, Type::Size, Type::Size) => Type::Size,
            (Multiply, Type::Size, Type::Int) | (Multiply, Type::Int, Type::Size) => Type::Size,
            (Add | Subtract | Multiply | Divide | Remainder | Power, ..) | (..) => {
                return Err(self.pair(left, right));
            }
        };
        if are_of_different_metrics(left, right) { Err(self.pair(left, right)) } else { Ok(result) }
    }

    fn extreme(self, args: &[Type], storage: &[&Type]) -> Result<Type, SignatureError> {
        let (Some((first, rest)), Some(first_storage)) = (args.split_first(), storage.first()) else {
            return Ok(Type::Nothing);
        };
        let mut result = (*first_storage).clone();
        if !is_ordered(&result) {
            return Err(self.argument(0, "values with an order", first));
        }
        for (ty, storage) in rest.iter().zip(storage.iter().skip(1)) {
            result = match common_type(&result, storage) {
                Some(common) if is_ordered(storage) && !are_of_different_metrics(first, ty) => common,
                _ => return Err(self.pair(first, ty)),
            };
        }
        Ok(if result == Type::Float32 { Type::Float } else { result })
    }

    fn check_members(self, args: &[Type]) -> Result<(), SignatureError> {
        let Some((value, members)) = args.split_first() else { return Ok(()) };
        if let [Type::List(of)] = members
            && (**of == Type::Nothing || are_comparable(value, of))
        {
            return Ok(());
        }
        match members.iter().find(|member| **member != Type::Nothing && !are_comparable(value, member)) {
            Some(member) => Err(self.pair(value, member)),
            None => Ok(()),
        }
    }

    fn numbers(self, args: &[Type], storage: &[&Type]) -> Result<(), SignatureError> {
        self.all(args, storage, "a number", is_number)
    }

    fn texts(self, args: &[Type], storage: &[&Type]) -> Result<(), SignatureError> {
        self.all(args, storage, "a Text", |ty| *ty == Type::Text)
    }

    fn all(
        self,
        args: &[Type],
        storage: &[&Type],
        expected: &'static str,
        holds: impl Fn(&Type) -> bool,
    ) -> Result<(), SignatureError> {
        match storage.iter().zip(args).enumerate().find(|(_, (storage, _))| !holds(storage)) {
            Some((index, (_, found))) => Err(self.argument(index, expected, found)),
            None => Ok(()),
        }
    }

    fn pair(self, left: &Type, right: &Type) -> SignatureError {
        SignatureError::Pair { function: self, left: left.clone(), right: right.clone() }
    }

    fn argument(self, index: usize, expected: &'static str, found: &Type) -> SignatureError {
        SignatureError::Argument { function: self, index, expected, found: found.clone() }
    }
}

/// The type of a record's field, as `field(record, "name")` gives it.
pub fn field_type(record: &Type, name: &str) -> Option<Type> {
    match record.storage() {
        Type::Record(fields) => {
            fields.field(name).map(|field| lifted(field.ty.clone(), std::slice::from_ref(record)))
        }
        _ => None,
    }
}

/// The type that values of both types have: of the arms of an `if`, of a list's elements. Int widens
/// to Float, a Date to a Time, a Text beside a Category is one; differing meanings are lost.
pub fn common_type(a: &Type, b: &Type) -> Option<Type> {
    if a == b {
        return Some(a.clone());
    }
    let common = match (a.present(), b.present()) {
        (Type::Nothing, other) | (other, Type::Nothing) => return Some(other.clone().optional()),
        (a, b) if a == b => a.clone(),
        (Type::Pii(a), b) | (b, Type::Pii(a)) => Type::Pii(Box::new(common_type(a, without_pii(b))?)),
        (Type::Label { of: a, positive: first }, Type::Label { of: b, positive: second }) => Type::Label {
            of: Box::new(common_type(a, b)?),
            positive: first.clone().filter(|_| first == second),
        },
        (Type::Metric(_), Type::Metric(_)) => return None,
        (Type::List(a), Type::List(b)) => Type::List(Box::new(common_type(a, b)?)),
        (Type::Record(a), Type::Record(b)) if a.fields == b.fields => {
            Type::Record(RecordType { name: None, fields: a.fields.clone() })
        }
        (Type::Category, b) if *b.storage() == Type::Text => Type::Category,
        (a, Type::Category) if *a.storage() == Type::Text => Type::Category,
        (a, b) => match (a.storage(), b.storage()) {
            (a, b) if a == b => a.clone(),
            (a, b) if is_number(a) && is_number(b) => Type::Float,
            (Type::Date, Type::Time) | (Type::Time, Type::Date) => Type::Time,
            _ => return None,
        },
    };
    Some(if a.is_optional() || b.is_optional() { common.optional() } else { common })
}

fn are_comparable(a: &Type, b: &Type) -> bool {
    if are_of_different_metrics(a, b) {
        return false;
    }
    match (a.storage(), b.storage()) {
        (Type::Enum(a), Type::Enum(b)) => a.name == b.name,
        (Type::Dataset(_) | Type::Model(_) | Type::Opaque(_), _) => false,
        (a, b) => common_type(a, b).is_some(),
    }
}

fn are_of_different_metrics(a: &Type, b: &Type) -> bool {
    matches!((a.present(), b.present()), (Type::Metric(a), Type::Metric(b)) if a != b)
}

fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Float32)
}

fn is_date(ty: &Type) -> bool {
    matches!(ty, Type::Date | Type::Time)
}

fn is_ordered(ty: &Type) -> bool {
    is_number(ty) || is_date(ty) || matches!(ty, Type::Text | Type::Duration | Type::Size)
}

/// With the `?` and the Pii of the arguments.
fn lifted(result: Type, args: &[Type]) -> Type {
    let result = if args.iter().any(Type::is_personal) { result.personal() } else { result };
    if args.iter().any(Type::is_optional) { result.optional() } else { result }
}

fn without_pii(ty: &Type) -> &Type {
    if let Type::Pii(of) = ty { of } else { ty }
}

fn without_optional(ty: Type) -> Type {
    match ty {
        Type::Optional(of) => without_optional(*of),
        Type::Refined { base, refinement } if base.is_optional() => {
            Type::Refined { base: Box::new(without_optional(*base)), refinement }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(function: &str, args: &[&str]) -> String {
        let args: Vec<Type> = args.iter().map(|text| Type::parse(text).unwrap()).collect();
        match Function::named(function).unwrap().result(&args) {
            Ok(ty) => ty.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_table() {
        for (function, args, expected) in [
            ("add", &["Int", "Int"][..], "Int"),
            ("add", &["Int", "Float"], "Float"),
            ("divide", &["Int", "Int"], "Float"),
            ("divide", &["Duration", "Int"], "Duration"),
            ("divide", &["Duration", "Duration"], "Float"),
            ("subtract", &["Date", "Date"], "Duration"),
            ("subtract", &["EventTime", "Date"], "Duration"),
            ("add", &["Date", "Duration"], "Date"),
            ("subtract", &["Duration", "Date"], "`subtract` does not take Duration with Date"),
            ("add", &["Text", "Text"], "`add` does not take Text with Text"),
            ("add", &["Float?", "Float"], "Float?"),
            ("add", &["Id<Int>", "Int"], "Int"),
            ("add", &["Int in 1..=16", "Fraction"], "Float"),
            ("subtract", &["Auc", "Auc"], "Float"),
            ("subtract", &["Auc", "Rmse"], "`subtract` does not take Auc with Rmse"),
            ("less", &["Auc", "Float"], "Bool"),
            ("less", &["Auc", "Rmse"], "`less` does not take Auc with Rmse"),
            ("pow", &["Int", "Int"], "Int"),
            ("pow", &["Int", "Float"], "Float"),
            ("round", &["Float32"], "Float"),
            ("sqrt", &["Int"], "Float"),
            ("sqrt", &["Text"], "`sqrt` takes a number here, not Text"),
            ("sqrt", &[], "`sqrt` takes one argument, not 0"),
            ("equal", &["Category", "Text"], "Bool"),
            ("equal", &["Category?", "Text"], "Bool?"),
            ("equal", &["Float?", "Nothing"], "Bool"),
            ("equal", &["Int", "Text"], "`equal` does not take Int with Text"),
            ("equal", &["Date", "Time"], "Bool"),
            ("less", &["Bool", "Bool"], "`less` does not take Bool with Bool"),
            ("equal", &["std.A { a }", "std.B { a }"], "`equal` does not take std.A { a } with std.B { a }"),
            ("in", &["Category", "Text", "Text"], "Bool"),
            ("in", &["Int", "List<Int>"], "Bool"),
            ("in", &["Int?", "Int"], "Bool?"),
            ("in", &["Int", "Text"], "`in` does not take Int with Text"),
            ("and", &["Bool", "Bool?"], "Bool?"),
            ("or_else", &["Float?", "Int"], "Float"),
            ("or_else", &["Category?", "Text"], "Category"),
            ("or_else", &["Label<Bool>?", "Label<Bool>"], "Label<Bool>"),
            ("or_else", &["Int?", "Int?"], "Int?"),
            ("or_else", &["Int?", "Text"], "`or_else` does not take Int? with Text"),
            ("is_missing", &["Pii<Text>?"], "Bool"),
            ("lower", &["Category"], "Text"),
            ("lower", &["Pii<Text>?"], "Pii<Text>?"),
            ("length", &["List<Int>"], "Int"),
            ("min", &["Int", "Float", "Int"], "Float"),
            ("max", &["Date", "Date"], "Date"),
            ("max", &["Date", "Int"], "`max` does not take Date with Int"),
            ("year", &["EventTime"], "Int"),
            ("hour", &["Date"], "`hour` takes a Time here, not Date"),
            ("days_between", &["Date", "Time"], "Float"),
            ("element", &["List<Text?>", "Int"], "Text?"),
            ("split_text", &["Text", "Text"], "List<Text>"),
            ("split_text", &["Pii<Text>?", "Text"], "Pii<List<Text>>?"),
            ("split_text", &["Int", "Text"], "`split_text` takes a Text here, not Int"),
            ("bucket", &["Float?", "List<Int>"], "Category?"),
            ("bucket", &["Text", "List<Int>"], "`bucket` takes a number here, not Text"),
            (
                "bucket",
                &["Int", "List<Text>"],
                "`bucket` takes a list of ascending numbers here, not List<Text>",
            ),
            ("bucket", &["Int", "Int"], "`bucket` takes a list of ascending numbers here, not Int"),
            ("hash", &["Pii<Text>?"], "Int?"),
            ("hash", &["Id<Int>"], "Int"),
            ("hash", &["List<Int>"], "`hash` takes a single value here, not List<Int>"),
        ] {
            assert_eq!(result(function, args), expected, "{function}({})", args.join(", "));
        }
    }

    #[test]
    fn common_types() {
        for (a, b, expected) in [
            ("Int", "Float?", Some("Float?")),
            ("Nothing", "Int", Some("Int?")),
            ("List<Nothing>", "List<Text>", Some("List<Text?>")),
            ("Label<Category> positive \"a\"", "Label<Category>", Some("Label<Category>")),
            ("Pii<Int>", "Float", Some("Pii<Float>")),
            ("Auc", "Rmse", None),
            ("Int", "Text", None),
        ] {
            let common = common_type(&Type::parse(a).unwrap(), &Type::parse(b).unwrap());
            assert_eq!(common.map(|ty| ty.to_string()).as_deref(), expected, "{a} and {b}");
        }
    }
}
