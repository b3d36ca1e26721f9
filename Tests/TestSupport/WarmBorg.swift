import Glibc
import Linux
import Processes
import SystemPackage
import Testing

/// Borgs without the start that takes Python longer than all else that most tests have Borg do: see Tests/WarmBorg.
///
/// What runs is Borg's own code, in a process that is no child of its caller's. Tests that look at processes, or kill what belongs to them,
/// take the real program. So do tests that put another program in front of it.
extension BorgUnderTest {
    /// To be called in place of `program`. It is called `borg`, and lies in a directory of its own.
    public var warm: FilePath {
        get async throws { try await Self.served[self]!.directory().appending("borg") }
    }

    private static let served = Dictionary(
        uniqueKeysWithValues: (allCases + [.beta]).map { borg in
            (borg, Template { directory in try await borg.serve(in: directory) })
        })

    private func serve(in directory: FilePath) async throws {
        try await output("cp", warmBorgExecutable.string, directory.appending("borg").string)
        guard symlink(program.string, directory.appending("cold").string) == 0 else { throw Errno(rawValue: errno) }
        let script = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("WarmBorg/serve.py")
        let socket = directory.appending("socket")
        let server = Program(try python, [script.string, socket.string, program.string])
        // It ends with this process.
        Task { try await ProgramRunner(keeper: keeperExecutable, log: .silent).run(server) }
        try await eventually { access(socket.string, F_OK) == 0 }
    }

    /// What the program is a script of.
    var python: FilePath {
        get throws { FilePath(String(try read(program).prefix { $0 != "\n" }.dropFirst(2))) }
    }
}
