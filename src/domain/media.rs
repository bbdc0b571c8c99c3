//! Pictures and sound that belong to posts: what front matter says of them, and which kind of file a name promises. Looks
//! at no file; how long one really is, the scan finds out.

use std::borrow::Cow;

use serde_json::Value;

use super::dialect::{scalar, slug, text};
use super::plain;
use super::post::{Enclosure, Image};

/// Ways to name a file in a table.
const NAMES: [&str; 7] = ["url", "src", "file", "path", "mp3", "href", "feature"];

/// `image: cover.png`, `image: {path: cover.png, alt: A cover}`, `images: [cover.png]`, `cover: {image: cover.png}`.
/// Relative paths start at `from`; those with a slash before them at the blog's own address, also if that is below a path.
#[must_use]
pub fn image(value: &Value, alt: Option<String>, from: &str, site: &str) -> Option<Image> {
    let (path, own) = match value {
        Value::Object(image) => (text(image, &NAMES)?, text(image, &["alt", "description", "caption"])),
        other => (scalar(other).filter(|s| !s.is_empty())?, None),
    };
    let alt = own.or(alt).map(|alt| plain::line(&alt)).unwrap_or_default();
    let url = match below(&path, site) {
        Some(file) => address(site, file),
        None => absolute(&path, from),
    };
    Some(Image { url: url?, alt })
}

/// `enclosure: talk.mp3`, `enclosure: {url: talk.mp3, length: 123, type: audio/mpeg}`, `audio: talk.mp3`. Of several the
/// first: a reader shows one. Relative paths start at `from`; `site` is the blog's own address.
pub fn enclosure(value: &Value, from: &str, site: &str) -> Result<Option<Enclosure>, String> {
    let value = match value {
        Value::Array(list) => list.first().unwrap_or(&Value::Null),
        one => one,
    };
    let (path, media_type, length) = match value {
        Value::Object(table) => (
            text(table, &NAMES),
            text(table, &["type", "mime", "mime_type"]),
            text(table, &["length", "size", "bytes"]),
        ),
        other => (scalar(other), None, None),
    };
    let Some(path) = path.filter(|path| !path.is_empty()) else { return Ok(None) };
    let url = absolute(&path, from).ok_or_else(|| format!("`{path}` is no address"))?;
    let media_type = media_type.or_else(|| media_type_of(&path).map(str::to_owned));
    let media_type =
        media_type.filter(|kind| kind.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()));
    let media_type = media_type.ok_or_else(|| format!("nothing tells what kind of file `{path}` is"))?;
    let length = match length {
        Some(text) => Some(text.parse().map_err(|_| format!("`{text}` is no length in bytes"))?),
        None => None,
    };
    let file = (!path.contains("://") && !path.starts_with("//")).then_some(path);
    let file = file.map(|file| below(&file, site).map(str::to_owned).unwrap_or(file));
    Ok(Some(Enclosure { url, media_type, length, file }))
}

/// Of a path that begins with a slash: what of it is below the blog's own path, which some write and some leave out.
fn below<'a>(path: &'a str, site: &str) -> Option<&'a str> {
    let rooted = path.starts_with('/') && !path.starts_with("//");
    rooted.then(|| slug::below(path, slug::path_of(site)).unwrap_or(path))
}

fn absolute(path: &str, from: &str) -> Option<String> {
    let joined = url::Url::parse(from).ok()?.join(path).ok()?;
    matches!(joined.scheme(), "http" | "https").then(|| joined.into())
}

/// Where a post's own file lies below its site, if it may be given to whoever asks: it is of a kind that is made for readers,
/// whatever the post calls it, and no part of its path is hidden or leads upwards.
#[must_use]
pub fn public_path(file: &str) -> Option<Cow<'_, str>> {
    let path = slug::decode_path(file.split(['?', '#']).next()?.trim_start_matches('/'))?;
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    (!hidden && media_type_of(&path).is_some()).then_some(path)
}

/// The address of a file by its path below a site: `/audio/1.mp3` is `https://example.org/blog/audio/1.mp3`.
#[must_use]
pub fn address(site: &str, path: &str) -> Option<String> {
    absolute(&format!("./{}", path.trim_start_matches('/')), &format!("{site}/"))
}

/// How a post's own file is served: endings say less of sound and film than authors do, and of all else they decide, so that
/// nothing is served as a page.
#[must_use]
pub fn served_as<'a>(path: &str, said: &'a str) -> Option<&'a str> {
    let plays = said.starts_with("audio/") || said.starts_with("video/");
    if plays { Some(said) } else { media_type_of(path) }
}

