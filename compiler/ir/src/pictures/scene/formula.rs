//! Expressions as a person would write them: with the names of what they read.

use crate::{
    expr::{Expr, ExprKind},
    node::{Input, Node, VALUE_PORT},
};

/// `report.accuracy < 0.9` for `a.accuracy < 0.9`, where the node's input `a` is the node `report`.
pub fn formula(expr: &Expr, node: &Node, among: &[Node]) -> String {
    let mut named = expr.clone();
    rename(&mut named, &|name| match node.input(name)? {
        Input::Parameter(parameter) => Some(parameter.clone()),
        Input::Port(port) => {
            let from = among.get(port.node.0 as usize)?;
            let port = from.outputs.get(port.port as usize)?;
            Some(if port.name == VALUE_PORT { from.id.clone() } else { format!("{}.{}", from.id, port.name) })
        }
        _ => None,
    });
    // Names that hold a dot are quoted where the text must be read back; here it need not.
    named.to_string().replace('`', "")
}

fn rename(expr: &mut Expr, name_of: &impl Fn(&str) -> Option<String>) {
    match &mut expr.kind {
        ExprKind::Parameter(name) => {
            if let Some(known) = name_of(name) {
                *name = known;
            }
        }
        ExprKind::Call { args, .. } => args.iter_mut().for_each(|arg| rename(arg, name_of)),
        ExprKind::Cast(operand) => rename(operand, name_of),
        ExprKind::Case { arms, otherwise } => {
            for (condition, value) in arms {
                rename(condition, name_of);
                rename(value, name_of);
            }
            rename(otherwise, name_of);
        }
        ExprKind::Column(_) | ExprKind::Literal(_) => {}
    }
}
