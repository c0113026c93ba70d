//! What must hold of the readers of model files on any bytes: they end without a panic, with a model that is written again as it was read,
//! or with a short error of one line.
//!
//! Damage is found by the checksum, so that the bytes are read once more with a right one: what lies behind it then sees them.

use secant::optim::LinearSolution;
use secant::{
    Activation, Dataset, Glm, GlmFit, Model, ModelFile, ModelFileError, Network, Ridge, fit,
};

/// Bytes of a message.
const MESSAGE: usize = 4000;
/// Where the 16 digits of the checksum stand.
const CHECKSUM: usize = 8 + r#"{"__metadata__":{"secant":"{\"checksum\":\""#.len();

/// Bytes as the file of each kind, as they are and with the checksum and the header's length put right.
pub fn model_file(bytes: &[u8]) {
    let sealed = sealed(bytes);
    for bytes in [bytes, &sealed] {
        if let Some(model) = read::<Model>(bytes) {
            let inputs = vec![0.5; model.graph().features()];
            // Categories, and a θ that is no number, are errors.
            if let Ok(outputs) = model.predict(&inputs) {
                assert_eq!(outputs.len(), model.graph().outputs());
            }
        }
        if let Some(glm) = read::<GlmFit>(bytes) {
            assert!(!glm.to_string().is_empty());
        }
        read::<LinearSolution>(bytes);
    }
}

fn read<T: ModelFile>(bytes: &[u8]) -> Option<T> {
    match T::from_bytes(bytes) {
        Err(error) => {
            message(&error);
            None
        }
        Ok(value) => {
            let again = value.to_bytes().expect("what was read can be written");
            let copy = T::from_bytes(&again).expect("what was written can be read");
            assert_eq!(copy.to_bytes().expect("as before"), again);
            Some(value)
        }
    }
}

fn message(error: &ModelFileError) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() < MESSAGE && !text.contains('\n'), "{text}");
}

/// `bytes` with the checksum of all but its digits; too short ones stay.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() < CHECKSUM + 16 {
        return bytes;
    }
    // A header as long as it says, or up to the last brace.
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes"));
    if length > bytes.len() as u64 - 8 {
        let end = bytes.iter().rposition(|byte| *byte == b'}').unwrap_or(8).max(8);
        bytes[..8].copy_from_slice(&(end as u64 - 7).to_le_bytes());
    }
    let all = bytes[..CHECKSUM].iter().chain(&bytes[CHECKSUM + 16..]);
    let checksum = all.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes[CHECKSUM..CHECKSUM + 16].copy_from_slice(format!("{checksum:016x}").as_bytes());
    bytes
}

/// Small files of every kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let x = [0.0, 1.0, 2.0, -1.0, 0.5, 3.0, 1.5, -2.0];
    let numbers = Dataset::from_slices(2, &x, 1, &[1.0, 2.0, 0.5, 4.0]).expect("data");
    let labels = Dataset::from_labels(2, &x, 2, &[0, 1, 0, 1]).expect("data");
    let net = Network::mlp([2, 2, 1], Activation::Tanh);
    let classes = Network::linear(2, 2);
    let model = |net: &Network, data: &Dataset| {
        let fitted = fit(net, data).penalty(Ridge(0.1)).max_iterations(3).run().expect("a fit");
        fitted.model().to_bytes().expect("a file")
    };
    let glm = Glm::logistic().ridge(0.1).fit(&labels).expect("a fit");
    let line = secant::linear_regression(&numbers).solve().expect("a solution");
    vec![
        model(&net, &numbers),
        model(&classes, &labels),
        glm.to_bytes().expect("a file"),
        line.to_bytes().expect("a file"),
    ]
}
