//! Whom the program talks to is killed while they talk: a mail server, a webhook's receiver, a mailbox.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::postgres::{account, has};
use super::program::{Program, ask, blog};
use super::site::{LEAST, until};
use super::trial::{CONNECTIONS, patiently, settings};
use super::{is_root, pass};

/// Postfix's sink, which keeps each message in a file.
fn sink(port: u16, folder: &Path) -> Child {
    let pattern = format!("{}/%M.", folder.display());
    let mut command = Command::new("smtp-sink");
    if is_root() {
        command.args(["-u", "nobody"]);
    }
    command.args(["-d", &pattern, &format!("127.0.0.1:{port}"), "100"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whose messages arrived whole, and how often.
fn arrived(folder: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap().flatten() {
        let text = String::from_utf8_lossy(&std::fs::read(file.path()).unwrap_or_default()).replace("\r\n", "\n");
        let line = text.lines().find(|line| line.starts_with("X-Rcpt-Args:")).unwrap_or_default().to_owned();
        let boundary = text.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("-");
        let Some(reader) = line.split('<').nth(1).and_then(|rest| rest.split('>').next()) else { continue };
        if text.contains(&format!("\n--{boundary}--")) {
            *found.entry(reader.to_owned()).or_default() += 1;
        }
    }
    found
}

pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn a_mail_server_that_is_killed_again_and_again_gets_everybody_s_message_and_few_twice() {
    const READERS: usize = 1_500;
    const KILLS: usize = 5;
    if !has("smtp-sink") {
        return;
    }
    let port = free_port();
    let site = blog().config(&settings("sqlite:gazetted.db", port));
    let folder = tempfile::Builder::new().prefix("gazetted-sink-").tempdir_in("/tmp").unwrap();
    if let (true, Some((_, uid, gid))) = (is_root(), account("nobody")) {
        chown(folder.path(), Some(uid), Some(gid)).unwrap();
    }
    let rows: Vec<String> = (0..READERS).map(|n| format!("reader{n}@example.org")).collect();
    site.save("people.csv", format!("email\n{}\n", rows.join("\n")));
    site.ok("subscribers import people.csv");
    site.ok("digest open 2021-05 --now");
    let mut server = sink(port, folder.path());
    let program = Program::start(&site);
    for round in 1..=KILLS {
        let least = round * READERS / (KILLS + 2);
        patiently("some messages", || arrived(folder.path()).len() >= least);
        server.kill().unwrap();
        server.wait().unwrap();
        let sent = arrived(folder.path()).len();
        println!("killed after {sent} of {READERS}");
        assert!(sent < READERS, "it was killed too late to see anything");
        pass(Duration::from_secs(2));
        server = sink(port, folder.path());
    }
    // Who was in doubt is sent to again ten minutes later: the rest is not theirs.
    patiently("the rest", || {
        let outbox = site.json("outbox");
        let count = |state: &str| outbox[state].as_u64().unwrap_or_default();
        count("accepted") + count("in_doubt") + count("doubtful") >= READERS as u64 - 1 || count("queued") == 0
    });
    let outbox = site.json("outbox");
    let copies = arrived(folder.path());
    let twice: usize = copies.values().map(|n| n - 1).sum();
    println!("{} of {READERS}, {twice} twice; {outbox}", copies.len());
    assert!(READERS - copies.len() <= KILLS * CONNECTIONS, "{} got nothing", READERS - copies.len());
    assert!(twice <= KILLS * CONNECTIONS, "{twice} too many");
    println!("{}", program.log());
    assert!(program.log().lines().count() < 100);
    assert_eq!(program.exit(Signal::TERM), Some(0));
    server.kill().unwrap();
    server.wait().unwrap();
}

/// A server that hangs up on whoever comes, the hard way, after `says`; how many came.
fn dying(says: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, came) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(says.as_bytes());
            // What is unread when it is closed makes it a reset.
            let _ = stream.read(&mut [0; 1]);
            drop::<TcpStream>(stream);
        }
    });
    (address, came)
}

/// All at once: a webhook that dies in the middle of its answer, a mailbox that dies in the middle of its greeting.
#[test]
fn peers_that_die_in_the_middle_of_a_word_are_asked_again_later_and_nothing_else_waits_for_them() {
    let (hook, called) = dying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    let (mailbox, looked) = dying("* OK [CAPA");
    let site = blog();
    site.save(
        "gazetted.toml",
        format!(
            "{LEAST}[[webhooks]]\nurl = \"http://{hook}/\"\nsecret = \"hush\"\n[bounces]\naddress = \"bounces@blog.example.org\"\n\
             imap_host = \"127.0.0.1\"\nimap_port = {}\nimap_user = \"u\"\nimap_password = \"p\"\n",
            mailbox.port()
        ),
    );
    let mut program = Program::start(&site);
    site.ok("subscribers add ada@example.org");
    until("the webhook to be called", || (called.load(Ordering::SeqCst) > 0).then_some(()));
    until("the mailbox to be looked at twice", || (looked.load(Ordering::SeqCst) > 1).then_some(()));
    site.ok("digest open 2021-05 --now");
    until("the digest", || (site.mails().len() == 1).then_some(()));
    assert!(ask(program.address, "GET /feed.json", "").is_some_and(|(status, _)| status == 200));
    pass(Duration::from_secs(10));
    let log = program.log();
    println!("called {}, looked {}\n{log}", called.load(Ordering::SeqCst), looked.load(Ordering::SeqCst));
    assert!(called.load(Ordering::SeqCst) < 5 && looked.load(Ordering::SeqCst) < 8, "they are hammered");
    assert!(log.lines().count() < 20 && !log.contains("panicked"), "{log}");
    assert!(program.is_alive());
    assert_eq!(program.exit(Signal::TERM), Some(0));
}
