//! Pages of fits, read strictly: what stands in them is what the fit says, and names do no harm.

#[path = "../html/pages.rs"]
mod pages;
#[path = "../html/reader.rs"]
mod reader;

use pages::HOSTILE;
use reader::{Element, read};
use secant::html::Page;
use secant::{Activation, Dataset, FitError, Glm, Model, Network, Rho};
use std::collections::BTreeSet;

/// The rows of the table with this caption: its cells' texts and the numbers that they are sorted by.
fn rows(page: &Element, caption: &str) -> Vec<Vec<(String, f64)>> {
    let tables = page.all("table");
    let table = tables.iter().find(|table| table.attribute("aria-label").starts_with(caption));
    let table = table.unwrap_or_else(|| panic!("no table {caption:?}"));
    let body = table.all("tbody")[0];
    let cell = |cell: &Element| {
        let value = cell.attributes.get("data-value").and_then(|value| value.parse().ok());
        (cell.text.clone(), value.unwrap_or(f64::NAN))
    };
    body.children.iter().map(|row| row.children.iter().map(cell).collect()).collect()
}

/// The picture with this title.
fn picture<'a>(page: &'a Element, title: &str) -> &'a Element {
    let pictures = page.all("svg");
    let found = pictures
        .into_iter()
        .find(|svg| svg.children.first().is_some_and(|first| first.text == title));
    found.unwrap_or_else(|| panic!("no picture {title:?}"))
}

/// What the marks of a picture say.
fn marks(picture: &Element) -> Vec<String> {
    let groups = picture
        .all("g")
        .into_iter()
        .filter(|group| group.has_class("marks") || group.has_class("bars"));
    groups.flat_map(|group| &group.children).map(|mark| mark.children[0].text.clone()).collect()
}

/// A number as the page has it.
fn value(text: &str) -> f64 {
    text.replace('−', "-").parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn near(a: f64, b: f64, digits: i32) -> bool {
    (a - b).abs() <= 0.51 * 10_f64.powi(1 - digits) * b.abs().max(f64::MIN_POSITIVE) * 10.0
}

/// What holds of every page.
fn checked(page: &Page) -> Element {
    let text = page.to_string();
    let outside = text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "");
    assert!(!outside.contains("http") && !outside.contains("@import"));
    assert_eq!(text.matches("url(").count(), text.matches("url(#secant-graph-tip)").count());
    let strange = |c: char| (c.is_control() && c != '\n') || c == '\u{fffe}';
    assert!(!text.contains(strange), "a control character");
    let root = read(&text);
    assert_eq!(root.attribute("lang"), "en");
    let policy = root
        .all("meta")
        .into_iter()
        .find(|meta| meta.attribute("http-equiv") == "Content-Security-Policy");
    assert!(policy.unwrap().attribute("content").starts_with("default-src 'none'"));
    let mut ids = BTreeSet::new();
    every(&root, &mut |element| {
        let id = element.attribute("id");
        assert!(id.is_empty() || ids.insert(id.to_owned()), "{id} twice");
        for fetched in ["src", "srcset", "action", "data", "poster", "xlink:href"] {
            assert!(!element.attributes.contains_key(fetched), "{} with {fetched}", element.name);
        }
        let handler = element.attributes.keys().find(|name| name.starts_with("on"));
        assert!(handler.is_none(), "{handler:?}");
    });
    // Anchors lead somewhere; headings are in order.
    for link in root.all("a") {
        root.by_id(link.attribute("href").strip_prefix('#').unwrap());
    }
    let mut levels = Vec::new();
    every(&root, &mut |element| {
        if let Some(level) =
            element.name.strip_prefix('h').and_then(|level| level.parse::<u32>().ok())
        {
            levels.push(level);
        }
    });
    assert!(
        levels[0] == 1 && levels.iter().filter(|level| **level == 1).count() == 1,
        "{levels:?}"
    );
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    for svg in root.all("svg").into_iter().filter(|svg| svg.attribute("aria-hidden") != "true") {
        let names: Vec<&str> =
            svg.children.iter().take(2).map(|child| child.name.as_str()).collect();
        assert_eq!(names, ["title", "desc"]);
        assert!(svg.children[..2].iter().all(|child| child.text.len() > 3));
        assert_eq!(svg.attribute("role"), "img");
        assert!(
            svg.attribute("viewBox").split(' ').filter(|side| side.parse::<f64>().is_ok()).count()
                == 4
        );
        assert!(!svg.text.contains("NaN") && !svg.text.contains("inf"), "{}", svg.text);
    }
    let drawn = text.matches(" d=\"").count();
    assert_eq!(text.matches(" d=\"M").count(), drawn, "a path that begins nowhere");
    assert!(text.len() < 500_000, "{} bytes", text.len());
    root
}

