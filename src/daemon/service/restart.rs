//! Which keys of the configuration a running daemon cannot take up: sockets that are open, the store, where the log goes.

use secrecy::ExposeSecret as _;

use crate::config::Config;

/// Those of them that differ, by name.
pub fn needed(old: &Config, new: &Config) -> Vec<&'static str> {
    let texts = |config: &Config| {
        let (http, log) = (&config.http, &config.log);
        let path = |path: &std::path::Path| path.display().to_string();
        [
            ("store.url", config.store.url.clone()),
            ("store.password", config.store.password.expose_secret().to_owned()),
            ("http.listen", http.listen.clone()),
            ("http.socket_mode", http.socket_mode.clone()),
            ("http.tls_certificate", path(&http.tls_certificate)),
            ("http.tls_key", path(&http.tls_key)),
            ("http.memory", http.memory.to_string()),
            ("http.metrics", http.metrics.clone()),
            ("http.admin", http.admin.clone()),
            ("http.admin_url", config.admin_url()),
            ("http.admin_password", http.admin_password.expose_secret().to_owned()),
            ("http.admin_token", http.admin_token.expose_secret().to_owned()),
            ("http.url", config.public_url().split(':').next().unwrap_or_default().to_owned()),
            ("log.level", log.level.clone()),
            ("log.format", format!("{:?}", log.format)),
        ]
    };
    let pairs = texts(old).into_iter().zip(texts(new));
    pairs.filter(|((_, before), (_, now))| before != now).map(|((key, _), _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_at_the_next_start_is_named_and_nothing_else() {
        let old = Config::default();
        let mut new = old.clone();
        new.feeds.limit = 7;
        new.digest.from = "a@b.example".into();
        assert!(needed(&old, &new).is_empty());
        new.http.listen = "127.0.0.1:9".into();
        new.http.admin_token = "a new one, long enough".into();
        new.log.level = "debug".into();
        assert_eq!(needed(&old, &new), ["http.listen", "http.admin_token", "log.level"]);
    }
}
