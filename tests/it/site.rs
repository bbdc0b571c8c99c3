//! A small blog in a temporary folder, and the real binary run over it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

pub const LEAST: &str =
    "[site]\ntitle = \"Working Notes\"\nurl = \"https://blog.example.org\"\n[posts]\ndir = \"_posts\"\n";
/// When the first file of a site was saved: long ago, so that nothing has to settle. 2021-06-01T00:00:00Z.
const SAVED: u64 = 1_622_505_600;
/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Site {
    dir: TempDir,
    saves: AtomicU64,
}

/// A site with the least configuration and no posts.
pub fn site() -> Site {
    let site = Site { dir: tempfile::tempdir().unwrap(), saves: AtomicU64::new(0) };
    std::fs::create_dir(site.path("_posts")).unwrap();
    site.save("gazetted.toml", LEAST);
    site
}

/// A post's text: Jekyll's front matter with a title, then the body.
pub fn text(title: &str, body: &str) -> String {
    format!("---\ntitle: {title}\n---\n{body}\n")
}

impl Site {
    /// A copy of a fixture blog, `gazetted.toml` and all.
    pub fn of(fixture: &str) -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap(), saves: AtomicU64::new(0) };
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(fixture);
        site.copy(&from, "");
        site
    }

    fn copy(&self, from: &Path, to: &str) {
        let mut entries: Vec<_> = std::fs::read_dir(from).unwrap().map(Result::unwrap).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{to}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                self.copy(&entry.path(), &format!("{name}/"));
            } else {
                self.save(&name, std::fs::read(entry.path()).unwrap());
            }
        }
    }

    /// The least configuration and more sections.
    pub fn config(self, more: &str) -> Self {
        self.save("gazetted.toml", format!("{LEAST}{more}"));
        self
    }

    pub fn post(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.save(&format!("_posts/{name}"), text);
        self
    }

    /// Writes a file, a second later than the one before (by its own time).
    #[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
    pub fn save(&self, relative: &str, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        self.age(relative);
    }

    /// Makes a file look as if it had been saved long ago.
    pub fn age(&self, relative: &str) {
        let at = UNIX_EPOCH + Duration::from_secs(SAVED + self.saves.fetch_add(1, Ordering::SeqCst));
        std::fs::File::options().read(true).open(self.path(relative)).unwrap().set_modified(at).unwrap();
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub fn remove(&self, relative: &str) {
        std::fs::remove_file(self.path(relative)).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    pub fn exists(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// Every file below a folder, by relative path.
    pub fn files(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.path(below), "", &mut found);
        found.sort();
        found
    }

    /// The messages that were written as files.
    pub fn mails(&self) -> Vec<String> {
        self.mails_in("mail")
    }

    pub fn mails_in(&self, folder: &str) -> Vec<String> {
        self.files(folder).into_iter().filter(|name| Path::new(name).extension().is_some_and(|e| e == "eml")).collect()
    }

    /// The binary in the site's folder, with nothing of ours in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GAZETTED_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// Runs `gazetted` with these words as its arguments.
    pub fn run(&self, arguments: &str) -> Ran {
        ran(&mut self.command(&arguments.split_whitespace().collect::<Vec<_>>()))
    }

    /// The same, and it must succeed.
    pub fn ok(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "gazetted {arguments}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// The facts of a command that succeeds.
    pub fn json(&self, arguments: &str) -> Value {
        self.ok(&format!("{arguments} --json")).json()
    }
}

fn list(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The names of an object's fields.
pub fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

/// Asserts that an object has at least these fields.
pub fn has(value: &Value, fields: &str) {
    let there = names(value);
    for field in fields.split_whitespace() {
        assert!(there.contains(&field), "`{field}` is missing in {value:#}");
    }
}

/// Polls until something is there; says what it waited for if it never comes.
pub fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
