//! `x.f(…)`: a verb, else an operator, workflow or fn in scope, else one of an imported module, whose first
//! parameter fits x.

use flow_ir::{expr::Aggregate, types::Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Typed, functions};
use crate::{
    db::{Item, parse_item},
    header::callable,
    names::{Import, did_you_mean, imported_modules, resolve, scope, verb_for, verbs},
    types::{Bindings, RowScheme, Scheme, fits, show, show_columns},
};

impl<'db> Checker<'db> {
    pub fn call_behind_dot(
        &mut self,
        base: &'db ast::Expr,
        name: &'db ast::Name,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        if let Some(typed) = self.aggregate(name, Some(base), args, span) {
            self.forbid_policy(policy);
            return typed;
        }
        let receiver = self.expr(base, None);
        let Some(ty) = receiver.ty().cloned() else {
            self.check_loose(Vec::new(), args);
            return Typed::error(span);
        };
        if let Some(typed) = self.test_method(&receiver, name, args, span) {
            self.forbid_policy(policy);
            return typed;
        }
        if let Type::Record(record) = ty.present()
            && record.field(&name.text).is_some()
        {
            self.check_loose(Vec::new(), args);
            let message = format!("`{}` is a field, and cannot be called", name.text);
            return self.fail(code::TYPE_MISMATCH, name.span, message);
        }
        if matches!(ty, Type::Dataset(_))
            && let Some(verb) = verbs(self.db).get(&name.text)
        {
            return self.call_item(*verb, name, Some(receiver), args, policy, expected, span);
        }
        let (fitting, others) = self.candidates(&name.text, &ty);
        match fitting.as_slice() {
            [(item, _)] => return self.call_item(*item, name, Some(receiver), args, policy, expected, span),
            [] => {}
            several => {
                let places: Vec<&str> = several.iter().map(|(_, place)| place.as_str()).collect();
                self.check_loose(Vec::new(), args);
                let message = format!("`{}` is {}: say which", name.text, show_columns(places));
                return self.fail(code::UNKNOWN_NAME, name.span, message);
            }
        }
        if let (Type::Dataset(_), Some(aggregate)) = (&ty, Aggregate::named(&name.text)) {
            self.check_loose(Vec::new(), args);
            self.aggregate_of_table(aggregate, name, args);
            return Typed::error(span);
        }
        if functions::is_builtin(&name.text) {
            return self.call_builtin(name, Some(receiver), args, policy, span);
        }
        // One that is there but does not fit says best itself what it wants.
        if let [item] = others.as_slice() {
            return self.call_item(*item, name, Some(receiver), args, policy, expected, span);
        }
        self.check_loose(Vec::new(), args);
        if self.is_unreadable(&name.text) {
            return Typed::error(span);
        }
        if ty.is_optional()
            && matches!(ty.present(), Type::Dataset(_))
            && verbs(self.db).contains_key(&name.text)
        {
            return self.missing(base.span, &format!("`.{}`", name.text));
        }
        self.no_such_method(name, &ty);
        Typed::error(span)
    }

    /// What is in scope under a name: what fits as its first argument, with where it is, and what does not.
    fn candidates(&self, name: &str, ty: &Type) -> (Vec<(Item<'db>, String)>, Vec<Item<'db>>) {
        let mut all: Vec<(Item<'db>, String)> = Vec::new();
        if !self.is_bound(name)
            && let Some(Import::Item(item)) = resolve(self.db, self.file, name)
        {
            all.push((item, format!("{name}(…)")));
        }
        if !all.iter().any(|(item, _)| self.takes(*item, ty)) {
            for (alias, module) in imported_modules(self.db, self.file) {
                // A misspelled import goes by two names.
                if let Some(item) = scope(self.db, module).items.get(name)
                    && all.iter().all(|(other, _)| other != item)
                {
                    all.push((*item, format!("{alias}.{name}(…)")));
                }
            }
        }
        let callables = all.into_iter().filter(|(item, _)| callable(self.db, *item).is_some());
        let (fitting, others): (Vec<_>, Vec<_>) = callables.partition(|(item, _)| self.takes(*item, ty));
        (fitting, others.into_iter().map(|(item, _)| item).collect())
    }

    /// Whether a name means something that could not be read, which is told where it stands.
    fn is_unreadable(&self, name: &str) -> bool {
        match resolve(self.db, self.file, name) {
            Some(Import::Item(item)) => parse_item(self.db, item).broken_at().is_some(),
            found => matches!(found, Some(Import::Broken)),
        }
    }

    /// Whether the first parameter of an item takes a value of this type.
    fn takes(&self, item: Item<'db>, ty: &Type) -> bool {
        let Some(callable) = callable(self.db, item) else { return false };
        let Some(first) = callable.params.first() else { return false };
        takes(&first.scheme, ty)
    }

    fn no_such_method(&mut self, name: &ast::Name, ty: &Type) {
        let message = match ty {
            Type::Dataset(_) => format!("a table has no verb `{}`", name.text),
            other => format!("nothing named `{}` takes `{}`", name.text, show(other)),
        };
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        if let Some((verb, example)) = verb_for(&name.text)
            && matches!(ty, Type::Dataset(_))
        {
            let edit = Edit { span: name.span, text: verb.to_owned() };
            self.report(
                diagnostic
                    .help(format!("here it is called `{verb}`: `{example}`"))
                    .fix(format!("write `{verb}`"), vec![edit]),
            );
            return;
        }
        let mut known: Vec<&str> = functions::builtin_names().collect();
        if let Type::Dataset(_) = ty {
            known.extend(verbs(self.db).keys().map(String::as_str));
        }
        known.extend(scope(self.db, self.file).items.keys().map(String::as_str));
        known.sort_unstable();
        let is_far = flow_syntax::suggest::suggest(&name.text, known.iter().copied()).is_none();
        if is_far {
            let helped = self.help_qualified(diagnostic.clone(), name);
            if helped != diagnostic {
                // The module's name goes before the operator's where it does not stand behind a dot.
                self.report(Diagnostic { fix: None, ..helped });
                return;
            }
        }
        if is_far && matches!(ty, Type::Dataset(_)) {
            known.retain(|name| verbs(self.db).contains_key(*name));
        }
        self.report(did_you_mean(diagnostic, &name.text, name.span, known));
    }
}

fn takes(scheme: &Scheme, ty: &Type) -> bool {
    match (scheme, ty.present()) {
        (Scheme::Error | Scheme::Var(_), _) => true,
        (Scheme::Ground(wanted), _) => {
            fits(ty, wanted).is_ok() || matches!((wanted, ty), (Type::Dataset(_), Type::Dataset(_)))
        }
        (
            Scheme::Dataset(RowScheme::Error | RowScheme::Var(_) | RowScheme::Parts { .. }),
            Type::Dataset(_),
        ) => true,
        (Scheme::Model { task, .. }, Type::Model(model)) => task.is_none_or(|task| task == model.task),
        (Scheme::Optional(inner), _) => takes(inner, ty),
        (Scheme::List(inner), Type::List(element)) => takes(inner, element),
        (Scheme::Refined { base, .. }, _) => takes(base, ty),
        (scheme, _) => scheme.substitute(&Bindings::default()).is_ok_and(|wanted| fits(ty, &wanted).is_ok()),
    }
}
