//! Frames of the camera, byte for byte. They are the same on every machine, whatever was rendered before.

use server::camera::{Background, Body, CameraConfig, Focal, LensConfig};
use server::scene::{BallConfig, Radii};
use server::source::{BallScene, BallSource, Motion};
use server::truth::Truth;
use shared::geometry::Size;
use shared::image::PixelFormat;

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn source(camera: CameraConfig, motion: Motion, pixel: PixelFormat) -> BallSource {
    let ball = BallConfig {
        size: Size { width: 161, height: 120 },
        radius: Radii { min: 10.0, max: 30.0 },
        speed_px_s: 900.0,
        step_s: 1.0 / 60.0,
        border: motion == Motion::Scattered,
    };
    BallScene { ball, motion, camera, pixel, seed: 1 }.source().expect("a possible scene")
}

/// Each effect, alone or with the effects it needs.
fn cameras() -> [(&'static str, CameraConfig); 14] {
    let none = CameraConfig::default();
    let lens = LensConfig {
        focal: Focal::new(150.0, 155.0),
        distortion: "equidistant:-0.02,0.007".parse().ok(),
        pose: "10,-15,5".parse().ok(),
        ..LensConfig::NONE
    };
    let spheres = LensConfig { poses: Some(3), target: Some(Body::Sphere), ..LensConfig::NONE };
    [
        ("none", none),
        ("noise", CameraConfig { noise: 10.0, ..none }),
        ("shot noise", CameraConfig { shot_noise: 0.7, ..none }),
        ("blur", CameraConfig { blur: 1.3, ..none }),
        ("exposure", CameraConfig { exposure: 0.8, ..none }),
        ("ramp", CameraConfig { background: Background::Ramp, ..none }),
        ("clutter", CameraConfig { background: Background::Clutter, invert: true, ..none }),
        ("occluder", CameraConfig { occlude: true, ..none }),
        ("gamma", CameraConfig { gamma: 2.2, vignette: 0.4, ..none }),
        ("empty", CameraConfig { empty_rate: 0.5, ..none }),
        ("lens", CameraConfig { lens, noise: 2.0, exposure: 0.4, ..none }),
        ("spheres", CameraConfig { lens: spheres, blur: 0.8, ..none }),
        ("rolling shutter", CameraConfig { rolling_shutter: 50.0, ..none }),
        (
            "all",
            CameraConfig {
                noise: 3.0,
                shot_noise: 0.2,
                blur: 0.9,
                exposure: 1.0,
                contrast: 90.0,
                background: Background::Clutter,
                occlude: true,
                gamma: 1.8,
                vignette: 0.3,
                empty_rate: 0.1,
                ..none
            },
        ),
    ]
}

#[test]
fn frames_have_their_golden_bytes() {
    let mut found = Vec::new();
    for (name, camera) in cameras() {
        for (motion, pixel) in [(Motion::Bouncing, PixelFormat::Gray8), (Motion::Scattered, PixelFormat::Bgr8)] {
            let mut source = source(camera, motion, pixel);
            let bytes: Vec<u8> = [7, 2, 9].into_iter().flat_map(|i| source.frame(i).image.bytes().to_vec()).collect();
            found.push((name, hash(&bytes)));
        }
    }
    assert_eq!(found, GOLDEN);
}

#[test]
fn a_frame_can_be_rendered_without_a_network() {
    let camera = CameraConfig { noise: 10.0, ..CameraConfig::default() };
    let mut source = source(camera, Motion::Scattered, PixelFormat::Gray8);
    let (mut centres, mut limits) = (Vec::new(), Vec::new());
    for index in 0..50 {
        let frame = source.frame(index);
        assert_eq!(frame.image.size(), Size { width: 161, height: 120 });
        let Truth::Ball { circle, limit } = frame.truth else { panic!("a ball") };
        centres.push(circle);
        limits.push(limit.px().expect("a limit"));
    }
    assert!(centres.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(limits.iter().all(|limit| (0.005..0.2).contains(limit)), "{limits:?}");
}

/// A bouncing ball in gray, then a scattered one in colour. A change of these values breaks every recorded sequence,
/// and the promise that a seed always gives the same frames.
const GOLDEN: [(&str, u64); 28] = [
    ("none", 0x9c46_58ad_e2b5_5f69),
    ("none", 0x4618_5a69_1902_3915),
    ("noise", 0xbcb1_36c8_4792_1d53),
    ("noise", 0x848f_5a3c_43a9_cb41),
    ("shot noise", 0x88d4_78d2_e89e_0a2c),
    ("shot noise", 0x3784_8f66_ef53_a41b),
    ("blur", 0x3254_870f_d0b3_852a),
    ("blur", 0xb04a_b24b_edd5_7647),
    ("exposure", 0xc115_26ae_5de2_3552),
    ("exposure", 0xc9d4_772c_9d25_7d18),
    ("ramp", 0xe33b_64f7_0f5e_884b),
    ("ramp", 0x37af_fa66_f214_9e9d),
    ("clutter", 0x232e_2b65_a849_60b9),
    ("clutter", 0xcb36_cb29_7e81_5a83),
    ("occluder", 0x68da_315f_837d_d630),
    ("occluder", 0x7ca3_a1b6_563e_bc3b),
    ("gamma", 0xdeed_15b9_cb23_5e89),
    ("gamma", 0x5dd5_2e7a_37b0_f160),
    ("empty", 0x9c46_58ad_e2b5_5f69),
    ("empty", 0x4618_5a69_1902_3915),
    ("lens", 0x5f77_e64c_e062_a231),
    ("lens", 0xf4f2_2e72_df03_5b2f),
    ("spheres", 0x88b9_8fb4_b17f_ac36),
    ("spheres", 0x1765_82d5_6b2b_deed),
    ("rolling shutter", 0x01f5_3d1f_13f4_cbcd),
    ("rolling shutter", 0x03b4_e88c_a710_19c9),
    ("all", 0xeb67_55e2_301b_748e),
    ("all", 0x5fae_14dc_6c00_32f2),
];
