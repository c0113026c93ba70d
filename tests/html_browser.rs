//! Pages in a real browser, light and dark, wide and narrow. Without one (Debian: `apt-get install chromium`) nothing is tested, and a line says so.
//! `SECANT_PAGES=folder` keeps the pages there, to be looked at.

#![cfg(unix)]

#[path = "html/browser.rs"]
mod browser;
#[path = "html/pages.rs"]
mod pages;

use browser::{Browser, Tab};
use serde_json::Value;
use std::path::PathBuf;

/// Texts that stand out from what is behind them by less than 4.5, lines and marks by less than 3.
const FAINT: &str = r"(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const painted = (colors) => {
        context.fillStyle = '#fff';
        context.fillRect(0, 0, 1, 1);
        for (const color of colors) { context.fillStyle = color; context.fillRect(0, 0, 1, 1); }
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (colors, color) => {
        const [a, b] = [luminance(painted(colors)), luminance(painted([...colors, color]))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    };
    const behind = (element) => {
        const colors = [];
        for (let at = element; at instanceof Element; at = at.parentElement) colors.unshift(getComputedStyle(at).backgroundColor);
        return colors;
    };
    const found = [];
    const ask = (element, color, least) => {
        const ratio = contrast(behind(element), color);
        if (!(ratio >= least)) found.push(`${element.localName}.${element.getAttribute('class')} ${color}: ${ratio.toFixed(2)}`);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let texts = 0;
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility() || ['script', 'title', 'desc'].includes(element.localName)) continue;
        texts += 1;
        const style = getComputedStyle(element);
        ask(element, element.localName === 'text' ? style.fill : style.color, 4.5);
    }
    for (const line of document.querySelectorAll('svg .line, svg .marks > path')) {
        const { stroke, strokeOpacity } = getComputedStyle(line);
        ask(line, `color-mix(in srgb, ${stroke} ${100 * strokeOpacity}%, transparent)`, 3);
    }
    if (texts < 30) found.push(`only ${texts} texts were looked at`);
    return found;
})()";

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// What holds of every page at every width.
fn check(name: &str, tab: &mut Tab<'_>) {
    let pictures = tab.evaluate("[...document.querySelectorAll('svg.plot, .secant-graph')].map((svg) => { const box = svg.getBoundingClientRect(); return Math.min(box.width, box.height); })");
    let pictures = numbers(&pictures);
    assert!(
        !pictures.is_empty() && pictures.iter().all(|side| *side > 80.0),
        "{name}: {pictures:?}"
    );
    let overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert!(
        overflow.as_f64().unwrap() <= 0.0,
        "{name}: the page is {overflow} wider than the window"
    );
    let letters = tab.evaluate("[...document.querySelectorAll('svg.plot text')].map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a).filter((size) => size > 0)");
    let least = numbers(&letters).into_iter().fold(f64::INFINITY, f64::min);
    assert!((9.0..20.0).contains(&least), "{name}: letters of {least} pixels");
    for scheme in ["light", "dark"] {
        tab.media("screen", scheme);
        let faint = texts(&tab.evaluate(FAINT));
        assert!(faint.is_empty(), "{name}, {scheme}: {faint:#?}");
    }
    let dark = tab.evaluate("getComputedStyle(document.body).backgroundColor");
    tab.media("print", "dark");
    let paper = tab.evaluate("getComputedStyle(document.body).backgroundColor");
    assert_ne!(dark, paper, "{name} is printed dark");
    let hidden = tab.evaluate("[...document.querySelectorAll('main section, main table, main svg.plot')].filter((part) => !part.checkVisibility()).length");
    assert_eq!(hidden.as_f64(), Some(0.0), "{name}: parts are missing in print");
    tab.media("screen", "light");
    let (complaints, requests) = tab.complaints_and_requests();
    assert!(complaints.is_empty(), "{name}: {complaints:#?}");
    assert!(requests.len() == 1 && requests[0].starts_with("file://"), "{name}: {requests:?}");
}

