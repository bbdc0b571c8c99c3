//! What is true of a blog, its goal, its editions and its subscribers. Pure: no runtime, no database, no network, no
//! file system, no clock, no dice.

pub mod author;
pub mod bounce;
pub mod delivery;
pub mod edition;
pub mod goal;
pub mod liquid;
pub mod period;
pub mod post;
pub mod problem;
pub mod subscriber;
pub mod subscriber_csv;
pub mod token;
