//! Words for people, where the language's own spelling would be long.

const UNITS: [(u32, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// `28 bytes`, `512 KiB`, `1.5 GiB`: rounded to a tenth. What is to be read again is a `Value::Size`.
pub fn bytes(bytes: u64) -> String {
    match UNITS.into_iter().find(|(shift, _)| bytes >= 1 << shift) {
        Some((shift, unit)) => {
            let tenths = (u128::from(bytes) * 10 + (1 << (shift - 1))) >> shift;
            match (tenths / 10, tenths % 10) {
                (whole, 0) => format!("{whole} {unit}"),
                (whole, part) => format!("{whole}.{part} {unit}"),
            }
        }
        None => format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" }),
    }
}

/// The beginning of a text that is too long for a message.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        for (size, told) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (512 << 10, "512 KiB"),
            (3 << 29, "1.5 GiB"),
            (1_288_490_189, "1.2 GiB"),
            (1 << 50, "1024 TiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(bytes(size), told);
        }
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(shortened(&"é".repeat(61)), "é".repeat(60) + "…");
    }
}
