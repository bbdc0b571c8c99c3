//! The ways out: several relays, what they ask for, and the machine's own sendmail.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gazetted::config::{OnDoubt, Smtp, Span, Tls};
use gazetted::domain::edition::{EditionKey, Notice};
use gazetted::domain::subscriber::State as SubscriberState;
use gazetted::mail::outbox::{Halt, Way};
use gazetted::mail::transport::{Sent, Transport};
use gazetted::render::message::Message;
use gazetted::store::DeliveryKey;
use jiff::ToSpan as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::outbox::{House, address, addresses, plain, start, way};
use crate::smtp_server::{Act, Server, Step, usual};

fn over(server: &Server, weight: u32, connections: u32) -> Way {
    way(Transport::smtp(&plain(server), "example.org").unwrap(), weight, connections)
}

fn together(servers: [&Server; 2]) -> Vec<String> {
    let mut all: Vec<_> = servers.iter().flat_map(|server| server.accepted()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn relays_share_the_messages_by_weight_and_a_reader_keeps_the_relay() {
    let house = House::with(200).await;
    let (one, other) = (Server::start(|_| Act::Usual).await, Server::start(|_| Act::Usual).await);
    assert_eq!(house.send_over(vec![over(&one, 3, 2), over(&other, 1, 2)]).await.accepted, 200);
    assert_eq!(together([&one, &other]), addresses(200));
    assert!((30..70).contains(&other.accepted().len()), "{}", other.accepted().len());
}

#[tokio::test]
async fn when_a_relay_fails_the_other_one_takes_its_messages() {
    for verb in ["CONNECT", "EHLO", "MAIL"] {
        let house = House::with(60).await;
        let broken = Server::start(move |step| {
            if step.verb == verb && step.before >= 10 { Act::Say("451 4.3.0 not now\r\n") } else { Act::Usual }
        })
        .await;
        let good = Server::start(|_| Act::Usual).await;
        let mut rounds = 0;
        while house.store.outbox_counts().await.unwrap().waiting() > 0 {
            house.clock.set(start() + rounds.minutes());
            house.send_over(vec![over(&broken, 1, 2), over(&good, 1, 2)]).await;
            rounds += 2;
            assert!(rounds < 20, "{verb}: {:?}", house.counts().await);
        }
        assert_eq!(together([&broken, &good]), addresses(60), "{verb}");
    }
}

/// It says once that it cannot now, and is left alone for a minute; the other one is still at work then.
#[tokio::test]
async fn a_relay_that_was_left_alone_for_a_moment_has_its_share_again() {
    let house = House::with(300).await;
    let brief = Server::start(|step| {
        let once = step.verb == "MAIL" && step.before == 3;
        if once { Act::Say("451 4.3.0 not now\r\n") } else { Act::Usual }
    })
    .await;
    let clock = Arc::clone(&house.clock);
    let other = Server::start(move |step| {
        if step.verb == "DOT" && step.before == 40 {
            clock.set(start() + 1.minute());
        }
        Act::Usual
    })
    .await;
    let sending = house.send_over(vec![over(&brief, 1, 2), over(&other, 1, 1)]);
    let tally = tokio::time::timeout(Duration::from_secs(20), sending).await.expect("a claim lies where nobody looks");
    assert_eq!((tally.accepted, together([&brief, &other])), (300, addresses(300)), "{tally:?}");
    assert!(brief.accepted().len() > 20, "it is used again: {}", brief.accepted().len());
}

#[tokio::test]
async fn a_relay_of_weight_nought_is_for_when_the_others_are_down() {
    let house = House::with(20).await;
    let (first, spare) = (Server::start(|_| Act::Usual).await, Server::start(|_| Act::Usual).await);
    house.send_over(vec![over(&first, 1, 2), over(&spare, 0, 2)]).await;
    assert_eq!((first.accepted().len(), spare.accepted().len()), (20, 0));
    let house = House::with(20).await;
    let down = Server::start(|_| Act::Cut).await;
    assert_eq!(house.send_over(vec![over(&down, 1, 2), over(&spare, 0, 2)]).await.accepted, 20);
    assert_eq!(spare.accepted(), addresses(20));
}

#[tokio::test]
async fn a_relay_that_hangs_keeps_nobody_waiting_for_the_other_one() {
    let house = House::with(1_500).await;
    let slow = Server::start(|step| if step.verb == "RCPT" { Act::Silence } else { Act::Usual }).await;
    let good = Server::start(|_| Act::Usual).await;
    let hanging = Smtp { timeout: Span::seconds(10), ..plain(&slow) };
    let hanging = way(Transport::smtp(&hanging, "example.org").unwrap(), 1, 2);
    let sending = house.send_over(vec![hanging, over(&good, 1, 4)]);
    let most = async {
        while good.accepted().len() < 1_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        slow.count("RCPT")
    };
    let (_, given_up) = tokio::join!(sending, most);
    assert_eq!(given_up, 2, "the first two still hang, and their share has gone the other way");
    let everybody: BTreeSet<_> = good.accepted().into_iter().collect();
    assert_eq!((everybody.len(), good.arrived().len()), (1_500, 1_500));
}

#[tokio::test]
async fn a_relay_that_is_idle_takes_over_what_waits_for_a_slow_one() {
    let house = House::with(60).await;
    let (slow, idle) = (Server::start(|_| Act::Usual).await, Server::start(|_| Act::Usual).await);
    let mut slowly = over(&slow, 1, 1);
    slowly.limits.a_minute = Some(60);
    assert_eq!(house.send_over(vec![slowly, over(&idle, 1, 2)]).await.accepted, 60);
    assert_eq!(together([&slow, &idle]), addresses(60));
    assert!(slow.accepted().len() < 15, "one a second, of thirty: {}", slow.accepted().len());
}

#[tokio::test]
async fn as_many_connections_as_the_server_takes_are_used() {
    let house = House::with(400).await;
    let server = Server::start(|step| {
        let too_many = step.verb == "CONNECT" && step.open > 3;
        if too_many { Act::Say("421 4.7.0 too many connections\r\n") } else { Act::Usual }
    })
    .await;
    let mut rounds = 0;
    while house.store.outbox_counts().await.unwrap().waiting() > 0 {
        house.clock.set(start() + rounds.minutes());
        house.send_over(vec![over(&server, 1, 8)]).await;
        rounds += 2;
        assert!(rounds < 6, "{:?}", house.counts().await);
    }
    assert_eq!(server.accepted(), addresses(400));
    assert!(server.count("CONNECT") < 40, "{} tries", server.count("CONNECT"));
}

#[tokio::test]
async fn a_server_that_takes_so_many_over_one_connection_is_not_asked_for_more() {
    for reply in ["421 4.7.0 enough for now\r\n", "452 4.5.3 too many messages\r\n"] {
        let house = House::with(60).await;
        let server = Server::start(move |step| {
            let worn = step.verb == "MAIL" && step.carried >= 10;
            if worn { Act::Say(reply) } else { Act::Usual }
        })
        .await;
        let tally = house.send_over(vec![over(&server, 1, 1)]).await;
        assert_eq!((tally.accepted, server.accepted()), (60, addresses(60)), "{reply}");
        assert!(server.count("MAIL") <= 62, "{reply}: it learns after how many: {}", server.count("MAIL"));
    }
}

#[tokio::test]
async fn after_an_unusual_rate_nothing_goes_there_for_ten_minutes_from_any_node() {
    let house = House::with(40).await;
    let server = Server::start(|step| {
        let much = step.verb == "DOT" && step.before >= 10 && step.before < 13;
        if much { Act::Say("450 4.7.28 unusual rate of unsolicited mail\r\n") } else { Act::Usual }
    })
    .await;
    let tally = house.send_over(vec![over(&server, 1, 2)]).await;
    let Some(Halt::Trouble(words)) = &tally.halt else { panic!("{tally:?}") };
    assert!(words.contains("unusual rate"), "{words}");
    let tries = server.count("DOT");
    assert!(tries <= 13, "{tries}");
    // Another process, which knows it from the store.
    house.clock.set(start() + 9.minutes());
    assert_eq!(house.send_over(vec![over(&server, 1, 2)]).await.attempts(), 0);
    assert_eq!(server.count("DOT"), tries);
    for hour in 1..4 {
        house.clock.set(start() + hour.hours());
        house.send_over(vec![over(&server, 1, 2)]).await;
    }
    assert_eq!(server.accepted(), addresses(40));
    assert_eq!(house.counts().await, [("accepted", 40)], "no reader pays for it");
}

#[tokio::test]
async fn a_connection_that_ends_at_any_byte_of_an_answer_loses_nobody() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"] {
        let whole = match verb {
            "CONNECT" => "220 test ESMTP\r\n",
            "DOT" => "250 2.0.0 taken\r\n",
            verb => usual(verb),
        };
        let house = House::with(whole.len()).await;
        // The nth one ends after n bytes; from the second on, all is well.
        let server = Server::start(move |step| {
            let once = step.verb == verb && step.before < whole.len();
            if once { Act::Half(step.before) } else { Act::Usual }
        })
        .await;
        house.send_all(&server, OnDoubt::Resend).await;
        let mut everybody = server.accepted();
        everybody.dedup();
        assert_eq!(everybody, addresses(whole.len()), "{verb}");
        let doubtful = if verb == "DOT" { whole.len() } else { 0 };
        assert_eq!(server.arrived().len(), whole.len() + doubtful, "{verb}: only what was after the dot comes twice");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_for_the_server_is_not_begun() {
    let house = House::with(5).await;
    let server = Server::start(|step| match step.verb.as_str() {
        "EHLO" => Act::Say("250-test\r\n250-PIPELINING\r\n250 SIZE 50\r\n"),
        _ => Act::Usual,
    })
    .await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.paused.len()), (0, 1), "{tally:?}");
    assert!(tally.paused[0].1.contains("SIZE"), "{tally:?}");
    assert_eq!((server.count("MAIL"), server.count("DATA")), (0, 0));
}

