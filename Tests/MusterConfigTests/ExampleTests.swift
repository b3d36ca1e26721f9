import Borg
import Jobs
import Linux
import MusterConfig
import PostgreSQL
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("Examples and schema")
struct ExampleTests {
    static let directory = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("config")

    static let examples: [String] = [
        "nightly.yaml", "cluster.yaml", "documents.yaml", "remote-server.yaml", "reference.yaml", "standby.yaml",
        "dump-only.json",
    ]

    /// From a copy: the checkout may belong to another user than root, who runs the tests.
    private static func plan(of name: String) async throws -> Job {
        try await withScratch { scratch in
            let file = scratch.appending(name)
            try write(try read(directory.appending(name)), to: file)
            return try JobFile.load(file, kinds: kinds)
        }
    }

    @Test("Every example job is valid", arguments: examples)
    func valid(name: String) async throws {
        let plan = try await Self.plan(of: name)
        #expect(plan.repositories.isEmpty == (name == "dump-only.json"))
    }

    @Test("Every YAML file in config/ is among the examples")
    func complete() throws {
        let jobs = try FileSystem.names(in: Self.directory).filter { $0.extension == "yaml" }.map(\.string)
        #expect(jobs == Self.examples.filter { $0.hasSuffix(".yaml") }.sorted())
    }

    @Test("Every job in the documents is valid")
    func documented() throws {
        let documents = Self.directory.removingLastComponent().appending("docs")
        var jobs = 0
        for name in try FileSystem.names(in: documents) where name.extension == "md" {
            for shown in blocks(of: "yaml", in: try read(documents.appending(name))) {
                #expect(throws: Never.self, "\(name): \(shown)") { try job(shown) }
                jobs += 1
            }
        }
        #expect(jobs >= 3)
    }

    @Test("The schema is JSON and knows every key that a job is shown with", arguments: examples)
    func schemaKnowsEveryKey(name: String) async throws {
        let schema = try Schema(Job.schema(kinds: kinds))
        let plan = try await Self.plan(of: name)
        let shown = try JSONTree(plan.json)
        #expect(schema.mismatches(of: shown, with: schema.root) == [])
    }

    @Test("The schema refuses what is not a job")
    func schemaRefuses() throws {
        let schema = try Schema(Job.schema(kinds: kinds))
        let wrong = """
            {"staging": "/s", "x": 1, "dumps": {"app": {"provider": "postgresql", "layout": "none", "y": 1}},
             "repositories": {"a": {"location": "host:repo", "passphrase": {"file": "/x", "z": 1}}}}
            """
        let tree = try JSONTree(wrong)
        #expect(
            schema.mismatches(of: tree, with: schema.root) == [
                "dumps.app.layout: not none", "dumps.app: y", "repositories.a.passphrase: z", ": x",
            ])
    }

    @Test("The schema describes a key with its help, its pattern and its default")
    func schemaOfKeys() throws {
        let schema = try Schema(Job.schema(kinds: kinds))
        #expect(schema.root["required"] == .list([.text("staging"), .text("dumps")]))
        let dump = try #require(schema.root["properties"]?["dumps"]?["additionalProperties"]?["oneOf"]?.elements.first)
        #expect(dump["required"] == .list([.text("provider")]))
        #expect(
            dump["properties"]?["run_as"]
                == .mapping([
                    "description": .text(
                        "The system user to connect and dump as, for peer authentication. Needs root, unless it is the user that runs Muster."
                    ),
                    "anyOf": .list([
                        .mapping([
                            "type": .text("string"), "pattern": .text("^([A-Za-z_][A-Za-z0-9_.@-]*[$]?)$"),
                            "examples": .list([.text("postgres")]),
                        ]),
                        .mapping(["type": .text("null")]),
                    ]),
                    "default": .null,
                ]))
        #expect(
            dump["properties"]?["layout"]
                == .mapping([
                    "description": .text(
                        "databases: a directory for each database, beside roles and tablespaces. "
                            + "cluster: one all.sql of pg_dumpall."),
                    "type": .text("string"), "enum": .list([.text("databases"), .text("cluster")]),
                    "default": .text("databases"),
                ]))
    }
}

/// What a Markdown page shows in fences of one language.
private func blocks(of language: String, in page: String) -> [String] {
    var found: [String] = []
    var block: String?
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
        if line == "```\(language)" {
            block = ""
        } else if line == "```", let ended = block.take() {
            found.append(ended)
        } else if block != nil {
            block! += line + "\n"
        }
    }
    return found
}
