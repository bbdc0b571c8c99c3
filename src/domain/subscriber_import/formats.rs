//! The tables: whose file it is, by its header, and what each column says of a person. Headers are those the tools write, to
//! the letter; a plain list may call its columns what people call them.

use super::super::subscriber::State;

/// Whose list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    Mailchimp,
    Substack,
    Ghost,
    Beehiiv,
    Buttondown,
    Listmonk,
    Curated,
    Tinynews,
    /// Our own export.
    Gazetted,
    Csv,
}

impl Tool {
    pub const ALL: [Self; 10] = [
        Self::Mailchimp,
        Self::Substack,
        Self::Ghost,
        Self::Beehiiv,
        Self::Buttondown,
        Self::Listmonk,
        Self::Curated,
        Self::Tinynews,
        Self::Gazetted,
        Self::Csv,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailchimp => "mailchimp",
            Self::Substack => "substack",
            Self::Ghost => "ghost",
            Self::Beehiiv => "beehiiv",
            Self::Buttondown => "buttondown",
            Self::Listmonk => "listmonk",
            Self::Curated => "curated",
            Self::Tinynews => "tinynews",
            Self::Gazetted => "gazetted",
            Self::Csv => "csv",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.as_str() == text)
    }

    /// Tools that put a `'` before what a spreadsheet would take for a formula; it is taken away again.
    #[must_use]
    pub fn escapes_formulae(self) -> bool {
        matches!(self, Self::Ghost | Self::Gazetted)
    }
}

/// What a cell says of the person; of all a row says, the last in this order holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Active,
    Pending,
    Unsubscribed,
    Suppressed(&'static str),
}

impl Standing {
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Active => State::Active,
            Self::Pending => State::Pending,
            Self::Unsubscribed => State::Unsubscribed,
            Self::Suppressed(_) => State::Suppressed,
        }
    }
}

type Words = &'static [(&'static str, Standing)];

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Email,
    Name,
    FirstName,
    LastName,
    /// One of these words, whatever their case.
    Status(Words),
    /// Yes (or since when), or else this.
    Unless(Standing),
    /// Empty or no; else (yes, or since when) this.
    If(Standing),
    AskedAt,
    ConfirmedAt,
    /// An IP address, of which the network is kept.
    Network,
    /// The form, campaign or page they came by.
    Origin,
    /// What they have chosen here.
    Choice(Chosen),
}

/// Lists are JSON, as the cells of our own export have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    Frequency,
    PausedUntil,
    Language,
    Tags,
    Authors,
}

/// The columns of our own export. The first six are in those of older versions, too, and are what they are known by.
pub const OURS: [&str; 11] = [
    "email",
    "name",
    "state",
    "source",
    "created_at",
    "changed_at",
    "frequency",
    "paused_until",
    "language",
    "tags",
    "authors",
];

/// One kind of file.
#[derive(Debug)]
pub struct Format {
    pub tool: Tool,
    /// What the report calls it.
    pub label: &'static str,
    /// A header that has all of these is one.
    pub signature: &'static [&'static str],
    pub columns: &'static [(&'static str, Use)],
    /// What people in it are if no cell says worse.
    pub standing: Standing,
}

use Standing::{Active, Pending, Suppressed, Unsubscribed};
use Use::{AskedAt, Choice, ConfirmedAt, Email, FirstName, If, LastName, Name, Network, Origin, Status, Unless};

const MAILCHIMP: &[(&str, Use)] = &[
    ("Email Address", Email),
    ("First Name", FirstName),
    ("Last Name", LastName),
    ("OPTIN_TIME", AskedAt),
    ("OPTIN_IP", Network),
    ("CONFIRM_TIME", ConfirmedAt),
    ("CONFIRM_IP", Network),
    ("UNSUB_TIME", If(Unsubscribed)),
    ("UNSUB_REASON", Origin),
    ("CLEAN_TIME", If(Suppressed("cleaned"))),
];

const BUTTONDOWN_TYPES: Words = &[
    ("regular", Active),
    ("premium", Active),
    ("gifted", Active),
    ("trialed", Active),
    ("churning", Active),
    ("past_due", Active),
    // Of paying; they are subscribed still.
    ("paused", Active),
    ("unpaid", Pending),
    ("churned", Pending),
    ("upcoming", Pending),
    ("unactivated", Pending),
    ("unsubscribed", Unsubscribed),
    ("removed", Unsubscribed),
    ("complained", Suppressed("complained")),
    ("undeliverable", Suppressed("undeliverable")),
    ("malformed", Suppressed("undeliverable")),
    ("blocked", Suppressed("blocked")),
    ("spammy", Suppressed("blocked")),
];

