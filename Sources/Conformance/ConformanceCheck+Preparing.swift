import DumpCore
import SystemPackage

extension ConformanceCheck {
    func prepareChangesNothing() async throws {
        try await leavingSourceAlone {
            let run = TestRun()
            try await run.prepared(provider(run)) { source in
                let failures = (source.findings + source.omissions).filter { $0.severity == .failure }
                expect(failures.isEmpty, "the source cannot be dumped: \(failures.listed)")
                let severities = source.findings.map(\.severity)
                expect(severities == severities.sorted(by: >), "the most severe finding does not come first")
            }
        }
    }

    func factsAreNamed() async throws {
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let facts = source.facts.facts
            expect(!facts.isEmpty, "there are no facts")
            expect(Set(facts.map(\.name)).count == facts.count, "two facts have one name")
            for fact in facts {
                expect(
                    fact.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil,
                    "the fact '\(fact.name)' has no name for scripts")
                expect(
                    !fact.value.isEmpty && !fact.value.contains("\n"), "the fact '\(fact.name)' is not one line of text"
                )
            }
        }
    }

    func unitsAreDistinct() async throws {
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let units = source.units
            expect(!units.isEmpty, "there are no units")
            expect(Set(units.map(\.path)).count == units.count, "two units have one path")
            for unit in units {
                expect(!unit.name.isEmpty, "the unit \(unit.path) has no name")
                expect(unit.estimatedBytes >= 0, "the unit \(unit.path) is expected to have less than no bytes")
                let isInside = unit.path.isRelative && unit.path.components.allSatisfy { $0.kind == .regular }
                expect(isInside && !unit.path.isEmpty, "the unit \(unit.path) leads out of the directory")
                for other in units where other != unit && other.path.starts(with: unit.path) {
                    expect(false, "the unit \(unit.path) has the unit \(other.path) in it")
                }
            }
            if units.count < 2 { try lack("the source is one unit") }
        }
    }

    func errorsSpeak() async throws {
        guard let unreachable = subject.unreachable else {
            try lack("no source of this kind is known that cannot be reached")
        }
        let error = try await dumpError(of: "a source that cannot be reached") {
            try await TestRun().prepared(unreachable) { _ in }
        }
        expect(error, is: .sourceUnavailable)
        expect(error == nil || error?.hint?.hasSuffix(".") == true, "the hint is not a sentence")
    }
}
