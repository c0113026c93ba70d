//! What a header may take in memory when it is read, counted from its text before anything of it is kept.
//!
//! Bytes of the parsers' values, of the tables of names and of the graph made of them, by the characters that start them; those in texts
//! count too, so that no text hides any. The factors are upper bounds: a test measures headers made of one of them.

/// Of every byte: the text, its unescaped copy and the buffer in which that grows, the names in what is made of it.
const PER_BYTE: u64 = 5;
/// Of every `{`: a table and a node, or a tensor.
const PER_OBJECT: u64 = 1024;
/// Of every `[`: a list.
const PER_LIST: u64 = 128;
/// Of every `,`: an entry of either, with the room in which its list grows.
const PER_ENTRY: u64 = 112;
/// What a reader may hold beside twice the file.
const BESIDE: u64 = 1 << 20;
/// What it needs of that itself: buffers, messages.
const OWN: u64 = 1 << 16;

/// A header's text, looked at piece by piece.
#[derive(Clone, Copy, Default)]
pub(super) struct Budget {
    length: u64,
    /// Up to here all behind is blank.
    end: u64,
    structures: u64,
}

impl Budget {
    pub(super) fn add(&mut self, text: &[u8]) {
        for byte in text {
            self.length += 1;
            if *byte != b' ' {
                self.end = self.length;
            }
            self.structures += match byte {
                b'{' => PER_OBJECT,
                b'[' => PER_LIST,
                b',' => PER_ENTRY,
                _ => 0,
            };
        }
    }

    /// Bytes of the text without the blanks at its end.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Bytes that reading it may take, at most.
    pub(super) fn needed(&self) -> u64 {
        self.structures.saturating_add(PER_BYTE.saturating_mul(self.end))
    }

    /// Bytes that it may take in a file of `length` bytes: the tensors are held once, so that a length of the file and [`BESIDE`] are left.
    pub(super) fn allowed(length: u64) -> u64 {
        length.saturating_add(BESIDE - OWN)
    }
}
