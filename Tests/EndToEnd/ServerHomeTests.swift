import Linux
import SystemPackage
import TestSupport
import Testing

/// What lies in `config/`, shown by programs of its own: they say what they found.
@Suite("At home on a server")
struct ServerHomeTests {
    private func program(_ path: String, _ arguments: String...) async throws {
        try await withScratch { scratch in
            let environment = [
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                "HOME": scratch.string, "TMPDIR": scratch.string, "MUSTER": musterExecutable.string,
            ]
            let result = try await Command.run(
                path.hasPrefix("/") ? FilePath(path) : Repository.root.appending(path), arguments,
                environment: environment, scratch: scratch)
            #expect(result.status == .exited(0), "\(result.output) \(result.errors)")
        }
    }

    @Test("The units of systemd are without a mistake, and exposed to little")
    func units() async throws { try await program("Tests/Systemd/files") }

    @Test(
        "make install, as an ordinary user and below any directory, places what belongs there, and make uninstall takes it away"
    )
    func install() async throws { try await program("Tests/Package/install", built) }

    @Test("bash, zsh and fish complete commands, options, and what stands in job files")
    func completions() async throws {
        let cases = ["completions.cases", "completions-of-jobs.cases"].map { "\(Repository.root)/Tests/Package/\($0)" }
        try await program("Tests/Package/completions", built, cases[0], cases[1])
    }

    @Test("mandoc finds nothing wrong with the manual pages")
    func manualPages() async throws { try await program("Tests/Package/manual-pages", built) }

    @Test("The CronJob for Kubernetes is by the API's schemas, and says what Muster needs of it")
    func kubernetes() async throws {
        let python = try await output(Repository.root.appending(".ci/kubernetes").string)
        try await program(
            python.split(separator: "\n").last.map(String.init) ?? "", "\(Repository.root)/Tests/Fleet/manifest")
    }

    private var built: String { musterExecutable.removingLastComponent().string }

    @Test("The NixOS module gives the units that it should")
    func nixos() async throws { try await program("Tests/NixOS/evaluate") }
}
