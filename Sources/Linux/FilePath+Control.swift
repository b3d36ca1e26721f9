import Glibc
import SystemPackage

/// Something on the way to a path, or at its end, that a user other than root and us can change.
public struct LoosePart: Sendable, Equatable, CustomStringConvertible {
    public var path: FilePath
    /// Reads on after the path, such as `belongs to user 1000`.
    public var fault: String
    public var mode: UInt32
    /// Whose it is, or which group may write there; nil if all users may.
    public var holder: Holder?

    public enum Holder: Sendable, Equatable {
        case user(UInt32)
        case group(UInt32)
    }

    public var description: String { "\(path) \(fault) (mode 0\(String(mode, radix: 8)))" }

    /// Whether that user alone can change it.
    public func isHeld(by user: UserAccount) -> Bool { holder == .user(user.uid) || holder == .group(user.gid) }

    /// How an operator says that it is meant to be so: paths with colons between them.
    public static let variable = "MUSTER_TRUST"

    /// What an operator can do about it.
    public var remedy: String {
        """
        Give it to root and take the permission to write from others. If it is meant to be so, set \
        \(Self.variable)=\(path) in the environment.
        """
    }

    static var trusted: Set<FilePath> {
        Set((getenv(variable).map { String(cString: $0) } ?? "").split(atASCII: ":").map { FilePath(String($0)) })
    }
}

extension FilePath {
    /// What lets a user other than root and us put something else in the place of what is at this absolute path.
    ///
    /// Looks at every directory on the way, and at those that links among them lead to. What does not exist yet is fine: its maker
    /// can see to it.
    public func looseParts() throws(Errno) -> [LoosePart] {
        let parent = removingLastComponent()
        let found = try parent.looseSteps()
        guard let real = try parent.withoutLinks(), real != parent else { return found }
        return try found + real.looseSteps()
    }

    /// The same for a file and its contents: also when such a user may write to it.
    public func loosePartsOfFile() throws(Errno) -> [LoosePart] {
        let found = try looseSteps()
        guard let real = try withoutLinks(), real != self else { return found }
        return try found + real.looseSteps()
    }

    /// Nil if there is nothing.
    private func withoutLinks() throws(Errno) -> FilePath? {
        guard let real = withPlatformString({ realpath($0, nil) }) else {
            guard errno != ENOENT else { return nil }
            throw Errno(rawValue: errno)
        }
        defer { free(real) }
        return FilePath(platformString: real)
    }

    /// From the root on, so that the first that can be exchanged is named first.
    private func looseSteps() throws(Errno) -> [LoosePart] {
        var found: [LoosePart] = []
        var step = FilePath("/")
        let trusted = LoosePart.trusted
        for component in [nil] + components.map(Optional.some) {
            if let component { step.append(component) }
            do {
                let status = try FileSystem.status(of: step)
                guard !trusted.contains(step) else { continue }
                let list = { () throws(Errno) in try AccessList(of: step, group: status.gid) }
                guard let part = try LoosePart(step, status, list) else { continue }
                guard !FileSystem.isReadOnly(step) else { continue }
                found.append(part)
            } catch Errno.noSuchFileOrDirectory {
                return found
            }
        }
        return found
    }
}

extension LoosePart {
    /// The fault of an open file: nil if no other user can write to it.
    public init?(of file: FileDescriptor, at path: FilePath) throws(Errno) {
        guard !Self.trusted.contains(path) else { return nil }
        let status = try FileSystem.status(of: file)
        try self.init(path, status) { () throws(Errno) in try AccessList(of: file, group: status.gid) }
    }

    /// Nil if no other user can exchange the names in a directory, write to a file, or lead a link elsewhere.
    ///
    /// - Parameter list: the file's own, if it has one.
    fileprivate init?(
        _ path: FilePath, _ status: FileStatus, _ list: () throws(Errno) -> AccessList?
    ) throws(Errno) {
        guard status.uid == 0 || status.uid == geteuid() else {
            self.init(
                path: path, fault: "belongs to \(Holder.user(status.uid))", mode: status.mode,
                holder: .user(status.uid))
            return
        }
        // Every link has mode 0777. In a sticky directory, only the owner can rename a file.
        guard status.kind != .symbolicLink, status.kind != .directory || status.mode & UInt32(S_ISVTX) == 0 else {
            return nil
        }
        if status.mode & 0o002 != 0 {
            self.init(path: path, fault: "is writable by all users", mode: status.mode, holder: nil)
            return
        }
        // Where a file has an access control list, these bits are its mask: without them, no entry counts.
        guard status.mode & 0o020 != 0 else { return nil }
        let writers = try list()?.writers ?? [.group(status.gid)]
        guard let writer = writers.first(where: { !$0.isOurs }) else { return nil }
        self.init(path: path, fault: "is writable by \(writer)", mode: status.mode, holder: writer)
    }
}

extension LoosePart.Holder: CustomStringConvertible {
    public var description: String {
        switch self {
        case .user(let id): "user \(id)"
        case .group(let id): "group \(id)"
        }
    }

    /// Whether that is root or us alone.
    ///
    /// The group of root and our own are, unless the list of groups has another user in them. Which users have a group as their first one
    /// is not looked up.
    fileprivate var isOurs: Bool {
        switch self {
        case .user(let id): return id == 0 || id == geteuid()
        case .group(let id):
            guard id == 0 || id == getegid() else { return false }
            guard let members = UserAccount.members(ofGroup: id) else { return false }
            return members.isEmpty || Set(members).isSubset(of: ["root", UserAccount.current?.name ?? "root"])
        }
    }
}

extension FileSystem {
    /// Whether nothing can be written there, whatever the modes say: a volume of a container, an image. False where that cannot be found out.
    static func isReadOnly(_ path: FilePath) -> Bool {
        var facts = statvfs()
        guard path.withPlatformString({ statvfs($0, &facts) }) == 0 else { return false }
        return facts.f_flag & UInt(ST_RDONLY) != 0
    }
}
