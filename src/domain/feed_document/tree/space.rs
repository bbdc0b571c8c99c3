//! The namespaces that stand in feeds.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Space {
    #[default]
    None,
    Xml,
    Atom,
    /// Atom 0.3, before there was a standard.
    Atom03,
    /// RSS 0.90, 1.0, and those that people gave RSS 2.0.
    Rss,
    Rdf,
    Content,
    Dc,
    DcTerms,
    Media,
    Itunes,
    History,
    Syndication,
    Xhtml,
    Thread,
    Podcast,
    FeedBurner,
    Slash,
    Tombstone,
    Source,
    Other,
}

const KNOWN: [(&str, Space, &str); 27] = [
    ("http://www.w3.org/XML/1998/namespace", Space::Xml, "xml"),
    ("http://www.w3.org/2005/Atom", Space::Atom, "atom"),
    ("http://www.w3.org/2005/Atom", Space::Atom, "atom10"),
    ("http://www.w3.org/2005/Atom", Space::Atom, "a10"),
    ("http://purl.org/atom/ns#", Space::Atom03, ""),
    ("http://purl.org/rss/1.0/", Space::Rss, "rss"),
    ("http://my.netscape.com/rdf/simple/0.9/", Space::Rss, ""),
    ("http://channel.netscape.com/rdf/simple/0.9/", Space::Rss, ""),
    ("http://backend.userland.com/rss2", Space::Rss, ""),
    ("http://backend.userland.com/RSS2", Space::Rss, ""),
    ("http://blogs.law.harvard.edu/tech/rss", Space::Rss, ""),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", Space::Rdf, "rdf"),
    ("http://purl.org/rss/1.0/modules/content/", Space::Content, "content"),
    ("http://purl.org/dc/elements/1.1/", Space::Dc, "dc"),
    ("http://purl.org/dc/terms/", Space::DcTerms, "dcterms"),
    ("http://search.yahoo.com/mrss/", Space::Media, "media"),
    ("http://search.yahoo.com/mrss", Space::Media, ""),
    ("http://www.itunes.com/dtds/podcast-1.0.dtd", Space::Itunes, "itunes"),
    ("http://purl.org/syndication/history/1.0", Space::History, "fh"),
    ("http://purl.org/rss/1.0/modules/syndication/", Space::Syndication, "sy"),
    ("http://www.w3.org/1999/xhtml", Space::Xhtml, "xhtml"),
    ("http://purl.org/syndication/thread/1.0", Space::Thread, "thr"),
    ("https://podcastindex.org/namespace/1.0", Space::Podcast, "podcast"),
    ("http://rssnamespace.org/feedburner/ext/1.0", Space::FeedBurner, "feedburner"),
    ("http://purl.org/rss/1.0/modules/slash/", Space::Slash, "slash"),
    ("http://purl.org/atompub/tombstones/1.0", Space::Tombstone, "at"),
    ("http://source.scripting.com/", Space::Source, "source"),
];

impl Space {
    #[must_use]
    pub fn of(uri: &str) -> Self {
        match uri.trim() {
            "" => Self::None,
            uri => KNOWN.iter().find(|(known, _, _)| *known == uri).map_or(Self::Other, |(_, space, _)| *space),
        }
    }

    /// What a prefix nearly always stands for.
    #[must_use]
    pub fn usual(prefix: &str) -> Self {
        KNOWN.iter().find(|(_, _, known)| *known == prefix && !known.is_empty()).map_or(Self::Other, |found| found.1)
    }

    /// Where it is declared for, and under which prefix; for a remedy.
    #[must_use]
    pub fn declaration(prefix: &str) -> Option<&'static str> {
        KNOWN.iter().find(|(_, _, known)| *known == prefix && !known.is_empty()).map(|(uri, _, _)| *uri)
    }

    #[must_use]
    pub fn is_atom(self) -> bool {
        matches!(self, Self::Atom | Self::Atom03)
    }
}