/// The server has all lines of the message before it is known whether the claim still holds, and its end only if it does.
#[tokio::test]
async fn a_message_is_on_its_way_before_its_mark_and_ends_after_it() {
    for holds in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = Smtp {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            tls: Tls::None,
            ..Smtp::default()
        };
        let (body_is_there, is_there) = tokio::sync::oneshot::channel();
        let server = tokio::spawn(async move {
            let mut stream = BufStream::new(listener.accept().await.unwrap().0);
            for reply in ["220 test\r\n", "250 test\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n"] {
                stream.write_all(reply.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                stream.read_line(&mut String::new()).await.unwrap();
            }
            body_is_there.send(()).unwrap();
            let mut rest = String::new();
            stream.read_line(&mut rest).await.unwrap();
            stream.write_all(b"250 taken\r\n").await.unwrap();
            stream.flush().await.unwrap();
            rest
        });
        let message = Message {
            message_id: "1@example.org".into(),
            return_path: "bounces@example.org".into(),
            recipient: "ann@example.org".into(),
            bytes: b"one line\r\n".to_vec(),
        };
        let key = DeliveryKey { edition: EditionKey::parse("2021-05").unwrap(), subscriber: 1 };
        let mut channel = Transport::smtp(&smtp, "example.org").unwrap().channel();
        let mark = async { is_there.await.is_ok() && holds };
        let sent = tokio::time::timeout(Duration::from_secs(10), channel.send(key, &message, mark, async { None }))
            .await
            .unwrap();
        drop(channel);
        assert_eq!(matches!(sent.unwrap(), Sent::Accepted(_)), holds);
        assert_eq!(server.await.unwrap(), if holds { ".\r\n" } else { "" });
    }
}

