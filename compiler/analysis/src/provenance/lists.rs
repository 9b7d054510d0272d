//! Lists, by their elements at an index, and the functions over them.

use std::sync::Arc;

use flow_ir::{types::Type, value::Value as Literal};

use super::{
    evaluate::Evaluator,
    limits::{Key, Limits},
    map::{at_any_index, at_index},
    region::Part,
    terms::{Node, Term},
    value::{Scalar, Value},
};
use crate::{
    body::{Builtin, Expr},
    check::known_value,
    ty::Ty,
};

/// Longer written lists count as one value that may be any of theirs.
const MAX_ARMS: usize = 64;

impl Evaluator<'_> {
    pub fn list(&mut self, values: &[Expr], expr: &Expr) -> Value {
        if let Some(known) = known_value(expr) {
            return Value::Scalar(Scalar::plain(self.terms.value(known)));
        }
        let values: Vec<Value> = values.iter().map(|value| self.expr(value)).collect();
        let is_plain = |value: &Value| matches!(value, Value::Scalar(scalar) if scalar.seen.is_empty());
        if values.iter().all(is_plain) {
            return self.computed("list", &values);
        }
        if values.len() > MAX_ARMS {
            let index = self.terms.make(Node::Any);
            let arms: Vec<(Part, Value)> = values.into_iter().map(|value| (part_of(0), value)).collect();
            let element = element_type(&expr.ty);
            let any = self.pick(index, &arms, &element);
            return Value::Each(self.terms.fresh_symbol(), Arc::new(any));
        }
        Value::List(Arc::new(values))
    }

    pub fn index(&mut self, list: &Value, index: &Value, ty: &Ty) -> Value {
        let decided = index.all();
        let index = index.id(&mut self.terms);
        self.element_of(list, index, ty).chosen_on(&decided)
    }

    /// The element of a list at an index, which may be the turn of a loop.
    pub fn element_of(&mut self, list: &Value, index: Term, ty: &Ty) -> Value {
        match list {
            Value::Each(symbol, element) => at_index(element, *symbol, index, &mut self.terms),
            Value::List(values) => {
                if let Some(Literal::Int(index)) = self.terms.literal(index) {
                    let element = usize::try_from(*index).ok().and_then(|index| values.get(index));
                    return element.cloned().unwrap_or(Value::Unknown);
                }
                let arms: Vec<(Part, Value)> =
                    values.iter().enumerate().map(|(at, value)| (part_of(at), value.clone())).collect();
                self.pick(index, &arms, ty)
            }
            Value::Scalar(scalar) => {
                let id = self.terms.make(Node::Element(scalar.id, index));
                Value::Scalar(Scalar { id, ..scalar.clone() })
            }
            _ => Value::Unknown,
        }
    }

    pub fn builtin(&mut self, builtin: Builtin, args: &[Expr], ty: &Ty) -> Value {
        let values: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
        let Some(list) = values.first() else { return Value::Unknown };
        match builtin {
            // How long a list is follows from the text, as long as it is not an operator's.
            Builtin::Len if !matches!(list, Value::Scalar(_)) => {
                let id = list.id(&mut self.terms);
                Value::Scalar(Scalar::plain(self.terms.call("len", vec![id])))
            }
            Builtin::Wait | Builtin::WaitFor => values.get(1).cloned().unwrap_or(Value::Unknown),
            Builtin::Pass => list.clone(),
            Builtin::Sample => self.computed("sample of list", &values),
            Builtin::Concat => self.concat(list, ty),
            Builtin::SortedBy => self.sorted(list, values.get(1), ty),
            Builtin::Len | Builtin::Mean | Builtin::Min | Builtin::Max | Builtin::Sum => {
                let name = format!("{builtin:?} of list");
                let list = self.anywhere(list);
                self.computed(&name, &[list])
            }
        }
    }

    /// The same list, at no index in particular.
    pub fn anywhere(&mut self, list: &Value) -> Value {
        match list {
            Value::Each(symbol, element) => {
                let element = at_any_index(element, *symbol, &mut self.terms);
                Value::Each(*symbol, Arc::new(self.anywhere(&element)))
            }
            other => other.clone(),
        }
    }

    pub fn concat(&mut self, lists: &Value, ty: &Ty) -> Value {
        match lists {
            Value::List(lists) if lists.iter().all(|list| matches!(list, Value::List(_))) => {
                let parts = lists.iter().flat_map(|list| match list {
                    Value::List(values) => values.iter().cloned().collect(),
                    _ => Vec::new(),
                });
                Value::List(Arc::new(parts.collect()))
            }
            Value::Scalar(_) => self.computed("concat", std::slice::from_ref(lists)),
            Value::Unknown => Value::Unknown,
            _ => {
                let index = self.terms.fresh_symbol();
                let all = lists.id(&mut self.terms);
                let outer = self.terms.call("list of", vec![index, all]);
                let inner = self.terms.call("place in list", vec![index, all]);
                let list = self.element_of(lists, outer, ty);
                let element = self.element_of(&list, inner, &element_type(ty));
                Value::Each(index, Arc::new(element))
            }
        }
    }

    /// The best is chosen by what was measured on all.
    pub fn sorted(&mut self, list: &Value, field: Option<&Value>, ty: &Ty) -> Value {
        if matches!(list, Value::Scalar(_) | Value::Unknown) {
            return list.clone();
        }
        let index = self.terms.fresh_symbol();
        let any = self.terms.make(Node::Any);
        let of = element_type(ty);
        let field = field.map(|field| field.id(&mut self.terms));
        let name = match field.and_then(|field| self.terms.literal(field)) {
            Some(Literal::Text(name)) => name.clone(),
            _ => String::new(),
        };
        let decided = self.element_of(list, any, &of).field(&name, &mut self.terms).all();
        let id = list.id(&mut self.terms);
        let mut args = vec![index, id];
        args.extend(field);
        let place = self.terms.call("place before sorting", args);
        let element = self.element_of(list, place, &of).chosen_on(&decided);
        Value::Each(index, Arc::new(element))
    }
}

pub(super) fn element_type(ty: &Ty) -> Ty {
    match ty {
        Ty::Ground(ty) => match ty.present() {
            Type::List(element) => Ty::Ground((**element).clone()),
            _ => Ty::Error,
        },
        Ty::Error => Ty::Error,
    }
}

/// The element at this index.
pub(super) fn part_of(index: usize) -> Part {
    let index = Literal::Int(i64::try_from(index).unwrap_or(i64::MAX));
    Part::Limits(Arc::new(Limits::OneOf(Key::of(&index).into_iter().collect())))
}
