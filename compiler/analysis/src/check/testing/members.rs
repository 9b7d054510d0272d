//! `dag.width`, `dag.count("std.tree.gbdt")`, `outcome.state("model")`.

use flow_ir::types::Type;
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::known::{TestType, state, status};
use crate::{
    body::{ExprKind, TestFunction},
    check::{Checker, Typed},
    names::did_you_mean,
    stages::Stage,
};

/// A field or function of a value that tests alone have. `params` is none for a field.
struct Member {
    of: TestType,
    name: &'static str,
    function: TestFunction,
    params: Option<&'static [&'static str]>,
}

const fn field(of: TestType, name: &'static str, function: TestFunction) -> Member {
    Member { of, name, function, params: None }
}

const fn method(
    of: TestType,
    name: &'static str,
    function: TestFunction,
    params: &'static [&'static str],
) -> Member {
    Member { of, name, function, params: Some(params) }
}

const MEMBERS: &[Member] = &[
    field(TestType::Dag, "nodes", TestFunction::Nodes),
    field(TestType::Dag, "width", TestFunction::Width),
    field(TestType::Dag, "depth", TestFunction::Depth),
    method(TestType::Dag, "count", TestFunction::Count, &["op"]),
    method(TestType::Dag, "node", TestFunction::Node, &["id"]),
    method(TestType::Dag, "feeds", TestFunction::Feeds, &["from", "to"]),
    method(TestType::Dag, "matches", TestFunction::Matches, &["path"]),
    method(TestType::DagNode, "input", TestFunction::Input, &["name"]),
    field(TestType::Outcome, "run", TestFunction::Status),
    field(TestType::Outcome, "elapsed", TestFunction::Elapsed),
    field(TestType::Outcome, "peak_cores", TestFunction::PeakCores),
    field(TestType::Outcome, "peak_memory", TestFunction::PeakMemory),
    method(TestType::Outcome, "state", TestFunction::State, &["node"]),
    method(TestType::Outcome, "attempts", TestFunction::Attempts, &["node"]),
];

impl<'db> Checker<'db> {
    /// A field of a value that tests alone have; none where its type is another, or the field is one of its record.
    pub(in crate::check) fn test_field(
        &mut self,
        base: &Typed,
        name: &'db ast::Name,
        span: Span,
    ) -> Option<Typed> {
        let ty = base.ty()?;
        let of = TestType::of(ty)?;
        if matches!(ty, Type::Record(record) if record.field(&name.text).is_some()) {
            return None;
        }
        let Some(member) = member(of, &name.text) else { return Some(self.no_such_member(of, ty, name)) };
        if let Some(params) = member.params {
            let message = format!("`{}` is called: `.{0}({})`", name.text, params.join(", "));
            return Some(self.fail(code::TYPE_MISMATCH, name.span, message));
        }
        Some(made(member, vec![base.clone()], span))
    }

    /// A function of a value that tests alone have; none where its type is another.
    pub(in crate::check) fn test_method(
        &mut self,
        receiver: &Typed,
        name: &'db ast::Name,
        args: &'db [ast::Arg],
        span: Span,
    ) -> Option<Typed> {
        let ty = receiver.ty()?;
        let of = TestType::of(ty)?;
        let is_field = matches!(ty, Type::Record(record) if record.field(&name.text).is_some());
        let Some(member) = member(of, &name.text) else {
            if is_field {
                return None;
            }
            self.check_loose(Vec::new(), args);
            return Some(self.no_such_member(of, ty, name));
        };
        let Some(params) = member.params else {
            self.check_loose(Vec::new(), args);
            let message = format!("`{}` is a field, and cannot be called", name.text);
            let edit = Edit { span: Span::new(name.span.end, span.end), text: String::new() };
            let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, name.span, message);
            self.report(if args.is_empty() {
                diagnostic.fix(format!("write `.{}`", name.text), vec![edit])
            } else {
                diagnostic
            });
            return Some(Typed::error(span));
        };
        let named: Vec<(&str, bool)> = params.iter().map(|param| (*param, false)).collect();
        let Some(slots) = self.distribute(&format!("`{}`", name.text), &named, None, args, span) else {
            return Some(Typed::error(span));
        };
        let mut values = vec![receiver.clone()];
        for (param, slot) in params.iter().zip(slots.slots) {
            let given = self.given(slot?, Some(&Type::Text));
            let typed = self.coerce(given, &Type::Text, &format!("for `{param}`"));
            values.push(self.known_in_test(typed));
        }
        if values.iter().any(|value| value.ty().is_none()) {
            return Some(Typed::error(span));
        }
        Some(made(member, values, span))
    }

    fn no_such_member(&mut self, of: TestType, ty: &Type, name: &ast::Name) -> Typed {
        let message = format!("a `{}` has no `{}`", of.name(), name.text);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        let own = MEMBERS.iter().filter(|member| member.of == of).map(|member| member.name);
        let fields = match ty {
            Type::Record(record) => record.fields.iter().map(|field| field.name.as_str()).collect(),
            _ => Vec::new(),
        };
        self.report(did_you_mean(diagnostic, &name.text, name.span, fields.into_iter().chain(own)));
        Typed::error(name.span)
    }
}

fn member(of: TestType, name: &str) -> Option<&'static Member> {
    MEMBERS.iter().find(|member| member.of == of && member.name == name)
}

fn made(member: &Member, values: Vec<Typed>, span: Span) -> Typed {
    let ty = match member.function {
        TestFunction::Nodes => Type::List(Box::new(TestType::DagNode.ty())),
        TestFunction::Node => TestType::DagNode.ty(),
        TestFunction::Feeds | TestFunction::Matches => Type::Bool,
        TestFunction::Input => Type::Text,
        TestFunction::State => state(),
        TestFunction::Status => status(),
        TestFunction::Elapsed => Type::Duration,
        TestFunction::PeakMemory => Type::Size,
        _ => Type::Int,
    };
    let args = values.into_iter().map(|value| value.expr).collect();
    Typed::new(ExprKind::Test { function: member.function, args }, ty, span, Stage::Planned)
}
