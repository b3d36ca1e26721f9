import Checksums
import DumpCore
import Linux
import SystemPackage

/// How every file of a published set looked when it was known to be what was sealed: `sealed` in the staging area.
///
/// Nobody but root can change a file of the set and keep all of this: the kernel dates each change of a file's bytes, owner, mode and names.
/// A set without it, or whose files look otherwise now, is hashed before it is handed over. Losing it costs time, never trust.
struct SealedFiles: Sendable, Equatable {
    struct State: Sendable, Equatable {
        var inode: UInt64
        var bytes: Int64
        var modified: Int64
        var changed: Int64

        init(_ status: FileStatus) {
            (inode, bytes, modified, changed) = (status.inode, status.bytes, status.modified, status.changed)
        }

        /// Whether only what a further name for the file changes too is different.
        func holdsSameFile(as other: State) -> Bool {
            inode == other.inode && bytes == other.bytes && modified == other.modified
        }
    }

    /// Of the manifest, which vouches for which files there are.
    var manifestSHA256: String
    /// Of all files but the manifest, in the order of a walk of the set.
    var states: [State]

    /// Whether an entry of a set is one of those files.
    static func cover(_ entry: FileTree.Entry) -> Bool {
        entry.status.kind == .file && entry.path != FilePath(root: nil, [SetLayout.manifest])
    }

    /// As the files of a set look now.
    init(of root: FilePath, manifestSHA256: String) throws(Errno) {
        var states: [State] = []
        try FileTree(root).visitAll { entry throws(Errno) in
            if Self.cover(entry) { states.append(State(entry.status)) }
        }
        self.init(manifestSHA256: manifestSHA256, states: states)
    }

    init(manifestSHA256: String, states: [State]) {
        self.manifestSHA256 = manifestSHA256
        self.states = states
    }

    /// Whether the same files are meant, with the same bytes as far as their inodes, sizes and times tell.
    func holdsSameFiles(as other: SealedFiles) -> Bool {
        manifestSHA256 == other.manifestSHA256 && states.count == other.states.count
            && zip(states, other.states).allSatisfy { $0.holdsSameFile(as: $1) }
    }
}

extension SealedFiles {
    private static let title = "muster sealed 1 "

    /// A line of text, then four numbers of eight bytes for each file: there may be hundreds of thousands.
    var encoded: [UInt8] {
        var bytes = Array((Self.title + manifestSHA256 + "\n").utf8)
        bytes.reserveCapacity(bytes.count + 32 * states.count)
        for state in states {
            for number in [Int64(bitPattern: state.inode), state.bytes, state.modified, state.changed] {
                withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }

    /// Nil for anything else than `encoded` of the set with this manifest.
    init?(_ bytes: [UInt8], manifestSHA256: String) {
        let head = Array((Self.title + manifestSHA256 + "\n").utf8)
        guard bytes.starts(with: head), (bytes.count - head.count) % 32 == 0 else { return nil }
        let numbers = bytes.withUnsafeBytes { raw in
            stride(from: head.count, to: bytes.count, by: 8).map {
                Int64(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: Int64.self))
            }
        }
        self.manifestSHA256 = manifestSHA256
        states = stride(from: 0, to: numbers.count, by: 4).map { State(numbers[$0..<$0 + 4]) }
    }
}

extension SealedFiles.State {
    fileprivate init(_ numbers: ArraySlice<Int64>) {
        let first = numbers.startIndex
        inode = UInt64(bitPattern: numbers[first])
        (bytes, modified, changed) = (numbers[first + 1], numbers[first + 2], numbers[first + 3])
    }
}
