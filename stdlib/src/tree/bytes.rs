//! The stored form of a model, `flow-gbdt/1`: little-endian, with lengths before lists and a checksum at the end.
//!
//! Reading trusts nothing: lengths are held to what is left of the bytes before anything is allocated, and children to
//! coming after their node, so that every walk ends.

use super::bins::FeatureBins;
use super::loss::Loss;
use super::model::{Model, Node, Test, Tree};
use super::split::BinSet;

const MAGIC: &[u8] = b"flow-gbdt/1\n";
const CHECKSUM_BYTES: usize = 8;

/// Why bytes are no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("this is no `flow-gbdt/1` model")]
    NotAModel,
    #[error("the model is damaged: its checksum does not match")]
    Checksum,
    #[error("the model is damaged: it ends before its {0}")]
    Truncated(&'static str),
    #[error("the model is damaged: {0}")]
    Invalid(&'static str),
}

impl Model {
    /// The same bytes for the same model, on every machine.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer(MAGIC.to_vec());
        let (loss, classes) = match self.loss {
            Loss::SquaredError => (0, 0),
            Loss::Logistic => (1, 2),
            Loss::Softmax { classes } => (2, classes),
        };
        out.byte(loss);
        out.number(classes);
        self.base.iter().for_each(|&score| out.float(score));
        out.length(self.bins.len());
        for bins in &self.bins {
            match bins {
                FeatureBins::Numeric { edges } => {
                    out.byte(0);
                    out.byte(edges.len() as u8);
                    edges.iter().for_each(|edge| out.number(edge.to_bits()));
                }
                FeatureBins::Categorical { codes } => {
                    out.byte(1);
                    out.byte(codes.len() as u8);
                    codes.iter().for_each(|&code| out.number(code));
                }
            }
        }
        out.length(self.trees.len());
        self.trees.iter().for_each(|tree| out.tree(tree));
        seal(&mut out.0);
        out.0
    }

    /// Reads what [`Model::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(DecodeError::NotAModel)?;
        let (body, sum) =
            body.split_last_chunk::<CHECKSUM_BYTES>().ok_or(DecodeError::Truncated("checksum"))?;
        if checksum(&bytes[..bytes.len() - CHECKSUM_BYTES]) != u64::from_le_bytes(*sum) {
            return Err(DecodeError::Checksum);
        }
        let mut input = Reader(body);
        let loss = input.loss()?;
        let base = input.list("base score", loss.outputs(), Reader::finite)?;
        let features = input.length("features", 2)?;
        let bins = input.list("features", features, Reader::bins)?;
        if bins.is_empty() {
            return Err(DecodeError::Invalid("it has no features"));
        }
        let trees = input.length("trees", 20)?;
        if trees % loss.outputs() != 0 {
            return Err(DecodeError::Invalid("its last round lacks a tree"));
        }
        let trees = input.list("trees", trees, |input, what| input.tree(what, &bins))?;
        if input.0.is_empty() {
            Ok(Self { loss, bins, base, trees })
        } else {
            Err(DecodeError::Invalid("bytes follow its end"))
        }
    }
}

/// Appends the checksum of what is there.
pub(super) fn seal(bytes: &mut Vec<u8>) {
    let sum = checksum(bytes);
    bytes.extend(sum.to_le_bytes());
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn number(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn length(&mut self, value: usize) {
        self.number(value as u32);
    }

    fn float(&mut self, value: f64) {
        self.0.extend(value.to_bits().to_le_bytes());
    }

    fn tree(&mut self, tree: &Tree) {
        self.length(tree.sets.len());
        for word in tree.sets.iter().flat_map(|set| set.0) {
            self.0.extend(word.to_le_bytes());
        }
        self.length(tree.nodes.len());
        for node in &tree.nodes {
            self.number(node.feature);
            match node.test {
                Test::AtMost { bin, missing_left } => {
                    self.byte(u8::from(missing_left));
                    self.byte(bin);
                }
                Test::Among(set) => {
                    self.byte(2);
                    self.number(set);
                }
            }
            self.number(node.left as u32);
            self.number(node.right as u32);
            self.float(node.gain);
        }
        for (&value, &rows) in tree.values.iter().zip(&tree.leaf_rows) {
            self.float(value);
            self.number(rows);
        }
    }
}

struct Reader<'a>(&'a [u8]);

type Result<T, E = DecodeError> = std::result::Result<T, E>;

