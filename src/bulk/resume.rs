//! The output file of a run, and how a run that was cut off goes on.
//!
//! Beside the output `FILE` lies `FILE.resume`: what the input looked like (its length and a hash), the format of the
//! lines, and whether the run came to its end. Lines are only ever appended, so that a run cut off at any moment, by
//! `kill -9` too, leaves whole lines and at most one torn one behind them, which is dropped.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bulk::csv_line::{self, CsvLine};
use crate::bulk::output::Format;
use crate::bulk::row_set::RowSet;
use crate::bulk::tally::{Gist, Tally};

/// The version of the side file.
const SCHEMA: u32 = 1;
/// How much is read at once, in octets.
const CHUNK_OCTETS: usize = 1 << 16;
/// Where FNV-1a with 64 bits starts; it tells changes, it does not withstand a forger.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
/// What FNV-1a multiplies by.
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// What an input looked like.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fingerprint {
    /// How long it is.
    pub octets: u64,
    /// The FNV-1a hash of its octets, in hexadecimal.
    pub fnv1a: String,
    /// How many line ends it has.
    pub lines: u64,
}

/// What is written beside the output.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct SideFile {
    /// The version of the side file.
    schema: u32,
    /// What the input looked like.
    input: Fingerprint,
    /// How lines are written.
    format: String,
    /// Whether the run came to its end.
    finished: bool,
}

/// Why an output cannot be written, or a run cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The file cannot be opened or written.
    #[error("cannot write to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another run has the file open.
    #[error("another run is writing to {}", .0.display())]
    Busy(PathBuf),
    /// The output is the input.
    #[error("{} is the input; expected another file to write to", .0.display())]
    IsInput(PathBuf),
    /// The file holds a run that was cut off.
    #[error("{} holds a run that was cut off; go on with --resume, or remove the file to start afresh", .0.display())]
    Unfinished(PathBuf),
    /// The output is no file.
    #[error("{} is no file, so that --resume cannot tell what was written", .0.display())]
    NoFile(PathBuf),
    /// What the input looked like is not known.
    #[error("{} is missing or damaged, so that --resume cannot tell whether the input has changed", .0.display())]
    NoSideFile(PathBuf),
    /// The input is another one.
    #[error("the input has changed since {} was written: {was} octets then, {is} now; --resume needs the same input", path.display())]
    InputChanged {
        /// The output.
        path: PathBuf,
        /// How long the input was.
        was: u64,
        /// How long it is.
        is: u64,
    },
    /// The format is another one.
    #[error("{} was written as {was}; --resume needs --format {was}", path.display())]
    FormatChanged {
        /// The output.
        path: PathBuf,
        /// How lines were written.
        was: String,
    },
    /// A line is none of ours.
    #[error("line {line} of {} is no line of a bulk run", path.display())]
    Foreign {
        /// The output.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
    },
}

/// What earlier runs have written.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    /// The rows that are done.
    pub done: RowSet,
    /// How they came out.
    pub tally: Tally,
}

/// The output file of a run.
#[derive(Debug)]
pub struct OutputFile {
    /// Where it is.
    path: PathBuf,
    /// The file, opened for writing at its end.
    file: File,
    /// What lies beside it; `None` where the output is a device or a pipe.
    side: Option<SideFile>,
}

impl SideFile {
    /// Describes a run that starts.
    fn new(input: Fingerprint, format: Format) -> Self {
        Self { schema: SCHEMA, input, format: format.to_string(), finished: false }
    }
}

impl Fingerprint {
    /// Reads all of an input.
    ///
    /// # Errors
    /// Any that reading gives.
    pub fn of(mut input: impl Read) -> io::Result<Self> {
        let (mut octets, mut hash, mut lines) = (0_u64, FNV_OFFSET, 0_u64);
        let mut chunk = vec![0; CHUNK_OCTETS];
        loop {
            let length = input.read(&mut chunk)?;
            if length == 0 {
                return Ok(Self { octets, fnv1a: format!("{hash:016x}"), lines });
            }
            for octet in chunk.iter().take(length) {
                hash = (hash ^ u64::from(*octet)).wrapping_mul(FNV_PRIME);
                lines = lines.saturating_add(u64::from(*octet == b'\n'));
            }
            octets = octets.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        }
    }
}

