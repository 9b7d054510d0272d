//! Trees as text for people: expressions in full parentheses, one line a part.
//!
//! On its way the printer holds what every tree must keep: spans lie in the text and within their
//! parents, a name's span covers that name, and errors are counted.

use flow_syntax::ast::*;
use flow_syntax::span::Span;

pub struct Outline<'t> {
    text: &'t str,
    out: String,
    indent: usize,
    /// How many parts could not be read.
    pub errors: usize,
}

impl<'t> Outline<'t> {
    /// The outline of one item, and how many parts of it could not be read.
    pub fn item(text: &'t str, item: &Item) -> (String, usize) {
        let mut outline = Outline { text, out: String::new(), indent: 0, errors: 0 };
        outline.print_item(item);
        (outline.out, outline.errors)
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.out.push_str(&"    ".repeat(self.indent));
        self.out.push_str(line.as_ref());
        self.out.push('\n');
    }

    fn nested(&mut self, print: impl FnOnce(&mut Self)) {
        self.indent += 1;
        print(self);
        self.indent -= 1;
    }

    fn print_item(&mut self, item: &Item) {
        self.check(item.span);
        self.doc(&item.doc);
        match &item.kind {
            ItemKind::Use(Use { path, names }) => {
                let path = self.path(path);
                let names =
                    names.as_ref().map_or(String::new(), |names| format!(" {{{}}}", self.names(names)));
                self.line(format!("use {path}{names}"));
            }
            ItemKind::Const(Const { name, ty, value }) => {
                let ty = ty.as_ref().map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
                let line = format!("const {}{ty} = {}", self.name(name), self.expr(value));
                self.line(line);
            }
            ItemKind::Type(TypeAlias { name, ty }) => {
                let line = format!("type {} = {}", self.name(name), self.ty(ty));
                self.line(line);
            }
            ItemKind::Enum(Enum { name, variants }) => {
                let line = format!("enum {}", self.name(name));
                self.line(line);
                self.nested(|outline| {
                    for Variant { doc, name } in variants {
                        outline.doc(doc);
                        let line = outline.name(name);
                        outline.line(line);
                    }
                });
            }
            ItemKind::Schema(Schema { name, columns }) => {
                let line = format!("schema {}", self.name(name));
                self.line(line);
                self.nested(|outline| {
                    for SchemaColumn { doc, name, ty, from, positive } in columns {
                        outline.doc(doc);
                        let mut line = format!("{}: {}", outline.name(name), outline.ty(ty));
                        for (word, clause) in [("from", from), ("positive", positive)] {
                            if let Some(clause) = clause {
                                line += &format!(" {word} {}", outline.text(clause));
                            }
                        }
                        outline.line(line);
                    }
                });
            }
            ItemKind::Fn(Function { name, generics, params, result, body }) => {
                self.head("fn", name, generics);
                self.nested(|outline| {
                    outline.params(params);
                    if let Some(ty) = result {
                        let line = format!("-> {}", outline.ty(ty));
                        outline.line(line);
                    }
                    match body {
                        Some(body) => outline.block_lines(body),
                        None => outline.line("native"),
                    }
                });
            }
            ItemKind::Operator(Operator { name, generics, params, result, marks, policy, body }) => {
                self.head("operator", name, generics);
                self.nested(|outline| {
                    outline.params(params);
                    outline.outputs(result);
                    for (mark, span) in marks {
                        outline.check(*span);
                        outline.line(format!("{mark:?}").to_lowercase());
                    }
                    if !policy.is_empty() {
                        let line = format!("with {}", outline.policy(policy));
                        outline.line(line);
                    }
                    let line = outline.operator_body(body);
                    outline.line(line);
                });
            }
            ItemKind::Workflow(Workflow { name, generics, params, result, body }) => {
                self.head("workflow", name, generics);
                self.nested(|outline| {
                    outline.params(params);
                    outline.outputs(result);
                    outline.block_lines(body);
                });
            }
            ItemKind::Test(Test { name, body }) => {
                let line = format!("test {}", self.text(name));
                self.line(line);
                self.nested(|outline| outline.block_lines(body));
            }
            ItemKind::Error => {
                self.errors += 1;
                self.line("<error>");
            }
        }
    }

