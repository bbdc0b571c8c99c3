//! Whole files, as tables: what each says of its people, and what is wrong with it.

use super::*;
use crate::domain::problem::Problem;

fn rows(text: impl AsRef<[u8]>) -> Vec<ImportRow> {
    open("list.csv", text.as_ref(), None).unwrap().collect::<Result<_, _>>().unwrap()
}

fn problems(text: impl AsRef<[u8]>) -> Vec<String> {
    match open("list.csv", text.as_ref(), None) {
        Ok(list) => list.filter_map(Result::err).map(|problem| problem.to_string()).collect(),
        Err(problem) => vec![problem.to_string()],
    }
}

/// Address, name, state and reason of each.
fn people(text: impl AsRef<[u8]>) -> Vec<String> {
    let one = |row: ImportRow| {
        let reason = row.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} {} {}{reason}", row.address.email, row.name.unwrap_or_default(), row.state.as_str())
    };
    rows(text).into_iter().map(one).collect()
}

#[test]
fn files_of_every_common_shape_are_read() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for text in [
        b"email,name\nann@example.org,Ann Smith\n".to_vec(),
        "\u{feff}Name;E-Mail\r\nAnn Smith;ann@example.org\r\n".into(),
        b"EMAIL\tName\nann@example.org\tAnn Smith".to_vec(),
        b"Email Address,First Name,Last Name,MEMBER_RATING\nann@example.org,Ann,Smith,2\n".to_vec(),
        b"email,name\n\"ann@example.org\",\"Ann\nSmith\"\n".to_vec(),
        b"\n\nid,email,name,note\n\n1,ann@example.org,\"\tAnn\x01Smith \xe2\x80\xae\"\n,,,\n".to_vec(),
        utf16("\u{feff}email\tname\r\nann@example.org\tAnn Smith\r\n"),
        utf16("email,name\r\nann@example.org,Ann Smith\r\n"),
    ] {
        assert_eq!(people(&text), ["ann@example.org Ann Smith active"], "{}", String::from_utf8_lossy(&text));
    }
    let lines: Vec<u64> = rows("ann@example.org\n\nbob@example.org").iter().map(|row| row.line).collect();
    assert_eq!(lines, [1, 3]);
    assert_eq!(rows(""), []);
    assert_eq!(rows("\n \n"), []);
}

#[test]
fn a_name_is_short_enough_for_a_header() {
    let text = format!("email,name\nann@example.org,{}\n", "Ä".repeat(1_000));
    assert_eq!(rows(text)[0].name.as_ref().unwrap().chars().count(), 100);
}

#[test]
fn a_row_that_is_cut_before_it_says_who_is_subscribed_is_refused() {
    let substack = "email,active_subscription,expiry,email_disabled,created_at\n";
    let cut = format!("{substack}x@example.org,false,,false,2024-01-01\ny@example.org,fal");
    let [problem] = problems(&cut).try_into().unwrap();
    assert!(problem.starts_with("list.csv:3:15: error: the row ends before `email_disabled`"), "{problem}");
    // What says nothing of that may be left out.
    assert_eq!(people(format!("{substack}x@example.org,false,,false")), ["x@example.org  active"]);
}

#[test]
fn the_day_that_databases_write_for_none_is_a_no() {
    let text = "email,optin,unsubscribed\na@example.org,0000-00-00 00:00:00,\nb@example.org,2024-05-01,0000-00-00\n";
    assert_eq!(people(text), ["a@example.org  unsubscribed", "b@example.org  active"]);
}

