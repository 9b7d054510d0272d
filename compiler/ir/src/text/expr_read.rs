//! Reads expressions.

use super::{
    expr::{COMPARISON, INFIX, LOWEST, MAX_OPERATORS, NEGATE, NOT, POWER, TypeScope, inferred},
    scan::{Cursor, SyntaxError},
    types::{RowNames, read_type},
    value::{read_number, read_scalar, read_value},
};
use crate::{
    expr::{Expr, ExprKind, Function},
    types::Type,
    value::Value,
};

pub(super) struct Reader<'a, 'text> {
    pub cursor: &'a mut Cursor<'text>,
    pub scope: &'a TypeScope<'a>,
    pub rows: &'a dyn RowNames,
    pub operators: u32,
}

/// An expression whose type may not be known yet: `typed(…, T)` around it may tell.
struct Partial {
    kind: ExprKind,
    ty: Option<Type>,
    start: usize,
}

impl Reader<'_, '_> {
    pub fn expr(&mut self, level: u8) -> Result<Expr, SyntaxError> {
        let partial = self.partial(level)?;
        self.whole(partial)
    }

    fn partial(&mut self, level: u8) -> Result<Partial, SyntaxError> {
        self.cursor.deepen()?;
        let mut left = self.operand()?;
        while let Some((function, found)) = self.infix(level) {
            self.count()?;
            let mut args = vec![self.whole(left)?];
            if function == Function::In {
                self.cursor.expect("[")?;
                args.extend(self.list("]")?);
            } else {
                args.push(self.expr(if found == POWER { POWER } else { found + 1 })?);
            }
            left = self.call(function, args);
            if found == COMPARISON && self.infix(COMPARISON).is_some_and(|(_, found)| found == COMPARISON) {
                return Err(self.cursor.error("parentheses, since comparisons do not chain"));
            }
        }
        self.cursor.rise();
        Ok(left)
    }

    /// The operator that comes next, if it binds at least as tightly as `level`.
    fn infix(&mut self, level: u8) -> Option<(Function, u8)> {
        let start = self.cursor.offset();
        let found = INFIX.iter().find(|(_, symbol, _)| {
            if symbol.starts_with(|c: char| c.is_ascii_alphabetic()) {
                self.cursor.eat_word(symbol)
            } else {
                self.cursor.eat(symbol)
            }
        });
        let found = match found {
            Some((function, _, found)) => Some((*function, *found)),
            None if self.cursor.eat_word("in") => Some((Function::In, COMPARISON)),
            None => None,
        };
        let found = found.filter(|(_, found)| *found >= level);
        if found.is_none() {
            self.cursor.rewind(start);
        }
        found
    }

    fn operand(&mut self) -> Result<Partial, SyntaxError> {
        if self.cursor.eat_word("not") {
            let operand = self.expr(NOT)?;
            return Ok(self.call(Function::Not, vec![operand]));
        }
        self.cursor.space();
        if self.cursor.peek() == Some('-') {
            let start = self.cursor.offset();
            if let Some(number) = read_number(self.cursor)? {
                let end = self.cursor.offset();
                // `-7 ** 2` is the negative of a power.
                if !self.cursor.eat("**") {
                    return Ok(self.atom_of(ExprKind::Literal(number)));
                }
                self.cursor.rewind(end);
            }
            self.cursor.rewind(start);
            self.cursor.expect("-")?;
            let operand = self.expr(NEGATE)?;
            return Ok(self.call(Function::Negate, vec![operand]));
        }
        let mut operand = self.atom()?;
        loop {
            let (function, argument) = match self.cursor.peek() {
                Some('.') => {
                    self.cursor.next();
                    let name = Value::Text(self.cursor.name()?);
                    (Function::Field, Expr { kind: ExprKind::Literal(name), ty: Type::Text })
                }
                Some('[') => {
                    self.cursor.next();
                    let index = self.expr(LOWEST)?;
                    self.cursor.expect("]")?;
                    (Function::Element, index)
                }
                _ => return Ok(operand),
            };
            self.count()?;
            let args = vec![self.whole(operand)?, argument];
            operand = self.call(function, args);
        }
    }

    fn atom(&mut self) -> Result<Partial, SyntaxError> {
        self.cursor.space();
        let start = self.cursor.offset();
        match self.cursor.peek() {
            Some('.') => {
                self.cursor.next();
                let name = self.cursor.name()?;
                return Ok(self.atom_of(ExprKind::Column(name)));
            }
            Some('[') => {
                let value = read_value(self.cursor)?;
                return Ok(self.atom_of(ExprKind::Literal(value)));
            }
            Some('(') => return self.parenthesis(),
            Some('`') => {
                let name = self.cursor.name()?;
                return Ok(self.atom_of(ExprKind::Parameter(name)));
            }
            _ => {}
        }
        if let Some(value) = read_scalar(self.cursor)? {
            return Ok(self.atom_of(ExprKind::Literal(value)));
        }
        match self.cursor.identifier() {
            None => Err(self.cursor.error("an expression")),
            Some("if" | "else") => {
                self.cursor.rewind(start);
                self.case()
            }
            Some(word) if self.cursor.peek() == Some('(') => self.application(word, start),
            Some(word) => Ok(self.atom_of(ExprKind::Parameter(word.to_owned()))),
        }
    }

