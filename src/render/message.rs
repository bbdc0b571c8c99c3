//! The MIME message of one delivery: the edition's frozen text and HTML with the recipient's parts filled in, and the
//! headers of DESIGN §4.4; and that of a notice. Deterministic: the same edition and recipient give the same bytes, so a
//! retried mail is the same mail.
//!
//! Knows no server. What comes from posts and people is freed of control characters before it becomes a header, and
//! every address is taken apart and put together again, so nothing they hold can begin a header of its own.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use lettre::Address;
use lettre::message::header::{self, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Mailboxes, MessageBuilder, MultiPart, SinglePart};
use url::{Host, Url};

use super::digest::{NAME, PREFERENCES, UNSUBSCRIBE, clean};
use super::dkim::Signer;
use super::notice::NoticeText;
use super::xml::escape;
use crate::domain::edition::Edition;
use crate::domain::token::{self, Keys, Purpose};

mod form;

pub use form::Form;

/// What every message of this blog has in common.
#[derive(Clone)]
pub struct Sender {
    /// `Name <address>`.
    pub from: String,
    pub reply_to: Option<String>,
    /// The blog's title and address.
    pub title: String,
    pub site_url: String,
    /// Where the daemon's pages are reached, without a trailing slash: the unsubscribe links start here.
    pub public_url: String,
    pub language: String,
    /// What ids are derived with.
    pub key: [u8; 32],
    /// What tokens are made with: those that were in force when the edition was opened.
    pub keys: Keys,
    /// What signs: none, RSA, or RSA and Ed25519.
    pub dkim: Vec<Arc<Signer>>,
    /// Where bounces are read, as `bounces@example.org`; each message's return-path is `bounces+TOKEN@example.org`.
    /// Without it bounces go to `from`, and unsubscribing by mail is not offered.
    pub bounce_address: Option<String>,
    /// What stands in List-Id's brackets; without it, the title's slug at the blog's host.
    pub list_id: Option<String>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("from", &self.from).field("key", &"***").finish_non_exhaustive()
    }
}

/// Whom one message goes to.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    pub subscriber: i64,
    pub email: &'a str,
    pub name: Option<&'a str>,
}

/// A message ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub message_id: String,
    /// The envelope: MAIL FROM and RCPT TO.
    pub return_path: String,
    pub recipient: String,
    /// CRLF lines, not dot-stuffed.
    pub bytes: Vec<u8>,
}

/// The message cannot be made: the address or a header is beyond what mail can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(pub String);

fn cannot(what: impl Into<String>) -> MessageError {
    MessageError(what.into())
}

/// An edition's message to one reader. Who writes to many keeps the form.
pub fn compose(sender: &Sender, edition: &Edition, to: Recipient<'_>) -> Result<Message, MessageError> {
    compose_in(sender, edition, &sender.language, to)
}

/// The same, of an edition whose texts are in another language.
pub fn compose_in(
    sender: &Sender,
    edition: &Edition,
    language: &str,
    to: Recipient<'_>,
) -> Result<Message, MessageError> {
    Form::of(sender, edition, language)?.message(to)
}

/// What is attached to a notice: its name, its media type, and what it holds.
pub type Attached<'a> = (&'a str, &'a str, Vec<u8>);

/// A mail of its own to one person, asked for by them or about them. `key` names it, as `confirm-2026-11-24` does: the same
/// key and recipient make the same message.
pub fn compose_notice(
    sender: &Sender,
    key: &str,
    at: Timestamp,
    notice: &NoticeText,
    attached: Option<Attached<'_>>,
    to: Recipient<'_>,
) -> Result<Message, MessageError> {
    let return_path = Linking::of(sender, at)?.links(to.subscriber).return_path;
    let headers = Headers { sender, key, kind: "notice", subject: &notice.subject, at, language: &notice.language };
    headers.finish(to, return_path, |builder, boundary| {
        let texts = alternative(notice.text.clone(), notice.html.clone(), boundary);
        let Some((name, media_type, content)) = attached else { return Ok((builder, texts)) };
        let kind = ContentType::parse(media_type)
            .map_err(|_| cannot(format!("`{}` is not a media type", clean(media_type))))?;
        let attachment = Attachment::new(clean(name)).body(content, kind);
        let mixed = MultiPart::mixed().boundary(format!("{boundary}-mixed"));
        Ok((builder, mixed.multipart(texts).singlepart(attachment)))
    })
}

