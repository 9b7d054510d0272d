//! A scene as one SVG: no scripts, no fonts and nothing else from elsewhere, dark and light in one file.
//!
//! [`measure`] finds how large each card must be for its text, and lays out the regions in it, the innermost first;
//! [`draw`] and [`card`] say what there is to see by then, and [`pen`] writes it. [`palette`] has the colours, [`text`] widths and escapes.

mod card;
mod draw;
mod measure;
mod palette;
mod pen;
#[cfg(test)]
mod tests;
mod text;
