//! The functions of the language itself: scalar functions, conversions, and functions over lists.

use flow_ir::{expr::Function, types::Type, value::Value};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::code,
    span::Span,
};

use super::{Checker, Typed};
use crate::{
    body::{self, Builtin},
    stages::Stage,
    types::show,
};

/// Scalar functions that are called by name; operators have signs of their own.
const SCALARS: &[&str] = &[
    "is_missing",
    "abs",
    "ceil",
    "floor",
    "round",
    "sqrt",
    "exp",
    "log",
    "log1p",
    "expm1",
    "pow",
    "min",
    "max",
    "clip",
    "sign",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "lower",
    "upper",
    "trim",
    "length",
    "contains",
    "starts_with",
    "replace",
    "matches",
    "split_text",
    "bucket",
    "hash",
    "year",
    "month",
    "day",
    "weekday",
    "hour",
    "minutes_between",
    "days_between",
];

const CONVERSIONS: &[&str] = &["label", "category", "id", "weight", "float", "int", "text", "event_time"];

const LISTS: &[(&str, Builtin)] = &[
    ("len", Builtin::Len),
    ("concat", Builtin::Concat),
    ("mean", Builtin::Mean),
    ("min", Builtin::Min),
    ("max", Builtin::Max),
    ("sum", Builtin::Sum),
    ("sorted_by", Builtin::SortedBy),
];

/// Functions that make a node.
const NODES: &[&str] = &["wait", "wait_for", "pass"];

pub(super) fn is_builtin(name: &str) -> bool {
    builtin_names().any(|builtin| builtin == name)
}

pub(super) fn builtin_names() -> impl Iterator<Item = &'static str> {
    let lists = LISTS.iter().map(|(name, _)| *name);
    SCALARS.iter().copied().chain(CONVERSIONS.iter().copied()).chain(lists).chain(NODES.iter().copied())
}

/// The function over lists of that name.
pub(super) fn list_builtin(name: &str) -> Option<Builtin> {
    LISTS.iter().find(|(list, _)| *list == name).map(|(_, builtin)| *builtin)
}

impl<'db> Checker<'db> {
    pub fn call_builtin(
        &mut self,
        name: &'db ast::Name,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        span: Span,
    ) -> Typed {
        let text = name.text.as_str();
        if NODES.contains(&text) {
            return self.node_function(text, receiver, args, policy, span);
        }
        self.forbid_policy(policy);
        if let Some(named) = args.iter().find_map(|arg| arg.name.as_ref()) {
            self.check_loose(Vec::new(), args);
            let message = format!("`{text}` takes its arguments by place, without names");
            return self.fail(code::UNKNOWN_ARGUMENT, named.span, message);
        }
        if text == "sorted_by" {
            return self.sorted_by(receiver, args, span);
        }
        let mut typed: Vec<Typed> = receiver.into_iter().collect();
        typed.extend(args.iter().map(|arg| self.expr(&arg.value, None)));
        if typed.iter().any(|value| value.ty().is_none()) {
            return Typed::error(span);
        }
        if CONVERSIONS.contains(&text) {
            return self.convert(text, typed, span);
        }
        let list = list_builtin(text);
        let takes_list = matches!(typed.as_slice(), [only] if matches!(only.ty(), Some(Type::List(_))));
        match (list, Function::named(text).filter(|_| SCALARS.contains(&text))) {
            (Some(builtin), function) if takes_list || function.is_none() => {
                self.list_function(builtin, text, typed, span)
            }
            (_, Some(function)) => self.scalar(function, text, typed, span),
            _ => Typed::error(span),
        }
    }

    pub fn list_function(&mut self, builtin: Builtin, name: &str, mut args: Vec<Typed>, span: Span) -> Typed {
        let (Some(list), true) = (args.pop(), args.is_empty()) else {
            return self.fail(code::UNKNOWN_ARGUMENT, span, format!("`{name}` takes one list"));
        };
        let Some(Type::List(element)) = list.ty().cloned() else {
            let is = list.ty().map(show).unwrap_or_default();
            return self.fail(
                code::TYPE_MISMATCH,
                list.span(),
                format!("`{name}` takes a list, and this is `{is}`"),
            );
        };
        let (ty, stage) = match builtin {
            Builtin::Len => {
                let stage = if list.stage.has_known_shape() { Stage::Planned } else { Stage::Run };
                (Type::Int, stage)
            }
            Builtin::Concat => match &*element {
                Type::List(_) => {
                    let stage = match &list.stage {
                        Stage::Run => Stage::Run,
                        stage if stage.element().has_known_shape() => Stage::list(stage.element().element()),
                        _ => Stage::Run,
                    };
                    ((*element).clone(), stage)
                }
                other => {
                    let message = format!("`concat` joins lists of lists, and these are `{}`", show(other));
                    return self.fail(code::TYPE_MISMATCH, list.span(), message);
                }
            },
            // Those that make nodes or records are typed elsewhere.
            Builtin::Sample | Builtin::Wait | Builtin::WaitFor | Builtin::Pass => return Typed::error(span),
            Builtin::SortedBy | Builtin::Mean | Builtin::Min | Builtin::Max | Builtin::Sum => {
                let stage = Stage::Planned.and(&list.stage);
                if element.is_optional() {
                    return self.missing(list.span(), &format!("`{name}`"));
                }
                if let (Builtin::Sum | Builtin::Mean, Type::Id(_) | Type::QueryId(_)) =
                    (builtin, element.present())
                {
                    return self.only_identifies(name, &element, list.span());
                }
                match number_of(builtin, &element) {
                    Some(ty) => (ty, stage),
                    None => {
                        let message =
                            format!("`{name}` computes with numbers, and these are `{}`", show(&element));
                        return self.fail(code::TYPE_MISMATCH, list.span(), message);
                    }
                }
            }
        };
        Typed::new(
            body::ExprKind::Builtin { builtin, args: vec![list.expr], policy: Vec::new() },
            ty,
            span,
            stage,
        )
    }

