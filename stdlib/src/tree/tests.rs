//! The trainer as a whole, on data small enough to know the answer.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::bins::FeatureBins;
use super::model::Test;
use super::*;

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn numeric<'a>(name: &'a str, values: &'a [f64]) -> Feature<'a> {
    Feature { name, column: Column::Numeric { values, valid: None } }
}

fn categorical<'a>(name: &'a str, codes: &'a [u32]) -> Feature<'a> {
    Feature { name, column: Column::Categorical { codes, valid: None } }
}

fn fit(features: &[Feature], target: Target, params: &Params) -> Result<Model, TrainError> {
    train(&Table { features, target, weights: None }, None, params, 1, &mut go_on)
}

/// One tree that takes the whole step.
fn one_tree() -> Params {
    Params { trees: 1, learning_rate: 1.0, min_rows: 1, ..Params::default() }
}

/// Numbers that look random and are the same everywhere.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn a_tree_by_hand() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let y = [0.0, 0.0, 0.0, 10.0, 10.0, 40.0];
    let features = [numeric("x", &x)];
    let model = fit(&features, Target::Values(&y), &Params { leaves: 3, ..one_tree() }).unwrap();
    assert_eq!(model.base, [10.0]);
    let [root, below] = model.trees[0].nodes[..] else { panic!("{:?}", model.trees) };
    // Residuals -10 -10 -10 0 0 30. Cutting off the last row gains 30^2 / 1 + 30^2 / 5 = 1080; after the third 600.
    assert_eq!(root.test, Test::AtMost { bin: 4, missing_left: true });
    assert!((root.gain - 1080.0).abs() < 1e-6);
    // Then -10 -10 -10 against 0 0: 30^2 / 3 - 30^2 / 5 = 120.
    assert_eq!(below.test, Test::AtMost { bin: 2, missing_left: true });
    assert!((below.gain - 120.0).abs() < 1e-6);
    assert_eq!(model.predict(&features, 1).unwrap(), y);
}

#[test]
fn penalties_shrink_leaves() {
    let x = [0.0, 0.0, 1.0, 1.0];
    let y = [-2.0, -2.0, 2.0, 2.0];
    let features = [numeric("x", &x)];
    let predict = |l1, l2| {
        let params = Params { l1, l2, ..one_tree() };
        fit(&features, Target::Values(&y), &params).unwrap().predict(&features, 1).unwrap()
    };
    assert_eq!(predict(0.0, 0.0), y);
    assert_eq!(predict(0.0, 2.0), [-1.0, -1.0, 1.0, 1.0]);
    assert_eq!(predict(2.0, 0.0), [-1.0, -1.0, 1.0, 1.0]);
    assert_eq!(predict(4.0, 0.0), [0.0; 4]);
}

#[test]
fn missing_rows_learn_their_side() {
    let x = [1.0, 2.0, 3.0, 4.0, 0.0, 0.0];
    let valid = [true, true, true, true, false, false];
    for (y, missing) in [([0.0, 0.0, 8.0, 8.0, 0.0, 0.0], 0.0), ([0.0, 0.0, 8.0, 8.0, 8.0, 8.0], 8.0)] {
        let features = [Feature { name: "x", column: Column::Numeric { values: &x, valid: Some(&valid) } }];
        let model = fit(&features, Target::Values(&y), &Params { leaves: 2, ..one_tree() }).unwrap();
        assert_eq!(model.trees[0].nodes.len(), 1);
        let asked =
            [Feature { name: "x", column: Column::Numeric { values: &[9.0], valid: Some(&[false]) } }];
        let [predicted] = model.predict(&asked, 1).unwrap()[..] else { panic!() };
        assert!((predicted - missing).abs() < 1e-12, "{predicted}");
    }
}

#[test]
fn missing_itself_can_be_the_split() {
    let x = [1.0; 6];
    let valid = [true, false, true, false, true, false];
    let y = [1.0, 5.0, 1.0, 5.0, 1.0, 5.0];
    let features = [Feature { name: "x", column: Column::Numeric { values: &x, valid: Some(&valid) } }];
    let model = fit(&features, Target::Values(&y), &one_tree()).unwrap();
    assert_eq!(model.predict(&features, 1).unwrap(), y);
}

