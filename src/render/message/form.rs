//! The message of an edition as all its readers have it: built once, like any other message, for a reader who is nobody. What is
//! a reader's own is cut out of it, and put in anew for each; the bytes are those that building it for them would give.

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{self, HeaderValue};
use memchr::memmem;

use super::{
    Headers, Linking, Links, Message, MessageError, Recipient, Sender, address, alternative, cannot, greeted, mailbox,
    person, signed,
};
use crate::domain::edition::Edition;
use crate::domain::token;
use crate::render::prepared::{Own, Prepared};

/// Whom the form is built for: no subscriber has this number, and nobody this address (RFC 2606).
const NOBODY: Recipient<'_> = Recipient { subscriber: -1, email: "nobody@reader.invalid", name: None };

pub struct Form {
    sender: Sender,
    linking: Linking,
    from: Address,
    at: Timestamp,
    /// What ids are derived from.
    key: String,
    pieces: Vec<Piece>,
    texts: Prepared,
}

enum Piece {
    Common(Vec<u8>),
    Own(Slot),
}

/// What is a reader's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    To,
    Id,
    Boundary,
    Leave,
    Text,
    Html,
}

/// What stands in the slots of the headers.
struct Heads {
    to: String,
    id: String,
    boundary: String,
    leave: String,
}

impl Form {
    /// Of an edition whose texts are in `language`.
    pub fn of(sender: &Sender, edition: &Edition, language: &str) -> Result<Self, MessageError> {
        let mut form = Self {
            sender: sender.clone(),
            linking: Linking::of(sender, edition.opened_at)?,
            from: mailbox(&sender.from)?.email,
            at: edition.opened_at,
            key: edition.key.to_string(),
            pieces: Vec::new(),
            texts: Prepared::of(edition),
        };
        // Nothing that is published can hold these, and no encoder changes them.
        let text = token::boundary(&sender.key, "the text", NOBODY.subscriber);
        let html = token::boundary(&sender.key, "the html", NOBODY.subscriber);
        let built = form.built(&edition.subject, language, NOBODY, (&text, &html))?;
        let nobody = address(NOBODY.email)?;
        let heads = form.heads(NOBODY, &nobody, &form.linking.links(NOBODY.subscriber));
        let slots = [
            (Slot::To, heads.to.as_str()),
            (Slot::Id, &heads.id),
            (Slot::Boundary, &heads.boundary),
            (Slot::Leave, &heads.leave),
            (Slot::Text, &text),
            (Slot::Html, &html),
        ];
        form.pieces =
            cut(&built, &slots).ok_or_else(|| cannot("the message has no place for what is a reader's own"))?;
        Ok(form)
    }

    /// The whole message, not signed.
    fn built(
        &self,
        subject: &str,
        language: &str,
        to: Recipient<'_>,
        (text, html): (&str, &str),
    ) -> Result<Vec<u8>, MessageError> {
        let headers = Headers { sender: &self.sender, key: &self.key, kind: "digest", subject, at: self.at, language };
        let leave = self.linking.links(to.subscriber).leave();
        let message = headers.unsigned(to, None, |builder, boundary| {
            let builder = headers.of_a_list(builder, &self.linking.base, &leave)?;
            Ok((builder, alternative(text.to_owned(), html.to_owned(), boundary)))
        })?;
        Ok(message.bytes)
    }

    fn heads(&self, to: Recipient<'_>, recipient: &Address, links: &Links) -> Heads {
        let key = &self.sender.key;
        Heads {
            to: line(person::<header::To>(to.name, recipient)),
            id: token::message_id(key, &self.key, to.subscriber),
            boundary: token::boundary(key, &self.key, to.subscriber),
            leave: links.leave(),
        }
    }

