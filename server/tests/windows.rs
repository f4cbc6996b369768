//! Both windows on a virtual display: what they show, and how they close.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

use embedded_graphics::pixelcolor::RgbColor;
use server::camera::{BGR_INK, GRAY_INK};
use shared::canvas::layout::Layout;
use shared::canvas::theme;
use shared::geometry::Size;
use testkit::ends::{Server, with};
use testkit::picture_client::{self, INVERTING};
use testkit::program::{LIMIT, Program, command, poll};
use testkit::report::{ReportFile, only_session, rows};

/// Size of the screen, with room for two windows side by side.
const SCREEN: (usize, usize) = (2400, 1000);
/// Position of the client's window, in px from the left.
const CLIENT_LEFT: usize = 1200;

/// The frame size that windows open for, unless they are told another one.
const FRAME: Size = Size { width: 640, height: 480 };

/// A virtual display.
struct Display {
    xvfb: Program,
    name: String,
    size: (usize, usize),
}

impl Display {
    fn open() -> Self {
        Self::of(SCREEN)
    }

    fn of(size: (usize, usize)) -> Self {
        for (tool, package) in [("Xvfb", "xvfb"), ("xdotool", "xdotool"), ("import", "imagemagick")] {
            let found = Command::new("which").arg(tool).output().is_ok_and(|which| which.status.success());
            assert!(found, "these tests need {tool}: apt-get install xvfb xdotool imagemagick ({package} is missing)");
        }
        let (width, height) = size;
        let mut xvfb = Command::new("Xvfb");
        // Without -noreset, the display restarts when its last window closes, and refuses connections meanwhile.
        xvfb.args(["-displayfd", "1", "-noreset", "-nolisten", "tcp", "-screen", "0", &format!("{width}x{height}x24")]);
        let xvfb = Program::start(xvfb);
        let name = format!(":{}", xvfb.stdout.wait_for("").trim());
        Self { xvfb, name, size }
    }

    fn server(&self, options: &[&str]) -> Server {
        let mut server = with(command("server"), options);
        server.env("DISPLAY", &self.name);
        Server::listening(Program::start(server))
    }

    fn client(&self, address: &str) -> Program {
        self.commanded(address, &[])
    }

    fn commanded(&self, address: &str, options: &[&str]) -> Program {
        let mut client = command("client");
        client.arg(address).args(options).env("DISPLAY", &self.name);
        Program::start(client)
    }

    /// Finds the window with this title and moves it this far from the left.
    fn window(&self, title: &str, left: usize) -> Window<'_> {
        let found = poll(|| self.xdotool(&["search", "--name", title]).lines().last()?.parse().ok());
        let window = Window { display: self, id: found.unwrap_or_else(|| panic!("no window \"{title}\"")) };
        self.xdotool(&["windowmove", &window.id.to_string(), &left.to_string(), "0"]);
        window
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let done = Command::new("xdotool").args(arguments).env("DISPLAY", &self.name).output().expect("xdotool");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    fn shot(&self) -> Shot {
        let arguments = ["-silent", "-window", "root", "-depth", "8", "rgb:-"];
        let done = Command::new("import").args(arguments).env("DISPLAY", &self.name).output().expect("import");
        assert_eq!(done.stdout.len(), 3 * self.size.0 * self.size.1, "{}", String::from_utf8_lossy(&done.stderr));
        Shot { pixels: done.stdout, screen: self.size, window: self.opened() }
    }

    /// The size with which windows open.
    fn opened(&self) -> Size {
        Layout::opening(FRAME, Size { width: self.size.0 as u32, height: self.size.1 as u32 }).size
    }

    /// Waits until the screen is as expected. If that takes too long, panics with the difference.
    fn shows(&self, right: impl Fn(&Shot) -> Result<(), String>) {
        let mut missing = String::new();
        let seen = poll(|| right(&self.shot()).map_err(|what| missing = what).ok());
        assert!(seen.is_some(), "not within {LIMIT:?}: {missing}");
    }
}

/// A window, by its id.
struct Window<'a> {
    display: &'a Display,
    id: u32,
}

