//! A private PostgreSQL for the tests: one server for the whole binary, one fresh database for each test; and servers that a
//! test has for itself, to end them. Each has a keeper, a shell that waits for the end of its input: so it ends with this
//! process however that ends.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

/// `$1` is the folder of the programs, `$2` the server's own folder. Each word of its input is one for `pg_ctl`.
const KEEPER: &str = r#"
set -e
trap '' INT
cd "$2"
"$1/initdb" -D data -U gazetted -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1
cat >>data/postgresql.conf <<END
unix_socket_directories = '$2'
listen_addresses = ''
fsync = off
max_connections = 200
END
set +e
ctl() { "$1/pg_ctl" -D data -l server.log -m immediate -w "$2" >>ctl.log 2>&1; }
ctl "$1" start
while read -r word; do
    ctl "$1" "$word"
    echo "$word: $?"
done
ctl "$1" stop
rm -rf "$2"
"#;

struct Server {
    folder: PathBuf,
    /// Holds the writing end of the keeper's input.
    keeper: Child,
}

/// A server that a test may end as it likes.
pub struct OwnServer(Server);

impl OwnServer {
    /// `None`, and one line said, if this machine has no PostgreSQL.
    pub async fn start() -> Option<Self> {
        let own = Self(started()?);
        connect(&own.url()).await.close().await.unwrap();
        Some(own)
    }

    pub fn url(&self) -> String {
        url(&self.0.folder, "postgres")
    }

    /// `stop`, `start` or `restart`; it ends as if it had died.
    pub fn told(&mut self, word: &str) {
        let keeper = &mut self.0.keeper;
        writeln!(keeper.stdin.as_mut().unwrap(), "{word}").unwrap();
        let (mut answer, expected) = (Vec::new(), format!("{word}: 0\n"));
        while answer.last() != Some(&b'\n') {
            let mut byte = [0];
            keeper.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.0.keeper.stdin.take());
        let _ = self.0.keeper.wait();
    }
}

/// A server that starts; `None`, and one line said, if this machine has none.
fn started() -> Option<Server> {
    let programs = programs();
    assert!(programs.is_some() || !everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no PostgreSQL was found");
    if programs.is_none() {
        left_out("PostgreSQL");
    }
    Some(start(&programs?))
}

/// The URL of an empty database; `None`, and one line said, if this machine has no PostgreSQL.
pub async fn fresh_database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(started).as_ref()?;
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut admin = connect(&url(&server.folder, "postgres")).await;
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    Some(url(&server.folder, &name))
}

/// `tests/run` sets it: nothing may be left out.
pub fn everything_is_wanted() -> bool {
    std::env::var_os("GAZETTED_TEST_ALL").is_some_and(|value| value == "1")
}

/// Whether a program is here; if it is not, and all tests are wanted, that is a failure.
pub fn has(program: &str) -> bool {
    let found = path().any(|folder| folder.join(program).exists());
    assert!(found || !everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no `{program}` was found");
    if !found {
        left_out(program);
    }
    found
}

pub fn left_out(what: &str) {
    eprintln!("left out: {what} was not found on this machine");
}

fn url(folder: &Path, database: &str) -> String {
    format!("postgres://gazetted@localhost/{database}?host={}", folder.display())
}

/// The server may still be starting.
pub async fn connect(url: &str) -> sqlx::postgres::PgConnection {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    for _ in 0..300 {
        if let Ok(connection) = options.clone().connect().await {
            return connection;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the private PostgreSQL does not answer at {url}");
}

/// The folder of PostgreSQL's own programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    folders.chain(path()).find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// Where programs are, those of administrators too.
pub fn path() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/bin", "/usr/local/sbin", "/usr/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).collect::<Vec<_>>().into_iter().chain(usual)
}

fn start(programs: &Path) -> Server {
    let folder = tempfile::Builder::new().prefix("gazetted-pg-").tempdir_in("/tmp").unwrap().keep();
    let mut keeper = as_somebody(&folder);
    keeper.args(["sh", "-c", KEEPER, "keeper"]).arg(programs).arg(&folder);
    let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    Server { folder, keeper }
}

/// PostgreSQL refuses to run as root.
fn as_somebody(folder: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let (user, uid, gid) = ["postgres", "nobody"].into_iter().find_map(account).expect("no user to run PostgreSQL as");
    chown(folder, Some(uid), Some(gid)).unwrap();
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]);
    command
}

pub fn account(user: &'static str) -> Option<(&'static str, u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.split(':').next() == Some(user))?;
    let mut fields = line.split(':').skip(2);
    Some((user, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
