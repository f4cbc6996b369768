//! What a peer says, as it may be kept and passed on: cut, and without what moves a cursor.

/// What a peer said wrong, at most: two lines of a terminal.
pub const QUOTED: usize = 200;

/// The first `most` characters of a text, control and format characters escaped; `..` stands for the rest.
pub fn quoted(text: &str, most: usize) -> String {
    let mut quoted = String::new();
    let mut left = most;
    for character in text.chars() {
        let shown = escaped(character);
        let length = shown.chars().count();
        if length > left {
            quoted.push_str("..");
            break;
        }
        left -= length;
        quoted.push_str(&shown);
    }
    quoted
}

fn escaped(character: char) -> String {
    match character {
        '"' | '\'' | '\\' => character.into(),
        _ => character.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_after_it_is_escaped() {
        assert_eq!(quoted("GET / HTTP/1.1", 60), "GET / HTTP/1.1");
        assert_eq!(quoted("say \"hello\" to C:\\", 60), "say \"hello\" to C:\\");
        assert_eq!(quoted("a\u{1b}[2J\u{202e}b", 60), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(quoted(&"\u{7f}".repeat(64 << 10), 20), "\\u{7f}\\u{7f}\\u{7f}..");
        assert_eq!(quoted("täglich", 3), "täg..");
    }
}
