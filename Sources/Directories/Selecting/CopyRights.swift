import DumpCore
import Glibc
import Linux
import SystemPackage

/// What a user who is not root could not copy of a tree. These are files that the user may not read, or may not give to their owner.
struct CopyRights {
    private let user: UInt32
    private let groups: Set<UInt32>
    private var unreadable = Examples()
    private var foreign = Examples()
    /// With an attribute that only root may set, which is the first one's.
    private var privileged = Examples()
    private var attribute = ""
    private var devices = Examples()

    fileprivate struct Examples {
        var count = 0
        var first: FilePath?

        mutating func add(_ path: FilePath) {
            count += 1
            first = first ?? path
        }
    }

    init(user: UInt32, groups: Set<UInt32>) {
        self.user = user
        self.groups = groups
    }

    /// Those of this process.
    static func ofProcess() -> CopyRights {
        var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        // A short list of groups would only make our own file look foreign; root has no need of them.
        let count = getgroups(Int32(groups.count), &groups)
        return CopyRights(user: geteuid(), groups: Set(groups.prefix(Int(max(0, count))) + [getegid()]))
    }

    /// Whether this user may give a file of its own to an owner and a group.
    func mayGive(toUser uid: UInt32, group gid: UInt32) -> Bool { user == 0 || (uid == user && groups.contains(gid)) }

    mutating func add(_ path: FilePath, _ status: FileStatus, in source: OpenDirectory) {
        guard user != 0 else { return }
        if status.kind == .file, !source.mayRead(path) { unreadable.add(source.path.pushing(path)) }
        if !mayGive(toUser: status.uid, group: status.gid) { foreign.add(source.path.pushing(path)) }
        if [.characterDevice, .blockDevice].contains(status.kind) { devices.add(source.path.pushing(path)) }
        // What cannot be read fails by itself.
        if let name = try? source.attributes(of: path, kind: status.kind).first(where: \.isForRootAlone) {
            if privileged.count == 0 { attribute = name.title }
            privileged.add(source.path.pushing(path))
        }
    }

    /// - Parameter isCopied: or Borg reads the tree where it is, and nothing needs an owner.
    func findings(isCopied: Bool) -> [Finding] {
        let ofReading = finding(
            "cannot_read", of: unreadable, "cannot be read",
            hint: "Run Muster as root, or as a user who may read them, or leave them out with exclude:.")
        return ([ofReading] + (isCopied ? findingsOfKeeping : [])).compactMap(\.self)
    }

    private var findingsOfKeeping: [Finding?] {
        let code = DumpError.Code.cannotPreserve.rawValue
        return [
            finding(
                code, "the owner or group of ", of: foreign, "cannot be kept",
                hint: "Run Muster as root: only root may give files to other users, or to groups of others."),
            finding(
                code, "the attribute \(attribute) of ", of: privileged, "cannot be kept", hint: Self.privilegedHint),
            finding(
                code, "the device ", of: devices, "cannot be made again",
                hint: "Run Muster as root, which alone may make devices, or leave it out with exclude:."),
        ]
    }

    /// Nil without examples.
    private func finding(
        _ code: String, _ subject: String = "", of examples: Examples, _ fault: String, hint: String
    ) -> Finding? {
        examples.first.map { first in
            Finding(
                .failure, code, object: first.string,
                "\(subject)\(first) \(examples.more)\(fault) by user \(user)", hint: hint)
        }
    }

    static let privilegedHint =
        "Run Muster as root, or leave it out with exclude:. Only root may set this attribute; setcap -r removes security.capability."
}

extension ExtendedAttribute {
    /// See xattr(7) and capabilities(7). The owner of a file may label it for SELinux.
    var isForRootAlone: Bool {
        (name.starts(with: "security.".utf8) || name.starts(with: "trusted.".utf8)) && title != "security.selinux"
    }
}

extension CopyRights.Examples {
    fileprivate var more: String { count > 1 ? "and \(count - 1) more " : "" }
}
