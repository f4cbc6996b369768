//! Calibrations of planted parameters: their estimates, the verdicts, and parameters that the data do not determine.

use shared::lens::correction::Target;
use shared::lens::{Distortion, Form};

use super::calibration::{Asked, calibrate};
use super::fit::Sigma;
use super::observation::Set;
use super::planted::{HOMOGRAPHY, LENS, Normal, Planted, SIGMA, SIZE, asked, bouncing, found, scattered};
use super::result::Calibration;

const K1K2: Distortion = Distortion::Brown(2);

fn lensed() -> Form {
    Form::Lensed { given: LENS, distortion: K1K2 }
}

fn with_lens(k1: f64, k2: f64) -> Vec<f64> {
    [&HOMOGRAPHY[..], &[k1, k2]].concat()
}

/// A camera in front of a plane whose middle is that of the image, with these angles.
fn pose(rx: f64, ry: f64, rz: f64) -> Vec<f64> {
    let turn = shared::lens::pose::rotation([rx, ry, rz]);
    let middle = shared::lens::matrix::times(&turn, [319.5, 239.5, 0.0]);
    vec![rx, ry, rz, -middle[0], -middle[1], 600.0 - middle[2]]
}

/// The sets of a camera, one for each pose.
pub(super) fn poses(count: usize, frames: usize, seed: u64) -> (Vec<Set>, Vec<f64>) {
    let inner = [600.0, 605.0, 322.0, 236.0, -0.28, 0.09];
    let mut truth = inner.to_vec();
    let sets = (0..count).map(|at| {
        let turn = at as f64 * 2.399_963;
        let place = pose(0.5 * turn.cos(), 0.5 * turn.sin(), 0.1 * at as f64);
        truth.extend(&place);
        let form = Form::Camera(K1K2);
        let planted = Planted { frames, ..Planted::new(form, &[&inner[..], &place].concat()) };
        let seed = 1000 * seed + at as u64;
        let mut set = planted.set_of(&scattered(seed, frames + 1), seed);
        set.name = format!("pose {}", at + 1);
        set
    });
    (sets.collect::<Vec<_>>(), truth)
}

/// Asserts that each value is within four of its standard deviations, which are below `most` if it is given.
fn assert_read_back(calibration: &Calibration, truth: &[f64]) {
    assert_eq!(calibration.parameters.len(), truth.len(), "{:?}", calibration.parameters);
    for (parameter, truth) in calibration.parameters.iter().zip(truth) {
        let (value, sigma) = (parameter.value.expect("told"), parameter.sigma.expect("a sigma"));
        assert!((value - truth).abs() <= 4.0 * sigma, "{}: {value} ± {sigma}, not {truth}", parameter.name);
        let [low, high] = [parameter.low, parameter.high].map(|end| end.expect("an end"));
        assert!(low < value && value < high && (high - low - 3.92 * sigma).abs() < 0.02 * sigma, "{parameter:?}");
    }
}

fn sigma_of(calibration: &Calibration, name: &str) -> f64 {
    let found = calibration.parameters.iter().find(|one| one.name == name).expect("a parameter");
    found.sigma.expect("a sigma")
}

#[test]
fn every_planar_model_recovers_its_planted_parameters() {
    let similarity = vec![1.003, 0.2_f64.to_radians(), 0.37, -0.21];
    let affine = vec![1.003, 0.002, 0.37, -0.004, 0.998, -0.21];
    for (name, form, values) in [
        ("offset", Form::Offset, vec![0.37, -0.21]),
        ("similarity", Form::Similarity, similarity),
        ("affine", Form::Affine, affine),
        ("homography", Form::Homography, HOMOGRAPHY.to_vec()),
        ("homography+distortion", lensed(), with_lens(-0.30, 0.10)),
    ] {
        let set = Planted::new(form, &values).set(7);
        let calibration = found(&[set], &asked(name)).calibration;
        assert_read_back(&calibration, &values);
        assert_eq!((calibration.fits, calibration.outliers, calibration.frames), (Some(true), 0, 600), "{name}");
        assert!((calibration.after.rms_px / SIGMA - 2_f64.sqrt()).abs() < 0.1, "{name}: {:?}", calibration.after);
        let held_out = calibration.cross_validation.expect("a cross-validation");
        assert!(
            held_out.held_out_rms_px < 1.05 * held_out.fitted_rms_px && held_out.halves_p > Some(1e-3),
            "{held_out:?}"
        );
        if name == "similarity" {
            // 1.6 ppm by the formula, for places spread over the whole image; those of a ball are spread a little less.
            assert!((1.2e-6..3e-6).contains(&sigma_of(&calibration, "scale")));
        }
        if name == "homography+distortion" {
            assert!(sigma_of(&calibration, "k1") < 1e-4, "{}", sigma_of(&calibration, "k1"));
        }
    }
}

