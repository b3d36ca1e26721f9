import CKeeper
import DumpCore
import Linux
import Logging
import SystemPackage

extension Keeper {
    /// Waits until the programs that a dead process had started have ended too. Their keepers end them, each within the grace of its
    /// program. A moment after the longest grace this throws, and names the processes.
    public static func waitForOrphans(of owner: ProcessIdentity, log: Logger) async throws(DumpError) {
        let start = ContinuousClock.now
        var wasTold = false
        while case let orphans = orphans(of: owner), let longest = orphans.map(\.grace).max() {
            let named = orphans.map { String($0.pid) }.joined(separator: " ")
            guard ContinuousClock.now - start < longest + .seconds(10), !Task.isCancelled else {
                throw DumpError(
                    .system, "what the dead run had started has not ended yet",
                    hint: "Wait until it has, or find out what holds it up. Then run it again.",
                    context: ["processes": named])
            }
            if !wasTold {
                log.notice(
                    "waiting for the end of what a dead run has started",
                    metadata: ["processes": "\(named)", "seconds_at_most": "\(longest.components.seconds + 10)"])
            }
            wasTold = true
            // Cut short, it ends the wait.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// None if another process has got the number of the dead one: then the keepers cannot be assigned.
    private static func orphans(of owner: ProcessIdentity) -> [(pid: Int32, grace: Duration)] {
        guard !owner.hasSuccessor, let names = try? FileSystem.names(in: "/proc") else { return [] }
        return names.compactMap { Int32($0.string) }
            .compactMap { pid in grace(of: pid, for: owner.pid).map { (pid, $0) } }
    }

    /// What a keeper of a program that `parent` had run leaves it for its end, by the command line that `arguments(for:)` made. Nil if it is
    /// not such a keeper. A process that thaws what a dead run has frozen waits for its holder by the lock.
    private static func grace(of process: Int32, for parent: Int32) -> Duration? {
        guard let comm = FileSystem.kernelText(of: FilePath("/proc/\(process)/comm")), comm == name + "\n",
            let line = FileSystem.kernelText(of: FilePath("/proc/\(process)/cmdline"))
        else { return nil }
        let words = line.split(atASCII: "\0", omittingEmptySubsequences: false).prefix { $0 != "--" }
        func value(of option: String) -> Int64? {
            words.firstIndex { $0 == option }.flatMap { words.dropFirst($0 + 1).first }.flatMap { Int64($0) }
        }
        guard value(of: KEEPER_PARENT) == Int64(parent), let milliseconds = value(of: KEEPER_GRACE) else { return nil }
        return .milliseconds(min(max(0, milliseconds), 86_400_000))
    }
}
