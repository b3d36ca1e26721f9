import Glibc
import SystemPackage

extension FileDescriptor {
    /// Writes a piece of a new file, but for its pages of zeros, which become holes. The file's length is for `setLength` to set.
    public func writeSparsely(_ piece: UnsafeRawBufferPointer, at offset: Int64) throws {
        var start = 0
        while start < piece.count {
            var end = start
            while end < piece.count, !piece.hasZeros(onPageAt: end) { end += sparsePage }
            let data = UnsafeRawBufferPointer(rebasing: piece[start..<min(end, piece.count)])
            _ = try writeAll(toAbsoluteOffset: offset + Int64(start), data)
            start = end
            while start < piece.count, piece.hasZeros(onPageAt: start) { start += sparsePage }
        }
    }
}

private let sparsePage = 4096

extension UnsafeRawBufferPointer {
    /// Whether the page at a place is zeros. Most are not from their first byte on.
    fileprivate func hasZeros(onPageAt start: Int) -> Bool {
        guard self[start] == 0 else { return false }
        // Each byte equals the next.
        let page = UnsafeRawBufferPointer(rebasing: self[start..<Swift.min(start + sparsePage, count)])
        return memcmp(page.baseAddress!, page.baseAddress! + 1, page.count - 1) == 0
    }
}
