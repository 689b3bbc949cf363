use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::report::Verdict;

/// A value of each kind that a report is made of.
#[derive(Debug, Serialize)]
struct Sample {
    text: String,
    numbers: (u64, i64, u8, bool),
    measure: Option<f64>,
    list: Vec<String>,
    address: IpAddr,
    by_name: BTreeMap<String, Vec<u32>>,
    word: Verdict,
    nothing: (),
}

/// Writes a value.
fn written(value: &impl Serialize) -> String {
    let mut out = String::new();
    value.serialize(Writer { out: &mut out }).unwrap();
    out
}

/// Texts with all that may have to be escaped.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9._-]{0,40}", "[\\PC\\x00-\\x1f\"\\\\]{0,40}"]
}

/// Measures as reports have them, and any other.
fn measures() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        any::<Option<f64>>(),
        any::<u64>().prop_map(|tenths| Some(tenths as f64 / 10.0)),
        (0..100_000_u32).prop_map(|tenths| Some(f64::from(tenths) / 10.0)),
        Just(Some(-0.0)),
        Just(Some(f64::NAN)),
    ]
}

proptest! {
    #[test]
    fn every_octet_is_as_serde_json_writes_it(
        (text, numbers, measure) in (texts(), any::<(u64, i64, u8, bool)>(), measures()),
        (list, address) in (prop::collection::vec(texts(), 0..4), any::<IpAddr>()),
        by_name in prop::collection::btree_map(texts(), prop::collection::vec(any::<u32>(), 0..3), 0..4),
    ) {
        let word = Verdict::Propagating;
        let sample = Sample { text, numbers, measure, list, address, by_name, word, nothing: () };
        prop_assert_eq!(written(&sample), serde_json::to_string(&sample).unwrap());
    }
}

#[test]
fn what_no_report_has_is_refused() {
    let by_number = BTreeMap::from([(1, 2)]);
    assert!(by_number.serialize(Writer { out: &mut String::new() }).is_err());
    assert!(Ok::<u8, u8>(1).serialize(Writer { out: &mut String::new() }).is_err());
}
