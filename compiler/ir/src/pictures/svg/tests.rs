use proptest::prelude::*;

use super::{
    palette::{self, Tone},
    text::{Face, escape_into, shortened, width},
};
use crate::{arbitrary, dag::Dag, pictures::NodeState};

/// The names of the elements, or what is wrong.
fn elements(xml: &str) -> Result<Vec<String>, String> {
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').ok_or_else(|| format!("`<{part}` does not end"))?;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("`</{name}>` ends nothing"));
            }
        } else {
            let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
            let is_odd = tag.matches('"').count() % 2 == 1 || tag.contains("NaN") || tag.contains("inf");
            if name.is_empty() || is_odd {
                return Err(format!("`<{tag}>` is no element"));
            }
            all.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        let mut entities = text.split('&').skip(1);
        if let Some(bad) = entities.find(|text| {
            !["lt;", "gt;", "amp;", "quot;", "#39;"].iter().any(|entity| text.starts_with(entity))
        }) {
            return Err(format!("`&{bad}` is no entity"));
        }
        if let Some(bad) = text.chars().find(|c| c.is_control() && *c != '\n') {
            return Err(format!("{bad:?} is no character of XML"));
        }
    }
    if open.is_empty() { Ok(all) } else { Err(format!("{open:?} do not end")) }
}

proptest! {
    #[test]
    fn every_dag_is_well_formed_and_drawn_alike(dag in arbitrary::dag()) {
        let svg = dag.to_svg();
        let elements = elements(&svg).map_err(TestCaseError::fail)?;
        let known = ["svg", "title", "desc", "style", "g", "rect", "path", "text", "circle"];
        let unknown = elements.iter().find(|name| !known.contains(&name.as_str()));
        prop_assert_eq!(unknown, None);
        prop_assert_eq!(svg, dag.clone().to_svg());
    }

    #[test]
    fn any_text_is_text(text in any::<String>()) {
        let mut xml = "<text>".to_owned();
        escape_into(&mut xml, &text);
        prop_assert_eq!(elements(&(xml + "</text>")), Ok(vec!["text".to_owned()]));
    }

    #[test]
    fn shortened_text_fits(text in any::<String>(), most in 30.0..200.0_f64) {
        for face in [Face::Plain, Face::Bold, Face::Mono] {
            let short = shortened(&text, face, 13.0, most);
            prop_assert!(width(&short, face, 13.0) <= most + 0.01, "{short}");
        }
    }
}

#[test]
fn short_text_stays_and_long_text_keeps_both_ends() {
    assert_eq!(shortened("short", Face::Plain, 11.0, 100.0), "short");
    let long = shortened("candidates[12].a_name_that_goes_on_and_on.gbdt", Face::Plain, 11.0, 160.0);
    assert!(long.starts_with("candidates[12]") && long.ends_with("gbdt") && long.contains('…'), "{long}");
}

#[test]
fn nothing_of_a_hostile_name_is_markup() {
    let mut dag = Dag::from_text("dag a.a\n\na = { 1.0 < 2.0 } -> Bool\n\noutput o: Bool = a\n").unwrap();
    let hostile = "</title><script>alert(1)</script>&\"'\u{202e}\u{1}".to_owned();
    dag.workflow.clone_from(&hostile);
    dag.nodes[0].id.clone_from(&hostile);
    dag.outputs[0].name = hostile;
    let svg = dag.to_svg();
    assert!(elements(&svg).is_ok(), "{svg}");
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;") && !svg.contains('\u{202e}'), "{svg}");
}

#[test]
fn states_are_said_in_words() {
    let text =
        "dag a.a\n\na = { 1.0 < 2.0 } -> Bool\nb = { let a = a; not a } -> Bool\n\noutput o: Bool = b\n";
    let dag = Dag::from_text(text).unwrap();
    let states = [
        NodeState { id: "a", state: "finished", seconds: Some(1.25) },
        NodeState { id: "b", state: "failed", seconds: None },
    ];
    let svg = dag.to_svg_of_run(&states);
    assert!(svg.contains(">finished · 1.2 s<") && svg.contains(">failed<"), "{svg}");
    assert!(!dag.to_svg().contains("finished ·"));
}

#[test]
fn twenty_thousand_nodes_make_one_page() {
    // Each node reads the one before and one far before, so that neither width nor depth is small.
    let mut text = "dag a.a\n\nn0 = { 1 + 1 } -> Int\n".to_owned();
    for number in 1..20_000_u64 {
        let far = number * 48_271 % number;
        let near = number - 1 - (number * 16_807) % 40.min(number);
        text += &format!("n{number} = {{ let a = n{near}; let b = n{far}; a + b }} -> Int\n");
    }
    let dag = Dag::from_text(&text).unwrap();
    let start = std::time::Instant::now();
    let svg = dag.to_svg();
    assert!(svg.len() < 500_000, "{} bytes", svg.len());
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// Relative luminance and contrast as WCAG 2.2 defines them.
fn contrast(a: &str, b: &str) -> f64 {
    let luminance = |colour: &str| -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(colour.get(at..at + 2).unwrap(), 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_is_readable_in_light_and_dark() {
    let grounds = [palette::PAGE, palette::CARD];
    let is_ground = |tone: &Tone| grounds.contains(tone) || *tone == palette::LINE;
    for tone in palette::ALL.iter().filter(|tone| !is_ground(tone)) {
        for ground in &grounds {
            for (of, on) in [(tone.light, ground.light), (tone.dark, ground.dark)] {
                assert!(
                    contrast(of, on) >= 4.5,
                    "{} {of} on {} {on}: {}",
                    tone.name,
                    ground.name,
                    contrast(of, on)
                );
            }
        }
    }
}
