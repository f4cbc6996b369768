//! The files of the page, which are part of the program.

use shared::door::http::{Answer, Status};

/// What the page may do: load its own files, connect to its own server, and run the pipeline that its reader typed in a
/// worker. The style of an element is set by script only, which this policy allows.
const HEADERS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                       img-src 'self' data:; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
                       Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
                       Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\nX-Frame-Options: DENY\r\n";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, media type and content of each file.
const FILES: [(&str, &str, &str); 9] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page.css", CSS, include_str!("page/page.css")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/dashboard.js", SCRIPT, include_str!("page/dashboard.js")),
    ("/charts.js", SCRIPT, include_str!("page/charts.js")),
    ("/pipeline.js", SCRIPT, include_str!("page/pipeline.js")),
    ("/client.js", SCRIPT, include_str!("page/client.js")),
    ("/lz4.js", SCRIPT, include_str!("page/lz4.js")),
    ("/messages.js", SCRIPT, include_str!("page/messages.js")),
];

/// The file at this path; `None` if the page has no such file.
pub(crate) fn file(path: &str) -> Option<Answer> {
    let (_, media_type, content) = FILES.into_iter().find(|(known, ..)| *known == path)?;
    Some(Answer { status: Status::Ok, media_type, headers: HEADERS, content: content.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maximum number of bytes of the whole page.
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
        assert!(!HEADERS.contains("unsafe") && HEADERS.ends_with("\r\n") && !HEADERS.contains("  "));
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
