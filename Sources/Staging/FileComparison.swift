import DumpCore
import Glibc
import Linux
import SystemPackage

/// Whether two files hold the same bytes, found by reading both.
struct FileComparison {
    private let one: FilePath
    private let oneDigest: FileDigest
    private let other: FilePath
    private let otherDigest: FileDigest

    private static let chunk = 256 * 1024

    /// The digests say which files are expected at the paths.
    init(_ one: FilePath, _ oneDigest: FileDigest, _ other: FilePath, _ otherDigest: FileDigest) {
        self.one = one
        self.oneDigest = oneDigest
        self.other = other
        self.otherDigest = otherDigest
    }

    /// True only if both were the expected files, unchanged from the first byte to the last.
    func isEqual(until stop: StopSign) throws -> Bool {
        let one = try FileDescriptor.open(one, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
        return try one.closeAfter {
            let other = try FileDescriptor.open(other, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
            return try other.closeAfter {
                guard try areExpected(one, other), try haveEqualBytes(one, other, until: stop) else { return false }
                return try areExpected(one, other)
            }
        }
    }

    private func areExpected(_ one: FileDescriptor, _ other: FileDescriptor) throws -> Bool {
        try oneDigest.describes(FileSystem.status(of: one)) && otherDigest.describes(FileSystem.status(of: other))
    }

    private func haveEqualBytes(
        _ one: FileDescriptor, _ other: FileDescriptor, until stop: StopSign
    ) throws -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Self.chunk, alignment: 4096)
        defer { buffer.deallocate() }
        let left = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Self.chunk])
        let right = UnsafeMutableRawBufferPointer(rebasing: buffer[Self.chunk...])
        var offset: Int64 = 0
        while offset < oneDigest.bytes {
            try stop.check(StagingError.self)
            let count = try one.readFully(into: left, at: offset)
            guard try other.readFully(into: right, at: offset) == count, count > 0,
                memcmp(left.baseAddress!, right.baseAddress!, count) == 0
            else { return false }
            offset += Int64(count)
        }
        return true
    }
}
