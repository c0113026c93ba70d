//! What is no file of a model, and what has none.

use super::{Folder, at, normals, regression, small};
use secant::core::params::Parameters;
use secant::core::random::Random;
use secant::core::shape::{Shape, ShapeError};
use secant::data::{TargetTile, Targets};
use secant::loss::{Loss, LossError};
use secant::op::{At, Bar, Dense, Dot, Op};
use secant::optim::LinearSolution;
use secant::penalty::{Penalty, PenaltyError};
use secant::{
    Glm, GlmFit, Graph, Model, ModelFile, ModelFileError, ModelFileFault, ModelKind, Network,
};
use std::fs;

#[path = "../../../fuzz/src/model_file.rs"]
mod fuzzed;

fn model() -> Model {
    let (network, data) = (small(), regression());
    at(secant::fit(&network, &data), normals(&mut Random::new(8), 11))
}

fn fault(bytes: &[u8]) -> ModelFileFault {
    match Model::from_bytes(bytes) {
        Err(ModelFileError::Refused { fault, .. }) => *fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read"),
    }
}

/// Bytes of a file with `text` as its header, and the checksum put in its place: FNV-1a of all but its 16 digits.
fn sealed(text: &str, numbers: &[u8]) -> Vec<u8> {
    const START: usize = 8 + r#"{"__metadata__":{"secant":"{\"checksum\":\""#.len();
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(numbers);
    let all = bytes[..START].iter().chain(&bytes[START + 16..]);
    let checksum = all.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes[START..START + 16].copy_from_slice(format!("{checksum:016x}").as_bytes());
    bytes
}

/// The header's text, and the numbers.
fn parts(bytes: &[u8]) -> (String, Vec<u8>) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let (text, numbers) = bytes[8..].split_at(usize::try_from(length).unwrap());
    (String::from_utf8(text.to_vec()).unwrap(), numbers.to_vec())
}