    fn head(&mut self, word: &str, name: &Name, generics: &[Generic]) {
        let name = self.name(name);
        let generics: Vec<String> = generics
            .iter()
            .map(|Generic { name, bound }| {
                let bound = bound.as_ref().map_or(String::new(), |bound| format!(": {}", self.ty(bound)));
                format!("{}{bound}", self.name(name))
            })
            .collect();
        let generics = if generics.is_empty() { String::new() } else { format!("<{}>", generics.join(", ")) };
        self.line(format!("{word} {name}{generics}"));
    }

    fn params(&mut self, params: &[Param]) {
        for Param { doc, name, ty, unseen_by, default } in params {
            self.doc(doc);
            let mut line = format!("param {}: {}", self.name(name), self.ty(ty));
            if !unseen_by.is_empty() {
                line += &format!(" unseen by {}", self.names(unseen_by));
            }
            if let Some(default) = default {
                line += &format!(" = {}", self.expr(default));
            }
            self.line(line);
        }
    }

    fn outputs(&mut self, outputs: &Outputs) {
        match outputs {
            Outputs::One(output) => self.output("->", output),
            Outputs::Named(outputs) => outputs.iter().for_each(|output| self.output("->", output)),
            Outputs::None => {}
        }
    }

    fn output(&mut self, arrow: &str, Output { doc, name, ty, provenance }: &Output) {
        self.doc(doc);
        let name = name.as_ref().map_or(String::new(), |name| format!("{}: ", self.name(name)));
        let mut line = format!("{arrow} {name}{}", self.ty(ty));
        for Provenance { kind, params, span } in provenance {
            self.check(*span);
            let words = match kind {
                ProvenanceKind::RowsOf => "rows of",
                ProvenanceKind::PartOf => "part of",
                ProvenanceKind::FittedOn => "fitted on",
                ProvenanceKind::ChosenOn => "chosen on",
            };
            line += &format!(" [{words} {}]", self.names(params));
        }
        self.line(line);
    }

    fn operator_body(&mut self, body: &OperatorBody) -> String {
        let (line, sources) = match body {
            OperatorBody::Native => return "native".to_owned(),
            OperatorBody::Verb => return "verb".to_owned(),
            OperatorBody::Error => {
                self.errors += 1;
                return "<error>".to_owned();
            }
            OperatorBody::Python { entry, sources } => (format!("python {}", self.text(entry)), sources),
            OperatorBody::Command { words, sources } => (format!("command {}", self.list(words)), sources),
        };
        let sources: Vec<String> = sources.iter().map(|source| self.text(source)).collect();
        if sources.is_empty() { line } else { format!("{line} sources [{}]", sources.join(", ")) }
    }

    fn policy(&mut self, policy: &[PolicyEntry]) -> String {
        let entry = |entry: &PolicyEntry| format!("{}: {}", self.name(&entry.key), self.expr(&entry.value));
        format!("({})", policy.iter().map(entry).collect::<Vec<_>>().join(", "))
    }

    fn block_lines(&mut self, block: &Block) {
        self.check(block.span);
        for statement in &block.statements {
            let line = self.statement(statement);
            self.line(line);
        }
    }

    /// A block within an expression, on lines of its own.
    fn block(&mut self, block: &Block) -> String {
        self.check(block.span);
        if block.statements.is_empty() {
            return "{ }".to_owned();
        }
        self.indent += 1;
        let indent = "    ".repeat(self.indent);
        let lines: String = block
            .statements
            .iter()
            .map(|statement| {
                self.within(block.span, statement_span(statement));
                format!("{indent}{}\n", self.statement(statement))
            })
            .collect();
        self.indent -= 1;
        format!("{{\n{lines}{}}}", "    ".repeat(self.indent))
    }

