import Checksums
import Documents
import DumpCore
import Linux
import SystemPackage

/// A directory with a manifest that can be understood. Nothing else of the set has been looked at.
struct SetHead: Sendable {
    let root: FilePath
    let manifest: Manifest
    /// The SHA-256 of the manifest's bytes.
    let manifestSHA256: String

    /// Throws unless it is a set that can be understood.
    init(of root: FilePath) throws(StagingError) {
        let path = root.appending(SetLayout.manifest)
        try Self.requireThere(root)
        guard let bytes = try SmallFile(path).readManifest() else {
            throw StagingError(
                .notASet, "\(root) holds no \(SetLayout.manifest): it is not a complete set",
                hint: "A set is complete when it has one. Take a new one with muster run.")
        }
        self.root = root
        manifest = try Self.decode(bytes, path)
        manifestSHA256 = try attempting(to: "hash", path) { try sha256(of: bytes) }
    }

    /// The run that a set's manifest names, or nil if there is none or it cannot be read.
    static func runID(of root: FilePath) -> RunID? {
        // Here a set that cannot be read does not count.
        guard let bytes = try? SmallFile(root.appending(SetLayout.manifest)).readManifest() else { return nil }
        return try? Manifest.runID(in: bytes)
    }

    /// What a set's manifest says, or nil if there is none or it cannot be read.
    static func manifest(of root: FilePath) -> Manifest? {
        let path = root.appending(SetLayout.manifest)
        // Here a damaged set does not count: it must not keep a good new one from replacing it.
        guard let bytes = try? SmallFile(path).readManifest() else { return nil }
        return try? decode(bytes, path)
    }

    private static func decode(_ bytes: [UInt8], _ path: FilePath) throws(StagingError) -> Manifest {
        do throws(ManifestFault) {
            return try Manifest.decode(bytes)
        } catch {
            throw StagingError(error, in: path.string)
        }
    }

    /// Throws `.notASet` if there is nothing at all: what is missing is not incomplete.
    private static func requireThere(_ root: FilePath) throws(StagingError) {
        do {
            _ = try FileSystem.status(of: root)
        } catch .noSuchFileOrDirectory {
            throw StagingError(
                .notASet, "there is no set at \(root): nothing is there",
                hint: "Check the path. A job's set is there after its first muster dump or muster run.")
        } catch {
            throw StagingError(.system, "cannot look at \(root): \(error)", underlying: error)
        }
    }
}

extension SmallFile {
    /// A newer one may be larger than ours, and is to be known as that.
    fileprivate func readManifest() throws(StagingError) -> [UInt8]? {
        do throws(StagingError) {
            return try read(longest: 4 * Manifest.mostBytes)
        } catch {
            throw error.code == .unexpectedFile
                ? StagingError(.damagedSet, error.message, hint: "The next muster run replaces the set.") : error
        }
    }
}
