import Glibc
import Linux
import SystemPackage

/// A new directory for one test, removed at its end. It is kept when `MUSTER_KEEP_SCRATCH` is set, to look at what a failed test left.
///
/// Its path is short, so that sockets fit (108 bytes). Every user can enter it, so that a server that runs as another user can reach
/// what belongs to it.
public func withScratch<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    _ = brokenPipesAreErrors
    var template = Array("/tmp/muster-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil, chmod(template, 0o711) == 0 else { throw Errno(rawValue: errno) }
    let directory = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    defer {
        // A test that failed has said so already; what cannot be removed is in the temporary directory.
        if getenv("MUSTER_KEEP_SCRATCH") == nil { try? FileTree(directory).remove() }
    }
    return try await body(directory)
}

/// Writes a small file, and makes it executable if asked: a tiny fake program.
public func write(_ text: String, to path: FilePath, mode: FilePermissions = [.ownerReadWrite]) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: mode)
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
    guard path.withPlatformString({ chmod($0, mode.rawValue) }) == 0 else { throw Errno(rawValue: errno) }
    if mode.contains(.ownerExecute) { try awaitNoWriter(of: path) }
}

/// Waits, for a minute and a half at most, until no process has a program open for writing: it could not be run (ETXTBSY).
public func awaitNoWriter(of program: FilePath) throws {
    let file = try FileDescriptor.open(program, .readOnly, options: .closeOnExec)
    _ = try file.closeAfter { file.hasWriter(patience: 18_000) }
}

/// The bytes of a file as text.
public func read(_ path: FilePath) throws -> String {
    // Or a server that another test starts meanwhile has it too, and nothing can be unmounted.
    let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// As in muster itself: writing to a program that has gone is an error of that write, not the end of the process.
private let brokenPipesAreErrors: Void = { _ = signal(SIGPIPE, SIG_IGN) }()
