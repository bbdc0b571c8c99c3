//! What a driver's error means to a caller: whether it passes by itself, needs an operator, or says that the database
//! is damaged. Knows the codes of SQLite and PostgreSQL.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use super::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::*;
        match error {
            Database(error) => of_database(error.as_ref()),
            PoolTimedOut => Self::Unavailable("every connection is busy".into()),
            Io(error) => Self::Unavailable(error.to_string()),
            Tls(error) => Self::Unavailable(format!("TLS: {error}")),
            error @ (PoolClosed | WorkerCrashed) => Self::Unavailable(error.to_string()),
            error @ Configuration(_) => Self::Url(error.to_string()),
            // Checked by the schema on the way in, so only damage brings forth a value of another kind.
            error @ (ColumnDecode { .. } | Decode(_)) => Self::Damaged(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default().into_owned();
    let text = error.message().to_owned();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        of_postgres(&code, text)
    } else {
        of_sqlite(&code, text)
    }
}

/// <https://sqlite.org/rescode.html>: the low byte is the primary code.
fn of_sqlite(code: &str, text: String) -> StoreError {
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        // BUSY, LOCKED, PROTOCOL (the WAL's lock was contended)
        5 | 6 | 15 => StoreError::Unavailable(text),
        // FULL
        13 => StoreError::Full(text),
        // PERM, READONLY, IOERR, CANTOPEN
        3 | 8 | 10 | 14 => StoreError::NotWritable(text),
        // CORRUPT, NOTADB
        11 | 26 => StoreError::Damaged(text),
        _ => StoreError::Other(text),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_postgres(code: &str, text: String) -> StoreError {
    match code {
        "53100" => StoreError::Full(text),
        "25006" | "42501" => StoreError::NotWritable(text),
        "XX001" | "XX002" => StoreError::Damaged(text),
        "3D000" => StoreError::Url(text),
        // Statements that were prepared are another client's, or gone.
        "42P05" | "26000" => StoreError::Url(format!(
            "{text}: `store.url` leads to a pooler that gives each transaction another connection; have it pool sessions, or name the server itself"
        )),
        "40001" | "40P01" | "55P03" => StoreError::Unavailable(text),
        _ if code.starts_with("28") => StoreError::Url(text),
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => StoreError::Unavailable(text),
        _ => StoreError::Other(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(error: &StoreError) -> &'static str {
        match error {
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Full(_) => "full",
            StoreError::NotWritable(_) => "not writable",
            StoreError::Damaged(_) => "damaged",
            StoreError::Url(_) => "url",
            _ => "other",
        }
    }

    #[test]
    fn codes_say_who_has_to_act() {
        for (code, expected) in [
            ("5", "unavailable"),
            ("517", "unavailable"),
            ("13", "full"),
            ("1032", "not writable"),
            ("11", "damaged"),
            ("26", "damaged"),
            ("1555", "other"),
        ] {
            assert_eq!(kind(&of_sqlite(code, String::new())), expected, "{code}");
        }
        for (code, expected) in [
            ("57P01", "unavailable"),
            ("40001", "unavailable"),
            ("53100", "full"),
            ("25006", "not writable"),
            ("XX001", "damaged"),
            ("28P01", "url"),
            ("42P05", "url"),
            ("23505", "other"),
        ] {
            assert_eq!(kind(&of_postgres(code, String::new())), expected, "{code}");
        }
    }
}
