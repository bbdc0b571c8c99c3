//! OPML 2.0 (opml.org): a list of all the blog's feeds, for readers that import lists. Decides nothing.

use super::xml::escape;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    pub title: String,
    pub feed: String,
    pub page: String,
    /// `rss` for RSS and Atom alike, as OPML has it.
    pub group: &'static str,
}

#[must_use]
pub fn write(title: &str, outlines: &[Outline]) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n");
    out.push_str(&format!("  <head>\n    <title>{}</title>\n  </head>\n  <body>\n", escape(title)));
    let mut group = "";
    for outline in outlines {
        if outline.group != group {
            if !group.is_empty() {
                out.push_str("    </outline>\n");
            }
            group = outline.group;
            out.push_str(&format!("    <outline text=\"{group}\">\n"));
        }
        let (title, feed, page) = (escape(&outline.title), escape(&outline.feed), escape(&outline.page));
        out.push_str(&format!(
            "      <outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{feed}\" htmlUrl=\"{page}\"/>\n"
        ));
    }
    if !group.is_empty() {
        out.push_str("    </outline>\n");
    }
    out.push_str("  </body>\n</opml>\n");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feed_is_listed_in_its_group() {
        let outline = |title: &str, group| Outline {
            title: title.into(),
            feed: "https://a.example/f?a&b".into(),
            page: "https://a.example/".into(),
            group,
        };
        let text = String::from_utf8(write("A & B", &[outline("A", "Blog"), outline("\"T\"", "Tags")])).unwrap();
        insta::assert_snapshot!("opml", text);
    }
}