/// Points at the first mark of a picture, and walks on by keys.
fn point(name: &str, page: &str, tab: &mut Tab<'_>) {
    let place = "(() => { const path = document.querySelector('svg.plot .marks > path'); path.closest('svg').scrollIntoView({ block: 'center' }); const box = path.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()";
    let at = numbers(&tab.evaluate(place));
    // Scrolling hides what is shown, a moment later.
    tab.evaluate("new Promise((done) => setTimeout(done, 100))");
    tab.mouse("mouseMoved", at[0], at[1]);
    let shown = "[document.getElementById('tip').checkVisibility() ? document.getElementById('tip').textContent : '']";
    let first = texts(&tab.evaluate(shown)).remove(0);
    let titles = page.split("<title>").filter_map(|part| part.split("</title>").next());
    assert!(titles.skip(1).any(|title| title == first), "{name}: shown is {first:?}");
    assert!(first.chars().any(|c| c.is_ascii_digit()), "{name}: shown is {first:?}");
    tab.evaluate("document.querySelector('svg.plot:has(.marks > path)').focus(), 0");
    tab.key("Home");
    let home = texts(&tab.evaluate(shown)).remove(0);
    tab.key("ArrowRight");
    let next = texts(&tab.evaluate(shown)).remove(0);
    assert!(!home.is_empty() && !next.is_empty() && home != next, "{name}: {home:?}, {next:?}");
    tab.key("Escape");
    assert_eq!(texts(&tab.evaluate(shown)), [""], "{name}");
}

/// A click on a head sorts, Enter on it sorts the other way.
fn sort(name: &str, tab: &mut Tab<'_>) {
    let place = "(() => { const button = [...document.querySelectorAll('table.sortable')].at(-1).tHead.rows[0].cells[1].querySelector('button'); button.scrollIntoView({ block: 'center' }); const box = button.getBoundingClientRect(); return [box.x + 5, box.y + box.height / 2]; })()";
    let at = numbers(&tab.evaluate(place));
    let column = "[...[...document.querySelectorAll('table.sortable')].at(-1).tBodies[0].rows].map((row) => Number(row.cells[1].dataset.value)).filter(Number.isFinite)";
    tab.mouse("mousePressed", at[0], at[1]);
    tab.mouse("mouseReleased", at[0], at[1]);
    let up = numbers(&tab.evaluate(column));
    assert!(up.is_sorted(), "{name}: {up:?}");
    tab.key("Enter");
    let mut down = numbers(&tab.evaluate(column));
    let state = tab.evaluate("[...document.querySelectorAll('table.sortable')].at(-1).querySelector('[aria-sort=descending]') !== null");
    assert_eq!(state, Value::Bool(true), "{name}");
    down.reverse();
    assert!(down.is_sorted() && down.len() == up.len(), "{name}: {down:?}");
}

#[test]
fn pages_are_shown_pointed_at_sorted_and_ask_for_nothing() {
    let folder = std::env::var_os("SECANT_PAGES")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages"), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    let (linear, data) = pages::linear();
    let (poisson, counts) = pages::poisson();
    let all = [
        ("network", pages::of_network()),
        ("linear", linear.html(&data).unwrap()),
        ("classifier", pages::of_classifier()),
        ("curve", pages::curve().html().unwrap()),
        ("poisson", poisson.html(&counts).unwrap()),
        ("comparison", pages::comparison().html()),
    ];
    for (name, page) in &all {
        page.save(folder.join(format!("{name}.html"))).unwrap();
    }
    let Some(mut browser) = Browser::start() else {
        println!("no Chromium on this machine: pages are not looked at");
        return;
    };
    for (name, page) in &all {
        let file = folder.join(format!("{name}.html")).canonicalize().unwrap();
        for width in [1200, 360] {
            let mut tab = browser.open(&file, width, 800);
            check(name, &mut tab);
            point(name, &page.to_string(), &mut tab);
            sort(name, &mut tab);
            let (complaints, _) = tab.complaints_and_requests();
            assert!(complaints.is_empty(), "{name}: {complaints:#?}");
            // Were there a script in a name, its message would stand in the way of all that follows.
            assert_eq!(tab.evaluate("document.scripts.length").as_f64(), Some(1.0), "{name}");
            let asked = tab.evaluate(
                "fetch('https://secant.invalid/').then(() => 'let through', (error) => String(error))",
            );
            assert_eq!(asked.as_str(), Some("TypeError: Failed to fetch"), "{name}");
            let refused = tab.complaints_and_requests().0.join("\n");
            assert!(refused.contains("Content Security Policy"), "{name}: {refused}");
        }
    }
}