/// A letter to an editor, who is no subscriber: it has no links of theirs, and what comes back goes to the sender.
pub fn compose_letter(
    sender: &Sender,
    key: &str,
    at: Timestamp,
    letter: &NoticeText,
    to: Recipient<'_>,
) -> Result<Message, MessageError> {
    let headers = Headers { sender, key, kind: "letter", subject: &letter.subject, at, language: &letter.language };
    headers.finish(to, None, |builder, boundary| {
        Ok((builder, alternative(letter.text.clone(), letter.html.clone(), boundary)))
    })
}

/// For how long a link to somebody's choices can be used. A new one is mailed to whoever presses an old one's button.
pub const PREFERENCES_LAST: SignedDuration = SignedDuration::from_hours(24 * 30);
/// For how long "did you ask for this?" can be answered.
const QUESTION_LASTS: SignedDuration = SignedDuration::from_hours(72);

/// Where a notice leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Preferences,
    /// To an answer that can be given once: while what it is bound to is as it was.
    Answer(Purpose, u64),
}

/// The address of the page that a notice of this subscriber leads to.
pub fn link(sender: &Sender, subscriber: i64, target: Target, at: Timestamp) -> Result<String, MessageError> {
    let linking = Linking::of(sender, at)?;
    Ok(match target {
        Target::Preferences => linking.links(subscriber).preferences,
        Target::Answer(purpose, stamp) => {
            let expires = at.saturating_add(QUESTION_LASTS).unwrap_or(Timestamp::MAX);
            let token = linking.keys.mint_bound(purpose, subscriber, expires, stamp);
            format!("{}/confirm/{token}", linking.base)
        }
    })
}

/// Where this subscriber leaves, as it stands in their mails.
pub fn unsubscribe_link(sender: &Sender, subscriber: i64, at: Timestamp) -> Result<String, MessageError> {
    Ok(Linking::of(sender, at)?.links(subscriber).unsubscribe)
}

/// How the addresses that are a reader's own are made, at one instant.
struct Linking {
    keys: Keys,
    expires: Timestamp,
    base: String,
    bounces: Option<Address>,
}

/// The recipient's own addresses.
struct Links {
    unsubscribe: String,
    preferences: String,
    unsubscribe_mail: Option<String>,
    return_path: Option<String>,
}

impl Linking {
    fn of(sender: &Sender, at: Timestamp) -> Result<Self, MessageError> {
        let base = Url::parse(sender.public_url.trim_end_matches('/'))
            .ok()
            .filter(|url| matches!(url.scheme(), "https" | "http"))
            .ok_or_else(|| cannot(format!("`{}` is not the address of a web site", clean(&sender.public_url))))?;
        Ok(Self {
            keys: sender.keys.at(at),
            expires: at.saturating_add(PREFERENCES_LAST).unwrap_or(Timestamp::MAX),
            base: base.as_str().trim_end_matches('/').to_owned(),
            bounces: sender.bounce_address.as_deref().map(address).transpose()?,
        })
    }

    fn links(&self, subscriber: i64) -> Links {
        let page = |name, purpose, expires| {
            let Self { base, keys, .. } = self;
            format!("{base}/{name}/{}", keys.mint(purpose, subscriber, expires))
        };
        let tagged = |purpose| {
            let bounces = self.bounces.as_ref()?;
            let token = self.keys.mint_for_address(purpose, subscriber);
            Some(format!("{}+{token}@{}", bounces.user(), bounces.domain()))
        };
        Links {
            unsubscribe: page("unsubscribe", Purpose::Unsubscribe, None),
            preferences: page("preferences", Purpose::Preferences, Some(self.expires)),
            unsubscribe_mail: tagged(Purpose::Unsubscribe),
            return_path: tagged(Purpose::Bounce),
        }
    }
}

impl Links {
    /// What List-Unsubscribe holds.
    fn leave(&self) -> String {
        let mail = self.unsubscribe_mail.as_deref().map(format_folded).unwrap_or_default();
        format!("<{}>{mail}", self.unsubscribe)
    }
}