#[test]
fn few_categories_split_one_against_the_rest() {
    let codes = [4, 4, 9, 9, 2, 2];
    let y = [0.0, 0.0, 6.0, 6.0, 0.0, 0.0];
    let features = [categorical("city", &codes)];
    let model = fit(&features, Target::Values(&y), &Params { leaves: 2, ..one_tree() }).unwrap();
    assert_eq!(model.predict(&features, 1).unwrap(), y);
    // A category never seen goes where most rows went.
    assert_eq!(model.predict(&[categorical("city", &[77])], 1).unwrap(), [0.0]);
}

#[test]
fn many_categories_split_at_a_planted_partition() {
    let is_high = |code: u32| (code * 7) % 5 < 2;
    let codes: Vec<u32> = (0..4_000).map(|row| row % 40).collect();
    let y: Vec<f64> = codes.iter().map(|&code| if is_high(code) { 3.0 } else { 1.0 }).collect();
    let features = [categorical("shop", &codes)];
    let model = fit(&features, Target::Values(&y), &Params { leaves: 2, ..one_tree() }).unwrap();
    let [node] = model.trees[0].nodes[..] else { panic!("{:?}", model.trees[0].nodes) };
    let Test::Among(set) = node.test else { panic!("{node:?}") };
    let FeatureBins::Categorical { codes: by_bin } = &model.bins[0] else { panic!() };
    let on_left: Vec<bool> = (0..40).map(|bin| model.trees[0].sets[set as usize].contains(bin)).collect();
    let high: Vec<bool> = by_bin.iter().map(|&code| is_high(code)).collect();
    assert!(on_left == high || on_left.iter().zip(&high).all(|(left, high)| left != high));
    for (predicted, truth) in model.predict(&features, 1).unwrap().iter().zip(&y) {
        assert!((predicted - truth).abs() < 1e-9);
    }
}

#[test]
fn monotone_predictions_never_turn() {
    let (x, z) = (noise(2_000, 1), noise(2_000, 2));
    let y: Vec<f64> = x
        .iter()
        .zip(&z)
        .zip(noise(2_000, 3))
        .map(|((x, z), error)| x + (6.0 * x).sin() * z + error)
        .collect();
    let codes: Vec<u32> = y.iter().map(|&y| u32::from(y > 1.0)).collect();
    let features = [numeric("x", &x), numeric("z", &z)];
    let grid: Vec<f64> = (0..200).map(|step| f64::from(step) / 200.0).collect();
    let turns = |monotone: Vec<Monotone>, target| {
        let params = Params { trees: 60, l1: 0.1, monotone, ..Params::default() };
        let model = fit(&features, target, &params).unwrap();
        let (mut ups, mut downs) = (0, 0);
        for z in [0.1, 0.5, 0.9] {
            let scores = model.predict_raw(&[numeric("x", &grid), numeric("z", &[z; 200])], 1).unwrap();
            ups += scores.windows(2).filter(|pair| pair[1] > pair[0] + 1e-12).count();
            downs += scores.windows(2).filter(|pair| pair[1] < pair[0] - 1e-12).count();
        }
        (ups > 0, downs > 0)
    };
    for target in [Target::Values(&y), Target::Classes { codes: &codes, classes: 2 }] {
        assert_eq!(turns(vec![], target), (true, true));
        assert_eq!(turns(vec![Monotone::Increasing, Monotone::Free], target), (true, false));
        assert!(!turns(vec![Monotone::Decreasing, Monotone::Free], target).0);
    }
    // Constraints that hold nothing change nothing but the order of some additions.
    let free = Params { trees: 5, monotone: vec![Monotone::Free; 2], ..Params::default() };
    let model = fit(&features, Target::Values(&y), &free).unwrap();
    assert_eq!(model, fit(&features, Target::Values(&y), &Params { monotone: vec![], ..free }).unwrap());
}

