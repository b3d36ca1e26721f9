import DumpCore
import Linux
import SystemPackage

/// One claim's check of one subject.
struct ConformanceCheck<Subject: ConformanceSubject>: Sendable {
    let subject: Subject
    let scratch: FilePath
    /// What does not hold.
    let faults = Notes<String>()

    init(subject: Subject, scratch: FilePath) {
        self.subject = subject
        self.scratch = scratch
    }

    func provider(_ run: TestRun) -> any Provider { subject.provider(log: run.context.log) }

    /// A directory as the pipeline gives it to a provider.
    func newDirectory(_ name: String = "dump") throws -> FilePath {
        let directory = scratch.appending(name)
        try FileSystem.createDirectory(directory)
        return directory
    }

    /// - Parameter fault: what is wrong otherwise.
    func expect(_ isSo: Bool, _ fault: @autoclosure () -> String) {
        if !isSo { faults.append(fault()) }
    }

    /// For a claim of which nothing more can be shown. What was found before counts.
    func lack(_ why: String) throws -> Never { throw NotApplicable(why) }

    /// The error that `body` throws, which must be one of a dump; nil after that was found to be otherwise.
    func dumpError(of what: String, _ body: () async throws -> Void) async throws -> DumpError? {
        do {
            try await body()
            faults.append("\(what) throws nothing")
        } catch let error as DumpError {
            return error
        } catch let error as NotApplicable {
            throw error
        } catch {
            faults.append("\(what) throws something else than a DumpError: \(error)")
        }
        return nil
    }

    /// How every error of a provider reads.
    func expectSpeaking(_ error: DumpError?) {
        guard let error else { return }
        expect(error.context["dump"] == "app", "the error does not name the dump: \(error.message)")
        expect(!error.message.hasSuffix("."), "the message ends with a full stop: \(error.message)")
        expect(!error.message.contains("\n"), "the message has several lines: \(error.message)")
        expect(!error.message.isEmpty, "the error of code \(error.code.rawValue) has no message")
    }

    func expect(_ error: DumpError?, is code: DumpError.Code) {
        guard let error else { return }
        expect(
            error.code == code, "the error has the code \(error.code.rawValue), not \(code.rawValue): \(error.message)")
        expectSpeaking(error)
    }

    /// What it still has open must be given back soon: a server may notice a moment later that a session has ended.
    func nothingIsLeft() async throws {
        var left = try await subject.leftovers()
        for _ in 0..<9000 where !left.isEmpty {
            try await Task.sleep(for: .milliseconds(10))
            left = try await subject.leftovers()
        }
        expect(left.isEmpty, "something is left behind: \(left)")
    }

    /// Runs `work`, which must leave the source as it was.
    func leavingSourceAlone(_ work: () async throws -> Void) async throws {
        let before = try await subject.fingerprint()
        try await work()
        try await nothingIsLeft()
        guard let before else { try lack("nothing shows whether this source was changed") }
        let after = try await subject.fingerprint()
        expect(after == before, "the source was changed:\n\(before)\n\(after ?? "")")
    }
}