fn every(element: &Element, look: &mut impl FnMut(&Element)) {
    look(element);
    element.children.iter().for_each(|child| every(child, look));
}

/// The cell of a row of scores, by the number of its set.
fn score(page: &Element, measure: &str, set: usize) -> f64 {
    let rows = rows(page, "What the model is worth");
    let row = rows.iter().find(|row| row[0].0 == measure).unwrap_or_else(|| panic!("no {measure}"));
    value(&row[1 + set].0)
}

#[test]
fn the_page_of_a_network_has_its_numbers() {
    let (fit, train, test) = pages::network();
    let page = checked(&pages::of_network());
    for (set, data) in [&train, &test].into_iter().enumerate() {
        for (name, truth) in fit.model().score(data).unwrap().entries() {
            assert!(near(score(&page, name, set), truth, 6), "{name} {set}: {truth}");
        }
    }
    let observed = marks(picture(&page, "Predicted against observed"));
    assert_eq!(observed.len(), train.samples() + test.samples());
    let predicted = fit.model().predict(train.inputs()).unwrap();
    let y = train.targets().values().unwrap();
    for (i, says) in observed.iter().take(50).enumerate() {
        let (before, p) = says.split_once(", predicted ").unwrap();
        let (row, o) = before.split_once(": observed ").unwrap();
        assert_eq!(row, format!("row {}", i + 1));
        assert!(
            near(value(o), y[i], 4) && near(value(p), predicted[i], 4),
            "{says}: {} {}",
            y[i],
            predicted[i]
        );
    }
    assert!(
        observed[train.samples()].starts_with("row 1 held out: observed "),
        "{}",
        observed[train.samples()]
    );
    // The largest residual of all stands first.
    let residual = |fit: &Model, data: &Dataset| {
        let z = fit.predict(data.inputs()).unwrap();
        let y = data.targets().values().unwrap();
        y.iter().zip(&z).map(|(y, z)| (y - z).abs()).fold(0.0, f64::max)
    };
    let largest = residual(fit.model(), &train).max(residual(fit.model(), &test));
    let worst = rows(&page, "The 20 samples");
    assert_eq!((worst.len(), worst[0][4].1.abs()), (20, largest));
    // Every entry of the trace is on the lines; the marks say iteration and value.
    let course = marks(picture(&page, "Loss against iterations"));
    assert!(course[0].starts_with("iteration 0: f "), "{}", course[0]);
    let kept = fit.report().validation.unwrap();
    let last = course.last().unwrap();
    assert!(last.starts_with(&format!("kept: iteration {}: ", kept.iteration)), "{last}");
    let text = &page.text;
    let summary = fit.model().fit_summary().samples;
    assert!(text.contains(&format!("{summary} of the {} samples", train.samples())));
    assert!(
        page.by_id("repeat")
            .text
            .contains("secant fit concrete.csv --hidden 16 --validation 0.25 # a & b <c>")
    );
    assert!(
        page.by_id("read").text.contains("1030 rows")
            && page.by_id("advice").text.contains("more starts")
    );
    assert_eq!(page.all("title")[0].text, "concrete.csv: compressive strength");
}

