//! The server's certificate and key, from files that somebody renews while the daemon runs. Knows files and handshakes;
//! does not know when to look again. A pair that is no good never replaces one that is.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::bounded;
use crate::domain::{certificate, hash};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("`{key}`, `{}`, cannot be read: {error}", path.display())]
    Unreadable { key: &'static str, path: PathBuf, error: std::io::Error },
    #[error("`{key}`, `{}`, holds no {expected} in PEM form", path.display())]
    Empty { key: &'static str, path: PathBuf, expected: &'static str },
    #[error("`{}` is broken: {error}", path.display())]
    Broken { path: PathBuf, error: rustls::pki_types::pem::Error },
    #[error("the new certificate in `{}` ended on {until}", path.display())]
    Ended { path: PathBuf, until: Timestamp },
    #[error("the certificate in `{}` and the key in `{}` cannot be used: {error}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, error: rustls::Error },
}

/// Where certificate and key are; the chain follows the certificate in the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What handshakes use now.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: Files,
    current: RwLock<Pair>,
    /// What the files held when they were last looked at.
    seen: Mutex<u128>,
}

#[derive(Clone)]
struct Pair {
    acceptor: TlsAcceptor,
    /// When the certificate ends, as far as it can be read.
    until: Option<Timestamp>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

impl Tls {
    pub fn open(files: Files) -> Result<Self, TlsError> {
        let (certificate, key) = files.read()?;
        let current = RwLock::new(pair(&files, &certificate, &key)?);
        let seen = Mutex::new(fingerprint(&certificate, &key));
        Ok(Self(Arc::new(Inner { files, current, seen })))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.current().acceptor
    }

    /// When the certificate ends that is in use.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.current().until
    }

    fn current(&self) -> Pair {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[must_use]
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Looks at the files again; whether they hold a new pair, which is used from now on. What is wrong with them is said
    /// once. A certificate that has ended takes the place of none that has not.
    pub fn renew(&self, now: Timestamp) -> Result<bool, TlsError> {
        let (certificate, key) = self.0.files.read()?;
        let found = fingerprint(&certificate, &key);
        let before = std::mem::replace(&mut *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner), found);
        if before == found {
            return Ok(false);
        }
        let new = pair(&self.0.files, &certificate, &key)?;
        let has_ended = |until: &Timestamp| *until <= now;
        if let Some(until) = new.until.filter(has_ended)
            && !self.until().is_some_and(|until| has_ended(&until))
        {
            return Err(TlsError::Ended { path: self.0.files.certificate.clone(), until });
        }
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(true)
    }
}

const CERTIFICATE: &str = "http.tls_certificate";
const KEY: &str = "http.tls_key";

impl Files {
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>), TlsError> {
        let read = |key, path: &PathBuf| {
            bounded::bytes(path, bounded::TEXT).map_err(|error| TlsError::Unreadable { key, path: path.clone(), error })
        };
        Ok((read(CERTIFICATE, &self.certificate)?, read(KEY, &self.key)?))
    }
}

fn fingerprint(certificate: &[u8], key: &[u8]) -> u128 {
    hash::Hasher::default().field(certificate).field(key).finish()
}

fn pair(files: &Files, certificate: &[u8], key: &[u8]) -> Result<Pair, TlsError> {
    let empty = |key, path: &PathBuf, expected| TlsError::Empty { key, path: path.clone(), expected };
    let broken = |error| TlsError::Broken { path: files.certificate.clone(), error };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().map_err(broken)?;
    let Some(leaf) = chain.first() else { return Err(empty(CERTIFICATE, &files.certificate, "certificate")) };
    let until = certificate::read(leaf).map(|read| read.until);
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| empty(KEY, &files.key, "private key"))?;
    let unusable = |error| TlsError::Unusable { certificate: files.certificate.clone(), key: files.key.clone(), error };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Readers that come back every hour need not shake hands in full.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(unusable)?;
    Ok(Pair { acceptor: TlsAcceptor::from(Arc::new(config)), until })
}