impl Window<'_> {
    /// The window's width and height.
    fn size(&self) -> (u32, u32) {
        let geometry = self.display.xdotool(&["getwindowgeometry", "--shell", &self.id.to_string()]);
        let side =
            |name: &str| geometry.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).expect("a side");
        (side("WIDTH="), side("HEIGHT="))
    }

    /// Resizes the window, as a person does at its border.
    fn resize(&self, size: Size) {
        let (width, height) = (size.width.to_string(), size.height.to_string());
        self.display.xdotool(&["windowsize", "--sync", &self.id.to_string(), &width, &height]);
    }

    /// Presses a key and releases it at once.
    fn tap(&self, key: &str) {
        self.display.xdotool(&["windowfocus", "--sync", &self.id.to_string()]);
        self.display.xdotool(&["key", key]);
    }

    /// Presses a key and holds it until `program` has ended.
    fn press(&self, key: &str, program: &mut Program) {
        self.display.xdotool(&["windowfocus", "--sync", &self.id.to_string()]);
        self.display.xdotool(&["keydown", key]);
        poll(|| (!program.is_running()).then_some(()));
        self.display.xdotool(&["keyup", key]);
    }

    /// Asks the window to close, as a window manager does (ICCCM, section 4.2.8.1).
    fn close(&self) {
        let path = format!("/tmp/.X11-unix/X{}", &self.display.name[1..]);
        let mut x = UnixStream::connect(path).expect("the display's socket");
        x.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]).expect("setup");
        let mut head = [0; 8];
        x.read_exact(&mut head).expect("setup");
        assert_eq!(head[0], 1, "the display refuses a connection");
        let rest = 4 * usize::from(u16::from_le_bytes([head[6], head[7]]));
        x.read_exact(&mut vec![0; rest]).expect("setup");
        let [protocols, delete] = ["WM_PROTOCOLS", "WM_DELETE_WINDOW"].map(|name| atom(&mut x, name));
        let send_event = [[25, 0, 11, 0], self.id.to_le_bytes(), [0; 4]];
        let client_message = [[33, 32, 0, 0], self.id.to_le_bytes(), protocols, delete];
        let request = [send_event.as_flattened(), client_message.as_flattened(), &[0; 16]].concat();
        x.write_all(&request).expect("sent");
        // The answer to a later request shows that this one was accepted.
        atom(&mut x, "WM_PROTOCOLS");
    }
}

/// Returns the number of a name (X11 protocol, InternAtom).
fn atom(x: &mut UnixStream, name: &str) -> [u8; 4] {
    let length = name.len() as u8;
    let padded = name.len().next_multiple_of(4);
    let mut request = vec![16, 0, 2 + (padded / 4) as u8, 0, length, 0, 0, 0];
    request.extend(name.as_bytes());
    request.resize(8 + padded, 0);
    x.write_all(&request).expect("sent");
    let mut reply = [0; 32];
    x.read_exact(&mut reply).expect("a reply");
    [reply[8], reply[9], reply[10], reply[11]]
}

/// A picture of the screen.
struct Shot {
    pixels: Vec<u8>,
    screen: (usize, usize),
    /// The size of the windows in the picture.
    window: Size,
}

impl Shot {
    /// How many pixels of the frame's picture have this colour, and their mean position in px of the frame.
    fn in_picture(&self, frame: Size, left: usize, colour: [u8; 3]) -> (usize, f64, f64) {
        let placement = Layout::filling(frame, self.window).picture;
        let area = placement.area(frame);
        let (mut count, mut x, mut y) = (0, 0.0, 0.0);
        for row in 0..area.size.height as usize {
            for column in 0..area.size.width as usize {
                let at = (row + area.top_left.y as usize) * self.screen.0 + column + area.top_left.x as usize + left;
                if self.pixels[3 * at..3 * at + 3] == colour {
                    count += 1;
                    x += column as f64;
                    y += row as f64;
                }
            }
        }
        let to_frame = |sum: f64| (sum / count as f64 + 0.5) / placement.scale.factor() - 0.5;
        (count, to_frame(x), to_frame(y))
    }

    /// Whether the ball is in the window's picture and each mark lies on it.
    fn shows_ball_with(&self, frame: Size, left: usize, ball: [u8; 3], marks: &[[u8; 3]]) -> Result<(), String> {
        let (pixels, x, y) = self.in_picture(frame, left, ball);
        if pixels < 400 {
            return Err(format!("{pixels} pixels of the ball"));
        }
        for mark in marks {
            let (pixels, mark_x, mark_y) = self.in_picture(frame, left, *mark);
            let off = (mark_x - x).hypot(mark_y - y);
            // Marks cover the ball and each other unevenly. A mark beside the ball would be 20 px away.
            if pixels < 20 || off.is_nan() || off > 4.0 {
                return Err(format!("{pixels} pixels of mark {mark:02x?}, {off} px off the ball's centre"));
            }
        }
        Ok(())
    }
}

fn gray_ball() -> [u8; 3] {
    [GRAY_INK.disc[0]; 3]
}

