//! What a process writes: kept in a file of bounded size, and given on line by line, in bounded memory.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// The first bytes that are kept of a stream.
pub const KEPT_FIRST: u64 = 16 << 20;
/// The last bytes that are kept of a stream that is longer.
pub const KEPT_LAST: usize = 256 << 10;
/// Bytes of a line that are given on; the rest of it is in the file alone.
const LONGEST_LINE: usize = 4 << 10;

/// One stream of a process.
pub struct Capture {
    pipe: Option<OwnedFd>,
    path: PathBuf,
    /// Made with the first byte: most processes say nothing, and a file costs more than many of them.
    file: Option<File>,
    /// Bytes that came.
    seen: u64,
    /// Of those after [`KEPT_FIRST`], the last ones.
    last: VecDeque<u8>,
    lines: Lines,
    failed: Option<io::Error>,
}

impl Capture {
    pub fn new(pipe: OwnedFd, path: PathBuf) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self {
            pipe: Some(pipe),
            path,
            file: None,
            seen: 0,
            last: VecDeque::new(),
            lines: Lines::default(),
            failed: None,
        })
    }

    /// To be waited for; none when it has come to its end.
    pub fn pipe(&self) -> Option<&OwnedFd> {
        self.pipe.as_ref()
    }

    /// Takes what is there, a mebibyte at most, and tells of whole lines.
    pub fn read(&mut self, buffer: &mut [u8], tell: &mut dyn FnMut(&str)) {
        for _ in 0..16 {
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe, &mut *buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.take(buffer.get(..count).unwrap_or_default(), tell),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    /// Adds a line of flowc's own.
    pub fn note(&mut self, note: &str, tell: &mut dyn FnMut(&str)) {
        self.take(format!("flowc: {note}\n").as_bytes(), tell);
    }

    /// Writes what is still held; gives the last lines that were not empty.
    pub fn finish(mut self, tell: &mut dyn FnMut(&str)) -> (Vec<String>, Option<io::Error>) {
        self.lines.finish(tell);
        let (front, back) = self.last.as_slices();
        let left_out = self.seen.saturating_sub(KEPT_FIRST).saturating_sub(self.last.len() as u64);
        let write = |file: &mut File| {
            if left_out > 0 {
                writeln!(file, "\nflowc: {left_out} bytes are left out here")?;
            }
            file.write_all(front)?;
            file.write_all(back)
        };
        let result = self.file.as_mut().map_or(Ok(()), write);
        (self.lines.recent.into(), self.failed.or(result.err()))
    }

    fn take(&mut self, bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        self.lines.take(bytes, tell);
        let room = usize::try_from(KEPT_FIRST.saturating_sub(self.seen)).unwrap_or(usize::MAX);
        self.seen += bytes.len() as u64;
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        if self.failed.is_none()
            && let Err(error) = file(&mut self.file, &self.path).and_then(|file| file.write_all(first))
        {
            self.failed = Some(error);
        }
        self.last.extend(rest);
        let excess = self.last.len().saturating_sub(KEPT_LAST);
        self.last.drain(..excess);
    }
}

fn file<'a>(made: &'a mut Option<File>, path: &Path) -> io::Result<&'a mut File> {
    match made {
        Some(file) => Ok(file),
        None => Ok(made.insert(File::create(path)?)),
    }
}

/// Cuts bytes into lines, as a terminal would show them in the end: what a carriage return goes back over is gone.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    /// Bytes of the line that were too many.
    cut: u64,
    /// The last byte was a carriage return.
    is_back: bool,
    recent: VecDeque<String>,
}

/// Lines that are remembered for an error's message.
const RECENT: usize = 20;

impl Lines {
    fn take(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        while let Some((first, rest)) = bytes.split_first() {
            match first {
                b'\n' => self.end(tell),
                b'\r' => self.is_back = true,
                _ => {
                    if std::mem::take(&mut self.is_back) {
                        self.line.clear();
                        self.cut = 0;
                    }
                    let count =
                        bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len());
                    let (text, after) = bytes.split_at(count);
                    let room = LONGEST_LINE.saturating_sub(self.line.len()).min(count);
                    self.line.extend_from_slice(text.get(..room).unwrap_or_default());
                    self.cut += (count - room) as u64;
                    bytes = after;
                    continue;
                }
            }
            bytes = rest;
        }
    }

    fn end(&mut self, tell: &mut dyn FnMut(&str)) {
        let mut text = String::from_utf8_lossy(&self.line).into_owned();
        if self.cut > 0 {
            text.push_str(&format!("… and {} bytes more", self.cut));
        }
        tell(&text);
        if !text.trim().is_empty() {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(text);
        }
        self.line.clear();
        (self.cut, self.is_back) = (0, false);
    }

    fn finish(&mut self, tell: &mut dyn FnMut(&str)) {
        if !self.line.is_empty() || self.cut > 0 {
            self.end(tell);
        }
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").field("seen", &self.seen).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(parts: &[&[u8]]) -> Vec<String> {
        let mut told = Vec::new();
        let mut lines = Lines::default();
        for part in parts {
            lines.take(part, &mut |line| told.push(line.to_owned()));
        }
        lines.finish(&mut |line| told.push(line.to_owned()));
        told
    }

    #[test]
    fn lines_are_what_a_terminal_would_show() {
        assert_eq!(lines(&[b"a\nb", b"c\r\n\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b" 10%\r 20%\r100%\ndone"]), ["100%", "done"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        let long = vec![b'x'; 3 * LONGEST_LINE];
        assert_eq!(lines(&[&long, b"\nnext"])[0].len(), LONGEST_LINE + "… and 8192 bytes more".len());
        assert_eq!(lines(&[&long, b"\nnext"])[1], "next");
    }

    proptest! {
        #[test]
        fn where_reads_end_makes_no_difference(text in "[a\r\n]{0,30}", at in any::<prop::sample::Index>()) {
            let bytes = text.as_bytes();
            let (front, back) = bytes.split_at(at.index(bytes.len() + 1));
            prop_assert_eq!(lines(&[front, back]), lines(&[bytes]));
        }
    }

    #[test]
    fn a_stream_without_end_is_kept_to_its_first_and_last_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut capture = Capture::new(read, path.clone()).unwrap();
        let total = KEPT_FIRST + 3 * KEPT_LAST as u64;
        let writer = std::thread::spawn(move || {
            let mut file = File::from(write);
            for _ in 0..total / 4096 {
                file.write_all(&[b'x'; 4096]).unwrap();
            }
            file.write_all(b"\nthe end\n").unwrap();
        });
        let mut told = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        while capture.pipe().is_some() {
            capture.read(&mut buffer, &mut |line| told.push(line.to_owned()));
            assert!(capture.last.len() <= KEPT_LAST && capture.lines.line.len() <= LONGEST_LINE);
        }
        writer.join().unwrap();
        let (recent, failed) = capture.finish(&mut |_| {});
        assert!(failed.is_none());
        assert_eq!((told.len(), recent[1].as_str()), (2, "the end"));
        let kept = std::fs::read_to_string(path).unwrap();
        assert!(kept.len() < (KEPT_FIRST as usize) + KEPT_LAST + 100);
        let left_out = total + 9 - KEPT_FIRST - KEPT_LAST as u64;
        assert!(kept.contains(&format!("\nflowc: {left_out} bytes are left out here\n")));
        assert!(kept.ends_with("x\nthe end\n"));
    }
}
