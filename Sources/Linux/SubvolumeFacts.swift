import CLinux
import DumpCore

/// What Btrfs itself says of a subvolume.
public struct SubvolumeFacts: Sendable, Equatable {
    /// By which it can be mounted and deleted, whatever path leads to it.
    public var number: UInt64
    /// Its UUID, as `btrfs subvolume show` writes it.
    public var id: String
    /// The id of the subvolume that it is a snapshot of, or zeros.
    public var parentID: String
    public var isReadOnly: Bool
    public var generationAtCreation: UInt64

    init(_ found: clinux_subvolume) {
        number = found.number
        id = withUnsafeBytes(of: found.id) { Self.text(ofUUID: $0) }
        parentID = withUnsafeBytes(of: found.parent) { Self.text(ofUUID: $0) }
        isReadOnly = found.is_read_only != 0
        generationAtCreation = found.created
    }

    static func text(ofUUID bytes: UnsafeRawBufferPointer) -> String {
        bytes.enumerated().map { place, byte in
            ([4, 6, 8, 10].contains(place) ? "-" : "") + byte.digits(2, radix: 16)
        }.joined()
    }
}
