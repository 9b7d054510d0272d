//! `if`, `match` and `run if`.

use flow_ir::{types::Type, value::Value};
use flow_syntax::{
    ast::{self, MatchPattern},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};
use rustc_hash::FxHashSet;

use super::{Checker, Typed, known_value};
use crate::{
    body,
    stages::Stage,
    types::{join, show, show_columns},
};

impl<'db> Checker<'db> {
    pub fn if_else(
        &mut self,
        condition: &'db ast::Expr,
        then: &'db ast::Block,
        otherwise: Option<&'db ast::Expr>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let condition = self.predicate(condition, "`if`");
        let is_there = condition.ty().is_none() || self.condition_is_planned(&condition, "if", span);
        let then = self.block(then, expected);
        let Some(otherwise) = otherwise else {
            return self.if_alone(condition, then, span);
        };
        let otherwise = self.expr(otherwise, expected.or(then.ty()).cloned().as_ref());
        let Some(ty) = self.common(&then, &otherwise, code::TYPE_MISMATCH) else { return Typed::error(span) };
        if condition.ty().is_none() || !is_there {
            return Typed::error(span);
        }
        let (then, otherwise) = (self.coerce(then, &ty, ""), self.coerce(otherwise, &ty, ""));
        let stage = match &condition.stage {
            Stage::Run => Stage::Run,
            _ => then.stage.either(otherwise.stage),
        };
        let is_personal = condition.ty().is_some_and(Type::is_personal);
        let kind = body::ExprKind::If {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(otherwise.expr),
        };
        self.decided_by(is_personal, Typed::new(kind, ty, span, stage))
    }

    /// `if` without `else` is for effects: it has no value.
    fn if_alone(&mut self, condition: Typed, then: Typed, span: Span) -> Typed {
        if condition.ty().is_none() || then.ty().is_none() {
            return Typed::error(span);
        }
        let nothing = body::Expr {
            kind: body::ExprKind::Value(Value::None),
            ty: crate::ty::Ty::Ground(Type::Nothing),
            span,
        };
        let kind = body::ExprKind::If {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(nothing),
        };
        Typed::new(kind, Type::Nothing, span, Stage::Planned)
    }

    pub fn run_if(
        &mut self,
        condition: &'db ast::Expr,
        then: &'db ast::Block,
        otherwise: Option<&'db ast::Expr>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let condition = self.predicate(condition, "`run if`");
        let then = self.block(then, expected);
        let otherwise =
            otherwise.map(|otherwise| self.expr(otherwise, expected.or(then.ty()).cloned().as_ref()));
        let Some(otherwise) = otherwise else {
            if condition.ty().is_none() || then.ty().is_none() {
                return Typed::error(span);
            }
            let kind = body::ExprKind::RunIf {
                condition: Box::new(condition.expr),
                then: Box::new(then.expr),
                otherwise: None,
            };
            return Typed::new(kind, Type::Nothing, span, Stage::Run);
        };
        let Some(ty) = self.common(&then, &otherwise, code::RUN_ARMS_DIFFER) else {
            return Typed::error(span);
        };
        if condition.ty().is_none() {
            return Typed::error(span);
        }
        let (then, otherwise) = (self.coerce(then, &ty, ""), self.coerce(otherwise, &ty, ""));
        let kind = body::ExprKind::RunIf {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Some(Box::new(otherwise.expr)),
        };
        Typed::new(kind, ty, span, Stage::Run)
    }

    pub fn match_arms(
        &mut self,
        subject: &'db ast::Expr,
        arms: &'db [ast::MatchArm],
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let subject = self.expr(subject, None);
        let is_there = subject.ty().is_none() || self.condition_is_planned(&subject, "match", span);
        let mut seen: FxHashSet<Value> = FxHashSet::default();
        let (mut typed, mut is_total, mut is_sound): (Vec<(Option<Value>, Typed)>, _, _) =
            (Vec::new(), false, true);
        for arm in arms {
            let value = match &arm.pattern {
                MatchPattern::Any(at) => {
                    if is_total {
                        self.fail(code::UNKNOWN_ARGUMENT, *at, "the arms above take everything already");
                    }
                    is_total = true;
                    None
                }
                MatchPattern::Value(pattern) => match self.match_value(pattern, &subject) {
                    Some(value) => {
                        if !seen.insert(value.clone()) || is_total {
                            self.fail(
                                code::DEFINED_TWICE,
                                pattern.span,
                                "an arm above takes this value already",
                            );
                        }
                        Some(value)
                    }
                    None => {
                        is_sound = false;
                        None
                    }
                },
            };
            let hint = expected.cloned().or_else(|| typed.first().and_then(|(_, arm)| arm.ty().cloned()));
            let result = self.expr(&arm.value, hint.as_ref());
            typed.push((value, result));
        }
        if let Some(ty) = subject.ty()
            && is_sound
            && !is_total
        {
            is_sound = self.check_exhaustive(&ty.clone(), &seen, span);
        }
        let mut common: Option<Type> = None;
        for (_, arm) in &typed {
            let Some(ty) = arm.ty() else { return Typed::error(span) };
            common = match common {
                None => Some(ty.clone()),
                Some(before) => match join(&before, ty) {
                    Some(joined) => Some(joined),
                    None => {
                        let message = format!(
                            "the arms have one type, and these are `{}` and `{}`",
                            show(&before),
                            show(ty)
                        );
                        return self.fail(code::TYPE_MISMATCH, arm.span(), message);
                    }
                },
            };
        }
        let (Some(ty), true, true, Some(_)) = (common, is_sound, is_there, subject.ty()) else {
            return Typed::error(span);
        };
        let mut stage = if subject.stage.is_planned() { Stage::Planned } else { Stage::Run };
        let mut arms = Vec::with_capacity(typed.len());
        for (value, arm) in typed {
            let arm = self.coerce(arm, &ty, "");
            stage = stage.either(arm.stage);
            arms.push((value, arm.expr));
        }
        let is_personal = subject.ty().is_some_and(Type::is_personal);
        let kind = body::ExprKind::Match { subject: Box::new(subject.expr), arms };
        self.decided_by(is_personal, Typed::new(kind, ty, span, stage))
    }

