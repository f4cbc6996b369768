//! A page in headless Chromium, driven by WebDriver (W3C) through `chromedriver`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::poll;

/// A page in a browser. Dropping it ends the browser and its driver.
pub struct Page {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

/// How the browser shows the page.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Width of the window in px.
    pub width: u32,
    /// Whether the reader prefers dark pages.
    pub dark: bool,
}

/// Whether there is a browser. If not, the test says so and passes, unless `CI` is `true`.
///
/// # Panics
/// If there is none and `CI` is `true`.
pub fn is_there() -> bool {
    let version = Command::new("chromedriver").arg("--version").output();
    let found = version.is_ok_and(|version| version.status.success());
    if !found {
        let missing = "no chromedriver (Debian's chromium and chromium-driver, see .ci/install)";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
        // Written to stderr itself, because the text of print macros is only shown for tests that fail.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    }
    found
}

impl Page {
    /// Opens a file.
    ///
    /// # Panics
    /// If Chromium or chromedriver is missing, or does not answer.
    pub fn open(file: &Path) -> Self {
        Self::at(&format!("file://{}", file.display()))
    }

    /// Opens an address. Inside TLS any certificate is taken, because the browser does not know the test's.
    ///
    /// # Panics
    /// As [`Self::open`].
    pub fn at(address: &str) -> Self {
        Self::with(address, &[])
    }

    /// Opens an address in a browser whose camera shows this video (Y4M, 4:2:0), again and again. It is given without a question.
    ///
    /// # Panics
    /// As [`Self::open`].
    pub fn with_camera(address: &str, video: &Path) -> Self {
        let video = format!("--use-file-for-fake-video-capture={}", video.display());
        Self::with(address, &["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", &video])
    }

    fn with(address: &str, more: &[&str]) -> Self {
        let (driver, port) = driver();
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut page = Self { driver, port, session: String::new(), _profile: profile };
        let profile = format!("--user-data-dir={}", page._profile.path().display());
        let always =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", &profile];
        let flags = [&always[..], more].concat();
        let wanted = json!({"browserName": "chrome", "acceptInsecureCerts": true, "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": flags}});
        let made = page.ask("POST", "", &json!({"capabilities": {"alwaysMatch": wanted}}));
        page.session = format!(
            "/{}",
            made["sessionId"]
                .as_str()
                .unwrap_or_else(|| panic!("no browser (Debian's chromium, see .ci/install): {made}"))
        );
        page.ask("POST", "/url", &json!({"url": address}));
        page
    }

    /// Runs a script again and again until its result is neither null nor false, and returns that.
    ///
    /// # Panics
    /// If it takes longer than a test waits.
    #[track_caller]
    pub fn wait_for(&self, script: &str) -> Value {
        let result = poll(|| Some(self.run(script)).filter(|value| !value.is_null() && value != &json!(false)));
        result.unwrap_or_else(|| panic!("not within the limit: {script}; the page says: {}", self.text("body")))
    }

    /// The text of the element that a selector finds, as the page shows it.
    pub fn text(&self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector({selector:?})?.innerText ?? ''"));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the element that a selector finds says `words`, and returns its whole text.
    ///
    /// # Panics
    /// As [`Self::wait_for`].
    #[track_caller]
    pub fn wait_for_words(&self, selector: &str, words: &str) -> String {
        let script = format!(
            "const said = document.querySelector({selector:?})?.textContent ?? ''; return said.includes({words:?}) && said"
        );
        self.wait_for(&script).as_str().unwrap_or_default().to_owned()
    }

    /// Clicks the element that a selector finds, once the page is loaded.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.once_loaded(selector, "it.click()");
    }

    /// Sets the value of a field, as a reader who leaves it afterwards, once the page is loaded.
    #[track_caller]
    pub fn fill(&self, selector: &str, value: &str) {
        self.once_loaded(selector, &format!("it.value = {}; it.dispatchEvent(new Event('change'))", json!(value)));
    }

    /// Runs a script with an element as `it`. On a busy machine the driver may go on before the page is loaded.
    #[track_caller]
    fn once_loaded(&self, selector: &str, script: &str) {
        let selector = json!(selector);
        self.wait_for(&format!(
            "const it = document.readyState === 'complete' && document.querySelector({selector}); if (!it) return false;
             {script}; return true"
        ));
    }

    /// Shows the page like this.
    pub fn show(&self, look: Look) {
        let Look { width, dark } = look;
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", &media);
    }

    /// Shows the page as it is printed, on A4 at 96 px per inch, for a reader who prefers dark pages.
    pub fn show_printed(&self) {
        self.show(Look { width: 794, dark: true });
        self.command("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    }

    /// The printed page: PDF, in base64.
    pub fn printed(&self) -> String {
        let printed = self.command("Page.printToPDF", &json!({"printBackground": false}));
        printed["data"].as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script, which is the body of a function, and returns its result.
    pub fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The messages of the console.
    pub fn console(&self) -> Vec<String> {
        let entries = self.ask("POST", "/se/log", &json!({"type": "browser"}));
        entries.as_array().into_iter().flatten().map(ToString::to_string).collect()
    }

    /// The whole page as a picture: PNG, in base64.
    pub fn picture(&self) -> String {
        let whole = self.command("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": true}));
        whole["data"].as_str().unwrap_or_default().to_owned()
    }

    fn command(&self, name: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    /// Asks the driver, and returns the value of its answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.answer(method, path, &body.to_string()).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut value: Value =
            serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"));
        let value = value["value"].take();
        assert!(value.get("error").is_none_or(Value::is_null), "{path}: {value}");
        value
    }

    fn answer(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let (session, length) = (&self.session, body.len());
        write!(
            stream,
            "{method} /session{session}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(bytes) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap_or_default();
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Ends the browser, which is the driver's child.
        let _ = self.answer("DELETE", "", "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A driver, with the port that it listens on.
fn driver() -> (Child, u16) {
    let start = |port: u16| {
        let mut driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver (Debian's chromium-driver, see .ci/install)");
        let said = said_port(&mut driver).expect("chromedriver says its port");
        (driver, said)
    };
    let (mut driver, port) = start(0);
    if port != 0 {
        return (driver, port);
    }
    // On a machine without IPv6, as in a container, it chooses a port and says 0.
    let _ = driver.kill();
    let _ = driver.wait();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a free port");
    start(free.port())
}

/// The port that the driver says it listens on.
fn said_port(driver: &mut Child) -> Option<u16> {
    let lines = BufReader::new(driver.stdout.take()?).lines();
    lines.map_while(Result::ok).find_map(|line| line.strip_suffix('.')?.rsplit_once("on port ")?.1.parse().ok())
}
