import DumpCore
import Linux
import SystemPackage

/// How every file of a published set looked when it was known to be what was sealed. The files are in the order of a walk of the set, and
/// the manifest is left out. It is `sealed` in the staging area, or a file without a name until the set is published.
///
/// If it is missing, or files look otherwise now, the set's files are hashed before it is handed over. Losing it costs time, never trust.
final class SealedFiles: Sendable {
    /// The SHA-256 of the manifest, which vouches for the list of files.
    let manifestSHA256: String
    let count: Int
    private let handle: Handle
    private var file: FileDescriptor { handle.file }

    fileprivate init(_ handle: Handle, manifestSHA256: String, count: Int) {
        (self.handle, self.manifestSHA256, self.count) = (handle, manifestSHA256, count)
    }

    fileprivate final class Handle: Sendable {
        let file: FileDescriptor
        init(_ file: FileDescriptor) { self.file = file }
        // What was written through it is read back, or was flushed.
        deinit { try? file.close() }
    }

    /// Nil if there is no note of the set with this manifest at `path`, or none that can be read.
    init?(at path: FilePath, manifestSHA256: String) {
        guard let file = try? FileSystem.openToRead(path)
        else { return nil }
        (handle, self.manifestSHA256) = (Handle(file), manifestSHA256)
        let head = Self.head(manifestSHA256)
        var bytes = [UInt8](repeating: 0, count: head.count)
        guard let status = try? FileSystem.status(of: file), status.kind == .file,
            status.bytes >= head.count, (Int(status.bytes) - head.count) % FileState.size == 0,
            (try? bytes.withUnsafeMutableBytes { try file.readFully(into: $0, at: 0) }) == head.count, bytes == head
        else {
            count = 0
            return nil
        }
        count = (Int(status.bytes) - head.count) / FileState.size
    }

    /// Whether an entry of a set is one of those files.
    static func cover(_ entry: FileTree.Entry) -> Bool {
        entry.status.kind == .file && entry.path != FilePath(root: nil, [SetLayout.manifest])
    }

    /// A line of text, before all states.
    fileprivate static func head(_ manifestSHA256: String) -> [UInt8] {
        Array("muster sealed 1 \(manifestSHA256)\n".utf8)
    }

    func states() -> Reader { Reader(of: self) }

    /// Whether the files of a set look as these do now.
    ///
    /// - Parameter isSame: given the state on record, and the one of now.
    func describe(
        _ root: FilePath, _ isSame: (FileState, FileState) throws(Errno) -> Bool
    ) throws(Errno) -> Bool {
        var (known, walk) = (states(), try FileTreeWalk(root))
        while let entry = try walk.next() {
            guard Self.cover(entry) else { continue }
            guard let state = try known.next(), try isSame(state, FileState(entry.status)) else { return false }
        }
        return try known.next() == nil
    }
}

extension SealedFiles {
    /// The states one after the other, some thousands of them in memory.
    struct Reader {
        private let files: SealedFiles
        private var buffer: [UInt8] = []
        private var place = 0
        private var left: Int
        private var offset: Int64

        init(of files: SealedFiles) {
            self.files = files
            left = files.count
            offset = Int64(SealedFiles.head(files.manifestSHA256).count)
        }

        /// The next one, or nil at the end.
        mutating func next() throws(Errno) -> FileState? {
            if place == buffer.count {
                guard left > 0 else { return nil }
                try fill()
            }
            defer { place += FileState.size }
            return buffer.withUnsafeBytes { [place] in FileState($0, at: place) }
        }

        private mutating func fill() throws(Errno) {
            let states = min(left, 2048)
            buffer = [UInt8](repeating: 0, count: states * FileState.size)
            do {
                let read = try buffer.withUnsafeMutableBytes { try files.file.readFully(into: $0, at: offset) }
                guard read == buffer.count else { throw Errno.ioError }
            } catch {
                throw error as? Errno ?? .ioError
            }
            (place, left, offset) = (0, left - states, offset + Int64(buffer.count))
        }
    }

    /// For one thread at a time.
    struct Writer {
        private let handle: Handle
        private let manifestSHA256: String
        private var piece: [UInt8]
        private var count = 0

        /// - Parameter file: empty, open for reading and writing. It is closed with this, and with what `finish` returns.
        init(to file: FileDescriptor, manifestSHA256: String) {
            (handle, self.manifestSHA256) = (Handle(file), manifestSHA256)
            piece = SealedFiles.head(manifestSHA256)
        }

        mutating func add(_ state: FileState) throws {
            state.append(to: &piece)
            count += 1
            if piece.count >= 64 * 1024 { try write() }
        }

        /// To be called once, as the last thing.
        mutating func finish() throws -> SealedFiles {
            try write()
            return SealedFiles(handle, manifestSHA256: manifestSHA256, count: count)
        }

        private mutating func write() throws {
            _ = try handle.file.writeAll(piece)
            piece.removeAll(keepingCapacity: true)
        }
    }
}
