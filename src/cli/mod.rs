//! The command line: one file a command. Results go to stdout, everything else to stderr; errors are printed here and
//! nowhere else.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand};

mod acts;
mod admin;
mod adopt;
mod backup;
mod bounce;
mod build;
mod check;
mod config;
mod demo;
mod demo_posts;
mod diff;
mod digest;
mod doctor;
mod doors;
mod error;
mod examples;
mod feed_source;
mod goal;
mod init;
mod journal;
mod log_writer;
mod manual;
mod memory;
mod open;
mod outbox;
mod ownership;
mod posts;
mod print;
mod report;
mod run;
mod subscribers;
mod why;

use error::Failure;

type Done = Result<(), Failure>;

#[derive(Debug, Parser)]
#[command(name = "gazetted", version, about = "A blog's feeds, its monthly digest, and its goal", max_term_width = 100)]
struct Arguments {
    /// The configuration; else $`GAZETTED_CONFIG`, ./gazetted.toml, /etc/gazetted/gazetted.toml
    #[arg(long, global = true, env = "GAZETTED_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say more (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a short commented gazetted.toml
    Init(init::Arguments),
    /// A whole running instance on sample posts, in a temporary folder
    Demo(demo::Arguments),
    /// The daemon: watch, publish, serve, send
    Run(run::Arguments),
    /// Scan once, write all feeds, say what changed
    Build(build::Arguments),
    /// Take over the ids of the feed the blog had before, so that no reader sees an old post as new
    Adopt(adopt::Arguments),
    /// Every problem in configuration, posts and templates; exit 1 on errors
    Check(check::Arguments),
    /// Whether the set-up is right, from outside and from inside: a line each, and the remedy; exit 1 if something is wrong
    Doctor(doctor::Arguments),
    /// What readers will see as new, changed or gone, before it is published
    Diff(diff::Arguments),
    /// In which feeds and editions a post is, or why it is not
    Why(why::Arguments),
    /// What the catalogue holds
    Posts(posts::Arguments),
    /// Where the blog stands
    Goal(goal::Arguments),
    /// The progress report of a stretch of time
    Report(report::Arguments),
    /// The editions of the digest
    #[command(subcommand)]
    Digest(digest::Command),
    /// The people the digest goes to
    #[command(subcommand)]
    Subscribers(subscribers::Command),
    /// Read one mail to the bounce address on standard input: a bounce, a complaint, or somebody who unsubscribes
    Bounce(bounce::Arguments),
    /// Deliveries: counts by outcome, what waits and why
    Outbox(outbox::Arguments),
    /// The editors' pages: a link that opens them, and what was done by hand
    #[command(subcommand)]
    Admin(admin::Command),
    /// Copy the store into one new file, while it is in use, and read that back
    Backup(backup::Arguments),
    /// Put a backup in the store's place
    Restore(backup::Restoring),
    /// Bring the store's schema up to date (opening it does so, too)
    Migrate(backup::Migrating),
    /// The store as a whole
    #[command(subcommand)]
    Store(backup::StoreCommand),
    /// The configuration's defaults, or what is in force
    #[command(subcommand)]
    Config(config::Command),
    /// Shell completions on stdout
    Completions { shell: clap_complete::Shell },
    /// The manual: one page on stdout, or all of them as files
    Man(manual::Arguments),
}

#[must_use]
pub fn main() -> ExitCode {
    let given = examples::shown(Arguments::command()).get_matches();
    let arguments = Arguments::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    let level = print::level(arguments.verbose, arguments.quiet);
    if matches!(arguments.command, Command::Run(_)) {
        memory::settle();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return error::print(&Failure::from(error)),
    };
    let (config, writes) = (arguments.config.clone(), arguments.command.writes());
    let result = runtime.block_on(command(arguments, level));
    if writes {
        ownership::give_back(config.as_deref());
    }
    // A blocking call that hangs (a dead network file system) must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => error::print(&failure),
    }
}

impl Command {
    /// Whether it may leave something beside the store.
    fn writes(&self) -> bool {
        matches!(
            self,
            Self::Init(_)
                | Self::Build(_)
                | Self::Adopt(_)
                | Self::Digest(_)
                | Self::Subscribers(_)
                | Self::Bounce(_)
                | Self::Outbox(_)
                | Self::Admin(_)
                | Self::Restore(_)
                | Self::Migrate(_)
                | Self::Store(_)
        )
    }
}

async fn command(arguments: Arguments, level: Option<tracing::Level>) -> Done {
    let config = arguments.config.as_deref();
    if !matches!(arguments.command, Command::Run(_)) {
        print::log_to_stderr(level.unwrap_or(tracing::Level::WARN));
    }
    match arguments.command {
        Command::Init(given) => init::run(&given).await,
        Command::Demo(given) => demo::run(&given).await,
        Command::Run(given) => run::run(config, &given, level).await,
        Command::Build(given) => build::run(config, given).await,
        Command::Adopt(given) => adopt::run(config, &given).await,
        Command::Check(given) => check::run(config, &given).await,
        Command::Doctor(given) => doctor::run(config, given).await,
        Command::Diff(given) => diff::run(config, &given).await,
        Command::Why(given) => why::run(config, &given).await,
        Command::Posts(given) => posts::run(config, given).await,
        Command::Goal(given) => goal::run(config, given).await,
        Command::Report(given) => report::run(config, given).await,
        Command::Digest(given) => digest::run(config, given).await,
        Command::Subscribers(given) => subscribers::run(config, given).await,
        Command::Bounce(given) => bounce::run(config, &given).await,
        Command::Outbox(given) => outbox::run(config, given).await,
        Command::Admin(given) => admin::run(config, given).await,
        Command::Backup(given) => backup::backup(config, &given).await,
        Command::Restore(given) => backup::restore(config, &given).await,
        Command::Migrate(given) => backup::migrate(config, &given).await,
        Command::Store(command) => backup::store(config, command).await,
        Command::Config(given) => config::run(config, &given),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut examples::shown(Arguments::command()), "gazetted", &mut out);
            print::bytes(&out)
        }
        Command::Man(given) => manual::run(&given),
    }
}
