import Glibc
import Linux
import Synchronization
import SystemPackage

/// Memory that one thread at a time copies through.
final class CopyBuffer: @unchecked Sendable {
    static let size = 256 * 1024

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)

    deinit { bytes.deallocate() }

    /// At most `size` of them.
    static func zeros(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: allZeros[..<count]) }

    // Nobody writes to it.
    private nonisolated(unsafe) static let allZeros = UnsafeRawBufferPointer(start: calloc(size, 1), count: size)

    func fill(_ count: Int, _ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> UnsafeRawBufferPointer {
        let filled = try read(UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
        return UnsafeRawBufferPointer(rebasing: bytes[..<filled])
    }
}

/// As many buffers as threads ask for at once: to map one for each small file would take longer than to copy it.
final class CopyBuffers: Sendable {
    private let idle = Mutex<[CopyBuffer]>([])

    func with<Result>(_ work: (CopyBuffer) throws -> Result) rethrows -> Result {
        let buffer = idle.withLock { $0.popLast() } ?? CopyBuffer()
        defer { idle.withLock { $0.append(buffer) } }
        return try work(buffer)
    }
}

/// Whether files of the source can share their blocks with copies of theirs. Found out by the first try.
final class CloneSupport: Sendable {
    private let isRefused = Atomic(false)

    /// Makes `to` a clone of `from`. False if that cannot be, and then nothing was written.
    func clone(_ from: FileDescriptor, _ to: FileDescriptor) -> Bool {
        guard !isRefused.load(ordering: .relaxed) else { return false }
        do {
            try from.clone(to: to)
            return true
        } catch {
            // Another file system, or one without shared blocks. A single file's own reason costs a copy and nothing else.
            isRefused.store(true, ordering: .relaxed)
            return false
        }
    }
}

extension FileDescriptor {
    func read(at offset: Int64, into buffer: CopyBuffer, _ count: Int) throws -> UnsafeRawBufferPointer {
        try buffer.fill(count) { try read(fromAbsoluteOffset: offset, into: $0) }
    }
}
