//! What the real program gives away: to the log, to other users of the machine, to whoever is sent on. And how much it reads of what
//! it is given.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use super::program::{Program, ask, blog, finished};
use super::site::{LEAST, Site, ran, until};

const SECRETS: [&str; 4] = ["marker-relay-41c9d7", "marker-token-5e0a72", "marker-password-8f3b", "marker-hook-77aa10"];

/// A blog whose every secret is in a file, or in the configuration.
fn with_secrets() -> Site {
    let site = blog();
    for (name, secret) in ["relay", "token", "password"].iter().zip(SECRETS) {
        site.save(&format!("secrets/{name}"), format!("{secret}\n"));
    }
    let more = format!(
        "[http]\nadmin = \"127.0.0.1:0\"\nadmin_token_file = \"secrets/token\"\nadmin_password_file = \"secrets/password\"\n\
         [digest]\nfrom = \"Notes <notes@example.org>\"\nenabled = false\npostal_address = \"1 Main Street\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nuser = \"u\"\npassword_file = \"secrets/relay\"\n\
         [[webhooks]]\nurl = \"http://127.0.0.1:1/\"\nsecret = \"{}\"\n",
        SECRETS[3]
    );
    site.config(&more)
}

fn talking(site: &Site, words: &str) -> Program {
    let mut command = site.command(&["run", "--listen", "127.0.0.1:0", words]);
    Program::of(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
}

/// FAULTS S1.
#[test]
fn no_secret_is_in_the_environment_the_command_line_the_log_or_what_is_printed() {
    let site = with_secrets();
    site.ok("subscribers add ada@example.org");
    let program = talking(&site, "-vvv");
    site.ok("digest open 2021-05 --now");
    until("the relay to be tried", || program.log().contains("127.0.0.1:1").then_some(()));
    let admin = program.admin();
    for path in ["/", "/admin", "/api/v1/subscribers", "/metrics", "/nowhere"] {
        let _ = ask(admin, &format!("GET {path}"), "");
    }
    let _ = ask(admin, "POST /admin/sign-in", "password=wrong-password-of-somebody");
    let of = |name: &str| {
        let bytes = std::fs::read(format!("/proc/{}/{name}", program.pid())).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut said = vec![("environ", of("environ")), ("cmdline", of("cmdline"))];
    for words in ["config show", "check", "outbox --json", "digest list", "admin log"] {
        let ran = site.run(words);
        said.push((words, ran.out + &ran.err));
    }
    said.push(("the log", program.log()));
    assert!(said.iter().all(|(_, text)| !text.is_empty() || cfg!(unix)));
    for (place, text) in &said {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {place}");
        }
    }
    assert!(said.iter().any(|(_, text)| text.contains("***")), "a secret is there, and says so");
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

/// FAULTS S2.
#[test]
fn a_digest_for_three_hundred_people_leaves_none_of_their_addresses_in_the_log() {
    const READERS: usize = 300;
    let site = blog();
    let more = "[digest]\nfrom = \"Notes <notes@example.org>\"\nenabled = false\n[outbox]\ncanary = \"0s\"\n";
    let site = site.config(more);
    let rows: Vec<String> = (0..READERS).map(|n| format!("marker{n}@marked.example")).collect();
    site.save("people.csv", format!("email\n{}\n", rows.join("\n")));
    let imported = site.ok("subscribers import people.csv");
    assert!(!(imported.out + &imported.err).contains("@marked.example"));
    let program = Program::start(&site);
    let _ = ask(program.address, "POST /subscribe", "email=marker-new%40marked.example");
    site.ok("digest open 2021-05 --now");
    finished(&site, 1);
    until("the confirmation", || (site.mails().len() > READERS).then_some(()));
    let log = program.log();
    assert!(log.contains("every delivery has its outcome"), "{log}");
    assert!(!log.contains("marked.example") && !log.contains("marker"), "{log}");
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

/// The answer to bytes as they are.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // What is no request is waited for longer than this.
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// FAULTS W27.
#[test]
fn nothing_a_stranger_sends_ends_a_line_of_the_log_or_is_obeyed_by_a_terminal() {
    let site = blog();
    let program = talking(&site, "-vvv");
    let lines = program.log().lines().count();
    let hostile = [
        "%0aERROR forged",
        "%0d%0a INFO forged",
        "%1b[31mred",
        "%00",
        "a%c2%85b",
        "\u{85}x",
        "\u{2028}x",
        "%e2%80%a8",
        "\x1b]0;t\x07",
    ];
    for text in hostile {
        for request in [
            format!("GET /{text} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            format!("GET /feed.xml?{text} HTTP/1.1\r\nHost: {text}\r\nConnection: close\r\n\r\n"),
            format!(
                "GET /goal HTTP/1.1\r\nHost: a\r\nUser-Agent: {text}\r\nX-Forwarded-For: {text}\r\nConnection: close\r\n\r\n"
            ),
            format!("{text} / HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!(
                "POST /subscribe HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: {}\r\n\r\nemail={text}",
                6 + text.len()
            ),
        ] {
            raw(program.address, request.as_bytes());
        }
    }
    assert!(ask(program.address, "GET /livez", "").is_some());
    let log = program.log();
    assert!(log.lines().count() > lines, "nothing was logged");
    for line in log.lines() {
        let level = line.trim_start().split(' ').next().unwrap();
        assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level), "a line of somebody else's: {line:?}");
        assert!(!line.contains(" ERROR forged") || line.contains("%0a"), "{line:?}");
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}'), "{line:?}");
    }
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

/// FAULTS W11.
#[test]
fn no_answer_sends_a_reader_to_an_address_that_a_stranger_chose() {
    let site = blog();
    let program = Program::start(&site);
    let away = [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "%2f%2fevil.example",
        "/%09/evil.example",
        "/%5cevil.example",
        "@evil.example",
        ".evil.example",
    ];
    let routes = [
        "",
        "/",
        "/subscribe",
        "/goal",
        "/editions",
        "/editions/",
        "/feed",
        "/tags",
        "/goal/goal",
        "/unsubscribe/x",
        "/confirm/x",
        "/preferences/x",
    ];
    let mut asked = 0;
    for away in away {
        let requests = routes.iter().flat_map(|route| {
            [format!("{route}{away}"), format!("{route}?next={away}"), format!("{route}?url={away}&return={away}")]
        });
        for path in requests.filter(|path| !path.is_empty()) {
            for host in ["blog.example.org", "evil.example"] {
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n"
                );
                let answer = raw(program.address, request.as_bytes()).to_lowercase();
                let location =
                    answer.lines().find_map(|line| line.strip_prefix("location:")).unwrap_or_default().trim();
                assert!(
                    location.is_empty() || location.starts_with('/') && !location.starts_with("//"),
                    "{path}: {location}"
                );
                assert!(!location.contains('\\') && !location.contains('\t'), "{path}: {location}");
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked}");
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

/// What an operator names by mistake, or what never ends.
#[test]
fn files_that_are_too_long_or_never_end_are_refused_by_name() {
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}# {}\n", "x".repeat(1_100_000)));
    let long = site.run("check");
    assert!(long.code != 0 && (long.out + &long.err).contains("it has more than 1000000 bytes"));
    let endless = ran(&mut site.command(&["check", "--config", "/dev/zero"]));
    assert!(endless.code != 0 && (endless.out + &endless.err).contains("more than 1000000 bytes"));
    site.save("gazetted.toml", format!("{LEAST}[smtp]\nhost = \"h\"\npassword_file = \"/dev/zero\"\n"));
    let secret = site.run("check");
    assert!(secret.out.contains("gazetted.toml:8:1: error: `smtp.password_file` `/dev/zero`"), "{}", secret.out);
    assert!(secret.code != 0 && (secret.out + &secret.err).contains("it has more than 64000 bytes"));
    site.save("gazetted.toml", LEAST);
    for (command, said) in [
        ("report --from 2021-05 --to 2021-05 --facts /dev/zero", "1000000"),
        ("check /dev/zero", "20000000"),
        ("adopt /dev/zero", "20000000"),
    ] {
        let ran = site.run(command);
        assert!(
            ran.code != 0 && ran.err.contains(&format!("more than {said} bytes")),
            "{command}: {} {}",
            ran.out,
            ran.err
        );
    }
}
