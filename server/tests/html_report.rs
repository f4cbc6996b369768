//! `report.html` of a run's folder, in headless Chromium: every chart is there and shows something, the console stays
//! empty, and nothing is loaded.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::browser::{self, Look, Page};
use testkit::ends::Server;
use testkit::folder::{Folder, unpaced};

/// Maximum number of bytes of a page.
const MOST_BYTES: u64 = 1_000_000;

/// The page of a run.
fn page_of(folder: &Folder) -> PathBuf {
    folder.path.join("report.html")
}

/// A whole run in one process, with its folder.
fn run(options: &[&str]) -> Folder {
    let folder = Folder::new();
    unpaced(&[&["--seed", "7", "--out", folder.name()], options].concat()).expect(0);
    folder
}

/// The name of each chart and the extent of what it shows; 0 for a chart with nothing to show.
const CHARTS: &str = "return [...document.querySelectorAll('[data-chart]')].map(chart => {
    const box = chart.querySelector('.data')?.getBBox();
    return [chart.dataset.chart, box ? box.width + box.height : 0]; })";

/// What is wrong with the page in general.
const WRONG: &str = "const wrong = [];
    if (document.documentElement.scrollWidth > innerWidth) wrong.push('wider than the window: ' + document.documentElement.scrollWidth);
    const foreign = performance.getEntriesByType('resource').filter(it => !it.name.startsWith('data:'));
    if (foreign.length) wrong.push('loads ' + foreign.map(it => it.name));
    if (document.querySelector('script, iframe, link[href^=http]')) wrong.push('more than styles and pictures');
    // Without the pictures: base64 spells NaN by chance.
    const written = document.body.innerHTML.replace(/data:[^\"]*/g, '');
    if (/NaN|Infinity|undefined/.test(written)) wrong.push('not a number');
    if ([...document.querySelectorAll('svg image')].some(it => !it.getBBox().width)) wrong.push('an empty picture');
    return wrong";

/// Opens the page and asserts that it has exactly these charts, none of them empty, at the width of a phone and of a
/// desk, in light and dark.
#[track_caller]
fn assert_page(file: &Path, expected: &[&str]) -> Page {
    assert!(fs::metadata(file).expect("a page").len() < MOST_BYTES);
    let page = Page::open(file);
    for (width, dark) in [(400, false), (1200, true)] {
        page.show(Look { width, dark });
        assert_eq!(page.run(WRONG), serde_json::json!([]), "{width} px");
        let charts = page.run(CHARTS);
        let charts = charts.as_array().expect("charts");
        let names: Vec<_> = charts.iter().map(|chart| chart[0].as_str().expect("a name")).collect();
        assert_eq!(names, expected);
        for chart in charts {
            assert!(chart[1].as_f64().is_some_and(|reach| reach > 20.0), "{chart} is empty");
        }
    }
    assert_printable(&page);
    let console = page.console();
    assert!(console.is_empty(), "{console:#?}");
    page
}

/// Asserts that a printed page is dark on white and shows all that the screen shows, and more: `run.toml` is unfolded.
#[track_caller]
fn assert_printable(page: &Page) {
    page.show_printed();
    assert_eq!(page.run(WRONG), serde_json::json!([]), "printed");
    let colours = "const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]";
    assert_eq!(page.run(colours), serde_json::json!(["rgb(255, 255, 255)", "rgb(27, 35, 48)"]));
    let hidden = "return [...document.querySelectorAll('[data-chart], .bad, pre')].filter(it => !it.getBoundingClientRect().height).length";
    assert_eq!(page.run(hidden), 0, "nothing is hidden");
    assert!(page.printed().starts_with("JVBERi0"), "a PDF");
    page.show(Look { width: 1200, dark: false });
}

/// What a selector finds, as text.
fn text(page: &Page, selector: &str) -> String {
    let found =
        page.run(&format!("return [...document.querySelectorAll({selector:?})].map(it => it.textContent).join('\\n')"));
    found.as_str().expect("text").to_owned()
}

const OF_LATENCY: [&str; 5] = ["latency-time", "latency-stages", "latency-slowest", "latency-cdf", "losses"];

const OF_ERRORS: [&str; 8] = [
    "residual-time",
    "scatter",
    "residual-histogram",
    "residual-cdf",
    "residual-image",
    "residual-radius",
    "residual-speed",
    "residual-contrast",
];

#[test]
fn a_run_of_circles_has_every_chart_and_its_worst_frames() {
    if !browser::is_there() {
        return;
    }
    let gates = ["--gate", "error_px.l1.mean <= 0.5", "--gate", "frames.lost == 0"];
    let options =
        ["--frames", "240", "--noise", "10", "--radius", "10..30", "--empty-rate", "0.1", "--size", "320x240"];
    let folder = run(&[&options[..], &gates].concat());
    let page = assert_page(&page_of(&folder), &[&OF_ERRORS[..], &OF_LATENCY].concat());
    assert_eq!(page.run("return document.querySelectorAll('.bad svg image').length"), 12);
    assert_eq!(page.run("return document.querySelectorAll('.bad svg .truth').length"), 24, "circle and centre");
    assert_eq!(text(&page, ".verdict"), "Pass 2 of 2 gates pass.");
    assert_eq!(page.run("return document.querySelector('main').children[1].querySelector('h2').textContent"), "Gates");
    // Truth lies in each picture.
    let inside = "return [...document.querySelectorAll('.bad svg')].every(svg => {
        const box = svg.viewBox.baseVal, centre = svg.querySelector('circle.truth, circle.estimate');
        const x = centre.cx.baseVal.value, y = centre.cy.baseVal.value;
        return x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height && box.width <= 128; })";
    assert_eq!(page.run(inside), true);
}

