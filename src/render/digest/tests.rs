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
            featured: false,
            language: None,
            translations: Vec::new(),
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
        subscribe_url: "https://news.example/subscribe".into(),
        ..Content::of(Heading::Post)
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
fn a_month_reads_well_in_every_language() {
    let content = content(&posts(2), &posts(1), &[goal()]);
    for language in ["de", "fr", "es"] {
        let digest = select(&content, &Selection::all(language));
        insta::assert_snapshot!(
            format!("digest_text_{language}"),
            visible(&format!("{}\n{}", digest.subject, digest.text))
        );
        assert!(digest.html.contains(&format!("<html lang=\"{language}\"")) && digest.html.contains(" lang=\"en\""));
        assert!(!digest.html.contains("Unsubscribe") && !digest.text.contains("The goal"));
    }
}

#[test]
fn a_reader_gets_the_translation_where_there_is_one() {
    let mut posts = posts(2);
    posts[0].translations = vec![Translation {
        id: "https://blog.example/de/0".into(),
        language: Some("de".into()),
        url: "https://blog.example/de/post".into(),
        title: "Ein Beitrag".into(),
        authors: vec![Author::named("Bernd")],
        tags: vec!["Wissenschaft".into()],
        excerpt: "Wie er beginnt.".into(),
        words: 10,
    }];
    let (one, other) = ("A post", "Another one");
    (posts[0].title, posts[1].title) = (one.to_owned(), other.to_owned());
    let content = content(&posts, &[], &[]);
    let [german, english] = ["de", "en"].map(|language| select(&content, &Selection::all(language)));
    assert!(german.text.contains("Ein Beitrag") && german.html.contains("https://blog.example/de/post"));
    assert!(german.text.contains("Bernd") && !english.text.contains("Bernd"));
    assert!(!german.text.contains(one) && german.text.contains(other));
    let heading = german.html.lines().find(|line| line.contains("<h2") && line.contains("Ein Beitrag")).unwrap();
    assert!(!heading.contains(" lang="), "it is in the language of the mail: {heading}");
    assert!(english.text.contains(one) && !english.text.contains("Ein Beitrag"));
}

#[test]
fn what_an_edition_froze_can_be_read_back_and_rendered_the_same() {
    let content = content(&posts(3), &posts(1), &[goal()]).sorted();
    let json = serde_json::to_value(&content).unwrap();
    assert_eq!(json["heading"], serde_json::json!({"period": "2021-05"}));
    assert!(json["posts"][0]["date"].as_str() < json["posts"][1]["date"].as_str());
    let mut back: Content = serde_json::from_value(json).unwrap();
    assert_eq!(select(&back, &Selection::all("en")), digest(&posts(3), &posts(1), &[goal()]));
    back.goals.iter_mut().zip(&content.goals).for_each(|(goal, frozen)| goal.due.clone_from(&frozen.due));
    assert_eq!(back, content);
    let least = serde_json::json!({"heading": "post"});
    let least: Content = serde_json::from_value(least).unwrap();
    assert!(select(&least, &Selection::all("en")).text.contains("Unsubscribe"));
}

#[test]
fn a_selection_shows_what_was_chosen_and_says_so() {
    let content = content(&posts(3), &posts(1), &[]).sorted();
    let digest = select(&content, &Selection { posts: Some(&[1, 3]), ..Selection::all("en") });
    assert_eq!(digest.subject, "Dask Working Notes: May 2021 (2)");
    assert!(digest.text.contains("One post from May 2021, and one from before."));
    assert!(digest.text.contains("27 May 2021") && !digest.text.contains("26 May 2021"));
    let said = "You chose only some of the topics";
    assert!(digest.text.replace('\n', " ").contains(said) && digest.html.contains(said));
    assert!(!select(&content, &Selection::all("en")).html.contains(said));
}

