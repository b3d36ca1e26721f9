import DumpCore
import Linux
import SystemPackage

/// `settings: true`: the server's settings files, copied into `settings/` of the dump.
struct SettingsDump: Sendable {
    var files: ServerSettingsFiles
    /// The directory of the whole dump.
    var directory: FilePath

    static let unit = WorkUnit(name: "settings", path: "settings", estimatedBytes: 64 * 1024)

    /// Copies what can be read, and throws when that is less than was known before.
    ///
    /// - Parameters:
    ///   - session: not in a transaction, which an unreadable file would end.
    ///   - omissions: those that the dump will be recorded with.
    func take(from session: Session, knowing omissions: [Finding]) async throws(DumpError) -> DumpedPart {
        let start = Timestamp.now
        let contents = try await files.read(session)
        let known = omissions.filter { $0.code == OmissionCode.settingsFileUnreadable.rawValue }.map(\.object)
        if let lost = contents.unreadable.first(where: { !known.contains($0.object) }) {
            throw DumpError(.incompleteDump, lost.message, hint: lost.hint)
        }
        let files = contents.files
        let target = directory.pushing(Self.unit.path)
        do { try FileSystem.createDirectory(target) } catch { throw DumpError(creating: target, error) }
        for (file, name) in zip(files, Self.names(for: files.map(\.path))) {
            try write(file.bytes, to: target.appending(name))
        }
        return DumpedPart(from: start, to: .now, digests: [:])
    }

    /// The last part of each path, or all of it where two of them end alike.
    static func names(for paths: [FilePath]) -> [FilePath.Component] {
        let last = paths.map { $0.lastComponent?.string ?? "" }
        return zip(paths, last).map { path, name in
            escapedPathComponent(last.count { $0 == name } == 1 ? name : path.string)
        }
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws(DumpError) {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
        } catch {
            throw DumpError(creating: path, error)
        }
    }
}
