//! Whether a set-up is right: rules over facts that somebody else has gathered, each with a finding and, where it is wrong, the
//! remedy as something to paste. Knows SPF, DKIM, DMARC and BIMI as their documents have them, certificates, and what large
//! providers ask for. Knows no network: a rule that lacks an answer names the question ([`dns::Missing`]).

use serde::Serialize;

pub mod bimi;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod house;
pub mod mail;
pub mod names;
pub mod providers;
pub mod relays;
pub mod spf;
pub mod web;

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Right,
    /// Not looked at, or it does not apply; the message says why.
    Skipped,
    /// It works; it could be better.
    Advice,
    Wrong,
}

impl Outcome {
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            Self::Right => '✓',
            Self::Wrong => '✗',
            Self::Advice => '!',
            Self::Skipped => '–',
        }
    }
}

/// Rules that belong together; they can be asked for by these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    Configuration,
    Permissions,
    Clock,
    Store,
    Web,
    Feeds,
    Smtp,
    Dns,
    Mail,
    Providers,
}

impl Area {
    pub const ALL: [Self; 10] = [
        Self::Configuration,
        Self::Permissions,
        Self::Clock,
        Self::Store,
        Self::Web,
        Self::Feeds,
        Self::Smtp,
        Self::Dns,
        Self::Mail,
        Self::Providers,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Permissions => "permissions",
            Self::Clock => "clock",
            Self::Store => "store",
            Self::Web => "web",
            Self::Feeds => "feeds",
            Self::Smtp => "smtp",
            Self::Dns => "dns",
            Self::Mail => "mail",
            Self::Providers => "providers",
        }
    }
}

/// Every rule but the providers', in the order in which they are told.
pub const RULES: [(Area, &str); 44] = [
    (Area::Configuration, "config"),
    (Area::Permissions, "config-mode"),
    (Area::Permissions, "secret-modes"),
    (Area::Permissions, "posts-readable"),
    (Area::Permissions, "feeds-writable"),
    (Area::Permissions, "store-mode"),
    (Area::Permissions, "kept-private"),
    (Area::Clock, "clock"),
    (Area::Clock, "clock-sync"),
    (Area::Clock, "time-zone"),
    (Area::Store, "store"),
    (Area::Store, "store-version"),
    (Area::Store, "store-room"),
    (Area::Store, "store-standby"),
    (Area::Web, "url"),
    (Area::Web, "url-certificate"),
    (Area::Web, "url-ours"),
    (Area::Web, "one-click"),
    (Area::Web, "one-click-post"),
    (Area::Feeds, "feed-reached"),
    (Area::Feeds, "feed-wall"),
    (Area::Feeds, "feed-ours"),
    (Area::Feeds, "feed-type"),
    (Area::Feeds, "feed-304"),
    (Area::Feeds, "feed-gzip"),
    (Area::Feeds, "feed-valid"),
    (Area::Smtp, "smtp"),
    (Area::Smtp, "smtp-tls"),
    (Area::Smtp, "smtp-login"),
    (Area::Smtp, "smtp-size"),
    (Area::Smtp, "smtp-extensions"),
    (Area::Dns, "dns"),
    (Area::Dns, "spf"),
    (Area::Dns, "dkim"),
    (Area::Dns, "dmarc"),
    (Area::Dns, "alignment"),
    (Area::Dns, "mx"),
    (Area::Dns, "ptr"),
    (Area::Dns, "bimi"),
    (Area::Mail, "from"),
    (Area::Mail, "postal-address"),
    (Area::Mail, "message"),
    (Area::Mail, "signature"),
    (Area::Mail, "bounces"),
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub area: Area,
    pub rule: &'static str,
    pub outcome: Outcome,
    /// What was looked at and what was found.
    pub message: String,
    /// Something to paste, or to do.
    pub remedy: Option<String>,
}

impl Finding {
    #[must_use]
    pub fn right(rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Right, message.into(), None)
    }

    #[must_use]
    pub fn wrong(rule: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Wrong, message.into(), Some(remedy.into()))
    }

    #[must_use]
    pub fn advice(rule: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Advice, message.into(), Some(remedy.into()))
    }

    #[must_use]
    pub fn skipped(rule: &'static str, why: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Skipped, why.into(), None)
    }

    fn new(rule: &'static str, outcome: Outcome, message: String, remedy: Option<String>) -> Self {
        let known = RULES.iter().find(|(_, known)| *known == rule);
        let area = known.map_or(Area::Providers, |(area, _)| *area);
        Self { area, rule, outcome, message, remedy }
    }
}

/// Every rule of an area, not looked at for one reason.
#[must_use]
pub fn skip(area: Area, why: &str) -> Vec<Finding> {
    RULES.iter().filter(|(of, _)| *of == area).map(|(_, rule)| Finding::skipped(rule, why)).collect()
}

/// In the order of [`RULES`]; findings of one rule as they came.
pub fn sort(findings: &mut [Finding]) {
    let place = |finding: &Finding| {
        let known = RULES.iter().position(|(_, rule)| *rule == finding.rule);
        (finding.area, known.unwrap_or(RULES.len()))
    };
    findings.sort_by_key(place);
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}
