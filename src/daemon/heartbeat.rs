//! The heartbeat: a job a minute from tokio-cron-scheduler, in UTC. It says only that time has passed; what that means is
//! looked up in the calendar and the store, so a beat that comes twice, late or never does no harm.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Second 0 of each minute. A cron job, never a repeated one: those stop for good after a stall.
const EACH_MINUTE: &str = "0 * * * * *";

/// Keep it: the beats stop when it is dropped.
pub enum Heart {
    Scheduler(JobScheduler),
    Timer(JoinHandle<()>),
}

impl Drop for Heart {
    fn drop(&mut self) {
        if let Self::Timer(task) = self {
            task.abort();
        }
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
    let job = Job::new_async(EACH_MINUTE, move |_, _| {
        let beats = beats.clone();
        Box::pin(async move {
            // Nobody listens any more when the daemon stops.
            let _ = beats.send(());
        })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(Heart::Scheduler(scheduler))
}
