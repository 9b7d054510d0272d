//! `d.split_named(train: 60%, validate: 20%, test: 20%)`: parts at random, with names.

use flow_ir::{
    types::{Field, RecordType, Refinement, Type},
    value::{Float64, Value},
};
use flow_syntax::{
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{VerbCall, VerbResult};
use crate::{
    body::{Expr, ExprKind},
    check::{Checker, known_value},
    ty::Ty,
};

/// How far from one the sum of shares may be, that are each the nearest Float to what was written.
const ROUNDING: f64 = 1e-9;

pub(super) fn split_named<'db>(checker: &mut Checker<'db>, call: VerbCall<'db>) -> Option<VerbResult> {
    let mut shares: Vec<(String, Expr)> = Vec::with_capacity(call.args.len());
    let mut seed = None;
    let mut is_sound = true;
    for arg in &call.args {
        let Some(name) = &arg.name else {
            checker.report(
                Diagnostic::error(code::UNKNOWN_ARGUMENT, arg.value.span, "each part needs a name")
                    .help("`.split_named(train: 80%, test: 20%)`"),
            );
            return None;
        };
        let is_seed = name.text == "seed";
        let is_repeated =
            if is_seed { seed.is_some() } else { shares.iter().any(|(other, _)| *other == name.text) };
        if is_repeated {
            checker.fail(
                code::UNKNOWN_ARGUMENT,
                name.span,
                format!("`{}` is given twice to `split_named`", name.text),
            );
            is_sound = false;
            continue;
        }
        let wanted = if is_seed { Type::Int } else { share_type() };
        let typed = checker.expr(&arg.value, Some(&wanted));
        let typed = checker.coerce(typed, &wanted, &format!("for `{}`", name.text));
        is_sound &= typed.ty().is_some();
        if is_seed {
            seed = Some(typed.expr);
        } else {
            shares.push((name.text.clone(), typed.expr));
        }
    }
    if !is_sound {
        return None;
    }
    check_count(checker, &call, &shares)?;
    check_sum(checker, &shares)?;
    let names: Vec<String> = shares.iter().map(|(name, _)| name.clone()).collect();
    let fields = names.iter().map(|name| Field { name: name.clone(), ty: Type::Fraction }).collect();
    let shares = Expr {
        kind: ExprKind::Record(shares),
        ty: Ty::Ground(Type::Record(RecordType { name: None, fields })),
        span: call.span,
    };
    let seed = seed.unwrap_or(Expr {
        kind: ExprKind::Value(Value::Int(0)),
        ty: Ty::Ground(Type::Int),
        span: call.span,
    });
    let inputs =
        vec![("data".to_owned(), call.data.expr), ("shares".to_owned(), shares), ("seed".to_owned(), seed)];
    Some(VerbResult::parts(inputs, &call.row, names))
}

fn share_type() -> Type {
    let refinement = Refinement::Float { low: Some(Float64(0.0)), high: Some(Float64(1.0)), inclusive: true };
    Type::Refined { base: Box::new(Type::Fraction), refinement }
}

/// A split has at least two parts.
fn check_count(checker: &mut Checker<'_>, call: &VerbCall<'_>, shares: &[(String, Expr)]) -> Option<()> {
    if shares.len() >= 2 {
        return Some(());
    }
    let end = Span::new(call.span.end.saturating_sub(1), call.span.end);
    let message = "`split_named` needs at least two parts";
    checker.report(
        Diagnostic::error(code::MISSING_ARGUMENT, end, message)
            .help("`.split_named(train: 80%, test: 20%)`; `after:` and `seed:` name no part"),
    );
    None
}

/// The shares of a whole make the whole. Where one is known only later, planning or the run asks again.
fn check_sum(checker: &mut Checker<'_>, shares: &[(String, Expr)]) -> Option<()> {
    let known: Vec<f64> = shares
        .iter()
        .filter_map(|(_, share)| match known_value(share) {
            Some(Value::Float(share)) => Some(share.0),
            _ => None,
        })
        .collect();
    let sum: f64 = known.iter().sum();
    let is_less = known.len() == shares.len() && sum < 1.0 - ROUNDING;
    if !is_less && sum <= 1.0 + ROUNDING {
        return Some(());
    }
    let message = format!("the shares of `split_named` make {}, and the whole is 100%", percent(sum));
    let (first, last) = (shares.first()?.1.span, shares.last()?.1.span);
    let diagnostic = Diagnostic::error(code::OUT_OF_RANGE, Span::new(first.start, last.end), message);
    checker.report(if sum > 1.0 {
        diagnostic.help("every row is in one part alone: the shares are those of one whole")
    } else {
        let name = unused_name(shares);
        let part = format!("{name}: {}", percent(1.0 - sum));
        diagnostic.help(format!("name the rest, too: `{part}`")).fix(
            format!("add `{part}`"),
            vec![Edit { span: Span::new(last.end, last.end), text: format!(", {part}") }],
        )
    });
    None
}

/// A name for the part that is left.
fn unused_name(shares: &[(String, Expr)]) -> String {
    let is_free = |name: &String| !shares.iter().any(|(share, _)| share == name);
    let names = std::iter::once("rest".to_owned()).chain((2..).map(|number| format!("rest_{number}")));
    names.into_iter().find(is_free).unwrap_or_default()
}

/// `62.5%`, without the noise of binary fractions.
fn percent(share: f64) -> String {
    let rounded = (share * 1e9).round() / 1e7;
    format!("{rounded}%")
}
