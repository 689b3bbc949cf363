//! Writes a report as one line of JSON, octet for octet as `serde_json` does.
//!
//! A run over many domains writes little else. What takes its time there are the strings, nearly all of which have nothing
//! to escape; that is seen at once here, and what is out of the ordinary is left to `serde_json`.

use serde::Serialize;
use serde::ser::{Error as _, Impossible, Serializer};
use serde_json::Error;

use crate::report::Report;

/// How many octets a report has without its replies, roughly.
const OCTETS_OF_ALL_ELSE: usize = 2048;
/// How many octets a reply has, roughly.
const OCTETS_OF_A_REPLY: usize = 256;
/// How many digits the largest number has.
const MAX_DIGITS: usize = 20;
/// Below it a number to a tenth is written as it is read: a double tells fifteen digits apart.
const MAX_MEASURE: f64 = 1e14;

impl Report {
    /// Writes the report as JSON in one line, without a line end.
    ///
    /// # Errors
    /// None that is known of: a report holds nothing that JSON cannot say.
    pub fn to_json(&self) -> Result<String, Error> {
        let replies: usize = self.records.iter().map(|record| record.servers.len()).sum();
        let mut out = String::with_capacity(OCTETS_OF_ALL_ELSE + replies * OCTETS_OF_A_REPLY);
        self.serialize(Writer { out: &mut out })?;
        Ok(out)
    }
}

/// Writes one value.
struct Writer<'a> {
    /// Where it goes.
    out: &'a mut String,
}

impl Writer<'_> {
    /// Writes what has nothing to escape.
    fn raw(self, text: &str) -> Result<(), Error> {
        self.out.push_str(text);
        Ok(())
    }

    /// Leaves a value to `serde_json`.
    fn other(self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.out.push_str(&serde_json::to_string(value)?);
        Ok(())
    }

    /// Refuses what no report has.
    fn refuse<T>() -> Result<T, Error> {
        Err(Error::custom("a report has no value of this kind"))
    }
}

/// Writes a list or an object.
struct Members<'a> {
    /// Where it goes.
    out: &'a mut String,
    /// Whether a member was written.
    has_some: bool,
    /// What stands behind the last one.
    end: char,
}

impl<'a> Members<'a> {
    /// Starts with no member.
    fn start(out: &'a mut String, start: char, end: char) -> Self {
        out.push(start);
        Self { out, has_some: false, end }
    }

    /// Writes what stands between two members, where there was one.
    fn separate(&mut self) {
        if std::mem::replace(&mut self.has_some, true) {
            self.out.push(',');
        }
    }

    /// Writes a value behind what stands in front of it.
    fn member(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.separate();
        value.serialize(Writer { out: self.out })
    }

    /// Writes a field, whose name has nothing to escape.
    fn field(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.separate();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push('"');
        self.out.push(':');
        value.serialize(Writer { out: self.out })
    }

    /// Writes what stands behind the last member.
    fn close(self) -> Result<(), Error> {
        self.out.push(self.end);
        Ok(())
    }
}

/// Says whether nothing in a text has to be escaped; looks at all of it, since that goes many octets at a time.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |is_plain, octet| is_plain & (octet >= 0x20) & (octet != b'"') & (octet != b'\\'))
}

/// Says whether control characters stand in a text; looks at all of it too.
fn has_control(text: &str) -> bool {
    text.bytes().fold(false, |has_control, octet| has_control | (octet < 0x20))
}

/// Hands a number that is to be written to [`Writer::serialize_u64`] or [`Writer::serialize_i64`].
macro_rules! widen {
    ($($narrow:ident: $type:ty => $wide:ident),* $(,)?) => {
        $(fn $narrow(self, value: $type) -> Result<(), Error> {
            self.$wide(value.into())
        })*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    widen! {
        serialize_i8: i8 => serialize_i64, serialize_i16: i16 => serialize_i64, serialize_i32: i32 => serialize_i64,
        serialize_u8: u8 => serialize_u64, serialize_u16: u16 => serialize_u64, serialize_u32: u32 => serialize_u64,
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.raw(if value { "true" } else { "false" })
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        if value < 0 {
            self.out.push('-');
        }
        self.serialize_u64(value.unsigned_abs())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        let mut digits = [b'0'; MAX_DIGITS];
        let (mut rest, mut count) = (value, 0);
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or_default();
            (rest, count) = (rest / 10, count + 1);
            if rest == 0 {
                break;
            }
        }
        let shown = digits.get(MAX_DIGITS - count..).and_then(|digits| str::from_utf8(digits).ok());
        self.raw(shown.unwrap_or_default())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.other(&value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        // The sign of zero is written too.
        if !(value.is_sign_positive() && value < MAX_MEASURE) {
            return self.other(&value);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and below 1e15")]
        let tenths = (value * 10.0 + 0.5) as u64;
        #[expect(clippy::cast_precision_loss, reason = "below 1e15")]
        let is_exact = tenths as f64 / 10.0 == value;
        if !is_exact {
            return self.other(&value);
        }
        Writer { out: &mut *self.out }.serialize_u64(tenths / 10)?;
        self.out.push('.');
        self.serialize_u64(tenths % 10)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.other(&value)
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        if is_plain(value) {
            self.out.push('"');
            self.out.push_str(value);
            self.out.push('"');
            return Ok(());
        }
        if has_control(value) {
            return self.other(value);
        }
        self.out.push('"');
        for part in value.split_inclusive(['"', '\\']) {
            match part.strip_suffix(['"', '\\']) {
                Some(front) => {
                    self.out.push_str(front);
                    self.out.push('\\');
                    self.out.push_str(part.get(front.len()..).unwrap_or_default());
                }
                None => self.out.push_str(part),
            }
        }
        self.out.push('"');
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Self::refuse()
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.raw("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.raw("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.raw("null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Result<(), Error> {
        self.serialize_str(word)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Self::refuse()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(Members::start(self.out, '[', ']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'a>, Error> {
        Ok(Members::start(self.out, '[', ']'))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Self::refuse()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Self::refuse()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(Members::start(self.out, '{', '}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Error> {
        Ok(Members::start(self.out, '{', '}'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Self::refuse()
    }
}

impl serde::ser::SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.member(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl serde::ser::SerializeTuple for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.member(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl serde::ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.out.len() + usize::from(self.has_some);
        self.member(key)?;
        if self.out.get(start..).is_some_and(|key| key.starts_with('"')) { Ok(()) } else { Writer::refuse() }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(':');
        value.serialize(Writer { out: self.out })
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl serde::ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests;
