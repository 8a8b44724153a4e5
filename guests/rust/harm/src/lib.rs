//! What a guest can do to its host without any import: use up time, memory and stack.

use std::hint::black_box;

/// Never returns and never calls the host.
pub fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns).wrapping_add(1);
    }
}

/// What to do when the host grants no more memory.
pub enum Refused {
    /// Abort, as an allocation in most languages does.
    Trap,
    /// Say how much there was.
    Answer,
    /// Ask again, for ever.
    Retry,
}

/// Grows the memory by 64 KiB pages and writes to each; returns their number if the host refuses one.
pub fn grow(refused: &Refused) -> usize {
    const PAGE_BYTES: usize = 64 * 1024;
    let mut pages = 0;
    loop {
        let page = core::arch::wasm32::memory_grow::<0>(1);
        if page != usize::MAX {
            touch(page * PAGE_BYTES);
            pages += 1;
            continue;
        }
        match refused {
            Refused::Trap => core::arch::wasm32::unreachable(),
            Refused::Answer => return pages,
            Refused::Retry => {}
        }
    }
}

/// Writes to each 4 KiB of a fresh page, so that the operating system has to give all of it.
fn touch(address: usize) {
    for offset in (0..64 * 1024).step_by(4096) {
        // SAFETY: the page was just granted, and no allocator knows of it.
        unsafe { core::ptr::write_volatile((address + offset) as *mut u8, 1) };
    }
}

/// Calls itself `depth` times. `black_box` on both sides of the call keeps it from becoming a loop.
#[inline(never)]
pub fn recurse(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        return 0;
    }
    black_box(recurse(depth - 1)).wrapping_add(black_box(1))
}
