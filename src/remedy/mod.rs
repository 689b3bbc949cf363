//! What to type where, word for word.

pub mod providers;
