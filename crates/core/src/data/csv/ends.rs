//! Where records end: by line ends and quotes alone, many bytes at a time.

/// Where the last record ends that certainly does in `text`, which begins where one does.
pub(in crate::data) fn record_end(
    text: &[u8],
    delimiter: u8,
    comment: Option<u8>,
) -> Option<usize> {
    let mut end = None;
    // Where the record begins that is looked at, and from where on, outside quotes.
    let (mut start, mut at) = (0, 0);
    while let Some(offset) = position(&text[at..], b'"') {
        let quote = at + offset;
        if let Some(last) = last_line_end(&text[at..quote], false) {
            start = at + last;
            end = Some(start);
        }
        if Some(text[start]) == comment {
            let Some(length) = line_length(&text[quote..]) else { return end };
            (start, at) = (quote + length, quote + length);
            end = Some(start);
            continue;
        }
        let before = text[start..quote].last();
        let opens =
            before.is_none_or(|&sign| sign == delimiter || delimiter == b' ' && sign == b'\t');
        at = quote + 1;
        if opens {
            let Some(length) = quoted_length(&text[at..]) else { return end };
            at += length;
        }
    }
    last_line_end(&text[at..], true).map(|last| at + last).or(end)
}

/// Where `wanted` stands first.
pub(super) fn position(text: &[u8], wanted: u8) -> Option<usize> {
    /// Looked at together, which is many times faster than one by one.
    const RUN: usize = 64;
    let runs = text.chunks(RUN).take_while(|run| !run.contains(&wanted)).count();
    let start = (runs * RUN).min(text.len());
    text[start..].iter().position(|&byte| byte == wanted).map(|offset| start + offset)
}

/// Behind the last line end; where more text may follow, not behind a CR at the end, which an LF may follow.
pub(super) fn last_line_end(text: &[u8], open: bool) -> Option<usize> {
    if let Some(last) = text.iter().rposition(|&byte| byte == b'\n') {
        let after = &text[last + 1..];
        return last_line_end_by_cr(after, open).map_or(Some(last + 1), |end| Some(last + 1 + end));
    }
    last_line_end_by_cr(text, open)
}

fn last_line_end_by_cr(text: &[u8], open: bool) -> Option<usize> {
    let text = if open { &text[..text.len().saturating_sub(1)] } else { text };
    text.iter().rposition(|&byte| byte == b'\r').map(|last| last + 1)
}

/// Up to behind the first line end that is certainly whole.
fn line_length(text: &[u8]) -> Option<usize> {
    let first = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (text[first], text.get(first + 1)) {
        (b'\r', None) => None,
        (b'\r', Some(b'\n')) => Some(first + 2),
        _ => Some(first + 1),
    }
}

/// Up to behind the quote that closes a text; `None` where that is not sure.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += position(&text[at..], b'"')? + 1;
        if *text.get(at)? != b'"' {
            return Some(at);
        }
        at += 1;
    }
}

/// Line ends in a text: LF, CRLF and CR.
pub(super) fn line_ends(text: &[u8]) -> u64 {
    // Sums of bytes, which are added many at a time.
    let ends = |run: &[u8]| u64::from(run.iter().map(|&byte| u8::from(byte == b'\n')).sum::<u8>());
    let feeds: u64 = text.chunks(usize::from(u8::MAX)).map(ends).sum();
    if position(text, b'\r').is_none() {
        return feeds;
    }
    let alone = |pair: &[u8]| pair[0] == b'\r' && pair[1] != b'\n';
    let returns = text.windows(2).filter(|pair| alone(pair)).count();
    feeds + returns as u64 + u64::from(text.ends_with(b"\r"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_those_that_a_reader_counts() {
        for (text, count) in
            [("", 0), ("a", 0), ("\n\r\n\r", 3), ("a\rb\r\r\n", 3), ("\r\n", 1), ("\n\r", 2)]
        {
            assert_eq!(line_ends(text.as_bytes()), count, "{text:?}");
        }
    }

    #[test]
    fn a_block_ends_where_a_record_surely_does() {
        for (text, delimiter, comment, end) in [
            ("a,b\n1,2\n3,", b',', None, Some(8)),
            ("a,b\n1,2\n", b',', None, Some(8)),
            ("a,b", b',', None, None),
            ("a,b\r1,2\r", b',', None, Some(4)),
            ("a,b\r\n1,2\r", b',', None, Some(5)),
            ("a,\"b\n1\n", b',', None, None),
            ("x\na,\"b\n1\n", b',', None, Some(2)),
            ("a,\"b\n\"\n1", b',', None, Some(7)),
            ("a,\"b\"\"\n\"\n1", b',', None, Some(9)),
            // A quote within a field opens nothing; one at the end may be the first of two.
            ("a,5\"\n1,\"", b',', None, Some(5)),
            ("a\n1,\"b\"", b',', None, Some(2)),
            ("# it's \"\n1,2\n3", b' ', Some(b'#'), Some(13)),
            ("# it's \"\n1,2\n3", b' ', None, None),
            ("a;\"x\ny\" z\n", b' ', None, Some(10)),
            ("a\t\"x\ny\" z\n1", b' ', None, Some(10)),
        ] {
            assert_eq!(record_end(text.as_bytes(), delimiter, comment), end, "{text:?}");
        }
    }
}
