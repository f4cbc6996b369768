//! The files of the page, which are part of the program.

use shared::door::http::{Answer, Status};
use shared::door::page::{CSS, HEADERS, HTML, MESSAGES, MODULE, MODULE_HEADERS, SCRIPT, SESSION, STYLE};

/// The worker of `hough`.
const HOUGH_WORKER: &str = "/hough.js";

/// The detector as WebAssembly, compressed by gzip, which the worker loads; empty in a build without it (`build.rs`).
const HOUGH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hough.wasm.gz"));

/// The headers of the detector. It is loaded by browsers alone, all of which decompress gzip.
const HOUGH_HEADERS: &str = "Content-Encoding: gzip\r\n\
     Content-Security-Policy: default-src 'none'\r\n\
     Cross-Origin-Resource-Policy: same-origin\r\n\
     Referrer-Policy: no-referrer\r\n";

/// Path, media type and content of each file that is text.
const FILES: [(&str, &str, &str); 12] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page.css", CSS, STYLE),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/dashboard.js", SCRIPT, include_str!("page/dashboard.js")),
    ("/charts.js", SCRIPT, include_str!("page/charts.js")),
    ("/pipeline.js", SCRIPT, include_str!("page/pipeline.js")),
    ("/client.js", SCRIPT, include_str!("page/client.js")),
    ("/lz4.js", SCRIPT, include_str!("page/lz4.js")),
    ("/messages.js", SCRIPT, MESSAGES),
    ("/session.js", SCRIPT, SESSION),
    ("/build.js", SCRIPT, include_str!(concat!(env!("OUT_DIR"), "/build.js"))),
    (HOUGH_WORKER, SCRIPT, include_str!("page/hough.js")),
];

/// The file at this path; `None` if the page has no such file.
pub(crate) fn file(path: &str) -> Option<Answer> {
    let (media_type, headers, content) = match path {
        "/hough.wasm" if !HOUGH.is_empty() => (MODULE, HOUGH_HEADERS, HOUGH),
        _ => {
            let (_, media_type, content) = FILES.into_iter().find(|(known, ..)| *known == path)?;
            (media_type, if path == HOUGH_WORKER { MODULE_HEADERS } else { HEADERS }, content.as_bytes())
        }
    };
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
        for headers in [HEADERS, MODULE_HEADERS, HOUGH_HEADERS] {
            assert!(headers.ends_with("\r\n") && !headers.contains("  ") && headers.is_ascii(), "{headers}");
        }
        assert!(!HEADERS.contains("unsafe"));
        assert!(MODULE_HEADERS.contains("script-src 'wasm-unsafe-eval';"), "and no script, not even ours");
        let mut others = FILES.iter().filter(|(path, ..)| *path != HOUGH_WORKER);
        assert!(others.all(|(path, ..)| file(path).is_some_and(|file| file.headers == HEADERS)));
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
