//! A private PostgreSQL for the tests: one server for the whole binary, one fresh database for each test. The server is
//! the child of a shell that waits for the end of its input, so it ends with this process however that ends.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

/// `$1` is the folder of the programs, `$2` the server's own folder.
const KEEPER: &str = r#"
set -e
cd "$2"
"$1/initdb" -D data -U gazetted -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1
"$1/postgres" -D data -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 >server.log 2>&1 &
server=$!
set +e
read -r _
kill -QUIT $server
wait $server
rm -rf "$2"
"#;

struct Server {
    folder: PathBuf,
    /// Holds the writing end of the keeper's input.
    _keeper: Child,
}

/// The URL of an empty database; `None`, and one line said, if this machine has no PostgreSQL.
pub async fn fresh_database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(|| programs().map(|programs| start(&programs))).as_ref();
    let Some(server) = server else {
        assert!(!everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no PostgreSQL was found");
        left_out("PostgreSQL");
        return None;
    };
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
async fn connect(url: &str) -> sqlx::postgres::PgConnection {
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
    let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    Server { folder, _keeper: keeper }
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
