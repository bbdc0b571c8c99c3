//! What other people's judges of mail say about a digest: SpamAssassin and rspamd, both without the network; its size; and
//! whether its two parts lead to the same places.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use mail_parser::MessageParser;

use super::postgres::{everything_is_wanted, has, left_out};
use super::site::{Site, site};
use super::trial::patiently;

/// More than this from either judge, and something about the digest looks like spam.
const BAR: f64 = 0.5;
/// Gmail cuts what is longer than about 102 kB, after additions of its own.
const LARGEST_HTML: usize = 80_000;

/// A month with several authors, tags, code and links, after others with and without posts, so that the chart has a shape.
fn blog(language: &str, digest: &str) -> Site {
    let mut site = site().config(
        "[goal]\nposts = 1\n[digest]\nfrom = \"Working Notes <notes@blog.example.org>\"\n\
         postal_address = \"Example Foundation, 1 High Street, Springfield\"\n[smtp]\nhost = \"127.0.0.1\"\n",
    );
    let settings = site.read("gazetted.toml").replace("[posts]", &format!("language = \"{language}\"\n[posts]"));
    let settings = settings.replace("[smtp]", &format!("{digest}\n[smtp]"));
    site.save("gazetted.toml", settings);
    for (day, title) in [
        ("2020-11-12", "Comparing ways to sharpen a picture"),
        ("2021-01-25", "A short history of our scheduler"),
        ("2021-02-02", "What the summit taught us"),
        ("2021-05-07", "Analysing skeletons with little memory"),
        ("2021-05-21", "How stable is the library?"),
        ("2021-05-24", "Life scientists at the summit"),
        ("2021-05-25", "Ninety days of user questions, counted"),
    ] {
        let text = format!(
            "---\ntitle: \"{title}\"\nauthor: Ann Example\ntags: [imaging, release]\n---\nIn this post we show how to work with \
             data that does not fit into [memory](https://en.wikipedia.org/wiki/Memory), on a laptop.\n\n```python\nx = open(\"a\")\n```\n\
             \nIt took *three* of us a week, and the code is there for everybody to try.\n"
        );
        site = site.post(&format!("{day}-{}.md", title.to_lowercase().replace([' ', ',', '?'], "-")), text);
    }
    site.post("2021-05-30-soon.md", "---\ntitle: Not finished yet\npublished: false\n---\nSoon.\n")
}

/// As it arrives: the last server before us has noted where it came from.
fn arrived(site: &Site) -> String {
    let mail = site.ok("digest preview 2021-05 --format eml").out;
    let date = mail.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap().trim().to_owned();
    let received = format!(
        "Received: from mail.blog.example.org (mail.blog.example.org [185.199.108.153])\r\n\
         \tby mx.example.net (Postfix) with ESMTPS id 4Zx1Yk2W\r\n\tfor <reader@example.org>; {date}\r\n"
    );
    received + &mail
}

const PLAIN: &str = "look = \"plain\"";
const MAGAZINE: &str = "look = \"magazine\"";
/// All that a style can be.
const DRESSED: &str = "look = \"magazine\"\n[digest.style]\naccent = \"#8a2b00\"\nbackground = \"#fffaf0\"\ntext = \"#2b2118\"\n\
                       font = \"serif\"\nlogo = \"https://blog.example.org/logo.png\"\nlogo_alt = \"Working Notes\"\n\
                       header = \"From *the editors*: read [how we work](https://blog.example.org/).\"\n\
                       footer = \"Made by [the team](https://example.org/team).\"";

