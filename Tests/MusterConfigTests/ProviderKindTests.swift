import DumpCore
import Jobs
import Processes
import Settings
import TestSupport
import Testing

@testable import MusterConfig

@Suite("Kinds of provider")
struct ProviderKindTests {
    /// Settings of every kind below.
    private struct Named: ProviderSettings {
        var item = ""
        var deadline: Duration?
    }

    /// A provider of every kind below, which says what it was made of.
    private struct NamedProvider: Provider {
        var words: [String]
        func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
            throw DumpError(.sourceUnavailable, "it is never asked")
        }
    }

    /// A kind whose name is known only at run time.
    private func kind(_ name: String) -> ProviderKind {
        ProviderKind(
            name, "What \(name) holds.",
            shape: ObjectShape(default: Named())
                .required("item", \.item, .name, "What to dump.")
                .key("deadline", \.deadline, .timeLimit, "How long it may take.")
        ) { all, means in
            all.map { NamedProvider(words: [means.job, name, $0.item, "one of \(all.count)"]) }
        }
    }

    private func plan(_ dumps: String) throws -> Job {
        let text = "{staging: /s, dumps: {\(dumps)}}"
        return try JobFile.parse(
            Array(text.utf8), name: "nightly", file: "nightly.yaml", kinds: ProviderKinds(["redis", "ldap"].map(kind)))
    }

    @Test("One type serves many kinds, and each dump gets the provider of its own kind")
    func oneTypeServesMany() throws {
        let plan = try plan(
            "a: {provider: ldap, item: x}, b: {provider: redis, item: y, deadline: 1m}, c: {provider: ldap, item: z}")
        #expect(plan.dumps.map(\.kind.name) == ["ldap", "redis", "ldap"])
        #expect(plan.dumps.map(\.settings.deadline) == [nil, .seconds(60), nil])
        let providers = plan.providers(by: ProgramRunner(keeper: keeperExecutable, log: .silent))
        #expect(
            providers.map { ($0 as? NamedProvider)?.words } == [
                ["nightly", "ldap", "x", "one of 2"], ["nightly", "redis", "y", "one of 1"],
                ["nightly", "ldap", "z", "one of 2"],
            ])
    }

    @Test("Two dumps with the same settings differ by their kind")
    func kindsDiffer() throws {
        #expect(try plan("a: {provider: ldap, item: x}") == plan("a: {provider: ldap, item: x}"))
        #expect(try plan("a: {provider: ldap, item: x}") != plan("a: {provider: redis, item: x}"))
    }

    @Test("A job is shown with the kind that each dump was read by")
    func kindsAreShown() throws {
        let shown = try plan("a: {provider: redis, item: x}").yaml
        #expect(shown.contains("provider: redis\n"), "\(shown)")
        let schema = Job.schema(kinds: ProviderKinds(["redis", "ldap"].map(kind)))
        #expect(schema.contains("What ldap holds.") && schema.contains("What redis holds."))
    }
}
