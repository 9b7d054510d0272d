//! `flow-model/1`: the bytes of a model's artifact.
//!
//! In order: the line `flow-model/1`; the length of the contract as 8 bytes, little-endian; the
//! contract as JSON; the length of the payload, likewise; the payload; the BLAKE3 hash of all of that,
//! 32 bytes. A reader passes over fields of the contract that it does not know.

use flow_runtime::operator::{Blob, OperatorError};
use serde::{Deserialize, Serialize};

use super::{Feature, FeatureKind, Label, LabelKind, Model, Payload, Trainer};
use crate::{internal, tree};

/// The format of the artifact.
pub const FORMAT: &str = "flow-model/1";
const MAGIC: &[u8] = b"flow-model/1\n";
/// The format of trees' payload.
const TREES: &str = "flow-gbdt/1";

/// Writes a model: equal models give equal bytes.
///
/// # Errors
/// None that a model could cause.
pub fn write(model: &Model) -> Result<Blob, OperatorError> {
    let contract = serde_json::to_vec(&Written::of(model)).map_err(internal)?;
    let payload = match &model.payload {
        Payload::Trees(trees) => trees.to_bytes(),
    };
    let mut bytes = MAGIC.to_vec();
    for part in [contract, payload] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part);
    }
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    Ok(Blob { format: FORMAT.to_owned(), bytes: bytes.into() })
}

/// Reads what [`write`] wrote, by this version or an earlier one.
///
/// # Errors
/// Where the bytes are another format, of a newer version, or damaged.
pub fn read(blob: &Blob) -> Result<Model, OperatorError> {
    if blob.format != FORMAT {
        let message = format!("the model has the format `{}`, where `{FORMAT}` is expected", blob.format);
        return Err(OperatorError::with_help(message, "was it trained by a newer version of Flow?"));
    }
    read_bytes(&blob.bytes).map_err(|reason| {
        OperatorError::with_help(
            format!("the model is damaged: {reason}"),
            "train it again, or copy its artifact again from where it came",
        )
    })
}

/// The contract as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    task: String,
    trainer: WrittenTrainer,
    features: Vec<WrittenFeature>,
    label: WrittenLabel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight: Option<String>,
    /// The payload's format.
    payload: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenTrainer {
    name: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct WrittenFeature {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    categories: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenLabel {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    positive: Option<String>,
}

impl Written {
    fn of(model: &Model) -> Self {
        let features = model.features.iter().map(|feature| {
            let (ty, categories) = match &feature.kind {
                FeatureKind::Bool => ("Bool", None),
                FeatureKind::Int => ("Int", None),
                FeatureKind::Float => ("Float", None),
                FeatureKind::Category { categories } => ("Category", Some(categories.clone())),
            };
            WrittenFeature { name: feature.name.clone(), ty: ty.to_owned(), categories }
        });
        let (task, ty, classes, positive) = match &model.label.kind {
            LabelKind::Number => ("Regressor", "Float", None, None),
            LabelKind::Classes { classes, positive, is_bool } => {
                let ty = if *is_bool { "Bool" } else { "Category" };
                ("Classifier", ty, Some(classes.clone()), classes.get(*positive).cloned())
            }
        };
        let trainer = WrittenTrainer { name: model.trainer.name.clone(), version: model.trainer.version };
        Self {
            task: task.to_owned(),
            trainer,
            features: features.collect(),
            label: WrittenLabel { name: model.label.name.clone(), ty: ty.to_owned(), classes, positive },
            weight: model.weight.clone(),
            payload: TREES.to_owned(),
        }
    }

    fn read(self, payload: &[u8]) -> Result<Model, String> {
        if self.payload != TREES {
            return Err(format!("its payload is `{}`, which this version does not know", self.payload));
        }
        let trees = tree::Model::from_bytes(payload).map_err(|error| error.to_string())?;
        let features = self.features.into_iter().map(WrittenFeature::read).collect::<Result<Vec<_>, _>>()?;
        let label = self.label.read(&self.task)?;
        if trees.features() != features.len() {
            return Err(format!("its trees read {} features of {}", trees.features(), features.len()));
        }
        if trees.loss().predictions() != label.classes().len().max(1) {
            return Err("its trees predict another label".to_owned());
        }
        Ok(Model {
            features,
            label,
            weight: self.weight,
            trainer: Trainer { name: self.trainer.name, version: self.trainer.version },
            payload: Payload::Trees(trees),
        })
    }
}

impl WrittenFeature {
    fn read(self) -> Result<Feature, String> {
        let kind = match (self.ty.as_str(), self.categories) {
            ("Bool", None) => FeatureKind::Bool,
            ("Int", None) => FeatureKind::Int,
            ("Float", None) => FeatureKind::Float,
            ("Category", Some(categories)) => {
                FeatureKind::Category { categories: strictly_sorted(categories)? }
            }
            (ty, _) => return Err(format!("its feature `{}` has the unknown type `{ty}`", self.name)),
        };
        Ok(Feature { name: self.name, kind })
    }
}

impl WrittenLabel {
    fn read(self, task: &str) -> Result<Label, String> {
        let kind = match (task, self.ty.as_str(), self.classes) {
            ("Regressor", "Float", None) => LabelKind::Number,
            ("Classifier", "Bool" | "Category", Some(classes)) if classes.len() >= 2 => {
                let classes = strictly_sorted(classes)?;
                let positive = self.positive.and_then(|positive| classes.binary_search(&positive).ok());
                let positive = positive.ok_or("its positive class is none of its classes")?;
                LabelKind::Classes { classes, positive, is_bool: self.ty == "Bool" }
            }
            _ => return Err(format!("its label `{}` does not fit a `{task}`", self.name)),
        };
        Ok(Label { name: self.name, kind })
    }
}

fn strictly_sorted(names: Vec<String>) -> Result<Vec<String>, String> {
    if names.is_sorted_by(|a, b| a < b) { Ok(names) } else { Err("its categories are not sorted".to_owned()) }
}

fn read_bytes(bytes: &[u8]) -> Result<Model, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a model does")?;
    let (_, hash) = rest.split_last_chunk::<32>().ok_or("it ends too early")?;
    let body = bytes.get(..bytes.len() - hash.len()).unwrap_or_default();
    if blake3::hash(body) != *hash {
        return Err("its hash does not match its bytes".to_owned());
    }
    let mut rest = body.strip_prefix(MAGIC).unwrap_or_default();
    let contract = part(&mut rest)?;
    let payload = part(&mut rest)?;
    if !rest.is_empty() {
        return Err("something follows its payload".to_owned());
    }
    let written: Written = serde_json::from_slice(contract).map_err(|error| error.to_string())?;
    written.read(payload)
}

fn part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let (length, after) = rest.split_first_chunk::<8>().ok_or("it ends too early")?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| "a length is too large")?;
    let (part, after) = after.split_at_checked(length).ok_or("it ends too early")?;
    *rest = after;
    Ok(part)
}
