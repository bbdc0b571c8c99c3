//! The snippets of `deploy/` in the web server they are for, from Debian: the files alone, and the daemon behind it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::daemon::{Program, blog as small_blog};
use super::house::{Answer, House};
use super::postgres::has;
use super::site::{Site, until};

/// nginx on two free ports, everything it writes in a folder that goes with it.
struct Nginx {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nginx {
    fn start(public: &Path, socket: &Path) -> Option<Self> {
        if !has("nginx") {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("gazetted-nginx-").tempdir_in("/tmp").unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let snippet = std::fs::read_to_string("deploy/nginx.conf").unwrap();
        let snippet = snippet
            .replace("listen 80;", &format!("listen {address};"))
            .replace("/var/lib/gazetted/public", &public.display().to_string())
            .replace("/run/gazetted.sock", &socket.display().to_string());
        let own = folder.path().display();
        let temporary =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|n| format!("{n}_temp_path {own}/{n};"));
        // Alone: its workers are of whoever runs the test, who may read the test's files.
        let config = format!(
            "daemon off; master_process off; pid {own}/pid; error_log {own}/error;\nevents {{ }}\nhttp {{\naccess_log off;\n\
             include /etc/nginx/mime.types;\n{}\n{snippet}\n}}\n",
            temporary.concat()
        );
        #[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
        std::fs::write(folder.path().join("conf"), config).unwrap();
        let path = format!("{}:/usr/sbin", std::env::var_os("PATH").unwrap_or_default().display());
        let mut nginx = Command::new("nginx");
        nginx.env("PATH", path).arg("-c").arg(folder.path().join("conf")).arg("-p").arg(folder.path());
        nginx.arg("-e").arg(folder.path().join("error"));
        let child = nginx.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let nginx = Self { child, address, _folder: folder };
        until("nginx to listen", || std::net::TcpStream::connect(address).ok());
        Some(nginx)
    }

    /// Asks the server of this name.
    fn ask(&self, host: &str, path: &str, headers: &[&str]) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(House::ask_host(self.address, host, "GET", path, headers, ""))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const FILES: &str = "feeds.example.org";
const PROXY: &str = "blog.example.org";

fn long_blog() -> Site {
    small_blog().post("2021-05-06-long.md", format!("---\ntitle: Long\ntags: [rust]\n---\n{}\n", "Rain. ".repeat(500)))
}

#[test]
fn nginx_serves_the_files_as_the_daemon_does() {
    let site = long_blog();
    site.ok("build");
    let Some(nginx) = Nginx::start(&site.path("public"), &site.path("none.sock")) else { return };
    for (path, media_type) in [
        ("/feed.xml", "application/rss+xml; charset=utf-8"),
        ("/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/tags/rust/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json"),
        ("/feeds.opml", "text/x-opml; charset=utf-8"),
        ("/.well-known/feeds", "text/x-opml; charset=utf-8"),
    ] {
        let plain = nginx.ask(FILES, path, &[]);
        assert_eq!((plain.status, plain.header("content-type")), (200, media_type), "{path}");
        let zipped = nginx.ask(FILES, path, &["Accept-Encoding: gzip"]);
        assert_eq!((zipped.header("content-encoding"), zipped.header("vary")), ("gzip", "Accept-Encoding"), "{path}");
        for answer in [&plain, &zipped] {
            assert_eq!(answer.header("cache-control"), "public, max-age=3600");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            let tag = format!("If-None-Match: {}", answer.header("etag"));
            let since = format!("If-Modified-Since: {}", answer.header("last-modified"));
            for known in [tag, since] {
                let again = nginx.ask(FILES, path, &["Accept-Encoding: gzip", &known]);
                assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
                assert_eq!(again.header("cache-control"), "public, max-age=3600");
            }
        }
    }
    assert_eq!(nginx.ask(FILES, "/gazetted.db", &[]).status, 404);
}

#[test]
fn nginx_before_the_daemon_changes_nothing_of_its_answers() {
    let site = long_blog();
    let socket = site.path("http.sock");
    let http = format!("[http]\nlisten = \"unix:{}\"\nproxies = [\"unix\"]\n", socket.display());
    let site = site.config(&http);
    let Some(nginx) = Nginx::start(&site.path("public"), &socket) else { return };
    let child = site.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let program = Program::elsewhere(child);
    until("the feed", || (nginx.ask(PROXY, "/feed.xml", &[]).status == 200).then_some(()));
    for path in ["/feed.xml", "/feed.json", "/", "/livez"] {
        let answer = nginx.ask(PROXY, path, &["Accept-Encoding: gzip"]);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-encoding"), if path == "/livez" { "" } else { "gzip" }, "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        let tag = answer.header("etag");
        if !tag.is_empty() {
            assert!(tag.starts_with("W/\""), "{path}: {tag}");
            assert_eq!(nginx.ask(PROXY, path, &[&format!("If-None-Match: {tag}")]).status, 304, "{path}");
        }
    }
    drop(program);
}
