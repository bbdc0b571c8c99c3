//! What a form says, however it was sent: as a query string, in parts, or as JSON. Knows names and values, and no meaning.

use axum::http::HeaderMap;
use axum::http::header;
use serde_json::Value;
use url::form_urlencoded;

use super::error::Refusal;

/// Nothing here has more fields than a reader's choice of tags and authors.
const MOST_FIELDS: usize = 500;

/// Names and values, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body by its type; one that is missing is taken for the usual one.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let content_type = content_type(headers);
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let pairs = match kind.trim().to_ascii_lowercase().as_str() {
            "" | "application/x-www-form-urlencoded" => Some(urlencoded(body)),
            "multipart/form-data" => parameter(parameters, "boundary").and_then(|boundary| parts(body, &boundary)),
            "application/json" => json(body),
            _ => return Err(Refusal::MediaType),
        };
        let pairs = pairs.filter(|pairs| pairs.len() <= MOST_FIELDS).ok_or(Refusal::Body)?;
        Ok(Self(pairs))
    }

    /// The first value of this name, or nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

pub fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub fn urlencoded(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body.trim_ascii()).into_owned().collect()
}

/// Fields in parts (RFC 7578). Files are fields like any other, and nobody asks for them.
pub fn parts(body: &[u8], boundary: &str) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok().filter(|_| !boundary.is_empty())?;
    Some(text.split(&format!("--{boundary}")).skip(1).filter_map(field).collect())
}

fn field(part: &str) -> Option<(String, String)> {
    let (head, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
    let name = head.lines().find_map(name_in)?;
    let content = content.strip_suffix("\r\n").or_else(|| content.strip_suffix('\n')).unwrap_or(content);
    Some((name, content.to_owned()))
}

fn name_in(line: &str) -> Option<String> {
    let (header, value) = line.split_once(':')?;
    if header.trim().eq_ignore_ascii_case("content-disposition") { parameter(value, "name") } else { None }
}

/// `; name=value` or `; name="value"`.
pub fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
    values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// `{"name": "value", "names": ["value", …]}`.
fn json(body: &[u8]) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return None };
    let mut pairs = Vec::new();
    for (name, value) in fields {
        match value {
            Value::String(text) => pairs.push((name, text)),
            Value::Array(items) => {
                for item in items {
                    let Value::String(text) = item else { return None };
                    pairs.push((name.clone(), text));
                }
            }
            Value::Bool(flag) => pairs.push((name, flag.to_string())),
            Value::Null => {}
            Value::Number(_) | Value::Object(_) => return None,
        }
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &str) -> Result<Form, Refusal> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        Form::read(&headers, body.as_bytes())
    }

    #[test]
    fn a_form_says_the_same_however_it_was_sent() {
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts =
            format!("{}{}{}--b--\r\n", part("email", "ann+a@example.org"), part("tag", "a"), part("tag", "b c"));
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", "email=ann%2Ba%40example.org&tag=a&tag=b+c"),
            ("multipart/form-data; boundary=b", &parts),
            ("application/json; charset=utf-8", r#"{"email": "ann+a@example.org", "tag": ["a", "b c"], "no": null}"#),
        ] {
            let form = read(content_type, body).unwrap();
            assert_eq!(form.get("email"), "ann+a@example.org", "{content_type}");
            assert_eq!(form.all("tag").collect::<Vec<_>>(), ["a", "b c"]);
            assert_eq!(form.get("other"), "");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for (content_type, body, refusal) in [
            ("text/xml", "<a/>", Refusal::MediaType),
            ("application/octet-stream", "\0", Refusal::MediaType),
            ("application/json", "[", Refusal::Body),
            ("application/json", "[]", Refusal::Body),
            ("application/json", r#"{"email": {"a": 1}}"#, Refusal::Body),
            ("multipart/form-data", "--b", Refusal::Body),
            ("application/x-www-form-urlencoded", &"a=b&".repeat(600), Refusal::Body),
        ] {
            assert_eq!(read(content_type, body), Err(refusal), "{content_type}");
        }
    }
}
