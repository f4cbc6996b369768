//! The files of the page, which are part of the program.

use shared::door::http::{Answer, Status};

/// Headers with a policy: these directives, and those of every file.
macro_rules! headers {
    ($policy:literal) => {
        concat!(
            "Content-Security-Policy: default-src 'none'; connect-src 'self'; ",
            $policy,
            "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
             Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
             Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n\
             X-Frame-Options: DENY\r\n",
        )
    };
}

/// What the page may do: load its own files, connect to its own server, and run in a worker the pipeline that its reader
/// typed, or `hough`. The style of an element is set by script only, which this policy allows.
const HEADERS: &str = headers!("script-src 'self'; style-src 'self'; img-src 'self' data:; worker-src 'self' blob:");

/// What the worker of `hough` may do: compile WebAssembly, and load it from its own server. It is a file of ours, and runs
/// nothing that anybody typed. The page may not compile WebAssembly, and neither may the worker of a typed pipeline: that has
/// the page's policy.
const HOUGH_HEADERS: &str = headers!("script-src 'wasm-unsafe-eval'");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const MODULE: &str = "application/wasm";

/// The worker of `hough`.
const HOUGH_WORKER: &str = "/hough.js";

/// The detector as WebAssembly, which the worker loads; empty in a build without it (`build.rs`).
const HOUGH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hough.wasm"));

/// Path, media type and content of each file that is text.
const FILES: [(&str, &str, &str); 11] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page.css", CSS, include_str!("page/page.css")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/dashboard.js", SCRIPT, include_str!("page/dashboard.js")),
    ("/charts.js", SCRIPT, include_str!("page/charts.js")),
    ("/pipeline.js", SCRIPT, include_str!("page/pipeline.js")),
    ("/client.js", SCRIPT, include_str!("page/client.js")),
    ("/lz4.js", SCRIPT, include_str!("page/lz4.js")),
    ("/messages.js", SCRIPT, include_str!("page/messages.js")),
    ("/build.js", SCRIPT, include_str!(concat!(env!("OUT_DIR"), "/build.js"))),
    (HOUGH_WORKER, SCRIPT, include_str!("page/hough.js")),
];

/// The file at this path; `None` if the page has no such file.
pub(crate) fn file(path: &str) -> Option<Answer> {
    let (media_type, content) = match path {
        "/hough.wasm" if !HOUGH.is_empty() => (MODULE, HOUGH),
        _ => {
            let (_, media_type, content) = FILES.into_iter().find(|(known, ..)| *known == path)?;
            (media_type, content.as_bytes())
        }
    };
    let headers = if path == HOUGH_WORKER { HOUGH_HEADERS } else { HEADERS };
    Some(Answer { status: Status::Ok, media_type, headers, content: content.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maximum number of bytes of the whole page. WebAssembly is loaded only by whoever chooses it.
    const MOST: usize = 150_000;

    #[test]
    fn the_page_is_small_and_names_no_other_site() {
        assert!(FILES.iter().map(|(.., content)| content.len()).sum::<usize>() < MOST);
        for (path, _, content) in FILES {
            // The name of a namespace is no address.
            let content = content.replace("http://www.w3.org/2000/svg", "");
            assert!(!content.contains("http://") && !content.contains("https://"), "{path} names another site");
        }
    }

    #[test]
    fn the_policy_allows_nothing_unsafe_and_every_imported_file_is_there() {
        for headers in [HEADERS, HOUGH_HEADERS] {
            assert!(headers.ends_with("\r\n") && !headers.contains("  ") && headers.is_ascii(), "{headers}");
        }
        assert!(!HEADERS.contains("unsafe"));
        assert!(HOUGH_HEADERS.contains("script-src 'wasm-unsafe-eval';"), "and no script, not even ours");
        let others = FILES.iter().filter(|(path, ..)| *path != HOUGH_WORKER);
        assert!(others.into_iter().all(|(path, ..)| file(path).is_some_and(|file| file.headers == HEADERS)));
        for (path, _, content) in FILES {
            let unsafe_words =
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"];
            let inline = ["onclick=", "onload=", "onerror=", "<style", "style=\"", "<script>"];
            for forbidden in unsafe_words.into_iter().chain(inline) {
                assert!(!content.contains(forbidden), "{path} uses {forbidden}");
            }
            for import in content.split(" from \"./").skip(1) {
                let name = import.split('"').next().unwrap_or_default();
                assert!(file(&format!("/{name}")).is_some(), "{path} imports {name}");
            }
        }
        assert_eq!(file("/nothing.js"), None);
    }
}
