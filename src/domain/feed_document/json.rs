//! JSON with places: which key and value stands where, in the order of the text, keys that come twice too.

use std::borrow::Cow;

use super::Stop;

const DEEPEST: usize = 100;
const MOST_PARTS: usize = 2_000_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Json<'a> {
    pub at: usize,
    pub value: Value<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    pub at: usize,
    pub key: Cow<'a, str>,
    pub value: Json<'a>,
}

impl<'a> Json<'a> {
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.value)
    }

    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    #[must_use]
    pub fn items(&self) -> &[Json<'a>] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, for a message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// Control characters in strings, which JSON wants escaped, are taken as they are.
pub fn parse(text: &str) -> Result<Json<'_>, Stop> {
    let mut parser = Parser { text, at: 0, parts: 0 };
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() { Err(parser.stop("more follows after the end of the document")) } else { Ok(value) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    parts: usize,
}

impl<'a> Parser<'a> {
    fn stop(&self, message: impl Into<String>) -> Stop {
        Stop { at: self.at, message: message.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, wanted: u8) -> bool {
        self.space();
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Stop> {
        self.space();
        self.parts += 1;
        if depth > DEEPEST || self.parts > MOST_PARTS {
            return Err(self.stop("there is more in it than a feed can have"));
        }
        let at = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()),
            Some(_) => self.word()?,
            None => return Err(self.stop("the document ends where a value was expected")),
        };
        Ok(Json { at, value })
    }

    fn word(&mut self) -> Result<Value<'a>, Stop> {
        let words = [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        let rest = &self.text[self.at..];
        let found = words.into_iter().find(|(word, _)| rest.starts_with(word));
        let (word, value) = found.ok_or_else(|| self.stop("expected a value"))?;
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> &'a str {
        let from = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        &self.text[from..self.at]
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Stop> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Value::Array(items));
            }
            if !self.takes(b',') {
                return Err(self.stop("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Stop> {
        self.at += 1;
        let mut members = Vec::new();
        if self.takes(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.stop("expected a key in double quotes"));
            }
            let key = self.string()?;
            if !self.takes(b':') {
                return Err(self.stop("expected `:` after the key"));
            }
            members.push(Member { at, key, value: self.value(depth + 1)? });
            if self.takes(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.takes(b',') {
                return Err(self.stop("expected `,` or `}`"));
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Stop> {
        let from = self.at + 1;
        let mut out: Option<String> = None;
        let mut rest = from;
        loop {
            let Some(found) = memchr::memchr2(b'"', b'\\', &self.text.as_bytes()[rest..]) else {
                self.at = from - 1;
                return Err(self.stop("the string is not closed"));
            };
            let piece = &self.text[rest..rest + found];
            self.at = rest + found;
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(match out {
                    None => piece.into(),
                    Some(out) => (out + piece).into(),
                });
            }
            let mut text = out.take().unwrap_or_default() + piece;
            text.push(self.escape()?);
            out = Some(text);
            rest = self.at;
        }
    }

    /// At the backslash. A surrogate without its other half is shown as unreadable.
    fn escape(&mut self) -> Result<char, Stop> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match letter {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.stop("unknown escape after `\\`")),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode(&mut self) -> Result<char, Stop> {
        let first = self.unit(self.at).ok_or_else(|| self.stop("expected four hex digits after `\\u`"))?;
        self.at += 6;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or('\u{fffd}'));
        }
        let Some(second) = self.unit(self.at).filter(|unit| (0xdc00..0xe000).contains(unit)) else {
            return Ok('\u{fffd}');
        };
        self.at += 6;
        Ok(char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).unwrap_or('\u{fffd}'))
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_places_and_their_order() {
        let parsed = parse("{\"a\": [1, \"x\\u00e4\\ud834\\udd1e\\n\"],\n \"a\": null}").unwrap();
        let members = parsed.members();
        assert_eq!((members[0].at, members[1].at, members[1].value.at), (1, 37, 42));
        assert_eq!(members[0].value.items()[1].text(), Some("xä𝄞\n"));
        assert_eq!(parsed.get("a").unwrap().items().len(), 2);
    }

    #[test]
    fn what_is_no_json_says_where_it_stops() {
        let deep = "[".repeat(100_000);
        for (text, at) in [
            ("", 0),
            ("{\"a\" 1}", 5),
            ("[1 2]", 3),
            ("{a:1}", 1),
            ("\"abc", 0),
            ("[1] x", 4),
            ("\"\\q\"", 1),
            (&deep, 101),
        ] {
            assert_eq!(parse(text).unwrap_err().at, at, "{}", &text[..text.len().min(20)]);
        }
        assert_eq!(parse("\"\\ud834x\"").unwrap().text(), Some("\u{fffd}x"));
    }
}