    fn match_value(&mut self, pattern: &'db ast::Expr, subject: &Typed) -> Option<Value> {
        let typed = self.expr(pattern, subject.ty());
        typed.ty()?;
        let typed = match subject.ty() {
            Some(ty) => {
                let plain = Typed { expr: typed.expr, stage: typed.stage };
                let stored = ty.storage().clone();
                let wanted = if ty.is_optional() { stored.optional() } else { stored };
                self.coerce(plain, &wanted, "by what is matched")
            }
            None => return None,
        };
        typed.ty()?;
        let value = known_value(&typed.expr);
        if value.is_none() {
            self.fail(code::TYPE_MISMATCH, pattern.span, "an arm is a literal, a variant of an enum, or `_`");
        }
        value
    }

    fn check_exhaustive(&mut self, ty: &Type, seen: &FxHashSet<Value>, span: Span) -> bool {
        let mut missing: Vec<String> = match ty.storage() {
            Type::Enum(of) => {
                let mut taken = FxHashSet::default();
                for value in seen {
                    if let Value::Enum { variant, .. } = value {
                        taken.insert(variant.as_str());
                    }
                }
                of.variants.iter().filter(|variant| !taken.contains(variant.as_str())).cloned().collect()
            }
            Type::Bool => [true, false]
                .iter()
                .filter(|value| !seen.contains(&Value::Bool(**value)))
                .map(ToString::to_string)
                .collect(),
            _ => vec!["_".to_owned()],
        };
        if ty.is_optional() && !seen.contains(&Value::None) {
            missing.push("none".to_owned());
        }
        if missing.is_empty() {
            return true;
        }
        let message = if missing == ["_"] {
            "this `match` leaves values out".to_owned()
        } else {
            format!("this `match` leaves {} out", show_columns(missing.iter().map(String::as_str)))
        };
        let diagnostic =
            Diagnostic::error(code::NOT_EXHAUSTIVE, Span::new(span.start, span.start + 5), message)
                .help("add an arm for each, or `_ => …` for all others");
        self.report(diagnostic);
        false
    }

    fn condition_is_planned(&mut self, condition: &Typed, word: &str, span: Span) -> bool {
        let message =
            format!("`{word}` is decided when the workflow is planned, and this is known only when it runs");
        if condition.stage.is_planned() || self.decides_later() {
            return true;
        }
        let diagnostic = Diagnostic::error(code::KNOWN_TOO_LATE, condition.span(), message);
        let diagnostic = if word == "if" {
            let start = Span::new(span.start, span.start);
            diagnostic
                .help("decide while it runs: `run if`")
                .fix("write `run if`", vec![Edit { span: start, text: "run ".to_owned() }])
        } else {
            diagnostic.help("decide while it runs, with `run if … { … } else { … }`")
        };
        self.report(diagnostic);
        false
    }

    /// The type of two arms; reported where they have none in common.
    fn common(
        &mut self,
        then: &Typed,
        otherwise: &Typed,
        code: flow_syntax::diagnostic::Code,
    ) -> Option<Type> {
        let (a, b) = (then.ty()?, otherwise.ty()?);
        if let Some(ty) = join(a, b) {
            return Some(ty);
        }
        let message = format!("both arms have one type, and these are `{}` and `{}`", show(a), show(b));
        let diagnostic = Diagnostic::error(code, otherwise.span(), message)
            .label(then.span(), format!("this is `{}`", show(a)))
            .note(format!("this is `{}`", show(b)));
        self.report(diagnostic);
        None
    }
}
