//! Circles: items that need themselves, and modules that import one another.

use std::collections::{VecDeque, hash_map::Entry};

use rustc_hash::FxHashMap;

use super::{Import, imported_modules, references, resolve, scope, scopes::own_item, verbs};
use crate::db::{Db, File, Item, Keyword, Project, items};

/// For every item on a circle, the shortest way from it back to itself, with it at both ends.
#[salsa::tracked]
pub fn recursion<'db>(db: &'db dyn Db) -> FxHashMap<Item<'db>, Vec<Item<'db>>> {
    let needs: Vec<&(Item<'db>, Vec<Item<'db>>)> = own_files(db).flat_map(|file| needs(db, file)).collect();
    let all: Vec<Item<'db>> = needs.iter().map(|(item, _)| *item).collect();
    let places: FxHashMap<Item<'db>, usize> =
        all.iter().enumerate().map(|(index, item)| (*item, index)).collect();
    let edges: Vec<Vec<usize>> = needs
        .iter()
        .map(|(_, needs)| needs.iter().filter_map(|item| places.get(item).copied()).collect())
        .collect();
    circles(&edges)
        .into_iter()
        .filter_map(|(start, path)| {
            let path = path.iter().filter_map(|index| all.get(*index).copied()).collect();
            Some((*all.get(start)?, path))
        })
        .collect()
}

/// For every module on a circle of imports, the shortest way round.
#[salsa::tracked]
pub fn import_cycles(db: &dyn Db) -> FxHashMap<File, Vec<File>> {
    let all: Vec<File> = own_files(db).collect();
    let places: FxHashMap<File, usize> = all.iter().enumerate().map(|(index, file)| (*file, index)).collect();
    let edges: Vec<Vec<usize>> = all
        .iter()
        .map(|file| {
            let imports = scope(db, *file).imports.values();
            let files = imports.filter_map(|import| match import {
                Import::Module(file) => Some(*file),
                Import::Item(item) => Some(item.file(db)),
                Import::Broken => None,
            });
            files.filter_map(|file| places.get(&file).copied()).collect()
        })
        .collect();
    circles(&edges)
        .into_iter()
        .filter_map(|(start, path)| {
            Some((*all.get(start)?, path.iter().filter_map(|index| all.get(*index).copied()).collect()))
        })
        .collect()
}

/// For every item of a file, the items that it needs to be typed or run.
#[salsa::tracked(returns(deref))]
fn needs<'db>(db: &'db dyn Db, file: File) -> Vec<(Item<'db>, Vec<Item<'db>>)> {
    let is_code = |item: &Item<'db>| {
        !matches!(item.keyword(db), Keyword::Use | Keyword::Test | Keyword::Unknown | Keyword::Enum)
    };
    items(db, file).iter().copied().filter(is_code).map(|item| (item, needs_of(db, item))).collect()
}

fn needs_of<'db>(db: &'db dyn Db, item: Item<'db>) -> Vec<Item<'db>> {
    let file = item.file(db);
    let references = references(db, item);
    let mut found = Vec::new();
    for name in &references.names {
        if let Some(Import::Item(item)) = resolve(db, file, name) {
            found.push(item);
        }
    }
    for (alias, name) in &references.qualified {
        if let Some(Import::Module(module)) = resolve(db, file, alias) {
            found.extend(own_item(db, module, name));
        }
    }
    for name in references.dot_calls.iter().filter(|name| !verbs(db).contains_key(*name)) {
        match resolve(db, file, name) {
            Some(Import::Item(item)) => found.push(item),
            _ => {
                found.extend(imported_modules(db, file).filter_map(|(_, module)| own_item(db, module, name)))
            }
        }
    }
    found
}

/// The files of the project, less `std`, in the order of their modules.
fn own_files(db: &dyn Db) -> impl Iterator<Item = File> {
    let modules = Project::try_get(db).map(|project| project.modules(db));
    modules.into_iter().flatten().filter(|(module, _)| !module.starts_with("std.")).map(|(_, file)| *file)
}

/// For every node that reaches itself, the shortest way round.
fn circles(edges: &[Vec<usize>]) -> Vec<(usize, Vec<usize>)> {
    let components = components(edges);
    let same = |a: usize, b: usize| components.get(a) == components.get(b);
    let next = |node: usize| edges.get(node).into_iter().flatten().copied();
    let mut sizes: FxHashMap<usize, usize> = FxHashMap::default();
    for component in &components {
        *sizes.entry(*component).or_default() += 1;
    }
    let is_on_circle = |node: usize| {
        next(node).any(|other| other == node)
            || components.get(node).and_then(|component| sizes.get(component)).is_some_and(|size| *size > 1)
    };
    let way_round = |start: usize| {
        let mut came_from: FxHashMap<usize, usize> = FxHashMap::default();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for other in next(node).filter(|other| same(*other, start)) {
                if other == start {
                    let mut path = vec![start, node];
                    while let Some(previous) = path.last().and_then(|last| came_from.get(last)) {
                        path.push(*previous);
                    }
                    if node == start {
                        path.pop();
                        path.push(start);
                    }
                    path.reverse();
                    return path;
                }
                if let Entry::Vacant(entry) = came_from.entry(other) {
                    entry.insert(node);
                    queue.push_back(other);
                }
            }
        }
        vec![start]
    };
    (0..edges.len()).filter(|node| is_on_circle(*node)).map(|node| (node, way_round(node))).collect()
}

/// The strongly connected component of every node (Tarjan 1972, with an explicit stack).
fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let (mut index, mut low) = (vec![UNSEEN; count], vec![UNSEEN; count]);
    let (mut component, mut waiting, mut visited) = (vec![UNSEEN; count], Vec::new(), 0);
    let get = |list: &[usize], at: usize| list.get(at).copied().unwrap_or(UNSEEN);
    let set = |list: &mut Vec<usize>, at: usize, value: usize| {
        if let Some(slot) = list.get_mut(at) {
            *slot = value;
        }
    };
    for root in 0..count {
        if get(&index, root) != UNSEEN {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some((node, edge)) = work.pop() {
            if edge == 0 {
                set(&mut index, node, visited);
                set(&mut low, node, visited);
                visited += 1;
                waiting.push(node);
            }
            let mut edge = edge;
            let mut descended = false;
            while let Some(other) = edges.get(node).and_then(|next| next.get(edge)).copied() {
                edge += 1;
                if get(&index, other) == UNSEEN {
                    work.push((node, edge));
                    work.push((other, 0));
                    descended = true;
                    break;
                }
                if get(&component, other) == UNSEEN {
                    let lower = get(&low, node).min(get(&index, other));
                    set(&mut low, node, lower);
                }
            }
            if descended {
                continue;
            }
            if get(&low, node) == get(&index, node) {
                while let Some(member) = waiting.pop() {
                    set(&mut component, member, node);
                    if member == node {
                        break;
                    }
                }
            }
            if let Some((parent, _)) = work.last() {
                let lower = get(&low, *parent).min(get(&low, node));
                let parent = *parent;
                set(&mut low, parent, lower);
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn finds_the_shortest_way_round() {
        let edges = [vec![1], vec![2, 0], vec![0], vec![3], vec![0]];
        let found = circles(&edges);
        assert_eq!(found, [(0, vec![0, 1, 0]), (1, vec![1, 0, 1]), (2, vec![2, 0, 1, 2]), (3, vec![3, 3])]);
    }

    #[test]
    fn finds_nothing_in_a_graph_without_circles() {
        assert_eq!(circles(&[vec![1, 2], vec![2], vec![]]), []);
    }
}