    /// A record's value, or an expression in parentheses.
    fn parenthesis(&mut self) -> Result<Partial, SyntaxError> {
        let start = self.cursor.offset();
        self.cursor.expect("(")?;
        let is_record = self.cursor.eat(")") || (self.cursor.name().is_ok() && self.cursor.eat(":"));
        self.cursor.rewind(start);
        if is_record {
            let value = read_value(self.cursor)?;
            return Ok(self.atom_of(ExprKind::Literal(value)));
        }
        self.cursor.expect("(")?;
        let partial = self.partial(LOWEST)?;
        self.cursor.expect(")")?;
        Ok(partial)
    }

    fn case(&mut self) -> Result<Partial, SyntaxError> {
        let mut arms = Vec::new();
        while self.cursor.eat_word("if") {
            self.count()?;
            let condition = self.expr(LOWEST)?;
            arms.push((condition, self.block()?));
            if !self.cursor.eat_word("else") {
                return Err(self.cursor.error("`else`"));
            }
        }
        if arms.is_empty() && !self.cursor.eat_word("else") {
            return Err(self.cursor.error("`if`"));
        }
        let otherwise = Box::new(self.block()?);
        Ok(self.atom_of(ExprKind::Case { arms, otherwise }))
    }

    fn block(&mut self) -> Result<Expr, SyntaxError> {
        self.cursor.expect("{")?;
        let expr = self.expr(LOWEST)?;
        self.cursor.expect("}")?;
        Ok(expr)
    }

    /// `exp(…)`, `cast(…, T)`, `typed(…, T)`, `column("…")`
    fn application(&mut self, word: &str, start: usize) -> Result<Partial, SyntaxError> {
        self.cursor.expect("(")?;
        match word {
            "cast" => {
                let operand = Box::new(self.expr(LOWEST)?);
                let ty = self.type_argument()?;
                Ok(Partial { kind: ExprKind::Cast(operand), ty: Some(ty), start })
            }
            "typed" => {
                let partial = self.partial(LOWEST)?;
                let ty = self.type_argument()?;
                Ok(Partial { ty: Some(ty), ..partial })
            }
            "column" => {
                let name = self.cursor.text_literal()?;
                self.cursor.expect(")")?;
                Ok(self.atom_of(ExprKind::Literal(Value::Column(name))))
            }
            "not_of" => {
                let args = self.list(")")?;
                Ok(self.call(Function::Not, args))
            }
            word => match Function::named(word) {
                Some(function) => {
                    let args = self.list(")")?;
                    Ok(self.call(function, args))
                }
                None => {
                    self.cursor.rewind(start);
                    Err(self.cursor.error("a function"))
                }
            },
        }
    }

    /// `, T)`
    fn type_argument(&mut self) -> Result<Type, SyntaxError> {
        self.cursor.expect(",")?;
        let ty = read_type(self.cursor, self.rows)?;
        self.cursor.expect(")")?;
        Ok(ty)
    }

    /// Expressions up to a closing bracket; the opening one has been read.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, SyntaxError> {
        let mut exprs = Vec::new();
        if self.cursor.eat(close) {
            return Ok(exprs);
        }
        loop {
            exprs.push(self.expr(LOWEST)?);
            if self.cursor.eat(close) {
                return Ok(exprs);
            }
            self.cursor.expect(",")?;
        }
    }

    fn call(&self, function: Function, args: Vec<Expr>) -> Partial {
        self.atom_of(ExprKind::Call { function, args })
    }

    fn atom_of(&self, kind: ExprKind) -> Partial {
        Partial { ty: inferred(&kind, self.scope), kind, start: self.cursor.offset() }
    }

    fn whole(&mut self, partial: Partial) -> Result<Expr, SyntaxError> {
        match partial.ty {
            Some(ty) => Ok(Expr { kind: partial.kind, ty }),
            None => {
                self.cursor.rewind(partial.start);
                Err(self.cursor.error(unknown(&partial.kind)))
            }
        }
    }

    fn count(&mut self) -> Result<(), SyntaxError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(self.cursor.error(format!("no more than {MAX_OPERATORS} operators")));
        }
        Ok(())
    }
}

/// What would have made the type of `kind` known.
fn unknown(kind: &ExprKind) -> String {
    match kind {
        ExprKind::Column(name) => format!("a type for the column `{name}`, as in `typed(.{name}, Float)`"),
        ExprKind::Parameter(name) => {
            format!("a type for the parameter `{name}`, as in `typed({name}, Float)`")
        }
        ExprKind::Call { function, .. } => format!("arguments that `{}` takes, before this", function.name()),
        _ => "arms of one type, before this".to_owned(),
    }
}
