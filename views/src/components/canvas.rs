//! Where charts are drawn: the plotting library's strokes become SVG that the stylesheet colours.
//!
//! Owner of that translation. The library knows colours and one size; a page has roles, two
//! themes and many widths. So a role travels as the number of a colour and leaves as a class,
//! shapes are stretched to the width of the page while strokes keep theirs, and labels stand at
//! shares of the width in the size of the page's own text. It must never write a style.

use maud::{Markup, PreEscaped, html};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle};
use plotters_backend::{DrawingBackend, DrawingErrorKind};
use std::convert::Infallible;
use std::fmt::Write as _;

/// Width of the plot in the drawing's own units: fine enough for the pixels of a wide screen.
pub(super) const WIDE: u32 = 2_880;
/// Width of the strip beside it that holds the scale's labels.
pub(super) const SCALE: u32 = 400;
/// Height of the strip below that holds the labels of time.
pub(super) const AXIS: u32 = 240;
/// Size of labels in those units, for the library's layout alone.
pub(super) const LABEL: u32 = 120;

/// What a stroke or a label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// A line of the grid.
    Grid,
    /// A label.
    Label,
    /// The word in a band of a timeline.
    Word,
    /// The line of means.
    Line,
    /// From lowest to highest.
    Band,
    /// The hub did not run.
    HubGap,
    /// The device was away.
    DeviceGap,
    /// There is no record any more, or not yet.
    NoRecord,
    /// Several states within a pixel.
    Busy,
    /// Off, closed, locked.
    Calm,
    /// On, open.
    Active,
    /// Worth a look.
    Notice,
    /// Wrong.
    Bad,
    /// One of several words, by its place among them.
    Hue(u8),
}

/// Classes by the number of the colour; the hues come last.
const CLASSES: [&str; 19] = [
    "grid",
    "label",
    "word",
    "line",
    "band",
    "gap hub",
    "gap away",
    "gap none",
    "phase busy",
    "phase calm",
    "phase active",
    "phase notice",
    "phase bad",
    "phase hue-0",
    "phase hue-1",
    "phase hue-2",
    "phase hue-3",
    "phase hue-4",
    "phase hue-5",
];
/// How many words have a hue of their own.
pub const HUES: u8 = 6;

impl Ink {
    const fn number(self) -> u8 {
        match self {
            Self::Grid => 0,
            Self::Label => 1,
            Self::Word => 2,
            Self::Line => 3,
            Self::Band => 4,
            Self::HubGap => 5,
            Self::DeviceGap => 6,
            Self::NoRecord => 7,
            Self::Busy => 8,
            Self::Calm => 9,
            Self::Active => 10,
            Self::Notice => 11,
            Self::Bad => 12,
            Self::Hue(n) => 13 + n % HUES,
        }
    }

    /// As the library takes it.
    pub(super) const fn color(self) -> RGBColor {
        RGBColor(self.number(), 0, 0)
    }

    /// As the stylesheet knows it.
    pub fn class(self) -> &'static str {
        of(self.color().0)
    }
}

fn of(number: u8) -> &'static str {
    CLASSES
        .get(usize::from(number))
        .copied()
        .unwrap_or_default()
}

fn class(color: BackendColor) -> &'static str {
    of(color.rgb.0)
}

/// What was drawn, in pieces.
#[derive(Default)]
pub(super) struct Drawing {
    shapes: String,
    labels: String,
    scale: String,
    /// Letters of the longest label of the scale.
    letters: usize,
}

impl Drawing {
    /// The pictures: scale, if there is one, and plot. `class` says how tall they are.
    pub(super) fn markup(&self, height: u32, class: &str) -> Markup {
        let view_box = format!("0 0 {WIDE} {height}");
        // A digit is a bit wider than half its height.
        let width = format!("{:.1}em", self.letters as f64 * 0.58 + 0.5);
        html! {
            @if !self.scale.is_empty() {
                svg.scale.(class) width=(width) aria-hidden="true" { (PreEscaped(&self.scale)) }
            }
            svg.plot.(class) aria-hidden="true" {
                svg viewBox=(view_box) preserveAspectRatio="none" width="100%" height="100%" {
                    (PreEscaped(&self.shapes))
                    path.cursor d=(format!("M0 0V{}", height - AXIS)) {}
                }
                (PreEscaped(&self.labels))
            }
        }
    }
}

