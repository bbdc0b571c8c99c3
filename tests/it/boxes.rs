//! Boxes that bounces come to, read by the running daemon: a Maildir, and Debian's Dovecot over TLS.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gazetted::mail::imap::{Account, Done, Mailbox};
use gazetted::mail::tls;

use super::bounce::{ADDRESS, report, return_path, state, with_readers};
use super::daemon::Daemon;
use super::postgres::{account, everything_is_wanted, left_out, path};
use super::site::{Site, until};

const NOW: &str = "2021-06-02T00:00:00Z";
const FOREIGN: &str =
    "From: bob@else.example\r\nTo: bounces@blog.example.org\r\nSubject: hello 5.1.1\r\n\r\nnot yours\r\n";

fn dead(address: &str) -> String {
    format!("Delivered-To: {address}\r\n{}", report("5.1.1"))
}

fn away(address: &str) -> String {
    format!("To: <{address}>\r\nSubject: Automatic reply\r\nAuto-Submitted: auto-replied\r\n\r\naway\r\n")
}

fn person(address: &str) -> String {
    format!("To: <{address}>\r\nFrom: <bo@example.org>\r\nSubject: thank you\r\n\r\nA good read.\r\n")
}

/// As mail servers deliver: whole, in one step.
#[expect(clippy::disallowed_methods, reason = "what a mail server does is what is tried")]
fn deliver(maildir: &Path, name: &str, mail: &str) {
    let file = maildir.join("tmp").join(name);
    fs::write(&file, mail).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    fs::rename(file, maildir.join("new").join(name)).unwrap();
}

/// Where a mail is: the folder, and its flags.
fn places(maildir: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["new", "cur", ".gazetted/new", ".gazetted/cur", ".Bounced/new", ".Bounced/cur"] {
        for entry in fs::read_dir(maildir.join(folder)).into_iter().flatten().flatten() {
            let file = entry.file_name().into_string().unwrap();
            if file.split([':', ',']).next() == Some(name) {
                let flags = file.split_once(":2,").map_or("", |(_, flags)| flags);
                found.push(format!("{folder} {flags}").trim().to_owned());
            }
        }
    }
    found
}

fn make_maildir(folder: &Path) {
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
}

#[test]
fn a_maildir_is_emptied_of_what_is_ours_and_of_nothing_else() {
    let site = with_readers().config(&format!("{ADDRESS}maildir = \"box\"\n"));
    let (ann, bo) = (return_path(&site, "ann"), return_path(&site, "bo"));
    let maildir = site.path("box");
    let forged = ann.replace("bounces+0", "bounces+1").replace("bounces+f", "bounces+e");
    let forged = if forged == ann { format!("bounces+ff{}", &ann["bounces+ff".len()..]) } else { forged };
    // The box comes to be after the daemon, which waits for it.
    let daemon = Daemon::start(&site, NOW);
    make_maildir(&maildir);
    deliver(&maildir, "1.foreign", FOREIGN);
    deliver(&maildir, "2.forged", &dead(&forged));
    deliver(&maildir, "3.away", &away(&bo));
    deliver(&maildir, "4.person", &person(&bo));
    deliver(&maildir, "5.dead", &dead(&ann));
    until("the bounce is dealt with", || (!places(&maildir, "5.dead")[0].starts_with("new")).then_some(()));
    assert_eq!(places(&maildir, "5.dead"), [".gazetted/cur S"]);
    assert_eq!(places(&maildir, "3.away"), [".gazetted/cur S"]);
    for name in ["1.foreign", "2.forged", "4.person"] {
        assert_eq!(places(&maildir, name), ["new"], "{name}");
    }
    assert_eq!(fs::read_to_string(maildir.join("new/1.foreign")).unwrap(), FOREIGN);
    assert_eq!((state(&site, "ann"), state(&site, "bo")), ("suppressed".into(), "active".into()));
    assert_eq!(site.json("subscribers show ann@example.org")["bounces"][0]["source"], "maildir");
    // What comes later is found too, and so is what a mail program has moved to `cur`.
    fs::rename(maildir.join("new/4.person"), maildir.join("cur/4.person:2,S")).unwrap();
    deliver(&maildir, "6.dead", &dead(&bo));
    until("the next", || (places(&maildir, "6.dead") == [".gazetted/cur S"]).then_some(()));
    assert_eq!(state(&site, "bo"), "suppressed");
    assert_eq!(places(&maildir, "4.person"), ["cur S"]);
    daemon.stop();
}

