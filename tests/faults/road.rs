//! A stretch of road between the program and whom it talks to, which a test makes slow, or closes.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::pass;

#[derive(Debug, Clone)]
pub enum To {
    Address(SocketAddr),
    Socket(PathBuf),
}

#[derive(Debug, Default)]
struct State {
    /// Milliseconds before each piece.
    delay: AtomicU64,
    /// Whoever comes is turned away, whoever is there cut off.
    closed: AtomicBool,
    /// Bytes on the way out.
    passed: AtomicU64,
}

pub struct Road {
    pub address: SocketAddr,
    state: Arc<State>,
}

impl Road {
    pub fn new(to: To) -> Self {
        Self::by(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), to)
    }

    pub fn from(here: IpAddr, to: To) -> Self {
        Self::by(TcpListener::bind((here, 0)).unwrap(), to)
    }

    pub fn by(listener: TcpListener, to: To) -> Self {
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (to, state) = (to.clone(), Arc::clone(&shared));
                std::thread::spawn(move || carry(stream, to, &state));
            }
        });
        Self { address, state }
    }

    pub fn slow(&self, delay: Duration) {
        self.state.delay.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn close(&self, closed: bool) {
        self.state.closed.store(closed, Ordering::SeqCst);
    }

    pub fn passed(&self) -> u64 {
        self.state.passed.load(Ordering::SeqCst)
    }
}

fn carry(here: TcpStream, to: To, state: &State) {
    if state.closed.load(Ordering::SeqCst) {
        return;
    }
    here.set_nodelay(true).unwrap();
    match to {
        To::Address(address) => {
            let Ok(there) = TcpStream::connect(address) else { return };
            there.set_nodelay(true).unwrap();
            let (from_here, from_there) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            let ends = [here.try_clone().unwrap(), there.try_clone().unwrap()];
            both(from_here, there, from_there, here, state, || {
                for end in &ends {
                    let _ = end.shutdown(Shutdown::Both);
                }
            });
        }
        To::Socket(path) => {
            let Ok(there) = UnixStream::connect(path) else { return };
            let (from_here, from_there) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            let (near, far) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            both(from_here, there, from_there, here, state, || {
                let _ = (near.shutdown(Shutdown::Both), far.shutdown(Shutdown::Both));
            });
        }
    }
}

fn both(
    from_here: impl Read + Send,
    mut there: impl Write + Send,
    from_there: impl Read + Send,
    mut here: impl Write + Send,
    state: &State,
    end: impl Fn() + Sync,
) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pieces(from_here, &mut there, state, true);
            end();
        });
        pieces(from_there, &mut here, state, false);
        end();
    });
}

fn pieces(mut from: impl Read, to: &mut impl Write, state: &State, out: bool) {
    let mut piece = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        pass(Duration::from_millis(state.delay.load(Ordering::SeqCst)));
        if state.closed.load(Ordering::SeqCst) || to.write_all(&piece[..length]).is_err() {
            return;
        }
        if out {
            state.passed.fetch_add(length as u64, Ordering::SeqCst);
        }
    }
}
