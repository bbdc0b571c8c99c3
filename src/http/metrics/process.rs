//! What this process takes of the machine, under the names that Prometheus's own clients use. Read from `/proc/self`, which is
//! there inside the service's sandbox, too.

use super::Page;

/// The kernel counts a process's time in hundredths of a second.
const TICKS: f64 = 100.0;

pub fn tell(page: &mut Page) {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return };
    // The second field is the program's name, which may hold anything.
    let Some((_, rest)) = stat.rsplit_once(')') else { return };
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |nr: usize| fields.get(nr - 3).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    let (user, system, pages) = (field(14), field(15), field(24));
    let one = |value: f64| [(String::new(), value)];
    page.raw("process_cpu_seconds_total", "Time on a processor.", one((user + system) / TICKS));
    let size = rustix::param::page_size();
    page.raw("process_resident_memory_bytes", "Memory in use.", one(pages * size as f64));
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        page.raw("process_open_fds", "Open files and connections.", one(open.count() as f64));
    }
}
