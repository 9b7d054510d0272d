//! What a process tells while it runs: lines of JSON on its file descriptor 3.
//!
//! ```json
//! {"progress": [3, 10]}
//! {"metric": ["loss", 0.25]}
//! {"log": "a line"}
//! ```
//!
//! A line that is none of these is passed over: it is no reason to lose the work.

use std::os::fd::OwnedFd;

use serde_json::Value as Json;

use crate::operator::Context;

pub struct Messages {
    pipe: Option<OwnedFd>,
    line: Vec<u8>,
    /// The line is longer than any message: what is left of it is dropped.
    is_too_long: bool,
}

const LONGEST_MESSAGE: usize = 64 << 10;

impl Messages {
    pub fn new(pipe: OwnedFd) -> std::io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe: Some(pipe), line: Vec::new(), is_too_long: false })
    }

    /// To be waited for; none when it has come to its end.
    pub fn pipe(&self) -> Option<&OwnedFd> {
        self.pipe.as_ref()
    }

    /// Takes what is there, a mebibyte at most.
    pub fn read(&mut self, buffer: &mut [u8], context: &dyn Context) {
        for _ in 0..16 {
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe, &mut *buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.take(buffer.get(..count).unwrap_or_default(), context),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    fn take(&mut self, bytes: &[u8], context: &dyn Context) {
        for byte in bytes {
            if *byte != b'\n' {
                self.is_too_long |= self.line.len() >= LONGEST_MESSAGE;
                if !self.is_too_long {
                    self.line.push(*byte);
                }
                continue;
            }
            if !std::mem::take(&mut self.is_too_long) {
                tell(&self.line, context);
            }
            self.line.clear();
        }
    }
}

fn tell(line: &[u8], context: &dyn Context) -> Option<()> {
    let message: Json = serde_json::from_slice(line).ok()?;
    if let Some([done, total]) = message.get("progress").and_then(Json::as_array).map(Vec::as_slice) {
        context.progress(done.as_u64()?, total.as_u64()?);
    }
    if let Some([name, value]) = message.get("metric").and_then(Json::as_array).map(Vec::as_slice) {
        context.metric(name.as_str()?, value.as_f64()?);
    }
    if let Some(line) = message.get("log") {
        line.as_str()?.lines().for_each(|line| context.log(line));
    }
    Some(())
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}
