import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage

/// A whole provider with one unit: everything that `provider: file` needs is in this file.
struct FileSettings: ProviderSettings {
    var path: FilePath = "/"
    var deadline: Duration? = .seconds(3600)
}

extension ProviderKind {
    static let file = ProviderKind(
        "file", "One file, read while no other process has it locked.",
        shape: ObjectShape(default: FileSettings())
            .required("path", \.path, .absolutePath.example("/var/lib/app/data"), "The file to dump.")
            .key("deadline", \.deadline, .timeLimit, "How long the dump may take before Muster stops it.")
    ) { all, _ in
        all.map { FileProvider(path: $0.path) }
    }
}

struct FileProvider: Provider {
    let path: FilePath

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        do throws(Errno) {
            let status = try FileSystem.status(of: path)
            guard status.kind == .file else { throw .invalidArgument }
            return DumpedFile(path: path, bytes: status.bytes)
        } catch {
            throw DumpError(
                .sourceUnavailable, "cannot dump \(path): \(error)", hint: "Set path: to an existing file.",
                underlying: error)
        }
    }
}

/// The file, which needs nothing to be frozen.
private struct DumpedFile: PreparedSource, FrozenSource {
    let path: FilePath
    let bytes: Int64

    var facts: ErrorContext { ["path": path.string, "bytes": "\(bytes)"] }
    var units: [WorkUnit] { [WorkUnit(name: path.string, path: "file", estimatedBytes: bytes)] }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource { self }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        try await run.perform(units[0]) { () async throws(DumpError) in
            do {
                let source = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
                defer { try? source.close() }
                try await lock(source)
                let from = Timestamp.now
                try copy(source, to: directory.appending("file"))
                return DumpSummary(identity: facts, moment: Moment(.live, from: from, to: .now))
            } catch {
                throw failure(error, in: directory)
            }
        }
    }

    /// Waits until no other process has the file locked. The descriptor's end gives the lock back.
    private func lock(_ file: FileDescriptor) async throws {
        while flock(file.rawValue, LOCK_SH | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK else { throw Errno(rawValue: errno) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func copy(_ source: FileDescriptor, to target: FilePath) throws {
        let file = try FileSystem.createFile(target)
        try file.closeAfter {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                try Task.checkCancellation()
                let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
                guard count > 0 else { return }
                _ = try file.writeAll(buffer[..<count])
            }
        }
    }

    private func failure(_ error: any Error, in directory: FilePath) -> DumpError {
        switch error {
        case is CancellationError: DumpError(.cancelled, "the dump was cancelled", underlying: error)
        case Errno.noSpace:
            DumpError(.noSpace, "no space to copy \(path)", hint: "Free space in the staging area.")
                .sayingRoom(needed: bytes, in: directory)
        default: DumpError(.system, "cannot copy \(path): \(error)", underlying: error)
        }
    }
}
