import DumpCore
import Glibc
import Processes
import SystemPackage

extension ServerPrograms {
    /// The programs of the version that was dumped. Those in PATH are asked for theirs.
    ///
    /// Throws when they are not installed: a drill with another version would prove something else.
    static func find(
        forDrillOf dump: Manifest.DumpRecord, among installed: [ServerPrograms] = installed(), runner: ProgramRunner
    ) async throws(DumpError) -> ServerPrograms {
        guard let major = dump.dumpedMajor else {
            throw DumpError(
                .settings, "the manifest does not say which version of PostgreSQL was dumped",
                hint: "Restore the dump to a server of your choice, and compare it by hand.")
        }
        var known = installed
        for place in known.indices where known[place].major == nil {
            known[place].major = try await known[place].askedMajor(runner)
        }
        do {
            return try find(major: major, among: known).resolved
        } catch {
            var error = error
            error.message += ", which a drill of this dump needs"
            throw error
        }
    }

    /// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    private func askedMajor(_ runner: ProgramRunner) async throws(DumpError) -> Int? {
        let outcome: ProgramOutcome
        do {
            outcome = try await runner.run(
                Program(path(of: "postgres"), ["--version"]), output: .collect(limit: 64 * 1024))
        } catch {
            throw DumpError(error)
        }
        let digits = String(decoding: outcome.output, as: UTF8.self).split(atASCII: ")", maxSplits: 1).last?.utf8
            .drop { $0 == 0x20 }.prefix { (0x30...0x39).contains($0) }
        return digits.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    /// Where the directory really is: an isolated program does not see every way to it.
    private var resolved: ServerPrograms {
        guard let path = realpath(directory.string, nil) else { return self }
        defer { free(path) }
        return ServerPrograms(in: FilePath(platformString: path), major: major)
    }
}
