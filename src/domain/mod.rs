//! What is true of a blog, its goal, its editions and its subscribers. Pure: no runtime, no database, no network, no
//! file system, no clock, no dice.

pub mod author;
pub mod body;
pub mod bounce;
pub mod bounce_class;
pub mod bounce_message;
pub mod breaker;
pub mod byline;
pub mod catalogue;
pub mod dates;
pub mod delivery;
pub mod dialect;
pub mod edition;
pub mod front_matter;
pub mod goal;
pub mod hash;
pub mod html;
pub mod identity;
pub mod kramdown;
pub mod liquid;
pub mod markdown;
pub mod network;
pub mod pace;
pub mod period;
pub mod plain;
pub mod post;
pub mod post_file;
pub mod problem;
pub mod report;
pub mod schedule;
pub mod shortcodes;
pub mod subscriber;
pub mod subscriber_import;
pub mod token;
pub mod webhook;
pub mod wording;
