import DumpCore
import Linux
import SystemPackage
import Trees

/// A second name of a file, or a third.
struct FurtherName: Sendable {
    var path: FilePath
    /// In the list of entries.
    var place: Int
    /// The place of the name that comes first.
    var first: Int
}

extension TreeCopy {
    /// Gives files their further names, once all files are there.
    ///
    /// A name is copied by itself when its file has vanished meanwhile under the first name, or was replaced there.
    func link(_ names: [FurtherName], in copied: inout CopiedTree, until stop: StopSign) throws(DumpError) {
        var standIns: [Int: Int] = [:]
        for (index, name) in names.enumerated() {
            let first = standIns[name.first] ?? name.first
            guard copied.entries[first].sha256 != nil, isOneFile(copied.entries[first].path, name.path) else {
                copied.take(try copy(name.path, until: stop), of: name.place, at: name.path)
                standIns[name.first] = name.place
                continue
            }
            do {
                try link(name, to: first, in: &copied)
            } catch {
                guard error.underlying as? Errno == .tooManyLinks else { throw error }
                // It was linked from the last dump, and the dumps have nearly all names of it that the file system allows.
                let before = names[..<index].filter { copied.entries[$0.place].firstName == copied.entries[first].path }
                try renew(first, alsoCalled: before, in: &copied, until: stop)
                try link(name, to: first, in: &copied)
            }
        }
    }

    private func link(_ name: FurtherName, to first: Int, in copied: inout CopiedTree) throws(DumpError) {
        let original = copied.entries[first]
        try attempting(to: "create", name.path, of: target) {
            try target.link(original.path, of: target, as: name.path)
        }
        copied.entries[name.place] = original
        copied.entries[name.place].path = name.path
        copied.entries[name.place].firstName = original.path
    }

    /// Copies a file that is there under several names once more, as a file that no other dump has.
    private func renew(
        _ first: Int, alsoCalled names: [FurtherName], in copied: inout CopiedTree, until stop: StopSign
    ) throws(DumpError) {
        let path = copied.entries[first].path
        // With more names than here, it is the last dump's.
        if let links = try? target.status(of: path).links, links > names.count + 1 {
            copied.linkedFiles -= 1
            copied.linkedBytes -= copied.entries[first].bytes
        }
        for path in [path] + names.map(\.path) {
            try attempting(to: "replace", path, of: target) { try target.remove(path) }
        }
        guard let result = try copy(path, until: stop) else {
            throw DumpError(
                .fileChanged,
                "\(source.path.pushing(path)) vanished while its \(names.count + 2) names were being linked",
                hint: "Run it again, or dump a snapshot of the file system.")
        }
        copied.take(result, of: first, at: path)
        for name in names { try link(name, to: first, in: &copied) }
    }

    /// Whether two names that were one file's still are.
    private func isOneFile(_ one: FilePath, _ other: FilePath) -> Bool {
        guard let one = try? source.status(of: one), let other = try? source.status(of: other) else { return false }
        return FileNumber(one) == FileNumber(other)
    }
}
