//! Dates and times as people write them.

/// Whether `text` is a date, a time, or both: `2024-05-17`, `17.05.2024`, `5/17/2024`, `12:30:00`, `2024-05-17T12:30:00.5Z`.
pub(super) fn is_date(text: &str) -> bool {
    if is_day(text) || is_time(text) {
        return true;
    }
    let parts = text.split_once(['T', ' ', '\t']);
    parts.is_some_and(|(day, time)| is_day(day) && is_time(time.trim_start()))
}

/// A day: year, month and day of four and one or two digits between two equal signs, the year first or last.
fn is_day(text: &str) -> bool {
    let Some(sign) = text.chars().find(|sign| matches!(sign, '-' | '/' | '.')) else {
        return false;
    };
    let parts: Vec<&str> = text.splitn(4, sign).collect();
    let [first, second, third] = parts[..] else { return false };
    let between = |text: &str, last: u32| {
        (1..=2).contains(&text.len()) && number(text).is_some_and(|n| (1..=last).contains(&n))
    };
    // Two digits of a year where day and month have two as well: 1.2.24 is a version.
    let short = parts.iter().all(|part| part.len() == 2);
    let year = |text: &str| (text.len() == 4 || short) && number(text).is_some();
    let month_and_day = |a: &str, b: &str| between(a, 12) && between(b, 31);
    first.len() == 4 && year(first) && month_and_day(second, third)
        || year(third) && (month_and_day(first, second) || month_and_day(second, first))
}

/// A time of the day: hours, minutes and perhaps seconds with a fraction; a time zone may follow.
fn is_time(text: &str) -> bool {
    let clock = match text.find(['Z', '+', '-', ' ']) {
        Some(at) => {
            let zone = text[at..].trim_start();
            let offset = zone.strip_prefix(['+', '-']).unwrap_or_default();
            let digits = offset.bytes().filter(u8::is_ascii_digit).count();
            let an_offset = matches!(digits, 2 | 4)
                && offset.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
            if !(matches!(zone, "Z" | "UTC" | "AM" | "PM" | "am" | "pm") || an_offset) {
                return false;
            }
            &text[..at]
        }
        None => text,
    };
    let parts: Vec<&str> = clock.splitn(4, ':').collect();
    let below = |text: &str, limit: u32| {
        (1..=2).contains(&text.len()) && number(text).is_some_and(|n| n < limit)
    };
    // A second may be a leap second.
    let seconds = |text: &str| match text.split_once(['.', ',']) {
        Some((whole, fraction)) => below(whole, 61) && number(fraction).is_some(),
        None => below(text, 61),
    };
    match parts[..] {
        [hours, minutes] => below(hours, 25) && below(minutes, 60),
        [hours, minutes, last] => below(hours, 25) && below(minutes, 60) && seconds(last),
        _ => false,
    }
}

/// Digits only, at most nine.
fn number(text: &str) -> Option<u32> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_known_and_nothing_else_is() {
        for text in [
            "2024-05-17",
            "2024/5/17",
            "17.05.2024",
            "5/17/2024",
            "17/5/2024",
            "12:30",
            "12:30:00",
            "9:05:07.25",
            "2024-05-17 12:30:00",
            "2024-05-17T12:30:00Z",
            "2024-05-17T12:30:00.123456+02:00",
            "2024-05-17 12:30:00-0500",
            "17.05.2024 12:30",
            "17.05.24",
            "05/17/24",
            "5/17/2024 1:30 PM",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "",
            "2024",
            "2024-05",
            "1.2.3",
            "2024-13-17",
            "2024-05-32",
            "32/32/2024",
            "192.168.1.1",
            "2024-05-17-3",
            "12-30",
            "25:61",
            "12:30:99",
            "a:b",
            "12:",
            "1:2:3:4",
            "2024-05-17 red",
            "2024-05-17T",
            "1.2.24",
            "12:30 CET",
            "é-1-2024",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
