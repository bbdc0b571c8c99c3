//! Names looked up for strangers: what is not on the public internet is left out before anything is called, so that no second
//! answer of the name server can change where the call goes.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use crate::domain::network;

#[derive(Clone, Default)]
pub struct PublicResolver;

/// A name without a public address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not on the public internet")]
struct NotPublic(String);

/// The name that was refused, if that is what went wrong.
pub fn refused(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let found = inner.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref::<NotPublic>());
        found.map(|NotPublic(host)| host.clone())
    })
}

impl Service<Name> for PublicResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let host = name.as_str().to_owned();
        let found = GaiResolver::new().call(name);
        Box::pin(async move {
            let public: Vec<SocketAddr> = found.await?.filter(|address| network::is_public(address.ip())).collect();
            if public.is_empty() { Err(io::Error::other(NotPublic(host))) } else { Ok(public.into_iter()) }
        })
    }
}