/// `$1`: the folder, `$2`: the port. Ends with its input.
const KEEPER: &str = r#"
set -e
cd "$1"
umask 022
if [ ! -e server.pem ]; then
    new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    openssl req -x509 $new -keyout ca.key -out ca.pem -days 30 -subj /CN=test-authority -addext basicConstraints=critical,CA:TRUE
    openssl req $new -keyout server.key -out server.csr -subj /CN=localhost
    printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >extensions
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out server.pem
    mkdir -p mail/new mail/cur mail/tmp mail/.Bounced/new mail/.Bounced/cur mail/.Bounced/tmp
    chmod -R a+rwX mail
fi
cat >dovecot.conf <<END
base_dir = $1/run
state_dir = $1/state
log_path = $1/log
protocols = imap
listen = 127.0.0.1
default_internal_user = $(id -un)
default_login_user = $(id -un)
default_internal_group = $(id -gn)
first_valid_uid = 1
mail_location = maildir:$1/mail
ssl = required
ssl_cert = <$1/server.pem
ssl_key = <$1/server.key
passdb {
  driver = static
  args = password=secret-word
}
userdb {
  driver = static
  args = uid=$(id -u) gid=$(id -g) home=$1
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $2
    ssl = yes
  }
}
END
dovecot -F -c dovecot.conf &
server=$!
set +e
read -r _
kill $server
wait $server
"#;

/// A mail server of a test's own, with one mailbox.
struct Dovecot {
    folder: tempfile::TempDir,
    port: u16,
    keeper: Option<Child>,
}