const BEEHIIV_WORDS: Words = &[
    ("active", Active),
    ("validating", Pending),
    ("pending", Pending),
    ("needs_attention", Pending),
    ("inactive", Unsubscribed),
    // They asked for silence.
    ("paused", Unsubscribed),
    ("invalid", Suppressed("undeliverable")),
];

const LISTMONK_WORDS: Words =
    &[("enabled", Active), ("disabled", Unsubscribed), ("blocklisted", Suppressed("blocked"))];

const TINYNEWS_WORDS: Words = &[("subscribed", Active), ("unsubscribed", Unsubscribed)];

const OUR_WORDS: Words = &[
    ("active", Active),
    ("pending", Pending),
    ("unsubscribed", Unsubscribed),
    ("suppressed", Suppressed("suppressed")),
];

/// In a plain list.
const COMMON_WORDS: Words = &[
    ("active", Active),
    ("subscribed", Active),
    ("confirmed", Active),
    ("enabled", Active),
    ("pending", Pending),
    ("unconfirmed", Pending),
    ("unactivated", Pending),
    ("unsubscribed", Unsubscribed),
    ("inactive", Unsubscribed),
    ("disabled", Unsubscribed),
    ("opted out", Unsubscribed),
    ("cleaned", Suppressed("cleaned")),
    ("bounced", Suppressed("undeliverable")),
    ("undeliverable", Suppressed("undeliverable")),
    ("complained", Suppressed("complained")),
    ("spam", Suppressed("complained")),
    ("blocked", Suppressed("blocked")),
    ("blocklisted", Suppressed("blocked")),
    ("suppressed", Suppressed("suppressed")),
];

const fn format(
    tool: Tool,
    label: &'static str,
    signature: &'static [&'static str],
    columns: &'static [(&'static str, Use)],
    standing: Standing,
) -> Format {
    Format { tool, label, signature, columns, standing }
}

const SUBSTACK: &[(&str, Use)] = &[("email", Email), ("created_at", AskedAt), ("email_disabled", If(Unsubscribed))];

const BUTTONDOWN: &[(&str, Use)] = &[
    ("email", Email),
    ("subscriber_type", Status(BUTTONDOWN_TYPES)),
    ("email_address", Email),
    ("type", Status(BUTTONDOWN_TYPES)),
    ("creation_date", AskedAt),
    ("subscription_date", ConfirmedAt),
    ("unsubscription_date", If(Unsubscribed)),
    ("ip_address", Network),
    ("referrer_url", Origin),
    ("utm_source", Origin),
    ("utm_medium", Origin),
    ("utm_campaign", Origin),
];

/// The first whose signature a header has, is it. Mailchimp's three files are told apart with those who have left first,
/// so that a header that could be two never makes anybody active.
pub const FORMATS: &[Format] = &[
    format(Tool::Mailchimp, "Mailchimp, cleaned", &["CLEAN_TIME", "LEID", "EUID"], MAILCHIMP, Suppressed("cleaned")),
    format(Tool::Mailchimp, "Mailchimp, unsubscribed", &["UNSUB_TIME", "LEID", "EUID"], MAILCHIMP, Unsubscribed),
    format(Tool::Mailchimp, "Mailchimp, subscribed", &["LAST_CHANGED", "LEID", "EUID"], MAILCHIMP, Active),
    format(
        Tool::Substack,
        "Substack",
        &["email", "active_subscription", "expiry", "email_disabled", "created_at"],
        SUBSTACK,
        Active,
    ),
    format(
        Tool::Substack,
        "Substack, older",
        &["email", "expiry", "email_disabled", "stripe_connected_customer_id", "type"],
        SUBSTACK,
        Active,
    ),
    format(
        Tool::Ghost,
        "Ghost",
        &["email", "name", "subscribed_to_emails", "complimentary_plan", "created_at", "deleted_at"],
        &[
            ("email", Email),
            ("name", Name),
            ("subscribed_to_emails", Unless(Unsubscribed)),
            ("created_at", AskedAt),
            ("deleted_at", If(Unsubscribed)),
        ],
        Active,
    ),
    format(
        Tool::Beehiiv,
        "beehiiv",
        &["email", "status", "tier", "created_at"],
        &[
            ("email", Email),
            ("First Name", FirstName),
            ("Last Name", LastName),
            ("status", Status(BEEHIIV_WORDS)),
            ("created_at", AskedAt),
            ("Subscription Date (Substack)", AskedAt),
            ("unsubscribed_at", If(Unsubscribed)),
        ],
        Active,
    ),
    format(Tool::Buttondown, "Buttondown", &["email", "subscriber_type", "creation_date"], BUTTONDOWN, Active),
    format(Tool::Buttondown, "Buttondown", &["email_address", "type", "creation_date"], BUTTONDOWN, Active),
    format(
        Tool::Listmonk,
        "listmonk",
        &["uuid", "email", "name", "attributes", "status", "created_at"],
        &[("email", Email), ("name", Name), ("status", Status(LISTMONK_WORDS)), ("created_at", AskedAt)],
        Active,
    ),
    format(
        Tool::Listmonk,
        "listmonk, made for its import",
        &["email", "name", "attributes"],
        // Not of its own making, but it might say so.
        &[("email", Email), ("name", Name), ("status", Status(LISTMONK_WORDS))],
        Active,
    ),
    format(
        Tool::Curated,
        "Curated",
        &["Email Address", "Subscribed at", "UTM Source"],
        &[
            ("Email Address", Email),
            ("Subscribed at", AskedAt),
            ("UTM Source", Origin),
            ("UTM Medium", Origin),
            ("UTM Campaign", Origin),
            ("UTM Referrer", Origin),
        ],
        Active,
    ),
    format(
        Tool::Tinynews,
        "tinynews",
        &["email", "First name", "Last name", "Date added", "status"],
        &[
            ("email", Email),
            ("First name", FirstName),
            ("Last name", LastName),
            ("Date added", AskedAt),
            ("status", Status(TINYNEWS_WORDS)),
        ],
        Active,
    ),
    format(
        Tool::Gazetted,
        "gazetted",
        &["email", "name", "state", "source", "created_at", "changed_at"],
        &[
            ("email", Email),
            ("name", Name),
            ("state", Status(OUR_WORDS)),
            ("source", Origin),
            ("created_at", AskedAt),
            ("frequency", Choice(Chosen::Frequency)),
            ("paused_until", Choice(Chosen::PausedUntil)),
            ("language", Choice(Chosen::Language)),
            ("tags", Choice(Chosen::Tags)),
            ("authors", Choice(Chosen::Authors)),
        ],
        Active,
    ),
];

