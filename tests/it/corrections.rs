//! What was wrong in a post that an edition announced is told once, to those who have read it.

use super::site::{Site, site, text};

fn opened(site: &Site, month: &str) -> String {
    site.ok(&format!("digest open {month} --now"));
    site.ok(&format!("digest preview {month} --format text")).out
}

#[test]
fn a_correction_is_told_in_the_next_edition_and_never_again() {
    let site = site()
        .post("2021-04-05-april.md", text("April", "Rain."))
        .post("2021-05-05-may.md", text("May", "Sun."))
        .post("2021-06-05-june.md", text("June", "Heat."));
    site.ok("subscribers add ann@example.org");
    assert!(!opened(&site, "2021-04").contains("CORRECTED"));
    site.save("_posts/2021-04-05-april.md", "---\ntitle: April\ncorrection: It was snow, not rain.\n---\nSnow.\n");
    let preview = site.ok("digest preview 2021-05 --format text").out;
    let may = opened(&site, "2021-05");
    for digest in [preview, may] {
        assert!(
            digest.contains("CORRECTED SINCE\n\nApril\nIt was snow, not rain.\nhttps://blog.example.org/"),
            "{digest}"
        );
    }
    assert!(!opened(&site, "2021-06").contains("CORRECTED"));
}

#[test]
fn a_post_that_was_taken_back_is_named_without_a_link() {
    let site =
        site().post("2021-04-05-april.md", text("April", "Rain.")).post("2021-05-05-may.md", text("May", "Sun."));
    site.ok("subscribers add ann@example.org");
    opened(&site, "2021-04");
    site.save(
        "_posts/2021-04-05-april.md",
        "---\ntitle: April\npublished: false\ncorrection: None of it is true.\n---\nRain.\n",
    );
    let may = opened(&site, "2021-05");
    assert!(may.contains("April (taken back)\nNone of it is true.\n"), "{may}");
    assert!(!may.contains("april.html"), "{may}");
}

#[test]
fn a_correction_of_what_nobody_was_told_of_is_no_news() {
    let site = site()
        .post("2021-04-05-april.md", "---\ntitle: April\ncorrection: It was snow.\n---\nSnow.\n")
        .post("2021-05-05-may.md", text("May", "Sun."));
    assert!(!opened(&site, "2021-05").contains("CORRECTED"));
}
