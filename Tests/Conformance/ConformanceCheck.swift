import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

/// One claim's check of one subject.
struct ConformanceCheck<Subject: ConformanceSubject> {
    let subject: Subject
    let scratch: FilePath

    func provider(_ run: TestRun) -> any Provider { subject.provider(log: run.context.log) }

    /// A directory as the pipeline gives it to a provider.
    func newDirectory(_ name: String = "dump") throws -> FilePath {
        let directory = scratch.appending(name)
        try FileSystem.createDirectory(directory)
        return directory
    }

    func nothingIsLeft() async throws {
        try await eventually { try await subject.leftovers().isEmpty }
    }

    /// How every error of a provider reads.
    func expectSpeaking(_ error: DumpError?, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let error else { return }
        #expect(error.context["dump"] == "app", "the error must name the dump", sourceLocation: sourceLocation)
        #expect(error.message.hasSuffix(".") == false, sourceLocation: sourceLocation)
        #expect(error.message.contains("\n") == false, sourceLocation: sourceLocation)
        #expect(error.message.isEmpty == false, sourceLocation: sourceLocation)
    }

    // MARK: Prepare

    func prepareChangesNothing() async throws {
        let before = try await subject.fingerprint()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            #expect((source.findings + source.omissions).allSatisfy { $0.severity < .failure })
            let severities = source.findings.map(\.severity)
            #expect(severities == severities.sorted(by: >), "the most severe finding comes first")
        }
        try await nothingIsLeft()
        #expect(try await subject.fingerprint() == before)
    }

    func factsAreNamed() async throws {
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let facts = source.facts.facts
            #expect(!facts.isEmpty)
            #expect(Set(facts.map(\.name)).count == facts.count)
            for fact in facts {
                #expect(fact.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(fact.name)")
                #expect(!fact.value.isEmpty && !fact.value.contains("\n"), "\(fact.name)")
            }
        }
    }

    func unitsAreDistinct() async throws {
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let units = source.units
            #expect(units.count >= 2)
            #expect(Set(units.map(\.path)).count == units.count)
            #expect(units.allSatisfy { !$0.name.isEmpty && $0.estimatedBytes >= 0 })
            for unit in units {
                #expect(unit.path.isRelative && !unit.path.isEmpty)
                #expect(unit.path.components.allSatisfy { $0.kind == .regular }, "\(unit.path) leads out")
                let others = units.filter { $0 != unit }
                #expect(others.allSatisfy { !$0.path.starts(with: unit.path) }, "\(unit.path) holds another unit")
            }
        }
    }

    func errorsSpeak() async throws {
        let error = await #expect(throws: DumpError.self) {
            try await TestRun().prepared(subject.unreachable) { _ in }
        }
        #expect(error?.code == .sourceUnavailable)
        #expect(error?.hint?.hasSuffix(".") == true, "the hint must be a sentence")
        expectSpeaking(error)
    }

    // MARK: What a dump is

    func dumpIsItsUnits() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let tree = try await run.dump(source, into: directory).tree.map { FilePath($0.path) }
            #expect(try FileSystem.status(of: directory).mode == 0o700)
            let entries = try FileTree(directory).entries()
            for unit in source.units { #expect(entries.contains { $0.path == unit.path }, "no \(unit.path)") }
            for entry in entries {
                let belongs = source.units.contains {
                    entry.path.starts(with: $0.path)
                        || entry.status.kind == .directory && $0.path.starts(with: entry.path)
                }
                #expect(belongs, "\(entry.path) belongs to no unit")
                if tree.map(entry.path.starts(with:)) ?? false { continue }
                let isDirectory = entry.status.kind == .directory
                #expect(isDirectory || entry.status.kind == .file, "\(entry.path)")
                #expect(entry.status.mode == (isDirectory ? 0o700 : 0o600), "\(entry.path)")
                #expect(entry.status.uid == UserAccount.current?.uid, "\(entry.path)")
            }
        }
        #expect(try FileSystem.names(in: scratch) == ["dump"], "a dump stays in its directory")
        #expect(FileTree(directory).bytes() >= 256 * 1024, "the subject is too small for the other claims")
    }

    func dumpChangesNothing() async throws {
        let before = try await subject.fingerprint()
        let run = TestRun()
        try await run.dump(provider(run), into: try newDirectory())
        try await nothingIsLeft()
        #expect(try await subject.fingerprint() == before)
    }

    func contentsAreThere() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        let summary = try await run.dump(provider(run), into: directory)
        #expect(!summary.identity.facts.isEmpty)
        #expect(Set(summary.databases.map(\.name)).count == summary.databases.count)
        for database in summary.databases {
            #expect(throws: Never.self) { try FileSystem.status(of: directory.appending(database.path)) }
            let places = database.tables.map { [$0.schema, $0.name] }
            #expect(places == places.sorted { $0.lexicographicallyPrecedes($1) })
            #expect(database.tables.allSatisfy { $0.rows >= 0 })
        }
    }

    func omissionsAreForetold() async throws {
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let summary = try await run.dump(source, into: try newDirectory())
            #expect(Set(summary.omissions) == Set(source.omissions))
            #expect(summary.omissions.count == source.omissions.count)
            #expect(Set(source.findings).isDisjoint(with: source.omissions))
            for omission in source.omissions {
                #expect(!omission.code.isEmpty && !omission.object.isEmpty && !omission.message.isEmpty)
                #expect(!omission.message.hasSuffix(".") && omission.hint?.hasSuffix(".") == true, "\(omission)")
            }
        }
    }

    func momentIsTrue() async throws {
        let start = Timestamp.now
        let run = TestRun()
        let moment = try await run.dump(provider(run), into: try newDirectory()).moment
        #expect(start <= moment.from)
        #expect(moment.from <= moment.to)
        #expect(moment.to <= .now)
    }
}