#[test]
fn parameters_and_correlations_are_those_of_the_inference() {
    let (fit, data) = pages::linear();
    let page = checked(&fit.html(&data).unwrap());
    let found = fit.model().inference(&data).unwrap();
    let table = found.table().unwrap();
    let shown = rows(&page, "Parameters");
    assert_eq!(shown.len(), 11);
    for (row, estimate) in shown.iter().zip(&table.estimates) {
        assert_eq!((&row[0].0, row[1].1), (&estimate.name, estimate.value));
        let j = table.position(&estimate.name).unwrap();
        assert_eq!(
            (row[2].1, row[3].1, row[4].1),
            (table.interval_at(j, 0.95).0, table.t(j), table.p(j))
        );
    }
    let correlations = rows(&page, "Correlations");
    for (i, row) in correlations.iter().enumerate() {
        for (j, (text, _)) in row[1..].iter().enumerate() {
            let truth = table.correlation(i, j);
            assert!((value(text) - truth).abs() <= 0.005 + 1e-9, "{i} {j}: {text} {truth}");
        }
    }
    assert_eq!(fit.html(&data).unwrap().to_string(), fit.html(&data).unwrap().to_string());
}

#[test]
fn hostile_names_are_only_names() {
    let (fit, data) = pages::classifier();
    let page = pages::of_classifier();
    let text = page.to_string();
    for tag in ["<img", "<script>alert", "onerror=\"", "</title></svg>\u{7}"] {
        assert!(!text.contains(tag), "{tag}");
    }
    assert_eq!(text.matches("<script").count(), 1);
    let root = checked(&page);
    assert_eq!(root.all("title")[0].text, HOSTILE[0]);
    assert_eq!(root.all("h1")[0].text, format!("{} converged", HOSTILE[0]));
    let confusion = fit.model().confusion(&data).unwrap();
    let shown = rows(&root, "Confusion, training");
    for (a, row) in shown.iter().enumerate() {
        let counts: Vec<f64> = row[1..4].iter().map(|(text, _)| value(text)).collect();
        assert_eq!(counts, (0..3).map(|b| confusion.count(a, b)).collect::<Vec<_>>());
    }
    let each = rows(&root, "Each class, training");
    assert_eq!(each[0][0].0, HOSTILE[0]);
    assert_eq!(each[1][3].1, confusion.recall(1).unwrap());
    // Calibration: all probabilities of all classes are counted.
    let bars = marks(picture(&root, "Predicted probabilities"));
    let counted: f64 = bars.iter().map(|bar| value(bar.split(' ').nth(1).unwrap())).sum();
    assert_eq!(counted, 450.0);
    let p = fit.model().predict_probabilities(data.inputs()).unwrap();
    let first: Vec<f64> = p.iter().copied().filter(|p| *p < 0.1).collect();
    let calibration = marks(picture(&root, "Calibration"));
    let mean = 100.0 * first.iter().sum::<f64>() / first.len() as f64;
    assert!(
        calibration[0].starts_with(&format!("training: predicted {mean:.1}\u{a0}%")),
        "{} {mean}",
        calibration[0]
    );
}

#[test]
fn the_page_of_a_curve_has_formula_errors_and_band() {
    let fit = pages::curve();
    let page = checked(&fit.html().unwrap());
    assert!(
        page.by_id("model").text.contains("y = a·exp(−b·t) + c"),
        "{}",
        page.by_id("model").text
    );
    let found = fit.inference().unwrap();
    for (row, estimate) in rows(&page, "Parameters").iter().zip(&found.estimates) {
        assert_eq!(
            (&row[0].0, row[1].1, row[5].1),
            (&estimate.name, estimate.value, estimate.start.unwrap())
        );
    }
    let curve = picture(&page, "Data and curve");
    assert_eq!(marks(curve).len(), 60);
    let bands = curve.all("path").into_iter().filter(|path| path.has_class("band")).count();
    assert_eq!(bands, 2);
    assert!(page.by_id("course").text.contains("Loss against time"));
}

