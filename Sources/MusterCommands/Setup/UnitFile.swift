import DumpCore
import Linux
import SystemPackage

/// A drop-in that Muster writes, and writes again when the job has changed.
struct UnitFile {
    let path: FilePath
    let text: String

    init(of unit: String, _ name: String, _ settings: String) {
        path = SystemdUnits.ownDirectory.appending("\(unit).d").appending(name)
        text = Self.mark + settings
    }

    private static let mark =
        "# Written by muster install-units, which replaces it. Put settings of your own into a file beside it.\n"

    /// Removes what an earlier job of the same name needed of its unit, and returns it.
    static func outdated(of unit: String, besides wanted: [UnitFile]) -> [FilePath] {
        let directory = SystemdUnits.ownDirectory.appending("\(unit).d")
        let paths = ((try? FileSystem.names(in: directory)) ?? []).map { directory.appending($0) }
        return paths.filter { path in
            !wanted.contains { $0.path == path } && present(path)?.hasPrefix(mark) == true
                && (try? FileSystem.removeFile(path)) != nil
        }
    }

    /// What is there and is not ours stays.
    func requireOurs() throws {
        guard let present, !present.hasPrefix(Self.mark) else { return }
        throw SetupError(
            "\(path) was not written by Muster",
            hint: "Move it away, or merge it yourself: --print shows what is wanted.")
    }

    /// Returns what was done.
    func write() throws -> String {
        guard present != text else { return "kept \(path)" }
        do {
            try makeDirectory()
            let draft = path.removingLastComponent().appending(".muster-\(UInt64.random(in: .min ... .max))")
            try FileSystem.createPrivateFile(draft, holding: Array(text.utf8))
            // Nothing in it is secret, and systemctl cat is for everybody.
            let file = try FileDescriptor.open(draft, .readOnly, options: .closeOnExec)
            try file.closeAfter { try file.setMode(0o644) }
            try FileSystem.rename(draft, to: path)
        } catch {
            throw SetupError("cannot write \(path): \(error)", hint: (error as? Errno)?.adviceOnWriting)
        }
        return "wrote \(path)"
    }

    private func makeDirectory() throws(Errno) {
        do {
            try FileSystem.createDirectory(path.removingLastComponent(), mode: 0o755)
        } catch Errno.fileExists {}
    }

    private var present: String? { Self.present(path) }

    private static func present(_ path: FilePath) -> String? {
        (try? FileSystem.bytes(of: path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
