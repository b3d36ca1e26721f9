import Glibc
import SystemPackage

/// systemd's journal, by its own protocol: entries with fields that `journalctl FIELD=value` finds.
///
/// Source: "Native Journal Protocol" of systemd's documentation, and systemd.exec(5) for `$JOURNAL_STREAM`.
public struct SystemJournal: Sendable {
    public struct Field: Sendable {
        /// Capital letters, digits and underscores, such as `MUSTER_JOB`.
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    private let socket: DatagramAddress

    /// The journal that standard error leads to; nil when it leads elsewhere, even if our parent wrote to the journal.
    public static let ofStandardError: SystemJournal? = {
        guard let stream = getenv("JOURNAL_STREAM"), String(cString: stream) == identity(of: STDERR_FILENO) else {
            return nil
        }
        return SystemJournal(socket: "/run/systemd/journal/socket")
    }()

    init?(socket: String) {
        guard let socket = DatagramAddress(socket) else { return nil }
        self.socket = socket
    }

    /// False when the journal does not take it: it is not there, it is busy, or the entry is larger than a message may be.
    public func write(_ fields: [Field]) -> Bool { socket.send(fields.flatMap(\.bytes)) }

    /// As `$JOURNAL_STREAM` has it: device and inode.
    private static func identity(of descriptor: Int32) -> String? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : nil
    }
}

extension SystemJournal.Field {
    /// A value with a line break has its length before it, as 64 bits, the least byte first.
    fileprivate var bytes: [UInt8] {
        let value = Array(self.value.utf8)
        guard value.contains(UInt8(ascii: "\n")) else { return Array("\(name)=".utf8) + value + [UInt8(ascii: "\n")] }
        let length = withUnsafeBytes(of: UInt64(value.count).littleEndian) { Array($0) }
        return Array("\(name)\n".utf8) + length + value + [UInt8(ascii: "\n")]
    }
}