    fn statement(&mut self, statement: &Statement) -> String {
        match statement {
            Statement::Let(Let { pattern, ty, value, span }) => {
                self.check(*span);
                let ty = ty.as_ref().map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
                format!("let {}{ty} = {}", self.pattern(pattern), self.expr(value))
            }
            Statement::Assert { condition, span } => {
                self.check(*span);
                format!("assert {}", self.expr(condition))
            }
            Statement::Expr(expr) => self.expr(expr),
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> String {
        match pattern {
            Pattern::Name(name) => self.name(name),
            Pattern::Record { fields, span } => {
                self.check(*span);
                let field = |field: &PatternField| {
                    let (name, binding) = (self.name(&field.field), self.name(&field.binding));
                    if field.field == field.binding { name } else { format!("{name}: {binding}") }
                };
                format!("({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            Pattern::Error(span) => {
                self.check(*span);
                self.errors += 1;
                "<error>".to_owned()
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> String {
        self.check(expr.span);
        for child in children(expr) {
            self.within(expr.span, child);
        }
        match &expr.kind {
            ExprKind::Literal(literal) => literal_text(literal),
            ExprKind::Interpolated(parts) => {
                let part = |part: &TextPart| match part {
                    TextPart::Text(text) => format!("{text:?}"),
                    TextPart::Expr(expr) => self.expr(expr),
                };
                format!("text[{}]", parts.iter().map(part).collect::<Vec<_>>().join(", "))
            }
            ExprKind::Name(name) => self.name(name),
            ExprKind::Column(name) => format!(".{}", self.name(name)),
            ExprKind::Field { base, name } => format!("{}.{}", self.expr(base), self.name(name)),
            ExprKind::Call { callee, args } => {
                let callee = self.expr(callee);
                let arg = |Arg { name, value }: &Arg| {
                    let name = name.as_ref().map_or(String::new(), |name| format!("{}: ", self.name(name)));
                    format!("{name}{}", self.expr(value))
                };
                format!("{callee}({})", args.iter().map(arg).collect::<Vec<_>>().join(", "))
            }
            ExprKind::Index { base, index } => format!("{}[{}]", self.expr(base), self.expr(index)),
            ExprKind::With { call, policy } => format!("({} with {})", self.expr(call), self.policy(policy)),
            ExprKind::Unary { op: UnaryOp::Negate, operand } => format!("(- {})", self.expr(operand)),
            ExprKind::Unary { op: UnaryOp::Not, operand } => format!("(not {})", self.expr(operand)),
            ExprKind::Binary { op, op_span, left, right } => {
                self.check(*op_span);
                assert_eq!(self.text.get(op_span.range()), Some(op.symbol()));
                format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right))
            }
            ExprKind::Range { low, high, inclusive } => {
                let dots = if *inclusive { "..=" } else { ".." };
                format!("({} {dots} {})", self.expr(low), self.expr(high))
            }
            ExprKind::If { condition, then, otherwise } => self.condition("if", condition, then, otherwise),
            ExprKind::RunIf { condition, then, otherwise } => {
                self.condition("run if", condition, then, otherwise)
            }
            ExprKind::Match { subject, arms } => {
                let subject = self.expr(subject);
                self.indent += 1;
                let indent = "    ".repeat(self.indent);
                let arms: String = arms
                    .iter()
                    .map(|MatchArm { pattern, value }| {
                        let pattern = match pattern {
                            MatchPattern::Value(value) => self.expr(value),
                            MatchPattern::Any(_) => "_".to_owned(),
                        };
                        format!("{indent}{pattern} => {}\n", self.expr(value))
                    })
                    .collect();
                self.indent -= 1;
                format!("match {subject} {{\n{arms}{}}}", "    ".repeat(self.indent))
            }
            ExprKind::For { pattern, list, body } => {
                format!("for {} in {} {}", self.pattern(pattern), self.expr(list), self.block(body))
            }
            ExprKind::RunFor { pattern, list, max, body } => {
                let head = format!("run for {} in {}", self.pattern(pattern), self.expr(list));
                format!("{head}{} {}", self.max(max), self.block(body))
            }
            ExprKind::RunWhile { condition, state, start, max, body } => {
                let head = format!("run while {} from {}", self.expr(condition), self.name(state));
                format!("{head} = {}{} {}", self.expr(start), self.max(max), self.block(body))
            }
            ExprKind::Lambda { params, body } => format!("(({}) => {})", self.names(params), self.expr(body)),
            ExprKind::List(elements) => self.list(elements),
            ExprKind::Record(fields) => {
                let field = |RecordField { name, value, is_named }: &RecordField| match is_named {
                    true => format!("{}: {}", self.name(name), self.expr(value)),
                    false => self.name(name),
                };
                format!("record({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            ExprKind::Paren(inner) => format!("paren({})", self.expr(inner)),
            ExprKind::Block(block) => self.block(block),
            ExprKind::Error => {
                self.errors += 1;
                "<error>".to_owned()
            }
        }
    }

    fn condition(
        &mut self,
        word: &str,
        condition: &Expr,
        then: &Block,
        otherwise: &Option<Box<Expr>>,
    ) -> String {
        let line = format!("{word} {} {}", self.expr(condition), self.block(then));
        match otherwise {
            Some(otherwise) => format!("{line} else {}", self.expr(otherwise)),
            None => line,
        }
    }

    fn max(&mut self, max: &Option<Box<Expr>>) -> String {
        max.as_ref().map_or(String::new(), |max| format!(" max {}", self.expr(max)))
    }

    fn list(&mut self, elements: &[Expr]) -> String {
        format!("[{}]", elements.iter().map(|element| self.expr(element)).collect::<Vec<_>>().join(", "))
    }

    fn ty(&mut self, ty: &TypeExpr) -> String {
        self.check(ty.span);
        match &ty.kind {
            TypeKind::Named { path, args } => {
                let path = self.path(path);
                let arg = |arg: &TypeArg| match arg {
                    TypeArg::Type(ty) => self.ty(ty),
                    TypeArg::Number(number, span) => {
                        self.check(*span);
                        number.to_string()
                    }
                    TypeArg::Text(text) => self.text(text),
                };
                let args: Vec<String> = args.iter().map(arg).collect();
                if args.is_empty() { path } else { format!("{path}<{}>", args.join(", ")) }
            }
            TypeKind::Optional(inner) => format!("({})?", self.ty(inner)),
            TypeKind::Refined { base, refinement } => {
                let base = self.ty(base);
                match refinement {
                    Refinement::In { low, high, inclusive } => {
                        let low = low.as_ref().map_or(String::new(), |low| self.expr(low));
                        let high = high.as_ref().map_or(String::new(), |high| self.expr(high));
                        format!("({base} in {low} {} {high})", if *inclusive { "..=" } else { ".." })
                    }
                    Refinement::Matching(pattern) => format!("({base} matching {})", self.text(pattern)),
                }
            }
            TypeKind::Row(entries) => {
                let entry = |entry: &RowEntry| match entry {
                    RowEntry::Open(span) => {
                        self.check(*span);
                        "..".to_owned()
                    }
                    RowEntry::Column { name, ty } => format!("{}: {}", self.name(name), self.ty(ty)),
                    RowEntry::Named { param, ty, span } => {
                        self.check(*span);
                        format!("[{}]: {}", self.name(param), self.ty(ty))
                    }
                    RowEntry::Spread { row, change, span } => {
                        self.check(*span);
                        let change = match change {
                            None => String::new(),
                            Some(RowChange::Without(names)) => format!(" without ({})", self.names(names)),
                            Some(RowChange::WithoutListed(name)) => format!(" without {}", self.name(name)),
                            Some(RowChange::WithPresent(name)) => {
                                format!(" with {} present", self.name(name))
                            }
                            Some(RowChange::WithType(name, ty)) => {
                                format!(" with {}: {}", self.name(name), self.ty(ty))
                            }
                        };
                        format!("..{}{change}", self.path(row))
                    }
                };
                format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            TypeKind::Record(fields) => {
                let field = |RecordTypeField { name, ty }: &RecordTypeField| {
                    format!("{}: {}", self.name(name), self.ty(ty))
                };
                format!("({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            TypeKind::Error => {
                self.errors += 1;
                "<error>".to_owned()
            }
        }
    }

    fn doc(&mut self, doc: &Option<Doc>) {
        if let Some(doc) = doc {
            self.check(doc.span);
            for line in doc.text.lines() {
                self.line(format!("/// {line}"));
            }
        }
    }

    fn path(&mut self, path: &Path) -> String {
        self.check(path.span);
        path.names.iter().map(|name| self.name(name)).collect::<Vec<_>>().join(".")
    }

    fn names(&mut self, names: &[Name]) -> String {
        names.iter().map(|name| self.name(name)).collect::<Vec<_>>().join(", ")
    }

    fn name(&mut self, name: &Name) -> String {
        self.check(name.span);
        if name.text.is_empty() && self.text.get(name.span.range()) != Some("``") {
            self.errors += 1;
            return "<missing>".to_owned();
        }
        let written = self.text.get(name.span.range()).unwrap();
        assert_eq!(written.trim_matches('`'), name.text, "a name's span covers it");
        written.to_owned()
    }

    fn text(&mut self, text: &Text) -> String {
        self.check(text.span);
        if text.span.is_empty() {
            self.errors += 1;
        }
        format!("{:?}", text.value)
    }

    fn check(&self, span: Span) {
        assert!(self.text.get(span.range()).is_some(), "{span:?} is no part of {} bytes", self.text.len());
    }

    fn within(&self, parent: Span, child: Span) {
        let is_within = parent.start <= child.start && child.end <= parent.end;
        assert!(is_within, "{child:?} is not within {parent:?} of {:?}", self.text);
    }
}

fn statement_span(statement: &Statement) -> Span {
    match statement {
        Statement::Let(Let { span, .. }) | Statement::Assert { span, .. } => *span,
        Statement::Expr(expr) => expr.span,
    }
}

/// The spans of the expressions and blocks right in an expression.
fn children(expr: &Expr) -> Vec<Span> {
    match &expr.kind {
        ExprKind::Interpolated(parts) => parts
            .iter()
            .filter_map(|part| match part {
                TextPart::Expr(expr) => Some(expr.span),
                TextPart::Text(_) => None,
            })
            .collect(),
        ExprKind::Field { base, name } => vec![base.span, name.span],
        ExprKind::Column(name) => vec![name.span],
        ExprKind::Call { callee, args } => {
            std::iter::once(callee.span).chain(args.iter().map(|arg| arg.value.span)).collect()
        }
        ExprKind::Index { base, index } => vec![base.span, index.span],
        ExprKind::With { call, .. } => vec![call.span],
        ExprKind::Unary { operand, .. } => vec![operand.span],
        ExprKind::Binary { op_span, left, right, .. } => vec![left.span, *op_span, right.span],
        ExprKind::Range { low, high, .. } => vec![low.span, high.span],
        ExprKind::If { condition, then, .. } | ExprKind::RunIf { condition, then, .. } => {
            vec![condition.span, then.span]
        }
        ExprKind::Match { subject, arms } => {
            std::iter::once(subject.span).chain(arms.iter().map(|arm| arm.value.span)).collect()
        }
        ExprKind::For { list, body, .. } | ExprKind::RunFor { list, body, .. } => vec![list.span, body.span],
        ExprKind::RunWhile { condition, start, body, .. } => vec![condition.span, start.span, body.span],
        ExprKind::Lambda { body, .. } => vec![body.span],
        ExprKind::List(elements) => elements.iter().map(|element| element.span).collect(),
        ExprKind::Record(fields) => fields.iter().map(|field| field.value.span).collect(),
        ExprKind::Paren(inner) => vec![inner.span],
        ExprKind::Block(block) => vec![block.span],
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Error => Vec::new(),
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::None => "none".to_owned(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => format!("{:?}", value.0),
        Literal::Text(value) => format!("{value:?}"),
        Literal::RawText(value) => format!("r{value:?}"),
        Literal::Percent(value) => format!("{}%", value.0),
        Literal::Size(value) => format!("{value} bytes"),
        Literal::Duration(value) => format!("{value} us"),
        Literal::Date(value) => format!("day {value}"),
        Literal::Time(value) => format!("time {value} us"),
    }
}
