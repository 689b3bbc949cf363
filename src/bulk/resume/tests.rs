use tempfile::TempDir;

use super::*;
use crate::bulk::output::Finished;

/// Opens an output in `folder` for an input that holds `input`.
fn open(folder: &TempDir, input: &str, format: Format, resume: bool) -> Result<(OutputFile, Earlier), String> {
    let fingerprint = Fingerprint::of(input.as_bytes()).unwrap();
    let path = folder.path().join("out");
    OutputFile::open(&path, None, Some(&fingerprint), format, resume)
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

/// Writes `text` into the output of a run that is then cut off.
fn cut_off(folder: &TempDir, input: &str, format: Format, text: &str) {
    let (mut output, _) = open(folder, input, format, false).unwrap();
    output.write_all(text.as_bytes()).unwrap();
}

/// A line of a row.
fn line(format: Format, row: u64) -> String {
    let mut lines = Vec::new();
    format.write(&Finished { row, outcome: Err("bad".to_owned()), input_line: None }, &mut lines);
    String::from_utf8(lines).unwrap()
}

#[test]
fn a_torn_last_line_goes_and_whole_ones_are_done() {
    for format in [Format::JsonLines, Format::Csv] {
        let whole = format!("{}{}{}", format.header(), line(format, 2), line(format, 1));
        let third = line(format, 3);
        for torn in 0..third.len() {
            let folder = TempDir::new().unwrap();
            cut_off(&folder, "in", format, &format!("{whole}{}", &third[..torn]));
            let (mut output, earlier) = open(&folder, "in", format, true).unwrap();
            assert_eq!((earlier.done.len(), earlier.tally.bad_rows), (2, 2));
            output.write_all(third.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), format!("{whole}{third}"));
        }
    }
}

#[test]
fn a_torn_header_starts_the_run_anew() {
    let folder = TempDir::new().unwrap();
    cut_off(&folder, "in", Format::Csv, "row,dom");
    let (output, earlier) = open(&folder, "in", Format::Csv, true).unwrap();
    assert!(output.is_empty() && earlier.done.is_empty());
}

#[test]
fn resuming_without_an_earlier_run_starts_one() {
    let folder = TempDir::new().unwrap();
    let (output, earlier) = open(&folder, "in", Format::JsonLines, true).unwrap();
    assert!(output.is_resumable() && earlier.done.is_empty());
}

#[test]
fn a_run_that_was_cut_off_is_not_overwritten_and_a_finished_one_is() {
    let folder = TempDir::new().unwrap();
    cut_off(&folder, "in", Format::JsonLines, &line(Format::JsonLines, 1));
    let refused = open(&folder, "in", Format::JsonLines, false).unwrap_err();
    assert_eq!(refused, "out holds a run that was cut off; go on with --resume, or remove the file to start afresh");
    let (output, earlier) = open(&folder, "in", Format::JsonLines, true).unwrap();
    assert_eq!(earlier.done.len(), 1);
    output.finish().unwrap();
    let (output, _) = open(&folder, "in", Format::JsonLines, false).unwrap();
    assert!(output.is_empty());
}

#[test]
fn another_input_or_format_is_refused_and_the_output_stays() {
    let folder = TempDir::new().unwrap();
    let text = format!("{}{{\"torn", line(Format::JsonLines, 1));
    cut_off(&folder, "in", Format::JsonLines, &text);
    for (input, format, error) in [
        (
            "another",
            Format::JsonLines,
            "the input has changed since out was written: 2 octets then, 7 now; --resume needs the same input",
        ),
        ("in", Format::Csv, "out was written as jsonl; --resume needs --format jsonl"),
    ] {
        assert_eq!(open(&folder, input, format, true).unwrap_err(), error);
    }
    fs::remove_file(folder.path().join("out.resume")).unwrap();
    assert_eq!(
        open(&folder, "in", Format::JsonLines, true).unwrap_err(),
        "out.resume is missing or damaged, so that --resume cannot tell whether the input has changed"
    );
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), text);
}

#[test]
fn a_line_that_is_none_of_ours_is_refused() {
    let folder = TempDir::new().unwrap();
    cut_off(&folder, "in", Format::JsonLines, &format!("{}hello\n", line(Format::JsonLines, 1)));
    assert_eq!(open(&folder, "in", Format::JsonLines, true).unwrap_err(), "line 2 of out is no line of a bulk run");
}

#[test]
fn two_runs_do_not_write_to_one_file() {
    let folder = TempDir::new().unwrap();
    let _running = open(&folder, "in", Format::JsonLines, false).unwrap();
    assert_eq!(open(&folder, "in", Format::JsonLines, true).unwrap_err(), "another run is writing to out");
}

#[test]
fn the_output_is_not_the_input() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("in.csv");
    fs::write(&path, "domain").unwrap();
    let fingerprint = Fingerprint::of(File::open(&path).unwrap()).unwrap();
    let detour = folder.path().join(".").join("in.csv");
    let error = OutputFile::open(&detour, Some(&path), Some(&fingerprint), Format::Csv, false).unwrap_err();
    assert!(matches!(error, OutputError::IsInput(_)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "domain");
}

#[test]
fn a_fingerprint_tells_a_changed_octet() {
    let of = |text: &str| Fingerprint::of(text.as_bytes()).unwrap();
    // The test vector of FNV-1a with 64 bits for "foobar".
    assert_eq!(of("foobar").fnv1a, "85944171f73967e8");
    assert_ne!(of("foobaz"), of("foobar"));
    assert_eq!(of("a\nb\n").lines, 2);
}

#[test]
fn a_run_without_a_fingerprint_leaves_no_side_file_behind() {
    let folder = TempDir::new().unwrap();
    let (output, _) = open(&folder, "in", Format::JsonLines, false).unwrap();
    output.finish().unwrap();
    let path = folder.path().join("out");
    let (output, _) = OutputFile::open(&path, None, None, Format::JsonLines, false).unwrap();
    assert!(!output.is_resumable() && !side_path(&path).exists());
}
