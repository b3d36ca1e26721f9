import Glibc
import Linux
import Synchronization
import SystemPackage

/// Memory that one thread at a time copies through.
final class CopyBuffer: @unchecked Sendable {
    static let size = 256 * 1024

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)

    deinit { bytes.deallocate() }

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

/// Whether files of the source can share their blocks with copies of theirs. Found out by the first try on each of its devices.
final class CloneSupport: Sendable {
    private let refused = Mutex<Set<UInt64>>([])

    /// Makes `to` a clone of `from`, which is on `device`. False if that cannot be, and then nothing was written.
    func clone(_ from: FileDescriptor, on device: UInt64, _ to: FileDescriptor) -> Bool {
        guard !refused.withLock({ $0.contains(device) }) else { return false }
        do {
            try from.clone(to: to)
            return true
        } catch {
            // Another file system, or one without shared blocks. A single file's own reason says nothing about the others.
            if [.improperLink, .notSupported, .inappropriateIOCTLForDevice, .noFunction].contains(error) {
                refused.withLock { _ = $0.insert(device) }
            }
            return false
        }
    }
}

extension FileDescriptor {
    func read(at offset: Int64, into buffer: CopyBuffer, _ count: Int) throws -> UnsafeRawBufferPointer {
        try buffer.fill(count) { try read(fromAbsoluteOffset: offset, into: $0) }
    }
}
