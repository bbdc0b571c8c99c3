//! What a target does with an input: its property, within a second of this thread's own time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub mod properties;

/// However busy the machine is: processor time, not the clock's.
const BUDGET: Duration = Duration::from_secs(1);

/// Holds the target's property for an input.
///
/// # Panics
///
/// If it does not hold.
pub fn hold(target: &str, data: &[u8]) {
    let (_, property) = properties::TARGETS.iter().find(|(name, _)| *name == target).expect("a target of the list");
    let before = spent();
    property(data);
    let taken = spent().saturating_sub(before);
    assert!(taken < BUDGET, "{} bytes took {taken:?}", data.len());
}

fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
