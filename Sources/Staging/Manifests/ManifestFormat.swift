import Documents
import DumpCore

/// How a manifest of one format version is read.
///
/// A version that follows gets an entry of its own, which makes the one `Manifest` of its text; those before stay readable.
struct ManifestFormat: Sendable {
    let version: Int
    let read: @Sendable ([UInt8]) throws -> Manifest

    static let all = [
        ManifestFormat(version: 1) { try SnakeCaseJSON.decode(Manifest.self, from: $0) },
        // What is new in it is left out of the first.
        ManifestFormat(version: 2) { try SnakeCaseJSON.decode(Manifest.self, from: $0) },
    ]
}

extension [ManifestFormat] {
    /// Throws `newer` for a version that comes after all of these.
    func format(of version: Int) throws(ManifestFault) -> ManifestFormat {
        guard let format = first(where: { $0.version == version }) else {
            throw .newer(version, knownUpTo: map(\.version).max() ?? 0)
        }
        return format
    }
}