#[test]
fn the_page_of_counts_has_coefficients_and_deviance_residuals() {
    let (fit, data) = pages::poisson();
    let page = checked(&fit.html(&data).unwrap());
    for (row, one) in rows(&page, "Coefficients").iter().zip(&fit.coefficients) {
        assert_eq!((&row[0].0, row[1].1, row[4].1), (&one.name, one.estimate, one.p_value()));
    }
    // Σ of the squares of the deviance residuals is the deviance.
    let mean = score(&page, "deviance", 0);
    assert!(near(mean, fit.deviance / 60.0, 6), "{mean} {}", fit.deviance / 60.0);
    let worst = rows(&page, "The 20 samples");
    let y = data.targets().values().unwrap();
    let mu = fit.predict(data.inputs()).unwrap();
    let of = |i: usize| {
        let ratio = if y[i] == 0.0 { 0.0 } else { y[i] * (y[i] / mu[i]).ln() };
        (2.0 * (ratio - (y[i] - mu[i]))).max(0.0).sqrt().copysign(y[i] - mu[i])
    };
    for row in &worst {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 60")]
        let truth = of(row[0].1 as usize - 1);
        assert!((row[4].1 - truth).abs() < 1e-9 * truth.abs().max(1.0), "{row:?} {truth}");
    }
    let other = Glm::poisson().fit(&data).unwrap();
    let two = Dataset::from_slices(2, &[0.0; 8], 1, &[1.0; 4]).unwrap();
    assert!(other.html(&two).is_err());
}

#[test]
fn the_page_of_a_comparison_has_its_table_and_no_model() {
    let table = pages::comparison();
    let page = checked(&table.html());
    for (shown, row) in rows(&page, "Every method").iter().zip(&table.rows) {
        assert_eq!((&shown[0].0, shown[1].1, shown[6].1), (&row.name, row.value, row.seconds));
    }
    for title in ["Gap against iterations", "Gap against gradients", "Gap against seconds"] {
        let lines = picture(&page, title)
            .all("path")
            .into_iter()
            .filter(|path| path.has_class("line"))
            .count();
        assert_eq!(lines, 4, "{title}");
    }
    let (_, data) = pages::linear();
    let refused = table.html().held_out(&data);
    assert!(matches!(refused, Err(FitError::HeldOutOfComparison)));
}

#[test]
fn a_loaded_model_has_a_page_without_a_course() {
    let (fit, data) = pages::linear();
    let model = Model::from_bytes(&fit.model().to_bytes().unwrap()).unwrap();
    let page = checked(&model.html(&data).unwrap());
    let r2 = fit.model().score(&data).unwrap().r2.unwrap();
    assert!(near(score(&page, "R²", 0), r2, 6));
    assert!(page.all("section").iter().all(|section| section.attribute("id") != "course"));
    // Data with the columns in another order are the same data.
    let swapped: Vec<f64> =
        data.inputs().chunks_exact(10).flat_map(|x| x.iter().rev().copied()).collect();
    let names: Vec<String> = data.feature_names().iter().rev().cloned().collect();
    let swapped = Dataset::new(10, swapped, data.targets().clone()).unwrap();
    let swapped = swapped.with_feature_names(names).unwrap();
    let swapped = swapped.with_target_names(data.target_names().to_vec()).unwrap();
    assert_eq!(model.html(&swapped).unwrap().to_string(), model.html(&data).unwrap().to_string());
}

