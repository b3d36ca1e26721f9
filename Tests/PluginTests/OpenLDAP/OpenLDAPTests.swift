import Conformance
import DumpCore
import Linux
import Logging
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("OpenLDAP as a provider")
struct OpenLDAPTests {
    private static let people = FilePath("suffixes/dc=example,dc=org.ldif")

    @Test("The OpenLDAP plugin keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func contract(claim: ProviderClaim) async throws {
        try await OpenLDAPHost.with(entries: 1000) { host in
            let directory = host.scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            let heldUp = "nothing holds up a dump of this source"
            await claim.check(
                Subject(host: host), in: directory,
                notApplicable: [
                    .digestsAreTrue: "the dump reports no digest", .cancelledWhile: heldUp, .deadline: heldUp,
                    .secretsStaySecret: "this source has no secrets",
                ])
        }
    }

    @Test("A suffix is as of one instant while it is written")
    func oneInstant() async throws {
        try await OpenLDAPHost.with { host in
            // Each change sets the same number in two entries: at any instant they have the same.
            let writing = Task {
                for number in 1... where !Task.isCancelled {
                    let both = (1...2).map {
                        "dn: cn=u\($0),dc=example,dc=org\nchangetype: modify\nreplace: sn\nsn: \(number)\n"
                    }
                    try await host.change("ldapmodify", both.joined(separator: "\n"))
                }
            }
            let plugin = try host.plugin(["suffixes": .list([.text("dc=example,dc=org")])])
            for number in 1...5 {
                let dump = try await plugin.taken(in: host.scratch, "dump-\(number)")
                let lines = try read(dump.directory.pushing(Self.people)).split(separator: "\n")
                let numbers = lines.filter { $0.hasPrefix("sn: ") }.compactMap { Int($0.dropFirst(4)) }
                #expect(dump.summary.moment.kind == .exact)
                #expect(numbers.count == 200)
                // The two are changed one after the other: the second never comes before the first, nor two changes late.
                #expect((0...1).contains(numbers[0] - numbers[1]), "\(numbers[0]) and \(numbers[1])")
            }
            writing.cancel()
            _ = await writing.result
        }
    }

    @Test("The dump has every suffix and the configuration, and leaves no file of root's behind")
    func everything() async throws {
        try await OpenLDAPHost.with { host in
            let dump = try await host.plugin().taken(in: host.scratch)
            #expect(dump.summary.databases.map(\.name) == ["cn=config", "dc=example,dc=org", "o=Müller & Söhne"])
            #expect(dump.summary.databases.map { $0.tables.first?.rows } == [9, 201, 0])
            #expect(dump.summary.moment.kind == .window)
            let owners = try await output("find", host.directory.string, "-not", "-user", OpenLDAPHost.user)
            #expect(owners == "")
        }
    }

    @Test("What is restored is the same, byte by byte, and a server starts from it")
    func restored() async throws {
        try await OpenLDAPHost.with { host in
            let dump = try await host.plugin().taken(in: host.scratch)
            let target = host.scratch.appending("restored")
            let outcome = try await host.plugin().restored(dump) { $0.target = target.string }
            #expect(outcome.items.map(\.comparison.compared) == [["entries": 9], ["entries": 201], ["entries": 0]])
            #expect(outcome.isProven)
            try await output(
                "runuser", "-u", OpenLDAPHost.user, "--", "/usr/sbin/slaptest", "-F", "\(target)/slapd.d", "-Q")
            #expect(try await output("find", target.string, "-not", "-user", OpenLDAPHost.user) == "")
            let again = await #expect(throws: DumpError.self) {
                try await host.plugin().restored(dump) { $0.target = target.string }
            }
            #expect(again?.message == "\(target) exists and is not empty")
        }
    }

    @Test("A drill loads every suffix, and finds one that was cut")
    func drill() async throws {
        try await OpenLDAPHost.with { host in
            let dump = try await host.plugin().taken(in: host.scratch)
            let outcome = try await host.plugin().drill(dump, in: host.scratch.appending("room"))
            #expect(outcome.isProven)
            #expect(outcome.items.count == 3)
            let file = dump.directory.pushing(Self.people)
            let text = try read(file)
            try write(String(text[..<text.firstRange(of: "dn: cn=u150,")!.lowerBound]), to: file)
            let error = await #expect(throws: DumpError.self) {
                try await host.plugin().drill(dump, in: host.scratch.appending("room-2"))
            }
            #expect(error?.message == "\(Self.people) has 150 entries, not 201")
        }
    }

    @Test("A suffix that is not there, and a directory that is no configuration, are failures")
    func mistakes() async throws {
        try await OpenLDAPHost.with { host in
            let plugin = try host.plugin(["suffixes": .list([.text("dc=elsewhere")])])
            #expect(try await plugin.findings() == ["failure suffix_missing: the server has no suffix 'dc=elsewhere'"])
            let error = await #expect(throws: DumpError.self) {
                try await host.plugin(["config_directory": .text(host.scratch.string)]).findings()
            }
            #expect(error?.code == .sourceUnavailable)
        }
    }

    private struct Subject: ConformanceSubject {
        let host: OpenLDAPHost

        var unreachable: (any Provider)? { provider(["config_directory": .text("/nowhere")], .silent) }
        func provider(log: Logger) -> any Provider { provider([:], log) }

        private func provider(_ values: [String: PlainValue], _ log: Logger) -> any Provider {
            guard let plugin = try? host.plugin(values) else { fatalError("the plugin cannot be read") }
            return plugin.provider(log: log)
        }

        func fingerprint() async throws -> String? {
            try await output("find", host.directory.string, "-type", "f", "-name", "*.ldif", "-printf", "%p %T@ %s\n")
                + output("sha256sum", "\(host.directory)/people/data.mdb", "\(host.directory)/things/data.mdb")
        }

        func damage() async throws { try await output("mv", host.config.string, "\(host.config).gone") }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }
    }
}