#[test]
fn a_new_reader_is_welcomed_with_the_latest_digest_or_without_one() {
    let welcome = Selection { welcome: true, ..Selection::all("en") };
    let full = select(&content(&posts(1), &[], &[]), &welcome);
    assert_eq!(full.subject, "Welcome to Dask Working Notes");
    insta::assert_snapshot!("digest_welcome_text", visible(&full.text));
    let empty = select(&content(&[], &[], &[]), &welcome);
    insta::assert_snapshot!("digest_welcome_empty_text", visible(&empty.text));
    assert!(empty.html.contains("https://news.example/editions/\"") && !empty.html.contains("quiet"));
}

#[test]
fn a_post_by_itself_is_about_the_post() {
    let content = Content { heading: Heading::Post, ..content(&posts(1), &[], &[goal()]) };
    let digest = select(&content, &Selection::all("en"));
    assert!(digest.subject.starts_with("Post <0> & unsubscribe") && digest.subject.ends_with("(Dask Working Notes)"));
    insta::assert_snapshot!("digest_post_text", visible(&digest.text));
    for forbidden in ["The goal", "In the making", "/editions/"] {
        assert!(!digest.html.contains(forbidden) && !digest.text.contains(forbidden), "{forbidden}");
    }
}

fn order(digest: &Digest, days: [&str; 3]) -> bool {
    let place = |day: &&str| digest.text.find(*day).unwrap();
    days.iter().map(place).is_sorted()
}

#[test]
fn the_newest_post_leads_and_the_others_stand_in_the_order_of_their_dates() {
    assert!(order(&digest(&posts(3), &[], &[]), ["28 May", "26 May", "27 May"]));
}

#[test]
fn the_newest_post_that_is_to_lead_does() {
    let mut three = posts(3);
    for at in [1, 2] {
        three[at].featured = true;
    }
    assert!(order(&digest(&three, &[], &[]), ["27 May", "26 May", "28 May"]));
}

#[test]
fn the_subject_says_what_is_in_it_in_every_language() {
    let mut three = posts(3);
    three[0].title = "High level graphs".into();
    for (language, posts, expected) in [
        ("en", &three[..], "High level graphs, and 2 more: Dask Working Notes, May 2021"),
        ("en", &three[..1], "High level graphs: Dask Working Notes, May 2021"),
        ("en", &[], "Dask Working Notes: May 2021"),
        ("de", &three[..], "High level graphs, und 2 weitere: Dask Working Notes, Mai 2021"),
        ("fr", &three[..], "High level graphs, et 2 de plus : Dask Working Notes, mai 2021"),
        ("es", &three[..], "High level graphs, y 2 más: Dask Working Notes, mayo de 2021"),
    ] {
        let usual = Content { subject: String::new(), ..content(posts, &[], &[]) };
        assert_eq!(select(&usual, &Selection::all(language)).subject, expected);
    }
    let own = Content { subject: "{{ lead }} +{{ more }}".into(), ..content(&three, &[], &[]) };
    assert_eq!(select(&own, &Selection::all("en")).subject, "High level graphs +2");
    let late = Content { subject: String::new(), ..content(&[], &three[..1], &[]) };
    assert_eq!(select(&late, &Selection::all("en")).subject, "High level graphs: Dask Working Notes, May 2021");
}

/// What stands in the hidden line, which a mailbox shows beside the subject.
fn preheader(digest: &Digest) -> &str {
    let line = digest.html.split_once("<div style=\"display:none").unwrap().1;
    line.split_once('>').unwrap().1.split_once('<').unwrap().0
}

#[test]
fn beside_the_subject_stands_how_the_first_post_begins_or_which_there_are() {
    let mut two = posts(2);
    assert!(preheader(&digest(&two, &[], &[])).starts_with("Chunks are the pieces an array is cut into"));
    for (post, title) in two.iter_mut().zip(["Newer", "Older"]) {
        (post.excerpt, post.title) = (String::new(), title.into());
    }
    assert_eq!(preheader(&digest(&two, &[], &[])), "Newer · Older");
    assert!(preheader(&digest(&[], &[], &[])).starts_with("It was a quiet one"));
}

