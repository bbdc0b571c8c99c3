//! How things stand, for whoever watches: what the daemon knows and no request tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

/// How things stand, in numbers that nobody has to be asked for.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// By state.
    pub posts: BTreeMap<&'static str, u64>,
    pub errors: u64,
    pub warnings: u64,
    /// The last pass did not come to its end.
    pub unfinished: bool,
    /// When the next monthly digest is due.
    pub next_digest: Option<Timestamp>,
    /// This node opens editions.
    pub leads: bool,
    /// The clock has jumped, and is not believed.
    pub clock_doubted: bool,
    /// When the posts were last read.
    pub scanned_at: Option<Timestamp>,
    /// When the certificate ends that TLS uses.
    pub tls_until: Option<Timestamp>,
    /// The last heartbeat.
    pub beat_at: Option<Timestamp>,
}

/// What came of attempts to deliver: by the way they went, the outcome, how often. Asked when somebody wants to know.
#[derive(Clone)]
pub struct Attempts(pub(super) Arc<dyn Fn() -> Vec<(String, &'static str, u64)> + Send + Sync>);

impl Attempts {
    pub fn new(ask: impl Fn() -> Vec<(String, &'static str, u64)> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempts")
    }
}
