//! How a node is run: what it may use, and what happens when it fails.

use crate::value::Value;

/// The policy of one node. Keys, defaults and units are those of `with (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Cores.
    pub cpu: u32,
    pub gpu: u32,
    /// Bytes.
    pub memory: u64,
    /// Bytes.
    pub gpu_memory: Option<u64>,
    pub device: Device,
    pub precision: Option<Precision>,
    /// Microseconds, of one attempt.
    pub timeout: Option<i64>,
    /// Further attempts after a failed one.
    pub retry: u32,
    /// Microseconds before the first retry; doubles with each.
    pub backoff: i64,
    pub on_failure: OnFailure,
    pub cache: bool,
    pub pool: Option<String>,
    pub priority: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    Auto,
    Cpu,
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    F64,
    F32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    CancelDependents,
    BlockDependents,
    Continue,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cpu: 1,
            gpu: 0,
            memory: 512 << 20,
            gpu_memory: None,
            device: Device::Auto,
            precision: None,
            timeout: None,
            retry: 0,
            backoff: 1_000_000,
            on_failure: OnFailure::CancelDependents,
            cache: true,
            pool: None,
            priority: 0,
        }
    }
}

/// A key of `with (…)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyKey {
    pub name: &'static str,
    /// What its value must be, in words.
    pub ty: &'static str,
    /// What it is for, in one line, with its default.
    pub doc: &'static str,
}

/// Every key, in the order in which they are written.
pub const KEYS: [PolicyKey; 13] = [
    PolicyKey { name: "cpu", ty: "Int ≥ 1", doc: "Cores that it may keep busy; 1 by default." },
    PolicyKey { name: "gpu", ty: "Int ≥ 0", doc: "GPUs that it needs; none by default." },
    PolicyKey { name: "memory", ty: "Size", doc: "Memory that is set aside for it; 512MiB by default." },
    PolicyKey { name: "gpu_memory", ty: "Size", doc: "GPU memory that is set aside for it." },
    PolicyKey { name: "device", ty: "auto, cpu or gpu", doc: "Where it computes; auto by default." },
    PolicyKey {
        name: "precision",
        ty: "f64 or f32",
        doc: "Which floats it computes with; f64 but on a GPU without them.",
    },
    PolicyKey {
        name: "timeout",
        ty: "Duration > 0s",
        doc: "How long one attempt may take; without limit by default.",
    },
    PolicyKey {
        name: "retry", ty: "Int ≥ 0", doc: "Further attempts after a failed one; none by default."
    },
    PolicyKey {
        name: "backoff",
        ty: "Duration ≥ 0s",
        doc: "The wait before the first retry, which doubles with each; 1s by default.",
    },
    PolicyKey {
        name: "on_failure",
        ty: "cancel_dependents, block_dependents or continue",
        doc: "What becomes of the nodes that need it; cancel_dependents by default.",
    },
    PolicyKey { name: "cache", ty: "on or off", doc: "Whether an earlier result may serve; on by default." },
    PolicyKey {
        name: "pool",
        ty: "Text",
        doc: "A named pool that limits how many of its nodes run at once.",
    },
    PolicyKey {
        name: "priority",
        ty: "Int",
        doc: "Among ready nodes the higher one runs first; 0 by default.",
    },
];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("there is no policy key `{key}`")]
    UnknownKey { key: String },
    #[error("`{key}` must be {expected}, not {found}")]
    OutOfRange { key: String, expected: &'static str, found: String },
}

