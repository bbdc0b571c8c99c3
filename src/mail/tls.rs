//! TLS for the way to the server: which authorities are trusted, and the handshake.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::wire::Stream;

/// The system's authorities, and those of `ca_file` if one is named.
pub fn config(ca_file: &Path) -> Result<Arc<ClientConfig>, String> {
    trusting("smtp.ca_file", ca_file)
}

/// The same; `key` is what the configuration calls the file.
pub fn trusting(key: &str, ca_file: &Path) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if !ca_file.as_os_str().is_empty() {
        add(&mut roots, ca_file).map_err(|e| format!("`{key}`, `{}`: {e}", ca_file.display()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add(roots: &mut RootCertStore, ca_file: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(ca_file).map_err(|e| e.to_string())?;
    let before = roots.len();
    for certificate in certificates {
        roots.add(certificate.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    }
    if roots.len() > before { Ok(()) } else { Err("no certificate in it; expected PEM".into()) }
}

/// What was agreed on, and with whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// `TLS 1.3`.
    pub version: String,
    /// The server's own certificate, in DER.
    pub certificate: Vec<u8>,
}

pub async fn upgrade(
    stream: Box<dyn Stream>,
    host: &str,
    config: Arc<ClientConfig>,
    patience: Duration,
) -> Result<(Box<dyn Stream>, Encryption), String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|e| format!("`{host}`: {e}"))?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    let shaken = timeout(patience, handshake).await.map_err(|_| "no TLS handshake in time".to_owned())?;
    let stream = shaken.map_err(|e| format!("TLS: {e}"))?;
    let agreed = stream.get_ref().1;
    let version = match agreed.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS",
    };
    let certificate = agreed.peer_certificates().and_then(|chain| chain.first()).map(|der| der.to_vec());
    let encryption = Encryption { version: version.to_owned(), certificate: certificate.unwrap_or_default() };
    Ok((Box::new(stream), encryption))
}
