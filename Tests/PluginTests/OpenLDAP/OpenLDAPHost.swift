import DumpCore
import Glibc
import Linux
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

/// A slapd of a test's own with two suffixes, run as the user `openldap`, on a socket in its own directory.
struct OpenLDAPHost: Sendable {
    static let user = "openldap"
    static let password = "Hunter2-hunter2"

    let scratch: FilePath
    var directory: FilePath { scratch.appending("ldap") }
    var config: FilePath { directory.appending("slapd.d") }
    private var url: String {
        "ldapi://\(directory.appending("s").string.split(separator: "/").map { "%2F\($0)" }.joined())"
    }

    static func with(entries: Int = 200, _ body: (OpenLDAPHost) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await Turn.take {
                let host = OpenLDAPHost(scratch: scratch)
                try await host.create()
                try await host.whileServing {
                    try await host.add(entries)
                    try await body(host)
                }
            }
        }
    }

    func plugin(_ settings: [String: PlainValue] = [:]) throws -> PluginHost {
        try PluginHost.standard("openldap", ["config_directory": .text(config.string)].merging(settings) { $1 })
    }

    private func create() async throws {
        for path in [directory, config, directory.appending("people"), directory.appending("things")] {
            try FileSystem.createDirectory(path, mode: 0o755)
        }
        let file = directory.appending("init.ldif")
        try write(initial, to: file)
        try await output("chown", "-R", "\(Self.user):\(Self.user)", directory.string)
        try await output(
            "runuser", "-u", Self.user, "--", "/usr/sbin/slapadd", "-n0", "-F", config.string, "-l", file.string)
        try FileSystem.removeFile(file)
    }

    private func whileServing(_ body: () async throws -> Void) async throws {
        let runner = ProgramRunner(keeper: keeperExecutable, log: .silent)
        let program = Program(
            "/usr/sbin/slapd", ["-d0", "-F", config.string, "-h", url], user: Self.user, workingDirectory: directory,
            grace: .zero)
        let server = Task { _ = try await runner.run(program) }
        try await withCleanup { cleanup in
            cleanup.append {
                server.cancel()
                _ = await server.result
            }
            // Each client that asks before there is a socket takes its time from the server.
            try await eventually { access(directory.appending("s").string, F_OK) == 0 }
            try await eventually { try await runProgram("ldapwhoami", ["-x", "-H", url]).succeeded }
            try await body()
        }
    }

    private func add(_ count: Int) async throws {
        let people = (1...count).map { "dn: cn=u\($0),dc=example,dc=org\nobjectClass: person\ncn: u\($0)\nsn: 0\n" }
        try await change(
            "ldapadd", "dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\n" + people.joined(separator: "\n"))
    }

    /// Runs ldapadd or ldapmodify with a text.
    func change(_ program: String, _ text: String) async throws {
        let file = scratch.appending("change-\(UInt32.random(in: .min ... .max))")
        try write(text, to: file)
        try await output(
            program, "-x", "-D", "cn=admin,dc=example,dc=org", "-w", Self.password, "-H", url, "-f", file.string)
        try FileSystem.removeFile(file)
    }

    private var initial: String {
        """
        dn: cn=config
        objectClass: olcGlobal
        cn: config
        olcPidFile: \(directory)/pid

        dn: cn=module,cn=config
        objectClass: olcModuleList
        cn: module
        olcModulePath: /usr/lib/ldap
        olcModuleLoad: back_mdb

        dn: cn=schema,cn=config
        objectClass: olcSchemaConfig
        cn: schema

        include: file:///etc/ldap/schema/core.ldif
        include: file:///etc/ldap/schema/cosine.ldif

        dn: olcDatabase=mdb,cn=config
        objectClass: olcDatabaseConfig
        objectClass: olcMdbConfig
        olcDatabase: mdb
        olcDbDirectory: \(directory)/people
        olcSuffix: dc=example,dc=org
        olcRootDN: cn=admin,dc=example,dc=org
        olcRootPW: \(Self.password)
        olcDbMaxSize: 104857600

        dn: olcDatabase=mdb,cn=config
        objectClass: olcDatabaseConfig
        objectClass: olcMdbConfig
        olcDatabase: mdb
        olcDbDirectory: \(directory)/things
        olcSuffix: o=Müller & Söhne
        olcRootDN: cn=admin,dc=example,dc=org

        """
    }
}
