import DumpCore
import Glibc
import Linux
import SystemPackage

/// The processes of a plugin that is being tested, found by the variables that only they have.
enum RunningPlugin {
    /// Sends SIGKILL to all that work on the dump of a run, but for the keepers above them.
    static func killAll(of run: RunID) {
        for process in processes(of: run) { kill(process, SIGKILL) }
    }

    private static func processes(of run: RunID) -> [pid_t] {
        let marks = ["MUSTER_RUN=\(run)", "MUSTER_VERB=dump"]
        // A process that ends meanwhile needs no signal.
        return ((try? FileSystem.names(in: "/proc")) ?? []).compactMap { pid_t($0.string) }.filter { process in
            let variables = contents(of: process, "environ").split(atASCII: "\0").map(String.init)
            return marks.allSatisfy(variables.contains) && !contents(of: process, "comm").hasPrefix("muster")
        }
    }

    private static func contents(of process: pid_t, _ file: String) -> String {
        let path = FilePath("/proc/\(process)/\(file)")
        guard let descriptor = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return "" }
        let bytes = try? descriptor.closeAfter { try descriptor.readAll(atMost: 1 << 20) }
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
