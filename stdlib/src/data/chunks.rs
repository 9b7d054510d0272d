//! A text file, piece by piece: whole characters, whole rows.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use flow_runtime::operator::OperatorError;

/// A file of which a part is in memory.
#[derive(Debug)]
pub struct Chunks<'a> {
    path: &'a str,
    file: File,
    buffer: Vec<u8>,
    /// How much of the buffer is known to be UTF-8.
    valid: usize,
    /// Line breaks in what has left the buffer.
    lines: usize,
    is_at_end: bool,
    has_text: bool,
    size: u64,
    read: u64,
}

impl<'a> Chunks<'a> {
    /// # Errors
    /// Where there is no such file, or what begins it says that it is no text.
    pub fn open(path: &'a str) -> Result<Self, OperatorError> {
        if path.starts_with("http://") || path.starts_with("https://") {
            return Err(OperatorError::with_help(
                format!("`{path}` is not on this machine"),
                "download the file and give its path",
            ));
        }
        if Path::new(path).is_dir() {
            return Err(OperatorError::with_help(
                format!("`{path}` is a directory"),
                "give the path of one CSV file",
            ));
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let size = fs::metadata(path).map_or(0, |file| file.len());
        Ok(Self {
            path,
            file,
            buffer: Vec::new(),
            valid: 0,
            lines: 0,
            is_at_end: false,
            has_text: false,
            size,
            read: 0,
        })
    }

    /// What is in memory, as text.
    pub fn text(&self) -> &str {
        self.buffer.get(..self.valid).map_or("", |bytes| std::str::from_utf8(bytes).unwrap_or_default())
    }

    /// Whether the text in memory ends where the file does.
    pub fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Bytes of the file, and how many of them have been read.
    pub fn progress(&self) -> (u64, u64) {
        (self.read.min(self.size), self.size)
    }

    /// Drops the first `used` bytes of the text, and reads `more` behind the rest.
    ///
    /// # Errors
    /// Where the file cannot be read, is no UTF-8, or holds nothing at all.
    pub fn advance(&mut self, used: usize, more: usize) -> Result<(), OperatorError> {
        let gone = self.buffer.get(..used).unwrap_or_default();
        self.lines += gone.iter().filter(|byte| **byte == b'\n').count();
        self.buffer.drain(..used.min(self.buffer.len()));
        self.valid = self.valid.saturating_sub(used);
        let is_first = self.read == 0;
        let begin = self.buffer.len();
        let wanted = u64::try_from(more).unwrap_or(u64::MAX);
        let read = (&mut self.file).take(wanted).read_to_end(&mut self.buffer);
        self.is_at_end = read.map_err(|error| unreadable(self.path, &error))? < more;
        self.read += (self.buffer.len() - begin) as u64;
        if is_first {
            refuse_other_formats(self.path, &self.buffer)?;
            if self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
        }
        self.validate()?;
        let fresh = self.buffer.get(begin.min(self.buffer.len())..).unwrap_or_default();
        self.has_text |= !fresh.trim_ascii().is_empty();
        if self.is_at_end && !self.has_text {
            return Err(OperatorError::failed(format!("`{}` is empty", self.path)));
        }
        Ok(())
    }

    fn validate(&mut self) -> Result<(), OperatorError> {
        let rest = self.buffer.get(self.valid..).unwrap_or_default();
        let Err(error) = std::str::from_utf8(rest) else {
            self.valid = self.buffer.len();
            return Ok(());
        };
        let valid = self.valid + error.valid_up_to();
        // A character may go on in what is still to be read.
        if error.error_len().is_none() && !self.is_at_end {
            self.valid = valid;
            return Ok(());
        }
        let before = self.buffer.get(..valid).unwrap_or_default();
        let line = 1 + self.lines + before.iter().filter(|byte| **byte == b'\n').count();
        Err(OperatorError::with_help(
            format!("`{}` line {line}: not UTF-8 text", self.path),
            "convert it, for example with `iconv -f LATIN1 -t UTF-8`",
        ))
    }
}

fn unreadable(path: &str, error: &io::Error) -> OperatorError {
    match error.kind() {
        io::ErrorKind::NotFound => OperatorError::failed(format!("there is no file `{path}`")),
        io::ErrorKind::PermissionDenied => OperatorError::failed(format!("no permission to read `{path}`")),
        _ => OperatorError::failed(format!("`{path}` cannot be read: {error}")),
    }
}

fn refuse_other_formats(path: &str, bytes: &[u8]) -> Result<(), OperatorError> {
    let found = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        [0x1f, 0x8b, ..] => "compressed by gzip",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        _ => return Ok(()),
    };
    Err(OperatorError::with_help(
        format!("`{path}` is {found}, where UTF-8 text is expected"),
        "convert it to a plain CSV file in UTF-8",
    ))
}