#[tokio::test]
async fn an_envelope_goes_in_one_go_with_the_end_of_the_message_before() {
    let house = House::with(60).await;
    let server = Server::start(|_| Act::Usual).await;
    assert_eq!(house.send_over(vec![over(&server, 1, 2)]).await.accepted, 60);
    assert_eq!(server.accepted(), addresses(60));
    assert!(server.followed() >= 50, "{}", server.followed());
    assert!(server.arrived().iter().all(|message| !message.bytes.windows(6).any(|bytes| bytes == b"QUIT\r\n")));
}

/// Whatever a server makes of it that does not bear it: everybody gets the edition once, and it is not asked for again.
#[tokio::test]
async fn a_server_that_does_not_bear_an_envelope_in_one_go_with_an_end_gets_one_after_the_other() {
    type Maker = fn(&Step) -> Act;
    let kinds: [(&str, Maker); 4] = [
        ("forgets", |_| Act::Forget),
        ("says nothing", |step| if step.verb == "MAIL" { Act::Silence } else { Act::Usual }),
        ("hangs up", |step| if step.verb == "MAIL" { Act::Cut } else { Act::Usual }),
        ("refuses", |step| match step.verb.as_str() {
            "MAIL" => Act::Say("554 5.5.0 synchronization error\r\n"),
            "RCPT" | "DATA" => Act::Say("503 5.5.1 bad sequence of commands\r\n"),
            _ => Act::Usual,
        }),
    ];
    for (kind, made_of_it) in kinds {
        let house = House::with(30).await;
        let upset = AtomicBool::new(false);
        let server = Server::start(move |step| {
            if step.verb == "CONNECT" {
                upset.store(false, Ordering::Relaxed);
            }
            if step.verb == "DOT" && step.is_followed {
                upset.store(true, Ordering::Relaxed);
            }
            if upset.load(Ordering::Relaxed) { made_of_it(step) } else { Act::Usual }
        })
        .await;
        assert_eq!(house.send_over(vec![over(&server, 1, 1)]).await.accepted, 30, "{kind}");
        assert_eq!(server.accepted(), addresses(30), "{kind}");
        assert_eq!((server.followed(), server.count("CONNECT")), (1, 2), "{kind}");
    }
}

