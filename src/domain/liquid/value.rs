//! What a Liquid variable holds. Copies are cheap, so a loop over the whole site costs no more than its steps.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    Array(Arc<Vec<Value>>),
    Object(Arc<BTreeMap<String, Value>>),
}

impl Value {
    #[must_use]
    pub fn object<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(Arc::new(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    #[must_use]
    pub fn array(values: impl IntoIterator<Item = Value>) -> Self {
        Self::Array(Arc::new(values.into_iter().collect()))
    }

    /// Everything but nil and false.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Str(text) => text.is_empty(),
            Self::Array(items) => items.is_empty(),
            Self::Object(map) => map.is_empty(),
            _ => false,
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Str(text) => text.trim().is_empty(),
            other => !other.is_true() || other.is_empty(),
        }
    }

    /// About how much work it is to look at all of it.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Str(text) => text.len(),
            Self::Array(items) => items.len() * 8,
            Self::Object(map) => map.len() * 8,
            _ => 1,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Value> {
        match (self, key) {
            (Self::Object(map), key) if map.contains_key(key) => map.get(key).cloned(),
            (Self::Object(map), "size") => Some(length(map.len())),
            (Self::Array(items), "size") => Some(length(items.len())),
            (Self::Str(text), "size") => Some(length(text.chars().count())),
            (Self::Array(items), "first") => items.first().cloned(),
            (Self::Array(items), "last") => items.last().cloned(),
            _ => None,
        }
    }

    pub(super) fn at(&self, index: &Value) -> Option<Value> {
        match (self, index) {
            (Self::Array(items), Self::Int(index)) => {
                let from_end = usize::try_from(index.unsigned_abs()).ok()?;
                let place = if *index < 0 { items.len().checked_sub(from_end)? } else { from_end };
                items.get(place).cloned()
            }
            (_, Self::Str(key)) => self.get(key),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Float(n) => Some(*n),
            Self::Str(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Str(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().ok(),
            other => other.number().map(whole),
        }
    }

    /// Liquid's `==`: numbers by value, the rest by type and value.
    pub(super) fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => (*a as f64).total_cmp(b).is_eq(),
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b) || (self.is_small() && other.is_small() && a == b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b) || (self.is_small() && other.is_small() && a == b),
            (a, b) => a == b,
        }
    }

    fn is_small(&self) -> bool {
        const SMALL: usize = 65_536;
        self.printed_size(SMALL) <= SMALL
    }

    /// About how long it would print; never looks much further than `limit`. The same array may stand in a value many
    /// times, so this is not what it takes in memory.
    pub(super) fn printed_size(&self, limit: usize) -> usize {
        let sum = |sizes: &mut dyn Iterator<Item = &Value>| {
            let mut total = 2_usize;
            for value in sizes {
                total = total.saturating_add(value.printed_size(limit.saturating_sub(total)) + 1);
                if total > limit {
                    break;
                }
            }
            total
        };
        match self {
            Self::Str(text) => text.len(),
            Self::Array(items) => sum(&mut items.iter()),
            Self::Object(map) => map.keys().map(String::len).sum::<usize>() + sum(&mut map.values()),
            _ => 8,
        }
    }

    pub(super) fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                self.number()?.partial_cmp(&other.number()?)
            }
            (Self::Str(a), Self::Str(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// For sorting: nothing comes last, things that do not compare keep their order by kind.
    pub(super) fn order(&self, other: &Value) -> Ordering {
        self.compare(other).unwrap_or_else(|| self.rank().cmp(&other.rank()))
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Float(_) => 1,
            Self::Str(_) => 2,
            Self::Array(_) => 3,
            Self::Object(_) => 4,
            Self::Nil => 5,
        }
    }

    pub(super) fn contains(&self, other: &Value) -> bool {
        match self {
            Self::Str(text) => !matches!(other, Self::Nil) && text.contains(&other.to_string()),
            Self::Array(items) => items.iter().any(|item| item.same(other)),
            Self::Object(map) => map.contains_key(&other.to_string()),
            _ => false,
        }
    }

    /// What a loop walks over: an object as pairs.
    pub(super) fn items(&self) -> Vec<Value> {
        match self {
            Self::Nil => Vec::new(),
            Self::Array(items) => items.to_vec(),
            Self::Object(map) => {
                map.iter().map(|(key, value)| Self::array([Self::from(key.as_str()), value.clone()])).collect()
            }
            other => vec![other.clone()],
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Nil => serde_json::Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(n) => (*n).into(),
            Self::Float(n) => (*n).into(),
            Self::Str(text) => text.as_ref().into(),
            Self::Array(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(map) => map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
        }
    }
}

/// Toward zero, as far as 64 bits go.
#[expect(clippy::cast_possible_truncation, reason = "a float's cast saturates, and that is what is wanted")]
pub(super) fn whole(n: f64) -> i64 {
    n as i64
}

pub(super) fn length(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(b) => Self::Bool(b),
            serde_json::Value::Number(n) => {
                n.as_i64().map_or_else(|| Self::Float(n.as_f64().unwrap_or_default()), Self::Int)
            }
            serde_json::Value::String(text) => text.into(),
            serde_json::Value::Array(items) => Self::array(items.into_iter().map(Self::from)),
            serde_json::Value::Object(map) => Self::object(map.into_iter().map(|(key, value)| (key, value.into()))),
        }
    }
}

/// As `{{ value }}` prints it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => Ok(()),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(n) if n.fract() == 0.0 && n.abs() < 1e15 => write!(f, "{n:.1}"),
            Self::Float(n) => write!(f, "{n}"),
            Self::Str(text) => f.write_str(text),
            Self::Array(items) => items.iter().try_for_each(|item| write!(f, "{item}")),
            Self::Object(_) => write!(f, "{}", self.to_json()),
        }
    }
}
