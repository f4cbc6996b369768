//! Compares the equations with a direct solution of made-up pixels.

use super::*;
use crate::pipeline::testing::Random;

const SECTORS: usize = 16;
const PIXELS: usize = 40;
const GROUND_AT: f64 = 22.0;
const ALL: u64 = (1 << SECTORS) - 1;

/// Derivatives and residual of a pixel.
type Row = [f64; COLUMNS];

/// Made-up pixels of each sector. Only the equations matter here.
fn rows(random: &mut Random) -> Vec<Vec<Row>> {
    let mut row = || {
        let mut row: Row = std::array::from_fn(|_| random.uniform(-3.0, 3.0));
        row[LEVEL] = random.uniform(0.2, 1.0);
        row
    };
    (0..SECTORS).map(|_| (0..PIXELS).map(|_| row()).collect()).collect()
}

fn sums(rows: &[Vec<Row>]) -> Vec<SectorSums> {
    let sum = |rows: &Vec<Row>| {
        let mut sums = SectorSums { pixels: PIXELS as f64, weight: PIXELS as f64, ..SectorSums::ZERO };
        for (row, (i, j)) in
            rows.iter().flat_map(|row| (0..COLUMNS).flat_map(move |i| (i..COLUMNS).map(move |j| (row, (i, j)))))
        {
            sums.products[slot(i, j)] += row[i] * row[j];
        }
        sums
    };
    rows.iter().map(sum).collect()
}

fn model(profile: Profile) -> Model {
    Model {
        x: 0.0,
        y: 0.0,
        radius: 20.0,
        variance: 0.3,
        disc: 180.0,
        motion: (0.0, 0.0),
        slope: (0.0, 0.0),
        disc_slope: (0.0, 0.0),
        ground: std::array::from_fn(|k| 40.0 + (k % 5) as f32),
        profile,
    }
}

/// Derivatives with respect to the shared parameters, without those of the ground.
fn shared(row: &Row, (nx, ny): (f64, f64), profile: Profile) -> Vec<f64> {
    let still = [RADIUS, VARIANCE, DISC].map(|column| row[column]);
    match profile {
        Profile::Smear => {
            let centre = [row[CENTRE], row[CENTRE + 1]];
            [&centre[..], &still, &[row[MOTION], row[MOTION + 1]]].concat()
        }
        _ => [&[nx * row[RADIUS], ny * row[RADIUS]][..], &still].concat(),
    }
}

/// The least-squares solution by Gaussian elimination with pivots, and the sum of squared residuals.
fn direct(rows: &[(Vec<f64>, f64)]) -> (Vec<f64>, f64) {
    let n = rows[0].0.len();
    let mut m = vec![vec![0.0; n + 1]; n];
    for (derivatives, residual) in rows {
        for i in 0..n {
            (0..n).for_each(|j| m[i][j] += derivatives[i] * derivatives[j]);
            m[i][n] += derivatives[i] * residual;
        }
    }
    for i in 0..n {
        let pivot = (i..n).max_by(|&a, &b| m[a][i].abs().total_cmp(&m[b][i].abs())).expect("rows left");
        m.swap(i, pivot);
        let own = m[i].clone();
        for (_, row) in m.iter_mut().enumerate().filter(|(k, _)| *k != i) {
            let factor = row[i] / own[i];
            row.iter_mut().zip(&own).for_each(|(value, own)| *value -= factor * own);
        }
    }
    let found: Vec<f64> = (0..n).map(|i| m[i][n] / m[i][i]).collect();
    let left = |(derivatives, residual): &(Vec<f64>, f64)| {
        residual - derivatives.iter().zip(&found).map(|(d, x)| d * x).sum::<f64>()
    };
    let left = rows.iter().map(|row| left(row).powi(2)).sum();
    (found, left)
}

fn parameters(step: &Step, profile: Profile) -> Vec<f64> {
    let still = vec![step.x, step.y, step.radius, step.variance, step.disc];
    if profile == Profile::Smear { [still, vec![step.motion.0, step.motion.1]].concat() } else { still }
}

