import Glibc

/// Bytes that stay in memory, mlock(2), and are overwritten before their memory is given back.
final class LockedMemory: @unchecked Sendable {
    // Written in `init` and `deinit` alone.
    private let pages: UnsafeMutableRawBufferPointer
    private let count: Int

    init(holding bytes: some Collection<UInt8>) {
        let page = Int(getpagesize())
        count = bytes.count
        // Whole pages, as locks do not count: the first unlock of a page unlocks it for all.
        pages = .allocate(byteCount: max(count + page - 1, page) / page * page, alignment: page)
        // More than the limit allows (RLIMIT_MEMLOCK) stays unlocked: better than no backup.
        _ = mlock(pages.baseAddress!, pages.count)
        pages.copyBytes(from: bytes)
    }

    deinit {
        explicit_bzero(pages.baseAddress!, pages.count)
        munlock(pages.baseAddress!, pages.count)
        pages.deallocate()
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(rebasing: pages[..<count])) }
    }
}

extension [UInt8] {
    /// Overwrites bytes that held a secret. Only those of this array: it must be the only one that has them.
    public mutating func wipe() {
        withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            explicit_bzero(start, bytes.count)
        }
    }
}
