//! Applies the mends that diagnostics carry.

use super::Fix;

/// The text with the fixes applied, last place first, and how many were. One that overlaps another, or does not
/// fit the text, is left out: it may fit the next time.
pub fn apply_fixes<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Fix>) -> (String, usize) {
    let mut fixes: Vec<&Fix> = fixes.into_iter().filter(|fix| !fix.edits.is_empty()).collect();
    fixes.sort_by_key(|fix| fix.edits.iter().map(|edit| edit.span.start).max());
    let mut mended = text.to_owned();
    let mut untouched = text.len();
    let mut applied = 0;
    for fix in fixes.into_iter().rev() {
        let mut edits: Vec<_> = fix.edits.iter().collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        let mut end = untouched;
        let fits = edits.iter().all(|edit| {
            let is_before = edit.span.end as usize <= end && text.get(edit.span.range()).is_some();
            end = edit.span.start as usize;
            is_before
        });
        if fits {
            for edit in edits {
                mended.replace_range(edit.span.range(), &edit.text);
            }
            untouched = end;
            applied += 1;
        }
    }
    (mended, applied)
}

#[cfg(test)]
mod tests {
    use super::super::Edit;
    use super::*;
    use crate::span::Span;

    fn fix(edits: &[(u32, u32, &str)]) -> Fix {
        let edit = |(start, end, text): &(u32, u32, &str)| Edit {
            span: Span { start: *start, end: *end },
            text: (*text).to_owned(),
        };
        Fix { title: String::new(), edits: edits.iter().map(edit).collect() }
    }

    #[test]
    fn fixes_that_overlap_wait() {
        let text = "one two three";
        let fixes = [fix(&[(0, 3, "1"), (8, 13, "3")]), fix(&[(4, 7, "2")]), fix(&[(13, 13, "!")])];
        assert_eq!(apply_fixes(text, &fixes), ("1 two 3!".to_owned(), 2));
        assert_eq!(apply_fixes(text, &fixes[1..]), ("one 2 three!".to_owned(), 2));
    }

    #[test]
    fn what_does_not_fit_the_text_is_left_out() {
        let fixes = [fix(&[(1, 2, "x")]), fix(&[(0, 9, "x")]), fix(&[]), fix(&[(0, 3, "x"), (2, 3, "y")])];
        assert_eq!(apply_fixes("é!", &fixes), ("é!".to_owned(), 0));
    }
}
