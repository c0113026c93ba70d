//! The exit status says how it ended, and nothing is lost.

use crate::support::Folder;

const CONCRETE: &str = "data/concrete.csv";

#[test]
fn the_status_says_how_a_fit_ended() {
    let folder = Folder::new();
    let fit = ["fit", CONCRETE, "--target", "target"];
    assert_eq!(folder.run(&fit).status, 0);
    let limited =
        [&fit[..], &["--model", "mlp:4", "--max-iterations", "3", "--out", "m.safetensors"]]
            .concat();
    assert_eq!(folder.run(&limited).status, 3);
    assert!(folder.path("m.safetensors").exists(), "the model is written");
    assert_eq!(folder.run(&["predict", "m.safetensors", CONCRETE]).status, 0);
    let refused = folder.run(&["fit", CONCRETE, "--target", "strength"]);
    assert_eq!(refused.status, 2);
    assert!(
        refused.err.starts_with("error: data/concrete.csv: no column \"strength\" for the target"),
        "{}",
        refused.err
    );
    assert_eq!(folder.run(&["fit", CONCRETE]).status, 2, "no target");
    assert_eq!(folder.run(&["fitt"]).status, 2);
    // Falls along a line for ever: eˣ without an end in y = 0·…
    folder.write("line.csv", "x,y\n1,1\n2,2\n3,3\n");
    let unbounded = folder.run(&[
        "fit",
        "line.csv",
        "--target",
        "y",
        "--model",
        "mlp:2",
        "--max-time",
        "0ms",
        "--valid",
        "0",
    ]);
    assert_eq!(unbounded.status, 3, "{unbounded:?}");
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_fit() {
    let folder = Folder::new();
    for option in ["--out", "--report", "--checkpoint"] {
        let ran = folder.run(&["fit", CONCRETE, "--target", "target", option, "no/such/file"]);
        assert_eq!(ran.status, 2);
        let words = "error: no/such/file cannot be written: there is no folder no/such";
        assert!(ran.err.starts_with(words) && ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn a_reader_that_goes_ends_it_quietly() {
    let folder = Folder::new();
    let ran = folder.shell("secant describe data/digits.csv | head -1");
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
    assert_eq!(ran.out, "data/digits.csv\n");
}

#[test]
fn nothing_but_text_is_printed_where_nobody_sees_colours() {
    let folder = Folder::new();
    for arguments in [
        &["fit", CONCRETE, "--target", "target"][..],
        &["describe", CONCRETE],
        &["fit", "gaps.csv", "--target", "y"],
    ] {
        let ran = folder.run(arguments);
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!ran.out.contains(control) && !ran.err.contains(control), "{ran:?}");
    }
    let coloured = folder.run(&["fit", CONCRETE, "--target", "target", "--color", "always"]);
    assert!(coloured.out.starts_with("\u{1b}[1mData\u{1b}[0m\n"), "{}", coloured.out);
    let quiet = folder.run(&["fit", CONCRETE, "--target", "target", "--quiet"]);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

#[test]
fn threads_change_no_bit() {
    let folder = Folder::new();
    let fit = |threads: &str| {
        let fit = [
            "fit",
            CONCRETE,
            "--target",
            "target",
            "--model",
            "mlp:5",
            "--max-iterations",
            "20",
            "--quiet",
        ];
        let ran =
            folder.run(&[&fit[..], &["--threads", threads, "--out", "m.safetensors"]].concat());
        assert_eq!(ran.status, 3, "{ran:?}");
        let bytes = std::fs::read(folder.path("m.safetensors")).unwrap();
        bytes[bytes.len() - 8 * 51..].to_vec()
    };
    assert_eq!(fit("1"), fit("2"));
    assert_eq!(folder.run(&["fit", CONCRETE, "--target", "target", "--threads", "0"]).status, 2);
}

#[test]
fn a_fit_that_is_taken_up_ends_with_the_bits_of_one_that_was_not_left() {
    let folder = Folder::new();
    let fit = |more: &[&str]| {
        let fit = ["fit", CONCRETE, "--target", "target", "--model", "mlp:5", "--quiet"];
        let ran = folder.run(&[&fit[..], more].concat());
        assert_eq!(ran.status, 3, "{ran:?}");
    };
    fit(&["--max-iterations", "10", "--checkpoint", "c.fit"]);
    fit(&["--max-iterations", "30", "--resume", "c.fit", "--out", "resumed.safetensors"]);
    fit(&["--max-iterations", "30", "--out", "straight.safetensors"]);
    let bytes = |name| {
        let bytes = std::fs::read(folder.path(name)).unwrap();
        bytes[bytes.len() - 8 * 51..].to_vec()
    };
    assert_eq!(bytes("resumed.safetensors"), bytes("straight.safetensors"));
    let other = folder.run(&[
        "fit", CONCRETE, "--target", "target", "--model", "mlp:5", "--seed", "1", "--resume",
        "c.fit",
    ]);
    assert!(
        other.status == 2 && other.err.contains("the checkpoint is of another run"),
        "{other:?}"
    );
}
