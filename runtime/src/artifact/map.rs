//! A table's file as memory: its batches are read when they are touched, and need not be kept.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    ptr::NonNull,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::RecordBatch,
    buffer::Buffer,
    error::ArrowError,
    ipc::{
        self,
        reader::{FileDecoder, read_footer_length},
    },
};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use super::table::TableError;
use crate::operator::Table;

/// A file that nobody writes to any more, mapped for as long as anything of it is in use.
#[derive(Debug)]
struct Mapping {
    at: NonNull<u8>,
    length: usize,
}

#[expect(unsafe_code, reason = "memory that is only read")]
// SAFETY: nobody writes to the mapping, and it may be unmapped from any thread.
unsafe impl Send for Mapping {}
#[expect(unsafe_code, reason = "memory that is only read")]
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// Bytes of a footer's length and of what closes an Arrow file.
const TRAILER: usize = 10;

/// The table in an Arrow file, without copying it. The file must have its final size and content.
pub fn table(file: &File) -> Result<Table, TableError> {
    let damaged = |what: &str| TableError::Arrow(ArrowError::ParseError(what.to_owned()));
    let buffer = buffer(file).map_err(ArrowError::from)?;
    let footer_end = buffer.len().checked_sub(TRAILER).ok_or_else(|| damaged("the file is too short"))?;
    let trailer: [u8; TRAILER] =
        buffer.get(footer_end..).and_then(|end| end.try_into().ok()).ok_or_else(|| damaged("no trailer"))?;
    let footer_start = footer_end.checked_sub(read_footer_length(trailer)?);
    let footer = footer_start.and_then(|start| buffer.get(start..footer_end));
    let footer = ipc::root_as_footer(footer.ok_or_else(|| damaged("the footer is too long"))?)
        .map_err(|error| damaged(&error.to_string()))?;
    let schema = footer.schema().ok_or_else(|| damaged("no schema"))?;
    let schema = Arc::new(ipc::convert::fb_to_schema(schema));
    let decoder = FileDecoder::new(schema.clone(), footer.version());
    let mut batches = Vec::new();
    for block in footer.recordBatches().into_iter().flatten() {
        let begin = usize::try_from(block.offset()).ok();
        let length =
            usize::try_from(block.metaDataLength()).ok().zip(usize::try_from(block.bodyLength()).ok());
        let end =
            begin.zip(length).and_then(|(begin, (head, body))| begin.checked_add(head)?.checked_add(body));
        let (Some(begin), Some(end)) = (begin, end.filter(|end| *end <= buffer.len())) else {
            return Err(damaged("a batch lies outside of the file"));
        };
        let data = buffer.slice_with_length(begin, end - begin);
        let batch = decoder.read_record_batch(block, &data)?;
        // It has been looked at from end to end.
        batch.iter().for_each(release);
        batches.extend(batch);
    }
    Ok(Table { schema, batches })
}

/// Says that a batch is not needed soon: the pages of a mapped one leave the process, and come back when touched.
/// What lies in memory stays.
pub fn release(batch: &RecordBatch) {
    // Whoever reads on finds the pages again, at worst on the disk, so that an error changes nothing.
    for column in batch.columns() {
        release_data(&column.to_data());
    }
}

fn release_data(data: &arrow::array::ArrayData) {
    for buffer in data.buffers() {
        release_buffer(buffer);
    }
    data.child_data().iter().for_each(release_data);
}

fn release_buffer(buffer: &Buffer) {
    const PAGE: usize = 4096;
    /// Below this the call costs more than it brings.
    const WORTH: usize = 64 << 10;
    if buffer.len() < WORTH || !is_mapped(buffer) {
        return;
    }
    let begin = (buffer.as_ptr() as usize).next_multiple_of(PAGE);
    let end = (buffer.as_ptr() as usize + buffer.len()) / PAGE * PAGE;
    if begin < end {
        #[expect(unsafe_code, reason = "the only way to give pages back")]
        // SAFETY: whole pages of a mapping that the buffer keeps alive; they are shared and clean, so that they are
        // read again from the file.
        let _ = unsafe { madvise(begin as *mut _, end - begin, Advice::LinuxDontNeed) };
    }
}

/// All mappings there are, by where they begin: giving pages back that are none of a file's would lose them.
static MAPPINGS: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

fn is_mapped(buffer: &Buffer) -> bool {
    let begin = buffer.as_ptr() as usize;
    let mappings = MAPPINGS.lock().unwrap_or_else(PoisonError::into_inner);
    mappings.range(..=begin).next_back().is_some_and(|(at, length)| begin + buffer.len() <= at + length)
}

fn buffer(file: &File) -> io::Result<Buffer> {
    let length = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    if length == 0 {
        return Ok(Buffer::from(&[]));
    }
    #[expect(unsafe_code, reason = "the only way to map a file")]
    // SAFETY: a new mapping at a place of the system's choice.
    let at = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, file, 0)? };
    let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
    MAPPINGS.lock().unwrap_or_else(PoisonError::into_inner).insert(at.as_ptr() as usize, length);
    let mapping = Arc::new(Mapping { at, length });
    #[expect(unsafe_code, reason = "shares the mapping with Arrow")]
    // SAFETY: so many bytes are mapped, for as long as the owner lives.
    Ok(unsafe { Buffer::from_custom_allocation(at, length, mapping) })
}

impl Drop for Mapping {
    fn drop(&mut self) {
        MAPPINGS.lock().unwrap_or_else(PoisonError::into_inner).remove(&(self.at.as_ptr() as usize));
        #[expect(unsafe_code, reason = "the mapping is ours")]
        // SAFETY: what was mapped, and nobody refers to it any more.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), self.length) };
    }
}