impl OutputFile {
    /// Opens the output of a run over an input with this fingerprint, which lies at `input` where it is a file.
    ///
    /// Without a fingerprint nothing is written beside the output, and the run cannot go on later.
    /// With `resume` the lines that are there stay, a torn last one goes, and what they say is returned; a file that is
    /// not there or empty is started as without it.
    ///
    /// # Errors
    /// Any [`OutputError`]; the file is then as it was.
    pub fn open(
        path: &Path,
        input: Option<&Path>,
        fingerprint: Option<&Fingerprint>,
        format: Format,
        resume: bool,
    ) -> Result<(Self, Earlier), OutputError> {
        let write_error = |source| OutputError::Write { path: path.to_owned(), source };
        if input.is_some_and(|input| is_same_file(input, path)) {
            return Err(OutputError::IsInput(path.to_owned()));
        }
        let is_new = !path.exists();
        let file = OpenOptions::new().read(resume).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(write_error)?;
        let metadata = file.metadata().map_err(write_error)?;
        if !metadata.is_file() {
            let output = Self { path: path.to_owned(), file, side: None };
            return if resume { Err(OutputError::NoFile(path.to_owned())) } else { Ok((output, Earlier::default())) };
        }
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(OutputError::Busy(path.to_owned())),
            // Some file systems know no locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let side_path = side_path(path);
        let known = fs::read(&side_path).ok().and_then(|text| serde_json::from_slice::<SideFile>(&text).ok());
        let side = fingerprint.map(|input| SideFile::new(input.clone(), format));
        let has_lines = metadata.len() > 0;
        let mut earlier = Earlier::default();
        if resume && has_lines {
            let (Some(known), Some(now)) = (known, &side) else { return Err(OutputError::NoSideFile(side_path)) };
            accept(&known, now, path)?;
            let octets = read_earlier(&mut file, path, format, &mut earlier)?;
            file.set_len(octets).map_err(write_error)?;
        } else {
            if has_lines && known.is_some_and(|known| !known.finished) {
                return Err(OutputError::Unfinished(path.to_owned()));
            }
            file.set_len(0).map_err(write_error)?;
            if side.is_none() && side_path.exists() {
                fs::remove_file(&side_path).map_err(|source| OutputError::Write { path: side_path, source })?;
            }
        }
        file.seek(SeekFrom::End(0)).map_err(write_error)?;
        let output = Self { path: path.to_owned(), file, side };
        if let Err(error) = output.write_side() {
            if is_new {
                // It is empty and ours; that it cannot be removed would not be the first thing to tell.
                drop(fs::remove_file(path));
            }
            return Err(error);
        }
        Ok((output, earlier))
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether a run into it can go on later.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        self.side.is_some()
    }

    /// Says whether nothing is in it yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Notes that the run came to its end.
    ///
    /// # Errors
    /// [`OutputError::Write`] where the side file cannot be written.
    pub fn finish(mut self) -> Result<(), OutputError> {
        if let Some(side) = &mut self.side {
            side.finished = true;
        }
        self.write_side()
    }

    /// Writes the side file anew, whole or not at all.
    fn write_side(&self) -> Result<(), OutputError> {
        let Some(side) = &self.side else { return Ok(()) };
        let path = side_path(&self.path);
        let mut draft = path.clone().into_os_string();
        draft.push(".new");
        let write = || -> io::Result<()> {
            let mut text = serde_json::to_vec(side)?;
            text.push(b'\n');
            fs::write(&draft, text)?;
            fs::rename(&draft, &path)
        };
        write().map_err(|source| OutputError::Write { path: path.clone(), source })
    }
}

impl Write for OutputFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Returns where the side file of an output lies.
#[must_use]
pub fn side_path(output: &Path) -> PathBuf {
    let mut name = OsString::from(output);
    name.push(".resume");
    PathBuf::from(name)
}

/// Says whether two paths lead to one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Refuses to go on with another input or format.
fn accept(known: &SideFile, now: &SideFile, path: &Path) -> Result<(), OutputError> {
    if known.input != now.input {
        let (was, is) = (known.input.octets, now.input.octets);
        return Err(OutputError::InputChanged { path: path.to_owned(), was, is });
    }
    if known.format != now.format {
        return Err(OutputError::FormatChanged { path: path.to_owned(), was: known.format.clone() });
    }
    Ok(())
}

/// Reads the lines that are there; returns where the last whole one ends.
fn read_earlier(file: &mut File, path: &Path, format: Format, earlier: &mut Earlier) -> Result<u64, OutputError> {
    let read_error = |source| OutputError::Read { path: path.to_owned(), source };
    file.seek(SeekFrom::Start(0)).map_err(read_error)?;
    let mut source = BufReader::with_capacity(CHUNK_OCTETS, file);
    let mut octets = 0_u64;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = source.read_until(b'\n', &mut line).map_err(read_error)?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            break;
        }
        let foreign = || OutputError::Foreign { path: path.to_owned(), line: number };
        let text = str::from_utf8(&line).map_err(|_| foreign())?;
        let gist = match format {
            Format::Csv if number == 1 => (text == format.header().trim_end()).then_some(None),
            Format::Csv => match csv_line::split(text, ',') {
                CsvLine::Cells(cells) => Gist::from_cells(&cells).map(Some),
                CsvLine::Open | CsvLine::Broken => None,
            },
            Format::JsonLines => Gist::from_json(text).map(Some),
            Format::Text | Format::Nothing => None,
        };
        if let Some(gist) = gist.ok_or_else(foreign)?
            && earlier.done.insert(gist.row)
        {
            earlier.tally.add(&gist);
        }
        octets = octets.saturating_add(u64::try_from(length).unwrap_or_default());
    }
    Ok(octets)
}

#[cfg(test)]
mod tests;
