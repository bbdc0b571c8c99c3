//! What goes wrong on real machines, done to the real program: it is killed, its disk is full or broken, its clock jumps. After
//! each, everybody has the edition, and once. `FAULTS.md` lists what was tried and what an operator sees.

mod clocks;
mod copies;
mod disks;
mod kills;
mod nodes;

use super::postgres::has;
use super::trial::{CONNECTIONS, DAEMON, Disk, Trial, by, daemon_by, patiently, settings, slow, usual};
