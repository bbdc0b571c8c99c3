use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::edition::State;
use crate::domain::period::Period;
use crate::render::digest::tests::{digest, posts};

pub(super) fn sender() -> Sender {
    Sender {
        from: "Dask, Working Notes <notes@blog.example>".into(),
        reply_to: Some("editors@blog.example".into()),
        title: "Dask Working Notes".into(),
        site_url: "https://blog.example".into(),
        public_url: "https://news.example/".into(),
        language: "en-GB".into(),
        key: [7; 32],
        keys: Keys::new(&[7; 32], &[]),
        dkim: Vec::new(),
        bounce_address: Some("bounces@blog.example".into()),
        list_id: None,
    }
}

pub(super) fn edition() -> Edition {
    let digest = digest(&posts(2), &posts(1), &[crate::render::goal::tests::goal()]);
    Edition {
        key: Period::month(2021, 5).unwrap().into(),
        state: State::Open,
        subject: "Dask Working Notes: Mai 2021 – größere Stücke".into(),
        text: digest.text,
        html: digest.html,
        content: serde_json::Value::Null,
        posts: 3,
        opened_at: "2021-06-01T09:00:00Z".parse().unwrap(),
        finished_at: None,
        reason: None,
    }
}

fn to<'a>(email: &'a str, name: Option<&'a str>) -> Recipient<'a> {
    Recipient { subscriber: 42, email, name }
}

fn text_of(message: &Message) -> String {
    String::from_utf8(message.bytes.clone()).unwrap()
}

/// Header names in order, as a reader who knows only RFC 5322 finds them.
fn header_names(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap();
    let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

const EXPECTED: [&str; 17] = [
    "From",
    "To",
    "Date",
    "Subject",
    "Message-ID",
    "Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "Precedence",
    "Feedback-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
];

#[test]
fn a_message_is_the_same_bytes_every_time() {
    let message = compose(&sender(), &edition(), to("ann@reader.example", Some("Ann"))).unwrap();
    assert_eq!(message, compose(&sender(), &edition(), to("ann@reader.example", Some("Ann"))).unwrap());
    let other = Recipient { subscriber: 43, ..to("ann@reader.example", Some("Ann")) };
    let other = compose(&sender(), &edition(), other).unwrap();
    assert_ne!(message.message_id, other.message_id);
    assert_ne!(message.return_path, other.return_path);
    insta::assert_snapshot!("message", text_of(&message).replace("\r\n", "\n"));
}

#[test]
fn lines_end_as_mail_ends_them_and_are_short_enough() {
    let message = compose(&sender(), &edition(), to("ann@reader.example", None)).unwrap();
    let text = text_of(&message);
    assert!(text.is_ascii() && text.ends_with("\r\n"));
    for line in text.split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']), "{line}");
    }
    assert!(!text.contains('\u{2}') && !text.contains("=02") && message.bytes.len() < 100_000);
}

#[test]
fn headers_say_who_sends_it_and_how_to_leave() {
    let message = compose(&sender(), &edition(), to("ann@reader.example", None)).unwrap();
    assert_eq!(header_names(&message.bytes), EXPECTED);
    let text = text_of(&message);
    for header in [
        "From: \"Dask, Working Notes\" <notes@blog.example>\r\n",
        "To: <ann@reader.example>\r\n",
        "Date: Tue, 01 Jun 2021 09:00:00 +0000\r\n",
        "List-Id: Dask Working Notes <dask-working-notes.blog.example>\r\n",
        "List-Unsubscribe: <https://news.example/unsubscribe/",
        ">,\r\n <mailto:bounces+",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "List-Archive: <https://news.example/editions/>\r\n",
        "Feedback-ID: 2021-05:digest:gazetted:daskworkingnote\r\n",
        "Content-Language: en-GB\r\n",
    ] {
        assert!(text.contains(header), "{header}\n{text}");
    }
    assert!(message.message_id.starts_with("<2021-05.") && message.message_id.ends_with("@blog.example>"));
}

#[test]
fn the_return_path_leads_back_to_the_subscriber() {
    let message = compose(&sender(), &edition(), to("ann@reader.example", None)).unwrap();
    let local = message.return_path.strip_suffix("@blog.example").unwrap();
    assert!(local.len() <= 64);
    let token = local.strip_prefix("bounces+").unwrap();
    let keys = Keys::new(&[7; 32], &[]);
    assert_eq!(keys.read(token, Purpose::Bounce, Timestamp::UNIX_EPOCH), Ok(42));
    let plain = Sender { bounce_address: None, ..sender() };
    let message = compose(&plain, &edition(), to("ann@reader.example", None)).unwrap();
    assert_eq!(message.return_path, "notes@blog.example");
    assert!(!text_of(&message).contains("mailto:"));
}

