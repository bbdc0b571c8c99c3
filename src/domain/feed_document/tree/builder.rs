//! Puts events together into a tree: open elements, prefixes in force, references, and what is wrong with them.

use std::borrow::Cow;

use quick_xml::escape::{resolve_html5_entity, resolve_xml_entity};
use quick_xml::events::Event;

use super::super::Stop;
use super::{Attribute, Element, Fault, Node, Space, Tree, Wrong, attributes};

const DEEPEST: usize = 500;
/// Elements and attributes together: room for the most entries a feed may have.
const MOST_PARTS: usize = 1_500_000;
/// In one tag; and prefixes in force.
const MOST_AT_ONCE: usize = 500;
const MOST_ENTITIES: usize = 100;
/// What a DOCTYPE's entities may add to a document.
const MOST_EXPANDED: usize = 1_000_000;
/// Faults of one document that are kept.
const MOST_FAULTS: usize = 1_000;

pub(super) struct Builder<'a> {
    text: &'a str,
    /// Some characters of the document are none that XML has.
    unclean: bool,
    open: Vec<Element<'a>>,
    root: Option<Element<'a>>,
    /// Prefixes in force, and how deep they were declared.
    bindings: Vec<(usize, &'a str, Space)>,
    declared: Vec<(&'a str, String, usize)>,
    /// From the document's own DOCTYPE.
    entities: Vec<(&'a str, &'a str)>,
    faults: Vec<Fault>,
    parts: usize,
    expanded: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut builder = Self {
            text,
            unclean: false,
            open: Vec::new(),
            root: None,
            bindings: Vec::new(),
            declared: Vec::new(),
            entities: Vec::new(),
            faults: Vec::new(),
            parts: 0,
            expanded: 0,
        };
        for (at, c) in text.char_indices().filter(|(_, c)| !is_char(*c)) {
            builder.unclean = true;
            builder.fault(at, Wrong::Character(c.into()));
            if builder.faults.len() == MOST_FAULTS {
                break;
            }
        }
        builder
    }

    fn fault(&mut self, at: usize, what: Wrong) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { at, what });
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>, from: usize, to: usize) -> Result<(), Stop> {
        let raw = self.text.get(from..to).unwrap_or_default();
        match event {
            Event::Start(_) | Event::Empty(_) => self.start(raw, from, to, matches!(event, Event::Empty(_)))?,
            Event::End(_) => self.close(raw.trim_start_matches("</").trim_end_matches('>').trim(), from),
            Event::Text(_) => self.words(raw, from),
            Event::CData(_) => {
                let inside = raw.strip_prefix("<![CDATA[").unwrap_or(raw);
                let inside = inside.strip_suffix("]]>").unwrap_or(inside);
                self.add(self.clean(inside), from);
            }
            Event::GeneralRef(_) => {
                let name = raw.trim_start_matches('&').trim_end_matches(';');
                let meant = self.reference(name, from);
                self.add(meant, from);
            }
            Event::DocType(_) => self.entities.extend(declared_entities(raw)),
            _ => {}
        }
        Ok(())
    }

    /// A `<` that stands for itself.
    pub(super) fn less_than(&mut self, at: usize) {
        self.fault(at, Wrong::LessThan);
        self.add("<".into(), at);
    }

    fn words(&mut self, raw: &'a str, from: usize) {
        if raw.starts_with('&') {
            self.fault(from, Wrong::Ampersand);
        }
        for (at, _) in raw.match_indices("]]>") {
            self.fault(from + at, Wrong::EndOfCdata);
        }
        self.add(self.clean(raw), from);
    }

    /// What is left when the characters go that XML does not have, and line ends are one character.
    fn clean(&self, raw: &'a str) -> Cow<'a, str> {
        let text =
            if raw.contains('\r') { Cow::from(raw.replace("\r\n", "\n").replace('\r', "\n")) } else { raw.into() };
        if self.unclean { text.chars().filter(|c| is_char(*c)).collect::<String>().into() } else { text }
    }

    fn add(&mut self, text: Cow<'a, str>, at: usize) {
        let Some(parent) = self.open.last_mut() else {
            if !text.trim().is_empty() && self.root.is_some() {
                self.fault(at, Wrong::Trailing);
            }
            return;
        };
        match parent.nodes.last_mut() {
            Some(Node::Text { text: before, .. }) => before.to_mut().push_str(&text),
            _ if text.is_empty() => {}
            _ => parent.nodes.push(Node::Text { text, at }),
        }
    }

    /// What `&name;` stands for.
    fn reference(&mut self, name: &'a str, at: usize) -> Cow<'a, str> {
        if let Some(number) = name.strip_prefix('#') {
            return self.numbered(number, at).map_or_else(|| "".into(), |c| c.to_string().into());
        }
        if let Some(known) = resolve_xml_entity(name) {
            return known.into();
        }
        let own = self.entities.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        if let Some(value) = own.filter(|value| self.expanded + value.len() <= MOST_EXPANDED) {
            self.expanded += value.len();
            return match value.strip_prefix("&#").and_then(|rest| rest.strip_suffix(';')) {
                Some(number) => self.numbered(number, at).map_or_else(|| "".into(), |c| c.to_string().into()),
                None => value.into(),
            };
        }
        self.fault(at, Wrong::Entity(name.to_owned()));
        match resolve_html5_entity(name) {
            Some(known) => known.into(),
            None => format!("&{name};").into(),
        }
    }

    fn numbered(&mut self, number: &str, at: usize) -> Option<char> {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        let code = code.unwrap_or(u32::MAX);
        let found = char::from_u32(code).filter(|c| is_char(*c));
        if found.is_none() {
            self.fault(at, Wrong::Character(code));
        }
        found
    }

    fn start(&mut self, raw: &'a str, from: usize, to: usize, empty: bool) -> Result<(), Stop> {
        let inside = raw.trim_start_matches('<').trim_end_matches('>');
        let inside = if empty { inside.trim_end_matches('/') } else { inside };
        if self.open.len() >= DEEPEST {
            return Err(Stop { at: from, message: format!("elements are nested more than {DEEPEST} deep") });
        }
        if self.open.is_empty() && self.root.is_some() {
            self.fault(from, Wrong::Trailing);
        }
        let (prefix, name, rest) = attributes::tag(inside);
        let too_many = || Stop { at: from, message: format!("there are more than {MOST_AT_ONCE} attributes in a tag") };
        let rest_at = from + 1 + (inside.len() - rest.len());
        let mut attributes = self.attributes(rest, rest_at).ok_or_else(too_many)?;
        self.parts += 1 + attributes.len();
        if self.parts > MOST_PARTS {
            return Err(Stop { at: from, message: format!("there are more than {MOST_PARTS} elements") });
        }
        for attribute in &mut attributes {
            attribute.space = match attribute.prefix {
                "" => Space::None,
                prefix => self.space(prefix, attribute.at),
            };
        }
        let space = self.space(prefix, from);
        let element = Element { prefix, name, space, attributes, nodes: Vec::new(), at: from, inner: (to, to) };
        if empty {
            self.finish(element);
        } else {
            self.open.push(element);
        }
        Ok(())
    }

    /// All attributes but declarations of namespaces, which are taken in.
    fn attributes(&mut self, rest: &'a str, at: usize) -> Option<Vec<Attribute<'a>>> {
        let depth = self.open.len() + 1;
        let mut kept: Vec<Attribute<'a>> = Vec::new();
        for (count, (found, sound)) in attributes::scan(rest, at).enumerate() {
            if count + self.bindings.len() > MOST_AT_ONCE {
                return None;
            }
            let attribute = Attribute { value: self.value(found.value, found.at), ..found };
            let prefix = match (attribute.prefix, attribute.name) {
                ("", "xmlns") => Some(""),
                ("xmlns", prefix) => Some(prefix),
                _ => None,
            };
            let twice = kept.iter().any(|a| a.prefix == attribute.prefix && a.name == attribute.name);
            if !sound || twice {
                self.fault(attribute.at, Wrong::Attribute(attribute.name.to_owned()));
            }
            match prefix {
                Some(prefix) => {
                    self.bindings.push((depth, prefix, Space::of(&attribute.value)));
                    self.declared.push((prefix, attribute.value.into_owned(), attribute.at));
                }
                None if twice => {}
                None => kept.push(attribute),
            }
        }
        Some(kept)
    }

    /// An attribute's value with its references resolved.
    fn value(&mut self, raw: Cow<'a, str>, at: usize) -> Cow<'a, str> {
        let Cow::Borrowed(raw) = raw else { return raw };
        if !raw.contains('&') {
            return self.clean(raw);
        }
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(amp) = rest.find('&') {
            out.push_str(&self.clean(&rest[..amp]));
            let after = &rest[amp + 1..];
            let name = after.split_once(';').map(|(name, _)| name).filter(|name| attributes::is_reference(name));
            if let Some(name) = name {
                out.push_str(&self.reference(name, at));
                rest = &after[name.len() + 1..];
            } else {
                self.fault(at, Wrong::Ampersand);
                out.push('&');
                rest = after;
            }
        }
        out.push_str(&self.clean(rest));
        out.into()
    }

    fn space(&mut self, prefix: &str, at: usize) -> Space {
        let bound = self.bindings.iter().rev().find(|(_, known, _)| *known == prefix).map(|(_, _, space)| *space);
        match (bound, prefix) {
            (Some(space), _) => space,
            (None, "") => Space::None,
            (None, "xml") => Space::Xml,
            (None, prefix) => {
                self.fault(at, Wrong::Prefix(prefix.to_owned()));
                Space::usual(prefix)
            }
        }
    }

    /// Closes the innermost open element of this name, and what is open in it.
    fn close(&mut self, name: &str, from: usize) {
        let named = |element: &Element<'_>| match name.split_once(':') {
            Some((prefix, local)) => element.prefix == prefix && element.name == local,
            None => element.prefix.is_empty() && element.name == name,
        };
        let Some(depth) = self.open.iter().rposition(named) else {
            self.fault(from, Wrong::EndTag(name.to_owned()));
            return;
        };
        while self.open.len() > depth {
            let Some(mut element) = self.open.pop() else { return };
            if self.open.len() > depth {
                self.fault(element.at, Wrong::Unclosed(element.written()));
            }
            element.inner.1 = from;
            self.finish(element);
        }
    }

    fn finish(&mut self, element: Element<'a>) {
        let depth = self.open.len();
        self.bindings.retain(|(declared, _, _)| *declared <= depth);
        match self.open.last_mut() {
            Some(parent) => parent.nodes.push(Node::Element(element)),
            None if self.root.is_none() => self.root = Some(element),
            None => {}
        }
    }

    pub(super) fn end(mut self) -> Result<Tree<'a>, Stop> {
        if let Some(open) = self.open.first() {
            let message = format!("the document ends within `{}`, which has no end tag", open.written());
            return Err(Stop { at: self.text.len(), message });
        }
        self.faults.sort_by_key(|fault| fault.at);
        let nothing = Stop { at: 0, message: "there is no element in it".to_owned() };
        let root = self.root.ok_or(nothing)?;
        Ok(Tree { root, faults: self.faults, declared: self.declared })
    }
}

/// Whether what follows a `<` can be a name.
pub(super) fn begins_a_tag(text: &str) -> bool {
    text.strip_prefix('<').is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':')))
}

/// XML 1.0's `Char`.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The plain `<!ENTITY name "value">` of a DOCTYPE.
fn declared_entities(doctype: &str) -> Vec<(&str, &str)> {
    let one = |rest: &'_ str| -> Option<(usize, usize, usize, usize)> {
        let name = rest.trim_start();
        let start = rest.len() - name.len();
        let length = name.find(char::is_whitespace)?;
        let value = name[length..].trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value_at = rest.len() - value.len() + 1;
        let value_length = rest.get(value_at..)?.find(quote)?;
        Some((start, length, value_at, value_length))
    };
    let pieces = doctype.split("<!ENTITY").skip(1).take(MOST_ENTITIES);
    pieces
        .filter_map(|rest| one(rest).map(|(n, nl, v, vl)| (&rest[n..n + nl], &rest[v..v + vl])))
        .filter(|(_, value)| value.len() < 1_000)
        .collect()
}
