//! What the server did, in numbers: no address, no name, no time of anybody's in them.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

use super::reported::Reported;
use crate::clock::Life;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Feed,
    Page,
    /// The way into the digest, within it and out of it.
    Subscription,
    Health,
    Api,
    /// The editors' pages.
    Admin,
    /// What is not here.
    Other,
}

impl Route {
    pub const ALL: [Self; 7] =
        [Self::Feed, Self::Page, Self::Subscription, Self::Health, Self::Api, Self::Admin, Self::Other];

    pub fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Page => "page",
            Self::Subscription => "subscription",
            Self::Health => "health",
            Self::Api => "api",
            Self::Admin => "admin",
            Self::Other => "other",
        }
    }

    /// By the path of what is no document.
    pub fn of(path: &str) -> Self {
        let first = path.strip_prefix('/').unwrap_or(path).split('/').next().unwrap_or_default();
        match first {
            "" | "style.css" | "goal" | "goal.json" | "goal.svg" | "badge.svg" | "goal.ics" | "editions" => Self::Page,
            ".well-known" => Self::Feed,
            "subscribe" | "confirm" | "unsubscribe" | "preferences" => Self::Subscription,
            "livez" | "readyz" => Self::Health,
            "api" => Self::Api,
            "admin" => Self::Admin,
            _ => Self::Other,
        }
    }
}

/// Every status that is answered here; another is counted as the last.
pub const STATUSES: [u16; 24] = [
    200, 202, 204, 206, 301, 303, 304, 400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 416, 422, 429, 500, 503,
    0,
];

#[derive(Debug, Default)]
pub struct Counts {
    requests: [[AtomicU64; STATUSES.len()]; Route::ALL.len()],
    pub bytes: AtomicU64,
    /// Connections that were let in, and those that have ended.
    pub opened: AtomicU64,
    pub closed: AtomicU64,
    pub reported: Reported,
    /// Of what lets readers in.
    pub life: Life,
}

impl Counts {
    pub fn answered(&self, route: Route, status: StatusCode) {
        let at = STATUSES.iter().position(|known| *known == status.as_u16()).unwrap_or(STATUSES.len() - 1);
        self.requests[route as usize][at].fetch_add(1, Ordering::Relaxed);
    }

    /// What was answered at least once: the route, the status, how often.
    pub fn answers(&self) -> impl Iterator<Item = (Route, u16, u64)> {
        let all = Route::ALL.into_iter().flat_map(|route| STATUSES.into_iter().enumerate().map(move |s| (route, s)));
        let counted =
            all.map(|(route, (at, status))| (route, status, self.requests[route as usize][at].load(Ordering::Relaxed)));
        counted.filter(|(_, _, count)| *count > 0)
    }

    pub fn open(&self) -> u64 {
        let closed = self.closed.load(Ordering::Relaxed);
        self.opened.load(Ordering::Relaxed).saturating_sub(closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_of_one_route() {
        for (path, expected) in [
            ("/", Route::Page),
            ("/goal.json", Route::Page),
            ("/editions/2021-05", Route::Page),
            ("/.well-known/feeds", Route::Feed),
            ("/confirm/abc", Route::Subscription),
            ("/subscribe", Route::Subscription),
            ("/livez", Route::Health),
            ("/api/stats", Route::Api),
            ("/wp-login.php", Route::Other),
            ("*", Route::Other),
        ] {
            assert_eq!(Route::of(path), expected, "{path}");
        }
    }
}
