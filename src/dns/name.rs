//! Domain names: absolute by type, case-blind, held in wire form.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name in wire form, in octets (RFC 1035 §2.3.4).
pub const MAX_NAME_OCTETS: usize = 255;
/// The most labels that fit a name: each takes two octets at least.
const MAX_LABELS: usize = MAX_NAME_OCTETS / 2;
/// The most octets of a wire form and the sort key behind it, in which every octet may be a pair.
const MAX_SEALED_OCTETS: usize = 3 * MAX_NAME_OCTETS;
/// The longest label, in octets (RFC 1035 §2.3.4).
pub const MAX_LABEL_OCTETS: usize = 63;

/// Why a text or a list of labels is no domain name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text has nothing in it.
    #[error("the name is empty")]
    Empty,
    /// Two dots stand side by side, or one stands first.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A label is over 63 octets (RFC 1035 §2.3.4).
    #[error("a label has {0} octets; {MAX_LABEL_OCTETS} are allowed")]
    LabelTooLong(usize),
    /// The name is over 255 octets in wire form (RFC 1035 §2.3.4).
    #[error("the name is longer than {MAX_NAME_OCTETS} octets")]
    TooLong,
    /// A backslash is followed by nothing, or by a number that is no octet.
    #[error("the name has a broken escape")]
    BadEscape,
    /// The text is an address, not a name.
    #[error("{0} is an address, not a domain name")]
    Address(IpAddr),
    /// The text is not a name that IDNA can turn into A-labels (RFC 5891, UTS 46).
    #[error("the name has characters that no domain name may have")]
    NotIdna,
    /// A label of a host or mail domain has other characters than letters, digits, `-` and `_`.
    #[error("the label {0:?} has characters that no mail domain may have")]
    BadLabel(String),
}

/// An absolute domain name.
///
/// Equality, order and hash ignore the case of ASCII letters (RFC 4343); the order is the
/// canonical one of RFC 4034 §6.1, so that all names below a name follow it directly. The case
/// that was read is kept for display. Cloning and comparing are cheap.
#[derive(Clone)]
pub struct Name {
    /// The uncompressed wire form, with the root label at the end; and behind it the sort key.
    ///
    /// The key has the labels in lower case, the top-level one first, each with a zero behind it; an octet of 0 or 1 inside
    /// a label becomes a pair that starts with 1. So keys compare as the canonical order wants names to, and the key
    /// of a zone is how those of all names in it begin. A name above one without pairs shares its octets, from `start` on.
    octets: Arc<[u8]>,
    /// Where the wire form starts.
    start: u8,
    /// How many of the octets from there on are the wire form.
    wire_octets: u8,
    /// Where the sort key starts.
    key_start: u16,
    /// How many of the octets from there on are the sort key.
    key_octets: u16,
}

impl Name {
    /// Returns the root.
    #[must_use]
    pub fn root() -> Self {
        Self::seal(&[0])
    }

    /// Takes an uncompressed wire form of at most 255 octets that ends with its only root label.
    pub(super) fn from_whole_wire(wire: &[u8]) -> Self {
        Self::seal(wire)
    }

    /// Puts the sort key behind a wire form that is known to be whole.
    fn seal(wire: &[u8]) -> Self {
        let mut octets = [0; MAX_SEALED_OCTETS];
        let Some((head, key)) = octets.split_at_mut_checked(wire.len()) else { return Self::root() };
        // The lengths of labels, 63 at most, are no letters.
        head.copy_from_slice(wire);
        head.make_ascii_lowercase();
        // Without pairs the key is as long as the wire form but for the root label; it is written from its end.
        let mut key_octets = wire.len().saturating_sub(1);
        let (mut start, mut low_lengths) = (key_octets, 1_u8);
        for label in (Labels { rest: head }) {
            let end = start.saturating_sub(1);
            start = end.saturating_sub(label.len());
            if let Some(place) = key.get_mut(start..end) {
                place.copy_from_slice(label);
            }
            low_lengths += u8::from(label.len() == 1);
        }
        // Beside lengths, octets of 0 and 1 are those of pairs.
        let is_plain = wire.iter().map(|octet| u8::from(*octet <= 1)).sum::<u8>() == low_lengths;
        if !is_plain {
            key_octets = write_key_with_pairs(wire, key);
        }
        head.copy_from_slice(wire);
        Self::from_octets(octets.get(..wire.len() + key_octets).unwrap_or_default(), wire.len())
    }

