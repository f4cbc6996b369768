//! What the pages of both programs share: headers, media types, the look, the form of messages, and a session.

/// The look of every page.
pub const STYLE: &str = include_str!("page/page.css");

/// MessagePack, fragments and proofs.
pub const MESSAGES: &str = include_str!("page/messages.js");

/// A session of either role, which each page makes its own.
pub const SESSION: &str = include_str!("page/session.js");

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

/// A page may load its own files, connect to the program that it came from, and start workers: with what its reader
/// typed, or from a file of ours. Only scripts set the style of an element, which this policy allows.
pub const HEADERS: &str =
    headers!("script-src 'self'; style-src 'self'; img-src 'self' data:; worker-src 'self' blob:");

/// A worker with this policy may compile WebAssembly and load it from its own server. It is a file of ours and runs
/// nothing that anybody typed. The page and the worker of a typed pipeline have the policy above, so they may not
/// compile WebAssembly.
pub const MODULE_HEADERS: &str = headers!("script-src 'wasm-unsafe-eval'");

/// Media type.
pub const HTML: &str = "text/html; charset=utf-8";
/// Media type.
pub const CSS: &str = "text/css; charset=utf-8";
/// Media type.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Media type.
pub const MODULE: &str = "application/wasm";
