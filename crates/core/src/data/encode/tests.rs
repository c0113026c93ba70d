//! Tables by their roles against what a person reads off them.

use super::super::{Dataset, Table, TableOptions, Targets};
use super::*;

const HOUSES: &str = "id,area,kind,price,rooms\n0,50,flat,200,2\n1,80,house,350,4\n2,120,house,500,5\n3,40,flat,150,1\n";

fn table(text: &str) -> Table {
    Table::from_bytes(text.as_bytes(), &TableOptions::default()).unwrap()
}

fn roles(target: &str) -> Roles {
    Roles { targets: vec![target.to_owned()], ..Roles::default() }
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn refusal(text: &str, roles: &Roles) -> String {
    table(text).into_dataset(roles).unwrap_err().to_string()
}

fn values(data: &Dataset) -> &[f64] {
    data.targets().values().unwrap()
}

#[test]
fn numbers_and_texts_become_inputs_in_the_order_of_the_columns() {
    let ignoring = Roles { ignored: list(&["id"]), ..roles("price") };
    let Encoded { data, rows, notes } = table(HOUSES).into_dataset(&ignoring).unwrap();
    assert_eq!(data.feature_names(), ["area", "kind=house", "rooms"]);
    let expected = [50.0, 0.0, 2.0, 80.0, 1.0, 4.0, 120.0, 1.0, 5.0, 40.0, 0.0, 1.0];
    assert_eq!(data.inputs(), expected);
    assert_eq!(values(&data), [200.0, 350.0, 500.0, 150.0]);
    assert_eq!(rows, [0, 1, 2, 3]);
    assert_eq!(notes, ["Column \"kind\" holds texts: 2 levels, told from \"flat\"."]);
    let chosen = Roles { features: list(&["roo*", "area"]), ..roles("price") };
    assert_eq!(
        table(HOUSES).into_dataset(&chosen).unwrap().data.feature_names(),
        ["rooms", "area"]
    );
}

#[test]
fn more_inputs_than_columns_are_made_in_new_memory() {
    let text = "c,y\na,1\nb,2\nc,3\nd,4\ne,5\n";
    let data = table(text).into_dataset(&roles("y")).unwrap().data;
    assert_eq!(data.features(), 4);
    for (sample, level) in (0..5).zip(0..5_usize) {
        let expected: Vec<f64> = (1..5).map(|k| f64::from(u8::from(k == level))).collect();
        assert_eq!(data.sample(sample), expected);
    }
}

#[test]
fn a_column_that_counts_the_rows_is_left_out_where_it_has_no_name() {
    let text = ",x,y\n0,5,1\n1,6,2\n2,8,3\n";
    let Encoded { data, notes, .. } = table(text).into_dataset(&roles("y")).unwrap();
    assert_eq!(data.feature_names(), ["x"]);
    assert_eq!(notes, ["Column \"column1\" counts the rows: left out."]);
    // Asked for by name it stays.
    let asked = Roles { features: list(&["column1", "x"]), ..roles("y") };
    assert_eq!(table(text).into_dataset(&asked).unwrap().data.features(), 2);
    let other = ",x,y\n0,5,1\n1,6,2\n3,8,3\n";
    assert_eq!(table(other).into_dataset(&roles("y")).unwrap().data.features(), 2);
}

#[test]
fn classes_are_texts_by_alphabet_or_numbers_by_size() {
    let text = "x,k\n1,b\n2,a\n3,b\n4,c\n";
    let data = table(text).into_dataset(&roles("k")).unwrap().data;
    assert_eq!(data.class_names(), ["a", "b", "c"]);
    assert_eq!(data.targets(), &Targets::Labels { classes: 3, labels: vec![1, 0, 1, 2] });

    let text = "x,k\n1,10\n2,-1\n3,2.5\n4,10\n";
    assert_eq!(
        values(&table(text).into_dataset(&roles("k")).unwrap().data),
        [10.0, -1.0, 2.5, 10.0]
    );
    let classes = Roles { task: TargetKind::Classes, ..roles("k") };
    let data = table(text).into_dataset(&classes).unwrap().data;
    assert_eq!(data.class_names(), ["-1", "2.5", "10"]);
    assert_eq!(data.targets(), &Targets::Labels { classes: 3, labels: vec![2, 0, 1, 2] });

    // The classes of another table keep their numbers, and strange ones are refused.
    let encoding = data.encoding().unwrap().clone();
    let other = encoding.dataset(table("k,x\n2.5,0\n10,1\n")).unwrap().data;
    assert_eq!(other.targets(), &Targets::Labels { classes: 3, labels: vec![1, 2] });
    let error = encoding.dataset(table("k,x\n2.5,0\n3,1\n")).unwrap_err().to_string();
    assert!(error.contains("line 3, column \"k\": \"3\" was not there"), "{error}");
}

#[test]
fn weights_and_offsets_are_no_features() {
    let text = "x,w,o,y\n1,0.5,10,3\n2,1.5,20,4\n";
    let beside = Roles { weights: Some("w".into()), offset: Some("o".into()), ..roles("y") };
    let data = table(text).into_dataset(&beside).unwrap().data;
    assert_eq!(data.inputs(), [1.0, 2.0]);
    assert_eq!(data.weights(), Some(&[0.5, 1.5][..]));
    assert_eq!(data.offset(), Some(&[10.0, 20.0][..]));
    let encoding = data.encoding().unwrap();
    assert_eq!((encoding.weights(), encoding.offset()), (Some("w"), Some("o")));
}

#[test]
fn gaps_are_refused_left_out_or_filled() {
    let text = "x,c,y\n1,a,1\nNA,b,2\n3,,3\n5,b,\n8,b,5\n";
    assert_eq!(
        refusal(text, &roles("y")),
        "bytes: 3 missing values in 3 rows (\"y\" 1, \"x\" 1, \"c\" 1): line 3, column \"x\"; line 4, column \"c\"; line 5, column \"y\""
    );
    let dropped = Roles { missing: Missing::Drop, ..roles("y") };
    let Encoded { data, rows, notes } = table(text).into_dataset(&dropped).unwrap();
    assert_eq!((data.inputs(), &rows[..]), (&[1.0, 0.0, 8.0, 1.0][..], &[0, 4][..]));
    assert_eq!(notes[0], "3 rows of 5 with missing values left out.");

    let filled = Roles { missing: Missing::Mean, ..roles("y") };
    let Encoded { data, rows, notes } = table(text).into_dataset(&filled).unwrap();
    // (1 + 3 + 8)/3 of the rows that stay, and `b`.
    assert_eq!(data.inputs(), [1.0, 0.0, 4.0, 1.0, 3.0, 1.0, 8.0, 1.0]);
    assert_eq!(rows, [0, 1, 2, 4]);
    assert_eq!(notes[0], "1 row of 5 with missing values left out.");
    assert!(notes[1].starts_with("2 missing values replaced by their column's mean"), "{notes:?}");
    // The same fills take the gaps of another table.
    let inputs = data.encoding().unwrap().inputs(table("c,x\n,\n")).unwrap();
    assert_eq!(inputs.inputs, [4.0, 1.0]);
    // A column without any value has no mean.
    let text = "x,z,y\n1,,1\n2,,2\n";
    let Encoded { data, notes, .. } = table(text).into_dataset(&filled).unwrap();
    assert_eq!((data.features(), &notes[0][..]), (1, "Column \"z\" is empty: left out."));
}

#[test]
fn rows_held_out_have_no_part_in_what_fills_gaps() {
    let lines: Vec<(f64, String)> = (0..20)
        .map(|row| match row % 5 {
            0 => format!(",,{row}"),
            1 => format!("{},b,{row}", row * row),
            _ => format!("{},{},{row}", row * row, if row % 2 == 0 { "a" } else { "c" }),
        })
        .enumerate()
        .map(|(row, line)| (row as f64, line))
        .collect();
    let of = |wanted: &dyn Fn(f64) -> bool| -> String {
        let rows = lines.iter().filter(|(y, _)| wanted(*y)).map(|(_, line)| line.as_str());
        std::iter::once("x,c,y").chain(rows).collect::<Vec<_>>().join("\n")
    };
    let text = of(&|_| true);
    let filled = |filled_from| Roles { missing: Missing::Mean, filled_from, ..roles("y") };
    let first = |data: &Dataset| data.targets().values().unwrap().to_vec();
    for seed in 0..4 {
        let data = table(&text).into_dataset(&filled(Some((0.6, seed)))).unwrap().data;
        let (training, held_out) = data.split(0.6, seed).unwrap();
        // The rows of the training part alone, as a table of their own.
        let theirs = first(&training);
        let own = table(&of(&|y| theirs.contains(&y))).into_dataset(&filled(None)).unwrap();
        let alone: Vec<&EncodedForm> =
            own.data.encoding().unwrap().features().iter().map(|column| &column.form).collect();
        let here: Vec<&EncodedForm> =
            data.encoding().unwrap().features().iter().map(|column| &column.form).collect();
        assert_eq!(here, alone, "seed {seed}");
        let all = table(&text).into_dataset(&filled(None)).unwrap().data;
        assert_ne!(all.encoding().unwrap().features()[0].form, *here[0]);
        // The gaps of the rows held out are filled by it.
        let EncodedForm::Number { fill: Some(mean) } = here[0] else { panic!("{here:?}") };
        for (sample, y) in first(&held_out).iter().enumerate().filter(|(_, y)| *y % 5.0 == 0.0) {
            assert_eq!(held_out.sample(sample)[0], *mean, "row {y}");
        }
    }
}

#[test]
fn another_table_is_read_by_name_and_by_its_own_levels() {
    let ignoring = Roles { ignored: list(&["id"]), ..roles("price") };
    let data = table(HOUSES).into_dataset(&ignoring).unwrap().data;
    let encoding = data.encoding().unwrap();
    // Other order, other columns beside, a level that was met later.
    let other = table("kind;rooms;garden;area\nhouse;3;yes;70\nflat;2;no;45\n");
    assert_eq!(encoding.inputs(other).unwrap().inputs, [70.0, 1.0, 3.0, 45.0, 0.0, 2.0]);
    let error = |text: &str| encoding.inputs(table(text)).unwrap_err().to_string();
    assert_eq!(
        error("kind,rooms,area\nhut,3,70\nflat,1,30\n"),
        "bytes: line 2, column \"kind\": \"hut\" was not there when the model was fitted: expected one of [\"flat\", \"house\"]"
    );
    let missing = error("kind,room,area\nflat,3,70\n");
    assert!(
        missing.contains("no column \"rooms\" for the feature")
            && missing.contains("did you mean `room`?"),
        "{missing}"
    );
    assert_eq!(
        error("kind,rooms,area\nflat,three,70\n"),
        "bytes: the feature \"rooms\" needs numbers, found \"three\" (line 2)"
    );
    assert!(
        error("kind,rooms,area\n1,3,70\n").contains("line 2, column \"kind\": \"1\" was not there")
    );
    let part = data.select(&[2, 0]).unwrap();
    assert_eq!(part.encoding(), Some(encoding));
    assert!(data.map_inputs(|x| 2.0 * x).unwrap().encoding().is_none());
}

#[test]
fn an_encoding_survives_its_text_form() {
    let filled = Roles { missing: Missing::Mean, ignored: list(&["id"]), ..roles("kind") };
    let encoding = table(HOUSES).into_dataset(&filled).unwrap().data.encoding().unwrap().clone();
    let text = serde_json::to_string(&*encoding).unwrap();
    assert_eq!(serde_json::from_str::<Encoding>(&text).unwrap(), *encoding);
}

#[test]
fn what_cannot_be_used_is_refused_by_name_and_place() {
    let cases = [
        ("x,y\n1,2\n", roles("z"), "no column \"z\" for the target among [\"x\", \"y\"]"),
        ("x,y\n1,2\n", Roles::default(), "no target named; columns: [\"x\", \"y\"]"),
        ("y\n1\n2\n", roles("y"), "no column is left for a feature"),
        (
            "x,y\n1,2\nred,3\n2,3\n",
            roles("y"),
            "column \"x\" has 2 numbers and 1 text: line 3 has \"red\"",
        ),
        (
            "t,y\n2024-05-17,2\n2024-05-18,3\n",
            roles("y"),
            "column \"t\" holds dates or times (line 2: \"2024-05-17\")",
        ),
        (
            "x,y\ninf,2\n3,4\n",
            roles("y"),
            "line 2, column \"x\": expected a finite number, found inf",
        ),
        ("x,y\n1,a\n2,a\n", roles("y"), "the target \"y\" has one class only, \"a\""),
        (
            "x,y,w\n1,2,a\n2,3,b\n",
            Roles { weights: Some("w".into()), ..roles("y") },
            "the weights \"w\" needs numbers, found \"a\" (line 2)",
        ),
        (
            "x,y\n1,a\n2,b\n",
            Roles { task: TargetKind::Values, ..roles("y") },
            "the target \"y\" needs numbers, found \"a\" (line 2)",
        ),
        (
            "x,y,z\n1,a,1\n2,b,2\n",
            Roles { targets: list(&["y", "z"]), ..Roles::default() },
            "classes stand in one target column, found [\"y\", \"z\"]",
        ),
        (
            "x,y\n1,2\n",
            Roles { ignored: list(&["y"]), ..roles("y") },
            "column \"y\" is the target and ignored",
        ),
        (
            "x,y\n1,2\n",
            Roles { features: list(&["y"]), ..roles("y") },
            "column \"y\" is the target and a feature",
        ),
        ("x,y\nNA,2\n", Roles { missing: Missing::Drop, ..roles("y") }, "column"),
        (
            "x,y,w\n1,2,1\n2,3,-1\n",
            Roles { weights: Some("w".into()), ..roles("y") },
            "line 3, column \"w\": expected a weight of 0 or more, found -1",
        ),
    ];
    for (text, roles, wanted) in cases {
        let found = refusal(text, &roles);
        assert!(found.contains(wanted), "{text:?}: {found}");
    }
    let many = (0..50).map(|i| format!("name{i},{i}")).collect::<Vec<_>>().join("\n");
    let text = format!("n,y\n{many}");
    let found = refusal(&text, &roles("y"));
    assert!(found.contains("column \"n\" has 50 different texts in 50 rows"), "{found}");
    let taken = Roles { categorical: list(&["n"]), ..roles("y") };
    assert_eq!(table(&text).into_dataset(&taken).unwrap().data.features(), 49);
    let text = format!("y,n\n{many}");
    assert!(refusal(&text, &roles("y")).contains("the target \"y\" has 50 classes in 50 rows"));
}