#[test]
fn many_samples_are_thinned_evenly_and_the_page_says_so() {
    let n = 20_000;
    let x: Vec<f64> = (0..n).map(|i| f64::from(i) / f64::from(n)).collect();
    let y: Vec<f64> =
        x.iter().enumerate().map(|(i, x)| x + (i * 7919 % 101) as f64 / 101.0).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let fit = secant::fit(&Network::linear(1, 1), &data).run().unwrap();
    let page = checked(&fit.html(&data).unwrap().held_out(&data.first(5_000).unwrap()).unwrap());
    let shown = marks(picture(&page, "Predicted against observed"));
    assert_eq!(shown.len(), 1_200);
    assert_eq!(shown.iter().filter(|mark| mark.contains("held out")).count(), 240);
    assert!(page.text.contains("1200 of 25\u{202f}000 samples are drawn, evenly chosen."));
}

#[test]
fn what_there_is_little_of_still_makes_a_page() {
    // A perfect fit of two outputs and three samples, one of them of weight 0.
    let data =
        Dataset::from_slices(1, &[0.0, 1.0, 2.0], 2, &[0.0, 1.0, 1.0, 2.0, 2.0, 9.0]).unwrap();
    let data = data.with_weights(vec![1.0, 1.0, 0.0]).unwrap();
    let fit = secant::fit(&Network::linear(1, 2), &data).run().unwrap();
    let page = checked(&fit.html(&data).unwrap());
    assert!(page.text.contains("1 sample of weight 0 counted nowhere"));
    assert_eq!(marks(picture(&page, "Predicted against observed")).len(), 2);
    // A constant target, no step.
    let data = Dataset::from_slices(1, &[0.0, 1.0], 1, &[3.0, 3.0]).unwrap();
    let net = Network::mlp([1, 2, 1], Activation::Tanh);
    let fit = secant::fit(&net, &data).max_iterations(0).run().unwrap();
    checked(&fit.html(&data).unwrap());
    // Two classes by one score.
    let data = Dataset::from_labels(1, &[0.0, 1.0, 2.0, 3.0], 2, &[0, 1, 0, 1]).unwrap();
    let fit = secant::fit(&Network::linear(1, 1), &data).run().unwrap();
    let page = checked(&fit.html(&data).unwrap());
    assert_eq!(rows(&page, "Confusion").len(), 2);
}

#[test]
fn a_likelihood_without_a_maximum_is_not_called_converged() {
    let data = Dataset::from_labels(1, &[0.0, 1.0, 2.0, 3.0], 2, &[0, 0, 1, 1]).unwrap();
    let fit = Glm::logistic().fit(&data).unwrap();
    assert!(fit.report.reason.is_success());
    let page = checked(&fit.html(&data).unwrap());
    assert!(page.all("h1")[0].text.ends_with(" no maximum"), "{}", page.all("h1")[0].text);
    assert!(rows(&page, "Coefficients")[1][1].0.ends_with("(runs away to ∞)"));
}

#[test]
fn a_curve_without_errors_has_its_values() {
    let (x, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 3.1, 4.9, 7.0, 30.0]);
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let data = data.with_feature_names(vec!["x".into()]).unwrap();
    let curve = secant::curve("a + b*x").unwrap().robust(Rho::Huber).fix("a", 1.0);
    let fit = curve.fit(&data).unwrap();
    let page = checked(&fit.html().unwrap());
    let values = rows(&page, "Parameters");
    assert_eq!((values[0][1].1, values[0][2].0.as_str()), (1.0, "fixed"));
    assert_eq!(values[1][1].1, fit.value("b").unwrap());
    assert!(page.by_id("parameters").text.contains("No errors of the parameters: "));
}

#[test]
fn a_page_is_written_whole_and_a_missing_folder_is_named() {
    let table = pages::comparison().html().title("a & b");
    let path = std::env::temp_dir().join(format!("secant-page-{}.html", std::process::id()));
    table.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), table.to_string());
    std::fs::remove_file(&path).unwrap();
    let error = table.save("no/such/folder/page.html").unwrap_err().to_string();
    assert!(error.starts_with("no/such/folder/page.html: "), "{error}");
}
