//! The operator's API, tried by Schemathesis: it reads the API's own description, makes calls of it that are right and
//! calls that are wrong in one place each, follows what one call made into the next, and holds every answer against the
//! description.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::daemon::Program;
use super::postgres::{everything_is_wanted, fresh_database, left_out};
use super::site::{ran, site, text};

const TOKEN: &str = "a-token-for-the-tests";

/// Beside the Python that `tests/run` made for the tests.
fn schemathesis() -> Option<PathBuf> {
    let python = std::env::var_os("GAZETTED_TEST_PYTHON").map(PathBuf::from)?;
    Some(python.with_file_name("schemathesis")).filter(|program| program.exists())
}

/// `store`: more of the configuration.
fn the_api_answers_as_it_is_described(store: &str) {
    let Some(schemathesis) = schemathesis() else {
        assert!(!everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no Schemathesis was found");
        return left_out("Schemathesis");
    };
    let site = site()
        .config(&format!("[http]\nadmin = \"127.0.0.1:0\"\nadmin_token = \"{TOKEN}\"\n{store}"))
        .post("2021-05-05-may.md", text("May", "Sun."));
    for n in 0..3 {
        site.ok(&format!("subscribers add reader{n}@example.org"));
    }
    let daemon = Program::start(&site);
    let description = format!("http://{}/api/openapi.json", daemon.admin());
    let authorization = format!("Authorization: Bearer {TOKEN}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let mut command = Command::new(schemathesis);
    // Nothing it writes is kept, and its hooks are found.
    command.current_dir(site.path("")).env("PYTHONPATH", &folder).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("--config-file").arg(folder.join("schemathesis.toml"));
    command.args(["--no-color", "run", &description, "--header", &authorization, "--checks", "all"]);
    let ran = ran(&mut command);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert_eq!(daemon.exit(Signal::TERM), Some(0));
}

#[test]
fn the_api_answers_as_it_is_described_over_sqlite() {
    the_api_answers_as_it_is_described("");
}

#[test]
fn the_api_answers_as_it_is_described_over_postgresql() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(url) = runtime.block_on(fresh_database()) {
        the_api_answers_as_it_is_described(&format!("[store]\nurl = \"{url}\"\n"));
    }
}
