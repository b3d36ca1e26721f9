import DumpCore

/// An archive as a repository lists it.
public struct Archive: Sendable, Hashable {
    public var name: String
    /// Borg's, 64 hex digits.
    public var id: String
    /// When its creation began.
    public var start: Timestamp
    /// What its comment says of the set in it; nil for an archive that Muster did not make.
    public var provenance: Provenance?

    public init(name: String, id: String, start: Timestamp, provenance: Provenance?) {
        self.name = name
        self.id = id
        self.start = start
        self.provenance = provenance
    }

    /// Whether it was made before another of its series. Borg tells the second, and in one second there may be several: their names, which
    /// are given one after the other, differ in it.
    public func isOlder(than other: Archive) -> Bool { (start, name) < (other.start, other.name) }
}
