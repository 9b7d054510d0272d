use super::*;

/// How many floats lie between two.
fn distance(a: f64, b: f64) -> u64 {
    if a.is_nan() && b.is_nan() {
        return 0;
    }
    let ordered = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    ordered(a).abs_diff(ordered(b))
}

/// A fixed sequence of numbers of all magnitudes and both signs.
fn samples(count: usize) -> impl Iterator<Item = f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let unit = (state >> 11) as f64 / 9_007_199_254_740_992.0;
        match state % 4 {
            0 => unit * 2.0 - 1.0,
            1 => (unit - 0.5) * 60.0,
            2 => (unit - 0.5) * 1_500.0,
            _ => f64::from_bits(state.rotate_left(17)),
        }
    })
    .filter(|x| x.is_finite())
    .take(count)
}

/// The standard library's results stand as the reference: on the platforms of the tests they are
/// within one unit of the true value, so that the bound is for both errors together.
fn worst(function: impl Fn(f64) -> f64, reference: impl Fn(f64) -> f64) -> (u64, f64) {
    samples(200_000).map(|x| (distance(function(x), reference(x)), x)).max_by_key(|(d, _)| *d).unwrap()
}

fn sigmoid_reference(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

#[test]
fn close_to_the_reference() {
    for (name, (distance, at), bound) in [
        ("exp", worst(exp, f64::exp), 1),
        ("expm1", worst(expm1, f64::exp_m1), 2),
        ("log", worst(|x| log(x.abs()), |x| x.abs().ln()), 1),
        ("log1p", worst(log1p, f64::ln_1p), 2),
        ("sin", worst(sin, f64::sin), 1),
        ("cos", worst(cos, f64::cos), 1),
        ("tanh", worst(tanh, f64::tanh), 4),
        ("sigmoid", worst(sigmoid, sigmoid_reference), 3),
        ("pow", worst(|x| pow(x.abs(), 1.7), |x| x.abs().powf(1.7)), 1),
        ("pow of 1.01", worst(|x| pow(1.01, x), |x| 1.01_f64.powf(x)), 1),
        ("pow of an odd power", worst(|x| pow(x, 3.0), |x| x.powf(3.0)), 1),
    ] {
        println!("{name}: {distance} at {at:?}");
        assert!(distance <= bound, "{name} is {distance} places off at {at:?}");
    }
}

/// Well-known values, rounded from more digits than a float has.
#[test]
fn close_to_the_truth() {
    for (found, truth) in [
        (exp(1.0), std::f64::consts::E),
        (exp(-0.5), 0.606_530_659_712_633_4),
        (log(10.0), std::f64::consts::LN_10),
        (log(2.0), std::f64::consts::LN_2),
        (sin(1e22), -0.852_200_849_767_188_8),
        (cos(1e22), 0.523_214_785_395_139),
        (sin(std::f64::consts::PI), 1.224_646_799_147_353_2e-16),
        (tanh(0.5), 0.462_117_157_260_009_7),
        (pow(2.0, 0.5), std::f64::consts::SQRT_2),
        (pow(3.0, 2.0), 9.0),
        (pow(10.0, 15.0), 1e15),
        (pow(10.0, -3.0), 1e-3),
        (log1p(1e-10), 9.999_999_999_5e-11),
        (expm1(1e-10), 1.000_000_000_05e-10),
    ] {
        assert!(distance(found, truth) <= 1, "{found:e} is not {truth:e}");
    }
}

#[test]
fn at_the_edges() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (name, found, expected) in [
        ("exp", exp(710.0), inf),
        ("exp", exp(-746.0), 0.0),
        ("exp", exp(-inf), 0.0),
        ("exp", exp(nan), nan),
        ("exp", exp(-745.0), 5e-324),
        ("expm1", expm1(-inf), -1.0),
        ("expm1", expm1(-0.0), -0.0),
        ("expm1", expm1(inf), inf),
        ("log", log(0.0), -inf),
        ("log", log(-1.0), nan),
        ("log", log(inf), inf),
        ("log", log(1.0), 0.0),
        ("log1p", log1p(-1.0), -inf),
        ("log1p", log1p(-2.0), nan),
        ("log1p", log1p(1e300), log(1e300)),
        ("sin", sin(inf), nan),
        ("sin", sin(-0.0), -0.0),
        ("cos", cos(0.0), 1.0),
        ("tanh", tanh(-inf), -1.0),
        ("tanh", tanh(1e-300), 1e-300),
        ("sigmoid", sigmoid(-inf), 0.0),
        ("sigmoid", sigmoid(inf), 1.0),
        ("sigmoid", sigmoid(0.0), 0.5),
        ("sigmoid", sigmoid(nan), nan),
        ("pow", pow(nan, 0.0), 1.0),
        ("pow", pow(1.0, nan), 1.0),
        ("pow", pow(-8.0, 1.0 / 3.0), nan),
        ("pow", pow(-2.0, 3.0), -8.0),
        ("pow", pow(-0.0, -3.0), -inf),
        ("pow", pow(-0.0, 3.0), -0.0),
        ("pow", pow(0.5, inf), 0.0),
        ("pow", pow(0.5, -inf), inf),
        ("pow", pow(-1.0, inf), 1.0),
        ("pow", pow(-inf, 3.0), -inf),
        ("pow", pow(10.0, 400.0), inf),
        ("pow", pow(10.0, -400.0), 0.0),
        ("pow", pow(f64::MIN_POSITIVE / 4.0, 0.5), (f64::MIN_POSITIVE / 4.0).sqrt()),
    ] {
        assert_eq!(found.to_bits(), expected.to_bits(), "{name}: {found} is not {expected}");
    }
}

/// A change of these hashes is a change of results: raise the functions' versions with it.
#[test]
fn bits_are_the_same_everywhere() {
    let hash = |function: &dyn Fn(f64) -> f64| {
        let bits = samples(20_000).flat_map(|x| function(x).to_bits().to_le_bytes());
        let text = crate::hash::Hash::of(&bits.collect::<Vec<u8>>()).to_string();
        text.chars().take(16).collect::<String>()
    };
    let found = [
        ("exp", hash(&exp)),
        ("expm1", hash(&expm1)),
        ("log", hash(&|x| log(x.abs()))),
        ("log1p", hash(&|x| log1p(x.abs()))),
        ("sin", hash(&sin)),
        ("cos", hash(&cos)),
        ("tanh", hash(&tanh)),
        ("sigmoid", hash(&sigmoid)),
        ("pow", hash(&|x| pow(x.abs(), 1.7))),
    ];
    let found: Vec<String> = found.iter().map(|(name, hash)| format!("{name} {hash}")).collect();
    assert_eq!(found, BITS);
}

const BITS: [&str; 9] = [
    "exp ba56c853be20072f",
    "expm1 cc597008b018fe83",
    "log 8d706429b906994c",
    "log1p 24771342f4ff4e8d",
    "sin 4941189099f25d64",
    "cos 45ec0498ec6ea46d",
    "tanh 25ed855d777f1714",
    "sigmoid a2301af8378cf65e",
    "pow 6644a2b5c5bd0c55",
];
