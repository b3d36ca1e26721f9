import Linux
import SystemPackage
import TestSupport

/// Tiny programs in place of the system's, each of which writes its name and arguments to a file first.
struct FakePrograms: Sendable {
    let bin: FilePath
    private let calls: FilePath

    init(in scratch: FilePath) throws {
        bin = try scratch.directory("bin")
        calls = scratch.appending("calls")
        try write("", to: calls)
    }

    /// - Parameter script: for bash, after the call was written down.
    func add(_ name: String, _ script: String = "") throws {
        let text = """
            #!/bin/bash
            echo "\(name) $*" >> \(calls)
            \(script)

            """
        try write(text, to: bin.appending(name), mode: FilePermissions(rawValue: 0o755))
    }

    /// mount(8), which mounts an empty file system that has the name of what should be mounted, and umount(8).
    func addMounts() throws {
        try add("mount", #"exec /bin/mount -t tmpfs -o mode=0755 "${@: -2:1}" "${@: -1}""#)
        try add("umount", #"exec /bin/umount "$@""#)
    }

    /// What was called since the last time this was asked, a line each.
    func called() throws -> [String] {
        defer { try? write("", to: calls) }
        return try read(calls).split(separator: "\n").map(String.init)
    }
}
