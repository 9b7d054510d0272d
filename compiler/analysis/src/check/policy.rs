//! `with (…)`: how a node is to run.

use flow_ir::{
    policy::{KEYS, Policy, PolicyError},
    types::Type,
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, code},
};

use super::{Checker, Typed, known_value};
use crate::{body, names::did_you_mean, stages::Stage, types::fits};

impl<'db> Checker<'db> {
    /// The keys and values of a policy; those that are wrong are reported and left out.
    pub fn policy(&mut self, entries: &'db [ast::PolicyEntry]) -> Vec<(String, body::Expr)> {
        let mut policy: Vec<(String, body::Expr)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = &entry.key;
            if !KEYS.iter().any(|known| known.name == key.text) {
                let diagnostic = Diagnostic::error(
                    code::BAD_POLICY,
                    key.span,
                    format!("there is no policy key `{}`", key.text),
                );
                self.report(did_you_mean(
                    diagnostic,
                    &key.text,
                    key.span,
                    KEYS.iter().map(|known| known.name),
                ));
                continue;
            }
            if policy.iter().any(|(name, _)| *name == key.text) {
                self.fail(code::BAD_POLICY, key.span, format!("`{}` is given twice", key.text));
                continue;
            }
            if let Some(value) = self.policy_value(entry) {
                policy.push((key.text.clone(), value));
            }
        }
        policy
    }

    /// The policy of a node that runs others or waits, which has some of the keys alone. `of` is whose call it is;
    /// `instead` says of a key where else it is said.
    pub fn steering_policy(
        &mut self,
        entries: &'db [ast::PolicyEntry],
        keys: &[&str],
        of: &str,
        instead: impl Fn(&str) -> Option<&'static str>,
    ) -> Vec<(String, body::Expr)> {
        let known = |key: &str| KEYS.iter().any(|known| known.name == key);
        for entry in entries {
            let key = &entry.key;
            if known(&key.text) && !keys.contains(&key.text.as_str()) {
                let message = format!("the call {of} has no `{}` of its own", key.text);
                let listed = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let help = match instead(&key.text) {
                    Some(help) => help.to_owned(),
                    None => format!("it has {listed}; the other keys stand behind calls of operators"),
                };
                self.report(Diagnostic::error(code::BAD_POLICY, key.span, message).help(help));
            }
        }
        let mut policy = self.policy(entries);
        policy.retain(|(key, _)| keys.contains(&key.as_str()));
        policy
    }

    pub fn forbid_policy(&mut self, policy: Option<&'db [ast::PolicyEntry]>) {
        if let Some(first) = policy.and_then(|policy| policy.first()) {
            let message = "`with (…)` stands behind the call of an operator or a workflow: nothing else is a node that it could speak of";
            self.fail(code::BAD_POLICY, first.key.span, message);
        }
    }

    fn policy_value(&mut self, entry: &'db ast::PolicyEntry) -> Option<body::Expr> {
        let (key, span) = (&entry.key.text, entry.value.span);
        let typed = match word(&entry.value) {
            // `gpu`, `on`: words of the policy, not names of the program.
            Some(word) if is_word_key(key) => {
                Typed::new(body::ExprKind::Value(Value::from(word)), Type::Text, span, Stage::Planned)
            }
            _ => self.expr(&entry.value, None),
        };
        let ty = typed.ty()?;
        if let Some(value) = known_value(&typed.expr) {
            return match Policy::default().set(key, &value) {
                Ok(()) => Some(typed.expr),
                Err(error) => {
                    let message = match error {
                        PolicyError::UnknownKey { key } => format!("there is no policy key `{key}`"),
                        PolicyError::OutOfRange { key, expected, found } => {
                            format!("`{key}` must be {expected}, and this is {found}")
                        }
                    };
                    self.fail(code::BAD_POLICY, span, message);
                    None
                }
            };
        }
        let wanted = match key.as_str() {
            "memory" | "gpu_memory" => Type::Size,
            "timeout" | "backoff" => Type::Duration,
            "cache" => Type::Bool,
            "pool" | "device" | "precision" | "on_failure" => Type::Text,
            _ => Type::Int,
        };
        if fits(ty, &wanted).is_err() {
            let expected = KEYS.iter().find(|known| known.name == key).map_or("", |known| known.ty);
            self.fail(code::BAD_POLICY, span, format!("`{key}` must be {expected}"));
            return None;
        }
        let stage = typed.stage.clone();
        let message = "how a node runs must be known when the workflow is planned";
        self.require_planned(&stage, span, message, "give a literal or a parameter").then_some(typed.expr)
    }
}

fn is_word_key(key: &str) -> bool {
    matches!(key, "device" | "precision" | "on_failure" | "cache")
}

fn word(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(&name.text),
        _ => None,
    }
}
