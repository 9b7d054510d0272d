//! The block of a `test`.

use std::sync::Arc;

use flow_ir::{expr::Function, types::Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::known::TestType;
use crate::{
    body::{self, Body, ExprKind, TestFunction},
    check::{Checker, Context, Typed, bodies::CheckedBody},
    db::{Db, Item},
    stages::Stage,
    ty::Ty,
};

/// A test gives nothing: it holds, or it fails.
pub(in crate::check) fn check_test<'db>(
    db: &'db dyn Db,
    item: Item<'db>,
    test: &'db ast::Test,
) -> CheckedBody {
    let mut checker = Checker::new(db, item.file(db), Context::Test);
    let value = checker.block(&test.body, None);
    if let Some(ast::Statement::Expr(last)) = test.body.statements.last() {
        checker.report_forgotten(value.ty().cloned().as_ref(), &value.stage, last.span);
    }
    checker.leave_scope(0);
    let body = Body { params: Vec::new(), value: value.expr, locals: checker.local_count() };
    CheckedBody {
        body: Some(Arc::new(body)),
        result: Ty::Ground(Type::Nothing),
        diagnostics: checker.diagnostics,
    }
}

impl<'db> Checker<'db> {
    /// `assert e`, which has no value.
    pub(in crate::check) fn assertion(
        &mut self,
        condition: &'db ast::Expr,
        span: Span,
    ) -> Option<body::Expr> {
        if self.context != Context::Test {
            self.fail(code::UNEXPECTED_TOKEN, span, "`assert` stands in tests alone");
            return None;
        }
        let typed = self.predicate(condition, "`assert`");
        typed.ty()?;
        if !typed.stage.is_planned() {
            let message = "`assert` needs a value, and this is known only when a workflow runs";
            self.report(
                Diagnostic::error(code::KNOWN_TOO_LATE, typed.span(), message)
                    .help("`run(workflow(…))` runs one and gives its outputs"),
            );
            return None;
        }
        let kind = ExprKind::Test { function: TestFunction::Assert, args: vec![typed.expr] };
        Some(body::Expr { kind, ty: Ty::Ground(Type::Nothing), span })
    }

    /// A comparison of values that may be missing. What is known is known to be missing, too.
    pub(in crate::check) fn always_known(&self, typed: Typed) -> Typed {
        let is_optional = typed.ty().is_some_and(Type::is_optional);
        if self.context != Context::Test || !is_optional || !typed.stage.is_planned() {
            return typed;
        }
        let Typed { expr, stage } = typed;
        let (function, args) = match expr.kind {
            ExprKind::Scalar { function: Function::Equal, args } => (TestFunction::Same, args),
            ExprKind::Scalar { function: Function::NotEqual, args } => (TestFunction::Differs, args),
            kind => return Typed { expr: body::Expr { kind, ..expr }, stage },
        };
        Typed::new(ExprKind::Test { function, args }, Type::Bool, expr.span, stage)
    }

    /// A statement of a test whose value is of no use: most likely somebody forgot `assert`.
    pub(in crate::check) fn report_forgotten(&mut self, ty: Option<&Type>, stage: &Stage, span: Span) {
        let Some(ty) = ty.filter(|_| self.context == Context::Test) else { return };
        let of = if let Type::List(of) = ty { of } else { ty };
        if !stage.is_planned() {
            let message = "this makes a node that nothing runs: a test only checks";
            self.report(
                Diagnostic::error(code::KNOWN_TOO_LATE, span, message)
                    .help("call it in a workflow, and that in `run(workflow(…))`"),
            );
        } else if *of == Type::Bool {
            let diagnostic = Diagnostic::warning(code::UNUSED, span, "this says yes or no, and nobody looks");
            let edit = Edit { span: Span::new(span.start, span.start), text: "assert ".to_owned() };
            self.report(if of == ty {
                diagnostic.help("`assert` looks").fix("write `assert`", vec![edit])
            } else {
                diagnostic.help("write `assert` before what must hold")
            });
        }
    }

    /// What `plan` and `simulate` give is compared with nothing: each is its own.
    pub(in crate::check) fn check_no_handles(&mut self, symbol: &str, left: &Typed, right: &Typed) -> bool {
        let found = [left, right].into_iter().find_map(|side| Some((handle_in(side.ty()?)?, side.span())));
        let Some((handle, span)) = found else { return true };
        let help = match handle {
            TestType::Outcome => "compare fields: `.run`, `.elapsed`, `.state(node)`",
            _ => "compare fields, such as `.nodes`, or hold it against a file: `.matches(\"golden/w.dag\")`",
        };
        let message = format!("`{symbol}` compares no `{}`", handle.name());
        self.report(Diagnostic::error(code::TYPE_MISMATCH, span, message).help(help));
        false
    }

    /// A text that is compared with one of a few words: another word is a misspelling.
    pub(in crate::check) fn check_words(&mut self, value: &Typed, other: &Typed) -> Option<()> {
        let words = super::words_of(value.ty()?)?;
        let texts = match &other.expr.kind {
            ExprKind::List(values) => values.iter().collect(),
            _ => vec![&other.expr],
        };
        let mut is_sound = Some(());
        for text in texts {
            let Some(flow_ir::value::Value::Text(word)) = crate::check::known_value(text) else { continue };
            if !words.contains(&word.as_str()) {
                let message = format!("this is never `{word}`");
                let diagnostic = Diagnostic::error(code::OUT_OF_RANGE, text.span, message);
                let near = flow_syntax::suggest::suggest(&word, words.iter().copied());
                self.report(match near {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                        format!("write `{near}`"),
                        vec![Edit { span: text.span, text: format!("\"{near}\"") }],
                    ),
                    None => diagnostic.help(format!("it is one of {}", listed(&words))),
                });
                is_sound = None;
            }
        }
        is_sound
    }
}

/// The DAG or outcome that a value of this type holds.
fn handle_in(ty: &Type) -> Option<TestType> {
    match ty.present() {
        Type::List(of) => handle_in(of),
        ty => TestType::of(ty).filter(|of| *of != TestType::DagNode),
    }
}

pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