fn colour_ball() -> [u8; 3] {
    let [blue, green, red] = BGR_INK.disc;
    [red, green, blue]
}

fn truth() -> [u8; 3] {
    rgb(theme::TRUTH)
}

fn estimate() -> [u8; 3] {
    rgb(theme::ESTIMATE)
}

fn rgb(colour: impl RgbColor) -> [u8; 3] {
    [colour.r(), colour.g(), colour.b()]
}

#[test]
fn both_windows_show_the_ball_and_their_marks_and_q_closes_them() {
    let display = Display::open();
    let frame = Size { width: 640, height: 480 };
    let mut server = display.server(&["--once"]);
    let client = display.client(&server.address);
    let window = display.window("Plumb server", 0);
    display.window("Plumb client", CLIENT_LEFT);
    display.shows(|shot| shot.shows_ball_with(frame, 0, gray_ball(), &[truth(), estimate()]));
    display.shows(|shot| shot.shows_ball_with(frame, CLIENT_LEFT, gray_ball(), &[estimate()]));
    let (leaked, ..) = display.shot().in_picture(frame, CLIENT_LEFT, truth());
    assert_eq!(leaked, 0, "the client does not know the truth");
    window.press("q", &mut server.program);
    let ended = server.end().expect(0);
    assert!(rows(&ended.stdout).is_empty() && ended.stdout.len() > 3, "a summary, no rows: {:#?}", ended.stdout);
    client.end().expect(0).says("the server said bye: the server stops");
}

#[test]
fn a_clients_window_follows_the_size_of_the_frames_and_closes_when_asked() {
    let display = Display::open();
    let frame = Size { width: 320, height: 200 };
    let server = display.server(&["--once", "--size", "320x200", "--pixel", "bgr8", "--no-graphics"]);
    let client = display.client(&server.address);
    client.stderr.wait_for("connected");
    let shows = || {
        let window = display.window("Plumb client", CLIENT_LEFT);
        display.shot().shows_ball_with(frame, CLIENT_LEFT, colour_ball(), &[estimate()]).is_ok().then_some(window)
    };
    poll(shows).expect("the ball and its mark").close();
    client.end().expect(0);
    server.end().expect(0).says("the client left");
}

#[test]
fn windows_open_whole_on_a_small_screen() {
    let display = Display::of((800, 600));
    // Shown at half its size.
    let server = display.server(&["--once", "--radius", "60"]);
    let window = display.window("Plumb server", 0);
    let (width, height) = window.size();
    // Borders and title take some of the screen.
    assert!(width <= 784 && height <= 552, "{width}x{height}");
    let client = server.client(&[]);
    display.shows(|shot| shot.shows_ball_with(FRAME, 0, gray_ball(), &[truth(), estimate()]));
    window.close();
    server.end().expect(0);
    client.end().expect(0);
}

#[test]
fn a_picture_grows_with_its_window_and_is_shown_whole() {
    let display = Display::open();
    let frame = Size { width: 320, height: 240 };
    let server = display.server(&["--once", "--size", "320x240", "--radius", "30"]);
    let client = server.client(&[]);
    let window = display.window("Plumb server", 0);
    let large = Size { width: 1800, height: 1000 };
    let shot_of = |size| Shot { window: size, ..display.shot() };
    for (size, times) in [(large, 3.0), (display.opened(), 2.0)] {
        window.resize(size);
        assert_eq!(Layout::filling(frame, size).picture.scale.factor(), times);
        poll(|| shot_of(size).shows_ball_with(frame, 0, gray_ball(), &[truth(), estimate()]).ok())
            .unwrap_or_else(|| panic!("no ball {times} times as large"));
        // Torn pictures have parts of two balls, or marks beside theirs. Xlib sends a picture of this size in parts of
        // 256 KiB, and a busy machine may take a shot between two of them: but not most of the shots.
        let shots = (0..9).map(|_| shot_of(size).shows_ball_with(frame, 0, gray_ball(), &[truth(), estimate()]));
        let torn: Vec<_> = shots.filter_map(Result::err).collect();
        assert!(torn.len() <= 4, "of nine pictures, these are not of one moment: {torn:#?}");
    }
    window.close();
    server.end().expect(0);
    client.end().expect(0);
}

