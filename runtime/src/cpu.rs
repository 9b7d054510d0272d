//! What a node takes of the processors: the time of the thread that it runs on, and of those that it starts.
//!
//! The system counts a thread's time while it lives. A thread that an operator starts and waits for therefore says
//! itself, when it is done, what it took ([`measured`]), and the one that waits adds it to its own ([`add`]). Time of
//! a thread that says nothing is not counted.

use std::{cell::Cell, time::Duration};

thread_local! {
    /// Of the threads that this one has waited for.
    static OTHERS: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What this thread has taken so far, with those that it has waited for; none where the system does not say.
pub fn time() -> Option<Duration> {
    Some(own()? + OTHERS.get())
}

/// Does work, and says what it took: for a thread whose time another one adds to its own.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Option<Duration>) {
    let before = time();
    let done = work();
    (done, before.zip(time()).map(|(before, after)| after.saturating_sub(before)))
}

/// Adds what another thread took to what this one has.
pub fn add(taken: Option<Duration>) {
    OTHERS.set(OTHERS.get() + taken.unwrap_or_default());
}

fn own() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, time::Instant};

    use super::*;

    fn burn(time: Duration) {
        let started = own().unwrap();
        while own().unwrap() - started < time {
            black_box(0);
        }
    }

    #[test]
    fn a_thread_that_is_waited_for_counts_and_sleep_does_not() {
        let ((), taken) = measured(|| {
            std::thread::sleep(Duration::from_millis(200));
            let other = std::thread::spawn(|| measured(|| burn(Duration::from_millis(60))).1);
            add(other.join().unwrap());
            burn(Duration::from_millis(30));
        });
        let taken = taken.unwrap();
        assert!((Duration::from_millis(90)..Duration::from_millis(200)).contains(&taken), "{taken:?}");
    }

    #[test]
    fn what_nobody_adds_is_not_counted() {
        let started = Instant::now();
        let ((), taken) = measured(|| {
            std::thread::spawn(|| burn(Duration::from_millis(60))).join().unwrap();
        });
        assert!(taken.unwrap() < Duration::from_millis(40) && started.elapsed() >= Duration::from_millis(60));
    }
}
