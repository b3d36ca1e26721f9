import Checksums
import DumpCore
import SystemPackage

/// What an archive of Muster's says that it holds.
///
/// Each link of the chain was checked: the archive's comment vouches for the manifest, the manifest for the list of each dump's files.
/// The lists vouch for the files, which were not read.
public struct ArchiveContents: Sendable {
    public var archive: Archive
    public var manifest: Manifest
    /// The files of each dump whose list was read, by the dump's name; paths relative to the set.
    public var lists: [String: ChecksumList]

    public init(archive: Archive, manifest: Manifest, lists: [String: ChecksumList] = [:]) {
        self.archive = archive
        self.manifest = manifest
        self.lists = lists
    }

    /// Takes the lists of some dumps apart, which were read one behind the other, in any order.
    ///
    /// A list is written in one way only: what is put together again from its lines has its digest.
    /// - Throws: the path of the first list that is not the one that was sealed.
    init(
        _ archive: Archive, _ manifest: Manifest, of dumps: [Manifest.DumpRecord], lists bytes: [UInt8]
    ) throws(UnfaithfulFile) {
        self.init(archive: archive, manifest: manifest, lists: [:])
        let lines: [ChecksumList.Line]
        do {
            lines = try ChecksumList(parsing: bytes).lines
        } catch {
            throw UnfaithfulFile(path: "checksums", found: error.message)
        }
        let byDirectory = Dictionary(grouping: lines) { $0.path.components.first?.string ?? "" }
        for dump in dumps {
            let list = ChecksumList(byDirectory[dump.path] ?? [])
            guard let digest = try? sha256(of: list.bytes), digest == dump.checksums.sha256 else {
                throw UnfaithfulFile(path: dump.checksums.path, found: "not the list that the manifest vouches for")
            }
            lists[dump.name] = list
        }
    }
}

/// A file in an archive that is not what was sealed.
struct UnfaithfulFile: Error {
    var path: String
    var found: String
}