#[test]
fn without_errors_the_parameters_and_the_correction_are_exact() {
    for (name, form, values) in [
        ("homography", Form::Homography, HOMOGRAPHY.to_vec()),
        ("homography+distortion", lensed(), with_lens(-0.30, 0.10)),
    ] {
        let planted = Planted { sigma: 0.0, has_covariance: false, ..Planted::new(form, &values) };
        let set = planted.set(3);
        let found = found(std::slice::from_ref(&set), &asked(name));
        for (value, truth) in found.values.iter().zip(&values) {
            assert!((value - truth).abs() < 1e-9 * truth.abs().max(1e-2), "{name}: {value}, not {truth}");
        }
        for one in &set.observations {
            let back = found.correction.apply(one.answer, None).expect("a point").centre;
            assert!((back[0] - one.truth[0]).hypot(back[1] - one.truth[1]) < 1e-6, "{name}");
        }
    }
}

#[test]
fn a_time_offset_and_a_line_time_are_recovered_together_with_an_offset() {
    let planted = Planted { times: (7_300.0, 30.0), ..Planted::new(Form::Offset, &[0.37, -0.21]) };
    let calibration = found(&[planted.set(7)], &asked("offset+time+shutter")).calibration;
    assert_read_back(&calibration, &[0.37, -0.21, 7_300.0, 30.0]);
    let planted = Planted { times: (7_300.0, 0.0), ..planted };
    let calibration = found(&[planted.set(7)], &asked("offset+time")).calibration;
    assert_read_back(&calibration, &[0.37, -0.21, 7_300.0]);
    let (value, sigma) = (calibration.parameters[2].value.expect("told"), sigma_of(&calibration, "time_offset_us"));
    assert!((value - 7_300.0).abs() <= 6.0 && (0.8..2.0).contains(&sigma), "{value} ± {sigma}");
    let planted = Planted { times: (0.0, 30.0), ..planted };
    let calibration = found(&[planted.set(7)], &asked("offset+shutter")).calibration;
    let value = calibration.parameters[2].value.expect("told");
    assert!((value - 30.0).abs() <= 0.05, "{value} us a line");
    // Ten frames behind, and a homography beside it.
    let planted = Planted { times: (166_000.0, 0.0), ..Planted::new(Form::Homography, &HOMOGRAPHY) };
    let calibration = found(&[planted.set(7)], &asked("homography+time")).calibration;
    assert_read_back(&calibration, &[&HOMOGRAPHY[..], &[166_000.0]].concat());
}

#[test]
fn a_camera_is_recovered_from_its_poses_and_predicts_a_pose_that_was_held_out() {
    let (sets, truth) = poses(8, 150, 1);
    let asked = Asked { size: Some(SIZE), ..asked("camera") };
    let found = found(&sets, &asked);
    assert_read_back(&found.calibration, &truth);
    let held_out = found.calibration.cross_validation.expect("a cross-validation");
    let poses = held_out.poses_rms_px.expect("poses held out");
    assert!(poses < 1.2 * held_out.fitted_rms_px, "{held_out:?}");
    assert!(matches!(found.form, Form::Undistorted(_)), "with several poses the correction has no plane");
    let yaml = super::yaml::text(&found).expect("a camera");
    assert!(yaml.starts_with("%YAML 1.2\n---\n") && yaml.contains("distortion_model: plumb_bob\n"), "{yaml}");
    assert!(yaml.contains("plumb_covariance:") && yaml.contains("cols: 5\n"), "{yaml}");
}

