//! Shows on standard error how far the measuring is.

use std::io::{IsTerminal, Write};
use std::time::Instant;

/// On a terminal one line that changes; elsewhere a line for each comparison.
pub(crate) struct Progress {
    start: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), terminal: std::io::stderr().is_terminal() }
    }

    pub(crate) fn show(&self, title: &str, done: usize, of: usize, what: &str) {
        let spent = self.start.elapsed().as_secs();
        if self.terminal {
            eprint!("\r\x1b[K  {spent:>4} s  {title}: {done} of {of}, {what}");
            let _ = std::io::stderr().flush();
        } else if done == 0 {
            eprintln!("  {spent:>4} s  {title}");
        }
    }

    pub(crate) fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