#[test]
fn limits_hold() {
    let (x, y) = (noise(500, 1), noise(500, 2));
    let features = [numeric("x", &x)];
    let params = Params { trees: 5, leaves: 12, depth: 3, min_rows: 30, ..Params::default() };
    let model = fit(&features, Target::Values(&y), &params).unwrap();
    for tree in &model.trees {
        assert!(tree.values.len() <= 8 && tree.nodes.len() + 1 == tree.values.len());
        assert!(tree.leaf_rows.iter().all(|&rows| rows >= 30));
        assert_eq!(tree.leaf_rows.iter().sum::<u32>(), 500);
    }
    let wide = Params { leaves: 4, min_rows: 1, ..params };
    let model = fit(&features, Target::Values(&y), &wide).unwrap();
    assert!(model.trees.iter().all(|tree| tree.values.len() == 4));
}

/// A table with every kind of column, missing values and weights, large enough for every parallel path.
struct Mixed {
    x: Vec<f64>,
    z: Vec<f64>,
    valid: Vec<bool>,
    codes: Vec<u32>,
    weights: Vec<f64>,
    values: Vec<f64>,
    classes: Vec<u32>,
}

impl Mixed {
    fn new(rows: usize, classes: u32) -> Self {
        let (x, z, error) = (noise(rows, 3), noise(rows, 4), noise(rows, 5));
        let valid = noise(rows, 6).iter().map(|&draw| draw > 0.1).collect();
        let codes: Vec<u32> = noise(rows, 7).iter().map(|&draw| (draw * draw * 300.0) as u32).collect();
        let value = |row: usize| x[row] * 3.0 + (codes[row] % 3) as f64 * z[row] + error[row];
        let values: Vec<f64> = (0..rows).map(value).collect();
        let class = |value: &f64| (value / 6.0 * f64::from(classes)) as u32;
        let classes = values.iter().map(class).collect();
        Self { weights: noise(rows, 8), x, z, valid, codes, values, classes }
    }

    fn features(&self) -> Vec<Feature<'_>> {
        let mut features = vec![
            numeric("x", &self.x),
            Feature { name: "z", column: Column::Numeric { values: &self.z, valid: Some(&self.valid) } },
            Feature {
                name: "code",
                column: Column::Categorical { codes: &self.codes, valid: Some(&self.valid) },
            },
        ];
        features.extend([numeric("error", &self.weights); 2]);
        features
    }
}

#[test]
fn threads_change_no_byte() {
    for (rows, classes) in [(200_000, 1), (3_000, 2), (40_000, 4)] {
        let mixed = Mixed::new(rows, classes);
        let target = match classes {
            1 => Target::Values(&mixed.values),
            _ => Target::Classes { codes: &mixed.classes, classes },
        };
        let table = Table { features: &mixed.features(), target, weights: Some(&mixed.weights) };
        let params = Params {
            trees: 3,
            row_share: 0.7,
            feature_share: 0.8,
            class_weight: ClassWeight::Balanced,
            early_stop: Some(3),
            seed: 5,
            ..Params::default()
        };
        let run = |threads| {
            let model = train(&table, Some(&table), &params, threads, &mut go_on).unwrap();
            let bits: Vec<u64> =
                model.predict(table.features, threads).unwrap().iter().map(|value| value.to_bits()).collect();
            (model.to_bytes(), bits)
        };
        let expected = run(1);
        for threads in [2, 3, 8] {
            assert!(run(threads) == expected, "{classes} classes, {threads} threads");
        }
    }
}

#[test]
fn learns_classes_and_calibrates_them() {
    for classes in [2, 4] {
        let mixed = Mixed::new(4_000, classes);
        let features = mixed.features();
        let target = Target::Classes { codes: &mixed.classes, classes };
        let model = fit(&features, target, &Params { trees: 30, ..Params::default() }).unwrap();
        let predicted = model.predict(&features, 2).unwrap();
        let mut right = 0;
        for (row, probabilities) in predicted.chunks(classes as usize).enumerate() {
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let best = (0..classes as usize).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
            right += usize::from(best == Some(mixed.classes[row] as usize));
        }
        assert!(right > 3_600, "{right} of 4000 with {classes} classes");
        for class in 0..classes as usize {
            let expected: f64 = predicted.iter().skip(class).step_by(classes as usize).sum();
            let seen = mixed.classes.iter().filter(|&&code| code as usize == class).count() as f64;
            assert!((expected - seen).abs() < 40.0, "class {class}: {expected} for {seen}");
        }
    }
}

