//! An edition that is to be sent while something goes wrong, and what everybody has of it afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::postgres::left_out;
use super::program::{Program, blog};
use super::site::{Site, until};
use super::smtp_server::{Act, Server, Step};

/// Connections of the daemons here: so many messages may be in doubt at a time.
pub const CONNECTIONS: usize = 4;

pub const DAEMON: [&str; 3] = ["run", "--listen", "127.0.0.1:0"];

/// A blog with readers and an edition for them that nobody has sent yet, and a mail server that waits for it.
pub struct Trial {
    pub site: Site,
    pub server: Server,
    _runtime: tokio::runtime::Runtime,
    pub readers: usize,
}

impl Trial {
    pub fn new(readers: usize, server: impl Fn(&Step) -> Act + Send + Sync + 'static) -> Self {
        Self::on("sqlite:gazetted.db", readers, server)
    }

    pub fn on(store: &str, readers: usize, server: impl Fn(&Step) -> Act + Send + Sync + 'static) -> Self {
        let trial = Self::without_edition(blog(), store, readers, server);
        trial.site.ok("digest open 2021-05 --now");
        trial
    }

    pub fn without_edition(
        site: Site,
        store: &str,
        readers: usize,
        server: impl Fn(&Step) -> Act + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(server));
        let site = site.config(&settings(store, server.address.port()));
        let rows: Vec<String> = (0..readers).map(|n| format!("reader{n}@example.org")).collect();
        site.save("people.csv", format!("email\n{}\n", rows.join("\n")));
        site.ok("subscribers import people.csv");
        Self { site, server, _runtime: runtime, readers }
    }

    /// How often each reader's message has been taken.
    pub fn copies(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for arrived in self.server.arrived().into_iter().filter(|arrived| arrived.accepted) {
            *copies.entry(arrived.recipient).or_default() += 1;
        }
        copies
    }

    pub fn until_sent(&self, least: usize) {
        until(&format!("{least} messages"), || (self.copies().len() >= least).then_some(()));
    }

    /// Everybody has it; at most `doubled` have it twice, and then the same.
    pub fn assert_sent(&self, doubled: usize) {
        let copies = self.copies();
        let twice: usize = copies.values().map(|n| n - 1).sum();
        println!("{} of {} readers, {twice} copies too many (at most {doubled})", copies.len(), self.readers);
        assert_eq!(copies.len(), self.readers, "somebody got nothing");
        assert!(twice <= doubled, "{twice} copies too many");
        let mut bytes: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for arrived in self.server.arrived() {
            let first = bytes.entry(arrived.recipient.clone()).or_insert_with(|| arrived.bytes.clone());
            assert!(*first == arrived.bytes, "two different messages for {}", arrived.recipient);
        }
    }

    /// The ledger says the same as the mail server.
    pub fn until_settled(&self) {
        let readers = u64::try_from(self.readers).unwrap();
        until("the ledger to be complete", || {
            (self.site.json("outbox")["accepted"].as_u64() == Some(readers)).then_some(())
        });
    }
}

pub fn settings(store: &str, port: u16) -> String {
    format!(
        "[store]\nurl = \"{store}\"\n[digest]\nfrom = \"Notes <notes@example.org>\"\nenabled = false\npostal_address = \"1 Main Street\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nconnections = {CONNECTIONS}\n[outbox]\ncanary = \"0s\"\n"
    )
}

/// A minute is what it may take.
pub fn patiently(what: &str, found: impl Fn() -> bool) {
    for _ in 0..650 {
        if found() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    panic!("waited in vain for {what}");
}

/// A mail server that thinks about each message for so long.
pub fn slow(milliseconds: u64) -> impl Fn(&Step) -> Act + Send + Sync + 'static {
    move |step| {
        if step.verb == "DOT" {
            std::thread::park_timeout(std::time::Duration::from_millis(milliseconds));
        }
        Act::Usual
    }
}

pub fn usual(_: &Step) -> Act {
    Act::Usual
}

/// The site's command, run by another program: `strace`, a shell.
pub fn by(site: &Site, runner: &[&str], arguments: &[&str]) -> Command {
    let plain = site.command(arguments);
    let mut command = Command::new(runner[0]);
    command.args(&runner[1..]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(site.path("")).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GAZETTED_")) {
        command.env_remove(name);
    }
    command
}

pub fn daemon_by(site: &Site, runner: &[&str]) -> Program {
    let mut command = by(site, runner, &DAEMON);
    Program::of(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
}

/// A small disk of its own, taken away when dropped. Only root can have one, and not in every container.
pub struct Disk(pub PathBuf);

impl Disk {
    pub fn mount(at: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        left_out("the right to mount a disk");
        None
    }

    pub fn remount(&self, options: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Writes zeros until nothing more fits, or `most` bytes; gives the file.
    pub fn fill(&self, most: u64) -> PathBuf {
        use std::io::Write as _;
        let name = self.0.join("filler");
        let mut file = std::fs::File::create(&name).unwrap();
        let zeros = vec![0; 64 * 1024];
        let mut written = 0;
        while written < most && file.write_all(&zeros).is_ok() {
            written += zeros.len() as u64;
        }
        while written < most && file.write_all(&[0]).is_ok() {}
        name
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