impl Policy {
    /// Sets one key. Words (`auto`, `on`, `cancel_dependents`) are Texts or enum variants; a Bool
    /// serves for `cache`; an Int of bytes does not serve for a Size.
    ///
    /// # Errors
    /// No such key, or a value that it cannot have; nothing is changed then.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), PolicyError> {
        let Some(known) = KEYS.iter().find(|known| known.name == key) else {
            return Err(PolicyError::UnknownKey { key: key.to_owned() });
        };
        self.set_known(key, value).ok_or_else(|| PolicyError::OutOfRange {
            key: key.to_owned(),
            expected: known.ty,
            found: value.to_string(),
        })
    }

    /// The value of a key, if it has one; words are Texts. What [`Self::set`] takes.
    pub fn get(&self, key: &str) -> Option<Value> {
        let word = |word: &str| Some(Value::from(word));
        match key {
            "cpu" => Some(Value::Int(i64::from(self.cpu))),
            "gpu" => Some(Value::Int(i64::from(self.gpu))),
            "memory" => Some(Value::Size(self.memory)),
            "gpu_memory" => self.gpu_memory.map(Value::Size),
            "device" => word(self.device.name()),
            "precision" => word(self.precision?.name()),
            "timeout" => self.timeout.map(Value::Duration),
            "retry" => Some(Value::Int(i64::from(self.retry))),
            "backoff" => Some(Value::Duration(self.backoff)),
            "on_failure" => word(self.on_failure.name()),
            "cache" => word(if self.cache { "on" } else { "off" }),
            "pool" => self.pool.as_deref().and_then(word),
            "priority" => Some(Value::Int(self.priority)),
            _ => None,
        }
    }

    /// The keys whose values differ from the default, with those values, in the order of [`KEYS`].
    pub fn changed(&self) -> Vec<(&'static str, Value)> {
        let default = Self::default();
        if *self == default {
            return Vec::new();
        }
        let changed = |key: &PolicyKey| {
            let value = self.get(key.name)?;
            (default.get(key.name).as_ref() != Some(&value)).then_some((key.name, value))
        };
        KEYS.iter().filter_map(changed).collect()
    }

    fn set_known(&mut self, key: &str, value: &Value) -> Option<()> {
        match (key, value) {
            ("cpu", Value::Int(count)) => {
                self.cpu = u32::try_from(*count).ok().filter(|count| *count >= 1)?
            }
            ("gpu", Value::Int(count)) => self.gpu = u32::try_from(*count).ok()?,
            ("memory", Value::Size(bytes)) => self.memory = *bytes,
            ("gpu_memory", Value::Size(bytes)) => self.gpu_memory = Some(*bytes),
            ("timeout", Value::Duration(time)) if *time > 0 => self.timeout = Some(*time),
            ("retry", Value::Int(count)) => self.retry = u32::try_from(*count).ok()?,
            ("backoff", Value::Duration(time)) if *time >= 0 => self.backoff = *time,
            ("cache", Value::Bool(on)) => self.cache = *on,
            ("pool", Value::Text(name)) => self.pool = Some(name.clone()),
            ("priority", Value::Int(priority)) => self.priority = *priority,
            (_, Value::Text(word) | Value::Enum { variant: word, .. }) => self.set_word(key, word)?,
            _ => return None,
        }
        Some(())
    }

    fn set_word(&mut self, key: &str, word: &str) -> Option<()> {
        match key {
            "device" => {
                self.device =
                    [Device::Auto, Device::Cpu, Device::Gpu].into_iter().find(|d| d.name() == word)?;
            }
            "precision" => {
                let precision = [Precision::F64, Precision::F32].into_iter().find(|p| p.name() == word)?;
                self.precision = Some(precision);
            }
            "on_failure" => {
                let all = [OnFailure::CancelDependents, OnFailure::BlockDependents, OnFailure::Continue];
                self.on_failure = all.into_iter().find(|on_failure| on_failure.name() == word)?;
            }
            "cache" => match word {
                "on" => self.cache = true,
                "off" => self.cache = false,
                _ => return None,
            },
            _ => return None,
        }
        Some(())
    }
}

impl Device {
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl Precision {
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
        }
    }
}

impl OnFailure {
    pub fn name(self) -> &'static str {
        match self {
            Self::CancelDependents => "cancel_dependents",
            Self::BlockDependents => "block_dependents",
            Self::Continue => "continue",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_take_their_values_and_give_them_back() {
        let mut policy = Policy::default();
        for (key, text) in [
            ("cpu", "4"),
            ("gpu", "1"),
            ("memory", "2GiB"),
            ("gpu_memory", "1GiB"),
            ("device", "\"gpu\""),
            ("precision", "\"f32\""),
            ("timeout", "30min"),
            ("retry", "3"),
            ("backoff", "0s"),
            ("on_failure", "\"continue\""),
            ("cache", "\"off\""),
            ("pool", "\"db\""),
            ("priority", "-2"),
        ] {
            let value = Value::parse(text).unwrap();
            policy.set(key, &value).unwrap();
            assert_eq!(policy.get(key), Some(value), "{key}");
        }
        let changed = policy.changed();
        assert_eq!(changed.len(), KEYS.len(), "every key was changed");
        let mut again = Policy::default();
        changed.iter().for_each(|(key, value)| again.set(key, value).unwrap());
        assert_eq!(again, policy);
        assert_eq!(Policy::default().changed(), []);
    }

    #[test]
    fn what_a_key_cannot_be() {
        let mut policy = Policy::default();
        let mut message =
            |key: &str, text: &str| policy.set(key, &Value::parse(text).unwrap()).unwrap_err().to_string();
        assert_eq!(message("cpu", "0"), "`cpu` must be Int ≥ 1, not 0");
        assert_eq!(message("gpus", "1"), "there is no policy key `gpus`");
        assert_eq!(message("memory", "512"), "`memory` must be Size, not 512");
        assert_eq!(message("timeout", "0s"), "`timeout` must be Duration > 0s, not 0s");
        assert_eq!(message("device", "\"tpu\""), "`device` must be auto, cpu or gpu, not \"tpu\"");
        assert_eq!(message("retry", "-1"), "`retry` must be Int ≥ 0, not -1");
        assert_eq!(policy, Policy::default());
    }
}
