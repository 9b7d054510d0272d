//! Mistakes with brackets, signs and keywords: one token of the text is gone, doubled or another one.

use std::{collections::BTreeSet, ops::Range};

use flow_syntax::lex::{Kind, Token, cut, lex};

use crate::plants::{Mistake, Plant, misspelled};

pub fn plant(text: &str, plants: &mut Vec<Plant>) {
    for chunk in cut(text).items {
        let tokens: Vec<Token> = lex(chunk.text)
            .tokens
            .into_iter()
            .filter(|token| !token.is_inserted)
            .map(|token| Token { span: token.span.shift(chunk.start), ..token })
            .collect();
        plant_in_item(text, &tokens, plants);
    }
}

fn plant_in_item(text: &str, tokens: &[Token], plants: &mut Vec<Plant>) {
    let mut open: Vec<usize> = Vec::new();
    // A bracket may be told at its partner, at the tokens beside it, and at those around it on its line, since
    // nobody knows which of several was meant.
    let near = |index: usize, partner: usize, open: &[usize]| {
        let line = |index: usize| text[..tokens[index].span.start as usize].matches('\n').count();
        let outer = open.iter().copied().filter(|outer| line(*outer) == line(partner));
        let others = outer.chain([partner]).map(|index| tokens[index].span.range());
        around(tokens, index).into_iter().chain(others).collect::<Vec<_>>()
    };
    let first = tokens.iter().position(|token| token.kind != Kind::Doc);
    for (index, token) in tokens.iter().enumerate() {
        let range = token.span.range();
        let written = &text[range.clone()];
        let mut plant = |mistake, edit: Range<usize>, text: &str, also: Vec<Range<usize>>| {
            plants.push(Plant { mistake, edit, text: text.to_owned(), also, name: None });
        };
        match token.kind {
            Kind::OpenParen | Kind::OpenBracket | Kind::OpenBrace => open.push(index),
            Kind::CloseParen | Kind::CloseBracket | Kind::CloseBrace => {
                let Some(partner) = open.pop() else { continue };
                let opening = tokens[partner].span.range();
                let twice = text[opening.clone()].repeat(2);
                plant(Mistake::RemovedOpening, opening.clone(), " ", near(partner, index, &open));
                plant(Mistake::RemovedClosing, range.clone(), " ", near(index, partner, &open));
                plant(Mistake::AddedOpening, opening, &twice, near(partner, index, &open));
                plant(Mistake::AddedClosing, range, &written.repeat(2), near(index, partner, &open));
            }
            Kind::Text => {
                plant(Mistake::RemovedQuote, range.start..range.start + 1, "", vec![range.clone()]);
                plant(Mistake::RemovedQuote, range.end - 1..range.end, "", vec![range]);
            }
            Kind::Comma => plant(Mistake::RemovedComma, range, " ", around(tokens, index)),
            Kind::Colon | Kind::Arrow | Kind::Equal | Kind::FatArrow | Kind::Dot => {
                plant(Mistake::RemovedSign, range, " ", around(tokens, index));
            }
            Kind::EqualEqual => plant(Mistake::WrongSign, range, "=", around(tokens, index)),
            Kind::NotEqual => plant(Mistake::WrongSign, range, "<>", around(tokens, index)),
            Kind::And => plant(Mistake::WrongSign, range, "&&", around(tokens, index)),
            Kind::Or => plant(Mistake::WrongSign, range, "||", around(tokens, index)),
            Kind::Not => plant(Mistake::WrongSign, range, "!", around(tokens, index)),
            Kind::True => plant(Mistake::WrongSign, range, "True", around(tokens, index)),
            Kind::None => plant(Mistake::WrongSign, range, "None", around(tokens, index)),
            _ => {}
        }
        let opens_item = Some(index) == first;
        let next = tokens.get(index + 1).map(|token| token.kind);
        let is_word = token.kind.is_keyword()
            || opens_item
            || token.kind == Kind::With && next == Some(Kind::OpenParen)
            || token.kind == Kind::Run && matches!(next, Some(Kind::If | Kind::For | Kind::While));
        let range = token.span.range();
        if is_word && let Some(slip) = misspelled(written, range.start, &BTreeSet::new()) {
            plants.push(Plant {
                mistake: Mistake::MisspelledKeyword,
                edit: range,
                text: slip,
                also: around(tokens, index),
                name: None,
            });
        } else if is_word && written.len() == 2 {
            plants.push(Plant {
                mistake: Mistake::MisspelledKeyword,
                edit: range,
                text: written.chars().rev().collect(),
                also: around(tokens, index),
                name: None,
            });
        }
    }
}

/// The tokens on both sides of one.
fn around(tokens: &[Token], index: usize) -> Vec<Range<usize>> {
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    let after = tokens.get(index + 1);
    before.into_iter().chain(after).map(|token| token.span.range()).collect()
}
