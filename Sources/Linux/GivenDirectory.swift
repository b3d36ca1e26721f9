import CLinux
import DumpCore
import Glibc
import SystemPackage

/// Muster's own directory, which programs of another user fill.
///
/// Other processes of that user reach it too, through `/proc/PID/fd` of those programs. They may put links to any file into it, and keep
/// open what they find. So nothing in it is changed by its name, and nothing counts as written before `takeBack`.
public struct GivenDirectory: Sendable {
    public let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    /// Gives the directory, which must be empty, to the user whose programs are to fill it.
    public func give(to user: UserAccount) throws {
        let directory = try OpenDirectory(path)
        let status = try directory.status(of: "")
        guard status.uid == geteuid(), try directory.names(in: "").isEmpty else {
            throw ForeignFile(path, "is not the empty directory that was made for a program")
        }
        try directory.setOwner(of: "", to: user.uid, user.gid)
    }

    /// Makes the directory and all files in it ours, with modes 0700 and 0600. Proves that no other process can write to one of them.
    ///
    /// To be called when the programs have ended. Throws `ForeignFile`, and leaves the file as it was, unless it is a file that the user
    /// made there and has only this name. It also throws for a file that another process has open for writing.
    ///
    /// - Parameters:
    ///   - user: who it was given to; nil if the programs ran as we do.
    ///   - isDeep: whether there may be directories in it.
    ///   - checkpoint: called between two files; what it throws ends the work.
    public func takeBack(
        from user: UserAccount?, isDeep: Bool = false, checkpoint: () throws -> Void = {}
    ) throws {
        let directory = try OpenDirectory(path)
        // First of all: once the directory is ours and closed, its former owner can no longer exchange what is in it.
        try directory.close(asOurs: user?.uid ?? geteuid())
        try directory.forEachFile {
            try checkpoint()
            guard try isDeep && directory.status(of: $0).kind == .directory else {
                return try directory.takeOver($0, from: user?.uid ?? geteuid())
            }
            // Its new place is out of reach for every other user.
            try GivenDirectory(path.pushing($0)).takeBack(from: user, isDeep: true, checkpoint: checkpoint)
        }
        guard user != nil else { return }
        FileClock.waitForNextTick()
        try directory.forEachFile {
            try checkpoint()
            if try directory.status(of: $0).kind == .file { try directory.requireNoWriter(of: $0) }
        }
    }
}

extension OpenDirectory {
    fileprivate func forEachFile(_ body: (FilePath) throws -> Void) throws {
        var names = SortedNames()
        while let name = try names.next(in: "", of: self) { try body(FilePath(root: nil, [name])) }
    }

    /// Takes the directory itself from its owner.
    fileprivate func close(asOurs owner: UInt32) throws {
        guard try status(of: "").uid == owner else {
            throw ForeignFile(path, "is not the directory that was given away")
        }
        try setOwner(of: "", to: geteuid(), getegid())
        try setMode(of: "", to: 0o700)
        try withFile("") { file in try file.removeAccessLists() }
    }

    /// Takes one file. By descriptor, so that what was looked at is what is changed.
    fileprivate func takeOver(_ name: FilePath, from owner: UInt32) throws {
        let named = try status(of: name)
        // Whatever else it is must not even be opened.
        guard named.kind == .file else { throw ForeignFile(path.pushing(name), "is not a regular file") }
        try withFile(name) { file in
            let status = try FileSystem.status(of: file)
            guard status.inode == named.inode, status.kind == .file, status.uid == owner else {
                throw ForeignFile(
                    path.pushing(name), "belongs to user \(named.uid), whose file a dump cannot have made")
            }
            try requireOneName(name, status)
            try file.setOwner(geteuid(), getegid())
            try file.setMode(0o600)
            try file.removeAccessLists()
            // One who has it open could give it another name up to now, and no longer.
            try requireOneName(name, FileSystem.status(of: file))
        }
    }

    private func requireOneName(_ name: FilePath, _ status: FileStatus) throws {
        guard status.links == 1 else {
            throw ForeignFile(path.pushing(name), "has \(status.links) names, so it may be a file of another place")
        }
    }

    func withFile<Result>(_ name: FilePath, _ body: (FileDescriptor) throws -> Result) throws -> Result {
        let file = try openFile(name)
        return try file.closeAfter { try body(file) }
    }
}

extension FileDescriptor {
    /// Lists that let other users in besides the mode, and that a directory hands on to what is made in it.
    func removeAccessLists() throws(Errno) {
        for name in ["system.posix_acl_default", "system.posix_acl_access"] {
            // Most have none, and some file systems do not support them.
            guard fgetxattr(rawValue, name, nil, 0) >= 0 else { continue }
            try FileSystem.call { fremovexattr(rawValue, name) }
        }
    }
}

/// Something in a directory that another user could write to is not what a dump's program makes there.
public struct ForeignFile: Error, CustomStringConvertible {
    public var path: FilePath
    /// Reads on after the path.
    public var fault: String

    init(_ path: FilePath, _ fault: String) {
        self.path = path
        self.fault = fault
    }

    public var description: String { "\(path) \(fault)" }
}

/// The clock that the kernel dates changes of files by: it moves on every few milliseconds.
enum FileClock {
    /// Returns once whatever changes from now on is dated later than all that has changed so far.
    static func waitForNextTick() {
        let start = clinux_file_clock()
        // At most ten milliseconds (CONFIG_HZ=100), unless the clock is set back meanwhile.
        for _ in 0..<100 where clinux_file_clock() == start { usleep(500) }
    }
}
