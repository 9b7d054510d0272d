//! Items.

use super::doc::{Doc, concat_docs};
use super::printer::{Brackets, Printer};
use super::types::joined;
use crate::ast::{
    Enum, Expr, Function, Generic, Item, ItemKind, Mark, Name, Operator, OperatorBody, Output, Outputs,
    Param, Provenance, ProvenanceKind, Schema, SchemaColumn, Text, Use, Workflow,
};
use crate::lex::Kind;
use crate::span::Span;

impl<'t> Printer<'t> {
    /// The item without its documentation, which the comments before it hold.
    pub(super) fn item(&mut self, item: &Item) -> Doc<'t> {
        let end = item.span.end;
        match &item.kind {
            ItemKind::Use(item) => self.import(item),
            ItemKind::Const(item) => {
                let ty = item.ty.as_ref();
                let ty = ty.map_or(Doc::Nil, |ty| concat_docs![Doc::Text(": "), self.ty(ty)]);
                let head = concat_docs![Doc::Text("const "), self.name(&item.name), ty, Doc::Text(" ")];
                concat_docs![head, self.assigned(&item.value)]
            }
            ItemKind::Type(item) => {
                let head = concat_docs![Doc::Text("type "), self.name(&item.name), Doc::Text(" ")];
                concat_docs![head, self.after("=", item.ty.span.start, |printer| printer.ty(&item.ty))]
            }
            ItemKind::Enum(item) => self.variants(item, end),
            ItemKind::Schema(item) => self.schema(item, end),
            ItemKind::Fn(item) => self.function(item),
            ItemKind::Operator(item) => self.operator(item),
            ItemKind::Workflow(item) => self.workflow(item),
            ItemKind::Test(item) => {
                let name = Doc::Text(self.source(item.name.span));
                Doc::group(concat_docs![Doc::Text("test "), name, Doc::Text(" "), self.block(&item.body)])
            }
            ItemKind::Error => self.verbatim(Span::new(item.span.start, end)),
        }
    }

    fn import(&mut self, import: &Use) -> Doc<'t> {
        let path = concat_docs![Doc::Text("use "), self.path(&import.path)];
        let Some(names) = &import.names else { return path };
        let last = names.last().map_or(import.path.span.end, |name| name.span.end);
        let end = self.next(Kind::CloseBrace, last);
        let brackets = Brackets { is_padded: false, ..Brackets::BRACES };
        let names =
            self.list(brackets, names, end, |name| name.span.start, |printer, name| printer.name(name));
        concat_docs![path, Doc::Text("."), names]
    }

    fn variants(&mut self, item: &Enum, end: u32) -> Doc<'t> {
        let head = concat_docs![Doc::Text("enum "), self.name(&item.name), Doc::Text(" ")];
        let start = |variant: &crate::ast::Variant| variant.name.span.start;
        let variants = self.list(Brackets::BRACES, &item.variants, end, start, |printer, variant| {
            printer.name(&variant.name)
        });
        concat_docs![head, variants]
    }

    /// The types of columns without an empty line between them stand below one another.
    fn schema(&mut self, item: &Schema, end: u32) -> Doc<'t> {
        let head = concat_docs![Doc::Text("schema "), self.name(&item.name), Doc::Text(" ")];
        let columns: Vec<(usize, &SchemaColumn)> =
            self.paddings(&item.columns).into_iter().zip(&item.columns).collect();
        let start = |column: &(usize, &SchemaColumn)| column.1.name.span.start;
        let columns = self.list(Brackets::BRACES, &columns, end, start, |printer, (padding, column)| {
            printer.column(column, *padding)
        });
        concat_docs![head, columns]
    }

    fn paddings(&self, columns: &[SchemaColumn]) -> Vec<usize> {
        let width = |column: &SchemaColumn| self.source(column.name.span).chars().count();
        let mut paddings = Vec::new();
        let mut previous = None;
        let mut section = Vec::new();
        let mut align = |section: &mut Vec<usize>| {
            let widest = section.iter().max().copied().unwrap_or(0);
            paddings.extend(section.drain(..).map(|width| widest - width));
        };
        for column in columns {
            let start = column.name.span.start;
            if previous.is_some_and(|previous| self.has_blank_between(previous, start)) {
                align(&mut section);
            }
            section.push(width(column));
            previous = Some(start);
        }
        align(&mut section);
        paddings
    }

    fn column(&mut self, column: &SchemaColumn, padding: usize) -> Doc<'t> {
        let name =
            concat_docs![self.name(&column.name), Doc::Text(":"), Doc::Padding(padding), Doc::Text(" ")];
        let mut parts = vec![name, self.ty(&column.ty)];
        let mut clauses: Vec<(&'static str, &Text)> = Vec::new();
        clauses.extend(column.from.as_ref().map(|text| (" from ", text)));
        clauses.extend(column.positive.as_ref().map(|text| (" positive ", text)));
        clauses.sort_by_key(|(_, text)| text.span.start);
        for (word, text) in clauses {
            parts.extend([Doc::Text(word), Doc::Text(self.source(text.span))]);
        }
        Doc::Concat(parts)
    }

    fn function(&mut self, item: &Function) -> Doc<'t> {
        let head = self.head("fn ", &item.name, &item.generics, &item.params);
        let result = item.result.as_ref();
        let result = result.map_or(Doc::Nil, |ty| concat_docs![Doc::Text(" -> "), self.ty(ty)]);
        let signature = Doc::group(concat_docs![head, result]);
        match &item.body {
            Some(body) => Doc::group(concat_docs![signature, Doc::Text(" "), self.block(body)]),
            None => concat_docs![signature, Doc::Text(" = native")],
        }
    }

    fn operator(&mut self, item: &Operator) -> Doc<'t> {
        let mut parts = vec![self.head("operator ", &item.name, &item.generics, &item.params)];
        parts.push(self.outputs(&item.result));
        parts.extend(item.marks.iter().map(|(mark, _)| match mark {
            Mark::Deterministic => Doc::Text(" deterministic"),
            Mark::Effect => Doc::Text(" effect"),
        }));
        let mut tail = Vec::new();
        if let Some(last) = item.policy.last() {
            let end = self.next(Kind::CloseParen, last.value.span.end);
            tail.extend([Doc::Line, Doc::Text("with "), self.policy(&item.policy, end)]);
        }
        if tail.is_empty() && matches!(item.body, OperatorBody::Native | OperatorBody::Verb) {
            parts.extend([Doc::Text(" = "), self.operator_body(&item.body)]);
            return Doc::group(Doc::Concat(parts));
        }
        tail.extend([Doc::Line, Doc::Text("= "), self.operator_body(&item.body)]);
        concat_docs![Doc::group(Doc::Concat(parts)), Doc::group(Doc::Concat(tail).indent())]
    }

    fn operator_body(&mut self, body: &OperatorBody) -> Doc<'t> {
        match body {
            OperatorBody::Native => Doc::Text("native"),
            OperatorBody::Verb => Doc::Text("verb"),
            OperatorBody::Python { entry, sources } => {
                let end = entry.span.end;
                let entry = Doc::Text(self.source(entry.span));
                concat_docs![Doc::Text("python "), entry, self.sources(sources, end)]
            }
            OperatorBody::Command { words, sources } => {
                let last = words.last().map_or(0, |word| word.span.end);
                let end = self.next(Kind::CloseBracket, last);
                let start = |word: &Expr| word.span.start;
                let words =
                    self.list(Brackets::SQUARE, words, end, start, |printer, word| printer.expr(word));
                concat_docs![Doc::Text("command "), words, self.sources(sources, end)]
            }
            OperatorBody::Error => Doc::Nil,
        }
    }

    fn sources(&mut self, sources: &[Text], from: u32) -> Doc<'t> {
        if sources.is_empty() {
            return Doc::Nil;
        }
        let end = self.next(Kind::CloseBracket, sources.last().map_or(from, |text| text.span.end));
        let start = |text: &Text| text.span.start;
        let list = self.list(Brackets::SQUARE, sources, end, start, |printer, text| {
            Doc::Text(printer.source(text.span))
        });
        concat_docs![Doc::Text(" sources: "), list]
    }

    fn workflow(&mut self, item: &Workflow) -> Doc<'t> {
        let head = self.head("workflow ", &item.name, &item.generics, &item.params);
        let signature = Doc::group(concat_docs![head, self.outputs(&item.result)]);
        Doc::group(concat_docs![signature, Doc::Text(" "), self.block(&item.body)])
    }

    /// `word name<generics>(params)`, the lines of the parameters belonging to the group around it: they are
    /// broken before the result is.
    fn head(&mut self, word: &'static str, name: &Name, generics: &[Generic], params: &[Param]) -> Doc<'t> {
        let mut end = name.span.end;
        let mut parts = vec![Doc::Text(word), self.name(name)];
        if let Some(last) = generics.last() {
            end = last.bound.as_ref().map_or(last.name.span.end, |bound| bound.span.end);
            let generics = generics.iter().map(|generic| match &generic.bound {
                Some(bound) => self.typed(&generic.name, bound),
                None => self.name(&generic.name),
            });
            parts.extend([Doc::Text("<"), joined(generics.collect()), Doc::Text(">")]);
        }
        let end = self.next(Kind::CloseParen, params.last().map_or(end, param_end));
        let start = |param: &Param| param.name.span.start;
        parts.push(self.open_list(Brackets::PARENS, params, end, start, Self::param));
        Doc::Concat(parts)
    }

    fn param(&mut self, param: &Param) -> Doc<'t> {
        let mut parts = vec![self.typed(&param.name, &param.ty)];
        if !param.unseen_by.is_empty() {
            let models: Vec<Doc<'t>> = param.unseen_by.iter().map(|name| self.name(name)).collect();
            parts.extend([Doc::Text(" unseen by "), joined(models)]);
        }
        if let Some(default) = &param.default {
            parts.extend([Doc::Text(" "), self.assigned(default)]);
        }
        Doc::Concat(parts)
    }

    fn outputs(&mut self, outputs: &Outputs) -> Doc<'t> {
        match outputs {
            Outputs::One(output) => concat_docs![Doc::Text(" -> "), self.output(output)],
            Outputs::Named(outputs) => {
                let end = self.next(Kind::CloseParen, outputs.last().map_or(0, output_end));
                let start =
                    |output: &Output| output.name.as_ref().map_or(output.ty.span, |name| name.span).start;
                concat_docs![
                    Doc::Text(" -> "),
                    self.list(Brackets::PARENS, outputs, end, start, Self::output)
                ]
            }
            Outputs::None => Doc::Nil,
        }
    }

    fn output(&mut self, output: &Output) -> Doc<'t> {
        let mut parts = vec![match &output.name {
            Some(name) => self.typed(name, &output.ty),
            None => self.ty(&output.ty),
        }];
        for phrase in &output.provenance {
            parts.push(self.provenance(phrase));
        }
        Doc::Concat(parts)
    }

    fn provenance(&mut self, phrase: &Provenance) -> Doc<'t> {
        let words = match phrase.kind {
            ProvenanceKind::RowsOf => " rows of ",
            ProvenanceKind::PartOf => " part of ",
            ProvenanceKind::FittedOn => " fitted on ",
            ProvenanceKind::ChosenOn => " chosen on ",
        };
        let params: Vec<Doc<'t>> = phrase.params.iter().map(|name| self.name(name)).collect();
        concat_docs![Doc::Text(words), joined(params)]
    }

    fn assigned(&mut self, value: &Expr) -> Doc<'t> {
        self.after("=", value.span.start, |printer| printer.expr(value))
    }
}

fn param_end(param: &Param) -> u32 {
    let default = param.default.as_ref().map(|value| value.span.end);
    default.or(param.unseen_by.last().map(|name| name.span.end)).unwrap_or(param.ty.span.end)
}

fn output_end(output: &Output) -> u32 {
    output.provenance.last().map_or(output.ty.span.end, |phrase| phrase.span.end)
}
