import DumpCore
import Linux
import SystemPackage

/// A source whose point in time a plugin holds open, or that needs none.
struct FrozenPlugin: FrozenSource {
    /// The process that holds it.
    struct Session: Sendable {
        var process: PluginProcess
        /// The point in time is between these two.
        var from: Timestamp
        var to: Timestamp
        var progress: PluginProgress
    }

    let dump: PluginDump
    let session: Session?

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        let progress = session?.progress ?? PluginProgress(dump.prepared.units)
        do throws(DumpError) {
            return try await run.perform(dump.prepared.units, jobs: dump.jobs, showing: progress) {
                () async throws(DumpError) in
                let start = session?.from ?? .now
                let process: PluginProcess
                if let session {
                    process = session.process
                    process.go()
                } else {
                    process = try dump.start(in: directory, run, progress)
                }
                let said = try await process.end()
                try await dump.check(said, in: directory)
                try await dump.readHoles(in: directory, run)
                return try dump.summary(of: said, from: start, to: session?.to ?? .now)
            }
        } catch {
            await session?.process.stop()
            throw error.blamingFullDisk(needed: dump.prepared.units.lazy.map(\.estimatedBytes).total, in: directory)
        }
    }

    func explained(_ error: DumpError, in directory: FilePath) async -> DumpError {
        error.ofWaiting(for: dump.source.plugin, dump.log)
    }

    func release() async { await session?.process.stop() }
}

extension DumpError {
    /// What is hardly room for anything.
    private static let full: Int64 = 1 << 20

    /// A program that cannot write says so in many ways.
    fileprivate func blamingFullDisk(needed: Int64, in directory: FilePath) -> DumpError {
        let failed: Set<Code> = [.cancelled, .deadline, .pluginProtocol]
        guard !failed.contains(code) else { return self }
        let isFull = ((try? FileSystem.availableBytes(at: directory)) ?? .max) < Self.full
        guard code == .noSpace || isFull else { return self }
        var error = DumpError(
            .noSpace, code == .noSpace ? message : "no space for the dump: \(message)",
            hint: "Free space in the staging area, or move it to a larger disk.", isTransient: false, underlying: self
        ).sayingRoom(needed: needed, in: directory)
        for fact in context { error.context[fact.name] = fact.value }
        return error
    }
}