/// An address as the envelope takes it: the domain in ASCII, the local part as it is. A local part beyond ASCII would need
/// a server that speaks SMTPUTF8, and must not be rewritten.
fn address(text: &str) -> Result<Address, MessageError> {
    let text = text.trim();
    let wrong = || cannot(format!("`{}` is not a mail address", clean(text)));
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    if !local.is_ascii() {
        return Err(cannot("the part of the address before the `@` is not ASCII, which mail servers rarely take"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let dotted = local.split('.').all(|part| !part.is_empty() && part.chars().all(plain));
    let domain = match Host::parse(domain) {
        Ok(Host::Domain(domain)) if domain.len() <= 253 => domain.trim_end_matches('.').to_owned(),
        _ => return Err(wrong()),
    };
    if !dotted || local.len() > 64 {
        return Err(wrong());
    }
    Address::new(local, domain).map_err(|_| wrong())
}

/// `Name <address>` or a bare address.
fn mailbox(text: &str) -> Result<Mailbox, MessageError> {
    let text = clean(text);
    let Some((name, rest)) = text.rsplit_once('<') else { return Ok(Mailbox::new(None, address(&text)?)) };
    let email = address(rest.trim().trim_end_matches('>'))?;
    let name = name.trim().trim_matches('"').trim();
    Ok(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), email))
}

/// What a message's headers are made from.
struct Headers<'a> {
    sender: &'a Sender,
    /// The period of an edition, the name of a notice: what ids are derived from.
    key: &'a str,
    /// What complaints are counted by.
    kind: &'static str,
    subject: &'a str,
    at: Timestamp,
    language: &'a str,
}