#[test]
fn counts_images_and_acknowledgements_have_charts_of_their_own() {
    if !browser::is_there() {
        return;
    }
    let always = ["--frames", "60", "--size", "160x120"];
    let of = |own: &[&'static str]| [own, &OF_LATENCY].concat();
    let counts = run(&[&always[..], &["--task", "count", "--balls", "0..4"]].concat());
    assert_page(&page_of(&counts), &of(&["confusion", "count-errors", "residual-time"]));
    let images = run(&[&always[..], &["--task", "image", "--noise", "3"]].concat());
    assert_page(&page_of(&images), &of(&["matches", "psnr-time", "psnr-cdf"]));
    let acks = run(&[&always[..], &["--task", "ack"]].concat());
    assert_page(&page_of(&acks), &of(&["codes"]));
    let depth = run(&["--frames", "60", "--source", "depth", "--depth-noise", "3", "--size", "256x212"]);
    let page = assert_page(&page_of(&depth), &[&OF_ERRORS[..], &OF_LATENCY].concat());
    assert!(!text(&page, "[data-chart=residual-time]").contains("limit"), "no limit is known");
}

#[test]
fn pictures_of_files_are_kept_and_have_no_truth() {
    if !browser::is_there() {
        return;
    }
    let files = tempfile::tempdir().expect("a temporary directory");
    for name in ["1.pgm", "2.pgm", "3.pgm"] {
        let mut pixels = b"P5 64 48 255\n".to_vec();
        // A disc, around which the client draws a circle: the picture that comes back differs.
        let is_inside = |place: u32| (place % 64).abs_diff(32).pow(2) + (place / 64).abs_diff(24).pow(2) < 12 * 12;
        pixels.extend((0..64 * 48).map(|place| if is_inside(place) { 200 } else { 50 }));
        fs::write(files.path().join(name), pixels).expect("written");
    }
    let source = files.path().to_str().expect("UTF-8");
    let folder = run(&["--source", source, "--task", "image", "--frames", "3"]);
    let page = assert_page(&page_of(&folder), &[&["matches", "psnr-time", "psnr-cdf"][..], &OF_LATENCY].concat());
    assert_eq!(page.run("return document.querySelectorAll('.bad svg image').length"), 3);
}

#[test]
fn the_page_of_a_run_that_broke_off_says_so() {
    if !browser::is_there() {
        return;
    }
    let folder = Folder::new();
    folder.broken_off(&["--fps", "100", "--noise", "4", "--size", "160x120"], 60);
    assert!(!page_of(&folder).exists(), "the page is made at the end");
    folder.renew().expect(0);
    let page = assert_page(&page_of(&folder), &[&OF_ERRORS[..], &OF_LATENCY].concat());
    assert!(text(&page, ".incomplete").starts_with("Incomplete The run broke off."), "{}", text(&page, ".verdict"));
    assert!(text(&page, "section .sub").contains("broken off"));
}

#[test]
fn a_complete_run_gets_the_same_page_again() {
    let folder = run(&["--frames", "50", "--size", "160x120", "--noise", "4", "--warmup", "5"]);
    let before = fs::read_to_string(page_of(&folder)).expect("a page");
    fs::remove_file(page_of(&folder)).expect("removed");
    folder.renew().expect(0);
    assert!(fs::read_to_string(page_of(&folder)).expect("a page") == before, "it differs");
}

#[test]
fn a_run_without_a_session_or_without_a_frame_has_a_page_that_says_so() {
    if !browser::is_there() {
        return;
    }
    let folder = Folder::new();
    let gate = ["--once", "--gate", "frames.lost == 0", "--out", folder.name()];
    Server::start(&[&gate[..], &["--wait", "300ms"]].concat()).end().expect(1);
    let page = assert_page(&page_of(&folder), &[]);
    assert!(text(&page, ".verdict").starts_with("No data"), "{}", text(&page, ".verdict"));
    assert!(text(&page, ".nothing").contains("there was no session"));
    drop(page);
    // All frames are of the warm-up.
    let folder = Folder::new();
    let server = Server::start(&["--once", "--fps", "20", "--warmup", "1000", "--out", folder.name()]);
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(2);
    client.signal("INT");
    client.end().expect(0);
    let _ = server.end();
    let page = assert_page(&page_of(&folder), &[]);
    assert!(text(&page, ".nothing").contains("No frame of this session counts"));
}

#[test]
fn markup_in_names_is_shown_as_text() {
    if !browser::is_there() {
        return;
    }
    let files = tempfile::tempdir().expect("a temporary directory");
    let odd = files.path().join("<script>alert(1)<'&\">");
    fs::create_dir(&odd).expect("made");
    let mut pixels = b"P5 64 48 255\n".to_vec();
    pixels.resize(pixels.len() + 64 * 48, 7);
    for name in ["1.pgm", "2.pgm", "3.pgm"] {
        fs::write(odd.join(name), &pixels).expect("written");
    }
    let source = odd.to_str().expect("UTF-8");
    let folder = run(&["--source", source, "--frames", "3", "--meta", "name=</pre><img src=x onerror=alert(1)>"]);
    let page = assert_page(&page_of(&folder), &[&["codes"][..], &OF_LATENCY].concat());
    assert!(text(&page, "h1").contains("<script>alert(1)<'&\">"), "{}", text(&page, "h1"));
    assert_eq!(page.run("return document.querySelectorAll('img').length"), 0);
    assert!(text(&page, "pre").contains("<img src=x"), "{}", text(&page, "pre"));
}

#[test]
fn several_sessions_are_on_one_page() {
    if !browser::is_there() {
        return;
    }
    let folder = Folder::new();
    let mut server = Server::start(&["--frames", "20", "--fps", "max", "--size", "160x120", "--out", folder.name()]);
    server.client(&[]).end().expect(0);
    server.client(&[]).end().expect(0);
    server.program.signal("INT");
    let _ = server.end();
    let page = assert_page(&page_of(&folder), &[&OF_ERRORS[..], &OF_LATENCY, &OF_ERRORS, &OF_LATENCY].concat());
    assert_eq!(
        page.run("return [...document.querySelectorAll('[data-session]')].map(it => it.dataset.session)"),
        serde_json::json!(["1", "2"])
    );
}