#[test]
fn a_model_without_a_needed_term_is_rejected_and_has_no_sigma() {
    let planted = Planted::new(lensed(), &with_lens(0.0, 0.002));
    let only_k1 = Asked { distortion: Distortion::Brown(1), ..asked("homography+distortion") };
    let (mut rejected, mut right) = (0, 0);
    for seed in 1..=10 {
        let set = planted.set_of(&scattered(seed, 601), seed);
        let calibration = found(std::slice::from_ref(&set), &only_k1).calibration;
        if calibration.fits == Some(false) {
            rejected += 1;
            assert!(calibration.parameters.iter().all(|one| one.value.is_some() && one.sigma.is_none()));
            assert!(calibration.notes.iter().any(|note| note.contains("does not fit")), "{:?}", calibration.notes);
            assert!(calibration.over_image.iter().all(|cell| cell.uncertainty_px.is_none()));
        }
        right += usize::from(found(&[set], &asked("homography+distortion")).calibration.fits == Some(true));
    }
    assert!(rejected >= 9 && right >= 8, "{rejected} of 10 rejected, {right} of 10 right models accepted");
}

#[test]
fn without_covariances_sigma_comes_from_the_residuals_and_there_is_no_verdict() {
    let planted = Planted { has_covariance: false, ..Planted::new(Form::Homography, &HOMOGRAPHY) };
    let calibration = found(&[planted.set(5)], &asked("homography")).calibration;
    assert_eq!((calibration.fits, calibration.sigma_from), (None, "residuals"));
    assert_read_back(&calibration, &HOMOGRAPHY);
    // Covariances that are twice too large are found out by a reference: its NEES is a quarter.
    let mut set = Planted::new(Form::Homography, &HOMOGRAPHY).set(5);
    let honest = found(std::slice::from_ref(&set), &asked("homography")).calibration;
    for one in &mut set.observations {
        let covariance = one.covariance.as_mut().expect("a covariance");
        (covariance.xx, covariance.yy) = (4.0 * covariance.xx, 4.0 * covariance.yy);
    }
    let sigma = Some(Sigma::Reference { factor: 0.25, frames: 100_000 });
    let scaled = found(std::slice::from_ref(&set), &Asked { sigma, ..asked("homography") }).calibration;
    assert_eq!((scaled.fits, scaled.sigma_from, scaled.nees), (Some(true), "reference", Some(0.25)));
    let [a, b] = [&scaled, &honest].map(|of| sigma_of(of, "h11"));
    assert!((a / b - 1.0).abs() < 1e-4, "{a} and {b}");
    let unscaled = found(&[set], &asked("homography")).calibration;
    assert_eq!(unscaled.fits, Some(true), "residuals that are too small do not reject the model");
}

#[test]
fn outliers_are_left_out_and_do_not_move_the_parameters() {
    let planted = Planted::new(Form::Homography, &HOMOGRAPHY);
    let (clean, mut dirty) = (planted.set(4), planted.set(4));
    for one in dirty.observations.iter_mut().step_by(50) {
        one.answer[0] += 30.0;
    }
    let [clean, dirty] = [clean, dirty].map(|set| found(&[set], &asked("homography")).calibration);
    assert_eq!((clean.outliers, dirty.outliers), (0, 12));
    for (a, b) in clean.parameters.iter().zip(&dirty.parameters) {
        let sigma = a.sigma.expect("a sigma");
        let moved = (a.value.expect("told") - b.value.expect("told")).abs();
        // A fiftieth of the frames is missing, which moves each parameter by about a seventh of its standard deviation.
        assert!(moved <= 0.5 * sigma, "{}: moved by {} sigma", a.name, moved / sigma);
    }
}

