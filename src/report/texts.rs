//! The names of a report as text: each is written out once, however often it stands there.

use std::fmt::Write;
use std::sync::Arc;

use crate::dns::name::Name;

/// The names that were written out.
#[derive(Default)]
pub(super) struct Texts<'e> {
    /// Each name with its text; few, so that they are gone through.
    known: Vec<(&'e Name, Arc<str>)>,
    /// Where texts are written.
    buffer: String,
}

impl<'e> Texts<'e> {
    /// Returns the text of a name, in the letters that the name has.
    pub(super) fn of(&mut self, name: &'e Name) -> Arc<str> {
        // Most often it is the very name that was written out. Names in other letters are equal, but not their texts.
        let is_same = |(known, _): &&(&Name, _)| std::ptr::eq(known.wire(), name.wire());
        let is_alike = |(known, _): &&(&Name, _)| known.wire() == name.wire();
        let known = self.known.iter().find(is_same).or_else(|| self.known.iter().find(is_alike));
        if let Some((_, text)) = known {
            return Arc::clone(text);
        }
        self.buffer.clear();
        // Writing to a string does not fail.
        let _ = write!(self.buffer, "{name}");
        let text: Arc<str> = Arc::from(self.buffer.as_str());
        self.known.push((name, Arc::clone(&text)));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::sample::name;

    #[test]
    fn a_name_is_written_out_once_and_in_its_own_letters() {
        let names = ["ns1.example.", "NS1.example.", "ns1.example.", "a\\.b.example."].map(name);
        let mut texts = Texts::default();
        let shown: Vec<Arc<str>> = names.iter().map(|name| texts.of(name)).collect();
        assert_eq!(shown, names.each_ref().map(|name| Arc::from(name.to_string())));
        assert!(Arc::ptr_eq(&shown[0], &shown[2]));
    }
}
