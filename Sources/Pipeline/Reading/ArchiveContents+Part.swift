import Borg
import DumpCore
import Linux
import Settings
import Staging
import SystemPackage

extension ArchiveContents {
    /// The part that `text`, `DUMP` or `DUMP/PATH`, means. Throws `.notInArchive`, with the nearest names, for what is not in the archive.
    func part(_ text: String) throws(ArchiveError) -> SetPart {
        let words = FilePath(text).components.map(\.string)
        guard let first = words.first, let dump = manifest.dumps.first(where: { $0.name == first || $0.path == first })
        else {
            throw missing("dump '\(words.first ?? text)'", nearest(words.first ?? text, manifest.dumps.map(\.name)))
        }
        let path = words.dropFirst().reduce(dump.directory) { $0.appending($1) }
        let files = lists[dump.name]?.lines.map(\.path) ?? []
        // A tree also has what is no file, and only its inventory, which is not read here, knows of that.
        let isInTree = dump.treePath.map(path.starts) ?? false
        guard words.count == 1 || isInTree || files.contains(where: { $0.starts(with: path) }) else {
            throw missing("path '\(text)'", nearest(to: path, among: files))
        }
        return SetPart(of: dump, path: path)
    }

    /// Where the archive has a part: one place, or two for a dump with a tree that Borg read in place.
    func places(of part: SetPart) -> [FilePath] {
        guard let dump = manifest.dumps.first(where: { $0.name == part.dump }), let root = dump.treePath else {
            return [part.path]
        }
        let place = dump.pathInArchive(of: part.path)
        guard dump.tree?.reference != nil, part.covers(root), part.path != root else { return [place] }
        return [place, dump.pathInArchive(of: root)]
    }

    /// Throws `.notInArchive` for a part of a tree of which nothing was extracted.
    func requireExtracted(_ part: SetPart, into room: FilePath) throws(ArchiveError) {
        guard (try? FileSystem.status(of: room.pushing(part.path))) == nil else { return }
        throw missing("path '\(part.path)'", nearest(to: part.path, among: lists[part.dump]?.lines.map(\.path) ?? []))
    }

    /// What there is in the deepest directory that the path has in common with a file.
    private func nearest(to path: FilePath, among files: [FilePath]) -> String {
        var directory = path
        var below: [FilePath] = []
        repeat {
            directory.removeLastComponent()
            // A file has nothing below it.
            below = files.filter { $0.starts(with: directory) && $0 != directory }
        } while below.isEmpty && !directory.isEmpty
        let depth = directory.components.count
        let names = Set(below.map { $0.components.map(\.string)[depth] })
        let wrong = path.components.map(\.string)[depth]
        return nearest(wrong, names.sorted(), in: directory.string + "/")
    }

    private func nearest(_ wrong: String, _ names: [String], in directory: String = "") -> String {
        let guess = nearestWord(to: wrong, among: names).map { "Is it '\(directory)\($0)'? " } ?? ""
        let shown = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
        let place = directory.isEmpty ? "Its dumps are" : "In \(directory) there are"
        return "\(guess)\(place): \(shown)."
    }

    private func missing(_ what: String, _ hint: String) -> ArchiveError {
        ArchiveError(.notInArchive, "archive '\(archive.name)' holds no \(what)", hint: hint)
    }
}
