//! In which forms a reader takes an answer (RFC 9110, section 12.5.3). Knows weights and names, not bytes.

use axum::http::header::{self, HeaderMap};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

use Encoding::{Brotli, Gzip, Identity, Zstd};

impl Encoding {
    /// The smallest first: that is the one chosen among those that are as welcome.
    pub const ALL: [Self; 4] = [Brotli, Zstd, Gzip, Identity];

    /// As headers call it; what is not encoded has no header.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Identity => None,
            Gzip => Some("gzip"),
            Brotli => Some("br"),
            Zstd => Some("zstd"),
        }
    }
}

/// How welcome each encoding is, in thousandths; 0 is not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted([u16; 4]);

/// Taken, but anything that was asked for is better.
const IF_NEED_BE: u16 = 1;

impl Accepted {
    #[must_use]
    pub fn by(request: &HeaderMap) -> Self {
        let (mut named, mut others) = ([None; 4], None);
        let lists = request.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
        for item in lists.flat_map(|list| list.split(',')) {
            let (name, weight) = item.split_once(';').map_or((item, 1000), |(name, rest)| (name, weight(rest)));
            match name.trim() {
                "*" => others = Some(weight),
                name => {
                    if let Some(encoding) = by_name(name) {
                        named[encoding as usize] = Some(weight);
                    }
                }
            }
        }
        // Who writes `*` may think of what there was when it was written: gzip.
        Self([
            named[Identity as usize].or(others).unwrap_or(IF_NEED_BE),
            named[Gzip as usize].or(others).unwrap_or(0),
            named[Brotli as usize].unwrap_or(0),
            named[Zstd as usize].unwrap_or(0),
        ])
    }

    /// Every one that is taken, the best first.
    pub fn best_first(self) -> impl Iterator<Item = Encoding> {
        let mut order = Encoding::ALL;
        // Stable: among equals the smallest stays first.
        order.sort_by_key(|encoding| std::cmp::Reverse(self.0[*encoding as usize]));
        order.into_iter().take_while(move |encoding| self.0[*encoding as usize] > 0)
    }
}

fn by_name(name: &str) -> Option<Encoding> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match name {
        _ if is("gzip") || is("x-gzip") => Some(Gzip),
        _ if is("br") => Some(Brotli),
        _ if is("zstd") => Some(Zstd),
        _ if is("identity") => Some(Identity),
        _ => None,
    }
}

/// `q=0.5` as 500. What cannot be read is no wish for it.
fn weight(parameter: &str) -> u16 {
    let Some((name, value)) = parameter.split_once('=') else { return 0 };
    let value = value.trim();
    if !name.trim().eq_ignore_ascii_case("q") || value.len() > 5 || value.starts_with('-') {
        return 0;
    }
    let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "1" if rest.bytes().all(|b| b == b'0') => 1000,
        "0" if digits(rest) => format!("{rest:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_best_form_is_what_the_reader_asks_for_most() {
        for (asked, expected) in [
            (None, vec![Identity]),
            (Some(""), vec![Identity]),
            (Some("gzip"), vec![Gzip, Identity]),
            (Some("x-gzip"), vec![Gzip, Identity]),
            (Some("GZIP"), vec![Gzip, Identity]),
            (Some("gzip, deflate, br, zstd"), vec![Brotli, Zstd, Gzip, Identity]),
            (Some("gzip;q=1.0, br;q=0.5"), vec![Gzip, Brotli, Identity]),
            (Some("br;q=0.001, gzip;q=0.002"), vec![Gzip, Brotli, Identity]),
            (Some("gzip ; q=0.5 , identity"), vec![Identity, Gzip]),
            (Some("gzip;q=0"), vec![Identity]),
            (Some("gzip;q=0.000, *"), vec![Identity]),
            (Some("*"), vec![Gzip, Identity]),
            (Some("*;q=0"), vec![]),
            (Some("identity;q=0"), vec![]),
            (Some("identity;q=0, gzip"), vec![Gzip]),
            (Some("gzip, *;q=0"), vec![Gzip]),
            (Some("zstd, identity;q=0.5"), vec![Zstd, Identity]),
            (Some("deflate, compress"), vec![Identity]),
            (Some("gzip;q=2"), vec![Identity]),
            (Some("gzip;q=-1"), vec![Identity]),
            (Some("gzip;q=0.5.5"), vec![Identity]),
            (Some("gzip;level=1"), vec![Identity]),
            (Some(",,;;,"), vec![Identity]),
        ] {
            let request = asked.map(|text| (header::ACCEPT_ENCODING, HeaderValue::from_static(text)));
            let accepted = Accepted::by(&request.into_iter().collect());
            assert_eq!(accepted.best_first().collect::<Vec<_>>(), expected, "{asked:?}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut request = HeaderMap::new();
        for value in ["br;q=0.1", "gzip"] {
            request.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(Accepted::by(&request).best_first().collect::<Vec<_>>(), [Gzip, Brotli, Identity]);
    }
}