impl Headers<'_> {
    /// The message whose body and further headers `fill` adds.
    fn finish(
        &self,
        to: Recipient<'_>,
        return_path: Option<String>,
        fill: impl FnOnce(MessageBuilder, &str) -> Result<(MessageBuilder, MultiPart), MessageError>,
    ) -> Result<Message, MessageError> {
        let message = self.unsigned(to, return_path, fill)?;
        Ok(Message { bytes: signed(self.sender, message.bytes, self.at)?, ..message })
    }

    fn unsigned(
        &self,
        to: Recipient<'_>,
        return_path: Option<String>,
        fill: impl FnOnce(MessageBuilder, &str) -> Result<(MessageBuilder, MultiPart), MessageError>,
    ) -> Result<Message, MessageError> {
        let recipient = address(to.email)?;
        let from = mailbox(&self.sender.from)?;
        let key = &self.sender.key;
        let id = format!("{}@{}", token::message_id(key, self.key, to.subscriber), from.email.domain());
        let builder = self.common(to, &recipient, &from, &id)?;
        let (builder, body) = fill(builder, &token::boundary(key, self.key, to.subscriber))?;
        let message = self
            .of_a_machine(builder)
            .multipart(body)
            .map_err(|error| cannot(format!("the message cannot be built: {error}")))?;
        Ok(Message {
            message_id: format!("<{id}>"),
            return_path: return_path.unwrap_or_else(|| from.email.to_string()),
            recipient: recipient.to_string(),
            bytes: message.formatted(),
        })
    }

    fn common(
        &self,
        to: Recipient<'_>,
        recipient: &Address,
        from: &Mailbox,
        id: &str,
    ) -> Result<MessageBuilder, MessageError> {
        // Before 1970 the header's type has no days.
        let seconds = u64::try_from(self.at.as_second()).unwrap_or_default();
        let builder = lettre::Message::builder()
            .from(from.clone())
            .raw_header(person::<header::From>(from.name.as_deref(), &from.email))
            .raw_header(person::<header::To>(to.name, recipient))
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .subject(clean(self.subject))
            .message_id(Some(format!("<{id}>")));
        let Some(reply_to) = self.sender.reply_to.as_deref().filter(|text| !text.trim().is_empty()) else {
            return Ok(builder);
        };
        let reply_to = mailbox(reply_to)?;
        Ok(builder.raw_header(person::<header::ReplyTo>(reply_to.name.as_deref(), &reply_to.email)))
    }

    /// How to leave, and what else mailing lists say of themselves.
    fn of_a_list(&self, builder: MessageBuilder, base: &str, leave: &str) -> Result<MessageBuilder, MessageError> {
        Ok(builder
            .raw_header(encoded("List-Id", &self.list_id()?))
            .raw_header(as_written("List-Unsubscribe", leave.to_owned()))
            .raw_header(encoded("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
            .raw_header(as_written("List-Archive", format!("<{base}/editions/>")))
            .raw_header(encoded("Precedence", "bulk")))
    }

    /// That no person wrote it, and none should be answered by another machine.
    fn of_a_machine(&self, builder: MessageBuilder) -> MessageBuilder {
        let builder = builder
            .raw_header(encoded("Feedback-ID", &self.feedback_id()))
            .raw_header(encoded("Auto-Submitted", "auto-generated"))
            .raw_header(encoded("X-Auto-Response-Suppress", "All"));
        let language: String = self.language.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        if language.is_empty() { builder } else { builder.raw_header(encoded("Content-Language", &language)) }
    }

    /// RFC 2919: a name for people, and one that never changes.
    fn list_id(&self) -> Result<String, MessageError> {
        let site = Url::parse(&self.sender.site_url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
        let own = match (&self.sender.list_id, site) {
            (Some(own), _) => own.clone(),
            (None, Some(host)) => format!("{}.{host}", slug_of(&self.sender.title)),
            (None, None) => format!("{}.{}", slug_of(&self.sender.title), mailbox(&self.sender.from)?.email.domain()),
        };
        let own: String = own.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')).collect();
        let title: String = clean(&self.sender.title).chars().filter(|c| !matches!(c, '<' | '>')).take(100).collect();
        Ok(format!("{} <{own}>", title.trim()).trim().to_owned())
    }

    /// Gmail groups complaints by these; the last one is 5 to 15 characters long and always the same.
    fn feedback_id(&self) -> String {
        let sender: String = slug_of(&self.sender.title).chars().filter(|c| *c != '-').take(15).collect();
        let sender = if sender.len() < 5 { format!("{sender}digest") } else { sender };
        // A notice's own key is one person's; the field must not be.
        let key = if self.kind == "digest" { self.key } else { self.kind };
        format!("{key}:{}:gazetted:{sender}", self.kind)
    }
}

/// With a signature of each key before it; each covers the message, and not the others.
fn signed(sender: &Sender, message: Vec<u8>, at: Timestamp) -> Result<Vec<u8>, MessageError> {
    let mut whole = Vec::new();
    for signer in &sender.dkim {
        let header = signer.sign(&message, at);
        whole.extend(header.ok_or_else(|| cannot("the message cannot be signed"))?);
    }
    if whole.is_empty() {
        return Ok(message);
    }
    whole.extend(message);
    Ok(whole)
}

fn slug_of(title: &str) -> String {
    let slug: String = slug::slugify(title).chars().take(60).collect();
    if slug.is_empty() { "blog".into() } else { slug }
}

/// A second address, on a line of its own.
fn format_folded(mail: &str) -> String {
    format!(",\r\n <mailto:{}?subject=unsubscribe>", mail.replace('%', "%25").replace('?', "%3F").replace('&', "%26"))
}

/// `Name <address>`, the address always in brackets: a bare one costs a point with spam filters. A name in ASCII stays
/// readable, quoted where it must be; any other is left to the encoder.
fn person<H: Header + From<Mailboxes>>(name: Option<&str>, address: &Address) -> HeaderValue {
    let name: String = name.map(clean).unwrap_or_default().trim().chars().take(120).collect();
    if !name.is_ascii() {
        return H::from(Mailboxes::from(Mailbox::new(Some(name), address.clone()))).display();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=^_`{|}~".contains(c);
    let written = match name.as_str() {
        "" => String::new(),
        name if name.chars().all(is_plain) && !name.contains("=?") => format!("{name} "),
        name => format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    let raw = format!("{written}<{address}>");
    let folded = if raw.len() > 60 && !written.is_empty() {
        format!("{}\r\n <{address}>", written.trim_end())
    } else {
        raw.clone()
    };
    HeaderValue::dangerous_new_pre_encoded(H::name(), raw, folded)
}

/// A value that may hold any text: encoded and folded.
fn encoded(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A value made of addresses only, which an encoder must not break: ASCII, and folded by us.
fn as_written(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// An edition's two texts as one recipient reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    pub text: String,
    pub html: String,
}

pub fn texts(sender: &Sender, edition: &Edition, to: Recipient<'_>) -> Result<Texts, MessageError> {
    Ok(filled(edition, &Linking::of(sender, edition.opened_at)?.links(to.subscriber), to.name))
}

/// A name as it follows "Hello".
fn greeted(name: Option<&str>) -> String {
    let name = name.map(clean).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.map(|name| format!(" {name}")).unwrap_or_default().chars().take(60).collect()
}

fn filled(edition: &Edition, links: &Links, name: Option<&str>) -> Texts {
    let name = greeted(name);
    Texts {
        text: fill(&edition.text, &name, links, ToOwned::to_owned),
        html: fill(&edition.html, &name, links, escape),
    }
}

fn alternative(text: String, html: String, boundary: &str) -> MultiPart {
    MultiPart::alternative()
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html))
}

fn fill(frozen: &str, name: &str, links: &Links, written: impl Fn(&str) -> String) -> String {
    frozen
        .replace(NAME, &written(name))
        .replace(UNSUBSCRIBE, &written(&links.unsubscribe))
        .replace(PREFERENCES, &written(&links.preferences))
}

fn part(kind: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

#[cfg(test)]
mod tests;
