//! The options of `server calibrate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use shared::geometry::Size;
use shared::lens::Distortion;
use shared::lens::correction::Target;

use super::choice::ModelChoice;

/// The options of `server calibrate`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Calibrate")]
pub struct CalibrateOptions {
    /// Runs to calibrate: folders that a run wrote with --out, or CSV files with the header frame,x,y,u,v (truth x, y
    /// and answer u, v in px; optionally t_us, cov_xx, cov_xy, cov_yy, radius). For the model camera, each RUN is one
    /// pose
    #[arg(id = "calibrate", value_name = "RUN", required = true, value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,

    /// Model from truth to answer: offset, similarity, affine, homography, homography+distortion, camera or auto (the
    /// best by BIC); +time also fits the delay of the answers, +shutter the time from row to row
    #[arg(id = "calibrate-model", long = "model", value_name = "MODEL", default_value = "auto")]
    pub model: ModelChoice,

    /// Distortion of a model with a lens: none, k1, k1k2, k1k2p1p2, plumb_bob (5 coefficients), rational_polynomial (8)
    /// or equidistant (4)
    #[arg(id = "calibrate-distortion", long = "distortion", value_name = "NAME", default_value = "k1k2")]
    pub distortion: Distortion,

    /// Focal length in px for homography+distortion, because one plane does not determine it [default: the width of the
    /// images]
    #[arg(id = "calibrate-focal", long = "focal", value_name = "PX", value_parser = focal)]
    pub focal: Option<f64>,

    /// What the answers estimate: point; disc (the centroid of the picture of a disc in the plane, which an exact
    /// formula corrects); or sphere (the same for a sphere whose centre is in the plane; only for the model camera)
    #[arg(id = "calibrate-target", long = "target", value_name = "KIND", default_value = "point")]
    pub target: Target,

    /// Size of the images, which a lens needs [default: that of the runs]
    #[arg(id = "calibrate-size", long = "size", value_name = "WIDTHxHEIGHT")]
    pub size: Option<Size>,

    /// Run without a lens, to measure how large the answers' errors are. Only then is there a verdict on whether the
    /// model fits a run
    #[arg(long, value_name = "RUN", value_hint = ValueHint::AnyPath)]
    pub reference: Option<PathBuf>,

    /// Correct the answers of this second run, or CSV file, and show the remaining error
    #[arg(long, value_name = "RUN", value_hint = ValueHint::AnyPath)]
    pub verify: Option<PathBuf>,

    /// Exit with code 1 if the model does not fit
    #[arg(id = "calibrate-strict", long = "strict")]
    pub strict: bool,

    /// Write the whole result to this file as JSON; - for stdout
    #[arg(id = "calibrate-json", long = "json", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json: Option<PathBuf>,

    /// Write correction.toml, calibration.json, calibration.html and, for a model with a lens, camera.yaml into this
    /// folder
    #[arg(id = "calibrate-out", long = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

fn focal(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (1.0..=1e6).contains(value));
    value.ok_or_else(|| format!("\"{text}\" is not a focal length: write px from 1 to 1000000, for example 600"))
}