    /// Takes a wire form of so many octets and the sort key behind it.
    fn from_octets(octets: &[u8], wire_octets: usize) -> Self {
        let wire_octets = u8::try_from(wire_octets).unwrap_or(u8::MAX);
        let key_octets = octets.len().saturating_sub(usize::from(wire_octets));
        Self {
            octets: octets.into(),
            start: 0,
            wire_octets,
            key_start: wire_octets.into(),
            // Three times 255 at most.
            key_octets: u16::try_from(key_octets).unwrap_or_default(),
        }
    }

    /// Returns the name without the first so many octets of the wire form, which are whole labels.
    fn without_first(&self, octets: usize) -> Self {
        let cut = u8::try_from(octets).ok().filter(|cut| *cut < self.wire_octets);
        match cut {
            // Without pairs the key of a name above is how this one begins.
            Some(cut) if self.plain_key().is_some() => Self {
                octets: Arc::clone(&self.octets),
                start: self.start + cut,
                wire_octets: self.wire_octets - cut,
                key_octets: self.key_octets - u16::from(cut),
                ..*self
            },
            _ => Self::seal(self.wire().get(octets..).unwrap_or(&[0])),
        }
    }

    /// Returns the sort key where it has no pairs.
    fn plain_key(&self) -> Option<&[u8]> {
        Some(self.key()).filter(|_| self.key_octets + 1 == u16::from(self.wire_octets))
    }

    /// Returns the labels in lower case, the top-level one first; `None` where one has an octet of 0 or 1.
    pub(super) fn labels_from_top(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let labels = self.plain_key()?.strip_suffix(&[0]);
        Some(labels.into_iter().flat_map(|labels| labels.split(|octet| *octet == 0)))
    }

    /// Returns the sort key.
    fn key(&self) -> &[u8] {
        let start = usize::from(self.key_start);
        self.octets.get(start..start + usize::from(self.key_octets)).unwrap_or_default()
    }

    /// Builds a name from its labels, leftmost first and without the root label.
    ///
    /// # Errors
    /// [`NameError::EmptyLabel`], [`NameError::LabelTooLong`] or [`NameError::TooLong`].
    pub fn from_labels<I, L>(labels: I) -> Result<Self, NameError>
    where
        I: IntoIterator<Item = L>,
        L: AsRef<[u8]>,
    {
        // Written on the stack, since names are read by the million.
        let mut wire = [0; MAX_NAME_OCTETS];
        let mut end = 0;
        for label in labels {
            let label = label.as_ref();
            if label.is_empty() {
                return Err(NameError::EmptyLabel);
            }
            let length = u8::try_from(label.len()).ok().filter(|octets| usize::from(*octets) <= MAX_LABEL_OCTETS);
            let length = length.ok_or(NameError::LabelTooLong(label.len()))?;
            let next = end + 1 + label.len();
            // The root label comes behind.
            let place = wire.get_mut(end..next).filter(|_| next < MAX_NAME_OCTETS).ok_or(NameError::TooLong)?;
            if let Some((first, rest)) = place.split_first_mut() {
                *first = length;
                rest.copy_from_slice(label);
            }
            end = next;
        }
        Ok(Self::seal(wire.get(..=end).unwrap_or_default()))
    }

