//! Pages in a browser.
mod browser;
use secant::{Activation, Dataset, Network};

fn data(name: &str) -> Dataset {
    let root = env!("CARGO_MANIFEST_DIR");
    Dataset::from_csv(format!("{root}/data/{name}.csv"), "target").unwrap()
}

#[test]
fn pages() {
    let out = std::path::Path::new("/tmp/pages");
    std::fs::create_dir_all(out).unwrap();
    let (train, test) = data("concrete").split(0.8, 1).unwrap();
    let net = Network::mlp([8, 16, 1], Activation::Tanh);
    let fit = secant::fit(&net, &train).validation_fraction(0.2).max_iterations(200).run().unwrap();
    let page = fit
        .html(&train)
        .unwrap()
        .held_out(&test)
        .unwrap()
        .title("concrete.csv: compressive strength")
        .command("secant fit concrete.csv --target target")
        .read(["1030 rows of 9 columns.".to_owned()])
        .advice(["Try more starts.".to_owned()]);
    page.save(out.join("fit.html")).unwrap();
    let iris =
        Dataset::from_csv_labels(format!("{}/data/iris.csv", env!("CARGO_MANIFEST_DIR")), "target")
            .unwrap();
    let (train, test) = iris.split(0.7, 1).unwrap();
    let fit =
        secant::fit(&Network::linear(4, 3), &train).penalty(secant::Ridge(1e-3)).run().unwrap();
    fit.html(&train).unwrap().held_out(&test).unwrap().save(out.join("iris.html")).unwrap();
    let (train, test) = data("diabetes").split(0.8, 1).unwrap();
    let fit = secant::fit(&Network::linear(10, 1), &train).run().unwrap();
    fit.html(&train).unwrap().held_out(&test).unwrap().save(out.join("linear.html")).unwrap();
    let x: Vec<f64> = (0..40).map(|i| f64::from(i) * 0.25).collect();
    let noise = |i: usize| ((i * 7919 % 101) as f64 / 101.0 - 0.5) * 0.3;
    let y: Vec<f64> =
        x.iter().enumerate().map(|(i, x)| 4.0 * (-0.5 * x).exp() + 1.0 + noise(i)).collect();
    let d =
        Dataset::from_slices(1, &x, 1, &y).unwrap().with_feature_names(vec!["t".into()]).unwrap();
    let fit = secant::curve("a*exp(-b*t) + c").unwrap().fit(&d).unwrap();
    fit.html().unwrap().save(out.join("curve.html")).unwrap();
    let counts: Vec<f64> =
        x.iter().enumerate().map(|(i, x)| (0.5 + 0.25 * x + noise(i)).exp().round()).collect();
    let d = Dataset::from_slices(1, &x, 1, &counts)
        .unwrap()
        .with_feature_names(vec!["dose".into()])
        .unwrap();
    let fit = secant::Glm::poisson().fit(&d).unwrap();
    fit.html(&d).unwrap().save(out.join("poisson.html")).unwrap();
    let net = Network::mlp([8, 8, 1], Activation::Tanh);
    let d = data("concrete");
    let all = secant::compare()
        .method("Newton", secant::Newton::default())
        .method("L-BFGS", secant::Lbfgs::default())
        .method("Adam", secant::Adam::default())
        .method("BFGS", secant::Bfgs::default());
    let table = secant::fit(&net, &d).max_iterations(300).compare(&all).unwrap();
    table.html().save(out.join("comparison.html")).unwrap();
}

#[test]
fn shots() {
    let Some(mut browser) = browser::Browser::start() else { return };
    for name in ["fit", "iris", "linear", "curve", "poisson", "comparison"] {
        let file = format!("/tmp/pages/{name}.html");
        for (width, scheme) in [(1200, "light"), (1200, "dark"), (360, "light")] {
            let mut tab = browser.open(file.as_ref(), width, 800);
            tab.media("screen", scheme);
            let png = tab.screenshot();
            std::fs::write(format!("/tmp/pages/{name}-{width}-{scheme}.png.b64"), png).unwrap();
            let pdf = tab.pdf();
            std::fs::write(format!("/tmp/pages/{name}.pdf.b64"), pdf).unwrap();
            println!(
                "{name} {width} {scheme} {:?}",
                tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            );
            println!("{:?}", tab.complaints_and_requests());
        }
    }
}
