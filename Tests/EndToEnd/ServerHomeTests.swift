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
                Repository.root.appending(path), arguments, environment: environment, scratch: scratch)
            #expect(result.status == .exited(0), "\(result.output) \(result.errors)")
        }
    }

    @Test("The units of systemd are without a mistake, and exposed to little")
    func units() async throws { try await program("Tests/Systemd/files") }

    @Test("The NixOS module gives the units that it should")
    func nixos() async throws { try await program("Tests/NixOS/evaluate") }
}