    /// `sorted_by(reports, .auc)`
    fn sorted_by(&mut self, receiver: Option<Typed>, args: &'db [ast::Arg], span: Span) -> Typed {
        let mut rest = args.iter();
        let list = match receiver {
            Some(list) => list,
            None => match rest.next() {
                Some(arg) => self.expr(&arg.value, None),
                None => {
                    return self.fail(code::MISSING_ARGUMENT, span, "`sorted_by` takes a list and a field");
                }
            },
        };
        let Some(ty) = list.ty().cloned() else { return Typed::error(span) };
        let Type::List(element) = &ty else {
            let message = format!("`sorted_by` takes a list, and this is `{}`", show(&ty));
            return self.fail(code::TYPE_MISMATCH, list.span(), message);
        };
        let (Some(ast::Arg { value: ast::Expr { kind: ExprKind::Column(name), .. }, .. }), None) =
            (rest.next(), rest.next())
        else {
            return self.fail(
                code::MISSING_ARGUMENT,
                span,
                "`sorted_by` takes a list and a field, as `.auc`",
            );
        };
        let Type::Record(record) = &**element else {
            let message = format!("`sorted_by` takes a list of records, and these are `{}`", show(element));
            return self.fail(code::TYPE_MISMATCH, list.span(), message);
        };
        if record.field(&name.text).is_none() {
            self.no_such_field(name, record);
            return Typed::error(span);
        }
        let field = body::Expr {
            kind: body::ExprKind::Value(Value::from(name.text.as_str())),
            ty: crate::ty::Ty::Ground(Type::Text),
            span: name.span,
        };
        let stage = Stage::Planned.and(&list.stage);
        let (builtin, args) = (Builtin::SortedBy, vec![list.expr, field]);
        let kind = body::ExprKind::Builtin { builtin, args, policy: Vec::new() };
        Typed::new(kind, ty, span, stage)
    }

    /// `float(.age)`, `label(.income == ">50K")`: another type, or another meaning.
    fn convert(&mut self, name: &str, mut args: Vec<Typed>, span: Span) -> Typed {
        let (Some(value), true) = (args.pop(), args.is_empty()) else {
            return self.fail(code::UNKNOWN_ARGUMENT, span, format!("`{name}` takes one value"));
        };
        let Some(ty) = value.ty() else { return Typed::error(span) };
        let storage = ty.storage().clone();
        let converted = match (name, &storage) {
            ("float", Type::Bool | Type::Int | Type::Float | Type::Float32 | Type::Text) => Some(Type::Float),
            ("int", Type::Bool | Type::Int | Type::Float | Type::Float32 | Type::Text) => Some(Type::Int),
            (
                "text",
                Type::Bool
                | Type::Int
                | Type::Float
                | Type::Text
                | Type::Date
                | Type::Time
                | Type::Duration
                | Type::Size
                | Type::Enum(_),
            ) => Some(Type::Text),
            ("category", Type::Bool | Type::Int | Type::Text | Type::Enum(_)) => Some(Type::Category),
            ("id", Type::Int | Type::Text) => Some(Type::Id(Box::new(storage.clone()))),
            ("weight", Type::Int | Type::Float | Type::Float32) => Some(Type::Weight),
            ("event_time", Type::Date | Type::Time | Type::Text) => Some(Type::EventTime),
            ("label", Type::Text) => Some(label_of(Type::Category)),
            ("label", Type::Bool | Type::Int | Type::Float | Type::Float32) => {
                Some(label_of(storage.clone()))
            }
            _ => None,
        };
        let Some(converted) = converted else {
            return self.fail(
                code::TYPE_MISMATCH,
                value.span(),
                format!("`{name}` does not take `{}`", show(ty)),
            );
        };
        let converted = if ty.is_optional() { converted.optional() } else { converted };
        let converted = if ty.is_personal() { converted.personal() } else { converted };
        let stage = Stage::Planned.and(&value.stage);
        Typed::new(body::ExprKind::Cast(Box::new(value.expr)), converted, span, stage)
    }
}

fn label_of(of: Type) -> Type {
    Type::Label { of: Box::new(of), positive: None }
}

fn number_of(builtin: Builtin, element: &Type) -> Option<Type> {
    let plain = match element {
        Type::Refined { base, .. } => base,
        other => other,
    };
    let is_number = matches!(plain.storage(), Type::Int | Type::Float | Type::Float32);
    match (builtin, plain) {
        (Builtin::Mean, Type::Duration) => Some(Type::Duration),
        // The mean of a metric over folds is that metric.
        (Builtin::Mean, Type::Metric(_)) => Some(plain.clone()),
        (Builtin::Mean, _) if is_number => Some(Type::Float),
        (Builtin::Sum, Type::Duration | Type::Size) => Some(plain.clone()),
        (Builtin::Sum, _) if is_number => Some(plain.storage().clone()),
        (Builtin::Min | Builtin::Max, Type::Date | Type::Time | Type::Duration | Type::Size | Type::Text) => {
            Some(plain.clone())
        }
        (Builtin::Min | Builtin::Max, _) if is_number => Some(plain.clone()),
        _ => None,
    }
}
