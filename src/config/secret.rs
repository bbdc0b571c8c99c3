//! Secrets in the configuration: read as text, shown as `***`.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serializer};

pub fn hide<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.expose_secret().is_empty() { "" } else { "***" })
}

/// An address whose password is not shown.
pub fn hide_password<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&without_password(url))
}

pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// A URL as it may be shown.
#[must_use]
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let shown = |part: &str| match part.split_once('=') {
        Some((key, _)) if key.eq_ignore_ascii_case("password") => format!("{key}=***"),
        _ => part.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(shown).collect::<Vec<_>>().join("&"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let login = address.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host)));
    match login {
        Some((user, host)) => format!("{scheme}://{user}:***@{host}{query}"),
        None => format!("{scheme}://{address}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn no_password_of_an_address_is_shown() {
        for (url, shown) in [
            ("sqlite:gazetted.db", "sqlite:gazetted.db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("postgres://u:secret@h/db?sslmode=require", "postgres://u:***@h/db?sslmode=require"),
            ("postgres://u:se@cret@h/db", "postgres://u:***@h/db"),
            ("postgres://h/db?user=u&password=secret&host=/run", "postgres://h/db?user=u&password=***&host=/run"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
