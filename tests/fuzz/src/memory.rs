//! How much memory an input takes.

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Does `work`, and panics if it had more than `most` bytes at any one time. The fuzzer's own memory, which C++ allocates, does not count.
pub fn within(most: usize, work: impl FnOnce()) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    work();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        taken <= most,
        "{taken} bytes of memory were taken at once; at most {most} are allowed"
    );
}