#[test]
fn whoever_any_cell_says_has_left_is_not_active() {
    let ghost = "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at\n";
    let beehiiv = "email,First Name,Last Name,status,tier,created_at,unsubscribed_at\n";
    let buttondown = "email,subscriber_type,creation_date,unsubscription_date\n";
    let listmonk = "uuid,email,name,attributes,status,created_at,updated_at\n";
    let substack = "email,active_subscription,expiry,email_disabled,created_at\n";
    let older = "email,expiry,email_disabled,prefer_digests,stripe_connected_customer_id,type\n";
    for (header, row, expected) in [
        (ghost, "1,a@x.org,,,true,false,,,", "active"),
        (ghost, "1,a@x.org,,,false,false,,,", "unsubscribed"),
        (ghost, "1,a@x.org,,,,false,,,", "unsubscribed"),
        (ghost, "1,a@x.org,,,true,false,,,2024-01-02T03:04:05.000Z", "unsubscribed"),
        (beehiiv, "a@x.org,,,active,free,2023-03-24 10:23:10 UTC,", "active"),
        (beehiiv, "a@x.org,,,Active,free,,2024-03-13 11:33:53 UTC", "unsubscribed"),
        (beehiiv, "a@x.org,,,inactive,free,,", "unsubscribed"),
        (beehiiv, "a@x.org,,,validating,free,,", "pending"),
        (beehiiv, "a@x.org,,,invalid,free,,", "suppressed undeliverable"),
        (buttondown, "a@x.org,regular,2024-01-01,", "active"),
        (buttondown, "a@x.org,premium,2024-01-01,2024-02-02", "unsubscribed"),
        (buttondown, "a@x.org,gifted,2024-01-01,", "active"),
        (buttondown, "a@x.org,unactivated,2024-01-01,", "pending"),
        (buttondown, "a@x.org,unsubscribed,2024-01-01,", "unsubscribed"),
        (buttondown, "a@x.org,removed,2024-01-01,", "unsubscribed"),
        (buttondown, "a@x.org,complained,2024-01-01,", "suppressed complained"),
        (buttondown, "a@x.org,undeliverable,2024-01-01,2024-02-02", "suppressed undeliverable"),
        (buttondown, "a@x.org,spammy,2024-01-01,", "suppressed blocked"),
        (listmonk, "u,a@x.org,,{},enabled,,", "active"),
        (listmonk, "u,a@x.org,,{},disabled,,", "unsubscribed"),
        (listmonk, "u,a@x.org,,{},blocklisted,,", "suppressed blocked"),
        (substack, "a@x.org,false,,false,2018-08-27T15:06:27.713Z", "active"),
        (substack, "a@x.org,true,2025-06-23T23:41:42.980Z,true,2018-08-29T20:50:03.435Z", "unsubscribed"),
        (older, "a@x.org,,true,false,,signup", "unsubscribed"),
        (older, "a@x.org,,false,false,,signup", "active"),
        ("email,status\n", "a@x.org,Subscribed", "active"),
        ("email,status\n", "a@x.org,bounced", "suppressed undeliverable"),
        ("email,subscribed\n", "a@x.org,", "unsubscribed"),
        ("email,confirmed\n", "a@x.org,no", "pending"),
        ("email,status,unsubscribed_at\n", "a@x.org,active,13/05/2024", "unsubscribed"),
        ("email,CLEAN_TIME\n", "a@x.org,2024-01-01", "suppressed cleaned"),
    ] {
        let row = rows(format!("{header}{row}\n")).remove(0);
        let found = [Some(row.state.as_str()), row.reason].into_iter().flatten().collect::<Vec<_>>().join(" ");
        assert_eq!(found, expected, "{header}{row:?}");
    }
}

#[test]
fn a_word_that_is_not_known_is_a_problem_and_nobody_is_active_by_it() {
    for (text, expected) in [
        (
            "email,status\na@x.org,splendid\n",
            "2:9: error: `status` says `splendid`, which is no state that is known here",
        ),
        ("email,status\na@x.org\n", "2:1: error: `status` says nothing, which is no state that is known here"),
        (
            "email,optout\na@x.org,perhaps\n",
            "2:9: error: `optout` says `perhaps`, which is neither yes nor no nor a date",
        ),
        (
            "uuid,email,name,attributes,status,created_at\nu,a@x.org,,{},Activ,\n",
            "2:15: error: `status` says `Activ`, which is no state that is known here",
        ),
    ] {
        assert_eq!(problems(text), [format!("list.csv:{expected}")], "{text}");
    }
}