/// The library's backend.
pub(super) struct Canvas<'a> {
    drawing: &'a mut Drawing,
    /// Height without the strip of time labels.
    plot: u32,
    scale: u32,
}

impl<'a> Canvas<'a> {
    /// Of a plot of that height, with or without a scale beside it.
    pub(super) const fn new(drawing: &'a mut Drawing, plot: u32, scale: bool) -> Self {
        Self {
            drawing,
            plot,
            scale: if scale { SCALE } else { 0 },
        }
    }

    const fn height(&self) -> u32 {
        self.plot + AXIS
    }

    /// Coordinates within the plot.
    fn at(&self, (x, y): BackendCoord) -> (i32, i32) {
        (x - signed(self.scale), y)
    }

    /// A share of a length, in per cent.
    fn share(part: i32, whole: u32) -> f64 {
        (f64::from(part) / f64::from(whole) * 10_000.0).round() / 100.0
    }

    fn path(&mut self, points: impl IntoIterator<Item = BackendCoord>, class: &str, close: bool) {
        let mut before: Option<(i32, i32)> = None;
        let mut d = String::new();
        for point in points {
            let (x, y) = self.at(point);
            // Steps are shorter to write than places. Writing to a String cannot fail.
            let _ = match before {
                None => write!(d, "M{x} {y}"),
                Some((_, old)) if old == y => write!(d, "h{}", x - before.map_or(0, |b| b.0)),
                Some((old, _)) if old == x => write!(d, "v{}", y - before.map_or(0, |b| b.1)),
                Some((old_x, old_y)) => write!(d, "l{} {}", x - old_x, y - old_y),
            };
            before = Some((x, y));
        }
        if close {
            d.push('z');
        }
        let _ = write!(self.drawing.shapes, "<path class=\"{class}\" d=\"{d}\"/>");
    }

    fn text(&mut self, text: &str, class: &str, anchor: (HPos, VPos), pos: BackendCoord) {
        let dy = match anchor.1 {
            VPos::Top => "1.1em",
            VPos::Center => ".35em",
            VPos::Bottom => "0",
        };
        let y = Self::share(pos.1, self.height());
        // The scale's labels end at the plot; those of time stand in it.
        let beside = pos.0 <= signed(self.scale) && matches!(anchor.0, HPos::Right);
        let (x, side) = if beside {
            self.drawing.letters = self.drawing.letters.max(text.chars().count());
            (100.0, "end")
        } else {
            let x = Self::share(self.at(pos).0, WIDE);
            let middle = match anchor.0 {
                HPos::Left => "start",
                HPos::Center => "middle",
                HPos::Right => "end",
            };
            // Near an edge a label moves in a little, so that half of it fits into the margin
            // around the plot; moved further it would touch the label before.
            (x.clamp(3.0, 97.0), middle)
        };
        let words = html! {
            text.(class) x=(format!("{x}%")) y=(format!("{y}%")) dy=(dy) text-anchor=(side) { (text) }
        };
        let place = if beside {
            &mut self.drawing.scale
        } else {
            &mut self.drawing.labels
        };
        place.push_str(&words.into_string());
    }
}

fn signed(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (WIDE + self.scale, self.height())
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.path([point, point], class(color), false);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
            self.path(corners, class(style.color()), true);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(path, class(style.color()), false);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        _radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        // Stretched shapes hold no circles; a stroke without length has round ends.
        self.path([center, center], class(style.color()), false);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        self.path(corners, class(style.color()), true);
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &T,
        pos: BackendCoord,
    ) -> Drawn {
        let anchor = style.anchor();
        self.text(
            text,
            class(style.color()),
            (anchor.h_pos, anchor.v_pos),
            pos,
        );
        Ok(())
    }
}
