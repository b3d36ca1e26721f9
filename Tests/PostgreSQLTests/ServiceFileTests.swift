import Conformance
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Service files")
struct ServiceFileTests {
    static let text = """
        # of the application
        [shop]
        host=db.example
          port=5433
        dbname=a=b
        host=ignored
        password=hunter2

        [other]
        host=elsewhere
        [remote]
        ldap://ldap.example/o=x
        [broken]
        host db.example
        """

    @Test("A service is read as libpq reads it")
    func read() throws {
        let shop = try #require(try ServiceFile("shop", in: Self.text))
        #expect(
            shop.options.map { [$0.keyword, $0.value] } == [
                ["host", "db.example"], ["port", "5433"], ["dbname", "a=b"],
            ])
        #expect(shop.password?.reveal() == "hunter2")
        #expect(try ServiceFile("other", in: Self.text)?.options.map(\.value) == ["elsewhere"])
        #expect(try ServiceFile("nowhere", in: Self.text) == nil)
        let twoSpellings = "[caf\u{E9}]\nhost=one\n[cafe\u{301}]\nhost=two"
        #expect(try ServiceFile("cafe\u{301}", in: twoSpellings)?.options.map(\.value) == ["two"])
        #expect(try ServiceFile("remote", in: Self.text) == nil, "libpq asks that server by itself")
        #expect(throws: DumpError.self) { try ServiceFile("broken", in: Self.text) }
    }

    @Test("What the connection string says itself comes before its service")
    func precedence() throws {
        let service = try #require(try ServiceFile("shop", in: Self.text))
        let options = try ConnectionOptions(parsing: "service=shop port=6000").resolving(service)
        #expect(options.shown == "port=6000 host=db.example dbname=a=b")
    }

    @Test("The home of the user who dumps comes first, then our own")
    func homes() async throws {
        try await withScratch { scratch in
            for (home, port) in [("theirs", 1), ("ours", 2)] {
                try FileSystem.createDirectory(scratch.appending(home))
                try write(
                    "[\(home)]\nport=\(port)\n[both]\nport=\(port)\n", to: scratch.appending("\(home)/.pg_service.conf")
                )
            }
            let homes = ["nowhere", "theirs", "ours"].map { "\(scratch)/\($0)" }
            #expect(try ServiceFile.find("both", in: homes)?.options.map(\.value) == ["1"])
            #expect(try ServiceFile.find("ours", in: homes)?.options.map(\.value) == ["2"])
            #expect(try ServiceFile.find("none", in: homes) == nil)
        }
    }

    @Test("A service that only root may read serves the programs of another user too, with its password")
    func programs() async {
        // In a process of its own: the environment belongs to all tests.
        await #expect(processExitsWith: .success) {
            try await ClusterFixture.with { cluster in
                try await cluster.createShop()
                try await cluster.server.psql("create role backup login password 'it''s' in role pg_read_all_data")
                let home = cluster.scratch.appending("home")
                try FileSystem.createDirectory(home)
                try write(
                    "[field]\nhost=\(cluster.server.directory)\nuser=backup\npassword=it's\n",
                    to: home.appending(".pg_service.conf"))
                setenv("HOME", home.string, 1)
                let provider = cluster.provider {
                    $0.connection = "service=field"
                    $0.include = ["shop"]
                }
                let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
                #expect(summary.identity["role"] == "backup")
            }
        }
    }
}