#[test]
fn dates_of_every_tool_are_read_and_kept_as_proof() {
    let mailchimp = "Email Address,First Name,Last Name,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,LEID,EUID\n\
                     a@x.org,Ann,,2021-05-07 10:00:00,203.0.113.77,2021-05-07 10:05:00,2001:db8:1:2::3,,1,2\n";
    let row = rows(mailchimp).remove(0);
    assert_eq!(
        (row.asked_at, row.confirmed_at),
        (Some("2021-05-07T10:00:00Z".parse().unwrap()), Some("2021-05-07T10:05:00Z".parse().unwrap()))
    );
    assert_eq!(
        row.proof,
        r#"{"tool":"mailchimp","OPTIN_TIME":"2021-05-07 10:00:00","OPTIN_IP":"203.0.113.0/24","CONFIRM_TIME":"2021-05-07 10:05:00","CONFIRM_IP":"2001:db8:1::/48"}"#
    );
    let go = "uuid,email,name,attributes,status,created_at,updated_at\nu,a@x.org,,{},enabled,2026-01-02 03:04:05.6 +0000 UTC,\n";
    assert_eq!(rows(go)[0].asked_at, Some("2026-01-02T03:04:05.6Z".parse().unwrap()));
    let earliest = "email,status,tier,created_at,unsubscribed_at,Subscription Date (Substack)\n\
                    a@x.org,inactive,free,2023-04-11 14:02:46 UTC,2024-03-13 11:33:53 UTC,2022-03-12 11:43:23 UTC\n";
    let row = rows(earliest).remove(0);
    assert_eq!(
        (row.asked_at, row.left_at),
        (Some("2022-03-12T11:43:23Z".parse().unwrap()), Some("2024-03-13T11:33:53Z".parse().unwrap()))
    );
    let strange = rows("email,created_at,utm\na@x.org,the 3rd of Brumaire,x\n").remove(0);
    assert_eq!(strange.asked_at, None);
    assert_eq!(strange.proof, r#"{"tool":"csv","created_at":"the 3rd of Brumaire"}"#);
}

#[test]
fn a_proof_names_nobody() {
    let text = "email,name,source\nann@x.org,Ann,https://x.org/join?email=ann%40x.org\n";
    assert_eq!(rows(text)[0].proof, r#"{"tool":"csv","source":"https://x.org/join"}"#);
}

#[test]
fn the_mark_against_formulae_is_taken_away_where_it_was_put() {
    let ghost = "email,name,subscribed_to_emails,complimentary_plan,created_at,deleted_at\n";
    assert_eq!(people(format!("{ghost}'+a@x.org,'=1+1,true,,,\n")), ["+a@x.org =1+1 active"]);
    assert_eq!(people(format!("{ghost}a@x.org,'t Hooft,true,,,\n")), ["a@x.org 't Hooft active"]);
    assert_eq!(people("email,name\na@x.org,'=1\n"), ["a@x.org '=1 active"]);
}

#[test]
fn problems_name_line_and_column() {
    let text =
        "email,name\nann@example.org,\"Ann\nSmith\"\nbob,Bob\nx@y,\n,Nobody\na@x.org,b,c\na@x.org,A\0\nb@x.org,\"B";
    assert_eq!(
        problems(text),
        [
            "list.csv:4:1: error: `bob` is no mail address: it has no `@`",
            "list.csv:5:1: error: `x@y` is no mail address: the part after the `@` has no dot; expected a domain like `example.org`",
            "list.csv:6:1: error: nothing is no mail address: it is empty",
            "list.csv:7:11: error: there are 3 fields here, and 2 in the header",
            "list.csv:8:9: error: there is a NUL character here",
            "list.csv:9:9: error: a quote opens here and is not closed before the file ends",
        ]
    );
    assert_eq!(problems(b"email,name\nann@x.org,\xc3,\xa9\n"), ["list.csv:2:11: error: this is not UTF-8"]);
    assert_eq!(problems("ann@x.org\nbob@x.org,Bob\n"), ["list.csv:2:11: error: there is more here than one address"]);
}

#[test]
fn a_file_of_another_kind_is_refused() {
    for (bytes, expected) in [
        (&b"first,second\na,b\n"[..], "no column is called `email`"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x00\x01\x02", "not UTF-8 text"),
        (b"\xff,\xfe\n", "not UTF-8 text"),
    ] {
        assert!(problems(bytes)[0].contains(expected), "{:?}", problems(bytes));
    }
}

#[test]
fn a_survey_counts_and_stops_at_the_hundredth_problem() {
    let mut survey = Survey::default();
    survey.read("a.csv", &b"email,status\na@x.org,active\nA@X.org,unsubscribed\nb@x.org,pending\n"[..], None);
    survey.read("b.csv", &b"b@x.org\n"[..], Some(Tool::Csv));
    assert_eq!((survey.rows, survey.repeated()), (4, 2));
    assert_eq!(survey.files[0].counts, Counts { active: 1, pending: 1, unsubscribed: 1, suppressed: 0 });
    assert!(survey.problems.is_empty());
    survey.read("c.csv", format!("email\n{}", "x\n".repeat(1_000)).as_bytes(), None);
    assert_eq!(survey.problems.len(), MOST_PROBLEMS);
}

#[test]
fn the_same_rows_are_known_by_their_sum() {
    let sum = |text: &str| {
        let mut survey = Survey::default();
        survey.read("a.csv", text.as_bytes(), None);
        survey.sum()
    };
    assert_eq!(sum("email\na@x.org\nb@x.org\n"), sum("email\nb@x.org\na@x.org\n"));
    assert_ne!(sum("email\na@x.org\n"), sum("email\nb@x.org\n"));
    assert_ne!(sum("email,status\na@x.org,active\n"), sum("email,status\na@x.org,pending\n"));
}

proptest::proptest! {
    #[test]
    fn whatever_a_file_holds_it_is_rows_or_problems(
        bytes: Vec<u8>,
        text in "((email|Email Address|status|state|created_at|LEID|name)[,;\t\n\"]){0,4}[a@.,;\n\r\" \u{e9}\0]{0,60}",
        wide: bool,
    ) {
        let wide_text: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for input in [&bytes[..], if wide { &wide_text } else { text.as_bytes() }] {
            let list: Vec<Result<ImportRow, Problem>> = match open("list.csv", input, None) {
                Ok(list) => list.collect(),
                Err(problem) => vec![Err(problem)],
            };
            for row in list {
                match row {
                    Ok(row) => {
                        proptest::prop_assert_eq!(Address::parse(&row.address.email), Ok(row.address));
                        proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&row.proof).is_ok());
                        proptest::prop_assert!(!row.name.is_some_and(|name| name.contains(char::is_control)));
                    }
                    Err(problem) => proptest::prop_assert!(!problem.to_string().contains('\n')),
                }
            }
        }
    }
}
