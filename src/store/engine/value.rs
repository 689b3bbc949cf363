//! Values on their way into a statement and out of a row.

use jiff::Timestamp;

use crate::store::StoreError;

/// A value of a column or a parameter.
#[derive(Clone, Debug)]
pub(in crate::store) enum Value {
    /// A whole number, a truth (0 or 1), or a time in milliseconds since 1970.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
    /// Octets.
    Octets(Option<Vec<u8>>),
    /// A list of numbers, for `{in $N}`.
    Ints(Vec<i64>),
    /// A list of texts, for `{in $N}`.
    Texts(Vec<String>),
    /// A list of shards, for `{held t.shard $N}`.
    Shards(Vec<u16>),
}

/// Makes values of what the store holds.
macro_rules! value_from {
    ($($from:ty => |$name:ident| $value:expr),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from($name: $from) -> Self {
                $value
            }
        })*
    };
}

value_from! {
    i64 => |number| Self::Int(Some(number)),
    u32 => |number| Self::Int(Some(number.into())),
    u16 => |number| Self::Int(Some(number.into())),
    bool => |truth| Self::Int(Some(truth.into())),
    Option<i64> => |number| Self::Int(number),
    Timestamp => |time| Self::Int(Some(time.as_millisecond())),
    Option<Timestamp> => |time| Self::Int(time.map(Timestamp::as_millisecond)),
    &str => |text| Self::Text(Some(text.to_owned())),
    String => |text| Self::Text(Some(text)),
    Option<&str> => |text| Self::Text(text.map(str::to_owned)),
    Option<String> => |text| Self::Text(text),
    Vec<u8> => |octets| Self::Octets(Some(octets)),
    Vec<i64> => |numbers| Self::Ints(numbers),
    Vec<String> => |texts| Self::Texts(texts),
    Vec<u16> => |shards| Self::Shards(shards),
}

/// A row, read from left to right.
pub(in crate::store) struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// Takes the values of a row.
    pub(in crate::store) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// Reads a number or NULL.
    pub(in crate::store) fn opt_int(&mut self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(number),
            Some(Value::Text(None) | Value::Octets(None)) => Ok(None),
            _ => Err(unreadable(column, "it is no number")),
        }
    }

    /// Reads a number.
    pub(in crate::store) fn int(&mut self, column: &'static str) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| unreadable(column, "it is empty"))
    }

    /// Reads a number of a narrower type.
    pub(in crate::store) fn small<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<T, StoreError> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| unreadable(column, &format!("{number} is out of range")))
    }

    /// Reads a text or NULL.
    pub(in crate::store) fn opt_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Int(None) | Value::Octets(None)) => Ok(None),
            _ => Err(unreadable(column, "it is no text")),
        }
    }

    /// Reads a text.
    pub(in crate::store) fn text(&mut self, column: &'static str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| unreadable(column, "it is empty"))
    }

    /// Reads octets or NULL.
    pub(in crate::store) fn opt_octets(&mut self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Value::Octets(octets)) => Ok(octets),
            Some(Value::Int(None) | Value::Text(None)) => Ok(None),
            _ => Err(unreadable(column, "it holds no octets")),
        }
    }

    /// Reads a time or NULL.
    pub(in crate::store) fn opt_time(&mut self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let time = self.opt_int(column)?.map(Timestamp::from_millisecond).transpose();
        time.map_err(|error| unreadable(column, &error.to_string()))
    }

    /// Reads a time.
    pub(in crate::store) fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.opt_time(column)?.ok_or_else(|| unreadable(column, "it is empty"))
    }

    /// Reads a word of a closed list, or NULL.
    pub(in crate::store) fn opt_word<T>(
        &mut self,
        column: &'static str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(word) = self.opt_text(column)? else { return Ok(None) };
        find(&word).map(Some).ok_or_else(|| unreadable(column, &format!("{word:?} is no word of this version")))
    }

    /// Reads a word of a closed list.
    pub(in crate::store) fn word<T>(
        &mut self,
        column: &'static str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.opt_word(column, find)?.ok_or_else(|| unreadable(column, "it is empty"))
    }

    /// Reads JSON or NULL.
    pub(in crate::store) fn opt_json<T: serde::de::DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| unreadable(column, &error.to_string()))
    }

    /// Reads JSON.
    pub(in crate::store) fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.opt_json(column)?.ok_or_else(|| unreadable(column, "it is empty"))
    }
}

/// Says what cannot be read.
pub(in crate::store) fn unreadable(column: &'static str, reason: &str) -> StoreError {
    StoreError::Row { column, reason: reason.to_owned() }
}
