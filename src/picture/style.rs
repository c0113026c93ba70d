//! How a curve looks: one colour for a method in every picture, and what tells curves of one colour apart.

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink(pub u8, pub u8, pub u8);

const BLUE: Ink = Ink(0, 114, 178);
const SKY: Ink = Ink(70, 175, 235);
const GREEN: Ink = Ink(0, 150, 105);
const LIME: Ink = Ink(135, 160, 20);
const VERMILION: Ink = Ink(220, 90, 0);
const ORANGE: Ink = Ink(235, 165, 0);
const PINK: Ink = Ink(225, 120, 180);
const PURPLE: Ink = Ink(110, 60, 165);
const CRIMSON: Ink = Ink(190, 15, 50);
const MAGENTA: Ink = Ink(170, 0, 190);
const SALMON: Ink = Ink(255, 120, 100);
const BROWN: Ink = Ink(135, 85, 65);
const BLACK: Ink = Ink(0, 0, 0);
const GREY: Ink = Ink(140, 140, 140);

/// Of curves that are no method's, in turn; colours that stay apart for colour-blind readers: Okabe & Ito (2008) without their yellow,
/// which is faint on white.
const PALETTE: [Ink; 7] = [
    Ink(0, 114, 178),
    Ink(213, 94, 0),
    Ink(0, 158, 115),
    Ink(204, 121, 167),
    Ink(0, 0, 0),
    Ink(230, 159, 0),
    Ink(86, 180, 233),
];
/// Of what is no measurement.
pub(crate) const GUIDE: Ink = Ink(130, 130, 130);

/// Lengths of dash and gap, in points.
const DASHES: [&[f64]; 5] =
    [&[], &[8.0, 4.0], &[2.0, 3.0], &[10.0, 3.0, 2.0, 3.0], &[14.0, 3.0, 2.0, 3.0, 2.0, 3.0]];

/// Methods with their colours and dashes (`DASHES`); relatives share a colour. A name in a picture is a method's where it begins with the
/// method's: `Adam, rate 0.1`.
const METHODS: [(&str, Ink, usize); 35] = [
    ("newton", BLUE, 0),
    ("regularised newton", BLUE, 1),
    ("regularized newton", BLUE, 1),
    ("proximal newton", BLUE, 2),
    ("newton-cg", PURPLE, 0),
    ("trust region", SKY, 0),
    ("adaptive cubic", SKY, 1),
    ("tron", SKY, 2),
    ("levenberg-marquardt", ORANGE, 0),
    ("lm", ORANGE, 0),
    ("gauss-newton", ORANGE, 1),
    ("variable projection", ORANGE, 2),
    ("bounded levenberg-marquardt", ORANGE, 3),
    ("bfgs", GREEN, 0),
    ("dfp", GREEN, 1),
    ("sr1", GREEN, 2),
    ("self-scaled broyden", LIME, 0),
    ("bfgs, self-scaled broyden", LIME, 0),
    ("self-scaled bfgs", LIME, 1),
    ("bfgs, self-scaled bfgs", LIME, 1),
    ("l-bfgs", VERMILION, 0),
    ("l-bfgs-b", VERMILION, 1),
    ("owl-qn", VERMILION, 2),
    ("nonlinear cg", PINK, 0),
    ("gradient descent", BLACK, 0),
    ("sgd", BLACK, 0),
    ("momentum", GREY, 0),
    ("nesterov", MAGENTA, 0),
    ("adagrad", BROWN, 0),
    ("rmsprop", SALMON, 0),
    ("adadelta", BROWN, 2),
    ("adam", CRIMSON, 0),
    ("adamw", CRIMSON, 1),
    ("auto", GREEN, 4),
    ("auto:", GREEN, 4),
];

/// Colour and dashes of a method, where `name` is one's.
fn of_method(name: &str) -> Option<(Ink, usize)> {
    // Hyphens of print are hyphens.
    let name = name.to_lowercase().replace(['–', '‑'], "-");
    let begins = |method: &&(&str, Ink, usize)| {
        let rest = name.strip_prefix(method.0);
        // `l-bfgs` does not begin with a method called `l`, nor `newton-cg` with Newton.
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
    };
    let found = METHODS.iter().filter(begins).max_by_key(|method| method.0.len());
    found.map(|(_, ink, dashes)| (*ink, *dashes))
}

/// The colour that a method has in every figure, by its name as a comparison or a report has it; none for other names. What follows the
/// name does not matter.
///
/// ```
/// use secant::plot::method_color;
///
/// assert_eq!(method_color("Adam, rate 0.1"), method_color("Adam"));
/// assert_ne!(method_color("BFGS"), method_color("L-BFGS, m = 5"));
/// assert_eq!(method_color("the true curve"), None);
/// ```
#[cfg(feature = "plot")]
pub fn method_color(name: &str) -> Option<[u8; 3]> {
    of_method(name).map(|(Ink(red, green, blue), _)| [red, green, blue])
}