#[test]
fn the_servers_window_shows_the_frame_and_the_picture_that_came_back_side_by_side() {
    let display = Display::open();
    let both = Size { width: 640, height: 240 };
    let options = ["--once", "--task", "image", "--size", "320x240", "--radius", "30", "--frames", "600"];
    let server = display.server(&options);
    let window = display.window("Plumb server", 0);
    let address = server.address.parse().expect("an address");
    let client = std::thread::spawn(move || picture_client::run(address, &INVERTING));
    let opened = Layout::opening(both, Size { width: SCREEN.0 as u32, height: SCREEN.1 as u32 }).size;
    let [ball] = GRAY_INK.disc;
    display.shows(|shot| {
        let shot = Shot { window: opened, pixels: shot.pixels.clone(), ..*shot };
        let [(sent, x, y), (back, back_x, back_y)] = [ball, !ball].map(|level| shot.in_picture(both, 0, [level; 3]));
        let beside = (back_x - x - 320.0).hypot(back_y - y);
        match sent > 400 && back > 400 && beside < 4.0 {
            true => Ok(()),
            false => Err(format!("{sent} pixels of the ball, {back} of the picture's, {beside} px from beside it")),
        }
    });
    window.close();
    server.end().expect(0);
    client.join().expect("the client ends");
}

#[test]
fn in_the_clients_window_n_asks_for_a_frame_and_x_ends_both() {
    let display = Display::open();
    let server = display.server(&["--no-graphics", "--let-clients-stop"]);
    let mut client = display.commanded(&server.address, &["--pull"]);
    let window = display.window("Plumb client", CLIENT_LEFT);
    client.stderr.wait_for("connected to");
    for frames in 1..=3 {
        window.tap("n");
        server.program.stdout.wait_for_count(frames);
        poll(|| (rows(&server.program.stdout.so_far()).len() == frames).then_some(())).expect("one frame for each n");
    }
    window.tap("x");
    poll(|| (!client.is_running()).then_some(())).expect("the client ends");
    client.end().expect(0);
    server.end().expect(0);
}

#[test]
fn a_window_that_waits_closes_too() {
    let display = Display::open();
    let server = display.server(&[]);
    display.window("Plumb server", 0).close();
    server.end().expect(0);
    let mut client = display.client(&testkit::ends::free_address().to_string());
    display.window("Plumb client", CLIENT_LEFT).press("Escape", &mut client);
    // It waited for one session, and no client came.
    client.end().expect(3);
}

#[test]
fn a_signal_closes_a_window_in_order() {
    let display = Display::open();
    let mut server = display.server(&[]);
    let mut client = display.client(&server.address);
    client.stderr.wait_for("connected");
    client.signal("INT");
    client.end().expect(0);
    let client = display.client(&server.address);
    let frame = Size { width: 640, height: 480 };
    display.window("Plumb client", CLIENT_LEFT);
    display.shows(|shot| shot.shows_ball_with(frame, CLIENT_LEFT, gray_ball(), &[estimate()]));
    // Wait until both ends are ready. A client hears no bye if the server is still opening the link.
    server.program.stderr.wait_for("session 2: plumb-client");
    server.program.signal("TERM");
    server.end().expect(0);
    client.end().expect(0).says("the server stops");
}

#[test]
fn when_the_display_dies_the_run_goes_on_without_windows_and_is_complete() {
    let report = ReportFile::new();
    let mut display = Display::open();
    // Both windows are there long before the end, on a busy machine too.
    let server = display.server(&["--once", "--frames", "600", "--json", report.name()]);
    let client = display.client(&server.address);
    display.window("Plumb server", 0);
    display.window("Plumb client", CLIENT_LEFT);
    display.xvfb.signal("KILL");
    let gone = "the display is gone: the run goes on without a window";
    client.end().expect(0).says(gone);
    server.end().expect(0).says(gone);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 600);
}

#[test]
fn without_a_display_there_are_rows_and_one_line_saying_why() {
    for display in [None, Some(":59999"), Some("nowhere.invalid:0"), Some("")] {
        let on = |mut command: Command| {
            display.map(|display| command.env("DISPLAY", display));
            Program::start(command)
        };
        let server = Server::listening(on(with(command("server"), &["--once", "--frames", "5"])));
        let mut client = command("client");
        client.arg(&server.address);
        for ended in [on(client).end().expect(0), server.end().expect(0)] {
            assert_eq!(rows(&ended.stdout).len(), 5, "{ended:#?}");
            let why = ended.stderr.iter().filter(|line| line.contains("rows instead of a window"));
            assert_eq!(why.count(), 1, "{ended:#?}");
            // The server also logs the address of its page.
            let others = ended.stderr.iter().filter(|line| !line.contains("for a browser on this machine"));
            assert!(others.count() <= 4, "no noise of the window system: {ended:#?}");
        }
    }
}
