import DumpCore
import Glibc
import Linux
import SystemPackage

/// The temporary directory that the demo lives in.
struct DemoDirectory {
    let root: FilePath
    var jobFile: FilePath { root.appending("demo.yaml") }
    var repository: FilePath { root.appending("repository") }
    var passphraseFile: FilePath { root.appending("passphrase") }
    var staging: FilePath { root.appending("staging") }

    init() throws {
        var template = Array("/tmp/muster-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        root = FilePath(platformString: template)
        // PostgreSQL's user must be able to pass through to its own directory.
        guard chmod(root.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Writes the job file and the passphrase; returns the job's text.
    func writeJob(socket: FilePath, runAs: String?) throws -> String {
        let job = """
            staging: \(staging)
            dumps:
              app:
                provider: postgresql
                connection: host=\(socket) user=postgres
            \(runAs.map { "    run_as: \($0)\n" } ?? "")\
            repositories:
              local:
                location: \(repository)
                passphrase: {file: \(passphraseFile)}
                initialize: repokey-blake2
            """
        try write(job + "\n", to: jobFile)
        try write("demo-\(UInt64.random(in: .min ... .max))\n", to: passphraseFile)
        return job
    }

    func remove() {
        do {
            try FileTree(root).remove()
        } catch {
            Console.shared.error("cannot remove \(root): \(error)")
        }
    }

    private func write(_ text: String, to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        _ = try file.closeAfter { try file.writeAll(text.utf8) }
    }
}
