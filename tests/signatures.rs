//! Every operator that `std` declares has a body, written for that very declaration.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;

use flow_analysis::Analysis;
use flow_ir::hash::Hash;
use flow_runtime::operator::Registry;
use flow_stdlib::StandardLibrary;

#[test]
fn bodies_belong_to_declarations() {
    let declared: BTreeMap<String, Hash> = Analysis::new().operator_signatures().into_iter().collect();
    let mut wrong = Vec::new();
    for (name, signature) in &declared {
        match StandardLibrary.find(name) {
            None => wrong.push(format!("`{name}` has no body")),
            Some(native) if native.signature != *signature => {
                wrong.push(format!("the declaration of `{name}` has changed: see whether its body still fits, then write {signature} into the registry"));
            }
            Some(_) => {}
        }
    }
    wrong.extend(
        StandardLibrary::names()
            .filter(|name| !declared.contains_key(*name))
            .map(|name| format!("`{name}` has a body and no declaration")),
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
