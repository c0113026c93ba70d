//! Memory before it is allocated: what a solver needs, what is free, and the refusal of what does not fit.
//!
//! A matrix of n × n is refused before anything of it is allocated when a run would take more than half of the free memory: beyond
//! that a machine swaps, or the kernel ends the process with nothing to show. Where the free memory is not known nothing is refused.
//! All sums saturate: no n overflows them.

use crate::error::OptimError;
use std::fs;

/// More than this no allocation can have, whatever is free.
const ADDRESSABLE: u64 = isize::MAX as u64;
/// A run may take one part in this many of the free memory.
pub const SHARE: u64 = 2;
/// Less than this is allowed without a look at the free memory, which takes longer than many a small fit: 16 MiB.
pub const UNASKED: u64 = 16 << 20;
/// What to use instead of a method whose matrices do not fit: products alone.
pub(crate) const PRODUCTS_INSTEAD: &str = "the trust region with `Subproblem::Gltr` or L-BFGS";
/// What to use instead of a method that keeps nothing but a few vectors.
pub(crate) const FEWER_PARAMETERS: &str = "a problem with fewer parameters";
/// What to use instead of many pairs of limited memory.
pub(crate) const FEWER_PAIRS: &str = "a smaller option `memory`";
/// Columns of a factor that a product of matrices packs at a time: the depth of faer's blocks.
const PACKED_COLUMNS: usize = 512;
/// What `/proc/meminfo` counts in.
const KIB: u64 = 1024;

/// Bytes of matrices of f64: Σ count·rows·columns·8, saturating.
///
/// ```
/// use secant_optim::memory::bytes;
/// assert_eq!(bytes(&[(2, 10, 10), (3, 10, 1)]), 230 * 8);
/// assert_eq!(bytes(&[(2, usize::MAX, usize::MAX)]), u64::MAX);
/// ```
pub fn bytes(matrices: &[(usize, usize, usize)]) -> u64 {
    let entries = matrices.iter().map(|&(count, rows, columns)| {
        (count as u64).saturating_mul(rows as u64).saturating_mul(columns as u64)
    });
    entries.fold(0, u64::saturating_add).saturating_mul(size_of::<f64>() as u64)
}

/// Bytes that products of n × n matrices write beside their operands: 512 columns of either factor, packed. On x86-64 every thread that
/// multiplies *reserves* twice the third-level cache for them, whatever it multiplies; what is not written takes no memory where the
/// system gives pages at their first use.
pub fn packed(n: usize) -> u64 {
    bytes(&[(2, n, n.min(PACKED_COLUMNS))])
}

/// Bytes that can be had without swapping: `MemAvailable`, or what the limits of the process's control groups leave, whichever is
/// less. None where neither is known, as on systems other than Linux.
pub fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let left = control_groups(&groups).into_iter().filter_map(|group| group.left(read_number));
    left.chain(machine).min()
}

/// The `MemAvailable` of `/proc/meminfo`, in bytes.
fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(KIB)
}

/// The files of one control group: its limit, and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ControlGroup {
    limit: String,
    used: String,
}

impl ControlGroup {
    /// Limit − use; none without a limit.
    fn left(&self, read: impl Fn(&str) -> Option<u64>) -> Option<u64> {
        Some(read(&self.limit)?.saturating_sub(read(&self.used)?))
    }
}

/// The groups named by `/proc/self/cgroup`, each with those that hold it: `0::/a/b` of version 2, `4:memory:/a/b` of version 1.
fn control_groups(text: &str) -> Vec<ControlGroup> {
    let mut groups = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (root, limit, used) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
            "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            let file = |name| format!("{root}{path}/{name}");
            groups.push(ControlGroup { limit: file(limit), used: file(used) });
            let Some(parent) = path.rfind('/') else { break };
            path = &path[..parent];
        }
    }
    groups
}

/// A file that holds one number; none for `max`.
fn read_number(file: &str) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Bytes that a run may take: `limit`, or a part of what is free; none where that is unknown.
pub fn allowed(limit: Option<u64>) -> Option<u64> {
    limit.or_else(|| available().map(|free| free / SHARE))
}

/// Refuses `solver` when it `needs` more bytes than allowed.
///
/// # Errors
/// [`OptimError::Memory`], with `alternative`: what to use instead.
pub(crate) fn preflight(
    solver: &'static str,
    needs: Option<u64>,
    alternative: &'static str,
    limit: Option<u64>,
) -> Result<(), OptimError> {
    let Some(needed) = needs.filter(|needed| limit.is_some() || *needed > UNASKED) else {
        return Ok(());
    };
    match allowed(limit).or(Some(ADDRESSABLE)) {
        Some(allowed) if needed > allowed => {
            Err(OptimError::Memory { solver, needed, allowed, alternative })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_in_bytes() {
        let text = "MemTotal:       24684084 kB\nMemFree: 1 kB\nMemAvailable:   23955472 kB\n";
        assert_eq!(mem_available(text), Some(23_955_472 * 1024));
        assert_eq!(mem_available("MemTotal: 5 kB\n"), None);
        assert_eq!(mem_available("MemAvailable: many kB\n"), None);
    }

    #[test]
    fn every_group_above_counts_and_the_least_left_decides() {
        let groups = control_groups("9:name=systemd:/\n4:memory:/a/b\n0::/c\n");
        let limits: Vec<&str> = groups.iter().map(|group| group.limit.as_str()).collect();
        assert_eq!(
            limits,
            [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/c/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        let read = |file: &str| match file {
            "/sys/fs/cgroup/c/memory.max" => Some(100),
            "/sys/fs/cgroup/c/memory.current" => Some(130),
            "/sys/fs/cgroup/memory.max" => None,
            _ => Some(7),
        };
        assert_eq!(groups[3].left(read), Some(0), "used beyond the limit leaves nothing");
        assert_eq!(groups[4].left(read), None, "no limit");
    }

    #[test]
    fn products_pack_no_more_than_their_factors() {
        assert_eq!(packed(100), 2 * 100 * 100 * 8);
        assert_eq!(packed(10_000), 2 * 10_000 * 512 * 8);
        assert_eq!(packed(usize::MAX), u64::MAX);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_numbers() {
        let refused = preflight("Newton", Some(9), "L-BFGS", Some(8));
        let (solver, alternative) = ("Newton", "L-BFGS");
        assert_eq!(refused, Err(OptimError::Memory { solver, needed: 9, allowed: 8, alternative }));
        assert_eq!(preflight("Newton", Some(8), "L-BFGS", Some(8)), Ok(()));
        assert_eq!(preflight("Newton", None, "L-BFGS", Some(8)), Ok(()));
    }
}
