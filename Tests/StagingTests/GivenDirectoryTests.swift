import CFaults
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A directory that another user fills")
struct GivenDirectoryTests {
    @Test("What the user wrote is ours afterwards, closed to everybody else")
    func takenBack() async throws {
        try await withGiven { directory, user in
            try directory.receive("a.dat", from: user)
            try directory.receive("b.dat", from: user, mode: 0o666)
            try directory.takeBack(from: user)
            #expect(try FileSystem.status(of: directory.path).access == Access(uid: 0, mode: 0o700))
            for name in ["a.dat", "b.dat"] {
                #expect(try FileSystem.status(of: directory.path.appending(name)).access == Access(uid: 0, mode: 0o600))
                #expect(try read(directory.path.appending(name)) == name)
            }
        }
    }

    @Test("A file that another process has open for writing is refused", arguments: Hold.allCases)
    func held(by hold: Hold) async throws {
        try await withGiven { directory, user in
            try directory.receive("a.dat", from: user)
            let path = directory.path.appending("a.dat")
            let holder = try hold.take(path)
            #expect(throws: ForeignFile.self) { try directory.takeBack(from: user) }
            holder()
            // A program that is being started has its own copy until it begins.
            try await eventually { clinuxAgrees(path) }
        }
    }

    enum Hold: CaseIterable {
        case descriptor, appending, mapping

        /// Returns what gives it back.
        func take(_ path: FilePath) throws -> () -> Void {
            let mode = self == .appending ? FileDescriptor.AccessMode.writeOnly : .readWrite
            let file = try FileDescriptor.open(
                path, mode, options: self == .appending ? [.append, .closeOnExec] : .closeOnExec)
            guard self == .mapping else { return { try? file.close() } }
            let bytes = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)!
            try #require(bytes != MAP_FAILED)
            try file.close()
            return { munmap(bytes, 4096) }
        }
    }

    /// The premise: once nothing holds it, the same file is accepted.
    private func clinuxAgrees(_ path: FilePath) -> Bool {
        guard let directory = try? OpenDirectory(path.removingLastComponent()) else { return false }
        return (try? directory.requireNoWriter(of: FilePath(root: nil, [path.lastComponent!]))) != nil
    }

    @Test("A process that only reads a file is no reason to refuse it")
    func reader() async throws {
        try await withGiven { directory, user in
            try directory.receive("a.dat", from: user)
            let reader = try FileDescriptor.open(directory.path.appending("a.dat"), .readOnly)
            defer { try? reader.close() }
            try directory.takeBack(from: user)
            // Nor can the user make a writer of it.
            #expect(try FileSystem.status(of: reader).access == Access(uid: 0, mode: 0o600))
        }
    }

    @Test("Where the file system has no leases, files are replaced by copies that nobody ever had open")
    func withoutLeases() async throws {
        try await withGiven { directory, user in
            try directory.receive("a.dat", from: user)
            await #expect(processExitsWith: .success) {
                [path = directory.path.string as String, name = user.name as String] in
                let (directory, user) = (GivenDirectory(FilePath(path)), UserAccount(named: name)!)
                let file = directory.path.appending("a.dat")
                let holder = try FileDescriptor.open(file, .readWrite)
                #expect(cfaults_fail_lease(EINVAL) == 0)
                try directory.takeBack(from: user)
                _ = try holder.writeAll(toAbsoluteOffset: 0, "forged".utf8)
                #expect(try read(file) == "a.dat")
                #expect(try FileSystem.status(of: file).access == Access(uid: 0, mode: 0o600))
                #expect(try FileSystem.names(in: directory.path) == ["a.dat"])
            }
        }
    }

    @Test("A file of another place, linked into the directory, is refused and stays what it was")
    func linkedIn() async throws {
        try await withGiven { directory, user in
            for owner in [23456, user.uid, 0] {
                let outside = directory.path.removingLastComponent().appending("outside")
                try write("own", to: outside)
                try #require(chown(outside.string, owner, owner) == 0 && chmod(outside.string, 0o644) == 0)
                try FileSystem.link(outside, as: directory.path.appending("evil"))
                #expect(throws: ForeignFile.self) { try directory.takeBack(from: user) }
                #expect(try FileSystem.status(of: outside).access == Access(uid: owner, mode: 0o644))
                try FileTree(directory.path).remove()
                try FileTree(outside).remove()
                try FileSystem.createDirectory(directory.path)
                try directory.give(to: user)
            }
        }
    }

    @Test("Anything but a file is refused, and what a link leads to stays what it was", arguments: Kind.allCases)
    func special(kind: Kind) async throws {
        try await withGiven { directory, user in
            let outside = directory.path.removingLastComponent().appending("outside")
            try write("own", to: outside)
            try #require(chmod(outside.string, 0o644) == 0)
            try kind.make(directory.path.appending("evil"), outside)
            try #require(lchown(directory.path.appending("evil").string, user.uid, user.gid) == 0)
            #expect(throws: ForeignFile.self) { try directory.takeBack(from: user) }
            #expect(try FileSystem.status(of: outside).access == Access(uid: 0, mode: 0o644))
        }
    }

    enum Kind: CaseIterable {
        case link, directory, fifo

        func make(_ path: FilePath, _ outside: FilePath) throws {
            let result =
                switch self {
                case .link: symlink(outside.string, path.string)
                case .directory: mkdir(path.string, 0o755)
                case .fifo: mkfifo(path.string, 0o666)
                }
            try #require(result == 0)
        }
    }

    private func withGiven(_ body: (GivenDirectory, UserAccount) async throws -> Void) async throws {
        try await withScratch { scratch in
            let user = try #require(UserAccount(named: PostgreSQLServer.user))
            let directory = GivenDirectory(scratch.appending("given"))
            try FileSystem.createDirectory(directory.path)
            try directory.give(to: user)
            try await body(directory, user)
        }
    }
}

private struct Access: Equatable {
    var uid: UInt32
    var mode: UInt32
}

extension FileStatus {
    fileprivate var access: Access { Access(uid: uid, mode: mode) }
}

extension GivenDirectory {
    /// A file as a program of the user makes it, with its name for its contents.
    fileprivate func receive(_ name: FilePath.Component, from user: UserAccount, mode: mode_t = 0o600) throws {
        let file = path.appending(name)
        try write(name.string, to: file)
        try #require(chown(file.string, user.uid, user.gid) == 0 && chmod(file.string, mode) == 0)
    }
}
