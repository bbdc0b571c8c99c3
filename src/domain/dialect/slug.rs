//! Words made fit for addresses, in each generator's own way, and percent-encoding. Pure text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Jekyll's `pretty` slug with its case kept: what it does to `:title`.
#[must_use]
pub fn jekyll_pretty(text: &str) -> String {
    dashed(text, |c| c.is_alphanumeric() || is_mark(c) || "._~!$&'()+,;=@".contains(c))
}

/// Jekyll's default slug, lower case: `:slug`, `:slugified_categories`, the `slugify` filter.
#[must_use]
pub fn jekyll(text: &str) -> String {
    dashed(text, |c| c.is_alphanumeric() || is_mark(c)).to_lowercase()
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn dashed(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if keep(c) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}

/// Hugo's `urlize`: lower case, spaces to dashes, most punctuation gone, letters of every script kept.
#[must_use]
pub fn hugo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c.is_alphanumeric() || is_mark(c) || "._-+~@".contains(c) {
            out.extend(c.to_lowercase());
        } else if c.is_whitespace() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}

/// Zola's slug, and ours for feeds of tags and authors: ASCII whatever the letters, so that one name has one file.
#[must_use]
pub fn ascii(text: &str) -> String {
    slug::slugify(text)
}

/// Percent-encodes a path: what RFC 3986 allows in one stays, `%` included only where it begins an escape.
#[must_use]
pub fn encode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let bytes = path.as_bytes();
    for (index, &byte) in bytes.iter().enumerate() {
        let escape =
            byte == b'%' && bytes.get(index + 1..index + 3).is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit));
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) || escape {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 15].map(|n| char::from_digit(u32::from(n), 16).unwrap_or('0').to_ascii_uppercase()),
            );
        }
    }
    out
}

/// The other way round; none of what would be no text.
#[must_use]
pub fn decode_path(path: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(path).decode_utf8().ok()
}

/// Where an absolute address leads on its host: `/blog/feed.xml`; nothing if to the host itself.
#[must_use]
pub fn path_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let path = host.find('/').map_or("", |at| &host[at..]);
    path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
}

/// What of a path lies below another one: `/feed.xml` of `/blog/feed.xml` and `/blog`.
#[must_use]
pub fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generator_slugs_in_its_own_way() {
        for (text, pretty, jekyll_slug, hugo_slug, ascii_slug) in [
            ("Towards-OOC", "Towards-OOC", "towards-ooc", "towards-ooc", "towards-ooc"),
            ("dask-0.13.0", "dask-0.13.0", "dask-0-13-0", "dask-0.13.0", "dask-0-13-0"),
            ("What's new?", "What's-new", "what-s-new", "whats-new", "what-s-new"),
            ("Träffar och mål", "Träffar-och-mål", "träffar-och-mål", "träffar-och-mål", "traffar-och-mal"),
            ("C++ & Rust", "C++-&-Rust", "c-rust", "c++-rust", "c-rust"),
            ("日本", "日本", "日本", "日本", "ri-ben"),
        ] {
            assert_eq!(
                (jekyll_pretty(text), jekyll(text), hugo(text), ascii(text)),
                (pretty.into(), jekyll_slug.into(), hugo_slug.into(), ascii_slug.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn paths_are_encoded_once() {
        assert_eq!(encode_path("/a b/ä?#%.html"), "/a%20b/%C3%A4%3F%23%25.html");
        assert_eq!(encode_path(&encode_path("/a b/ä")), encode_path("/a b/ä"));
    }

    #[test]
    fn paths_are_decoded_once_and_taken_apart() {
        for (encoded, plain) in [
            ("/a%20b/%C3%A4%3F%23%25.html", Some("/a b/ä?#%.html")),
            ("/100%/%2/%zz/%+1/%", Some("/100%/%2/%zz/%+1/%")),
            ("/%252e", Some("/%2e")),
            ("/%c0%ae", None),
        ] {
            assert_eq!(decode_path(encoded).as_deref(), plain, "{encoded}");
        }
        for (url, path) in [
            ("https://a.example", ""),
            ("https://a.example/", ""),
            ("https://a.example/blog/", "/blog"),
            ("https://a.example/a/b.html?c/d#/e", "/a/b.html"),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
        for (path, base, rest) in [
            ("/blog/a", "/blog", Some("/a")),
            ("/blogger/a", "/blog", None),
            ("/a", "/blog", None),
            ("/a", "", Some("/a")),
        ] {
            assert_eq!(below(path, base), rest, "{path}");
        }
    }
}
