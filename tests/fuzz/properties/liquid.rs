//! Liquid: whatever a template says, it ends, and is not many times as long as it was.

use gazetted::domain::liquid::{Context, render};
use serde_json::json;

/// Four times the input, a megabyte, and the rest as it was written.
fn most(text: &str) -> usize {
    5 * text.len() + 1_100_000
}

pub fn is_rendered_within_bounds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let include = |name: &str| match name {
        "note.html" => Some("<p>{{ include.text }}</p>".to_owned()),
        "self.html" => Some("{% include self.html %}{% include self.html %}".to_owned()),
        "own.html" => Some(text.clone().into_owned()),
        _ => None,
    };
    let link = |name: &str| (name == "2021-05-07-a").then(|| "https://a.example/a".to_owned());
    let context = Context {
        site: json!({"title": "Notes", "url": "https://a.example", "baseurl": "/b", "data": {"list": [1, 2, {"a": [null]}]}}).into(),
        page: json!({"title": "A", "tags": ["x", "y"], "date": "2021-05-07T10:00:00Z", "n": -1.5}).into(),
        include: &include,
        post_url: &link,
        link: &link,
        ..Context::default()
    };
    let rendered = render(&text, &context);
    assert!(rendered.text.len() <= most(&text), "{} bytes of {}", rendered.text.len(), text.len());
    assert!(rendered.unknown.len() <= 100);
    let lines = text.matches('\n').count() + 1;
    for unknown in &rendered.unknown {
        assert!((1..=lines).contains(&unknown.line) && unknown.column >= 1, "{unknown:?} in {lines} lines");
        assert!(unknown.name.chars().count() <= 80, "{unknown:?}");
    }
    if !text.contains("{{") && !text.contains("{%") {
        assert_eq!(rendered.text, text);
    }
    assert_eq!(rendered, render(&text, &context), "not the same when rendered again");
}
