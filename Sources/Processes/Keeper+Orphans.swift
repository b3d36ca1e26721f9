import DumpCore
import Linux
import SystemPackage

extension Keeper {
    /// Waits until what a dead process had run has ended too. Its keepers end it, within the time that each program has for that.
    ///
    /// - Parameter limit: for how long to wait. Throws, and names them, if some are left then.
    public static func waitForOrphans(of owner: ProcessIdentity, limit: Duration) async throws(DumpError) {
        let end = ContinuousClock.now + limit
        while case let keepers = orphans(of: owner), !keepers.isEmpty {
            guard ContinuousClock.now < end, !Task.isCancelled else {
                throw DumpError(
                    .system, "what the dead run had started has not ended yet",
                    hint: "Wait until it has, or find out what holds it up. Then run it again.",
                    context: ["processes": keepers.map(String.init).joined(separator: " ")])
            }
            // Cut short, it ends the wait.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// None if another process has got the number of the dead one: whose keepers they are cannot be told then.
    private static func orphans(of owner: ProcessIdentity) -> [Int32] {
        guard !owner.hasSuccessor, let names = try? FileSystem.names(in: "/proc") else { return [] }
        return names.compactMap { Int32($0.string) }.filter { keeps($0, for: owner.pid) }
    }

    /// By its command line, as `arguments(for:)` made it. Whoever thaws what a dead run has frozen waits for its holder by the lock.
    private static func keeps(_ process: Int32, for parent: Int32) -> Bool {
        guard let comm = FileSystem.kernelText(of: FilePath("/proc/\(process)/comm")), comm == name + "\n",
            let line = FileSystem.kernelText(of: FilePath("/proc/\(process)/cmdline"))
        else { return false }
        let options = line.split(separator: "\0", omittingEmptySubsequences: false).prefix { $0 != "--" }
        guard let option = options.firstIndex(of: "--parent"), option + 1 < options.endIndex else { return false }
        return options[option + 1] == String(parent) && !options.contains("--freeze-for")
    }
}
