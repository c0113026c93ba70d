//! What outputs mean by the loss's link: probabilities and means.

use super::Model;
use crate::error::FitError;
use secant_core::elementwise::scalar::{exp, expm1};
use secant_core::loss::Link;

impl Model {
    /// The probability of every class for M samples, a row a class, classes × M column-major: two rows for a logistic or binomial model, c
    /// for a softmax. `inputs` d × M, without offsets, as for [`predict`](Self::predict).
    ///
    /// ```
    /// use secant::{Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv_labels(format!("{root}/data/iris.csv"), "target")?;
    /// let net = Network::linear(4, 3);
    /// let model = secant::fit(&net, &data).penalty(secant::Ridge(1e-3)).run()?.into_model();
    /// let p = model.predict_probabilities(data.sample(0))?;
    /// assert_eq!(p.len(), 3);
    /// assert!(p[0] > 0.9 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when the loss gives no probabilities: a hinge's scores are none.
    pub fn predict_probabilities(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        let link = self.link_of_classes("predict_probabilities")?;
        Ok(probabilities(link, self.predict(inputs)?, self.graph.outputs()))
    }

    /// The mean of the targets of M samples by the loss's link, c × M: e^z for Poisson, gamma and negative binomial models, z for squared
    /// error, the probability of class 1 for the logistic and the binomial, those of all classes for the softmax. `inputs` d × M, without offsets, as
    /// for [`predict`](Self::predict).
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when the loss is not that of a mean (a quantile, a robust loss, a hinge).
    pub fn mean(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        let needed = "a loss with a link: squared error, Poisson, gamma, negative binomial, logistic, binomial, softmax or an exponential family";
        let link = self.loss.link().ok_or_else(|| self.needs("mean", needed))?;
        let mut z = self.predict(inputs)?;
        link.means(&mut z, self.graph.outputs());
        Ok(z)
    }

    /// The link from scores to the probabilities of classes.
    pub(super) fn link_of_classes(&self, asked: &'static str) -> Result<Link, FitError> {
        let two = self.loss.decision().is_of_two_classes();
        let of_classes = |link: &Link| two || *link == Link::Softmax;
        let link = self.loss.link().filter(of_classes);
        link.ok_or_else(|| {
            self.needs(asked, "a loss of probabilities: logistic, binomial or softmax")
        })
    }
}

/// A row for every class, from scores by a link of classes.
pub(crate) fn probabilities(link: Link, mut z: Vec<f64>, outputs: usize) -> Vec<f64> {
    match link {
        // Both from the score: 1 − p would lose the small one.
        Link::Logit | Link::Probit => z = z.iter().flat_map(|z| [-z, *z]).collect(),
        Link::ComplementaryLogLog => {
            return z
                .iter()
                .flat_map(|z| {
                    let mut p = [*z];
                    link.means(&mut p, 1);
                    [exp(-exp(*z)), p[0]]
                })
                .collect();
        }
        Link::Log => return z.iter().flat_map(|z| [-expm1(*z), exp(*z)]).collect(),
        Link::Identity => return z.iter().flat_map(|z| [1.0 - z, *z]).collect(),
        _ => {}
    }
    link.means(&mut z, outputs);
    z
}
