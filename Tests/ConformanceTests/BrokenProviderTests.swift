import Conformance
import DumpCore
import Glibc
import Linux
import Logging
import SystemPackage
import TestSupport
import Testing

@Suite("Claims against a provider that breaks them")
struct BrokenProviderTests {
    /// What a provider can do wrong, and which claim finds it out.
    enum Fault: CaseIterable, Sendable {
        case strayFile, openFile, wrongDigest, repeatedFact, unitOutside, moment, omission, restless, heedless, secret
        case survivor, silent

        var claim: ProviderClaim {
            switch self {
            case .strayFile, .openFile: .dumpIsItsUnits
            case .wrongDigest: .digestsAreTrue
            case .repeatedFact: .factsAreNamed
            case .unitOutside: .unitsAreDistinct
            case .moment: .momentIsTrue
            case .omission: .omissionsAreForetold
            case .restless: .unchangedIsIdentical
            case .heedless: .cancelledBefore
            case .secret: .secretsStaySecret
            case .survivor: .damagedSource
            case .silent: .unitsKeepToTheirSlots
            }
        }

        var words: [String] {
            switch self {
            case .strayFile: ["stray belongs to no unit"]
            case .openFile: ["file has mode 644"]
            case .wrongDigest: ["the digest of file is not its own"]
            case .repeatedFact: ["the fact 'Not a name' has no name for scripts"]
            case .unitOutside: ["the unit ../file leads out of the directory"]
            case .moment: ["the moment is before the freeze"]
            case .omission: ["foretold was nothing, left out was "]
            case .restless: ["the second dump differs: "]
            case .heedless: ["a dump that is cancelled throws nothing"]
            case .secret: ["a secret is in file"]
            case .survivor: ["the dump of a damaged source throws nothing"]
            case .silent: ["0 units began, of 1", "the unit file does not begin and end once"]
            }
        }
    }

    @Test("A claim that does not hold says what is wrong", arguments: Fault.allCases)
    func faults(fault: Fault) async throws {
        try await withScratch { scratch in
            let outcome = await fault.claim.outcome(of: BrokenSubject(fault: fault), in: scratch)
            guard case .failed(let found) = outcome else {
                Issue.record("\(fault.claim): \(outcome)")
                return
            }
            #expect(found.count >= fault.words.count, "\(found)")
            for words in fault.words { #expect(found.contains { $0.hasPrefix(words) }, "\(found)") }
        }
    }

    @Test("What the provider throws by mistake fails the claim, and is shown")
    func strangeErrors() async throws {
        try await withScratch { scratch in
            let outcome = await ProviderClaim.momentIsTrue.outcome(
                of: BrokenSubject(fault: nil, fails: true), in: scratch)
            guard case .failed(let found) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(found.count == 1 && found[0].hasPrefix("this was thrown: it is broken"), "\(found)")
        }
    }
}

private struct BrokenSubject: ConformanceSubject {
    let fault: BrokenProviderTests.Fault?
    var fails = false
    var secrets: [String] { ["hunter2hunter2"] }

    func provider(log: Logger) -> any Provider { BrokenProvider(fault: fault, fails: fails) }
    func whileHeldUp(_ body: () async throws -> Void) async throws { try await body() }
    func damage() async throws {}
}

/// A provider of one file that does one thing wrong.
private struct BrokenProvider: Provider, PreparedSource, FrozenSource {
    let fault: BrokenProviderTests.Fault?
    let fails: Bool

    var facts: ErrorContext { fault == .repeatedFact ? ["Not a name": "x"] : ["name": "x"] }
    var units: [WorkUnit] {
        [WorkUnit(name: "file", path: fault == .unitOutside ? "../file" : "file", estimatedBytes: 1)]
    }

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource { self }
    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource { self }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        if fails { throw DumpError(.system, "it is broken") }
        run.log.info("dumping")
        if fault == .silent || fault == .heedless { return try written(to: directory) }
        return try await run.perform(units[0]) { () async throws(DumpError) in try written(to: directory) }
    }

    private func written(to directory: FilePath) throws(DumpError) -> DumpSummary {
        let file = directory.appending("file")
        do {
            try write(text, to: file)
            if fault == .strayFile { try write("", to: directory.appending("stray")) }
            if fault == .openFile { chmod(file.string, 0o644) }
        } catch {
            throw DumpError(.system, "\(error)")
        }
        return summary
    }

    private var text: String {
        switch fault {
        case .secret: "it is hunter2hunter2, as anyone knows"
        case .restless: "\(UInt64.random(in: .min ... .max))"
        default: "text"
        }
    }

    private var summary: DumpSummary {
        var summary = DumpSummary(
            identity: facts, moment: Moment(.live, from: fault == .moment ? Timestamp(milliseconds: 1) : .now, to: .now)
        )
        if fault == .wrongDigest {
            summary.digests["file"] = FileDigest(sha256: "00", bytes: 1, inode: 1, modified: 1)
        }
        if fault == .omission {
            summary.omissions = [Finding(.note, "left_out", object: "x", "x is left out", hint: "Look.")]
        }
        return summary
    }
}
