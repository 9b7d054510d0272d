//! Tells once of an attempt that runs longer than its past allows, or comes near its timeout: it may be stuck.

use rustc_hash::FxHashSet;
use serde_json::json;

use super::{Driver, World, nodes};
use crate::{event::Kind, store::Durations};

/// In microseconds: what takes less is nobody's worry.
const LEAST: i64 = 30_000_000;

/// How many times the longest of the earlier runs an attempt may take.
const TIMES: i64 = 3;

#[derive(Debug, Default)]
pub struct Watch {
    /// When to look next, in microseconds since 1970; never where nothing that runs could be told of.
    pub next: Option<i64>,
    told: FxHashSet<(u32, u32)>,
    /// Read when something has run for long enough to ask.
    durations: Option<Durations>,
}

impl Watch {
    /// An attempt starts now.
    pub fn start(&mut self, now: i64) {
        let due = now.saturating_add(LEAST);
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
    }
}

impl<W: World> Driver<W> {
    /// Looks at what runs, if it is time to.
    pub(super) fn look_for_stuck(&mut self) {
        let now = self.world.now();
        if self.stuck.next.is_none_or(|next| now < next) {
            return;
        }
        self.stuck.next = None;
        let mut running: Vec<_> =
            self.working.iter().map(|(attempt, started)| (*attempt, *started)).collect();
        running.sort_unstable();
        for ((node, attempt), started) in running {
            if self.stuck.told.contains(&(node, attempt)) {
                continue;
            }
            // The past is not read before something has run for long.
            let (limit, why) = match now - started < LEAST {
                true => (LEAST, String::new()),
                false => match self.limit(node) {
                    Some(limit) => limit,
                    None => continue,
                },
            };
            let due = started.saturating_add(limit);
            if now < due {
                self.stuck.next = Some(self.stuck.next.map_or(due, |next| next.min(due)));
                continue;
            }
            self.stuck.told.insert((node, attempt));
            let seconds = (now - started) as f64 / 1e6;
            let message = format!("has run for {}; {why}", span(now - started));
            if let Some(id) = self.ids.get(node as usize).cloned() {
                self.tell(Some(id), attempt, Kind::Stuck, json!({ "seconds": seconds, "message": message }));
            }
        }
    }

    /// After how many microseconds an attempt of a node is worth a word, and the reason.
    fn limit(&mut self, node: u32) -> Option<(i64, String)> {
        let store = self.setup.store.clone();
        let workflow = &self.setup.dag.workflow;
        // Without a past there is nothing to compare with.
        let durations =
            self.stuck.durations.get_or_insert_with(|| store.durations(workflow).unwrap_or_default());
        let id = self.ids.get(node as usize)?;
        let node = nodes::node(&self.setup.dag, &self.setup.state, node)?;
        let by_past = durations.of(id).and_then(|past| {
            let longest = i64::try_from(past.longest.as_micros()).ok()?;
            let runs = match past.runs {
                1 => "its earlier run".to_owned(),
                runs => format!("the longest of its last {runs} runs"),
            };
            Some((longest.saturating_mul(TIMES).max(LEAST), format!("{runs} took {}", span(longest))))
        });
        let by_timeout = node
            .policy
            .timeout
            .filter(|timeout| *timeout >= LEAST)
            .map(|timeout| (timeout / 10 * 9, format!("its timeout is {}", span(timeout))));
        by_past.into_iter().chain(by_timeout).min_by_key(|(limit, _)| *limit)
    }
}

/// `0.4 s`, `95 s`, `12 min`, `2.5 h`
fn span(microseconds: i64) -> String {
    let seconds = microseconds as f64 / 1e6;
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