#[test]
fn addresses_are_carried_as_mail_can_or_refused() {
    for (email, expected) in [
        ("ann@reader.example", Some("ann@reader.example")),
        (" ann+x@reader.example ", Some("ann+x@reader.example")),
        ("ann@bücher.example", Some("ann@xn--bcher-kva.example")),
        ("änn@reader.example", None),
        ("ann@[127.0.0.1]", None),
        ("ann@127.0.0.1", None),
        ("ann", None),
        ("a b@reader.example", None),
        ("ann@reader.example\r\nBcc: x@y.example", None),
        ("ann\r\n@reader.example", None),
        ("\"a@b\"@reader.example", None),
        ("", None),
    ] {
        let message = compose(&sender(), &edition(), to(email, None)).ok();
        assert_eq!(message.map(|m| m.recipient).as_deref(), expected, "{email}");
    }
}

#[test]
fn the_name_greets_in_both_parts_and_is_escaped_where_it_must_be() {
    let mut edition = edition();
    edition.text = format!("Hello{NAME}, {UNSUBSCRIBE}");
    edition.html = format!("<p>Hello{NAME}</p>");
    let message =
        compose(&sender(), &edition, to("ann@reader.example", Some("<b>Ann & \u{2}unsubscribe\u{3}"))).unwrap();
    let text = text_of(&message).replace("=\r\n", "").replace("=20", " ");
    assert!(text.contains("Hello <b>Ann & unsubscribe, https://news.example/unsubscribe/"), "{text}");
    assert!(text.contains("<p>Hello &lt;b&gt;Ann &amp; unsubscribe</p>"), "{text}");
}

#[test]
fn a_notice_is_one_mail_to_one_person_and_no_mailing_list() {
    use crate::render::notice::{Notice, tests::sample};
    let notice = sample("de", Notice::Confirm { url: "https://news.example/confirm/TOKEN" });
    let at: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
    let compose = |key, attached| compose_notice(&sender(), key, at, &notice, attached, to("ann@reader.example", None));
    let message = compose("confirm-2026-11-24", None).unwrap();
    assert_eq!(message, compose("confirm-2026-11-24", None).unwrap());
    assert_ne!(message.message_id, compose("confirm-2026-11-25", None).unwrap().message_id);
    let text = text_of(&message);
    assert_eq!(
        header_names(&message.bytes),
        [
            "From",
            "To",
            "Date",
            "Subject",
            "Message-ID",
            "Reply-To",
            "Feedback-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "Content-Language",
            "MIME-Version",
            "Content-Type"
        ]
    );
    for header in [
        "Date: Tue, 24 Nov 2026 09:00:00 +0000\r\n",
        "Feedback-ID: notice:notice:gazetted:daskworkingnote\r\n",
        "Content-Language: de\r\n",
        "Content-Type: multipart/alternative;",
    ] {
        assert!(text.contains(header), "{header}\n{text}");
    }
    assert!(message.return_path.starts_with("bounces+") && message.message_id.starts_with("<confirm-2026-11-24."));
    let json = b"{\"email\": \"ann@reader.example\"}".to_vec();
    let with_data = compose("data-2026-11-24", Some(("data.json", "application/json", json.clone()))).unwrap();
    let text = text_of(&with_data);
    for part in ["multipart/mixed;", "multipart/alternative;", "filename=\"data.json\"", "application/json"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(with_data, compose("data-2026-11-24", Some(("data.json", "application/json", json))).unwrap());
    assert!(compose("data", Some(("a\r\nBcc: x", "no type", Vec::new()))).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nothing_people_write_begins_a_header(
        name in "(\r\n|\n|\r|Bcc: a@b.c|[ -~]|ä|\u{2028}|\u{85}|\u{0}|\u{1b}|emoji 🎉){0,40}",
        title in "(\r\n|\n|\r|Bcc: a@b.c|[ -~]|ß|\u{2028}|\u{0}){0,80}",
        subject in any::<String>(),
    ) {
        let sender = Sender { title: title.clone(), from: format!("{} <notes@blog.example>", title.replace('<', "")), ..sender() };
        let edition = Edition { subject, text: title.clone(), html: name.clone(), ..edition() };
        let message = compose(&sender, &edition, to("ann@reader.example", Some(&name))).unwrap();
        prop_assert_eq!(header_names(&message.bytes), EXPECTED);
        let text = text_of(&message);
        prop_assert!(text.is_ascii());
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{:?}", line);
        }
    }
}
