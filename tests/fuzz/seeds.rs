//! The texts that fuzzing starts from: the examples, `std`, the golden cases, the catalogue's examples.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flow_syntax::diagnostic::catalogue;

pub fn seeds() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seeds = Vec::new();
    for folder in ["examples", "stdlib/text/std", "tests/golden"] {
        read(&root.join(folder), &mut seeds);
    }
    for page in catalogue::codes().filter_map(catalogue::page) {
        let files = page.failing.files.iter().chain(&page.mended.files);
        seeds.extend(files.map(|(_, text)| (*text).to_owned()));
    }
    seeds
}

/// Adds the programs of a folder; of `.md` files each fenced block.
fn read(folder: &Path, seeds: &mut Vec<String>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => read(&path, seeds),
            Some("flow") => seeds.push(fs::read_to_string(path).unwrap()),
            Some("md") => {
                let text = fs::read_to_string(path).unwrap();
                let blocks = text.split("```flow").skip(1).filter_map(|block| {
                    let (_, block) = block.split_once('\n')?;
                    Some(block.split("```").next()?.to_owned())
                });
                seeds.extend(blocks);
            }
            _ => {}
        }
    }
}
