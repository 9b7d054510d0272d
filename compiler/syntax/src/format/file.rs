//! A file: its items, and what stands between them.

use std::collections::VecDeque;
use std::mem::discriminant;

use super::comments::{Comment, CommentKind, comments};
use super::doc::Doc;
use super::printer::Printer;
use crate::ast::{Item, ItemKind};
use crate::diagnostic::Diagnostic;
use crate::lex::{Chunk, Kind, Token, cut, lex};
use crate::parse::parse;

/// Characters on a line.
const WIDTH: usize = 110;

/// The text in the one style. Errors where it does not parse: then there is nothing to format.
///
/// Every comment is kept, and the trees of the result are those of the text, places aside.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (file, diagnostics) = parse(text);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics.into_iter().filter(Diagnostic::is_error).collect());
    }
    let tokens = code(text);
    let mut printer = Printer {
        text,
        base: 0,
        tokens: &tokens,
        modules: file.items.iter().filter_map(|(start, item)| module(text, *start, item)).collect(),
        comments: comments(text, tokens.iter().map(|token| token.span)).into(),
    };
    let mut pieces = Vec::from_iter(printer.module_doc());
    for (start, item) in &file.items {
        let first = tokens.get(tokens.partition_point(|token| token.span.start < *start));
        pieces.push(printer.piece(*start, first.map_or(*start, |token| token.span.start), item));
    }
    pieces.extend(printer.last_comments());
    Ok(assembled(&pieces))
}

/// The tokens of all items but documentation, which goes the way of comments. Spans count from the file's start.
fn code(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for Chunk { start, text } in cut(text).items {
        let code = lex(text).tokens.into_iter().filter(|token| token.kind != Kind::Doc);
        tokens.extend(code.map(|token| Token { span: token.span.shift(start), ..token }));
    }
    tokens
}

/// The name before whose dot an imported module stands.
fn module<'t>(text: &'t str, start: u32, item: &Item) -> Option<&'t str> {
    let ItemKind::Use(import) = &item.kind else { return None };
    let last = import.path.names.last().filter(|_| import.names.is_none())?;
    text.get(last.span.shift(start).range())
}

/// Lines that stay together.
struct Piece {
    text: String,
    sort: Sort,
    /// Whether the author left a line empty before it.
    has_blank_before: bool,
    /// An import, or one line without documentation: it may stand right below another of its sort.
    is_compact: bool,
}

#[derive(PartialEq)]
enum Sort {
    ModuleDoc,
    Item(std::mem::Discriminant<ItemKind>),
    Comments,
}

impl<'t> Printer<'t> {
    /// The `//!` lines at the file's start, with the comments above and among them.
    fn module_doc(&mut self) -> Option<Piece> {
        let is_module_doc = |comment: &&Comment<'t>| comment.kind == CommentKind::ModuleDoc;
        let end = self.comments.iter().rfind(is_module_doc)?.start + 1;
        let comments = self.take_before(end);
        Some(Piece {
            text: lines(&comments),
            sort: Sort::ModuleDoc,
            has_blank_before: false,
            is_compact: false,
        })
    }

    /// An item with the comments above it and the one behind it.
    fn piece(&mut self, start: u32, code: u32, item: &Item) -> Piece {
        self.base = 0;
        let above = self.take_before(code);
        let begins_blank = |position| super::comments::ends_with_blank_line(self.before(position));
        let has_blank_before =
            above.first().map_or_else(|| begins_blank(code), |comment| comment.has_blank_before);
        let is_documented = above.last().is_some_and(|comment| comment.kind == CommentKind::Doc);
        let mut text = lines(&above);
        if !above.is_empty() {
            text.push_str(if begins_blank(code) && !is_documented { "\n\n" } else { "\n" });
        }

        self.base = start;
        let mut code = vec![self.item(item)];
        self.base = 0;
        let end = start + item.span.end;
        let line = self.text_between(end, self.text.len() as u32).lines().next().map_or(0, str::len);
        let mut behind: VecDeque<Comment<'t>> = self.take_before(end + line as u32).into();
        // What found no place in the item stands behind it, and from the second comment on above the next one.
        let beside = behind.pop_front_if(|comment| comment.follows_code);
        code.extend(beside.map(|comment| Doc::Comment(comment.text)));
        for comment in behind.into_iter().rev() {
            self.comments.push_front(Comment { follows_code: false, ..comment });
        }
        let code = Doc::Concat(code).print(WIDTH);
        let is_import = matches!(item.kind, ItemKind::Use(_));
        let is_compact = (is_import || !code.contains('\n')) && !is_documented;
        text.push_str(&code);
        Piece { text, sort: Sort::Item(discriminant(&item.kind)), has_blank_before, is_compact }
    }

    fn last_comments(&mut self) -> Option<Piece> {
        let comments: Vec<Comment<'t>> = self.comments.drain(..).collect();
        let has_blank_before = comments.first()?.has_blank_before;
        Some(Piece { text: lines(&comments), sort: Sort::Comments, has_blank_before, is_compact: true })
    }
}

/// Comments as lines, with single empty lines between them where the author left some.
fn lines(comments: &[Comment<'_>]) -> String {
    let mut text = String::new();
    for (position, comment) in comments.iter().enumerate() {
        if position > 0 {
            text.push_str(if comment.has_blank_before { "\n\n" } else { "\n" });
        }
        text.push_str(comment.text);
    }
    text
}

fn assembled(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut previous: Option<&Piece> = None;
    for piece in pieces {
        if let Some(previous) = previous {
            let is_list = previous.sort == piece.sort && previous.is_compact && piece.is_compact;
            let may_touch = is_list || (piece.sort == Sort::Comments && previous.sort != Sort::ModuleDoc);
            text.push_str(if piece.has_blank_before || !may_touch { "\n\n" } else { "\n" });
        }
        text.push_str(&piece.text);
        previous = Some(piece);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}