#[track_caller]
fn assert_alike(found: &[f64], expected: &[f64]) {
    for (found, expected) in found.iter().zip(expected) {
        // The ridge is 1e-9 of the diagonal.
        assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn a_plane_has_the_same_solution_as_the_direct_method() {
    for profile in [Profile::Gaussian, Profile::Smear] {
        let (rows, model, common) = (rows(&mut Random::new(1)), model(profile), 41.5);
        let mut flat = Vec::new();
        for (k, row) in rows.iter().enumerate().flat_map(|(k, rows)| rows.iter().map(move |row| (k, row))) {
            let (nx, ny) = direction_of(k, SECTORS);
            // Residuals from the common level instead of the sector's own.
            let residual = row[RESIDUAL] + (f64::from(model.ground[k]) - common) * row[LEVEL];
            let ground = [1.0, GROUND_AT * nx, GROUND_AT * ny].map(|by| by * row[LEVEL]);
            flat.push(([shared(row, (nx, ny), profile), ground.to_vec()].concat(), residual));
        }
        let (expected, left) = direct(&flat);
        let found = Equations::new(&sums(&rows), ALL, &model, GroundTerms::Plane(common), GROUND_AT);
        let found = found.solve().expect("regular");
        let ground = [found.level, found.step.slope.0, found.step.slope.1];
        assert_alike(&[parameters(&found.step, profile), ground.to_vec()].concat(), &expected);
        assert_alike(&[found.left / left], &[1.0]);
    }
}

#[test]
fn eliminated_levels_equal_explicit_unknowns_of_each_sector() {
    for profile in [Profile::Gaussian, Profile::Smear] {
        let (rows, model) = (rows(&mut Random::new(2)), model(profile));
        let mut flat = Vec::new();
        for (k, row) in rows.iter().enumerate().flat_map(|(k, rows)| rows.iter().map(move |row| (k, row))) {
            let own = (0..SECTORS).map(|other| if other == k { row[LEVEL] } else { 0.0 });
            let shared = shared(row, direction_of(k, SECTORS), profile);
            flat.push((shared.into_iter().chain(own).collect(), row[RESIDUAL]));
        }
        let (expected, left) = direct(&flat);
        let sums = sums(&rows);
        let found = Equations::new(&sums, ALL, &model, GroundTerms::Levels, GROUND_AT).solve().expect("regular");
        let moving = profile == Profile::Smear;
        let level = |k: usize| sums[k].level_step_after(&found.step, direction_of(k, SECTORS), moving);
        let found_levels: Vec<f64> = (0..SECTORS).map(level).collect();
        assert_alike(&[parameters(&found.step, profile), found_levels].concat(), &expected);
        assert_alike(&[found.left / left], &[1.0]);
        let freedom = (SECTORS * PIXELS - expected.len()) as f64;
        assert_alike(&[found.variance], &[left / freedom]);
    }
}

#[test]
fn without_its_slope_a_plane_is_a_level() {
    let (rows, model) = (rows(&mut Random::new(3)), model(Profile::Gaussian));
    let equations = |terms| Equations::new(&sums(&rows), ALL, &model, terms, GROUND_AT);
    let flat = equations(GroundTerms::Plane(41.0)).without_slope().solve().expect("regular");
    let level = equations(GroundTerms::Level(41.0)).solve().expect("regular");
    assert_alike(&parameters(&flat.step, Profile::Gaussian), &parameters(&level.step, Profile::Gaussian));
    assert_eq!(flat.step.slope, (0.0, 0.0));
    assert_alike(&[flat.level, flat.left], &[level.level, level.left]);
}

#[test]
fn sectors_left_out_have_no_weight() {
    let mut rows = rows(&mut Random::new(4));
    let solve = |rows: &[Vec<Row>]| {
        let model = model(Profile::Gaussian);
        let found = Equations::new(&sums(rows), 0b1111_0111, &model, GroundTerms::Levels, GROUND_AT);
        found.solve().expect("regular").step
    };
    let before = solve(&rows);
    for sector in [3, 12] {
        rows[sector].iter_mut().for_each(|row| row[RESIDUAL] = 1e6);
    }
    assert_eq!(parameters(&solve(&rows), Profile::Gaussian), parameters(&before, Profile::Gaussian));
}

#[test]
fn parameters_that_the_pixels_do_not_determine_stay_unchanged() {
    let mut rows = rows(&mut Random::new(5));
    rows.iter_mut().flatten().for_each(|row| row[VARIANCE] = 0.0);
    let found = Equations::new(&sums(&rows), ALL, &model(Profile::Gaussian), GroundTerms::Levels, GROUND_AT);
    assert_eq!(found.solve().expect("held by the ridge").step.variance, 0.0);
}

#[test]
fn the_centres_covariance_equals_that_of_the_inverse_matrix() {
    let rows = rows(&mut Random::new(6));
    let found = Equations::new(&sums(&rows), ALL, &model(Profile::Gaussian), GroundTerms::Levels, GROUND_AT);
    let [xx, xy, yy] = found.solve().expect("regular").centre;
    let Solution { variance, .. } = found.solve().expect("regular");
    // The columns of the inverse solve the equations for unit vectors, so the matrix maps them back to unit vectors.
    for (unit, known) in [(0, [xx, xy]), (1, [xy, yy])] {
        let mut right = [0.0; MOST];
        right[unit] = variance;
        let column = Factor::new(&found.matrix, found.used).expect("regular").solve(&right, found.used);
        assert_alike(&column[..2], &known);
        for (i, right) in right.iter().enumerate().take(found.used) {
            let row = (0..found.used).map(|j| found.matrix[i.min(j)][i.max(j)] * column[j]);
            assert!((row.sum::<f64>() - right).abs() < 1e-6 * variance, "row {i} of column {unit}");
        }
    }
}
