import Conformance
import DumpCore
import Glibc
import Linux
import Logging
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("A provider of one file")
struct FileProviderTests {
    private static let oneFile = [
        ProviderClaim.unitsAreDistinct: "the source is one unit", .unitsKeepToTheirSlots: "the source is one unit",
        .digestsAreTrue: "the dump reports no digest",
        .contentsAreThere: "the summary lists neither databases nor a tree",
        .secretsStaySecret: "this source has no secrets",
    ]

    @Test("A provider with one unit keeps the contract", arguments: ProviderClaim.allCases)
    func oneUnit(claim: ProviderClaim) async throws {
        try await withSubject(bytes: 300_000) { subject, scratch in
            await claim.check(subject, in: scratch, notApplicable: Self.oneFile)
        }
    }

    @Test("A claim that needs a large dump is not applicable to a small one")
    func smallDump() async throws {
        try await withSubject(bytes: 10) { subject, scratch in
            await ProviderClaim.fullDisk.check(
                subject, in: scratch,
                notApplicable: [.fullDisk: "a dump of this source fits on a disk of 128 KiB"])
        }
    }

    @Test("A subject with a provider alone shows what needs no help", arguments: ProviderClaim.allCases)
    func providerAlone(claim: ProviderClaim) async throws {
        try await withSubject(bytes: 300_000) { subject, scratch in
            let unchanged = "nothing shows whether this source was changed"
            let heldUp = "nothing holds up a dump of this source"
            await claim.check(
                ProviderAlone(file: subject.file), in: scratch,
                notApplicable: Self.oneFile.merging([
                    .prepareChangesNothing: unchanged, .dumpChangesNothing: unchanged, .cancelledWhile: heldUp,
                    .deadline: heldUp, .damagedSource: "nothing damages this source",
                    .fullDisk: "there is no small disk to dump to",
                    .errorsSpeak: "no source of this kind is known that cannot be reached",
                ]) { $1 })
        }
    }

    @Test("A kind whose provider is one file is set up from a job file's words")
    func kind() {
        #expect(ProviderKind.file.name == "file")
        let providers = ProviderKind.file.providers(
            for: [FileSettings(path: "/a"), FileSettings(path: "/b")],
            by: ProviderMeans(job: "nightly", runner: ProgramRunner(keeper: keeperExecutable, log: .silent)))
        #expect(providers.map { ($0 as? FileProvider)?.path } == ["/a", "/b"])
    }

    private func withSubject(bytes: Int, _ body: (FileSubject, FilePath) async throws -> Void) async throws {
        try await withScratch { scratch in
            let file = scratch.appending("source")
            try write(String(repeating: "0123456789", count: bytes / 10), to: file)
            let directory = scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            try await body(FileSubject(file: file), directory)
        }
    }
}

private struct ProviderAlone: ConformanceSubject {
    let file: FilePath
    func provider(log: Logger) -> any Provider { FileProvider(path: file) }
}

private struct FileSubject: ConformanceSubject {
    let file: FilePath

    var unreachable: (any Provider)? { FileProvider(path: file.removingLastComponent().appending("is-not-there")) }

    func provider(log: Logger) -> any Provider { FileProvider(path: file) }

    func fingerprint() async throws -> String? { "\(try FileSystem.status(of: file))" }

    func whileHeldUp(_ body: () async throws -> Void) async throws {
        let holder = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
        defer { try? holder.close() }
        guard flock(holder.rawValue, LOCK_EX) == 0 else { throw Errno(rawValue: errno) }
        try await body()
    }

    func damage() async throws { try FileSystem.removeFile(file) }

    func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
        try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
    }
}
