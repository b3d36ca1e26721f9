import DumpCore
import Glibc
import SystemPackage

extension ProcessIdentity {
    /// This process.
    public static var current: ProcessIdentity {
        ProcessIdentity(pid: getpid(), startTicks: process(getpid())?.startTicks ?? 0, bootID: currentBootID)
    }

    /// Whether it still runs. Where that cannot be found out, it does not; nor does a zombie that waits to be reaped.
    public var isAlive: Bool {
        guard bootID == Self.currentBootID, let process = Self.process(pid), process.startTicks == startTicks else {
            return false
        }
        return !process.hasEnded
    }

    /// Whether another process has got its number since.
    public var hasSuccessor: Bool {
        guard let process = Self.process(pid) else { return false }
        return bootID != Self.currentBootID || process.startTicks != startTicks
    }

    private static var currentBootID: String {
        FileSystem.kernelText(of: "/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) } ?? ""
    }

    /// Fields 3, 20 and 22 of `/proc/PID/stat`: state, threads and start; the second, a name in brackets, may hold spaces and brackets.
    private static func process(_ pid: Int32) -> (startTicks: UInt64, hasEnded: Bool)? {
        guard let stat = FileSystem.kernelText(of: FilePath("/proc/\(pid)/stat")),
            let name = stat.utf8.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = stat[stat.utf8.index(after: name)...].split(atASCII: " ")
        guard fields.count > 19, let startTicks = UInt64(fields[19]), let threads = Int(fields[17]) else { return nil }
        // The first thread may have ended, and others still be within the kernel.
        return (startTicks, ["Z", "X"].contains(fields[0]) && threads <= 1)
    }
}

extension FileSystem {
    /// The beginning, at most 4 KiB, of what the kernel says in a file such as those in `/proc`. Nil if it cannot be read.
    public static func kernelText(of path: FilePath) -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return nil }
        // Nothing depends on a close of a file that was only read.
        defer { try? file.close() }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            guard let count = try? file.read(into: buffer) else { return nil }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
