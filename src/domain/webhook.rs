//! What a webhook is told, and the signature it is known by: Standard Webhooks (<https://www.standardwebhooks.com>), version
//! 1. Pure: the secret is an argument, and so is the time.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What happened, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening<'a> {
    pub event: &'a str,
    pub at: Timestamp,
    pub subscriber: Option<i64>,
    /// None if they have been forgotten since.
    pub email: Option<&'a str>,
    pub edition: Option<&'a str>,
    pub source: &'a str,
    /// Of an edition: why.
    pub reason: Option<&'a str>,
    /// Of a letter to editors: what it says, its words as `text`.
    pub facts: Option<&'a Value>,
}

/// The ledger's events, and what they are called outside; the others are nobody's business.
pub const TOLD: [(&str, &str); 10] = [
    ("asked", "subscribed"),
    ("confirmed", "confirmed"),
    ("added", "confirmed"),
    ("unsubscribed", "unsubscribed"),
    ("erased", "unsubscribed"),
    ("suppressed", "bounced"),
    ("sent", "edition_sent"),
    ("paused", "edition_paused"),
    (NUDGED, "goal_nudge"),
    (CLOSED, "month_closed"),
];

/// What the ledger calls a nudge, and the letter on how a month closed.
pub const NUDGED: &str = "nudged";
pub const CLOSED: &str = "closed";

/// Why, if what is kept with an event says so.
#[must_use]
pub fn reason(proof: &str) -> Option<String> {
    let proof: Value = serde_json::from_str(proof).ok()?;
    proof["reason"].as_str().map(str::to_owned)
}

/// What a letter said, if the event is one of its own.
#[must_use]
pub fn facts(event: &str, proof: &str) -> Option<Value> {
    let is_letter = matches!(event, NUDGED | CLOSED);
    is_letter.then(|| serde_json::from_str(proof).ok())?
}

fn name(happening: &Happening<'_>) -> &'static str {
    TOLD.iter().find(|(event, _)| *event == happening.event).map_or("", |(_, name)| *name)
}

/// The body of a call, as Standard Webhooks has it.
#[must_use]
pub fn body(happening: &Happening<'_>) -> String {
    let data = match (happening.facts, happening.edition, happening.reason) {
        (Some(facts), ..) => facts.clone(),
        (None, Some(edition), Some(reason)) => json!({"edition": edition, "reason": reason}),
        (None, Some(edition), None) => json!({"edition": edition}),
        (None, None, _) => {
            json!({"subscriber": happening.subscriber, "email": happening.email, "source": happening.source})
        }
    };
    json!({"type": name(happening), "timestamp": happening.at.to_string(), "data": data}).to_string()
}

/// The same for a room of people: Slack's `text`. Nobody's address is said there.
#[must_use]
pub fn slack(happening: &Happening<'_>) -> String {
    // Its own three signs: everything else is text, so that no title pings a room.
    let text = words(happening).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": text }).to_string()
}

/// The same as Matrix's bridge takes it.
#[must_use]
pub fn matrix(happening: &Happening<'_>) -> String {
    let text = words(happening);
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>");
    json!({ "text": text, "html": html }).to_string()
}

fn words(happening: &Happening<'_>) -> String {
    if let Some(text) = happening.facts.and_then(|facts| facts["text"].as_str()) {
        return text.to_owned();
    }
    let edition = happening.edition.unwrap_or_default();
    match (name(happening), happening.reason) {
        ("subscribed", _) => "Somebody asked to subscribe.".into(),
        ("confirmed", _) => "There is a new subscriber.".into(),
        ("unsubscribed", _) => "Somebody has unsubscribed.".into(),
        ("bounced", _) => "A subscriber's address does not work any more.".into(),
        ("edition_sent", _) => format!("The edition {edition} has been sent."),
        ("edition_paused", Some(reason)) => format!("The edition {edition} is paused: {reason}"),
        (_, _) => format!("The edition {edition} is paused."),
    }
}

/// The value of `webhook-signature`. A secret that begins with `whsec_` is in base64, as other tools give it out.
#[must_use]
pub fn signature(secret: &str, id: &str, at: Timestamp, body: &str) -> String {
    let decoded = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    let key = hmac::Key::new(hmac::HMAC_SHA256, decoded.as_deref().unwrap_or(secret.as_bytes()));
    let signed = hmac::sign(&key, format!("{id}.{}.{body}", at.as_second()).as_bytes());
    format!("v1,{}", STANDARD.encode(signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of its reference libraries.
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signature = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_call_says_what_happened_and_to_whom() {
        let happening = Happening {
            event: "suppressed",
            at: Timestamp::UNIX_EPOCH,
            subscriber: Some(7),
            email: Some("ann@example.org"),
            edition: None,
            source: "bounce",
            reason: None,
            facts: None,
        };
        let expected = json!({
            "type": "bounced",
            "timestamp": "1970-01-01T00:00:00Z",
            "data": {"subscriber": 7, "email": "ann@example.org", "source": "bounce"},
        });
        assert_eq!(body(&happening), expected.to_string());
        let sent = Happening { event: "sent", subscriber: None, email: None, edition: Some("2021-05"), ..happening };
        assert!(body(&sent).contains(r#""type":"edition_sent""#) && body(&sent).contains(r#"{"edition":"2021-05"}"#));
        let paused = Happening { event: "paused", reason: Some("too many complaints"), ..sent };
        let expected = json!({
            "type": "edition_paused",
            "timestamp": "1970-01-01T00:00:00Z",
            "data": {"edition": "2021-05", "reason": "too many complaints"},
        });
        assert_eq!(body(&paused), expected.to_string());
    }

    #[test]
    fn a_room_of_people_is_told_in_words_and_by_no_address() {
        let nudge = json!({"text": "3 days left <!channel> & one post is due.\n- A draft", "period": "2021-07"});
        let happening = Happening {
            event: NUDGED,
            at: Timestamp::UNIX_EPOCH,
            subscriber: None,
            email: None,
            edition: None,
            source: "letter",
            reason: None,
            facts: Some(&nudge),
        };
        assert!(
            body(&happening).contains(r#""type":"goal_nudge""#) && body(&happening).contains(r#""period":"2021-07""#)
        );
        let said = "3 days left &lt;!channel&gt; &amp; one post is due.";
        assert_eq!(slack(&happening), json!({"text": format!("{said}\n- A draft")}).to_string());
        let matrix: Value = serde_json::from_str(&matrix(&happening)).unwrap();
        assert_eq!((&matrix["text"], &matrix["html"]), (&nudge["text"], &json!(format!("{said}<br>- A draft"))));
        for (event, _) in TOLD {
            let told = Happening {
                event,
                facts: None,
                email: Some("ann@example.org"),
                edition: Some("2021-05"),
                ..happening.clone()
            };
            assert!(!slack(&told).contains("ann") && slack(&told).len() > 20, "{event}");
        }
    }
}
