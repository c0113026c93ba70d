//! A seeded smoke of the fuzz targets: what holds of every reader on any bytes (the functions of `fuzz/`), on mutations of valid files.

use secant_core::random::Random;

#[path = "../../../../fuzz/src/lib.rs"]
mod targets;

/// Mutations of each seed.
const MUTATIONS: u64 = 60;

/// What the formats are made of, and numbers at the ends of their types.
const PIECES: [&[u8]; 24] = [
    b"0",
    b"-1",
    b"1e999",
    b"nan",
    b"NA",
    b"\"",
    b"\n",
    b"\r\n",
    b",",
    b";",
    b":",
    b"#",
    b" ",
    b"\xff",
    b"\0",
    b"\x1f\x8b",
    b"(",
    b")",
    b"'",
    b"99999999999",
    b"4294967297",
    b"\x7f\xff\xff\xff",
    b"\x1b[31m",
    b"qid:",
];

/// `file` with a few of its bytes changed, cut out, repeated, or replaced by a piece.
fn mutated(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(9)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                let place = random.below(bytes.len() + 1);
                drop(bytes.splice(place..place, again));
            }
            3 => bytes.truncate(at),
            4 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())),
            _ => drop(bytes.splice(at..end, PIECES[random.below(PIECES.len())].iter().copied())),
        }
    }
    bytes
}

#[test]
fn seeds_and_their_mutations_are_read_or_refused() {
    let mut random = Random::new(1);
    for (_, reader, files) in targets::seeds() {
        for file in files {
            reader(&file);
            for _ in 0..MUTATIONS {
                reader(&mutated(&file, &mut random));
            }
        }
    }
}

#[test]
fn every_start_of_a_file_is_read_or_refused() {
    for (name, reader, files) in targets::seeds() {
        // Those of NIST and CIFAR are long, and alike in their middle.
        for file in files {
            let step = 1 + file.len() / 60;
            (0..file.len()).step_by(step).for_each(|length| reader(&file[..length]));
        }
        assert!(!name.is_empty());
    }
}

#[test]
fn any_bytes_behind_the_start_of_a_format_are_read_or_refused() {
    let starts: [&[u8]; 6] = [
        b"\0a,target\n",
        b"\0\x93NUMPY\x01\x00",
        b"\0\0\0\x08\x02",
        b"\x011 1:",
        b"input = 3\n[[node]]\n",
        b"\0\x1f\x8b\x08",
    ];
    let readers = targets::seeds();
    let mut random = Random::new(2);
    for start in starts {
        for _ in 0..40 {
            let mut bytes = start.to_vec();
            for _ in 0..random.below(40) {
                bytes.extend_from_slice(PIECES[random.below(PIECES.len())]);
                bytes.push(u8::try_from(random.below(256)).unwrap());
            }
            for (_, reader, _) in &readers {
                reader(&bytes);
            }
        }
    }
}