/// A digest in each language, and in each look.
fn digests() -> [(&'static str, Site); 7] {
    let languages = ["en", "de", "fr", "es"].map(|language| (language, blog(language, "")));
    let [en, de, fr, es] = languages;
    let looks = [("en, plain", PLAIN), ("en, magazine", MAGAZINE), ("en, dressed", DRESSED)];
    let [plain, magazine, dressed] = looks.map(|(name, look)| (name, blog("en", look)));
    [en, de, fr, es, plain, magazine, dressed]
}

fn mails() -> [(&'static str, String); 7] {
    digests().map(|(name, site)| (name, arrived(&site)))
}

fn judged(command: &mut Command, mail: &str) -> String {
    let mut judge = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    judge.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
    let done = judge.wait_with_output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

/// The number after `name`.
fn number(text: &str, name: &str) -> f64 {
    let rest = text.split_once(name).unwrap_or_else(|| panic!("no `{name}` in {text}")).1;
    let number: String = rest.chars().take_while(|c| matches!(c, '0'..='9' | '.' | '-')).collect();
    number.parse().unwrap_or_else(|_| panic!("`{name}` has no number in {text}"))
}

#[test]
fn spamassassin_sees_nothing_wrong_with_a_digest() {
    if !has("spamassassin") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    for (language, mail) in mails() {
        let mut judge = Command::new("spamassassin");
        let said = judged(judge.args(["-t", "-L", "-x"]).env("HOME", home.path()), &mail);
        let status = said.split("X-Spam-Status:").nth(1).unwrap_or(&said).split("autolearn").next().unwrap();
        println!("{language}: {}", status.split_whitespace().collect::<Vec<_>>().join(" "));
        // That its rules are there and were asked: it knows mail of a list when it sees some.
        assert!(status.contains("MAILING_LIST_MULTI"), "{language}: {status}");
        assert!(number(&said, "score=") <= BAR, "{language}: {status}");
    }
}

/// A private rspamd that asks nobody; it ends with this process.
struct Rspamd {
    controller: u16,
    keeper: Child,
    _folder: tempfile::TempDir,
}

/// `$1` is a folder of our own, `$2` and `$3` the ports. What needs a network, a history or a Redis is switched off.
const KEEPER: &str = r#"
set -e
cd "$1"
cp -r /etc/rspamd etc
mkdir -p etc/local.d db run log
for module in rbl surbl asn fuzzy_check dmarc mx_check hfilter phishing greylist ratelimit history_redis neural url_redirector \
    reputation bayes_expiry dkim_signing arc; do
    echo 'enabled = false;' >etc/local.d/$module.conf
done
echo 'dns { nameserver = ["127.0.0.1:1"]; } disable_hyperscan = true;' >etc/local.d/options.inc
echo "bind_socket = \"127.0.0.1:$2\";" >etc/local.d/worker-normal.inc
echo "bind_socket = \"127.0.0.1:$3\";" >etc/local.d/worker-controller.inc
echo 'enabled = false;' >etc/local.d/worker-proxy.inc
echo 'enabled = false;' >etc/local.d/worker-fuzzy.inc
as=
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$1"
    chown -R _rspamd:_rspamd .
    as='-u _rspamd -g _rspamd'
fi
rspamd -f $as -c "$1/etc/rspamd.conf" --var=CONFDIR="$1/etc" --var=LOCAL_CONFDIR="$1/etc" --var=DBDIR="$1/db" --var=RUNDIR="$1/run" \
    --var=LOGDIR="$1/log" >rspamd.out 2>&1 </dev/null &
judge=$!
set +e
read -r _
kill $judge
wait $judge
"#;

impl Rspamd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [normal, controller] = ports.map(|port| port.local_addr().unwrap().port());
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(folder.path()).args([normal.to_string(), controller.to_string()]);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // It makes itself a table of all top-level domains first.
        patiently("rspamd to listen", || TcpStream::connect(("127.0.0.1", controller)).is_ok());
        Self { controller, keeper, _folder: folder }
    }

    fn judge(&self, mail: &str) -> String {
        let address = format!("127.0.0.1:{}", self.controller);
        judged(Command::new("rspamc").args(["-h", &address, "symbols"]), mail)
    }
}

impl Drop for Rspamd {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

#[test]
fn rspamd_sees_nothing_wrong_with_a_digest() {
    if !has("rspamd") || !has("rspamc") {
        return;
    }
    let rspamd = Rspamd::start();
    for (language, mail) in mails() {
        let said = rspamd.judge(&mail);
        let symbols: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("Symbol: ")).collect();
        println!("{language}: {} {symbols:?}", number(&said, "Score: "));
        // That it has looked at all: it knows mail of a list when it sees some.
        assert!(said.contains("MAILLIST"), "{said}");
        assert!(number(&said, "Score: ") <= BAR, "{language}: {said}");
    }
    let spam = "Subject: VIAGRA\r\nFrom: a@b.c\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n";
    assert!(rspamd.judge(spam).contains("GTUBE"));
}

/// Where a text leads, as somebody who presses each link would find out.
fn links(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("https://").chain(text.match_indices("http://"));
    let links = starts.map(|(at, _)| text[at..].split(['"', '<', '>', ' ', '\n', '\r', ')']).next().unwrap());
    links.map(|link| link.replace("&amp;", "&")).collect()
}

#[test]
fn the_parts_of_a_digest_lead_to_the_same_places_and_nothing_is_cut_off() {
    for (language, mail) in mails() {
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
        assert!(html.len() <= LARGEST_HTML, "{language}: {} bytes", html.len());
        // A logo is no link.
        let (in_text, in_html) = (links(&text), links(&html.replace("src=\"https://", "src=\"")));
        assert!(in_text.len() >= 6, "{language}: {in_text:?}");
        assert_eq!(in_text, in_html, "{language}");
        let tag = language.split(',').next().unwrap();
        assert!(html.contains("<h1") && html.contains(&format!("lang=\"{tag}\"")), "{language}");
    }
}

#[test]
fn a_digest_of_many_posts_with_long_beginnings_is_not_cut_off_by_gmail() {
    for look in ["", PLAIN, DRESSED] {
        not_cut_off(blog("en", look));
    }
}

fn not_cut_off(mut site: Site) {
    for n in 0..60 {
        let words = "A sentence that goes on for a while, as the first one of a post does. ".repeat(20);
        site = site.post(
            &format!("2021-05-{:02}-number-{n}.md", n % 28 + 1),
            format!("---\ntitle: Number {n} of many\n---\n{words}\n"),
        );
    }
    let html = site.ok("digest preview 2021-05 --format html").out;
    println!("64 posts: {} bytes", html.len());
    assert!(html.len() <= LARGEST_HTML, "{} bytes", html.len());
}

/// Runs `tests/mail/caniemail.mjs` over these files.
fn linted(packages: &std::ffi::OsStr, files: &[std::path::PathBuf]) -> super::site::Ran {
    super::site::ran(Command::new("node").arg("tests/mail/caniemail.mjs").arg(packages).args(files))
}

#[test]
fn mail_programs_know_all_the_html_of_a_digest_but_for_what_only_makes_it_better() {
    let Some(packages) = std::env::var_os("GAZETTED_TEST_NODE") else {
        assert!(!everything_is_wanted(), "GAZETTED_TEST_NODE is not set");
        return left_out("caniemail");
    };
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, html: &str| {
        let file = folder.path().join(format!("{}.html", name.replace(", ", "-")));
        gazetted::publish::write(&file, html.as_bytes()).unwrap();
        file
    };
    let german = [("de, plain", PLAIN), ("de, magazine", MAGAZINE)].map(|(name, look)| (name, blog("de", look)));
    let html = |(name, site): (&str, Site)| written(name, &site.ok("digest preview 2021-05 --format html").out);
    let files: Vec<_> = digests().into_iter().chain(german).map(html).collect();
    let said = linted(&packages, &files);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    // That it looks at all.
    let bad = linted(&packages, &[written("bad", "<div style=\"display:grid\"><svg></svg></div>")]);
    assert!(bad.code == 1 && bad.out.contains("display:grid"), "{bad:?}");
}
