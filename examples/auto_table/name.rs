//! What a problem is called, and which half of the table it is in.

use std::fmt;

/// What kind of problem: the rows of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Regression,
    Classification,
    /// 5,000 parameters and more, linear models.
    Large,
    Sparse,
    /// Tables of 20 to 200 rows, linear models.
    Small,
    Net,
    /// 5,000 parameters and more.
    LargeNet,
    /// Tables of 20 to 200 rows.
    SmallNet,
    Nist,
    Mgh,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Regression,
        Self::Classification,
        Self::Large,
        Self::Sparse,
        Self::Small,
        Self::Net,
        Self::LargeNet,
        Self::SmallNet,
        Self::Nist,
        Self::Mgh,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Self::Regression => "linear regression",
            Self::Classification => "classification",
            Self::Large => "linear models, n from 5,000",
            Self::Sparse => "sparse linear models",
            Self::Small => "linear models, 20-200 rows",
            Self::Net => "networks",
            Self::LargeNet => "networks, n from 5,000",
            Self::SmallNet => "networks, 20-200 rows",
            Self::Nist => "NIST",
            Self::Mgh => "Moré, Garbow & Hillstrom",
        }
    }

    /// Before the set's name.
    fn prefix(self) -> &'static str {
        match self {
            Self::Regression | Self::Classification | Self::Large | Self::Small => "",
            Self::Sparse => "sparse ",
            Self::Net | Self::LargeNet | Self::SmallNet => "net ",
            Self::Nist => "nist ",
            Self::Mgh => "mgh ",
        }
    }
}

/// The constants of the choice are set on the first half and judged on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Tune,
    Report,
}

impl Half {
    pub const ALL: [Self; 2] = [Self::Tune, Self::Report];

    /// By the name of the data set alone: all problems on one set of data are in one half, whatever comes out. Its bytes added up, even or odd.
    pub fn of(set: &str) -> Self {
        let sum: u32 = set.bytes().map(u32::from).sum();
        if sum.is_multiple_of(2) { Self::Tune } else { Self::Report }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Tune => "tune",
            Self::Report => "report",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|half| half.word() == word)
    }
}

/// A problem of the table.
#[derive(Clone, Debug)]
pub struct Name {
    pub kind: Kind,
    /// Of the data: `mnist`, `Misra1a`.
    pub set: String,
    /// What is made of them.
    pub rest: String,
}

impl Name {
    pub fn new(kind: Kind, set: impl Into<String>, rest: impl Into<String>) -> Self {
        Self { kind, set: set.into(), rest: rest.into() }
    }

    pub fn half(&self) -> Half {
        Half::of(&self.set)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, set, rest } = self;
        let words = format!("{}{set} {rest}", kind.prefix());
        f.pad(words.trim_end())
    }
}
