//! Scalar functions over known values, columns and futures.

use flow_ir::{
    expr::{Function, SignatureError},
    types::Type,
    value::Value,
};
use flow_syntax::{diagnostic::code, span::Span};

use super::{Checker, Typed, known_value};
use crate::{body::ExprKind, stages::Stage, types::show};

impl Checker<'_> {
    /// A scalar function of these arguments; `name` is how it is written: `+`, `log`.
    pub fn scalar(&mut self, function: Function, name: &str, args: Vec<Typed>, span: Span) -> Typed {
        let mut types = Vec::with_capacity(args.len());
        for arg in &args {
            match arg.ty() {
                Some(ty) => types.push(ty.clone()),
                None => return Typed::error(span),
            }
        }
        for (arg, ty) in args.iter().zip(&types) {
            if !serves_ids(function)
                && let Type::Id(_) | Type::QueryId(_) = ty.present()
            {
                return self.only_identifies(name, ty, arg.span());
            }
            if is_arithmetic(function) && (ty.is_optional() || *ty == Type::Nothing) {
                return self.missing(arg.span(), &format!("`{name}`"));
            }
        }
        match function.result(&types) {
            Ok(_) if function == Function::Bucket && !self.bounds_ascend(args.get(1)) => Typed::error(span),
            Ok(ty) => {
                let stage = args.iter().fold(Stage::Planned, |stage, arg| stage.and(&arg.stage));
                let args = args.into_iter().map(|arg| arg.expr).collect();
                Typed::new(ExprKind::Scalar { function, args }, ty, span, stage)
            }
            Err(error) => self.scalar_error(&error, name, &args, span),
        }
    }

    /// Whether the bounds of a `bucket` ascend, as far as they are known; reported where they do not.
    fn bounds_ascend(&mut self, bounds: Option<&Typed>) -> bool {
        let Some(bounds) = bounds else { return true };
        let Some(Value::List(values)) = known_value(&bounds.expr) else { return true };
        let numbers: Vec<f64> = values.iter().filter_map(Value::as_float).collect();
        let ascend = !numbers.is_empty() && numbers.is_sorted_by(|a, b| a < b);
        if !ascend {
            let message = "the bounds of a `bucket` are at least one number, and ascend";
            self.fail(code::OUT_OF_RANGE, bounds.span(), message);
        }
        ascend
    }

    /// The same value with another meaning: of a type that is stored alike.
    pub fn with_meaning(&self, typed: Typed, ty: Type) -> Typed {
        let span = typed.span();
        if typed.ty() == Some(&ty) {
            return typed;
        }
        Typed::new(ExprKind::Cast(Box::new(typed.expr)), ty, span, typed.stage)
    }

    /// What is decided by personal data is personal, too.
    pub fn decided_by(&self, decider: bool, typed: Typed) -> Typed {
        match typed.ty() {
            Some(ty) if decider && *ty != Type::Nothing => {
                let ty = ty.clone().personal();
                self.with_meaning(typed, ty)
            }
            _ => typed,
        }
    }

    /// Reports an id where a value to compute with is needed.
    pub fn only_identifies(&mut self, user: &str, ty: &Type, span: Span) -> Typed {
        let message = format!("`{user}` does not take `{}`: an id only identifies", show(ty));
        self.report(
            flow_syntax::diagnostic::Diagnostic::error(code::MEANING_FORBIDS, span, message).help(
                "ids are compared, joined, counted and hashed; where this one is a value after all, `int(…)` or `text(…)` says so",
            ),
        );
        Typed::error(span)
    }

    /// Reports a value that may be missing where it must be there.
    pub fn missing(&mut self, span: Span, user: &str) -> Typed {
        let message = format!("this may be missing, and {user} needs it");
        self.report(
            flow_syntax::diagnostic::Diagnostic::error(code::MAYBE_MISSING, span, message)
                .help("say what counts where it is missing, `value ?? default`, or ask with `is_missing(…)`"),
        );
        Typed::error(span)
    }

    fn scalar_error(&mut self, error: &SignatureError, name: &str, args: &[Typed], span: Span) -> Typed {
        match error {
            SignatureError::Arity { expected, found, .. } => {
                let code = if args.is_empty() { code::MISSING_ARGUMENT } else { code::UNKNOWN_ARGUMENT };
                self.fail(code, span, format!("`{name}` takes {expected}, and here are {found}"))
            }
            SignatureError::Argument { index, expected, found, .. } => {
                let at = args.get(*index).map_or(span, Typed::span);
                self.fail(
                    code::TYPE_MISMATCH,
                    at,
                    format!("`{name}` takes {expected}, and this is `{}`", show(found)),
                )
            }
            SignatureError::Pair { left, right, .. } => {
                let message = format!("`{name}` does not take `{}` with `{}`", show(left), show(right));
                self.fail(code::TYPE_MISMATCH, span, message)
            }
        }
    }
}

/// Ids are compared, hashed, and asked whether they are there.
fn serves_ids(function: Function) -> bool {
    use Function::*;
    matches!(
        function,
        Equal
            | NotEqual
            | Less
            | LessEqual
            | Greater
            | GreaterEqual
            | In
            | OrElse
            | IsMissing
            | Concat
            | Hash
    )
}

fn is_arithmetic(function: Function) -> bool {
    use Function::*;
    matches!(
        function,
        Add | Subtract
            | Multiply
            | Divide
            | Remainder
            | Power
            | Negate
            | Abs
            | Ceil
            | Floor
            | Round
            | Sqrt
            | Exp
            | Log
            | Log1p
            | Expm1
            | Clip
            | Sign
            | Sin
            | Cos
            | Tanh
            | Sigmoid
    )
}
