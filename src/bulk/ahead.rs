//! Rows are read ahead by a thread of their own, since reading a file or a pipe may take any time.

use std::io::BufRead;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::bulk::input::{Item, Rows};
use crate::bulk::row_set::RowSet;

/// How many rows are read ahead of the checks.
const ROWS_AHEAD: usize = 64;
/// How many rows are taken before the thread may read as many more: to wake it for each costs more than to read a row.
const AT_ONCE: usize = ROWS_AHEAD / 2;

/// Rows that are read ahead. The thread that does so ends when this is dropped, or once it has read all.
pub(super) struct RowsAhead {
    /// What was read.
    read: mpsc::UnboundedReceiver<Item>,
    /// How many more rows may be read.
    room: Arc<Semaphore>,
    /// How many rows were taken since the room was last enlarged.
    taken: usize,
}

impl RowsAhead {
    /// Starts to read all rows but those in `done`. Must be called inside a tokio runtime.
    pub(super) fn start<R: BufRead + Send + 'static>(rows: Rows<R>, done: RowSet) -> Self {
        let (sender, read) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(ROWS_AHEAD));
        let (room_to_read, runtime) = (Arc::clone(&room), Handle::current());
        thread::spawn(move || {
            let is_new = |item: &Item| item.row().is_none_or(|row| !done.contains(row));
            for item in rows.filter(is_new) {
                // Without either the run was given up.
                let Ok(place) = runtime.block_on(room_to_read.acquire()) else { return };
                place.forget();
                if sender.send(item).is_err() {
                    return;
                }
            }
        });
        Self { read, room, taken: 0 }
    }

    /// Waits for the next row; `None` once all were taken. May be dropped at any time and called again.
    pub(super) async fn next(&mut self) -> Option<Item> {
        let item = self.read.recv().await?;
        self.taken += 1;
        if self.taken == AT_ONCE {
            self.room.add_permits(self.taken);
            self.taken = 0;
        }
        Some(item)
    }
}

impl Drop for RowsAhead {
    fn drop(&mut self) {
        self.room.close();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    const ROWS: usize = 10 * ROWS_AHEAD;
    /// How many rows the thread may have in hand beside those that lie there.
    const IN_HAND: usize = 2;

    /// A header and rows, one with each reading, which are counted.
    struct Counted(Arc<AtomicUsize>);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let line = match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => "domain\n".to_owned(),
                row if row <= ROWS => format!("t{row}.example\n"),
                _ => String::new(),
            };
            buffer[..line.len()].copy_from_slice(line.as_bytes());
            Ok(line.len())
        }
    }

    /// Starts to read, and returns how much was read.
    fn start() -> (RowsAhead, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let rows = Rows::open_for_domains(BufReader::new(Counted(Arc::clone(&read)))).unwrap();
        (RowsAhead::start(rows, RowSet::default()), read)
    }

    #[tokio::test]
    async fn all_rows_come_and_few_are_read_before() {
        let (mut rows, read) = start();
        for taken in 0..ROWS {
            assert!(read.load(Ordering::SeqCst) <= 1 + taken + ROWS_AHEAD + IN_HAND, "{taken} taken");
            assert!(matches!(rows.next().await, Some(Item::Row(row)) if row.number == taken as u64 + 1));
        }
        assert!(rows.next().await.is_none());
    }

    #[tokio::test]
    async fn nothing_is_read_any_more_once_nobody_takes_it() {
        let (rows, read) = start();
        drop(rows);
        // The thread gives up what it reads from.
        while Arc::strong_count(&read) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(read.load(Ordering::SeqCst) <= 1 + ROWS_AHEAD + IN_HAND);
    }
}
