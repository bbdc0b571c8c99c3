//! What an XML parser stumbles over, and what it does not and should.

use super::Findings;
use crate::domain::feed_document::tree::{Element, Space, Tree, Wrong};

pub(super) fn check(tree: &Tree<'_>, findings: &mut Findings<'_>) {
    for fault in &tree.faults {
        let (code, message, hint) = explained(&fault.what);
        findings.error(fault.at, code, message, hint);
    }
    findings.foreign(&tree.root);
    let head = findings.text.get(..tree.root.at).unwrap_or_default();
    if let Some(at) = head.find("<?xml-stylesheet").filter(|at| head[*at..].contains("xsl")) {
        findings.warn(
            at,
            "xslt",
            "the feed wants to be shown by XSLT, which browsers are taking out",
            "use `<?xml-stylesheet type=\"text/css\"…?>`, and an HTML page that tells of the feed",
        );
    }
    for (prefix, uri, at) in &tree.declared {
        if let Some(usual) = Space::declaration(prefix).filter(|usual| *usual != uri && Space::of(uri) == Space::Other)
        {
            findings.warn(
                *at,
                "namespace",
                format!("the prefix `{prefix}` stands for `{uri}`"),
                format!("readers know it as `{usual}`"),
            );
        }
    }
}

impl Findings<'_> {
    /// Elements of which there is one at most: those of `parent` in this namespace, but for `many`.
    pub(super) fn once(&mut self, parent: &Element<'_>, space: Space, many: &[&str]) {
        let mut seen: Vec<&str> = Vec::new();
        for child in parent.elements().filter(|child| child.space == space && !many.contains(&child.name)) {
            if seen.contains(&child.name) {
                let message = format!("`{}` comes twice in `{}`", child.written(), parent.written());
                self.error(child.at, "repeated", message, "readers take one of them, and not all the same");
            }
            seen.push(child.name);
        }
    }
}

fn explained(wrong: &Wrong) -> (&'static str, String, String) {
    let (code, message, hint) = match wrong {
        Wrong::Character(code) => (
            "control-character",
            format!("the character U+{code:04X} cannot stand in XML: readers refuse the whole feed"),
            "take it out of the post; nothing can stand for it, no escape either".to_owned(),
        ),
        Wrong::Entity(name) => (
            "entity",
            format!("`&{name};` is no entity of XML"),
            "write the character itself, or `&amp;` if `&` was meant".to_owned(),
        ),
        Wrong::Ampersand => ("ampersand", "`&` stands for itself".to_owned(), "write `&amp;`".to_owned()),
        Wrong::LessThan => ("less-than", "`<` stands for itself".to_owned(), "write `&lt;`".to_owned()),
        Wrong::EndTag(name) => (
            "end-tag",
            format!("`</{name}>` ends nothing that is open"),
            "take it out, or write HTML as text: escaped, or in CDATA".to_owned(),
        ),
        Wrong::Unclosed(name) => (
            "unclosed",
            format!("`<{name}>` has no end tag"),
            format!("write `</{name}>`, or HTML as text: escaped, or in CDATA"),
        ),
        Wrong::Prefix(prefix) => (
            "prefix",
            format!("the prefix `{prefix}` is not declared"),
            Space::declaration(prefix).map_or_else(
                || format!("declare it with `xmlns:{prefix}` on the root element"),
                |uri| format!("write `xmlns:{prefix}=\"{uri}\"` on the root element"),
            ),
        ),
        Wrong::Attribute(name) => (
            "attribute",
            format!("the attribute `{name}` is there twice, or not `name=\"value\"`"),
            "write each once, its value in quotes".to_owned(),
        ),
        Wrong::EndOfCdata => (
            "cdata-end",
            "`]]>` stands in text: where CDATA has ended already, or never began, readers refuse the whole feed"
                .to_owned(),
            "write `]]&gt;`, and within CDATA `]]]]><![CDATA[>`".to_owned(),
        ),
        Wrong::Trailing => (
            "trailing",
            "something follows after the end of the feed".to_owned(),
            "one document has one root element".to_owned(),
        ),
    };
    (code, message, hint)
}
