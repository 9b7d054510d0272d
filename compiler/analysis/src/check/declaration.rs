//! What an operator's declaration says beside its types: where it runs, its policy, its marks.

use std::sync::Arc;

use flow_ir::{
    hash::Hash,
    node::{CommandWord, OperatorPlace},
};
use flow_syntax::{
    ast::{self, ExprKind, ItemKind, OperatorBody},
    diagnostic::{Diagnostic, code},
};

use super::{Checker, Context};
use crate::{
    body::OperatorInfo,
    db::{Db, Item, parse_item},
};

/// What the planner needs of an operator's declaration.
#[salsa::tracked]
pub fn operator_info<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Arc<OperatorInfo>> {
    declaration(db, item).info.clone()
}

/// An operator's declaration, less its types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Declaration {
    pub info: Option<Arc<OperatorInfo>>,
    pub diagnostics: Vec<Diagnostic>,
}

#[salsa::tracked]
pub(super) fn declaration<'db>(db: &'db dyn Db, item: Item<'db>) -> Declaration {
    let ItemKind::Operator(operator) = &parse_item(db, item).item.kind else {
        return Declaration { info: None, diagnostics: Vec::new() };
    };
    let mut checker = Checker::new(db, item.file(db), Context::Constant);
    let policy = checker.policy(&operator.policy);
    let has = |mark: ast::Mark| operator.marks.iter().any(|(other, _)| *other == mark);
    let effect = has(ast::Mark::Effect);
    let (place, is_native) = match &operator.body {
        OperatorBody::Native | OperatorBody::Verb | OperatorBody::Error => (OperatorPlace::Native, true),
        OperatorBody::Python { entry, .. } => {
            if !entry
                .value
                .split_once(':')
                .is_some_and(|(module, function)| !module.is_empty() && !function.is_empty())
            {
                checker.fail(
                    code::MALFORMED_LITERAL,
                    entry.span,
                    "this names a function as `module:function`",
                );
            }
            (OperatorPlace::Python(entry.value.clone()), false)
        }
        OperatorBody::Command { words, .. } => (
            OperatorPlace::Command(
                words.iter().map(|word| command_word(&mut checker, word, operator)).collect(),
            ),
            false,
        ),
    };
    let info = OperatorInfo {
        name: format!("{}.{}", item.file(db).module(db), item.name(db)),
        signature: signature_hash(item.text(db)),
        place,
        effect,
        deterministic: if is_native { !effect } else { has(ast::Mark::Deterministic) },
        policy,
    };
    Declaration { info: Some(Arc::new(info)), diagnostics: checker.diagnostics }
}

fn command_word(checker: &mut Checker<'_>, word: &ast::Expr, operator: &ast::Operator) -> CommandWord {
    match &word.kind {
        ExprKind::Literal(ast::Literal::Text(text) | ast::Literal::RawText(text)) => {
            CommandWord::Text(text.clone())
        }
        ExprKind::Name(name) => {
            if !operator.params.iter().any(|param| param.name.text == name.text) {
                let diagnostic = Diagnostic::error(
                    code::UNKNOWN_NAME,
                    name.span,
                    format!("there is no parameter `{}` here", name.text),
                );
                let known = operator.params.iter().map(|param| param.name.text.as_str());
                checker.report(crate::names::did_you_mean(diagnostic, &name.text, name.span, known));
            }
            CommandWord::Input(name.text.clone())
        }
        ExprKind::Field { base, name } if matches!(&base.kind, ExprKind::Name(base) if base.text == "out") => {
            let known: Vec<&str> = match &operator.result {
                ast::Outputs::Named(outputs) => {
                    outputs.iter().filter_map(|output| Some(output.name.as_ref()?.text.as_str())).collect()
                }
                _ => vec![crate::header::VALUE],
            };
            if !known.contains(&name.text.as_str()) {
                let message = format!("there is no output `{}` here", name.text);
                let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
                checker.report(crate::names::did_you_mean(diagnostic, &name.text, name.span, known));
            }
            CommandWord::Output(name.text.clone())
        }
        _ => {
            let message = "a command's words are texts, parameters, and `out.name` for its outputs";
            checker.fail(code::TYPE_MISMATCH, word.span, message);
            CommandWord::Text(String::new())
        }
    }
}

/// Of the declaration's tokens: documentation, comments and layout do not matter.
fn signature_hash(text: &str) -> Hash {
    let mut bytes = Vec::with_capacity(text.len());
    for token in flow_syntax::lex::lex(text).tokens {
        if !matches!(token.kind, flow_syntax::lex::Kind::Doc | flow_syntax::lex::Kind::ModuleDoc) {
            bytes.extend_from_slice(text.get(token.span.range()).unwrap_or_default().as_bytes());
            bytes.push(0);
        }
    }
    Hash::of(&bytes)
}
