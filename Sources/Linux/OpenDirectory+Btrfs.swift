import CLinux
import Glibc
import SystemPackage

extension OpenDirectory {
    /// The top of a Btrfs file system, as no other process sees it: no path there could be changed by another user.
    public convenience init(topOfBtrfsOn device: String) throws(Errno) {
        let top: UInt64 = 5
        try self.init(subvolume: top, ofBtrfsOn: device)
    }

    /// The root of a subvolume, by its number.
    public convenience init(subvolume number: UInt64, ofBtrfsOn device: String) throws(Errno) {
        let opened = clinux_open_subvolume(device, number)
        guard opened >= 0 else { throw Errno(rawValue: -opened) }
        self.init(FilePath(device), openAs: FileDescriptor(rawValue: opened))
    }

    /// The UUID of the Btrfs file system that the directory is on. Throws `Errno.noTTY` for any other.
    public func btrfsID() throws(Errno) -> String {
        let room = 16
        var bytes = [UInt8](repeating: 0, count: room)
        try check(clinux_btrfs_id(file.rawValue, &bytes))
        return bytes.withUnsafeBytes { SubvolumeFacts.text(ofUUID: $0) }
    }

    /// The subvolume that the directory is the root of, or is in.
    public func subvolume() throws(Errno) -> SubvolumeFacts {
        var found = clinux_subvolume()
        try check(clinux_subvolume_facts(file.rawValue, &found))
        return SubvolumeFacts(found)
    }

    /// Takes a read-only snapshot of the subvolume whose root this is.
    ///
    /// - Parameter directory: on the same file system; has nothing of that name.
    public func takeSnapshot(into directory: OpenDirectory, as name: String) throws(Errno) {
        try check(clinux_take_snapshot(file.rawValue, directory.file.rawValue, name))
    }

    /// The numbers of all subvolumes of that name, wherever they lie on the file system of this directory.
    public func subvolumes(called name: String) throws(Errno) -> [UInt64] {
        var numbers = [UInt64](repeating: 0, count: 64)
        let found = clinux_find_subvolumes(file.rawValue, name, &numbers, Int32(numbers.count))
        try check(found)
        return Array(numbers.prefix(Int(found)))
    }

    /// Deletes a subvolume of the file system of this directory, and returns once that is on disk.
    public func deleteSubvolume(_ number: UInt64) throws(Errno) {
        try check(clinux_delete_subvolume(file.rawValue, number))
        try FileSystem.flushFileSystem(through: file)
    }

    /// Makes a directory that only we may enter, even if this one belongs to another user, and opens it.
    public func createPrivateDirectory(_ name: FilePath.Component) throws(Errno) -> OpenDirectory {
        let path = FilePath(root: nil, [name])
        try createDirectory(path)
        let made = OpenDirectory(self.path.appending(name), openAs: try open(path, O_RDONLY | O_DIRECTORY))
        let status = try made.status(of: "")
        // The owner of this one may have put another in its place since.
        guard status.uid == geteuid(), try made.names(in: "").isEmpty else { throw Errno.permissionDenied }
        try made.setMode(of: "", to: 0o700)
        try made.file.removeAccessLists()
        return made
    }

    /// Opens a directory below, without following a link on the way.
    public func openDirectory(_ path: FilePath) throws(Errno) -> OpenDirectory {
        OpenDirectory(self.path.pushing(path), openAs: try open(path, O_RDONLY | O_DIRECTORY))
    }
}