/// By the ending of a name or an address.
#[must_use]
pub fn media_type_of(name: &str) -> Option<&'static str> {
    let name = name.split(['?', '#']).next().unwrap_or(name);
    let (_, extension) = name.rsplit('/').next()?.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "mp3" => "audio/mpeg",
        "m4a" => "audio/x-m4a",
        "aac" => "audio/aac",
        "ogg" | "oga" => "audio/ogg",
        "opus" => "audio/opus",
        "flac" => "audio/flac",
        "wav" => "audio/wav",
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "epub" => "application/epub+zip",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAGE: &str = "https://a.example/blog/one/";
    const SITE: &str = "https://a.example";

    #[test]
    fn pictures_are_read_as_the_generators_themes_write_them() {
        for (value, alt, url, expected) in [
            (json!("/i.png"), None, "https://a.example/i.png", ""),
            (json!("i.png"), Some("A fox"), "https://a.example/blog/one/i.png", "A fox"),
            (json!({"path": "/i.png", "alt": "A\nfox"}), Some("no"), "https://a.example/i.png", "A fox"),
            (json!("https://cdn.example/i.png"), None, "https://cdn.example/i.png", ""),
        ] {
            let image = image(&value, alt.map(str::to_owned), PAGE, SITE).unwrap();
            assert_eq!((image.url.as_str(), image.alt.as_str()), (url, expected));
        }
        for path in ["/i.png", "/blog/i.png", "https://a.example/blog/i.png"] {
            let image = image(&json!(path), None, PAGE, "https://a.example/blog").unwrap();
            assert_eq!(image.url, "https://a.example/blog/i.png", "{path}");
        }
        assert_eq!(image(&json!(""), None, PAGE, SITE), None);
        assert_eq!(image(&json!("data:image/png;base64,AAAA"), None, PAGE, SITE), None);
    }

    #[test]
    fn only_what_is_made_for_readers_is_given_away() {
        for (file, path) in [
            ("/audio/1.mp3", Some("audio/1.mp3")),
            ("talk.M4A?x=1#t=5", Some("talk.M4A")),
            ("/my%20talk.mp3", Some("my talk.mp3")),
            ("/a%2e%2e/b.pdf", Some("a../b.pdf")),
        ] {
            assert_eq!(public_path(file).as_deref(), path, "{file}");
        }
        for file in [
            "/gazetted.db",
            "/gazetted.db-wal",
            "/gazetted.db.schema-8",
            "/gazetted.db?x.mp3",
            "/gazetted.db#.mp3",
            "/GAZETTED.DB",
            "/gazetted.toml",
            "/mail/1.eml",
            "/dkim.pem",
            "/templates/digest.html",
            "/.env",
            "/.mp3",
            "/.git/a.png",
            "/a/.hidden/b.mp3",
            "/../a.mp3",
            "/%2e%2e/a.mp3",
            "/%2Egit/a.png",
            "/a.mp3%2f..%2fb.db",
            "/gazetted.db%3f.mp3",
            "a/../../b.mp3",
            "./a.mp3",
            "/a.mp3/",
            "/mp3",
            "",
            "/",
        ] {
            assert_eq!(public_path(file), None, "{file}");
        }
        for (path, said, served) in [
            ("a.ogg", "video/ogg", Some("video/ogg")),
            ("a.pdf", "text/html", Some("application/pdf")),
            ("a.svg", "application/octet-stream", Some("image/svg+xml")),
        ] {
            assert_eq!(served_as(path, said), served);
        }
    }

    #[test]
    fn enclosures_have_an_address_a_kind_and_perhaps_a_length() {
        for (value, url, kind, length) in [
            (json!("/talk.mp3"), "https://a.example/talk.mp3", "audio/mpeg", None),
            (json!({"url": "talk.M4A?x=1"}), "https://a.example/blog/one/talk.M4A?x=1", "audio/x-m4a", None),
            (
                json!({"src": "https://c.example/t", "type": "audio/ogg", "length": 12}),
                "https://c.example/t",
                "audio/ogg",
                Some(12),
            ),
            (
                json!([{"file": "/a.mp3", "size": "99"}, {"file": "/b.mp3"}]),
                "https://a.example/a.mp3",
                "audio/mpeg",
                Some(99),
            ),
        ] {
            let found = enclosure(&value, PAGE, SITE).unwrap().unwrap();
            assert_eq!((found.url.as_str(), found.media_type.as_str(), found.length), (url, kind, length));
        }
        for bad in [json!("/talk"), json!({"url": "/a.mp3", "length": "5 MB"}), json!({"url": "/a", "type": "audio"})] {
            assert!(enclosure(&bad, PAGE, SITE).is_err(), "{bad}");
        }
        assert_eq!(enclosure(&json!(null), PAGE, SITE), Ok(None));
        assert_eq!(enclosure(&json!({"url": "/a.mp3"}), PAGE, SITE).unwrap().unwrap().file.as_deref(), Some("/a.mp3"));
        assert_eq!(enclosure(&json!("https://c.example/a.mp3"), PAGE, SITE).unwrap().unwrap().file, None);
        for (path, file) in [("/blog/a.mp3", "/a.mp3"), ("/a.mp3", "/a.mp3"), ("/blogger/a.mp3", "/blogger/a.mp3")] {
            let found = enclosure(&json!(path), PAGE, "https://a.example/blog").unwrap().unwrap();
            assert_eq!(found.file.as_deref(), Some(file), "{path}");
        }
        assert_eq!(address("https://a.example/blog", "/a b.mp3").unwrap(), "https://a.example/blog/a%20b.mp3");
    }
}