#[test]
fn parameters_that_the_data_do_not_determine_are_named_and_have_no_value() {
    // For a ball that never changes direction, a time offset is the same as an offset.
    let straight: Vec<_> = (0..201).map(|at| [100.0 + 2.0 * f64::from(at), 80.0 + 1.5 * f64::from(at)]).collect();
    let planted = Planted { frames: 200, ..Planted::new(Form::Offset, &[0.3, 0.1]) };
    let calibration = found(&[planted.set_of(&straight, 1)], &asked("offset+time")).calibration;
    assert_eq!(calibration.cannot_tell.len(), 1, "{:?}", calibration.cannot_tell);
    assert_eq!(calibration.cannot_tell[0].parameters, ["offset_x", "offset_y", "time_offset_us"]);
    assert!(calibration.parameters.iter().all(|one| one.value.is_none() && one.sigma.is_none()));
    // One plane that faces the camera: focal length beside distance and k1.
    for seed in 1..=5 {
        let camera = [&[600.0, 600.0, 319.5, 239.5, -0.3, 0.0][..], &pose(0.0, 0.0, 0.0)].concat();
        let set = Planted::new(Form::Camera(K1K2), &camera).set(seed);
        let calibration = found(&[set], &Asked { size: Some(SIZE), ..asked("camera") }).calibration;
        let told = |name: &str| calibration.parameters.iter().find(|one| one.name == name).expect("there").value;
        assert!(
            ["fx", "fy", "k1"].iter().all(|name| told(name).is_none()),
            "seed {seed}: {:?}",
            calibration.parameters
        );
        assert!(calibration.cannot_tell.iter().any(|one| one.parameters.contains(&"fx".to_owned())));
    }
}

#[test]
fn the_exact_formula_maps_a_discs_centroid_to_its_centre() {
    // A plane tilted by 45°, and a lens with k1 = −0.3.
    for (k1, tilt, least) in [(0.0, 0.7, 0.1), (-0.3, 0.0, 0.1), (-0.3, 0.7, 0.1)] {
        let camera = [&[600.0, 600.0, 319.5, 239.5, k1, 0.0][..], &pose(tilt, 0.0, 0.0)].concat();
        let map = Form::Camera(K1K2).map(&camera);
        let truths: Vec<_> =
            bouncing(2, 601).into_iter().map(|[x, y]| [319.5 + 0.6 * (x - 319.5), 239.5 + 0.6 * (y - 239.5)]).collect();
        let planted = Planted {
            sigma: 0.0,
            has_covariance: false,
            disc: Some(20.0),
            ..Planted::new(Form::Camera(K1K2), &camera)
        };
        let set = planted.set_of(&truths, 1);
        let raw = set.observations.iter().map(|one| {
            let centre = map.forward(one.truth).expect("an image");
            (one.answer[0] - centre[0]).hypot(one.answer[1] - centre[1])
        });
        let raw = raw.fold(0.0, f64::max);
        assert!(raw > least, "raw centres are up to {raw} px off");
        let disc = Asked { target: Target::Disc, ..asked("homography+distortion") };
        let found = found(std::slice::from_ref(&set), &disc);
        assert!(found.calibration.after.max_px <= 0.001, "{k1}, {tilt}: {:?}", found.calibration.after);
        for one in &set.observations {
            let scale = found.correction.apply(one.answer, None).expect("a point").scale;
            let back = found.correction.apply(one.answer, Some(20.0 / scale)).expect("a point").centre;
            assert!((back[0] - one.truth[0]).hypot(back[1] - one.truth[1]) <= 0.003, "{k1}, {tilt}");
        }
    }
}

#[test]
fn auto_finds_the_planted_model_by_its_criterion() {
    let similarity = vec![1.003, 0.0035, 0.37, -0.21];
    for (expected, lens, form, values) in [
        ("offset", None, Form::Offset, vec![0.37, -0.21]),
        ("similarity", None, Form::Similarity, similarity),
        ("homography", None, Form::Homography, HOMOGRAPHY.to_vec()),
        ("homography+distortion", Some("k1k2"), lensed(), with_lens(-0.30, 0.10)),
    ] {
        let calibration = found(&[Planted::new(form, &values).set(11)], &asked("auto")).calibration;
        assert_eq!((calibration.model.as_str(), calibration.distortion.as_deref()), (expected, lens));
        assert!(calibration.candidates.len() >= 8 && calibration.candidates[0].bic == 0.0);
    }
}

