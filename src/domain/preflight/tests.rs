use super::*;

const LEAVE: &str = "https://news.example/unsubscribe/T";
const HEAD: &str = "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=x;\r\n\th=From:To:Subject:Date:Message-ID:\r\n\tList-Id:\
                    List-Unsubscribe:List-Unsubscribe-Post; bh=x; b=y\r\nFrom: Notes <a@a.example>\r\nTo: <b@b.example>\r\n\
                    Subject: A\r\nDate: now\r\nMessage-ID: <1@a.example>\r\nList-Id: Notes <n.a.example>\r\n\
                    List-Unsubscribe: <https://news.example/unsubscribe/T>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";

fn html(more: &str) -> String {
    let words = "Words that say what is in this mail, and what is not. ".repeat(10);
    format!(
        "<html><body><p>{words}</p><a href=\"https://blog.example/a\">A</a>{more}<a href=\"{LEAVE}\">Leave</a></body></html>"
    )
}

fn text(more: &str) -> String {
    format!("A (https://blog.example/a).\n{more}\nLeave: {LEAVE}\n")
}

/// Codes with their severities, for a mail in which all is well but what `change` does.
fn found(change: impl FnOnce(&mut Sample)) -> Vec<(Severity, &'static str)> {
    let mut sample = Sample {
        subject: "Graphs, and 2 more".into(),
        text: text(""),
        html: html(""),
        head: HEAD.into(),
        postal_address: "A street".into(),
        leaves: true,
        braces: false,
    };
    change(&mut sample);
    let reach = |link: &str| match link {
        "https://blog.example/a" | LEAVE => Reach::Shown,
        "https://blog.example/draft" => Reach::Unpublished,
        _ => Reach::Unknown,
    };
    let around = Surroundings {
        site_url: "https://blog.example",
        pages_url: "https://news.example",
        postal_address: &sample.postal_address,
        leaves: sample.leaves,
        braces: sample.braces,
        reach: &reach,
    };
    let Sample { subject, text, html, head, .. } = &sample;
    let mail = Mail { subject, text, html, head, unsubscribe: LEAVE };
    inspect(&mail, &around).into_iter().map(|finding| (finding.severity, finding.code)).collect()
}

struct Sample {
    subject: String,
    text: String,
    html: String,
    head: String,
    postal_address: String,
    leaves: bool,
    braces: bool,
}

impl Sample {
    /// The same link in both parts.
    fn link(&mut self, link: &str) {
        self.html = html(&format!("<a href=\"{link}\">B</a>"));
        self.text = text(link);
    }
}

#[test]
fn a_good_mail_has_no_findings() {
    assert_eq!(found(|_| ()), []);
}

#[test]
fn what_is_wrong_is_found_and_told_apart() {
    use Severity::{Amber, Red};
    type Change = Box<dyn FnOnce(&mut Sample)>;
    let cases: [(&str, Change, Severity, &str); 21] = [
        ("no subject", Box::new(|s| s.subject = " ".into()), Red, "subject-empty"),
        ("capitals", Box::new(|s| s.subject = "GRAPHS, AND 2 MORE".into()), Amber, "subject-capitals"),
        ("residue", Box::new(|s| s.subject = "Graphs {{ more }}".into()), Red, "template-residue"),
        ("residue in the text", Box::new(|s| s.text.push_str("{% if")), Red, "template-residue"),
        ("no address", Box::new(|s| s.postal_address = String::new()), Red, "postal-address"),
        ("no way out in the text", Box::new(|s| s.text = "https://blog.example/a".into()), Red, "unsubscribe"),
        ("a relative link", Box::new(|s| s.html = html("<a href=\"/b\">B</a>")), Red, "link-broken"),
        ("a script", Box::new(|s| s.html = html("<a href=\"javascript:x\">B</a>")), Red, "link-scheme"),
        ("a draft", Box::new(|s| s.link("https://blog.example/draft")), Red, "link-unpublished"),
        ("an unknown page", Box::new(|s| s.link("https://blog.example/about")), Amber, "link-unknown"),
        ("not encrypted", Box::new(|s| s.link("http://other.example/")), Amber, "link-plain"),
        ("a link in one part", Box::new(|s| s.text = text("https://other.example/")), Amber, "links-differ"),
        ("a large mail", Box::new(|s| s.html.push_str(&" ".repeat(85_000))), Amber, "size"),
        ("a huge mail", Box::new(|s| s.html.push_str(&" ".repeat(100_000))), Red, "size"),
        ("a mute picture", Box::new(|s| s.html = html("<img src=\"https://a.example/a.png\">")), Amber, "alt"),
        ("grey on grey", Box::new(|s| s.html = html("<p style=\"color:#999999\">Faint</p>")), Amber, "contrast"),
        ("no list header", Box::new(|s| s.head = HEAD.replace("List-Unsubscribe-Post:", "X-Post:")), Red, "header"),
        ("not covered", Box::new(|s| s.head = HEAD.replace(":List-Unsubscribe-Post;", ";")), Red, "dkim-coverage"),
        ("not signed", Box::new(|s| s.head = HEAD.replace("DKIM-Signature", "X-Other")), Amber, "unsigned"),
        (
            "the brand first",
            Box::new(|s| {
                s.subject = "Notes: graphs".into();
                s.head = HEAD.replace("<b@b.example>", "b@b.example");
            }),
            Amber,
            "subject-brand",
        ),
        (
            "pictures only",
            Box::new(|s| {
                s.html = format!(
                    "<img alt=\"x\" src=\"https://a.example/a.png\"><a href=\"https://blog.example/a\">A</a><a href=\"{LEAVE}\">L</a>"
                );
            }),
            Amber,
            "images-only",
        ),
    ];
    for (name, change, severity, code) in cases {
        assert_eq!(found(change), [(severity, code)], "{name}");
    }
}

#[test]
fn braces_that_posts_bring_along_and_mail_that_stays_here_are_no_findings() {
    let quoted = |s: &mut Sample| {
        s.subject = "How {{ templates }} work".into();
        s.braces = true;
    };
    assert_eq!(found(quoted), []);
    let stays = |s: &mut Sample| {
        (s.leaves, s.postal_address) = (false, String::new());
        s.head = HEAD.replace("DKIM-Signature", "X-Other");
    };
    assert_eq!(found(stays), []);
    assert_eq!(found(|s| s.link("http://127.0.0.1:8080/subscribe")), []);
}

#[test]
fn the_worst_comes_first() {
    let all = found(|s| {
        s.subject = "GRAPHS, AND 2 MORE".into();
        s.postal_address = String::new();
    });
    assert_eq!(all, [(Severity::Red, "postal-address"), (Severity::Amber, "subject-capitals")]);
}

#[test]
fn addresses_in_text_end_where_their_readers_think() {
    let found = links_of_text("See (https://a.example/b_(c)), https://a.example/d. And <https://a.example/e>");
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["https://a.example/b_(c)", "https://a.example/d", "https://a.example/e"]
    );
}
