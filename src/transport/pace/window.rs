//! How many questions may be out to one server address at one time.
//!
//! An ordinary server has a fixed number of places. A big provider's gets more, up to twice as many, one after the other
//! while it answers all that is asked of it and every place is taken; with the first sign of loss it is back at the number
//! that it started with, and what is out above that ends before the next question leaves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use tokio::sync::Semaphore;

use crate::transport::PaceClass;

/// How many times the places of a big provider's server, or a registry's, there are at most while nothing is lost.
const GROWTH: usize = 2;

/// The places in flight at one server address. Waiting for one is first come, first served.
pub(super) struct Window {
    /// The places that are free.
    free: Semaphore,
    /// How many there are to begin with, and after a loss.
    least: usize,
    /// How many there are at most.
    most: usize,
    /// How many there are.
    state: Mutex<State>,
}

/// How many places there are.
struct State {
    /// The places.
    places: usize,
    /// How many replies came in a row, all places being taken, since that number changed.
    replies: usize,
    /// How many of the places that were taken away are still in use.
    owed: usize,
}

/// A place in flight, given back when this is dropped.
pub(super) struct Place(Arc<Window>);

impl Drop for Place {
    fn drop(&mut self) {
        if !self.0.is_fixed() {
            let mut state = self.0.state();
            if state.owed > 0 {
                state.owed -= 1;
                return;
            }
        }
        self.0.free.add_permits(1);
    }
}

impl Window {
    /// Opens a window of so many places, one at least.
    pub(super) fn new(places: usize, class: PaceClass) -> Arc<Self> {
        let least = places.max(1);
        let most = match class {
            PaceClass::Ordinary => least,
            PaceClass::Anycast => least.saturating_mul(GROWTH),
        };
        let state = Mutex::new(State { places: least, replies: 0, owed: 0 });
        Arc::new(Self { free: Semaphore::new(least), least, most, state })
    }

    /// Waits for a place.
    pub(super) async fn enter(self: &Arc<Self>) -> Option<Place> {
        match self.free.try_acquire() {
            Ok(place) => place.forget(),
            Err(_) => self.free.acquire().boxed().await.ok()?.forget(),
        }
        Some(Place(Arc::clone(self)))
    }

    /// Returns how many places are taken, those above the window's number left out.
    pub(super) fn taken(&self) -> usize {
        let places = if self.is_fixed() { self.least } else { self.state().places };
        places.saturating_sub(self.free.available_permits())
    }

    /// Takes note of a reply to a question that left when so many places were taken. A row of replies as long as there are
    /// places, all of them taken, makes one more: the number grows by one each round-trip time.
    pub(super) fn note_reply(&self, taken: usize) {
        if self.is_fixed() {
            return;
        }
        let mut state = self.state();
        if state.places == self.most || taken < state.places {
            return;
        }
        state.replies += 1;
        if state.replies >= state.places {
            state.replies = 0;
            state.places += 1;
            match state.owed.checked_sub(1) {
                Some(owed) => state.owed = owed,
                None => self.free.add_permits(1),
            }
        }
    }

    /// Takes note of a question that was lost, or answered as by a server with too much to do.
    pub(super) fn note_loss(&self) {
        if self.is_fixed() {
            return;
        }
        let mut state = self.state();
        let surplus = state.places - self.least;
        state.owed += surplus - self.free.forget_permits(surplus);
        state.places = self.least;
        state.replies = 0;
    }

    /// Says whether the number of places never changes.
    fn is_fixed(&self) -> bool {
        self.least == self.most
    }

    /// Takes the lock, whose holders cannot leave anything half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes all places that are free.
    fn fill(window: &Arc<Window>) -> Vec<Place> {
        std::iter::from_fn(|| window.enter().now_or_never().flatten()).collect()
    }

    /// Has every place taken and every question answered so many times.
    fn answer_in_full(window: &Arc<Window>, times: usize) {
        for _ in 0..times {
            let places = fill(window);
            let taken = window.taken();
            assert_eq!(taken, places.len());
            for place in places {
                window.note_reply(taken);
                drop(place);
            }
        }
    }

    #[test]
    fn a_big_providers_server_gets_twice_the_places_while_all_of_them_are_answered() {
        let window = Window::new(64, PaceClass::Anycast);
        answer_in_full(&window, 1);
        assert_eq!(fill(&window).len(), 65, "one more each time");
        answer_in_full(&window, 62);
        assert_eq!(fill(&window).len(), 127);
        answer_in_full(&window, 9);
        assert_eq!(fill(&window).len(), 128, "and no more than that");
    }

    #[test]
    fn any_other_server_keeps_its_places() {
        let window = Window::new(16, PaceClass::Ordinary);
        answer_in_full(&window, 40);
        assert_eq!(fill(&window).len(), 16);
        window.note_loss();
        assert_eq!(fill(&window).len(), 16);
    }

    #[test]
    fn places_that_nobody_needs_are_not_made() {
        let window = Window::new(64, PaceClass::Anycast);
        for _ in 0..1000 {
            let place = fill(&window).pop();
            window.note_reply(63);
            drop(place);
        }
        assert_eq!(fill(&window).len(), 64);
    }

    #[test]
    fn a_loss_takes_back_what_was_given_though_it_is_in_use() {
        let window = Window::new(4, PaceClass::Anycast);
        answer_in_full(&window, 40);
        let mut places = fill(&window);
        assert_eq!(places.len(), 8);
        places.truncate(7);
        window.note_loss();
        window.note_loss();
        // Seven are out and four may be: three end without another one.
        for left in [6, 5, 4] {
            places.truncate(left);
            assert!(fill(&window).is_empty(), "{left} are out");
        }
        places.truncate(3);
        assert_eq!(fill(&window).len(), 1);
        drop(places);
        assert_eq!(fill(&window).len(), 4);
        answer_in_full(&window, 1);
        assert_eq!(fill(&window).len(), 5, "it grows again");
    }

    #[test]
    fn what_is_in_use_above_the_number_counts_when_it_grows_again() {
        let window = Window::new(4, PaceClass::Anycast);
        answer_in_full(&window, 40);
        let places = fill(&window);
        window.note_loss();
        for _ in 0..4 {
            window.note_reply(4);
        }
        drop(places);
        assert_eq!(fill(&window).len(), 5);
    }
}