impl Dovecot {
    fn start() -> Option<Self> {
        let has = |name: &str| path().any(|folder| folder.join(name).exists());
        if !has("dovecot") || !has("openssl") || !Path::new("/usr/lib/dovecot/imap").exists() {
            assert!(!everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no Dovecot was found");
            left_out("Dovecot");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("gazetted-imap-").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut dovecot = Self { folder, port, keeper: None };
        dovecot.run();
        Some(dovecot)
    }

    /// Dovecot gives nobody the mail of root.
    fn run(&mut self) {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var_os("PATH").unwrap_or_default().display());
        let mut keeper = Command::new("env");
        if rustix::process::geteuid().is_root() {
            let (user, uid, gid) = account("nobody").unwrap();
            chown(self.folder.path(), Some(uid), Some(gid)).unwrap();
            keeper = Command::new("runuser");
            keeper.args(["-u", user, "--"]);
        }
        keeper.args(["sh", "-c", KEEPER, "keeper"]).arg(self.folder.path()).arg(self.port.to_string());
        keeper.env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.keeper = Some(keeper.spawn().unwrap());
        let log = self.folder.path().join("log");
        let port = self.port;
        until("Dovecot", || std::net::TcpStream::connect(("127.0.0.1", port)).ok().filter(|_| log.exists()).map(drop));
    }

    fn stop(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        drop(keeper.stdin.take());
        keeper.wait().unwrap();
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    fn config(&self) -> String {
        format!(
            "{ADDRESS}imap_host = \"localhost\"\nimap_port = {}\nimap_user = \"bounces\"\nimap_password = \"secret-word\"\n\
             imap_ca_file = \"{}\"\n",
            self.port,
            self.folder.path().join("ca.pem").display()
        )
    }

    async fn open(&self) -> Mailbox {
        Mailbox::open(&Account {
            host: "localhost".into(),
            port: self.port,
            user: "bounces".into(),
            password: "secret-word".to_owned().into(),
            mailbox: "INBOX".into(),
            tls: tls::trusting("ca", &self.folder.path().join("ca.pem")).unwrap(),
        })
        .await
        .unwrap()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn suppressed(site: &Site, reader: &str) {
    until(&format!("{reader} is suppressed"), || (state(site, reader) == "suppressed").then_some(()));
}

#[test]
fn a_mailbox_is_read_as_mail_comes_and_after_the_server_was_away() {
    let Some(mut dovecot) = Dovecot::start() else { return };
    let site = with_readers().config(&dovecot.config());
    let (ann, bo) = (return_path(&site, "ann"), return_path(&site, "bo"));
    let maildir = dovecot.maildir();
    deliver(&maildir, "1.foreign", FOREIGN);
    deliver(&maildir, "2.person", &person(&bo));
    deliver(&maildir, "3.dead", &dead(&ann));
    let daemon = Daemon::start(&site, NOW);
    suppressed(&site, "ann");
    until("the bounce is marked as read", || (places(&maildir, "3.dead") == ["cur S"]).then_some(()));
    assert_eq!(site.json("subscribers show ann@example.org")["bounces"][0]["source"], "imap");
    // The server says that something is new.
    deliver(&maildir, "4.away", &away(&bo));
    until("the next", || (places(&maildir, "4.away") == ["cur S"]).then_some(()));
    dovecot.stop();
    deliver(&maildir, "5.dead", &dead(&bo));
    assert_eq!(state(&site, "bo"), "active");
    dovecot.run();
    suppressed(&site, "bo");
    until("the last is marked as read", || (places(&maildir, "5.dead") == ["cur S"]).then_some(()));
    daemon.stop();
    for name in ["1.foreign", "2.person"] {
        assert!(matches!(places(&maildir, name)[0].as_str(), "new" | "cur"), "{name}: {:?}", places(&maildir, name));
    }
}

#[test]
fn what_was_dealt_with_is_marked_moved_or_deleted_and_nothing_else() {
    let Some(dovecot) = Dovecot::start() else { return };
    let maildir = dovecot.maildir();
    for name in ["1.a", "2.b", "3.c", "4.d"] {
        deliver(&maildir, name, &format!("Subject: {name}\r\n\r\ntext\r\n"));
    }
    let large = format!("Subject: large\r\n\r\n{}", "x\r\n".repeat(1_000_000));
    deliver(&maildir, "5.e", &large);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut mailbox = dovecot.open().await;
        let unseen = mailbox.unseen().await.unwrap();
        assert_eq!(unseen.len(), 5);
        let mut names = Vec::new();
        for uid in &unseen[..5] {
            let mail = mailbox.fetch(*uid).await.unwrap().unwrap();
            names.push(String::from_utf8(mail).unwrap().lines().next().unwrap().to_owned());
        }
        assert_eq!(mailbox.unseen().await.unwrap(), unseen, "looking marks nothing");
        let uid = |name: &str| unseen[names.iter().position(|n| n.ends_with(name)).unwrap()];
        assert_eq!(mailbox.fetch(uid("large")).await.unwrap().unwrap().len(), 1024 * 1024);
        mailbox.done(uid("1.a"), &Done::Seen).await.unwrap();
        mailbox.done(uid("2.b"), &Done::parse("delete")).await.unwrap();
        mailbox.done(uid("3.c"), &Done::parse("Bounced")).await.unwrap();
        assert!(mailbox.done(uid("4.d"), &Done::parse("nowhere")).await.is_err());
        assert_eq!(mailbox.fetch(uid("2.b")).await.unwrap(), None);
        mailbox.wait(Duration::from_millis(50), Duration::ZERO).await.unwrap();
        assert_eq!(mailbox.unseen().await.unwrap(), [uid("large")]);
        mailbox.leave().await;
    });
    assert_eq!(places(&maildir, "1.a"), ["cur S"]);
    assert_eq!(places(&maildir, "2.b"), Vec::<String>::new());
    assert_eq!(places(&maildir, "4.d"), ["cur S"]);
    let moved =
        fs::read_dir(maildir.join(".Bounced/cur")).unwrap().chain(fs::read_dir(maildir.join(".Bounced/new")).unwrap());
    assert_eq!(moved.count(), 1);
}
