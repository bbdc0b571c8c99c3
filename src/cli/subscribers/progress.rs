//! A progress bar over the bytes of files. Only on a terminal; elsewhere nothing is drawn.

use std::io::Read;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for one pass over this many bytes.
pub fn bar(what: &'static str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes).with_message(what);
    // Written down here, so it can be read.
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {percent:>3} %  {eta} left") {
        bar.set_style(style.progress_chars("=> "));
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// The same input, counted by the bar.
pub fn counted<R: Read>(bar: &ProgressBar, input: R) -> impl Read + use<R> {
    bar.wrap_read(input)
}