/// A plain list.
pub const PLAIN: &Format = &format(Tool::Csv, "a plain list", &[], &[], Active);

/// What people call their columns, in lower case and without spaces and marks; of several addresses the first here is
/// taken.
pub const COMMON_NAMES: &[(&str, Use)] = &[
    ("email", Email),
    ("emailaddress", Email),
    ("emailadresse", Email),
    ("mail", Email),
    ("subscriber", Email),
    ("address", Email),
    ("name", Name),
    ("fullname", Name),
    ("displayname", Name),
    ("firstname", FirstName),
    ("givenname", FirstName),
    ("lastname", LastName),
    ("surname", LastName),
    ("familyname", LastName),
    ("status", Status(COMMON_WORDS)),
    ("state", Status(COMMON_WORDS)),
    ("subscriptionstatus", Status(COMMON_WORDS)),
    ("subscriberstatus", Status(COMMON_WORDS)),
    ("emailstatus", Status(COMMON_WORDS)),
    ("subscribed", Unless(Unsubscribed)),
    ("subscribedtoemails", Unless(Unsubscribed)),
    ("optin", Unless(Unsubscribed)),
    ("optedin", Unless(Unsubscribed)),
    ("confirmed", Unless(Pending)),
    ("unsubscribed", If(Unsubscribed)),
    ("unsubscribedat", If(Unsubscribed)),
    ("unsubscribedate", If(Unsubscribed)),
    ("unsubtime", If(Unsubscribed)),
    ("unsubscriptiondate", If(Unsubscribed)),
    ("optout", If(Unsubscribed)),
    ("optedout", If(Unsubscribed)),
    ("emaildisabled", If(Unsubscribed)),
    ("deletedat", If(Unsubscribed)),
    ("bounced", If(Suppressed("undeliverable"))),
    ("cleaned", If(Suppressed("cleaned"))),
    ("cleantime", If(Suppressed("cleaned"))),
    ("complained", If(Suppressed("complained"))),
    ("blocked", If(Suppressed("blocked"))),
    ("suppressed", If(Suppressed("suppressed"))),
    ("createdat", AskedAt),
    ("creationdate", AskedAt),
    ("dateadded", AskedAt),
    ("subscribedat", AskedAt),
    ("subscriptiondate", AskedAt),
    ("signupdate", AskedAt),
    ("optintime", AskedAt),
    ("startdate", AskedAt),
    ("confirmedat", ConfirmedAt),
    ("confirmtime", ConfirmedAt),
    ("optinip", Network),
    ("confirmip", Network),
    ("ip", Network),
    ("ipaddress", Network),
    ("source", Origin),
    ("form", Origin),
];
