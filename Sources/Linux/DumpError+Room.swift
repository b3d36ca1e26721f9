import DumpCore
import SystemPackage

extension DumpError {
    /// An error about a full disk, with how much was needed and is free. What a full disk keeps from being written is anybody's guess.
    ///
    /// - Parameter directory: that of the dump.
    public func sayingRoom(needed: Int64, in directory: FilePath) -> DumpError {
        // An unknown size counts as none: this is an error already.
        let free = (try? FileSystem.availableBytes(at: directory)) ?? 0
        var error = self
        error.message +=
            ": \(formatBytes(needed)) needed, \(formatBytes(free)) free in \(directory.removingLastComponent())"
        error.context = ["needed_bytes": "\(needed)", "free_bytes": "\(free)"]
        return error
    }
}