    pub fn message(&self, to: Recipient<'_>) -> Result<Message, MessageError> {
        let recipient = address(to.email)?;
        let links = self.linking.links(to.subscriber);
        let heads = self.heads(to, &recipient, &links);
        let name = greeted(to.name);
        let own = Own { name: &name, unsubscribe: &links.unsubscribe, preferences: &links.preferences };
        let mut bytes = Vec::with_capacity(self.texts.len() + 4_096);
        for piece in &self.pieces {
            match piece {
                Piece::Common(common) => bytes.extend_from_slice(common),
                Piece::Own(Slot::To) => bytes.extend_from_slice(heads.to.as_bytes()),
                Piece::Own(Slot::Id) => bytes.extend_from_slice(heads.id.as_bytes()),
                Piece::Own(Slot::Boundary) => bytes.extend_from_slice(heads.boundary.as_bytes()),
                Piece::Own(Slot::Leave) => bytes.extend_from_slice(heads.leave.as_bytes()),
                Piece::Own(Slot::Text) => self.texts.write_text(&own, &mut bytes),
                Piece::Own(Slot::Html) => self.texts.write_html(&own, &mut bytes),
            }
        }
        Ok(Message {
            message_id: format!("<{}@{}>", heads.id, self.from.domain()),
            return_path: links.return_path.unwrap_or_else(|| self.from.to_string()),
            recipient: recipient.to_string(),
            bytes: signed(&self.sender, bytes, self.at)?,
        })
    }
}

/// A header as it stands in a message.
fn line(value: HeaderValue) -> String {
    let mut headers = header::Headers::new();
    headers.insert_raw(value);
    headers.to_string()
}

/// A message in pieces, cut wherever one of these texts stands; none if one of them is nowhere.
fn cut(whole: &[u8], slots: &[(Slot, &str)]) -> Option<Vec<Piece>> {
    let mut cuts = Vec::new();
    for (slot, text) in slots {
        let before = cuts.len();
        cuts.extend(memmem::find_iter(whole, text.as_bytes()).map(|at| (at, *slot, text.len())));
        if cuts.len() == before {
            return None;
        }
    }
    cuts.sort_by_key(|(at, ..)| *at);
    let (mut pieces, mut done) = (Vec::new(), 0);
    for (at, slot, length) in cuts {
        pieces.push(Piece::Common(whole.get(done..at)?.to_vec()));
        pieces.push(Piece::Own(slot));
        done = at + length;
    }
    pieces.push(Piece::Common(whole.get(done..)?.to_vec()));
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{edition, sender};
    use super::*;

    /// What the mail crate makes of it.
    fn by_hand(form: &Form, subject: &str, language: &str, to: Recipient<'_>) -> Vec<u8> {
        let (text, html) = ("this-is-the-text", "this-is-the-html");
        let built = form.built(subject, language, to, (text, html)).unwrap();
        let links = form.linking.links(to.subscriber);
        let name = greeted(to.name);
        let own = Own { name: &name, unsubscribe: &links.unsubscribe, preferences: &links.preferences };
        let (at, after) =
            (memmem::find(&built, text.as_bytes()).unwrap(), memmem::find(&built, html.as_bytes()).unwrap());
        let mut whole = built[..at].to_vec();
        form.texts.write_text(&own, &mut whole);
        whole.extend_from_slice(&built[at + text.len()..after]);
        form.texts.write_html(&own, &mut whole);
        whole.extend_from_slice(&built[after + html.len()..]);
        whole
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_a_message_built_for_one(
            subscriber in 0..i64::MAX,
            name in proptest::option::of("[ -~\\t\\r\\né\u{4e00}]{0,130}"),
            local in "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,64}",
            domain in "[a-z0-9]{1,40}\\.(example|xn--p1ai)",
            subject in "[ -~é\u{4e00}]{0,200}",
            title in "[ -~é]{0,80}",
            bounces in proptest::bool::ANY,
        ) {
            let mut sender = sender();
            sender.title = title;
            if !bounces {
                sender.bounce_address = None;
            }
            let edition = Edition { subject, ..edition() };
            let form = Form::of(&sender, &edition, "de").unwrap();
            let email = format!("{local}@{domain}");
            let to = Recipient { subscriber, email: &email, name: name.as_deref() };
            let message = form.message(to).unwrap();
            prop_assert_eq!(
                String::from_utf8(message.bytes).unwrap(),
                String::from_utf8(by_hand(&form, &edition.subject, "de", to)).unwrap()
            );
        }
    }

    #[test]
    fn a_text_that_is_nowhere_has_no_place() {
        assert!(cut(b"ab", &[(Slot::To, "c")]).is_none());
    }
}
