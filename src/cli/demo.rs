//! `gazetted demo`: a whole running instance on a sample blog, in a temporary folder that goes when the demo ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::{Done, demo_posts, open, print};
use crate::clock::SystemClock;
use crate::config::{self, Config};
use crate::daemon::service::{self, Options};
use crate::daemon::{
    editions::{self, Word},
    sending,
};
use crate::domain::period::{Per, Period};
use crate::domain::subscriber::State;
use crate::publish;
use crate::store::{NewSubscriber, SharedStore};

const TITLE: &str = "Lanternfish Notes";
const URL: &str = "https://lanternfish.example";
const LISTEN: &str = "127.0.0.1:8080";
const READERS: [(&str, &str); 3] =
    [("ada@example.org", "Ada"), ("grace@example.org", "Grace"), ("katherine@example.org", "Katherine")];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where the demo listens [default: 127.0.0.1:8080, or another port if that is taken]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub async fn run(given: &Arguments) -> Done {
    let listener = listener(given.listen.as_deref()).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let folder = Folder::new()?;
    let config = write_blog(&folder.0, &address)?;
    let store = open::store(&config).await?;
    subscribe(&store).await?;
    fill_outbox(&config, &store, &folder.0).await?;
    print::text(&welcome(&address, &folder.0)?)?;
    let stop = CancellationToken::new();
    let interrupt = stop.clone();
    tokio::spawn(async move {
        if let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = term.recv() => {} }
        }
        interrupt.cancel();
    });
    let (_reloads, reload) = unbounded_channel();
    let clock = Arc::new(SystemClock);
    service::run(Options {
        config,
        store,
        clock,
        doors: listener.into(),
        config_file: None,
        heartbeat: None,
        reload,
        stop,
    })
    .await?;
    Ok(())
}

async fn listener(wanted: Option<&str>) -> anyhow::Result<TcpListener> {
    let address = wanted.unwrap_or(LISTEN);
    match TcpListener::bind(address).await {
        Err(_) if wanted.is_none() => Ok(TcpListener::bind("127.0.0.1:0").await?),
        bound => bound.map_err(|e| anyhow::Error::new(e).context(format!("cannot listen on `{address}`"))),
    }
}

/// Taken away with everything in it when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("gazetted-demo-{}", std::process::id()));
        std::fs::create_dir_all(path.join("_posts"))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write_blog(folder: &Path, address: &str) -> anyhow::Result<Arc<Config>> {
    let config = format!(
        "[site]\ntitle = \"{TITLE}\"\nurl = \"{URL}\"\ndescription = \"News from a small library for plankton images\"\n\
         author = \"The Lanternfish Team\"\n\n[posts]\ndir = \"_posts\"\nformat = \"jekyll\"\nsettle = \"0s\"\n\n\
         [feeds]\nurl = \"{address}\"\n\n[goal]\nposts = 1\nper = \"month\"\n\n\
         [digest]\nfrom = \"{TITLE} <digest@lanternfish.example>\"\npostal_address = \"Harbour Street 7, 24103 Kiel\"\n\n\
         [http]\nurl = \"{address}\"\n\n[log]\nlevel = \"warn\"\n"
    );
    let path = folder.join("gazetted.toml");
    publish::write(&path, config.as_bytes())?;
    for (name, text) in posts().iter().filter(|(name, _)| !demo_posts::is_late(name)) {
        publish::write(&folder.join(name), text.as_bytes())?;
    }
    Ok(Arc::new(config::load(&path).config))
}

fn posts() -> Vec<(String, String)> {
    demo_posts::posts(jiff::tz::TimeZone::UTC.to_datetime(open::now()).date())
}

async fn subscribe(store: &SharedStore) -> Done {
    let readers = READERS.map(|(email, name)| NewSubscriber {
        email: email.to_owned(),
        key: email.to_owned(),
        name: Some(name.to_owned()),
        state: State::Active,
        source: "demo".to_owned(),
    });
    store.add_subscribers(&readers, false, open::now()).await?;
    Ok(())
}

/// Two months' digests: the second also has a post that came late for the first.
async fn fill_outbox(config: &Arc<Config>, store: &SharedStore, folder: &Path) -> Done {
    let (now, as_is) = (open::now(), Word { as_is: true, ..Word::default() });
    let last = Period::at(Per::Month, now, &config.site.zone()).previous();
    let mut blog = open::scanned_blog(Arc::clone(config), Some(Arc::clone(store))).await?;
    let templates = super::digest::templates(&folder.join("templates"))?;
    blog.publish(now, false).await?;
    editions::open(&mut blog, store, &templates, last.previous(), now, now, as_is).await?;
    for (name, text) in posts().iter().filter(|(name, _)| demo_posts::is_late(name)) {
        publish::write(&folder.join(name), text.as_bytes())?;
    }
    open::scan(&mut blog).await;
    blog.publish(now, false).await?;
    editions::open(&mut blog, store, &templates, last, now, now, as_is).await?;
    let sender = sending::sender(config, &blog.site, sending::Secrets::of(store).await?)?;
    let composer = sending::composer(config, sender, Arc::new(templates));
    let ways = sending::ways(config)?;
    let node = "demo".to_owned();
    let outbox = sending::outbox(config, node, Arc::clone(store), Arc::new(SystemClock), composer, ways);
    outbox.run_until_empty(&CancellationToken::new()).await?;
    Ok(())
}

fn welcome(address: &str, folder: &Path) -> anyhow::Result<String> {
    let mut mails: Vec<PathBuf> = std::fs::read_dir(folder.join("mail"))?.flatten().map(|e| e.path()).collect();
    mails.sort();
    let mut out = format!("{TITLE}: a sample blog, published and mailed by gazetted\n\n");
    for (what, path) in [
        ("front door", "/"),
        ("subscribe", "/subscribe"),
        ("the goal", "/goal"),
        ("goal chart", "/goal.svg"),
        ("badge", "/badge.svg"),
        ("editions", "/editions/"),
        ("RSS", "/feed.xml"),
        ("Atom", "/atom.xml"),
        ("JSON Feed", "/feed.json"),
        ("all feeds", "/feeds.opml"),
    ] {
        out.push_str(&format!("  {what:<12}{address}{path}\n"));
    }
    out.push_str(&format!("\n  posts       {}  (edit one: the feeds follow)\n", folder.join("_posts").display()));
    out.push_str(&format!("  digests     {}\n", folder.join("mail").display()));
    for mail in mails {
        out.push_str(&format!("              {}\n", mail.file_name().unwrap_or_default().to_string_lossy()));
    }
    out.push_str("\nCtrl-C ends it and takes the folder away.\n");
    Ok(out)
}