/// A file with `from` replaced by `to` in its header, and a right checksum.
fn edited(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let (text, numbers) = parts(bytes);
    assert!(text.contains(from), "{text}");
    sealed(&text.replacen(from, to, 1), &numbers)
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let bytes = model().to_bytes().unwrap();
    for end in 0..bytes.len() {
        let message = fault(&bytes[..end]).to_string();
        assert!(!message.is_empty() && message.len() < 400, "{message}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(fault(&longer), ModelFileFault::Damaged { .. }));
}

#[test]
fn any_bit_that_is_turned_is_found() {
    let mut bytes = model().to_bytes().unwrap();
    for place in 0..8 * bytes.len() {
        bytes[place / 8] ^= 1 << (place % 8);
        assert!(!fault(&bytes).to_string().is_empty());
        bytes[place / 8] ^= 1 << (place % 8);
    }
    let mut random = Random::new(4);
    for _ in 0..500 {
        let mut damaged = bytes.clone();
        while damaged == bytes {
            for _ in 0..=random.below(8) {
                damaged[random.below(bytes.len())] ^= 1 << random.below(8);
            }
        }
        assert!(!fault(&damaged).to_string().is_empty());
    }
    assert!(Model::from_bytes(&bytes).is_ok());
}

#[test]
fn the_edits_of_these_tests_are_read_where_nothing_is_edited() {
    let bytes = model().to_bytes().unwrap();
    let (text, numbers) = parts(&bytes);
    assert_eq!(sealed(&text, &numbers), bytes);
}

#[test]
fn what_a_header_claims_is_held_against_the_file() {
    let bytes = model().to_bytes().unwrap();
    for (outputs, message) in [
        ("1000000", "the tensor `hidden.weight` is F64 [2, 3], expected F64 [1000000, 3]"),
        ("1073741824", "node `y` would hold 5368709121 entries, more than 4294967296"),
        ("9223372036854775807", "node `hidden` would hold "),
        ("9223372036854775808", "its header is wrong: "),
    ] {
        let claim = format!(r#"\"outputs\":{outputs}"#);
        let found = fault(&edited(&bytes, r#"\"outputs\":2"#, &claim)).to_string();
        assert!(found.contains(message), "{found}");
    }
    // Tensors that would lie behind the end, or overlap.
    let long = edited(&bytes, "[2,3]", "[2,1000000000000]");
    assert!(matches!(fault(&long), ModelFileFault::Header(_)), "{}", fault(&long));
    let overflow = edited(&bytes, "[2,3]", "[18446744073709551615,18446744073709551615]");
    assert!(matches!(fault(&overflow), ModelFileFault::Header(_)));
    let (text, numbers) = parts(&bytes);
    let short = sealed(&text, &numbers[8..]);
    assert!(matches!(fault(&short), ModelFileFault::Length { .. }), "{}", fault(&short));
    // A length of the header beyond the file.
    let mut huge = bytes.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(
        matches!(fault(&huge), ModelFileFault::Truncated { found, needed: u64::MAX } if found == bytes.len() as u64)
    );
}

#[test]
fn tensors_that_do_not_fit_the_graph_are_named() {
    let bytes = model().to_bytes().unwrap();
    let missing = edited(&bytes, r#""hidden.bias""#, r#""hidden.bios""#);
    assert_eq!(fault(&missing).to_string(), "the tensor `hidden.bias` is missing");
    let single = edited(
        &bytes,
        r#""y.bias":{"dtype":"F64","shape":[1]"#,
        r#""y.bias":{"dtype":"F32","shape":[2]"#,
    );
    assert_eq!(fault(&single).to_string(), "the tensor `y.bias` is F32 [2], expected F64 [1]");
    let flat = edited(&bytes, r#""shape":[2,3]"#, r#""shape":[3,2]"#);
    assert!(fault(&flat).to_string().contains("is F64 [3, 2], expected F64 [2, 3]"));
    let (text, numbers) = parts(&bytes);
    let end = numbers.len();
    let more = format!(
        r#"{},"more":{{"dtype":"F64","shape":[1],"data_offsets":[{end},{}]}}}}"#,
        text.trim_end().strip_suffix('}').unwrap(),
        end + 8
    );
    let more = sealed(&more, &[&numbers[..], &[0; 8]].concat());
    assert_eq!(fault(&more).to_string(), "the tensor `more` belongs to nothing in the model");
    let one = edited(&bytes, "input_scaling.deviations", "input_scaling.deviation?");
    assert!(fault(&one).to_string().contains("input_scaling.deviation"));
}

#[test]
fn contents_that_make_no_model_are_named() {
    let bytes = model().to_bytes().unwrap();
    let cases = [
        (r#"\"op\":\"tanh\""#, r#"\"op\":\"tank\""#, "unknown op `tank`"),
        (r#"\"loss\":\"squared\""#, r#"\"loss\":\"squarred\""#, "did you mean `squared`"),
        (r#"\"loss\":\"squared\","#, "", "no `loss`"),
        (r#"\"penalty\":\"none\""#, r#"\"penalty\":\"nine\""#, "there is no penalty `nine`"),
        (r#"\"decision\":\"value\""#, r#"\"decision\":\"velue\""#, "unknown variant `velue`"),
        (r#"\"features\":[\"x1\","#, r#"\"features\":["#, "names of features: 2, expected 3"),
        (r#"\"classes\":[]"#, r#"\"classes\":[\"a\"]"#, "names of classes: 1, expected 2"),
        (r#"\"decision\""#, r#"\"more\":1,\"decision\""#, "unknown field `more`"),
        (r#"\"kind\":\"model\""#, r#"\"kind\":\"forest\""#, "unknown variant `forest`"),
        (r#"\"samples\":7"#, r#"\"samples\":-7"#, "invalid value"),
    ];
    for (from, to, message) in cases {
        let found = fault(&edited(&bytes, from, to)).to_string();
        assert!(found.contains(message), "{found}");
    }
    let (text, mut numbers) = parts(&bytes);
    numbers[..8].copy_from_slice(&f64::NAN.to_le_bytes());
    // The first tensor by name, `hidden.bias`, may be anything; a deviation may not.
    assert!(Model::from_bytes(&sealed(&text, &numbers)).is_ok());
    numbers[8 * 8..8 * 11].copy_from_slice(&[0xff; 24]);
    let found = fault(&sealed(&text, &numbers)).to_string();
    assert!(found.starts_with("its scaling is wrong: "), "{found}");
}

#[test]
fn other_files_are_refused_for_what_they_are() {
    let foreign = |text: &str| {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&[0; 8]);
        fault(&bytes).to_string()
    };
    let tensor = r#""a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}"#;
    let none = "it is no model file of secant: it is a safetensors file whose metadata do not start with the entry `secant`";
    assert_eq!(foreign(&format!("{{{tensor}}}")), none);
    assert_eq!(foreign(&format!(r#"{{"__metadata__":{{"format":"pt"}},{tensor}}}"#)), none);
    assert_eq!(foreign(&format!(r#"{{"__metadata__":{{"secant":"{{}}"}},{tensor}}}"#)), none);
    assert_eq!(foreign("{}"), none);
    let message = "it is no model file of secant: it is no safetensors file";
    assert_eq!(fault(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").to_string(), message);
    assert_eq!(fault(&[b'a'; 4000]).to_string(), message);
    assert_eq!(fault(b"").to_string(), "it ends in its header: 0 bytes, the header needs 8");
}

#[test]
fn later_formats_are_refused_before_anything_else() {
    let bytes = model().to_bytes().unwrap();
    let (text, numbers) = parts(&bytes);
    let later = text.replacen(r#"\"format\":1"#, r#"\"format\":6"#, 1);
    let mut bytes = (later.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(later.as_bytes());
    bytes.extend_from_slice(&numbers);
    let message = "it has format 6, this version of secant reads formats up to 5";
    assert_eq!(fault(&bytes).to_string(), message);
}

#[test]
fn another_kind_says_which_it_is_and_what_reads_it() {
    let data = regression();
    let model = model().to_bytes().unwrap();
    let glm = Glm::gaussian().fit(&data).unwrap().to_bytes().unwrap();
    let line = secant::linear_regression(&data).solve().unwrap().to_bytes().unwrap();
    let ends = |error: ModelFileError, end: &str| {
        assert!(error.to_string().ends_with(end), "{error}");
    };
    ends(Model::from_bytes(&glm).unwrap_err(), "read it by `GlmFit::load`");
    ends(Model::from_bytes(&line).unwrap_err(), "read it by `LinearSolution::load`");
    ends(
        GlmFit::from_bytes(&model).unwrap_err(),
        "it is a fitted network: read it by `Model::load`",
    );
    ends(LinearSolution::from_bytes(&glm).unwrap_err(), "read it by `GlmFit::load`");
    let Err(ModelFileError::Refused { fault, .. }) = LinearSolution::from_bytes(&model) else {
        panic!("it was read")
    };
    let kinds = (ModelKind::Model, ModelKind::Linear);
    assert!(matches!(*fault, ModelFileFault::Kind { found, asked } if (found, asked) == kinds));
}

#[test]
fn what_the_file_system_refuses_is_said_with_the_path_and_leaves_the_old_file() {
    let folder = Folder::new("refused");
    let model = model();
    let at = |name: &str| folder.0.join(name);
    let said = |error: ModelFileError, name: &str, what: &str| {
        let start = format!("{}: {what}", at(name).display());
        assert!(error.to_string().starts_with(&start), "{error}");
    };
    said(model.save(at("no/model")).unwrap_err(), "no/model", "cannot create a file beside it: ");
    said(Model::load(at("none")).unwrap_err(), "none", "cannot be read: ");
    said(Model::load(at("")).unwrap_err(), "", "cannot be read: ");
    model.save(at("model")).unwrap();
    let old = fs::read(at("model")).unwrap();
    // A parent that is a file stands for a folder that may not be written, whoever runs the test.
    said(
        model.save(at("model/model")).unwrap_err(),
        "model/model",
        "cannot create a file beside it: ",
    );
    assert!(own_loss().save(at("model")).is_err());
    assert_eq!(fs::read(at("model")).unwrap(), old);
    fs::write(at("model"), &old[..old.len() - 1]).unwrap();
    said(Model::load(at("model")).unwrap_err(), "model", "it is damaged, or was changed: ");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[derive(Debug)]
struct Mine;

impl Op for Mine {
    fn name(&self) -> String {
        "mine".into()
    }
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0].clone())
    }
    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.copy_from_slice(at.x.get(0));
    }
    fn tangent(&self, _: At<'_>, _: &[f64], _: Dot<'_>, _: &mut [f64]) {}
    fn adjoint(&self, _: At<'_>, _: &[f64], _: &[f64], _: &mut Bar<'_>) {}
    fn adjoint_tangent(
        &self,
        _: At<'_>,
        _: &[f64],
        _: &[f64],
        _: Dot<'_>,
        _: &[f64],
        _: &[f64],
        _: &mut Bar<'_>,
    ) {
    }
}

impl Loss for Mine {
    fn name(&self) -> &'static str {
        "my loss"
    }
    fn check(&self, _: usize, _: &Targets) -> Result<(), LossError> {
        Ok(())
    }
    fn value(&self, _: &[f64], _: TargetTile<'_>) -> f64 {
        1.0
    }
    fn gradient(&self, _: f64, _: &[f64], _: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        z_bar.fill(0.0);
        1.0
    }
    fn hessian_vector(&self, _: f64, _: &[f64], _: TargetTile<'_>, _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }
}

impl Penalty for Mine {
    fn check(&self) -> Result<(), PenaltyError> {
        Ok(())
    }
    fn value(&self, _: &Parameters, _: &[f64]) -> f64 {
        0.0
    }
    fn add_gradient(&self, _: &Parameters, _: &[f64], _: &mut [f64]) -> f64 {
        0.0
    }
    fn add_hessian_diagonal(&self, _: &Parameters, _: &[f64], _: &mut [f64]) {}
}

fn own_loss() -> Model {
    at(secant::fit(&small(), &regression()).loss(Mine), vec![0.0; 11])
}

#[test]
fn nodes_losses_and_penalties_of_a_user_are_refused_by_name() {
    let says = |model: &Model, what: &str| {
        let message = model.to_bytes().unwrap_err().to_string();
        assert_eq!(message, format!("the model cannot be saved: {what}"));
    };
    says(&own_loss(), "the loss `my loss` has no description that this crate reads back");
    let (network, data) = (small(), regression());
    let penalised = at(secant::fit(&network, &data).penalty(Mine), vec![0.0; 11]);
    says(&penalised, "the penalty `Mine` has no description that this crate reads back");
    let mut g = Graph::builder(3);
    let mine = g.node("middle", Mine, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[mine]).unwrap();
    let network = Network::from(g.build(y).unwrap());
    let node = at(secant::fit(&network, &data), vec![0.0; 4]);
    says(&node, "node `middle`: the op mine has no description");
}

/// A seeded smoke of the fuzz target: files of every kind, cut, turned and joined.
#[test]
fn files_and_their_mutations_are_read_or_refused() {
    let mut random = Random::new(6);
    let pieces: [&[u8]; 8] =
        [b"", b"0", b"-1", b"1e999", b"null", b"[]", b"18446744073709551615", b"\\\"a\\\""];
    for file in fuzzed::seeds() {
        fuzzed::model_file(&file);
        for _ in 0..150 {
            let mut bytes = file.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() + 1);
                let end = (at + random.below(6)).min(bytes.len());
                match random.below(5) {
                    0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
                    1 => bytes.truncate(at.max(1)),
                    2 => drop(bytes.drain(at..end)),
                    // A number in the header for another.
                    _ => {
                        let digits: Vec<usize> =
                            (60..bytes.len()).filter(|i| bytes[*i].is_ascii_digit()).collect();
                        let piece = pieces[random.below(pieces.len())].iter().copied();
                        if let Some(at) = digits.get(random.below(digits.len().max(1))) {
                            drop(bytes.splice(*at..=*at, piece));
                        }
                    }
                }
            }
            fuzzed::model_file(&bytes);
        }
    }
}
