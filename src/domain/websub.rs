//! WebSub (W3C): what publishers, hubs and subscribers say to each other, and how long each waits. Pure: challenges and times are
//! arguments.

use std::time::Duration;

use aws_lc_rs::hmac;
use url::Url;
use url::form_urlencoded;

const DAY: u32 = 24 * 60 * 60;
pub const SHORTEST_LEASE: u32 = DAY;
pub const LONGEST_LEASE: u32 = 30 * DAY;
const USUAL_LEASE: u32 = 10 * DAY;
/// The recommendation: less than 200 bytes.
const LONGEST_SECRET: usize = 199;
const LONGEST_ADDRESS: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Subscribe,
    Unsubscribe,
}

impl Mode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Subscribe, Self::Unsubscribe].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What a subscriber asks of a hub.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub mode: Mode,
    pub topic: String,
    pub callback: Url,
    /// Within the bounds.
    pub lease_seconds: u32,
    pub secret: Option<String>,
}

impl Request {
    /// From the body of its POST; else what is wrong with it.
    pub fn read(body: &[u8]) -> Result<Self, &'static str> {
        let mut fields = [const { String::new() }; 5];
        let names = ["hub.mode", "hub.topic", "hub.callback", "hub.lease_seconds", "hub.secret"];
        for (name, value) in form_urlencoded::parse(body) {
            if let Some(index) = names.iter().position(|known| *known == name) {
                fields[index] = value.into_owned();
            }
        }
        let [mode, topic, callback, lease, secret] = fields;
        let mode = Mode::parse(&mode).ok_or("`hub.mode` is neither `subscribe` nor `unsubscribe`")?;
        if topic.is_empty() || topic.len() > LONGEST_ADDRESS {
            return Err("`hub.topic` is missing or too long");
        }
        let callback = web_address(&callback).ok_or("`hub.callback` is no http or https address")?;
        if secret.len() > LONGEST_SECRET {
            return Err("`hub.secret` has 200 bytes or more");
        }
        let lease_seconds = match lease.trim() {
            "" => USUAL_LEASE,
            given => {
                given.parse::<u64>().map_err(|_| "`hub.lease_seconds` is no number")?.try_into().unwrap_or(u32::MAX)
            }
        };
        Ok(Self {
            mode,
            topic,
            callback,
            lease_seconds: lease_seconds.clamp(SHORTEST_LEASE, LONGEST_LEASE),
            secret: Some(secret).filter(|secret| !secret.is_empty()),
        })
    }
}

fn web_address(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok().filter(|_| text.len() <= LONGEST_ADDRESS)?;
    url.set_fragment(None);
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain).then_some(url)
}

/// What a callback is asked, so that it can say that it meant it.
#[must_use]
pub fn question(callback: &str, mode: Mode, topic: &str, challenge: &str, lease_seconds: u32) -> Option<String> {
    let mut url = Url::parse(callback).ok()?;
    url.query_pairs_mut()
        .append_pair("hub.mode", mode.as_str())
        .append_pair("hub.topic", topic)
        .append_pair("hub.challenge", challenge);
    if mode == Mode::Subscribe {
        url.query_pairs_mut().append_pair("hub.lease_seconds", &lease_seconds.to_string());
    }
    Some(url.into())
}

/// What a hub is told of a feed that has changed.
#[must_use]
pub fn ping(topic: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("hub.mode", "publish").append_pair("hub.url", topic).append_pair("hub.topic", topic).finish()
}

/// The value of a `Link` header: the feed's hubs and its own address.
#[must_use]
pub fn links(hubs: &[String], topic: &str) -> String {
    let hubs = hubs.iter().map(|hub| format!("<{hub}>; rel=\"hub\""));
    hubs.chain([format!("<{topic}>; rel=\"self\"")]).collect::<Vec<_>>().join(", ")
}

/// The value of `X-Hub-Signature`.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    format!("sha256={}", hex(signed.as_ref()))
}

#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |text, byte| text + &format!("{byte:02x}"))
}

/// Twice as long each time.
#[must_use]
pub fn wait(attempts: u32, first: Duration, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(attempts.clamp(1, 24) - 1)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Request, &'static str> {
        Request::read(body.as_bytes())
    }

    const GOOD: &str =
        "hub.mode=subscribe&hub.topic=https://a.example/atom.xml&hub.callback=https%3A%2F%2Fb.example%2Fc%3Fx%3D1";

    #[test]
    fn a_request_is_read_and_its_lease_kept_within_bounds() {
        let got = read(GOOD).unwrap();
        assert_eq!((got.mode, got.callback.as_str()), (Mode::Subscribe, "https://b.example/c?x=1"));
        assert_eq!((got.lease_seconds, got.secret), (10 * DAY, None));
        for (lease, want) in [("1", DAY), ("864000", 864_000), ("99999999999999", 30 * DAY)] {
            assert_eq!(read(&format!("{GOOD}&hub.lease_seconds={lease}")).unwrap().lease_seconds, want);
        }
    }

    #[test]
    fn a_bad_request_is_told_what_is_wrong() {
        let secret = format!("{GOOD}&hub.secret={}", "x".repeat(200));
        for (body, want) in [
            ("", "hub.mode"),
            (&GOOD.replace("=subscribe", "=publish"), "hub.mode"),
            (&GOOD.replace("https://a.example/atom.xml", ""), "hub.topic"),
            (&GOOD.replace("https%3A", "file%3A"), "hub.callback"),
            (&GOOD.replace("%2F%2Fb", "%2F%2Fu%3Ap%40b"), "hub.callback"),
            (&format!("{GOOD}&hub.lease_seconds=soon"), "hub.lease_seconds"),
            (&secret, "hub.secret"),
        ] {
            assert!(read(body).err().unwrap_or_default().contains(want), "{body}");
        }
    }

    #[test]
    fn what_is_said_is_as_the_recommendation_has_it() {
        let asked = question("https://b.example/c?x=1", Mode::Subscribe, "https://a.example/?a&b", "123", 60).unwrap();
        assert_eq!(
            asked,
            "https://b.example/c?x=1&hub.mode=subscribe&hub.topic=https%3A%2F%2Fa.example%2F%3Fa%26b&hub.challenge=123&hub.lease_seconds=60"
        );
        assert!(!question("https://b.example/", Mode::Unsubscribe, "t", "1", 60).unwrap().contains("lease"));
        assert_eq!(ping("https://a/"), "hub.mode=publish&hub.url=https%3A%2F%2Fa%2F&hub.topic=https%3A%2F%2Fa%2F");
        assert_eq!(
            links(&["https://h/".into()], "https://a/"),
            "<https://h/>; rel=\"hub\", <https://a/>; rel=\"self\""
        );
        // RFC 4231, test case 2.
        let known = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), known);
    }

    #[test]
    fn waits_grow_to_their_bound() {
        let waits: Vec<u64> =
            [0, 1, 2, 3, 7, 99].map(|n| wait(n, Duration::from_secs(10), Duration::from_mins(10)).as_secs()).into();
        assert_eq!(waits, [10, 10, 20, 40, 600, 600]);
    }
}
