//! Diagnostics for code scanners: SARIF 2.1.0 (OASIS, 2020), made of the document that programs get.

use serde_json::{Value as Json, json};

use super::{
    catalogue,
    json::{Document, Edit, Entry, Span},
};

/// The log of one check, by a `flowc` of that version.
pub fn log(document: &Document, version: &str) -> Json {
    let rules: Vec<Json> = catalogue::codes()
        .filter_map(catalogue::page)
        .map(|page| json!({ "id": page.code.to_string(), "shortDescription": { "text": page.title } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "flowc", "semanticVersion": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": document.diagnostics.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(entry: &Entry) -> Json {
    let text = match &entry.help {
        Some(help) => format!("{}. {help}", entry.message),
        None => entry.message.clone(),
    };
    let related = entry.labels.iter().enumerate().map(|(id, label)| {
        let physical = physical_location(&label.file, &label.span);
        json!({ "id": id, "message": { "text": label.message }, "physicalLocation": physical })
    });
    let fixes = entry.fix.iter().map(|fix| {
        json!({
            "description": { "text": fix.title },
            "artifactChanges": [{
                "artifactLocation": { "uri": entry.file },
                "replacements": fix.edits.iter().map(replacement).collect::<Vec<_>>(),
            }],
        })
    });
    json!({
        "ruleId": entry.code,
        "level": entry.severity,
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical_location(&entry.file, &entry.span) }],
        "relatedLocations": related.collect::<Vec<_>>(),
        "fixes": fixes.collect::<Vec<_>>(),
    })
}

fn replacement(edit: &Edit) -> Json {
    json!({ "deletedRegion": region(&edit.span), "insertedContent": { "text": edit.text } })
}

fn physical_location(file: &str, span: &Span) -> Json {
    json!({ "artifactLocation": { "uri": file }, "region": region(span) })
}

/// Lines and columns from 1; the end is the column behind the last character.
fn region(span: &Span) -> Json {
    json!({
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
        "byteOffset": span.start.offset,
        "byteLength": span.end.offset.saturating_sub(span.start.offset),
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Diagnostic, Edit, Sources, code, json::document},
        log,
    };
    use crate::span::Span;

    #[test]
    fn a_diagnostic_is_a_result() {
        let mut sources = Sources::new();
        sources.add("a", "a.flow", "let é = x\nlet y = 1\n");
        let span = Span::new(9, 10);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, span, "there is no `x` here")
            .label(Span::new(15, 16), "this is near")
            .help("did you mean `y`?")
            .fix("write `y`", vec![Edit { span, text: "y".to_owned() }]);
        let log = log(&document(1, [("a", &diagnostic)], &sources), "1.2.3");
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "F0201");
        assert_eq!(result["level"], "error");
        assert_eq!(result["message"]["text"], "there is no `x` here. did you mean `y`?");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(
            (&region["startLine"], &region["startColumn"], &region["endColumn"]),
            (&1.into(), &9.into(), &10.into())
        );
        assert_eq!((&region["byteOffset"], &region["byteLength"]), (&9.into(), &1.into()));
        assert_eq!(result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 2);
        let replacement = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
        assert_eq!(replacement["insertedContent"]["text"], "y");
        assert_eq!(&replacement["deletedRegion"], region);
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["id"] == "F0201"));
    }
}
