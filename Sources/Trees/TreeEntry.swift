import Linux
import SystemPackage

/// One thing in a file tree, with all that a restore needs of it besides the bytes of a file.
public struct TreeEntry: Sendable, Hashable {
    /// Relative to the root of the tree; empty for the root itself.
    public var path: FilePath
    public var kind: FileStatus.Kind
    /// Permission bits, without the kind.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// The size of a file; 0 for anything else.
    public var bytes: Int64
    /// Last change of contents, nanoseconds since 1970.
    public var modified: Int64
    /// The text of a symbolic link, byte for byte.
    public var target: [UInt8]?
    /// Which device it is, as `st_rdev` holds it.
    public var node: UInt64
    /// The digest of a file. Nil where its bytes were not read.
    public var sha256: SHA256Digest?
    /// For a file with several names: the one that comes first in the tree, unless this is it.
    public var firstName: FilePath?
    /// Extended attributes, access control lists among them, sorted by name.
    public var attributes: [ExtendedAttribute]
    /// What it was copied from. Nil where nothing will have to be compared with that.
    public var source: Source?

    /// What tells one state of a file from every later one of it.
    public struct Source: Sendable, Hashable {
        public var inode: UInt64
        /// Last change of anything, nanoseconds since 1970.
        public var changed: Int64

        public init(inode: UInt64, changed: Int64) {
            self.inode = inode
            self.changed = changed
        }

        public init(_ status: FileStatus) { self.init(inode: status.inode, changed: status.changed) }
    }

    /// - Parameter status: all that it does not say is left open.
    public init(_ path: FilePath, _ status: FileStatus) {
        self.path = path
        kind = status.kind
        mode = status.mode
        uid = status.uid
        gid = status.gid
        bytes = status.kind == .file ? status.bytes : 0
        modified = status.modified
        node = status.kind == .characterDevice || status.kind == .blockDevice ? status.node : 0
        attributes = []
    }
}

extension TreeEntry {
    /// Whether one comes before the other in a tree: parents before what is in them, the names in a directory by their bytes.
    public static func precedes(_ one: FilePath, _ other: FilePath) -> Bool { order(one, other) < 0 }

    /// Below 0 if one precedes the other, 0 if they are the same, above 0 if it is the other way round.
    public static func order(_ one: FilePath, _ other: FilePath) -> Int {
        one.withPlatformString { one in
            other.withPlatformString { other in
                var place = 0
                while one[place] == other[place], one[place] != 0 { place += 1 }
                return rank(UInt8(bitPattern: one[place])) - rank(UInt8(bitPattern: other[place]))
            }
        }
    }

    /// The same of the bytes of two paths.
    public static func order(_ one: [UInt8], _ other: [UInt8]) -> Int {
        one.withUnsafeBytes { one in other.withUnsafeBytes { order(one, $0) } }
    }

    static func precedes(_ one: [UInt8], _ other: [UInt8]) -> Bool { order(one, other) < 0 }

    static func order(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Int {
        let both = min(one.count, other.count)
        var place = 0
        // Paths in a tree begin alike.
        while place + 8 <= both, one.word(at: place) == other.word(at: place) { place += 8 }
        while place < both, one[place] == other[place] { place += 1 }
        return rank(place < one.count ? one[place] : 0) - rank(place < other.count ? other[place] : 0)
    }

    /// The end of a path comes first, then what is in the directory, then longer names.
    private static func rank(_ byte: UInt8) -> Int {
        switch byte {
        case 0: 0
        case UInt8(ascii: "/"): 1
        case let other: Int(other) + 1
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func word(at place: Int) -> UInt64 { loadUnaligned(fromByteOffset: place, as: UInt64.self) }
}
