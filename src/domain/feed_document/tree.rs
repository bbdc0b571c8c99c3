//! An XML document as a tree with places, read with forgiveness: what is wrong is noted as a fault, and reading goes on as
//! far as a reader would. Knows namespaces, no feeds. Entities are never expanded within each other.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Stop;

pub mod attributes;
mod builder;
mod space;

pub use attributes::Attribute;
pub use space::Space;

#[derive(Debug)]
pub struct Tree<'a> {
    pub root: Element<'a>,
    pub faults: Vec<Fault>,
    /// Prefixes and the namespaces they were declared for, wherever they were.
    pub declared: Vec<(&'a str, String, usize)>,
}

#[derive(Debug, Default)]
pub struct Element<'a> {
    pub prefix: &'a str,
    pub name: &'a str,
    pub space: Space,
    pub attributes: Vec<Attribute<'a>>,
    pub nodes: Vec<Node<'a>>,
    /// Where its tag begins, and where its content begins and ends.
    pub at: usize,
    pub inner: (usize, usize),
}

#[derive(Debug)]
pub enum Node<'a> {
    Element(Element<'a>),
    Text { text: Cow<'a, str>, at: usize },
}

/// Something that a strict parser stops at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub what: Wrong,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// XML cannot hold it.
    Character(u32),
    /// Not declared: HTML knows it, or nobody does.
    Entity(String),
    /// `&` for itself.
    Ampersand,
    /// `<` for itself.
    LessThan,
    /// An end tag for no open element.
    EndTag(String),
    /// An element without an end tag.
    Unclosed(String),
    /// A prefix that was not declared.
    Prefix(String),
    /// An attribute without quotes or value, or twice.
    Attribute(String),
    /// More after the root element.
    Trailing,
    /// `]]>` in text, where it ends nothing.
    EndOfCdata,
}

impl<'a> Element<'a> {
    pub fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text { .. } => None,
        })
    }

    #[must_use]
    pub fn child(&self, space: Space, name: &str) -> Option<&Element<'a>> {
        self.elements().find(|child| child.space == space && child.name == name)
    }

    /// Its own text, without that of elements in it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let mut texts = self.nodes.iter().filter_map(|node| match node {
            Node::Text { text, .. } => Some(text.as_ref()),
            Node::Element(_) => None,
        });
        let first = texts.next().unwrap_or_default();
        match texts.next() {
            None => first.into(),
            Some(second) => [first, second].into_iter().chain(texts).collect::<String>().into(),
        }
    }

    /// All text below it.
    #[must_use]
    pub fn deep_text(&self) -> String {
        let mut out = String::new();
        self.add_text(&mut out);
        out
    }

    fn add_text(&self, out: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text { text, .. } => out.push_str(text),
                Node::Element(element) => element.add_text(out),
            }
        }
    }

    /// An attribute without a prefix.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_in(Space::None, name)
    }

    #[must_use]
    pub fn attribute_in(&self, space: Space, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.space == space && a.name == name).map(|a| a.value.as_ref())
    }

    /// `prefix:name`, as it is written.
    #[must_use]
    pub fn written(&self) -> String {
        if self.prefix.is_empty() { self.name.to_owned() } else { format!("{}:{}", self.prefix, self.name) }
    }
}

pub fn parse(text: &str) -> Result<Tree<'_>, Stop> {
    let mut builder = builder::Builder::new(text);
    let mut from = 0;
    while let Some(resume) = read_on(&mut builder, text, from)? {
        from = resume;
    }
    builder.end()
}

/// Reads from there to the end, or to a `<` that begins no tag: gives where to go on.
fn read_on<'a>(builder: &mut builder::Builder<'a>, text: &'a str, start: usize) -> Result<Option<usize>, Stop> {
    // The reader drops a byte order mark, and does not count it.
    let rest = text.get(start..).unwrap_or_default().trim_start_matches('\u{feff}');
    let start = text.len() - rest.len();
    let mut reader = Reader::from_str(rest);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    loop {
        let from = start + offset(reader.buffer_position());
        let event = reader.read_event();
        let to = start + offset(reader.buffer_position());
        match event {
            Ok(Event::Eof) => return Ok(None),
            Ok(Event::Start(_) | Event::Empty(_)) if !builder::begins_a_tag(&text[from..]) => {
                builder.less_than(from);
                return Ok(Some(from + 1));
            }
            Ok(event) => builder.event(&event, from, to)?,
            Err(error) => return Err(Stop { at: start + offset(reader.error_position()), message: error.to_string() }),
        }
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
