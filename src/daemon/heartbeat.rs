//! The heartbeat: a job a minute from tokio-cron-scheduler, in UTC. It says only that time has passed; what that means is
//! looked up in the calendar and the store, so a beat that comes twice, late or never does no harm.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Second 0 of each minute. A cron job, never a repeated one: those stop for good after a stall.
const EACH_MINUTE: &str = "0 * * * * *";

/// Whoever has been silent for longer reckons with a clock that was set back.
const SILENCE: Duration = Duration::from_secs(75);

/// Keep it: the beats stop when it is dropped.
pub enum Heart {
    /// And what beats when it does not.
    Scheduler(JobScheduler, JoinHandle<()>),
    Timer(JoinHandle<()>),
}

impl Drop for Heart {
    fn drop(&mut self) {
        let (Self::Scheduler(_, task) | Self::Timer(task)) = self;
        task.abort();
    }
}

/// Starts beating; `every` replaces the scheduler's minute in tests.
pub async fn start(every: Option<Duration>, beats: UnboundedSender<()>) -> anyhow::Result<Heart> {
    if let Some(every) = every {
        return Ok(Heart::Timer(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            while beats.send(()).is_ok() {
                ticks.tick().await;
            }
        })));
    }
    let scheduler = JobScheduler::new().await?;
    let heard = Arc::new(Notify::new());
    let pacemaker = tokio::spawn(instead(Arc::clone(&heard), beats.clone(), SILENCE));
    let job = Job::new_async(EACH_MINUTE, move |_, _| {
        let (beats, heard) = (beats.clone(), Arc::clone(&heard));
        Box::pin(async move {
            heard.notify_one();
            // Nobody listens any more when the daemon stops.
            let _ = beats.send(());
        })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(Heart::Scheduler(scheduler, pacemaker))
}

/// Beats when nothing is heard for so long, by a clock that nobody sets.
async fn instead(heard: Arc<Notify>, beats: UnboundedSender<()>, silence: Duration) {
    loop {
        if tokio::time::timeout(silence, heard.notified()).await.is_err() && beats.send(()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn a_scheduler_that_falls_silent_is_stood_in_for_until_it_is_heard_again() {
        let (beats, mut felt) = unbounded_channel();
        let heard = Arc::new(Notify::new());
        let pacemaker = tokio::spawn(instead(Arc::clone(&heard), beats, Duration::from_millis(20)));
        for _ in 0..3 {
            felt.recv().await.unwrap();
        }
        drop(felt);
        heard.notify_one();
        pacemaker.await.unwrap();
    }
}
