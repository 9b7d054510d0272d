//! Every transition of a run, told as it becomes durable. A [`transition`] is what happened, a [`subscriber`]
//! hears of it, and [`broadcast`] sees to it that a slow one delays nobody.

mod broadcast;
mod subscriber;
mod transition;

pub use broadcast::{Backlog, Broadcast, Undelivered};
pub use subscriber::{Beginning, Subscriber};
pub use transition::{Event, Kind, timestamp};