#[test]
fn weights_act_like_repeated_rows() {
    let (x, y) = (noise(300, 1), noise(300, 2));
    let weights: Vec<f64> = (0..300).map(|row| f64::from(row % 3)).collect();
    let repeat = |values: &[f64]| -> Vec<f64> {
        values
            .iter()
            .zip(&weights)
            .flat_map(|(&value, &weight)| std::iter::repeat_n(value, weight as usize))
            .collect()
    };
    let (repeated_x, repeated_y) = (repeat(&x), repeat(&y));
    let params = Params { trees: 10, min_rows: 1, leaves: 8, bins: 255, l2: 20.0, ..Params::default() };
    let features = [numeric("x", &x)];
    let table = Table { features: &features, target: Target::Values(&y), weights: Some(&weights) };
    let weighted = train(&table, None, &params, 1, &mut go_on).unwrap();
    let repeated = fit(&[numeric("x", &repeated_x)], Target::Values(&repeated_y), &params).unwrap();
    let (a, b) = (weighted.predict(&features, 1).unwrap(), repeated.predict(&features, 1).unwrap());
    let differing = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 1e-9).count();
    // Edges differ by the rows of weight 0, which the repeated table lacks.
    assert!(differing < 60, "{differing}");
    assert!((weighted.base[0] - repeated.base[0]).abs() < 1e-12);
}

#[test]
fn balanced_classes_start_even() {
    let x = noise(100, 1);
    let codes: Vec<u32> = (0..100).map(|row| u32::from(row < 5)).collect();
    let target = Target::Classes { codes: &codes, classes: 2 };
    let params = Params { class_weight: ClassWeight::Balanced, ..Params::default() };
    let base = fit(&[numeric("x", &x)], target, &params).unwrap().base;
    assert!(base[0].abs() < 1e-12, "{base:?}");
}

#[test]
fn early_stopping_keeps_the_best_round() {
    let (x, y) = (noise(400, 1), noise(400, 2));
    let (other_x, other_y) = (noise(400, 3), noise(400, 4));
    let (features, other_features) = ([numeric("x", &x)], [numeric("x", &other_x)]);
    let data = Table { features: &features, target: Target::Values(&y), weights: None };
    let other = Table { features: &other_features, target: Target::Values(&other_y), weights: None };
    let params = Params { trees: 500, min_rows: 2, early_stop: Some(4), ..Params::default() };
    let mut losses = Vec::new();
    let model = train(&data, Some(&other), &params, 1, &mut |progress| {
        losses.extend(progress.validation_loss);
        ControlFlow::Continue(())
    })
    .unwrap();
    // y is noise, so that more trees only fit worse.
    assert!(losses.len() < 20, "{losses:?}");
    assert_eq!(losses.len(), model.trees() + 4);
    let without = Params { early_stop: None, trees: losses.len() as u32, ..params };
    let full = train(&data, Some(&other), &without, 1, &mut go_on).unwrap();
    assert_eq!(full.trees(), losses.len());
    assert_eq!(full.trees[..model.trees()], model.trees);
}

