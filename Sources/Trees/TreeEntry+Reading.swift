import Linux
import SystemPackage

extension TreeEntry {
    /// What is at a path now, a file's bytes apart.
    public init(reading path: FilePath, of root: OpenDirectory) throws(Errno) {
        try self.init(path, root.status(of: path), reading: root)
    }

    /// - Parameter status: of what is there.
    public init(_ path: FilePath, _ status: FileStatus, reading root: OpenDirectory) throws(Errno) {
        self.init(path, status)
        (target, attributes) = try root.details(of: path, status)
    }

    /// How another state of the same path differs, in an operator's words; contents, names of files and the source are not looked at.
    ///
    /// - Parameter withOwner: whether the owner counts, which only root can restore.
    public func differences(from other: TreeEntry, withOwner: Bool = true) -> [String] {
        guard kind == other.kind else { return ["is \(kind.words), and not \(other.kind.words)"] }
        var found: [String] = []
        func compare<Value: Equatable>(_ what: String, _ one: Value, _ two: Value, _ text: (Value) -> String) {
            if one != two { found.append("\(what) \(text(one)) and not \(text(two))") }
        }
        if kind == .file { compare("has", bytes, other.bytes) { "\($0) bytes" } }
        // Every symbolic link has the same mode, which means nothing.
        if kind != .symbolicLink { compare("has mode", mode, other.mode) { String($0, radix: 8) } }
        if withOwner, uid != other.uid || gid != other.gid {
            found.append("belongs to \(uid):\(gid) and not \(other.uid):\(other.gid)")
        }
        compare("was changed at", modified, other.modified) { $0.asSeconds }
        compare("leads to", target, other.target) { String(decoding: $0 ?? [], as: UTF8.self) }
        compare("is device", node, other.node) { "\($0.major),\($0.minor)" }
        compare("has attributes", attributes.map(\.title), other.attributes.map(\.title)) { "\($0)" }
        for (one, two) in zip(attributes, other.attributes) where one.name == two.name && one.value != two.value {
            found.append("has another value of \(one.title)")
        }
        return found
    }
}

extension FileStatus.Kind {
    /// Such as `a file`.
    public var words: String {
        switch self {
        case .file: "a file"
        case .directory: "a directory"
        case .symbolicLink: "a symbolic link"
        case .fifo: "a FIFO"
        case .socket: "a socket"
        case .characterDevice: "a character device"
        case .blockDevice: "a block device"
        }
    }
}
