//! Messages on a stream of bytes: a header that says how long the JSON behind it is.
//!
//! What cannot be read is told of and skipped, up to the next header; a client with a bug need not start us anew.

use std::io::{self, BufRead, Read, Write};

use serde_json::Value as Json;

/// What came in.
#[derive(Debug, PartialEq)]
pub enum Frame {
    Message(Json),
    /// Something else, and what is wrong with it.
    Unreadable(String),
}

/// A line of the header; a longer one is none.
const LONGEST_HEADER_LINE: u64 = 1024;

/// The next message; `None` at the stream's end, and where it breaks off.
pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Frame>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if stream.by_ref().take(LONGEST_HEADER_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        } else if line.is_empty() {
            break;
        }
    }
    let Some(length) = length else {
        return Ok(Some(Frame::Unreadable("a message without its `Content-Length`".to_owned())));
    };
    let mut body = Vec::new();
    if (stream.by_ref().take(length).read_to_end(&mut body)? as u64) < length {
        return Ok(None);
    }
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(message) => Frame::Message(message),
        Err(error) => Frame::Unreadable(format!("not JSON: {error}")),
    }))
}

pub fn write(stream: &mut impl Write, message: &Json) -> io::Result<()> {
    let body = message.to_string();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn frames(mut bytes: &[u8]) -> Vec<Frame> {
        std::iter::from_fn(|| read(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn reads_what_it_writes() {
        let messages = [json!({"method": "exit"}), json!({"text": "🚕\r\n\r\n"})];
        let mut bytes = Vec::new();
        for message in &messages {
            write(&mut bytes, message).unwrap();
        }
        assert_eq!(frames(&bytes), messages.map(Frame::Message));
    }

    #[test]
    fn goes_on_behind_what_it_cannot_read() {
        let bytes = b"Content-Length: 3\r\n\r\n{]}\
            content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}\
            Content-Type: x\r\n\r\n\
            Content-Length: many\r\n\r\n\
            Content-Length: 2\r\n\r\n\xff\xff\
            noise\r\nContent-Length: 2\r\n\r\n[]\
            Content-Length: 99999999999999\r\n\r\n{}";
        let found = frames(bytes);
        let readable: Vec<bool> = found.iter().map(|frame| matches!(frame, Frame::Message(_))).collect();
        assert_eq!(readable, [false, true, false, false, false, true], "{found:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            frames(&bytes);
        }

        #[test]
        fn headers_of_any_kind_end(
            parts in prop::collection::vec(
                prop::sample::select(vec!["Content-Length: ", "2", "\r\n", "\n", "{}", ":", "9", "é"]),
                0..40,
            ),
        ) {
            frames(parts.concat().as_bytes());
        }
    }
}
