//! Joins the character-strings of one TXT record into the text they carry.

/// Joins `strings` with nothing between them.
///
/// A record longer than 255 octets has to be cut into several strings, and whoever cuts at a blank
/// must keep that blank: none is put back here.
///
/// Source: RFC 7208 §3.3, RFC 6376 §3.6.2.2.
pub fn join(strings: &[impl AsRef<[u8]>]) -> Vec<u8> {
    strings.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_joined_with_nothing_between() {
        let rows: [(&[&str], &str); 4] = [
            (&[], ""),
            (&["v=spf1 -all"], "v=spf1 -all"),
            (&["v=spf1 a", "mx -all"], "v=spf1 amx -all"),
            (&["", "p=", ""], "p="),
        ];
        for (strings, text) in rows {
            assert_eq!(join(strings), text.as_bytes(), "{strings:?}");
        }
    }
}
