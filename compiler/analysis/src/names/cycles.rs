//! Circles: items that need themselves, and modules that import one another.

use std::{
    collections::{VecDeque, hash_map::Entry},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use super::{
    Import, imported_modules, imports, references, resolve,
    scopes::{module_or_nearest, own_item},
    verbs,
};
use crate::db::{Db, File, Item, Keyword, Project, items};

/// The shortest way from an item back to itself, with it at both ends, where it needs itself.
///
/// Only modules that import one another can hold a circle of several modules. So an item's answer depends on its
/// own module, in nearly all projects, and not on what happens in others.
pub fn recursion<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<&'db [Item<'db>]> {
    let file = item.file(db);
    if Project::try_get(db)?.standard(db).contains_key(file.module(db)) {
        return None;
    }
    let first = import_cycles(db).get(&file).and_then(|cycle| cycle.members.first()).unwrap_or(&file);
    recursion_among(db, *first).get(&item).map(Vec::as_slice)
}

/// A module on a circle of imports.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub struct ImportCycle {
    /// The shortest way from it back to itself, with it at both ends.
    pub way_round: Vec<File>,
    /// All modules that it imports, directly or not, and that import it, in their order.
    pub members: Arc<[File]>,
}

/// Every module on a circle of imports.
#[salsa::tracked]
pub fn import_cycles(db: &dyn Db) -> FxHashMap<File, ImportCycle> {
    let Some(project) = Project::try_get(db) else { return FxHashMap::default() };
    let all: Vec<File> = project.modules(db).values().copied().collect();
    let places: FxHashMap<File, usize> = all.iter().enumerate().map(|(index, file)| (*file, index)).collect();
    let imported = |file: &File| {
        imports(db, *file).iter().filter_map(|path| module_or_nearest(db, path)).collect::<Vec<_>>()
    };
    let edges: Vec<Vec<usize>> = all
        .iter()
        .map(|file| imported(file).iter().filter_map(|file| places.get(file).copied()).collect())
        .collect();
    let file = |index: &usize| all.get(*index).copied();
    let mut members: FxHashMap<usize, Vec<File>> = FxHashMap::default();
    let circles = circles(&edges);
    for circle in &circles {
        members.entry(circle.component).or_default().extend(file(&circle.node));
    }
    let members: FxHashMap<usize, Arc<[File]>> =
        members.into_iter().map(|(component, files)| (component, files.into())).collect();
    let cycle = |circle: Circle| {
        let members = members.get(&circle.component)?.clone();
        Some((
            file(&circle.node)?,
            ImportCycle { way_round: circle.way_round.iter().filter_map(file).collect(), members },
        ))
    };
    circles.into_iter().filter_map(cycle).collect()
}

/// For every item on a circle, of a module or of all on its circle of imports, whose first it is: the shortest
/// way from it back to itself.
#[salsa::tracked]
fn recursion_among<'db>(db: &'db dyn Db, first: File) -> FxHashMap<Item<'db>, Vec<Item<'db>>> {
    let alone = [first];
    let files = import_cycles(db).get(&first).map_or(&alone[..], |cycle| &cycle.members);
    let needs: Vec<&(Item<'db>, Vec<Item<'db>>)> = files.iter().flat_map(|file| needs(db, *file)).collect();
    let places: FxHashMap<Item<'db>, usize> =
        needs.iter().enumerate().map(|(index, (item, _))| (*item, index)).collect();
    let edges: Vec<Vec<usize>> = needs
        .iter()
        .map(|(_, needs)| needs.iter().filter_map(|item| places.get(item).copied()).collect())
        .collect();
    let item = |index: &usize| needs.get(*index).map(|(item, _)| *item);
    circles(&edges)
        .into_iter()
        .filter_map(|circle| Some((item(&circle.node)?, circle.way_round.iter().filter_map(item).collect())))
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
    let mut dot_calls: Vec<&String> = references.dot_calls.iter().collect();
    for (alias, name) in &references.qualified {
        match resolve(db, file, alias) {
            Some(Import::Module(module)) => found.extend(own_item(db, module, name)),
            _ => dot_calls.push(name),
        }
    }
    for name in dot_calls.into_iter().filter(|name| !verbs(db).contains_key(*name)) {
        match resolve(db, file, name) {
            Some(Import::Item(item)) => found.push(item),
            _ => {
                found.extend(imported_modules(db, file).filter_map(|(_, module)| own_item(db, module, name)))
            }
        }
    }
    found
}

/// A node that reaches itself.
#[derive(Debug, PartialEq, Eq)]
struct Circle {
    node: usize,
    /// The shortest way from it back to itself, with it at both ends.
    way_round: Vec<usize>,
    /// The same for nodes that reach one another.
    component: usize,
}

/// Every node that reaches itself, in their order.
fn circles(edges: &[Vec<usize>]) -> Vec<Circle> {
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
    let circle = |node| Some(Circle { node, way_round: way_round(node), component: *components.get(node)? });
    (0..edges.len()).filter(|node| is_on_circle(*node)).filter_map(circle).collect()
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
        let found: Vec<_> =
            circles(&edges).into_iter().map(|circle| (circle.node, circle.way_round)).collect();
        assert_eq!(found, [(0, vec![0, 1, 0]), (1, vec![1, 0, 1]), (2, vec![2, 0, 1, 2]), (3, vec![3, 3])]);
    }

    #[test]
    fn finds_nothing_in_a_graph_without_circles() {
        assert_eq!(circles(&[vec![1, 2], vec![2], vec![]]), []);
    }
}
