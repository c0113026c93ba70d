//! Orders and signs of parameters that are the same curve.

/// Parameters of terms that may change places, by position, and those whose signs may turn together: the formula stays the same function.
fn symmetries(name: &str) -> (&'static [&'static [usize]], &'static [&'static [usize]]) {
    match name {
        "Lanczos1" | "Lanczos2" | "Lanczos3" => (&[&[0, 1], &[2, 3], &[4, 5]], &[]),
        "Gauss1" | "Gauss2" | "Gauss3" => (&[&[2, 3, 4], &[5, 6, 7]], &[&[4], &[7]]),
        "MGH17" => (&[&[1, 3], &[2, 4]], &[]),
        "ENSO" => (&[&[3, 4, 5], &[6, 7, 8]], &[&[3, 5], &[6, 8]]),
        "Eckerle4" => (&[], &[&[0, 1]]),
        _ => (&[], &[]),
    }
}

/// All orders and signs of (parameters, errors) that are the same curve.
pub fn equivalents(name: &str, found: Vec<(f64, f64)>) -> Vec<Vec<(f64, f64)>> {
    let (terms, signs) = symmetries(name);
    let mut all = vec![found];
    for first in 0..terms.len() {
        for other in first + 1..terms.len() {
            for mut order in all.clone() {
                for (&a, &b) in terms[first].iter().zip(terms[other]) {
                    order.swap(a, b);
                }
                all.push(order);
            }
        }
    }
    for turned in signs {
        for mut order in all.clone() {
            turned.iter().for_each(|&j| order[j].0 = -order[j].0);
            all.push(order);
        }
    }
    all
}