/// The envelope that is out already is of an edition that does not go on: nothing more of it is sent.
#[tokio::test]
async fn a_message_that_was_begun_does_not_go_once_its_edition_is_paused() {
    let house = House::with(60).await;
    let server = Server::start(|step| match (step.verb.as_str(), step.before) {
        ("DOT", 20..) => Act::Say("550 5.7.1 looks like spam\r\n"),
        _ => Act::Usual,
    })
    .await;
    let tally = house.send_over(vec![over(&server, 1, 1)]).await;
    assert_eq!((tally.accepted, tally.paused.len()), (20, 1));
    assert_eq!(server.accepted().len(), 20);
    assert_eq!(server.count("DOT"), 30, "as many refusals as pause an edition, and not one more");
    assert_eq!(server.count("DATA"), 31, "the next one had been begun");
}

#[tokio::test]
async fn a_server_that_offers_nothing_is_spoken_to_step_by_step() {
    let house = House::with(5).await;
    let server = Server::start(|step| if step.verb == "EHLO" { Act::Say("250 test\r\n") } else { Act::Usual }).await;
    assert_eq!(house.send(&server).await.accepted, 5);
    assert!(server.lines().iter().filter(|line| line.starts_with("MAIL")).all(|line| !line.contains("SIZE")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_confirmation_overtakes_an_edition_that_is_on_its_way() {
    let house = House::with(600).await;
    let reader = house.store.subscriber_by_key(&address(599)).await.unwrap().unwrap();
    assert_eq!(reader.state, SubscriberState::Active);
    let (store, runtime, today) = (Arc::clone(&house.store), tokio::runtime::Handle::current(), start());
    let server = Server::start(move |step| {
        if step.verb == "DOT" && step.before == 50 {
            let day = jiff::tz::TimeZone::UTC.to_datetime(today).date();
            let queued = store.notify(reader.id, Notice::Link, day, today);
            tokio::task::block_in_place(|| runtime.block_on(queued)).unwrap();
        }
        Act::Usual
    })
    .await;
    assert_eq!(house.send(&server).await.accepted, 601);
    let arrived = server.arrived();
    let notice = arrived.iter().position(|mail| String::from_utf8_lossy(&mail.bytes).contains("<link-")).unwrap();
    assert!(notice < 590, "it came as number {notice}");
}

fn program(folder: &Path, script: &str) -> Transport {
    let path = folder.join("sendmail");
    gazetted::publish::write(&path, format!("#!/bin/sh\ncd '{}'\n{script}\n", folder.display()).as_bytes()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let patience = Span::parse("5s").unwrap();
    Transport::smtp(&Smtp { sendmail: path, data_timeout: patience, ..Smtp::default() }, "").unwrap()
}

#[tokio::test]
async fn the_machines_own_sendmail_is_given_each_message_whole() {
    let (house, folder) = (House::with(5).await, tempfile::tempdir().unwrap());
    let sendmail = program(folder.path(), r#"echo "$@" >"args-$5"; cat >"mail-$5""#);
    assert_eq!(house.send_over(vec![way(sendmail, 1, 2)]).await.accepted, 5);
    for reader in addresses(5) {
        let arguments = std::fs::read_to_string(folder.path().join(format!("args-{reader}"))).unwrap();
        assert_eq!(arguments.trim(), format!("-i -f bounces@example.org -- {reader}"));
        let mail = std::fs::read_to_string(folder.path().join(format!("mail-{reader}"))).unwrap();
        assert!(!mail.contains('\r') && mail.contains("\n.\n\nlast line"), "{mail}");
    }
}

/// What it has started may go on, and say more than anybody wants to hear.
#[tokio::test]
async fn a_sendmail_that_ended_well_is_believed_whatever_it_says_and_leaves_behind() {
    for script in ["(sleep 60; echo late >&2) & exit 0", "head -c 300000 /dev/zero >&2", "echo queued >&2; sleep 60 &"]
    {
        let (house, folder) = (House::with(2).await, tempfile::tempdir().unwrap());
        let begun = std::time::Instant::now();
        let tally = house.send_over(vec![way(program(folder.path(), script), 1, 1)]).await;
        assert_eq!((tally.accepted, house.counts().await), (2, vec![("accepted", 2)]), "{script}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{script}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_sendmail_that_fails_is_believed() {
    for (script, counts, halted) in [
        ("exit 67", vec![("failed", 3)], false),
        ("exit 75", vec![("queued", 3)], true),
        ("exit 78", vec![("queued", 3)], true),
        ("kill -9 $$", vec![("deferred", 3)], true),
    ] {
        let (house, folder) = (House::with(3).await, tempfile::tempdir().unwrap());
        let tally = house.send_over(vec![way(program(folder.path(), script), 1, 1)]).await;
        assert_eq!(house.counts().await, counts, "{script}");
        assert_eq!(tally.halt.is_some(), halted, "{script}: {tally:?}");
    }
    let house = House::with(1).await;
    let nowhere = Smtp { sendmail: "/nowhere/sendmail".into(), ..Smtp::default() };
    let tally = house.send_over(vec![way(Transport::smtp(&nowhere, "").unwrap(), 1, 1)]).await;
    assert!(matches!(&tally.halt, Some(Halt::Stopped(words)) if words.contains("cannot be started")), "{tally:?}");
}

#[tokio::test]
async fn a_rate_is_kept() {
    let house = House::with(8).await;
    let server = Server::start(|_| Act::Usual).await;
    let mut slow = over(&server, 1, 2);
    slow.limits.a_minute = Some(1_200);
    let begun = std::time::Instant::now();
    assert_eq!(house.send_over(vec![slow]).await.accepted, 8);
    assert!(begun.elapsed() >= Duration::from_millis(300), "one every 50 ms: {:?}", begun.elapsed());
}

#[tokio::test]
async fn what_waits_for_a_slow_server_is_given_back_when_it_is_time_to_stop() {
    let house = House::with(30).await;
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let server = Server::start(move |step| {
        if step.verb == "DOT" && step.before == 3 {
            stopper.cancel();
        }
        Act::Usual
    })
    .await;
    let outbox = house.outbox(Transport::smtp(&plain(&server), "example.org").unwrap(), OnDoubt::Resend);
    let running = {
        let (outbox, stop) = (Arc::clone(&outbox), stop.clone());
        tokio::spawn(async move { outbox.run(&stop).await })
    };
    running.await.unwrap();
    let accepted = u64::try_from(server.accepted().len()).unwrap();
    assert_eq!(house.counts().await, [("queued", 30 - accepted), ("accepted", accepted)]);
}
