//! Paths in a DAG: relative to the project's root where they lie below it, with `/` between their
//! parts. So the same project gives the same DAG on every machine.

/// The folder of a file; `""` is the root.
pub(super) fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path from the root of what `folder`, itself relative to the root, calls `path`.
///
/// Absolute paths and URLs stay as they are.
pub fn from_folder(folder: &str, path: &str) -> String {
    if is_absolute(path) {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// An absolute path as seen from an absolute `root`: relative where it lies below it.
pub fn relative_to(root: &str, path: &str) -> String {
    let root = root.trim_end_matches('/');
    let rest = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    rest.map_or_else(|| path.to_owned(), |rest| from_folder("", rest))
}

fn is_absolute(path: &str) -> bool {
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes().get(2) == Some(&b'\\');
    path.starts_with('/') || path.contains("://") || has_drive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_folder() {
        for (base, path, expected) in [
            ("", "iris.csv", "iris.csv"),
            ("examples/iris", "iris.csv", "examples/iris/iris.csv"),
            ("examples/iris", "./../data//iris.csv", "examples/data/iris.csv"),
            ("a", "../../b.csv", "../b.csv"),
            ("a", "/data/b.csv", "/data/b.csv"),
            ("a", "https://example.org/b.csv", "https://example.org/b.csv"),
        ] {
            assert_eq!(from_folder(base, path), expected);
        }
        assert_eq!(folder("examples/iris/iris.flow"), "examples/iris");
        assert_eq!(folder("iris.flow"), "");
    }

    #[test]
    fn is_relative_below_the_root() {
        assert_eq!(relative_to("/home/me/project", "/home/me/project/data/a.csv"), "data/a.csv");
        assert_eq!(relative_to("/home/me/project", "/home/me/projects/a.csv"), "/home/me/projects/a.csv");
        assert_eq!(relative_to("/", "/a.csv"), "a.csv");
    }
}