fn dressed(look: Look, style: &Style) -> Digest {
    let content = Content { look, style: style.clone(), ..content(&posts(2), &posts(1), &[goal()]) };
    select(&content, &Selection::all("en"))
}

#[test]
fn each_look_is_another_and_says_the_same() {
    let own = Style::default();
    let [classic, plain, magazine] = Look::ALL.map(|look| dressed(look, &own));
    assert!(classic.html != plain.html && plain.html != magazine.html && classic.html != magazine.html);
    assert!(classic.text == plain.text && plain.text == magazine.text);
    insta::assert_snapshot!("digest_html_plain", visible(&plain.html));
    insta::assert_snapshot!("digest_html_magazine", visible(&magazine.html));
}

#[test]
fn a_style_brings_its_colours_logo_and_words() {
    let style = Style {
        accent: "#7b1fa2".into(),
        logo: "https://blog.example/logo.png".into(),
        logo_alt: "The <logo>".into(),
        header: "From *the editors*: see [the docs](https://docs.example/)".into(),
        footer: "Written with \u{2}unsubscribe\u{3} love".into(),
        ..Style::default()
    };
    for look in Look::ALL {
        let Digest { html, text, .. } = dressed(look, &style);
        assert!(html.contains("color:#7b1fa2") && !html.contains("#0b5394"));
        assert!(html.contains("alt=\"The &lt;logo&gt;\" height=\"40\""));
        assert!(html.contains("From <em>the editors</em>: see <a class=\"link\" href=\"https://docs.example/\""));
        assert!(text.contains("From the editors: see the docs (https://docs.example/)"));
        assert!(text.contains("Written with unsubscribe love") && html.contains("Written with unsubscribe love"));
        assert_eq!(html.matches("href=\"https://docs").count(), text.matches("https://docs").count());
    }
}

#[test]
fn both_parts_carry_the_same_number_of_links_and_the_way_out_twice() {
    let all = Selection::all("en");
    let chosen = Selection { posts: Some(&[0, 4]), ..Selection::all("de") };
    let welcome = Selection { welcome: true, ..Selection::all("fr") };
    for (posts, late, goals) in [(posts(0), posts(0), 0), (posts(3), posts(2), 1), (posts(120), posts(0), 2)] {
        let period = content(&posts, &late, &vec![goal(); goals]);
        let post = Content { heading: Heading::Post, posts: posts.into_iter().take(1).collect(), ..period.clone() };
        for (content, selection) in
            [(&period, all), (&period, chosen), (&period, welcome), (&post, all), (&post, welcome)]
        {
            let digest = select(content, &selection);
            let in_html = digest.html.matches("href=\"").count();
            let in_text = digest.text.matches("https://").count() + digest.text.matches('\u{2}').count() - 1;
            assert_eq!(in_html, in_text, "{}", digest.text);
            assert_eq!(digest.html.matches(UNSUBSCRIBE).count(), 2);
            assert_eq!(digest.text.matches(UNSUBSCRIBE).count(), 2);
            assert_eq!((digest.html.matches(PREFERENCES).count(), digest.html.matches(NAME).count()), (1, 1));
            assert!(digest.html.find(UNSUBSCRIBE).unwrap() < 4_000);
        }
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
    for language in ["en", "de", "fr", "es"] {
        let digest = select(&content(&posts(2), &posts(1), &[goal()]), &Selection::all(language));
        for line in digest.text.lines() {
            assert!(line.chars().count() <= 72 || line.contains("http"), "{line}");
        }
    }
}

#[test]
fn the_html_needs_nothing_from_elsewhere() {
    let html = digest(&posts(2), &posts(1), &[goal()]).html;
    for forbidden in ["<img", "<script", "src=", "url(", "@import", "flex", "<form", "http-equiv"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}