    /// Reads a name in presentation form: escapes `\.` and `\DDD`, with or without the final dot.
    ///
    /// # Errors
    /// Any [`NameError`] but the ones of [`Name::from_user_input`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            "" => return Err(NameError::Empty),
            "." => return Ok(Self::root()),
            _ if !text.contains('\\') => return Self::from_labels(text.strip_suffix('.').unwrap_or(text).split('.')),
            _ => {}
        }
        let mut labels: Vec<Vec<u8>> = vec![Vec::new()];
        let mut octets = text.bytes();
        let mut ended_with_dot = false;
        while let Some(octet) = octets.next() {
            ended_with_dot = octet == b'.';
            match octet {
                b'.' => labels.push(Vec::new()),
                b'\\' => {
                    let escaped = unescape(&mut octets)?;
                    if let Some(label) = labels.last_mut() {
                        label.push(escaped);
                    }
                }
                other => {
                    if let Some(label) = labels.last_mut() {
                        label.push(other);
                    }
                }
            }
        }
        if ended_with_dot {
            labels.pop();
        }
        Self::from_labels(labels)
    }

    /// Reads a mail domain as people type it: white space around it and a final dot are dropped,
    /// U-labels become A-labels (RFC 5891), addresses and other characters are refused.
    ///
    /// # Errors
    /// Any [`NameError`]. The result has at least one label, all of letters, digits, `-` and `_`.
    pub fn from_user_input(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = IpAddr::from_str(bare) {
            return Err(NameError::Address(address));
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| NameError::NotIdna)?
        };
        let name = Self::from_labels(ascii.split('.'))?;
        let bad = name
            .labels()
            .find(|label| !label.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')));
        match bad {
            Some(label) => Err(NameError::BadLabel(String::from_utf8_lossy(label).into_owned())),
            None => Ok(name),
        }
    }

    /// Takes an uncompressed wire form that is known to be whole.
    ///
    /// # Errors
    /// Any [`NameError`] that the octets give cause for.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        Self::from_labels(Labels { rest: wire })
    }

    /// Returns the uncompressed wire form, the root label included.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        let start = usize::from(self.start);
        self.octets.get(start..start + usize::from(self.wire_octets)).unwrap_or_default()
    }

    /// Iterates over the labels, leftmost first, without the root label.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let (starts, count) = label_starts(self.wire());
        (0..count).map(move |nth| starts.get(nth).map_or(&[][..], |start| label_at(self.wire(), *start)))
    }

    /// Returns the number of labels; the root has none.
    #[must_use]
    pub fn label_count(&self) -> usize {
        Labels { rest: self.wire() }.count()
    }

    /// Says whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.wire_octets == 1
    }

    /// Returns the leftmost label; the root has none.
    #[must_use]
    pub fn first_label(&self) -> Option<&[u8]> {
        Labels { rest: self.wire() }.next()
    }

    /// Returns the name one label up; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let first = self.first_label()?;
        Some(self.without_first(first.len() + 1))
    }

    /// Iterates over the name itself and all above it, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// Puts one label in front.
    ///
    /// # Errors
    /// [`NameError::EmptyLabel`], [`NameError::LabelTooLong`] or [`NameError::TooLong`].
    pub fn prepend(&self, label: impl AsRef<[u8]>) -> Result<Self, NameError> {
        Self::from_labels(std::iter::once(label.as_ref()).chain(Labels { rest: self.wire() }))
    }

    /// Puts all labels of this name in front of `suffix`.
    ///
    /// # Errors
    /// [`NameError::TooLong`].
    pub fn concat(&self, suffix: &Self) -> Result<Self, NameError> {
        Self::from_labels(Labels { rest: self.wire() }.chain(Labels { rest: suffix.wire() }))
    }

    /// Says whether the name is `zone` or below it.
    #[must_use]
    pub fn is_subdomain_of(&self, zone: &Self) -> bool {
        self.key().starts_with(zone.key())
    }

    /// Says whether the name is below `zone` and not `zone` itself.
    #[must_use]
    pub fn is_strictly_below(&self, zone: &Self) -> bool {
        self.wire_octets > zone.wire_octets && self.is_subdomain_of(zone)
    }

    /// Returns the labels that the name has in front of `zone`, in presentation form without a
    /// final dot and empty at the apex; `None` where the name is not in `zone`.
    #[must_use]
    pub fn relative_to(&self, zone: &Self) -> Option<String> {
        let prefix = self.without_suffix(zone)?;
        let text = prefix.to_string();
        Some(text.strip_suffix('.').unwrap_or(&text).to_owned())
    }

    /// Returns the name that is left when `suffix` is cut off; `None` where it does not end so.
    #[must_use]
    pub fn without_suffix(&self, suffix: &Self) -> Option<Self> {
        if !self.is_subdomain_of(suffix) {
            return None;
        }
        let mut wire = self.wire().get(..usize::from(self.wire_octets - suffix.wire_octets))?.to_vec();
        wire.push(0);
        Some(Self::seal(&wire))
    }

    /// Returns the last `count` labels as a name; the whole name where it has no more.
    #[must_use]
    pub fn last_labels(&self, count: usize) -> Self {
        let skip = self.label_count().saturating_sub(count);
        let octets: usize = (Labels { rest: self.wire() }).take(skip).map(|label| label.len() + 1).sum();
        if octets == 0 { self.clone() } else { self.without_first(octets) }
    }

    /// Returns the presentation form without the final dot; the root stays `.`.
    #[must_use]
    pub fn to_text_without_dot(&self) -> String {
        let mut text = self.to_string();
        if text.len() > 1 {
            text.pop();
        }
        text
    }

    /// Hands the presentation form, its final dot included, to `read`; `None` where it has escapes.
    fn with_plain_text<T>(&self, read: impl FnOnce(&str) -> T) -> Option<T> {
        // Behind the first length octet the labels stand as they are written; where the others stand come dots.
        let (first, labels) = self.wire().split_first()?;
        let mut text = [0; MAX_NAME_OCTETS];
        let text = text.get_mut(..labels.len())?;
        text.copy_from_slice(labels);
        let mut at = usize::from(*first);
        let mut dots = 0;
        while let Some(octet) = text.get_mut(at) {
            at += 1 + usize::from(*octet);
            *octet = b'.';
            dots += 1;
        }
        // No more than 254.
        let plain: u8 = text.iter().map(|octet| u8::from(is_plain(*octet))).sum();
        if usize::from(plain) + dots != text.len() {
            return None;
        }
        let text = if text.is_empty() { "." } else { std::str::from_utf8(text).ok()? };
        Some(read(text))
    }

    /// Returns the name with its ASCII letters in lower case.
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        if !self.wire().iter().any(u8::is_ascii_uppercase) {
            return self.clone();
        }
        Self::seal(&self.wire().to_ascii_lowercase())
    }
}

