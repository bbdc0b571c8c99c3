//! What other namespaces bring into feeds: Atom's links, RFC 5005's marks, Media RSS, iTunes, Dublin Core.

use url::Url;

use super::Findings;
use super::addresses::Wanted;
use super::dates::Style;
use crate::domain::feed_document::tree::{Element, Space};

impl Findings<'_> {
    /// What stands in an RSS channel beside RSS's own.
    pub(super) fn channel_extensions(&mut self, channel: &Element<'_>) {
        let hint = "write `<atom:link rel=\"self\" type=\"application/rss+xml\" href=\"…\"/>`: it tells where the feed is, and WebSub needs it";
        self.self_link(channel, hint);
        self.history(channel);
        self.itunes_channel(channel);
        self.foreign(channel);
    }

    pub(super) fn item_extensions(&mut self, item: &Element<'_>) {
        // Atom's own dates within Atom are looked at there.
        let others = item.elements().filter(|child| child.space != Space::Atom || item.space != Space::Atom);
        for child in others {
            let what = format!("`{}`", child.written());
            match (child.space, child.name) {
                (Space::Dc, "date")
                | (Space::DcTerms, "modified" | "issued" | "created")
                | (Space::Atom, "updated" | "published") => {
                    // W3C's dates may be a day alone; Atom's may not.
                    let text = child.text();
                    if child.space == Space::Atom || text.trim().len() > 10 || text.trim().len() < 4 {
                        self.date(child.at, &what, &text, Style::Rfc3339);
                    }
                }
                (Space::Dc, "language") => self.language(child.at, &child.text()),
                (Space::Dc, "creator") if child.text().trim().is_empty() => {
                    self.warn(child.at, "creator-empty", "`dc:creator` is empty", "give a name, or leave it out");
                }
                _ => {}
            }
        }
        self.media(item);
        self.itunes_item(item);
        self.foreign(item);
    }

    /// `rel=self`, which has to be there once and be right.
    pub(super) fn self_link(&mut self, parent: &Element<'_>, hint: &str) {
        let own = |e: &&Element<'_>| e.name == "link" && e.space == Space::Atom && e.attribute("rel") == Some("self");
        let Some(link) = parent.elements().find(own) else {
            self.warn(parent.at, "self-missing", "the feed does not say where it is (`rel=self`)", hint);
            return;
        };
        let href = link.attribute("href").unwrap_or_default();
        self.own_address(link.at, href);
    }

    /// An address that the feed says is its own.
    pub(super) fn own_address(&mut self, at: usize, href: &str) {
        self.address(at, "the feed's own address", href, Wanted::Page);
        let said = Url::parse(href.trim()).ok();
        let (Some(from), Some(said)) = (self.from, said) else { return };
        if *from != said {
            let message = format!("the feed says it is at `{said}`, and came from `{from}`");
            self.warn(at, "self-other", message, "a wrong `self` is worse than none: readers move to it");
        }
    }

    /// RFC 5005.
    pub(super) fn history(&mut self, parent: &Element<'_>) {
        let mark = |name| parent.child(Space::History, name);
        let link = |rel| {
            parent.elements().find(|e| e.name == "link" && e.space == Space::Atom && e.attribute("rel") == Some(rel))
        };
        let pages = ["prev-archive", "next-archive", "first", "last", "next", "previous", "prev"];
        let more = mark("archive").is_some() || pages.iter().any(|rel| link(rel).is_some());
        if let (Some(complete), true) = (mark("complete"), more) {
            self.error(
                complete.at,
                "history",
                "the feed says that it is complete, and that there is more",
                "take out `fh:complete`: readers drop what is not in a complete feed",
            );
        }
        if let (Some(archive), None) = (mark("archive"), link("current")) {
            self.warn(
                archive.at,
                "history",
                "an archive does not name the current feed",
                "write `<link rel=\"current\" href=\"…\"/>`",
            );
        }
        for rel in ["prev-archive", "next-archive", "current"] {
            if let Some(link) = link(rel) {
                self.address(link.at, &format!("`{rel}`"), link.attribute("href").unwrap_or_default(), Wanted::Page);
            }
        }
        for element in
            parent.elements().filter(|e| e.space == Space::History && !matches!(e.name, "complete" | "archive"))
        {
            self.error(
                element.at,
                "history",
                format!("`{}` is nothing that RFC 5005 knows", element.written()),
                "it has `complete` and `archive`",
            );
        }
    }

    fn media(&mut self, parent: &Element<'_>) {
        for element in parent.elements().filter(|e| e.space == Space::Media) {
            match element.name {
                "group" => self.media(element),
                "content" => {
                    self.media_content(element);
                    self.media(element);
                }
                "thumbnail" | "player" => self.needed_address(element, "url"),
                _ => {}
            }
        }
    }

    fn media_content(&mut self, content: &Element<'_>) {
        if content.attribute("url").is_some() || content.child(Space::Media, "player").is_none() {
            self.needed_address(content, "url");
        }
        if let Some(kind) = content.attribute("type") {
            self.media_type(content.at, kind);
        }
        if let Some(medium) = content.attribute("medium") {
            let known = ["image", "audio", "video", "document", "executable"].contains(&medium);
            if !known {
                self.error(
                    content.at,
                    "media",
                    format!("`medium` is `{medium}`"),
                    "Media RSS has image, audio, video, document, executable",
                );
            }
        }
        for name in ["fileSize", "width", "height", "bitrate", "duration"] {
            if content.attribute(name).is_some_and(|value| value.trim().parse::<f64>().is_err()) {
                self.error(
                    content.at,
                    "media",
                    format!("`{name}` of `media:content` is no number"),
                    "write a number without a unit",
                );
            }
        }
    }

    fn needed_address(&mut self, element: &Element<'_>, name: &str) {
        let what = format!("`{name}` of `{}`", element.written());
        self.address(element.at, &what, element.attribute(name).unwrap_or_default(), Wanted::Page);
    }

    fn itunes_channel(&mut self, channel: &Element<'_>) {
        if !channel.elements().any(|e| e.space == Space::Itunes) {
            return;
        }
        for (name, why) in
            [("category", "podcast directories refuse a feed without one"), ("image", "podcast players show it")]
        {
            if channel.child(Space::Itunes, name).is_none() {
                self.warn(channel.at, "itunes", format!("the podcast has no `itunes:{name}`"), why);
            }
        }
        let owner = channel.child(Space::Itunes, "owner");
        if owner.and_then(|o| o.child(Space::Itunes, "email")).is_none_or(|e| e.text().trim().is_empty()) {
            self.warn(
                channel.at,
                "itunes",
                "the podcast has no `itunes:owner` with an `itunes:email`",
                "directories write there",
            );
        }
        self.itunes_values(channel);
    }

    fn itunes_item(&mut self, item: &Element<'_>) {
        let podcast = item.elements().any(|e| e.space == Space::Itunes);
        if podcast && !item.elements().any(|e| e.name == "enclosure") {
            self.warn(item.at, "itunes", "an episode has no `enclosure`", "players show only items that have one");
        }
        self.itunes_values(item);
    }

    fn itunes_values(&mut self, parent: &Element<'_>) {
        self.once(parent, Space::Itunes, &["category"]);
        for element in parent.elements().filter(|e| e.space == Space::Itunes) {
            let text = element.text();
            let text = text.trim();
            let wrong = match element.name {
                "explicit" => {
                    (!matches!(text, "true" | "false" | "yes" | "no" | "clean")).then_some("`true` or `false`")
                }
                "duration" => (!is_duration(text)).then_some("seconds, or `H:MM:SS`"),
                "episode" | "season" => text.parse::<u32>().is_err().then_some("a number"),
                "block" => (!matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "true" | "false"))
                    .then_some("`yes` or `no`"),
                "type" => (!matches!(text, "episodic" | "serial")).then_some("`episodic` or `serial`"),
                "image" => {
                    self.needed_address(element, "href");
                    None
                }
                _ => None,
            };
            if let Some(expected) = wrong {
                self.error(
                    element.at,
                    "itunes",
                    format!("`itunes:{}` is `{text}`", element.name),
                    format!("expected {expected}"),
                );
            }
        }
    }

    /// Of namespaces that no reader here and no validator knows, or that belong into an entry's text.
    pub(super) fn foreign(&mut self, parent: &Element<'_>) {
        for element in parent.elements().filter(|e| e.space == Space::Xhtml) {
            let message = format!("`{}` is XHTML, and stands in no entry's text", element.written());
            let hint =
                "no reader runs or shows it: have browsers show the feed with `<?xml-stylesheet type=\"text/css\"…?>`";
            self.warn(element.at, "xhtml-misplaced", message, hint);
        }
        for element in parent.elements().filter(|e| matches!(e.space, Space::Tombstone | Space::Source)) {
            let message = format!("`{}` is of a namespace that validators do not know", element.written());
            self.warn(element.at, "namespace", message, "few readers use it: leave it out unless yours do");
        }
    }
}

fn is_duration(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() <= 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}
