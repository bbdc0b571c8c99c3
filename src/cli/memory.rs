//! The daemon runs for months, and the C library's allocator keeps a pool of memory for each thread, and what was freed in
//! each: a third of what the daemon takes. It looks at how it is to behave once, when a program starts; so the daemon starts
//! itself again, under the same process id, before it does anything else.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// One pool for all threads; what is large is taken from the system by itself, and given back.
const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// Does not come back if it works. Whoever has set one of these knows better, or has been here before.
pub fn settle() {
    if SETTINGS.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Without it the daemon is as good as with it.
    let _ = again.args(arguments).envs(SETTINGS).exec();
}