#[test]
fn training_can_be_cancelled() {
    let (x, y) = (noise(100, 1), noise(100, 2));
    let features = [numeric("x", &x)];
    let table = Table { features: &features, target: Target::Values(&y), weights: None };
    for last in [0, 7] {
        let mut calls = 0;
        let cancelled = train(&table, None, &Params::default(), 1, &mut |progress| {
            calls += 1;
            assert_eq!((progress.done + 1, progress.total), (calls, 100));
            if progress.done == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((cancelled, calls), (Err(TrainError::Cancelled), last + 1));
    }
}

#[test]
fn nothing_to_learn_is_a_constant() {
    let constant = [1.0; 50];
    let y = noise(50, 2);
    let none = [false; 50];
    let empty = Feature { name: "empty", column: Column::Numeric { values: &constant, valid: Some(&none) } };
    let no_codes =
        Feature { name: "no codes", column: Column::Categorical { codes: &[0; 50], valid: Some(&none) } };
    let features = [numeric("constant", &constant), empty, no_codes];
    let model = fit(&features, Target::Values(&y), &Params::default()).unwrap();
    let mean = y.iter().sum::<f64>() / 50.0;
    assert!(model.predict(&features, 1).unwrap().iter().all(|value| (value - mean).abs() < 1e-12));
    // A target without variation, and one row.
    let x = noise(50, 1);
    let flat = fit(&[numeric("x", &x)], Target::Values(&constant), &Params::default()).unwrap();
    assert_eq!(flat.predict(&[numeric("x", &x)], 1).unwrap(), constant);
    let single = fit(&[numeric("x", &x[..1])], Target::Values(&[7.0]), &Params::default()).unwrap();
    assert_eq!(single.predict(&[numeric("x", &x[..1])], 1).unwrap(), [7.0]);
    assert_eq!(single.predict(&[numeric("x", &[])], 1).unwrap(), Vec::<f64>::new());
}

#[test]
fn a_class_without_rows_is_improbable() {
    let x = noise(90, 1);
    let codes: Vec<u32> = (0..90).map(|row| row % 2).collect();
    let model =
        fit(&[numeric("x", &x)], Target::Classes { codes: &codes, classes: 3 }, &Params::default()).unwrap();
    let predicted = model.predict(&[numeric("x", &x)], 1).unwrap();
    assert!(predicted.chunks(3).all(|row| row[2] < 1e-6 && row[0].is_finite()));
}

#[test]
fn mistakes_are_named() {
    let x = [1.0, f64::NAN, 3.0];
    let y = [1.0, 2.0, 3.0];
    let defaults = Params::default();
    let message = |features: &[Feature], target, params: &Params| {
        fit(features, target, params).unwrap_err().to_string()
    };
    let good = [numeric("age", &y)];
    for (found, expected) in [
        (
            message(&[numeric("age", &x)], Target::Values(&y), &defaults),
            "`age` is NaN in row 1; make it missing, or drop the row",
        ),
        (message(&[], Target::Values(&y), &defaults), "there are no features"),
        (message(&[numeric("age", &[])], Target::Values(&[]), &defaults), "there are no rows"),
        (message(&good, Target::Values(&y[1..]), &defaults), "`label` has 2 rows where 3 are needed"),
        (
            message(&good, Target::Classes { codes: &[0, 5, 1], classes: 3 }, &defaults),
            "the label in row 1 is class 5, but there are 3 classes",
        ),
        (
            message(&good, Target::Classes { codes: &[1, 1, 1], classes: 2 }, &defaults),
            "all rows have the same class; a classifier needs rows of at least two",
        ),
        (
            message(&good, Target::Values(&y), &Params { bins: 256, ..defaults.clone() }),
            "`bins` is 256; it must be from 2 to 255",
        ),
        (
            message(&good, Target::Values(&y), &Params { learning_rate: f64::NAN, ..defaults.clone() }),
            "`learning_rate` is NaN; it must be from 0 to 1",
        ),
        (
            message(&good, Target::Values(&y), &Params { early_stop: Some(3), ..defaults.clone() }),
            "`early_stop` needs validation data",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let rising = Params { monotone: vec![Monotone::Increasing], ..defaults.clone() };
    let target = Target::Classes { codes: &[0, 1, 2], classes: 3 };
    assert!(matches!(fit(&good, target, &rising), Err(TrainError::MonotoneClasses { classes: 3 })));
    let unordered = fit(&[categorical("age", &[0, 1, 2])], Target::Values(&y), &rising);
    assert!(matches!(unordered, Err(TrainError::MonotoneCategory { .. })));
    let too_many = Params { monotone: vec![Monotone::Free; 2], ..defaults.clone() };
    assert!(matches!(fit(&good, Target::Values(&y), &too_many), Err(TrainError::MonotoneLength { .. })));
    let too_large = fit(&good, Target::Values(&[0.0, 1e101, 0.0]), &defaults);
    let too_large = too_large.unwrap_err().to_string();
    assert!(too_large.starts_with("the label is 1e101 in row 2;"), "{too_large}");
    let model = fit(&good, Target::Values(&y), &defaults).unwrap();
    assert!(matches!(model.predict(&[], 1), Err(DataError::FeatureCount { found: 0, expected: 1 })));
    assert!(matches!(model.predict(&[categorical("age", &[1])], 1), Err(DataError::FeatureKind { .. })));
    assert!(matches!(model.predict(&[numeric("age", &x)], 1), Err(DataError::NotFinite { row: 1, .. })));
    // Under a mask anything may stand.
    let masked =
        Feature { name: "age", column: Column::Numeric { values: &x, valid: Some(&[true, false, true]) } };
    assert!(model.predict(&[masked], 1).is_ok());
}

#[test]
fn extreme_numbers_stay_finite() {
    let x = [-f64::MAX, -1e300, -1e-300, 0.0, 5e-324, 1e-300, 1.0, f64::MAX];
    let y = [-1e100, 1e100, 0.0, 1e-300, 5.0, 1e50, -1e100, 1e100];
    let features = [numeric("x", &x)];
    let model = fit(&features, Target::Values(&y), &one_tree()).unwrap();
    assert!(model.predict(&features, 1).unwrap().iter().all(|value| value.is_finite()));
}

fn stored() -> Vec<u8> {
    let mut mixed = Mixed::new(600, 3);
    mixed.codes.iter_mut().for_each(|code| *code %= 3);
    let target = Target::Classes { codes: &mixed.classes, classes: 3 };
    let params = Params { trees: 2, leaves: 6, ..Params::default() };
    fit(&mixed.features(), target, &params).unwrap().to_bytes()
}

#[test]
fn bytes_round_trip() {
    let bytes = stored();
    let model = Model::from_bytes(&bytes).unwrap();
    assert!(model.trees.iter().any(|tree| !tree.sets.is_empty()));
    assert_eq!(model.to_bytes(), bytes);
    assert!(bytes.starts_with(b"flow-gbdt/1\n"));
}

#[test]
fn every_truncation_and_flip_is_found() {
    let bytes = stored();
    for end in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        assert!(Model::from_bytes(&flipped).is_err(), "{place}");
    }
}

proptest! {
    /// Damage that passes the checksum: what is read at all can be walked and comes out as it went in.
    #[test]
    fn forged_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0_usize..40) {
        let mut bytes = stored();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate(bytes.len() - 8 - cut);
        bytes::seal(&mut bytes);
        if let Ok(model) = Model::from_bytes(&bytes) {
            prop_assert_eq!(model.to_bytes(), bytes);
            let mixed = Mixed::new(20, 3);
            let _ = model.predict(&mixed.features(), 1);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = [b"flow-gbdt/1\n", &body[..]].concat();
        bytes::seal(&mut bytes);
        let _ = Model::from_bytes(&bytes);
    }

    /// Whatever the data, each training row's prediction is within the range of the target.
    #[test]
    fn one_full_step_stays_in_range(
        rows in prop::collection::vec((-1e3..1e3_f64, any::<bool>(), 0_u32..9, -100.0..100.0_f64), 1..80),
        min_rows in 1_u32..5,
        bins in 2_u32..20,
    ) {
        let x: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let valid: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let codes: Vec<u32> = rows.iter().map(|row| row.2).collect();
        let y: Vec<f64> = rows.iter().map(|row| row.3).collect();
        let features = [
            Feature { name: "x", column: Column::Numeric { values: &x, valid: Some(&valid) } },
            categorical("c", &codes),
        ];
        let model = fit(&features, Target::Values(&y), &Params { min_rows, bins, ..one_tree() }).unwrap();
        let (low, high) = y.iter().fold((f64::MAX, f64::MIN), |(low, high), &y| (low.min(y), high.max(y)));
        for value in model.predict(&features, 1).unwrap() {
            prop_assert!(value >= low - 1e-9 && value <= high + 1e-9);
        }
        prop_assert_eq!(Model::from_bytes(&model.to_bytes()), Ok(model));
    }
}
