import DumpCore
import Linux
import Staging
import SystemPackage

/// An archive that was begun, by the name and comment that it was or would have been made with.
///
/// A note of it, kept before the creation, lets it be removed after a crash, see `BorgRepository.remove`.
public struct BegunArchive: Sendable, Hashable {
    public var name: String
    public var provenance: Provenance

    public init(name: String, provenance: Provenance) {
        self.name = name
        self.provenance = provenance
    }

    /// The archive of a set that is begun at `time`.
    public init(of set: SealedSet, at time: Timestamp, by job: JobID? = nil) {
        provenance = Provenance(of: set.manifest, sha256: set.manifestSHA256, by: job)
        name = provenance.series.name(at: time)
    }
}

/// One archive on its way.
struct Attempt: Sendable {
    let set: SealedSet
    /// What Borg reads besides the set's directory.
    let references: [SealedSet.Reference]
    /// All that the archive is to hold.
    let sealed: SealedListing
    /// What is in the set's own directory.
    let topLevelNames: [String]
    let begun: BegunArchive

    init(_ set: SealedSet, _ begun: BegunArchive) throws(StagingError) {
        self.set = set
        references = set.references
        var sealed = SealedListing(in: set.workspace)
        var topLevelNames: [String] = []
        try set.visitAll { entry throws(Errno) in
            if !entry.path.bytes.contains(UInt8(ascii: "/")) { topLevelNames.append(entry.path.string) }
            try sealed.add(entry)
        }
        for reference in references {
            try reference.visitAll { entry throws(Errno) in try sealed.add(entry) }
        }
        (self.sealed, self.topLevelNames) = (sealed, topLevelNames)
        self.begun = begun
    }

    var name: String { begun.name }
    var provenance: Provenance { begun.provenance }
    var acceptance: Acceptance { Acceptance(name: name, set: set) }
}
