//! `assert e`: holds, or says what its sides are.

use flow_analysis::body::{Expr, ExprKind, TestFunction};
use flow_ir::{expr::Function, value::Value};
use flow_syntax::span::Span;

use super::super::{
    evaluator::{Evaluator, Frame, Result},
    value::Planned,
};
use super::state::Remark;
use crate::testing::Failure;

/// More of a value is not shown.
const SHOWN: usize = 200;
/// So much of it comes before what differs.
const BEFORE: usize = 60;

impl Evaluator<'_> {
    pub(super) fn assert(&mut self, frame: &mut Frame, condition: &Expr) -> Result<()> {
        if let ExprKind::Scalar { function: Function::And, args } = &condition.kind {
            return args.iter().try_for_each(|part| self.assert(frame, part));
        }
        let testing = self.testing(frame, condition.span)?;
        testing.remark = None;
        let (is_negated, inner) = match &condition.kind {
            ExprKind::Scalar { function: Function::Not, args } => match args.as_slice() {
                [inner] => (true, inner),
                _ => (false, condition),
            },
            _ => (false, condition),
        };
        let comparison = comparison(inner);
        let (value, sides) = match comparison {
            Some((function, args)) => {
                let mut sides = Vec::with_capacity(args.len());
                for arg in args {
                    sides.push((self.expr(frame, arg, None)?, arg));
                }
                (self.compare(frame, function, &sides, inner)?, sides)
            }
            None => (self.expr(frame, inner, None)?, Vec::new()),
        };
        let holds = value.as_known().is_some_and(|value| **value == Value::Bool(!is_negated));
        if holds {
            return Ok(());
        }
        let mut failure = Failure::assertion("this does not hold");
        if let Some((function, _)) = comparison
            && let Some(sign) = sign(function)
            && let Some((left, rest)) = sides.split_first()
        {
            // Of two long values that begin alike, what follows is shown.
            let from = match rest {
                [(right, _)] if function != Function::In => alike(&text(&left.0), &text(right)),
                _ => 0,
            };
            let left_text = shown(&left.0, from);
            let right_text = match (function, rest) {
                (Function::In, [(only, list)])
                    if matches!(list.ty.ground(), Some(flow_ir::types::Type::List(_))) =>
                {
                    shown(only, 0)
                }
                (Function::In, members) => {
                    let members: Vec<String> = members.iter().map(|(member, _)| shown(member, 0)).collect();
                    format!("[{}]", members.join(", "))
                }
                _ => rest.iter().map(|(side, _)| shown(side, from)).collect(),
            };
            let not = if is_negated { "not " } else { "" };
            failure.message = format!("this does not hold: {not}{left_text} {sign} {right_text}");
            for (side, expr) in &sides {
                if !matches!(expr.kind, ExprKind::Value(_)) {
                    failure
                        .labels
                        .push((self.in_file(frame, expr.span), format!("this is {}", shown(side, from))));
                }
            }
            failure.sides = Some((left_text, right_text));
        } else if is_negated {
            failure.message = "this holds, and should not".to_owned();
        }
        let remark = self.testing(frame, condition.span)?.remark.take();
        if let Some(Remark { message, details, help }) = remark.filter(|_| is_question(inner)) {
            (failure.message, failure.details, failure.help) = (message, details, help);
        }
        Err(self.failed(frame, condition.span, failure))
    }

    /// What is missing equals nothing that is there: whether two values are equal is always known.
    pub(super) fn compare(
        &mut self,
        frame: &Frame,
        function: Function,
        sides: &[(Planned, &Expr)],
        expr: &Expr,
    ) -> Result<Planned> {
        let is_missing = |side: &Planned| side.as_known().is_some_and(|value| **value == Value::None);
        if let (Function::Equal | Function::NotEqual, [(left, _), (right, _)]) = (function, sides)
            && (is_missing(left) || is_missing(right))
        {
            let are_equal = is_missing(left) && is_missing(right);
            return Ok(Planned::known(Value::Bool(are_equal == (function == Function::Equal))));
        }
        self.apply(frame, function, sides.to_vec(), expr)
    }

    fn in_file(&self, frame: &Frame, span: Span) -> Span {
        span.shift(frame.offset)
    }
}

/// Whether it is itself what a remark was made on.
fn is_question(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Test { .. } => true,
        ExprKind::Block { value, .. } => is_question(value),
        _ => false,
    }
}

/// What a comparison compares.
fn comparison(expr: &Expr) -> Option<(Function, &[Expr])> {
    match &expr.kind {
        ExprKind::Scalar { function, args } => sign(*function).map(|_| (*function, args.as_slice())),
        ExprKind::Test { function: TestFunction::Same, args } => Some((Function::Equal, args)),
        ExprKind::Test { function: TestFunction::Differs, args } => Some((Function::NotEqual, args)),
        _ => None,
    }
}

/// How a comparison is written.
fn sign(function: Function) -> Option<&'static str> {
    Some(match function {
        Function::Equal => "==",
        Function::NotEqual => "!=",
        Function::Less => "<",
        Function::LessEqual => "<=",
        Function::Greater => ">",
        Function::GreaterEqual => ">=",
        Function::In => "in",
        _ => return None,
    })
}

fn text(value: &Planned) -> String {
    let Some(value) = value.as_known() else { return "a value that is not known".to_owned() };
    match &**value {
        Value::Duration(time) => duration(*time),
        value => value.to_string(),
    }
}

/// A value from one of its characters on, as far as fits.
fn shown(value: &Planned, from: usize) -> String {
    let text = text(value);
    let mut rest = text.chars().skip(from);
    let mut shown = if from > 0 { "…".to_owned() } else { String::new() };
    shown.extend(rest.by_ref().take(SHOWN));
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

/// The character from which two texts are shown, so that what differs is: a little before it, where that is far behind.
fn alike(left: &str, right: &str) -> usize {
    let alike = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
    let is_long = [left, right].iter().any(|text| text.chars().nth(SHOWN).is_some());
    if is_long && left != right && alike > SHOWN / 2 { alike - BEFORE } else { 0 }
}

/// `3h 0min 2.612s`: what a person can compare.
fn duration(microseconds: i64) -> String {
    const UNITS: [(&str, u64); 3] = [("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000)];
    let mut rest = microseconds.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        if rest >= length {
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if rest > 0 || parts.is_empty() {
        let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
        let fraction = format!(".{fraction:06}");
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        parts.push(format!("{seconds}{fraction}s"));
    }
    let sign = if microseconds < 0 { "-" } else { "" };
    format!("{sign}{}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_are_read_by_people() {
        for (time, text) in [
            (0, "0s"),
            (250_000, "0.25s"),
            (10_802_612_412, "3h 2.612412s"),
            (-60_000_000, "-1min"),
            (90_061_000_000, "1d 1h 1min 1s"),
        ] {
            assert_eq!(super::duration(time), text);
        }
    }
}
