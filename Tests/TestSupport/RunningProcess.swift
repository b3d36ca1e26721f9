import Glibc
import Linux
import SystemPackage

/// A process of this machine, by what it was started with.
public struct RunningProcess: Sendable {
    public let pid: pid_t
    /// Its words, with a zero byte after each; or what it calls itself, as PostgreSQL's do.
    public let commandLine: String

    /// Those whose command line has all these texts in it. Others may come and go meanwhile.
    public static func mentioning(_ texts: String...) throws -> [RunningProcess] {
        try FileSystem.names(in: "/proc").compactMap { name in
            guard let pid = pid_t(name.string), let line = try? read(FilePath("/proc/\(pid)/cmdline")),
                texts.allSatisfy({ line.contains($0) })
            else { return nil }
            return RunningProcess(pid: pid, commandLine: line)
        }
    }
}
