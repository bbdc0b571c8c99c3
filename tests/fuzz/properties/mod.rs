//! What must hold whatever is put in, a function a kind of input. `tests/fuzz/run` looks for inputs that break them;
//! `tests/it/fuzz_corpus.rs` holds them for those that were found interesting.

mod address;
mod config;
mod dsn;
mod feed;
mod form;
mod import;
mod liquid;
mod post;
mod safe_html;
mod smtp;
mod token;
mod zones;

/// Panics if it does not hold.
pub type Property = fn(&[u8]);

pub const TARGETS: [(&str, Property); 12] = [
    ("address", address::is_refused_or_safe_in_an_envelope),
    ("config", config::is_read_or_refused_in_its_place),
    ("dsn", dsn::says_no_more_than_a_bounce_may),
    ("feed_reader", feed::is_read_and_written_the_same),
    ("form", form::says_what_was_sent),
    ("front_matter", post::is_parsed_or_refused_in_its_place),
    ("liquid", liquid::is_rendered_within_bounds),
    ("markdown", post::is_published_safely),
    ("smtp", smtp::is_understood_or_refused),
    ("subscriber_import", import::is_read_a_row_at_a_time),
    ("token", token::is_forged_by_nobody),
    ("zones", zones::have_each_instant_once),
];

/// The first byte decides, the rest is what it is about.
fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

/// A line that an operator reads is one line, and holds nothing a terminal obeys.
fn assert_one_line(text: &str) {
    assert!(!text.chars().any(char::is_control), "more than a line: {text:?}");
}
