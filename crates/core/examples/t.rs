use secant_core::data::*;
fn main() {
    let f = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).map_or(3, |x| x.parse().unwrap());
    let o = TableOptions { max_bytes: u64::MAX, ..Default::default() };
    for _ in 0..n {
        let t = std::time::Instant::now();
        if std::env::var("CSV").is_ok() {
            let c =
                CsvOptions { targets: vec!["y".into()], max_bytes: u64::MAX, ..Default::default() };
            let d = Dataset::from_csv_with(&f, &c).unwrap();
            println!("{} {} {:.3}", d.samples(), d.features(), t.elapsed().as_secs_f64());
            continue;
        }
        let x = Table::read(&f, &o).unwrap();
        println!("{} {} {:.3}", x.rows(), x.names().len(), t.elapsed().as_secs_f64());
    }
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    for l in s.lines().filter(|l| l.starts_with("VmHWM")) {
        println!("{l}")
    }
}
