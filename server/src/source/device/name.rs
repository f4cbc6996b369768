//! What `--source` names as a camera.

use std::path::{Path, PathBuf};

use shared::text::Brief;

use super::error::DeviceError;

/// How much of the written text to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// Where Linux keeps the devices.
const DEVICES: [&str; 2] = ["/dev/video", "/dev/v4l/"];

/// Whether the text means a camera: `camera:…`, or the path of a device.
pub(in crate::source) fn is_meant(text: &str) -> bool {
    text == "camera" || text.starts_with("camera:") || DEVICES.iter().any(|start| text.starts_with(start)) || {
        is_character_device(Path::new(text))
    }
}

/// The path of the camera that the text means.
///
/// # Errors
/// [`DeviceError::Name`] if what follows `camera:` is not a number.
pub(super) fn path(text: &str) -> Result<PathBuf, DeviceError> {
    let number = match text.strip_prefix("camera:") {
        Some(number) => number,
        None if text == "camera" => "",
        None => return Ok(text.into()),
    };
    // `parse` alone would take "+1".
    match number.parse::<u16>() {
        Ok(number) if !text.contains('+') => Ok(format!("/dev/video{number}").into()),
        _ => Err(DeviceError::Name { got: Brief(text, SHOWN_CHARACTERS).to_string() }),
    }
}

#[cfg(unix)]
fn is_character_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|about| about.file_type().is_char_device())
}

#[cfg(not(unix))]
fn is_character_device(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_path_name_a_camera() {
        for (text, named) in [
            ("camera:0", "/dev/video0"),
            ("camera:12", "/dev/video12"),
            ("/dev/video3", "/dev/video3"),
            ("/dev/null", "/dev/null"),
            ("/dev/v4l/by-id/usb-cam-index0", "/dev/v4l/by-id/usb-cam-index0"),
        ] {
            assert!(is_meant(text), "{text}");
            assert_eq!(path(text).unwrap(), Path::new(named));
        }
        assert!(["ball", "cameras", "camera.mp4", "video0", "/dev", ""].iter().all(|text| !is_meant(text)));
    }

    #[test]
    fn a_camera_without_a_number_is_refused_and_the_error_says_what_is_valid() {
        for text in
            ["camera", "camera:", "camera:x", "camera:-1", "camera:+1", "camera:1.5", "camera:70000", "camera:0 "]
        {
            assert!(is_meant(text), "{text}");
            let refused = path(text).unwrap_err().to_string();
            assert!(refused.contains(text) && refused.contains("camera:0"), "{refused}");
        }
    }
}
