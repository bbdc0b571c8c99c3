//! What a webhook is told, and the signature it is known by: Standard Webhooks (<https://www.standardwebhooks.com>), version
//! 1. Pure: the secret is an argument, and so is the time.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

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
}

/// The ledger's events, and what they are called outside; the others are nobody's business.
pub const TOLD: [(&str, &str); 7] = [
    ("asked", "subscribed"),
    ("confirmed", "confirmed"),
    ("added", "confirmed"),
    ("unsubscribed", "unsubscribed"),
    ("suppressed", "bounced"),
    ("sent", "edition_sent"),
    ("paused", "edition_paused"),
];

/// Why, if what is kept with an event says so.
#[must_use]
pub fn reason(proof: &str) -> Option<String> {
    let proof: serde_json::Value = serde_json::from_str(proof).ok()?;
    proof["reason"].as_str().map(str::to_owned)
}

/// The body of a call.
#[must_use]
pub fn body(happening: &Happening<'_>) -> String {
    let name = TOLD.iter().find(|(event, _)| *event == happening.event).map_or("", |(_, name)| *name);
    let data = match (happening.edition, happening.reason) {
        (Some(edition), Some(reason)) => json!({"edition": edition, "reason": reason}),
        (Some(edition), None) => json!({"edition": edition}),
        (None, _) => json!({"subscriber": happening.subscriber, "email": happening.email, "source": happening.source}),
    };
    json!({"type": name, "timestamp": happening.at.to_string(), "data": data}).to_string()
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
}
