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
