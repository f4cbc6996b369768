use std::io::Write;
use std::sync::mpsc;

use tracing::{info, warn};

use super::super::kept::Kept;
use super::*;

/// Accepts nothing until it is released, then keeps what is written to it.
#[derive(Clone)]
struct Output {
    kept: Kept,
    go_on: Option<Arc<Mutex<mpsc::Receiver<()>>>>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(go_on) = &self.go_on {
            // An error means that it was released for good.
            let _ = go_on.lock().unwrap().recv();
        }
        self.kept.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines logged by `say` to an output. If `is_stuck`, the output accepts nothing until `say` has returned.
fn logged(is_stuck: bool, say: impl FnOnce()) -> Vec<String> {
    let (release, go_on) = mpsc::sync_channel(0);
    let kept = Kept::default();
    let output = Output { kept: kept.clone(), go_on: is_stuck.then(|| Arc::new(Mutex::new(go_on))) };
    let lines = Lines::to(output, Style { program: "server", has_colours: false });
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.clone()), say);
    drop::<mpsc::SyncSender<()>>(release);
    // On a busy machine, the thread may need more time than one call waits.
    let ended = (0..100).any(|_| {
        drop(Logging(lines.clone()));
        lines.queue.finish(|| DRAIN_LIMITS) == 0
    });
    assert!(ended, "never written");
    let text = String::from_utf8(kept.bytes()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_stuck_stderr_delays_nobody_and_what_it_lost_is_counted() {
    let said = 10_000;
    let lines = logged(true, || (0..said).for_each(|number| info!("line {number} {}", "x".repeat(100))));
    let (notices, written): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.contains("log lines dropped"));
    let dropped = |line: &&String| line.split_whitespace().find_map(|word| word.parse::<usize>().ok());
    assert_eq!(notices.iter().filter_map(dropped).sum::<usize>() + written.len(), said, "{notices:?}");
    assert!(!notices.is_empty() && written.len() > 1000, "{notices:?}");
}

#[test]
fn a_peers_text_cannot_forge_a_line_or_move_the_cursor() {
    let reason = "done\r\nserver: all is well\u{1b}[2J\u{202e}";
    let lines = logged(false, || info!("the server said bye: {reason}"));
    assert_eq!(lines, ["server: the server said bye: done\\r\\nserver: all is well\\u{1b}[2J\\u{202e}"]);
}

#[test]
fn a_failure_that_others_cause_is_a_short_line() {
    let lines = logged(false, || warn!("10.0.0.1:9: {}", "\u{7f}".repeat(64 << 10)));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].chars().count(), "server: warning: ".len() + 200, "{lines:?}");
}

#[test]
fn a_flood_of_one_kind_is_logged_in_a_few_lines_with_counts_and_does_not_hide_another_kind() {
    let lines = logged(false, || {
        for number in 0..1_000 {
            warn!(kind = if number == 500 { "other" } else { "same" }, "failure {number}");
        }
    });
    let more = |line: &String| line.split("(and ").nth(1)?.split(' ').next()?.parse::<usize>().ok();
    assert_eq!(lines[0], "server: warning: failure 0");
    assert!(lines.contains(&"server: warning: failure 500".into()), "{lines:?}");
    assert_eq!(lines.len() + lines.iter().filter_map(more).sum::<usize>(), 1_000, "none is uncounted: {lines:?}");
    // One per second, and a thousand lines take less than ten seconds.
    assert!(lines.len() < 13, "{lines:?}");
}

#[test]
fn fields_follow_the_message() {
    let lines = logged(false, || info!(frames = 3, name = "a\nb", "hello"));
    assert_eq!(lines, ["server: hello frames=3 name=a\\nb"]);
}
