//! A browser without a window, spoken to in the DevTools protocol over pipes: JSON, each message ended by a zero byte.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What a message may take: a busy machine starts slowly.
const PATIENCE: Duration = Duration::from_secs(120);
/// Names of the program.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A running browser; ended when dropped.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    sent: u64,
    profile: PathBuf,
}

/// An open page.
pub struct Tab<'a> {
    browser: &'a mut Browser,
    session: String,
    /// What it told without being asked.
    events: Vec<Value>,
}

impl Browser {
    /// Starts one with an empty profile; none where the machine has none.
    pub fn start() -> Option<Self> {
        let program = NAMES.into_iter().find(|name| {
            let found = Command::new(name).arg("--version").stderr(Stdio::null()).output();
            found.is_ok_and(|output| output.status.success())
        })?;
        let profile = std::env::temp_dir().join(format!("secant-browser-{}", std::process::id()));
        std::fs::create_dir_all(&profile).unwrap();
        // The protocol goes over the descriptors 3 and 4, which are here the child's input and output.
        let script = format!(
            "exec {program} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
             --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe --user-data-dir=\"$0\" about:blank \
             3<&0 4>&1 </dev/null >/dev/null 2>&1"
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(&profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let read = serde_json::from_slice(&message).map(|value| sender.send(value));
                if !matches!(read, Ok(Ok(()))) {
                    return;
                }
                message.clear();
            }
        });
        Some(Self { child, to, from, sent: 0, profile })
    }

    /// Opens a file, in a window of so many pixels.
    pub fn open(&mut self, file: &Path, width: u32, height: u32) -> Tab<'_> {
        let target =
            self.call(None, "Target.createTarget", &json!({"url": "about:blank"}), &mut vec![]);
        let options = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.call(None, "Target.attachToTarget", &options, &mut vec![]);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut tab = Tab { browser: self, session, events: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        tab.call("Emulation.setDeviceMetricsOverride", &metrics);
        tab.call("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
        tab.wait_for("Page.loadEventFired");
        tab
    }

    fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
        events: &mut Vec<Value>,
    ) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        self.to.flush().unwrap();
        loop {
            let answer =
                self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{method}: no answer"));
            if answer["id"] == json!(self.sent) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            events.push(answer);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        _ = self.to.flush();
        let mut waits = 0..50;
        while waits.next().is_some() && !matches!(self.child.try_wait(), Ok(Some(_))) {
            std::thread::sleep(Duration::from_millis(100));
        }
        _ = self.child.kill();
        _ = self.child.wait();
        _ = std::fs::remove_dir_all(&self.profile);
    }
}

impl Tab<'_> {
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.browser.call(Some(&self.session), method, params, &mut self.events)
    }

    fn wait_for(&mut self, event: &str) {
        while !self.events.iter().any(|known| known["method"] == event) {
            self.events.push(self.browser.from.recv_timeout(PATIENCE).expect(event));
        }
    }

    /// The value of an expression; a promise is waited for.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let options =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &options);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub fn mouse(&mut self, kind: &str, x: f64, y: f64) {
        let clicks = u8::from(kind != "mouseMoved");
        let button = if clicks == 1 { "left" } else { "none" };
        let event = json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": clicks});
        self.call("Input.dispatchMouseEvent", &event);
    }

    pub fn key(&mut self, key: &str) {
        // Enter presses a button by the character that it makes.
        let text = if key == "Enter" { "\r" } else { "" };
        let code = if key == "Enter" { 13 } else { 0 };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// `screen` or `print`, light or dark.
    pub fn media(&mut self, media: &str, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"media": media, "features": features}));
    }

    /// Messages of errors, and addresses that were asked for.
    pub fn complaints_and_requests(&mut self) -> (Vec<String>, Vec<String>) {
        // All that was told before this is told.
        self.evaluate("0");
        let of = |method: &'static str| {
            self.events.iter().filter(move |event| event["method"] == method)
        };
        let text = |value: &Value| value.to_string();
        let mut complaints: Vec<String> = of("Runtime.exceptionThrown").map(text).collect();
        complaints.extend(of("Log.entryAdded").map(text));
        complaints.extend(of("Runtime.consoleAPICalled").map(text));
        let address = |event: &Value| {
            event["params"]["request"]["url"].as_str().unwrap_or_default().to_owned()
        };
        (complaints, of("Network.requestWillBeSent").map(address).collect())
    }
}
