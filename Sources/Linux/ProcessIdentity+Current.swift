import DumpCore
import Glibc
import SystemPackage

extension ProcessIdentity {
    /// This process.
    public static var current: ProcessIdentity {
        ProcessIdentity(pid: getpid(), startTicks: startTicks(of: getpid()) ?? 0, bootID: currentBootID)
    }

    /// Whether it still runs. Where that cannot be told, it does not.
    public var isAlive: Bool { bootID == Self.currentBootID && Self.startTicks(of: pid) == startTicks }

    private static var currentBootID: String {
        FileSystem.kernelText(of: "/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) } ?? ""
    }

    /// The 22nd field; the second, a name in brackets, may hold spaces and brackets.
    private static func startTicks(of pid: Int32) -> UInt64? {
        guard let stat = FileSystem.kernelText(of: FilePath("/proc/\(pid)/stat")), let name = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
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
