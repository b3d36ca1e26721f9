/// One thing in a tar stream. Nothing of it was checked but that it could be read.
public struct TarEntry: Sendable, Equatable {
    public enum Kind: Sendable { case file, directory, symbolicLink, hardLink, fifo, characterDevice, blockDevice }

    /// As it stands there: it may be absolute, lead up, or end with a slash.
    public var path: [UInt8] = []
    public var kind = Kind.file
    /// Permission bits.
    public var mode: UInt32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// The size of a file.
    public var bytes: Int64 = 0
    /// Nanoseconds since 1970.
    public var modified: Int64 = 0
    /// The text of a symbolic link; for a hard link, the path in the stream.
    public var target: [UInt8] = []
    /// Major and minor number of a device.
    public var device: (major: UInt32, minor: UInt32) = (0, 0)

    public static func == (left: Self, right: Self) -> Bool {
        left.path == right.path && left.kind == right.kind && left.mode == right.mode && left.uid == right.uid
            && left.gid == right.gid && left.bytes == right.bytes && left.modified == right.modified
            && left.target == right.target && left.device == right.device
    }
}

/// Why a stream is not one that Borg writes.
public struct TarError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }

    static let cutOff = TarError("it was cut off")
}
