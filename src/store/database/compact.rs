//! Reports in few octets: JSON, deflated (RFC 1951 in the frame of RFC 1950).

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::report::Report;
use crate::store::StoreError;
use crate::store::engine::unreadable;

/// Between speed and size: twice as fast as the usual 6, and a few percent larger on reports.
const LEVEL: u8 = 4;
/// How large a report may be when it is read back; ours are some hundred kilobytes at most.
const MAX_JSON_OCTETS: usize = 16 << 20;

/// Deflates a report.
pub(super) fn deflate(report: &Report) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(report).map_err(|error| unreadable("reports.body", &error.to_string()))?;
    Ok(compress_to_vec_zlib(&json, LEVEL))
}

/// Inflates a report.
pub(super) fn inflate(octets: &[u8]) -> Result<Report, StoreError> {
    let json = decompress_to_vec_zlib_with_limit(octets, MAX_JSON_OCTETS)
        .map_err(|error| unreadable("reports.body", &error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| unreadable("reports.body", &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report with many servers, each of which tells the same.
    fn report() -> Report {
        let server = |number: usize| {
            serde_json::json!({"name": format!("ns{number}.example.net."), "address": format!("192.0.2.{number}"),
                "outcome": "alias", "aa": true, "ttl": 300, "data": ["t1.dkim.amazonses.com."], "rtt_ms": 12.3,
                "transport": "udp"})
        };
        let record = |token: usize| {
            serde_json::json!({"kind": "dkim", "zone": "example.com.", "name": format!("t{token}._domainkey.example.com."),
                "type": "CNAME", "expected": "t1.dkim.amazonses.com.", "status": "ok", "code": null, "found": [],
                "servers": (1..9).map(server).collect::<Vec<_>>()})
        };
        serde_json::from_value(serde_json::json!({"schema": 1, "domain": "example.com",
            "checked_at": "2026-11-24T12:00:00Z", "verdict": "ready", "root_cause": null,
            "records": (1..4).map(record).collect::<Vec<_>>(), "findings": [], "delegation": [], "provider": null,
            "horizons": {"negative_until": null, "positive_until": null, "delegation_until": null}, "ses": null,
            "cost": {"questions": 24, "elapsed_ms": 48.1}}))
        .unwrap()
    }

    #[test]
    fn a_report_comes_back_as_it_was_from_an_eighth_of_its_size() {
        let report = report();
        let octets = deflate(&report).unwrap();
        assert!(octets.len() * 8 < serde_json::to_vec(&report).unwrap().len(), "{} octets", octets.len());
        assert_eq!(inflate(&octets).unwrap(), report);
    }

    #[test]
    fn damaged_octets_are_told() {
        let mut octets = deflate(&report()).unwrap();
        octets.truncate(octets.len() / 2);
        for octets in [octets, Vec::new(), vec![0x5a; 300]] {
            assert!(matches!(inflate(&octets), Err(StoreError::Row { column: "reports.body", .. })));
        }
    }
}
