//! The editors' pages in a real browser, from `gazetted admin link` to the mails that a release has sent, and each page as
//! axe-core sees it.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::browser::{free_port, month, tools};
use super::daemon::{Program, born, finished};
use super::site::{ran, site, text};

const WIDTHS: [u16; 3] = [360, 800, 1400];

#[test]
fn an_editor_goes_from_the_link_to_the_release_and_every_page_on_the_way_holds() {
    let Some(tools) = tools() else { return };
    let port = free_port();
    let site = site().config(&format!(
        "[[goal]]\nposts = 1\n[http]\nadmin = \"127.0.0.1:{port}\"\n\
         [digest]\napproval = \"manual\"\ncatch_up = \"40d\"\neditors = [\"ed@example.net\"]\n"
    ));
    let (last, before) = (month(1), month(2));
    let site = site
        .post(&format!("{before}-05-before.md"), text("Before", "Rain."))
        .post(&format!("{last}-05-lately.md"), text("Lately <in> a long-time-project", "Sun."))
        .post("2021-01-01-broken.md", "---\ntitle: [\n---\nNo.\n");
    born(&site, &format!("{before}-02T00:00:00Z"));
    site.ok(&format!("digest open {before} --now"));
    site.ok("outbox flush");
    site.ok("outbox retry");
    let daemon = Program::start(&site);
    let desk = daemon.admin();
    let link = site.ok("admin link").out.trim().to_owned();
    assert!(link.starts_with(&format!("http://{desk}/admin/sign-in/")), "{link}");
    let pictures = std::env::var_os("GAZETTED_TEST_PICTURES").map(|path| path.to_string_lossy().into_owned());
    let given = json!({
        "chromium": tools.chromium,
        "origin": format!("http://{desk}"),
        "link": link,
        "widths": WIDTHS,
        "pictures": pictures,
        "pages": [
            "/admin", "/admin/next", "/admin/editions", format!("/admin/editions/{before}"), "/admin/readers?q=ada",
            "/admin/readers/1", "/admin/problems", "/admin/bounces", "/admin/log", "/admin/sign-in",
        ],
    });
    site.save("desk.json", given.to_string());
    let ran = ran(tools.script("desk.mjs").arg(site.path("desk.json")));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let found: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(found.len() >= 13, "{}", ran.out);
    let wrong: Vec<&Value> = found.iter().filter(|page| page["wrong"] != json!([])).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let list = finished(&site, 2);
    let released = list.as_array().unwrap().iter().find(|edition| edition["period"] == last.to_string()).unwrap();
    assert_eq!(released["accepted"], 2, "{list}");
    // Two editions for two readers; the editor's preview, and the copy that was asked for.
    let to_editor =
        site.mails().iter().filter(|name| site.read(&format!("mail/{name}")).contains("ed@example.net")).count();
    assert_eq!((site.mails().len() - to_editor, to_editor >= 1), (4, true), "{:?}", site.mails());
    let did = site.json("admin log");
    let did: Vec<&str> = did.as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(did[..3], ["digest release", "digest test", "sign in"], "{did:?}");
    assert!(!daemon.log().contains("@example"), "{}", daemon.log());
    assert_eq!(daemon.exit(Signal::TERM), Some(0));
}