/// Writes the sort key of a name with octets of 0 or 1 inside its labels, and returns its length.
fn write_key_with_pairs(wire: &[u8], key: &mut [u8]) -> usize {
    let mut pairs: Vec<u8> = Vec::with_capacity(2 * MAX_NAME_OCTETS);
    let (starts, count) = label_starts(wire);
    for start in starts.get(..count).unwrap_or_default().iter().rev() {
        for octet in label_at(wire, *start) {
            if *octet > 1 {
                pairs.push(octet.to_ascii_lowercase());
            } else {
                pairs.extend([1, *octet + 1]);
            }
        }
        pairs.push(0);
    }
    if let Some(place) = key.get_mut(..pairs.len()) {
        place.copy_from_slice(&pairs);
    }
    pairs.len()
}

/// Returns where each label's length octet stands in a wire form, and how many labels there are.
fn label_starts(wire: &[u8]) -> ([u8; MAX_LABELS], usize) {
    let mut starts = [0; MAX_LABELS];
    let (mut at, mut count) = (0_u8, 0);
    while let (Some(length), Some(start)) = (wire.get(usize::from(at)), starts.get_mut(count)) {
        if *length == 0 {
            break;
        }
        *start = at;
        count += 1;
        at = at.saturating_add(*length).saturating_add(1);
    }
    (starts, count)
}

/// Returns the label whose length octet stands at `start`.
fn label_at(wire: &[u8], start: u8) -> &[u8] {
    let (length, rest) = wire.get(usize::from(start)..).and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
    rest.get(..usize::from(*length)).unwrap_or_default()
}

/// Walks over the labels of a wire form.
#[derive(Clone)]
struct Labels<'a> {
    /// What is still to be read, from a length octet on.
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first()?;
        let length = usize::from(*length);
        if length == 0 || length > rest.len() {
            return None;
        }
        let (label, rest) = rest.split_at(length);
        self.rest = rest;
        Some(label)
    }
}

/// Reads what follows a backslash: three digits or one octet.
fn unescape(octets: &mut impl Iterator<Item = u8>) -> Result<u8, NameError> {
    let first = octets.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = octets.next().filter(u8::is_ascii_digit).ok_or(NameError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

/// Says whether an octet of a label stands for itself in presentation form.
const fn is_plain(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7e) && !matches!(octet, b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$')
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // The keys of names that share octets start at the same one.
        self.key_octets == other.key_octets && (Arc::ptr_eq(&self.octets, &other.octets) || self.key() == other.key())
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(written) = self.with_plain_text(|text| f.write_str(text)) {
            return written;
        }
        for label in (Labels { rest: self.wire() }) {
            for octet in label {
                match octet {
                    plain if is_plain(*plain) => write!(f, "{}", char::from(*plain))?,
                    0x21..=0x7e => write!(f, "\\{}", char::from(*octet))?,
                    other => write!(f, "\\{other:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Name {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DomainName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "an absolute domain name in presentation form, with its final dot",
        })
    }
}

#[cfg(test)]
mod tests;