impl Reader<'_> {
    fn take<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(DecodeError::Truncated(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8> {
        Ok(self.take::<1>(what)?[0])
    }

    fn number(&mut self, what: &'static str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(what)?))
    }

    fn finite(&mut self, what: &'static str) -> Result<f64> {
        let value = f64::from_le_bytes(self.take(what)?);
        if value.is_finite() { Ok(value) } else { Err(DecodeError::Invalid("a number in it is not finite")) }
    }

    /// A length of things that have at least `bytes` each.
    fn length(&mut self, what: &'static str, bytes: usize) -> Result<usize> {
        let length = self.number(what)? as usize;
        if length.saturating_mul(bytes) <= self.0.len() {
            Ok(length)
        } else {
            Err(DecodeError::Truncated(what))
        }
    }

    fn list<T>(
        &mut self,
        what: &'static str,
        length: usize,
        mut read: impl FnMut(&mut Self, &'static str) -> Result<T>,
    ) -> Result<Vec<T>> {
        (0..length).map(|_| read(self, what)).collect()
    }

    fn loss(&mut self) -> Result<Loss> {
        match (self.byte("loss")?, self.number("loss")?) {
            (0, 0) => Ok(Loss::SquaredError),
            (1, 2) => Ok(Loss::Logistic),
            (2, classes @ 3..) => Ok(Loss::Softmax { classes }),
            _ => Err(DecodeError::Invalid("its loss is unknown")),
        }
    }

    fn bins(&mut self, what: &'static str) -> Result<FeatureBins> {
        match (self.byte(what)?, usize::from(self.byte(what)?)) {
            (0, count @ ..=254) => {
                let edges = self.list(what, count, |input, what| Ok(f32::from_bits(input.number(what)?)))?;
                let ascends = edges.windows(2).all(|pair| pair[0] < pair[1]);
                if !ascends || !edges.iter().all(|edge| edge.is_finite()) {
                    return Err(DecodeError::Invalid("the edges of its bins do not ascend"));
                }
                Ok(FeatureBins::Numeric { edges })
            }
            (1, count) => {
                let codes = self.list(what, count, Reader::number)?;
                let mut sorted = codes.clone();
                sorted.sort_unstable();
                if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(DecodeError::Invalid("a category stands twice"));
                }
                Ok(FeatureBins::Categorical { codes })
            }
            _ => Err(DecodeError::Invalid("a feature is neither numeric nor categorical")),
        }
    }

    fn tree(&mut self, what: &'static str, bins: &[FeatureBins]) -> Result<Tree> {
        let sets = self.length(what, 32)?;
        let sets = self.list(what, sets, |input, what| {
            let mut set = BinSet::default();
            for word in &mut set.0 {
                *word = u64::from_le_bytes(input.take(what)?);
            }
            Ok(set)
        })?;
        let count = self.length(what, 22)?;
        let mut nodes = Vec::with_capacity(count);
        // Every node but the root and every leaf must be the child of one earlier node.
        let mut node_seen = vec![false; count];
        let mut leaf_seen = vec![false; count + 1];
        for index in 0..count {
            let node = self.node(what, bins, sets.len())?;
            for child in [node.left, node.right] {
                let (seen, place) = if child >= 0 {
                    (&mut node_seen, child as usize)
                } else {
                    (&mut leaf_seen, !child as usize)
                };
                let is_later = child < 0 || place > index;
                match seen.get_mut(place) {
                    Some(seen) if is_later && !*seen => *seen = true,
                    _ => return Err(DecodeError::Invalid("the nodes in it form no tree")),
                }
            }
            nodes.push(node);
        }
        let mut tree = Tree {
            nodes,
            sets,
            values: Vec::with_capacity(count + 1),
            leaf_rows: Vec::with_capacity(count + 1),
        };
        for _ in 0..=count {
            tree.values.push(self.finite(what)?);
            tree.leaf_rows.push(self.number(what)?);
        }
        Ok(tree)
    }

    fn node(&mut self, what: &'static str, bins: &[FeatureBins], sets: usize) -> Result<Node> {
        let feature = self.number(what)?;
        let bins = bins.get(feature as usize).ok_or(DecodeError::Invalid("a node in it tests no feature"))?;
        let test = match (self.byte(what)?, bins) {
            (flag @ 0..=1, FeatureBins::Numeric { .. }) => {
                Test::AtMost { bin: self.byte(what)?, missing_left: flag == 1 }
            }
            (2, FeatureBins::Categorical { .. }) => Test::Among(self.number(what)?),
            _ => return Err(DecodeError::Invalid("a node in it does not fit its feature")),
        };
        let is_known = match test {
            Test::AtMost { bin, .. } => usize::from(bin) < bins.count(),
            Test::Among(set) => (set as usize) < sets,
        };
        if !is_known {
            return Err(DecodeError::Invalid("a node in it does not fit its feature"));
        }
        let left = self.number(what)? as i32;
        let right = self.number(what)? as i32;
        Ok(Node { feature, test, left, right, gain: self.finite(what)? })
    }
}

/// FNV-1a, 64 bits: against accidents, not against people.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
