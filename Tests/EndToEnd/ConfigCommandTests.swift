import SystemPackage
import TestSupport
import Testing

@Suite("The commands about job files")
struct ConfigCommandTests {
    @Test("check says what a good file holds, for people and for scripts")
    func good() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.yaml")
            try write("staging: /var/lib/x\ndumps: {app: {provider: postgresql}}\n", to: file)
            let plain = try await muster("config", "check", file.string, in: scratch)
            #expect(plain.status == .exited(0))
            #expect(plain.output == "\(file): job 'nightly' with 1 dumps and 0 repositories\n")
            let json = try await muster("config", "check", "--json", file.string, in: scratch)
            #expect(
                json.output == """
                    {
                      "dumps" : [
                        "app"
                      ],
                      "format_version" : 1,
                      "job" : "nightly",
                      "repositories" : [

                      ]
                    }

                    """)
        }
    }

    @Test(
        "every command that reads a bad file ends with 78 and names each mistake with its place",
        arguments: [["config", "check"], ["config", "show"], ["run", "--config"], ["status", "--config"]])
    func bad(command: [String]) async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.yaml")
            try write("staging: /var/lib/x\nparalel: 2\ndumps: {app: {provider: postgresq}}\n", to: file)
            let result = try await Command.run(
                musterExecutable, command + [file.string], environment: [:], scratch: scratch)
            #expect(result.status == .exited(78))
            #expect(result.errors.contains("\(file):2:1: "), "\(result.errors)")
            #expect(result.errors.contains("did you mean 'parallel'?"), "\(result.errors)")
            #expect(result.errors.contains("\(file):3:"), "\(result.errors)")
        }
    }

    private func muster(_ arguments: String..., in scratch: FilePath) async throws -> Command.Result {
        try await Command.run(musterExecutable, arguments, environment: [:], scratch: scratch)
    }
}