/// What a curve is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "plot"), expect(dead_code, reason = "of figures"))]
pub(crate) enum Kind {
    /// A function's graph, or a row of measurements: no end of its own.
    Curve,
    /// Ends somewhere: the run of a method.
    Run,
    /// Theory, in the background.
    Guide,
    /// Dots that nothing joins.
    Dots,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) ink: Ink,
    pub(crate) dashes: &'static [f64],
}

/// The looks of curves with these names, which differ, in their order: by the methods' table, in turn where a name is no method's;
/// several of one method have different dashes.
pub(crate) fn looks<'a>(curves: impl Iterator<Item = (&'a str, Kind)>) -> Vec<Look> {
    let mut taken: Vec<(Ink, usize)> = Vec::new();
    let mut turn = 0;
    let mut guides = 0;
    let mut look = |(name, kind): (&str, Kind)| match kind {
        Kind::Dots => Look { ink: BLACK, dashes: DASHES[0] },
        Kind::Guide => {
            guides += 1;
            Look { ink: GUIDE, dashes: DASHES[1 + (guides - 1) % (DASHES.len() - 1)] }
        }
        Kind::Curve | Kind::Run => {
            let (ink, first) = of_method(name).unwrap_or_else(|| {
                turn += 1;
                (PALETTE[(turn - 1) % PALETTE.len()], (turn - 1) / PALETTE.len())
            });
            let free = |dashes: &usize| !taken.contains(&(ink, dashes % DASHES.len()));
            let dashes = (first..first + DASHES.len()).find(free).unwrap_or(first) % DASHES.len();
            taken.push((ink, dashes));
            Look { ink, dashes: DASHES[dashes] }
        }
    };
    curves.map(&mut look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_begins_another_is_its_method() {
        let method = |name| of_method(name).unwrap();
        assert_eq!(method("Newton–CG").0, PURPLE);
        assert_eq!(method("Newton").0, BLUE);
        assert_eq!(method("Levenberg–Marquardt").0, method("Levenberg-Marquardt, QR").0);
        assert_eq!(method("L-BFGS, m = 10").0, VERMILION);
        assert_ne!(method("L-BFGS-B"), method("L-BFGS"));
        assert_ne!(method("AdamW"), method("Adam"));
        assert!(of_method("Newtonian").is_none() && of_method("").is_none());
    }

    #[test]
    fn no_two_methods_that_stand_together_look_alike() {
        let together = [
            "Newton",
            "regularised Newton",
            "trust region",
            "adaptive cubic",
            "Newton–CG",
            "Levenberg–Marquardt",
            "Gauss–Newton",
            "variable projection",
            "BFGS",
            "self-scaled Broyden",
            "SR1",
            "DFP",
            "L-BFGS",
            "nonlinear CG",
            "gradient descent",
            "momentum",
            "Nesterov",
            "AdaGrad",
            "RMSProp",
            "Adam",
            "AdamW",
            "Adadelta",
        ];
        let looks = looks(together.iter().map(|name| (*name, Kind::Run)));
        for (i, a) in looks.iter().enumerate() {
            for (j, b) in looks.iter().enumerate().take(i) {
                let Look { ink: Ink(r, g, b_), .. } = *b;
                let Ink(r2, g2, b2) = a.ink;
                // A red mean distance: Riemersma's approximation of how far apart eyes see two colours.
                let mean = 0.5 * (f64::from(r) + f64::from(r2)) / 256.0;
                let square = |x: u8, y: u8| (f64::from(x) - f64::from(y)).powi(2);
                let apart = ((2.0 + mean) * square(r, r2)
                    + 4.0 * square(g, g2)
                    + (3.0 - mean) * square(b_, b2))
                .sqrt();
                assert!(
                    apart > 100.0 || a.dashes != b.dashes,
                    "{} and {}: {apart}",
                    together[i],
                    together[j]
                );
            }
        }
    }

    #[test]
    fn variants_of_one_method_differ_by_their_dashes() {
        let names = ["L-BFGS, m = 5", "x", "L-BFGS, m = 10", "L-BFGS, m = 20"];
        let looks = looks(names.iter().map(|name| (*name, Kind::Run)));
        assert!(looks[0].ink == looks[2].ink && looks[2].ink == looks[3].ink);
        assert!(looks[0].dashes != looks[2].dashes && looks[2].dashes != looks[3].dashes);
    }
}