#[test]
fn too_few_data_are_refused_with_what_would_be_enough() {
    let planted = |frames| Planted { frames, ..Planted::new(Form::Offset, &[0.3, 0.1]) };
    let refused = |sets: &[Set], asked: &Asked| calibrate(sets, asked).expect_err("too little").to_string();
    let few = refused(&[planted(4).set(1)], &asked("homography"));
    assert_eq!(few, "homography has 8 parameters and needs at least 5 frames with an answer; planted has 4");
    assert!(
        refused(&[planted(0).set(1)], &asked("offset")).ends_with("at least 2 frames with an answer; planted has 0")
    );
    assert!(refused(&[planted(1).set(1)], &asked("auto")).contains("needs at least 2 frames"));
    let mut stuck = planted(50).set(1);
    stuck.observations.iter_mut().for_each(|one| one.answer = [320.0, 240.0]);
    assert!(refused(&[stuck], &asked("auto")).starts_with("all 50 answers are at (320, 240): a pipeline that always"));
    let still = planted(50).set_of(&[[50.0, 60.0]; 51], 1);
    assert!(refused(&[still], &asked("offset")).contains("is always at (50, 60): calibrate a run whose ball moves"));
    let line: Vec<_> = (0..51).map(|at| [50.0 + f64::from(at), 60.0 + 2.0 * f64::from(at)]).collect();
    let line = planted(50).set_of(&line, 1);
    assert!(
        refused(std::slice::from_ref(&line), &asked("affine"))
            .contains("lies on one line, which does not determine affine")
    );
    assert!(refused(&[line], &asked("homography")).contains("one line"));
    let mut other = planted(50).set(2);
    (other.name, other.size) = ("other".into(), "320x240".parse().ok());
    let sizes = refused(&[planted(50).set(1), other], &asked("offset"));
    assert_eq!(sizes, "planted is of 640x480 images and other of 320x240: calibrate runs of one size");
    let mut unsized_set = planted(50).set(1);
    unsized_set.size = None;
    assert!(refused(std::slice::from_ref(&unsized_set), &asked("camera")).contains("give --size WIDTHxHEIGHT"));
    unsized_set.observations.iter_mut().for_each(|one| one.time_us = None);
    let untimed = refused(&[unsized_set], &asked("offset+time"));
    assert!(
        untimed.contains("offset+time needs the time of each frame") && untimed.contains("add a column t_us"),
        "{untimed}"
    );
    let (mut sets, _) = poses(3, 20, 1);
    sets[1].observations.truncate(3);
    let each = refused(&sets, &asked("camera"));
    assert!(each.ends_with("needs at least 4 frames with an answer in each pose; pose 2 has 3"), "{each}");
}

#[test]
fn parallel_poses_do_not_determine_the_focal_length() {
    let inner = [600.0, 600.0, 319.5, 239.5, 0.0, 0.0];
    let sets: Vec<_> = (0..3)
        .map(|at| {
            let place = pose(0.0, 0.0, 0.3 * f64::from(at));
            Planted { frames: 100, ..Planted::new(Form::Camera(K1K2), &[&inner[..], &place].concat()) }
                .set_of(&scattered(at as u64, 101), at as u64)
        })
        .collect();
    let calibration = found(&sets, &asked("camera")).calibration;
    let fx = calibration.parameters.iter().find(|one| one.name == "fx").expect("there");
    assert!(fx.value.is_none(), "{:?}", calibration.parameters);
}

#[test]
fn pages_and_tables_contain_the_results() {
    let mut set = Planted::new(Form::Homography, &HOMOGRAPHY).set(4);
    set.name = "<b>\u{1b}[31m".into();
    let mut normal = Normal::new(9);
    set.observations[7].answer[0] += 30.0 + normal.uniform();
    let found = found(&[set], &asked("auto"));
    let table = super::print::text(&found.calibration);
    assert!(table.starts_with("homography: 599 frames, 1 outlier left out\n"), "{table}");
    assert!(table.contains("the model fits: chi-squared") && table.contains("models by BIC"), "{table}");
    let page = super::html::page(&found);
    assert!(page.contains("<line") && page.contains("Uncertainty over the image") && page.contains("class=\"before\""));
    assert!(!page.contains("NaN") && !page.contains('\u{1b}') && page.len() < 500_000, "{}", page.len());
    let json = serde_json::to_value(&found.calibration).expect("JSON");
    assert_eq!((&json["schema"], &json["size"], &json["fits"]), (&1.into(), &"640x480".into(), &true.into()));
}
