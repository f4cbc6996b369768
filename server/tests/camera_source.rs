//! Cameras as a source, tested without a camera: anything else is refused by name before the server listens.
//! `bench/vivid.sh` tests real devices in a virtual machine.
#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use testkit::program::{Program, command, command_after};

#[track_caller]
fn refused(options: &[&str], words: &[&str]) {
    let mut server = command("server");
    server.args(["--no-graphics"]).args(options);
    words.iter().fold(Program::start(server).end().expect(2), |ended, words| ended.says(words));
}

#[track_caller]
fn source(source: &str, words: &[&str]) {
    refused(&["--source", source], words);
}

#[test]
fn a_camera_without_a_number_is_refused_and_the_error_says_what_is_valid() {
    for wrong in ["camera", "camera:", "camera:x", "camera:-1", "camera:1.5"] {
        source(wrong, &[&format!("--source \"{wrong}\" names no camera: write camera:0")]);
    }
}

#[test]
fn a_camera_that_does_not_exist_is_refused_with_the_existing_cameras() {
    let there = fs::read_dir("/dev").expect("devices").flatten();
    let has_some = there.into_iter().any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"video"));
    let there = if has_some { "there are /dev/video" } else { "this machine has no /dev/video*" };
    source("camera:4711", &["/dev/video4711 does not exist", there, "docker run --device /dev/video4711"]);
    source("/dev/video4711", &["/dev/video4711 does not exist"]);
    source("/dev/v4l/by-id/none", &["/dev/v4l/by-id/none does not exist"]);
}

#[test]
fn a_device_of_another_kind_is_refused_without_being_opened() {
    source("/dev/null", &["/dev/null is a device of another kind, not a video device"]);
    source("/dev/video4711/x", &["/dev/video4711/x does not exist"]);
}

/// Only root can make a path under /dev that leads to a file.
#[test]
fn the_error_for_a_file_in_place_of_a_device_says_that_it_is_a_file() {
    let (folder, link) = (tempfile::tempdir().expect("a folder"), "/dev/video-of-a-test");
    let file = folder.path().join("file");
    fs::write(&file, "no device").expect("written");
    if symlink(&file, link).is_err() {
        eprintln!("not tested: this user may not write to /dev");
        return;
    }
    let _removed_at_the_end = Link(link);
    source(link, &["is a file, not a video device"]);
}

/// Removes a link when it is dropped, even if the test fails.
struct Link(&'static str);

impl Drop for Link {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}

/// Root may open every device, so the test runs the server as another user (`setpriv`).
#[test]
fn a_device_that_may_not_be_opened_is_refused_with_the_group_to_join() {
    let folder = tempfile::tempdir().expect("a folder");
    // The number belongs to no existing device: opening fails before the driver is asked.
    let device = folder.path().join("video0");
    let made = Command::new("mknod").args(["-m", "000"]).arg(&device).args(["c", "81", "254"]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("not tested: this user may not make a device (mknod), which needs root");
        return;
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("permissions");
    let as_nobody = |line: &str| {
        let line = format!("exec setpriv --reuid=65534 --regid=65534 --clear-groups {line}");
        command_after(&line, "server")
    };
    if !as_nobody("test -x \"$0\"").status().is_ok_and(|status| status.success()) {
        eprintln!("not tested: there is no setpriv, or a user other than root cannot reach the programs");
        return;
    }
    let mut server = as_nobody("\"$0\" \"$@\"");
    server.args(["--no-graphics", "--source"]).arg(&device);
    let ended = Program::start(server).end().expect(2);
    ended.says("permission to open").says("join the group video").says("--device").says("--group-add $(stat -c %g ");
}

#[test]
fn options_that_do_not_go_with_a_camera_are_refused_before_it_is_opened() {
    let camera = |options: &[&str], words: &str| refused(&[&["--source", "camera:4711"], options].concat(), &[words]);
    camera(&["--loop"], "--loop does not apply to --source camera:4711, which has no end");
    camera(&["--noise", "3"], "--noise does not apply to --source camera:4711");
    camera(&["--device-format", "GREYS"], "\"GREYS\" is none of the formats that are read from cameras: GREY, NV12");
    camera(&["--task", "circle", "--truth", "none.csv"], "/dev/video4711 does not exist");
    refused(&["--device-format", "GREY"], &["--device-format is for cameras only, such as --source camera:0"]);
    refused(&["--source", "depth", "--device-format", "Z16"], &["--device-format is for cameras only"]);
}
