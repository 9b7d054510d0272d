//! The colours, once for light and once for dark.

use crate::pictures::scene::{Gives, State};

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    pub name: &'static str,
    pub light: &'static str,
    pub dark: &'static str,
}

const fn tone(name: &'static str, light: &'static str, dark: &'static str) -> Tone {
    Tone { name, light, dark }
}

pub const PAGE: Tone = tone("page", "#fbfcfe", "#0f141b");
pub const CARD: Tone = tone("card", "#ffffff", "#19202a");
pub const LINE: Tone = tone("line", "#ccd4df", "#364151");
pub const TEXT: Tone = tone("text", "#18212e", "#e8edf4");
pub const SOFT: Tone = tone("soft", "#566376", "#9eabbc");

pub const TABLE: Tone = tone("table", "#2563c9", "#66a3f7");
pub const MODEL: Tone = tone("model", "#7540cc", "#b391f7");
pub const VALUE: Tone = tone("value", "#0b7a69", "#41c4aa");
pub const FILE: Tone = tone("file", "#9a5b05", "#dfa548");
pub const NOTHING: Tone = tone("nothing", "#bf3167", "#f07da3");
pub const STEERING: Tone = tone("steering", "#5b6778", "#98a5b6");

pub const FAILED: Tone = tone("failed", "#c22f2f", "#f27979");
pub const RUNNING: Tone = tone("running", "#a5650a", "#e6a93f");
pub const FINISHED: Tone = tone("finished", "#1d7f45", "#4dc07a");
pub const CACHED: Tone = tone("cached", "#2a6ec2", "#6da9f2");
pub const CANCELLED: Tone = tone("cancelled", "#8a4f86", "#cc93c8");
pub const WAITING: Tone = tone("waiting", "#66717f", "#8a96a5");

pub const ALL: [Tone; 17] = [
    PAGE, CARD, LINE, TEXT, SOFT, TABLE, MODEL, VALUE, FILE, NOTHING, STEERING, FAILED, RUNNING, FINISHED,
    CACHED, CANCELLED, WAITING,
];

pub fn of_gives(gives: Gives) -> Tone {
    match gives {
        Gives::Table => TABLE,
        Gives::Model => MODEL,
        Gives::Value => VALUE,
        Gives::File => FILE,
        Gives::Nothing => NOTHING,
    }
}

pub fn of_state(state: State) -> Tone {
    match state {
        State::Failed => FAILED,
        State::Running => RUNNING,
        State::Finished => FINISHED,
        State::Cached => CACHED,
        State::Cancelled => CANCELLED,
        State::Skipped | State::Pending => WAITING,
    }
}

/// The style sheet. Each colour is a class for filling (`f-`) and one for lines (`s-`); those that know no media
/// queries, as many converters do, draw the light ones. All is below `flow-dag`, so that a page may hold it.
pub fn style() -> String {
    const FIXED: &str = ".flow-dag text{font-family:\"Helvetica Neue\",Helvetica,Arial,\"Liberation Sans\",sans-serif;\
        font-size:11px}\
        .flow-dag .h1{font-size:19px;font-weight:700}.flow-dag .id{font-size:13px;font-weight:700}\
        .flow-dag .bold{font-weight:700}\
        .flow-dag .small{font-size:10px}.flow-dag .word{font-size:10px;font-weight:700}\
        .flow-dag text.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"Liberation Mono\",monospace}\
        .flow-dag .middle{text-anchor:middle}.flow-dag .end{text-anchor:end}\
        .flow-dag .edge{fill:none;stroke-width:1.5}.flow-dag .after{stroke-dasharray:4 4}\
        .flow-dag .tint{fill-opacity:.06}.flow-dag .pale{fill-opacity:.13}";
    let rules = |colour: fn(&Tone) -> &'static str| -> String {
        ALL.iter()
            .map(|tone| {
                let (name, colour) = (tone.name, colour(tone));
                format!(".flow-dag .f-{name}{{fill:{colour}}}.flow-dag .s-{name}{{stroke:{colour}}}")
            })
            .collect()
    };
    format!(
        "{FIXED}{}@media(prefers-color-scheme:dark){{{}}}",
        rules(|tone| tone.light),
        rules(|tone| tone.dark)
    )
}
