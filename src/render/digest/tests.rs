use std::collections::BTreeMap;

use super::*;
use crate::render::goal::tests::goal;

pub(crate) fn posts(count: usize) -> Vec<EditionPost> {
    (0..count)
        .map(|n| EditionPost {
            id: format!("https://blog.example/{n}"),
            url: format!("https://blog.example/2021/05/{n}?a=1&b=2"),
            // Handed over out of order.
            date: format!("2021-05-{:02}T12:00:00Z", 28 - n % 28).parse().unwrap(),
            title: format!("Post <{n}> & \u{2}unsubscribe\u{3} {{{{ title }}}}"),
            authors: vec![Author::named("Ann"), Author::named("Bo \"the\" B")],
            tags: vec!["rust".into(), "dask".into()],
            excerpt: "Chunks are the pieces an array is cut into, and how large they are decides how fast it goes. "
                .repeat(8),
            words: 900,
        })
        .collect()
}

pub(crate) fn content(posts: &[EditionPost], late: &[EditionPost], goals: &[GoalStatus]) -> Content {
    let drafts = vec![
        Draft { title: "Choosing good chunk sizes".into(), authors: vec![Author::named("Genevieve Buckley")] },
        Draft { title: "Mosaic fusion".into(), authors: Vec::new() },
    ];
    Content {
        heading: Heading::Period(Period::month(2021, 5).unwrap()),
        title: "Dask Working Notes".into(),
        site_url: "https://blog.example".into(),
        pages_url: "https://news.example".into(),
        subject: "{{ title }}: {{ month }} ({{ posts }})".into(),
        time_zone: "UTC".into(),
        language: "en".into(),
        posts: posts.to_vec(),
        late: late.to_vec(),
        goals: goals.to_vec(),
        drafts: if posts.is_empty() { Vec::new() } else { drafts },
        postal_address: "Dask, 1 Array Street, Chunkville".into(),
    }
}

pub(crate) fn digest(posts: &[EditionPost], late: &[EditionPost], goals: &[GoalStatus]) -> Digest {
    select(&content(posts, late, goals), &Selection::all("en"))
}

fn select(content: &Content, selection: &Selection<'_>) -> Digest {
    render(&Templates::new(&BTreeMap::new()).unwrap(), content, selection).unwrap()
}

fn visible(markers: &str) -> String {
    markers.replace('\u{2}', "⟨").replace('\u{3}', "⟩")
}

#[test]
fn a_month_of_posts_reads_well() {
    let digest = digest(&posts(2), &posts(1), &[goal()]);
    assert_eq!(digest.subject, "Dask Working Notes: May 2021 (3)");
    insta::assert_snapshot!("digest_text", visible(&digest.text));
    insta::assert_snapshot!("digest_html", visible(&digest.html));
}

#[test]
fn an_empty_month_reads_well() {
    let digest = digest(&[], &[], &[]);
    insta::assert_snapshot!("digest_empty_text", visible(&digest.text));
    assert!(digest.html.contains("it was a quiet one"));
}

#[test]
fn posts_stand_in_the_order_of_their_dates() {
    let digest = digest(&posts(3), &[], &[]);
    let places: Vec<_> = ["26 May", "27 May", "28 May"].iter().map(|day| digest.text.find(day).unwrap()).collect();
    assert!(places.is_sorted());
}

#[test]
fn both_parts_carry_the_same_number_of_links_and_the_way_out_twice() {
    for (posts, late, goals) in [(posts(0), posts(0), 0), (posts(3), posts(2), 1), (posts(120), posts(0), 2)] {
        let goals = vec![goal(); goals];
        let digest = digest(&posts, &late, &goals);
        let in_html = digest.html.matches("href=\"").count();
        let in_text = digest.text.matches("https://").count() + digest.text.matches('\u{2}').count() - 1;
        assert_eq!(in_html, in_text);
        assert_eq!(digest.html.matches(UNSUBSCRIBE).count(), 2);
        assert_eq!(digest.text.matches(UNSUBSCRIBE).count(), 2);
        assert!(digest.html.find(UNSUBSCRIBE).unwrap() < 2_600);
    }
}

#[test]
fn a_post_cannot_bring_markers_or_markup_of_its_own() {
    let digest = digest(&posts(1), &[], &[]);
    assert!(digest.html.contains("Post &lt;0&gt; &amp; unsubscribe {{ title }}"));
    assert!(!digest.html.contains("<0>"));
}

#[test]
fn even_a_very_long_month_is_short_enough_for_every_mailbox() {
    let digest = digest(&posts(150), &[], &[goal()]);
    assert!(digest.html.len() <= 80_000, "{}", digest.html.len());
    assert!(digest.html.contains("And 50 more"));
}

#[test]
fn the_text_is_no_wider_than_72_but_for_addresses() {
    for line in digest(&posts(2), &posts(1), &[goal()]).text.lines() {
        assert!(line.chars().count() <= 72 || line.contains("http"), "{line}");
    }
}

#[test]
fn the_html_needs_nothing_from_elsewhere() {
    let html = digest(&posts(2), &posts(1), &[goal()]).html;
    for forbidden in ["<img", "<script", "src=", "url(", "@import", "flex", "<form", "http-equiv"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}
