import Glibc
import SystemPackage

/// What the operating system refused Borg. Borg has no words of its own for most of that and ends with Python's. So the error number tells
/// what was refused. The path, or the part of Borg that was at work, tells whose files they were.
extension BorgFault {
    /// What Borg could not use.
    enum Place: Equatable {
        case repository
        /// Borg's own files on this host, or one of them.
        case ownFiles(FilePath)
        case unknown
    }

    /// Nil for what has no meaning of its own.
    static func ofSystem(_ number: Int32, at place: Place) -> BorgFault? {
        switch place {
        case .repository: ofRepository(number)
        case .ownFiles(let path): ofOwnFiles(number, path)
        case .unknown: ofUnknownPlace(number)
        }
    }

    private static func ofRepository(_ number: Int32) -> BorgFault? {
        switch number {
        case ENOSPC: BorgFault(.noSpace, "the disk of repository % is full", hint: roomHint)
        case EDQUOT:
            BorgFault(.noSpace, "the disk quota of repository % is used up", hint: "Raise the quota. " + roomHint)
        case EACCES, EPERM: accessDenied
        case EROFS:
            BorgFault(
                .accessDenied, "the file system of repository % is read-only",
                hint: "Mount it for writing. Linux makes a disk with errors read-only: see dmesg.")
        case EIO:
            BorgFault(
                .failed, "the disk of repository % has errors",
                hint: "See dmesg, and archive to another repository. Copy this one before you repair anything.")
        case ESTALE, ENOTCONN, EHOSTDOWN, EHOSTUNREACH, ETIMEDOUT:
            BorgFault(
                .connectionLost, "the network file system of repository % does not answer",
                hint: "Look at its mount and its server, then run muster archive.")
        case ENOENT, ENOTDIR:
            BorgFault(
                .damaged, "a part of repository % is missing",
                hint: "Is its whole disk there? Restore the missing files, and change nothing else in it.")
        case EPIPE: connectionLost
        default: nil
        }
    }

    private static func ofOwnFiles(_ number: Int32, _ path: FilePath) -> BorgFault? {
        switch number {
        case ENOSPC, EDQUOT:
            BorgFault(
                .noSpace, "the disk with Borg's own files on this host is full",
                hint: "Make space where \(path) is, or set BORG_CACHE_DIR to a directory on a larger disk. "
                    + "Nothing needs to go from the repository.")
        case EACCES, EPERM:
            BorgFault(
                .accessDenied, "Borg may not use its own files on this host",
                hint: "Give \(path) to the user who runs Muster, or set BORG_BASE_DIR to a directory of that user's.")
        case EROFS:
            BorgFault(
                .accessDenied, "Borg's own files on this host are on a read-only file system",
                hint: "Let Borg write to \(path), or set BORG_BASE_DIR to a directory where it may.")
        case EIO:
            BorgFault(.failed, "the disk with Borg's own files on this host has errors", hint: "See dmesg for \(path).")
        default: nil
        }
    }

    private static func ofUnknownPlace(_ number: Int32) -> BorgFault? {
        switch number {
        case ENOSPC, EDQUOT:
            BorgFault(
                .noSpace, "a disk that Borg writes to is full",
                hint: "Look at the disk of repository and at the one with Borg's own files on this host.")
        case EPIPE: connectionLost
        default: nil
        }
    }

    /// Python's part or Borg's is missing, so that Borg cannot even start.
    static func ofMissingModule(_ exception: String) -> BorgFault? {
        guard exception.hasPrefix("ModuleNotFoundError") || exception.hasPrefix("ImportError") else { return nil }
        return BorgFault(
            .programUnsuitable, "Borg does not start: a part of it or of Python is missing", hint: reinstallHint)
    }

    static let reinstallHint =
        "Install Borg again. One that came with pip stops working when Python is upgraded."

    static let outOfMemory = BorgFault(
        .failed, "Borg ran out of memory", hint: "Borg needs more for a larger repository: add memory or swap.")

    static let cacheDamaged = BorgFault(
        .cacheDamaged, "Borg's cache of repository % on this host is damaged",
        hint:
            "Delete the cache: muster borg % -- delete --cache-only. Borg makes it again; the repository stays as it is."
    )

    static let accessDenied = table.first { $0.code == .accessDenied }!
}

extension BorgMessages {
    /// What Borg was busy with when it failed.
    ///
    /// - Parameter repository: where it is, if it is on this host.
    func place(_ directories: BorgDirectories, repository: FilePath?) -> BorgFault.Place {
        if let path = systemFault?.path.map({ FilePath($0) }) {
            if let repository, path.starts(with: repository) { return .repository }
            if directories.hold(path) { return .ownFiles(path) }
        }
        for file in (traceback?.files ?? []).reversed() {
            switch file {
            case "repository.py", "remote.py": return .repository
            case "cache.py", "fs.py", "keymanager.py": return .ownFiles(directories.cache)
            default: continue
            }
        }
        return errorID == "LockFailed" ? .repository : .unknown
    }
}
