//! Forms: bounded, and the same whichever way they are sent.

use axum::http::{HeaderMap, HeaderValue, header};
use gazetted::http::Form;
use url::form_urlencoded;

use super::choice;

const MOST_FIELDS: usize = 500;

fn read(kind: &str, body: &[u8]) -> Option<Form> {
    let kind = HeaderValue::from_bytes(kind.as_bytes()).ok()?;
    Form::read(&HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]), body).ok()
}

pub fn says_what_was_sent(data: &[u8]) {
    let (way, body) = choice(data);
    match way % 4 {
        0 => bounded(&["application/x-www-form-urlencoded", "", "application/json"], body),
        1 => bounded(&["multipart/form-data; boundary=b", "multipart/form-data; boundary=\"--\""], body),
        2 => {
            let (kind, body) = body.split_at(body.iter().position(|b| *b == b'\n').unwrap_or(body.len()));
            bounded(&[&*String::from_utf8_lossy(kind)], body);
        }
        _ => the_same_each_way(body),
    }
}

fn bounded(kinds: &[&str], body: &[u8]) {
    for kind in kinds {
        let Some(form) = read(kind, body) else { continue };
        let values: Vec<&str> =
            ["email", "name", "tag", "", "List-Unsubscribe"].iter().flat_map(|n| form.all(n)).collect();
        assert!(values.len() <= MOST_FIELDS, "{} fields", values.len());
        let said: usize = values.iter().map(|value| value.len()).sum();
        // A byte that is no UTF-8 becomes three.
        assert!(said <= 3 * body.len(), "{said} bytes of {}", body.len());
    }
}

/// Pairs of names and values, from lines.
fn the_same_each_way(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n').take(40);
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let form = read("application/x-www-form-urlencoded", query.as_bytes()).expect("a form");
    let mut object = serde_json::Map::new();
    for (name, value) in &pairs {
        assert_eq!(form.get(name), pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v), "{query}");
        object.entry(name.clone()).or_insert_with(|| serde_json::Value::String(value.clone()));
    }
    let json = read("application/json", serde_json::Value::Object(object).to_string().as_bytes()).expect("a form");
    let plain = |text: &str| !text.contains(['"', ';', '\r', '=', ':']) && text.trim() == text && !text.contains("--b");
    let parts: String = pairs
        .iter()
        .map(|(n, v)| format!("--b\r\nContent-Disposition: form-data; name=\"{n}\"\r\n\r\n{v}\r\n"))
        .chain(["--b--\r\n".to_owned()])
        .collect();
    let in_parts = read("multipart/form-data; boundary=b", parts.as_bytes()).expect("a form");
    for (name, _) in &pairs {
        assert_eq!(json.get(name), form.get(name));
        if pairs.iter().all(|(n, v)| plain(n) && plain(v)) {
            assert_eq!(in_parts.get(name), form.get(name), "{parts:?}");
        }
    }
}
