//! What a mail server says, and what it is sent: replies are bounded and lead to a decision, messages stay one message.

use std::time::Duration;

use gazetted::domain::bounce::{Decision, Reply, Stage, decide};
use gazetted::mail::{Wire, stuffed};
use tokio::io::AsyncWriteExt as _;

use super::{assert_one_line, choice};

const STAGES: [Stage; 9] = [
    Stage::Connect,
    Stage::Greeting,
    Stage::Ehlo,
    Stage::StartTls,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Dot,
];

pub fn is_understood_or_refused(data: &[u8]) {
    let (what, rest) = choice(data);
    if what % 4 == 0 { stays_one_message(rest) } else { replies_are_bounded(what, rest) }
}

/// As many replies as there are, arriving in pieces.
fn replies_are_bounded(piece: u8, data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (mut server, client) = tokio::io::duplex(usize::from(piece).max(1) * 16);
    let mut wire = Wire::new(Box::new(client));
    runtime.block_on(async {
        let say = async {
            // The other side may hang up first.
            let _ = server.write_all(data).await;
            drop(server);
        };
        let listen = async {
            while let Ok(reply) = wire.reply(Duration::from_secs(5)).await {
                assert_sound(&reply);
            }
            drop(wire);
        };
        tokio::join!(say, listen);
    });
}

fn assert_sound(reply: &Reply) {
    assert!((200..600).contains(&reply.code), "{}", reply.code);
    assert!((1..=100).contains(&reply.lines.len()), "{} lines", reply.lines.len());
    for line in &reply.lines {
        assert!(line.chars().count() <= 400, "{}", line.len());
        assert_one_line(line);
    }
    assert_one_line(&reply.to_string());
    for stage in STAGES {
        let decision = decide(stage, reply);
        let accepted = decision == Decision::Accepted;
        assert_eq!(accepted, stage == Stage::Dot && reply.is_positive(), "{stage:?} {reply}");
        if !matches!(stage, Stage::Rcpt | Stage::Data | Stage::Dot) {
            assert!(
                !matches!(decision, Decision::DeferRecipient | Decision::FailRecipient { .. } | Decision::Refused),
                "{stage:?} {reply} is held against a reader"
            );
        }
    }
}

/// What a server that goes by the book takes for the message is the message; nothing ends it before its end.
fn stays_one_message(message: &[u8]) {
    let whole = stuffed(message);
    let sent = whole.strip_suffix(b".\r\n").expect("its end");
    assert!(sent.ends_with(b"\r\n"));
    let end = [b"\r\n", whole.as_slice()].concat().windows(5).position(|five| five == b"\r\n.\r\n").expect("its end");
    assert_eq!(end + 3, whole.len(), "ends before its end");
    // A server that takes a bare LF for a line's end sees no end in it either.
    assert!(!sent.starts_with(b".\n") && !sent.starts_with(b".\r\n"));
    for lax in [&b"\n.\n"[..], b"\n.\r\n", b"\r\n.\n"] {
        assert!(!sent.windows(lax.len()).any(|some| some == lax), "{lax:?} ends it for some servers");
    }
    let mut received = Vec::new();
    for line in sent.split_inclusive(|b| *b == b'\n') {
        received.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    let expected = if message.ends_with(b"\r\n") { message.to_vec() } else { [message, b"\r\n"].concat() };
    assert_eq!(received, expected);
}
