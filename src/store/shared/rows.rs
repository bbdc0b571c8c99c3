//! Rows to values and back: instants as microseconds, hashes as hexadecimal digits, lists as JSON for the set-based
//! statements.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row as _;

use super::super::Row;
use crate::domain::edition::EditionKey;
use crate::store::{DeliveryKey, Result, StoreError};

pub fn text(row: &Row, column: &str) -> Result<String> {
    Ok(row.try_get(column)?)
}

pub fn maybe_text(row: &Row, column: &str) -> Result<Option<String>> {
    Ok(row.try_get(column)?)
}

pub fn maybe_bytes(row: &Row, column: &str) -> Result<Option<Vec<u8>>> {
    Ok(row.try_get(column)?)
}

pub fn int(row: &Row, column: &str) -> Result<i64> {
    Ok(row.try_get(column)?)
}

/// A count, which the schema keeps from being negative.
pub fn count(row: &Row, column: &str) -> Result<u64> {
    let n = int(row, column)?;
    u64::try_from(n).map_err(|_| damaged(column, &n.to_string()))
}

pub fn small_count(row: &Row, column: &str) -> Result<u32> {
    let n = int(row, column)?;
    u32::try_from(n).map_err(|_| damaged(column, &n.to_string()))
}

pub fn instant(row: &Row, column: &str) -> Result<Timestamp> {
    micros(column, int(row, column)?)
}

pub fn maybe_instant(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(|n| micros(column, n)).transpose()
}

pub fn micros(column: &str, n: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(n).map_err(|_| damaged(column, &n.to_string()))
}

pub fn hash(row: &Row, column: &str) -> Result<u128> {
    from_hex(column, &text(row, column)?)
}

pub fn maybe_hash(row: &Row, column: &str) -> Result<Option<u128>> {
    maybe_text(row, column)?.map(|hex| from_hex(column, &hex)).transpose()
}

pub fn edition(row: &Row, column: &str) -> Result<EditionKey> {
    word(row, column, EditionKey::parse)
}

/// Which delivery a row is of.
pub fn delivery(row: &Row) -> Result<DeliveryKey> {
    Ok(DeliveryKey { edition: edition(row, "edition")?, subscriber: int(row, "subscriber")? })
}

/// A word of a closed set.
pub fn word<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    let text = text(row, column)?;
    parse(&text).ok_or_else(|| damaged(column, &text))
}

fn from_hex(column: &str, hex: &str) -> Result<u128> {
    u128::from_str_radix(hex, 16).map_err(|_| damaged(column, hex))
}

fn damaged(column: &str, value: &str) -> StoreError {
    StoreError::Damaged(format!("`{value}` in column `{column}` is not what was written there"))
}

pub fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

/// Text as both databases can keep it: PostgreSQL knows no U+0000.
pub fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// A JSON array, for `rows!` and `texts!`.
pub fn list(values: impl IntoIterator<Item = Value>) -> String {
    Value::Array(values.into_iter().collect()).to_string()
}

pub fn words<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    list(values.into_iter().map(|text| Value::String(clean(text))))
}

pub fn maybe_int(row: &Row, column: &str) -> Result<Option<i64>> {
    Ok(row.try_get(column)?)
}

/// A JSON array of texts, as `words` wrote it.
pub fn text_list(row: &Row, column: &str) -> Result<Vec<String>> {
    let json = text(row, column)?;
    serde_json::from_str(&json).map_err(|_| damaged(column, &json))
}
