import Borg
import DumpCore
import Linux
import Settings
import Staging
import SystemPackage

extension Manifest.DumpRecord {
    /// Whether it is the one that `DUMP` or `DUMP/PATH` begins with.
    func isMeant(by part: FilePath) -> Bool {
        guard let first = part.components.first?.string else { return false }
        return name == first || path == first
    }
}

extension ArchiveContents {
    /// The part that `text`, `DUMP` or `DUMP/PATH`, means. Throws `.notInArchive`, with the nearest names, for a dump that is not in the
    /// archive. Whether the path is there shows when it is extracted.
    func part(_ text: String) throws(ArchiveError) -> SetPart {
        let components = FilePath(text).components
        let words = components.map(\.string)
        guard let dump = manifest.dumps.first(where: { $0.isMeant(by: FilePath(text)) })
        else {
            throw missing("dump '\(words.first ?? text)'", nearest(words.first ?? text, manifest.dumps.map(\.name)))
        }
        let path = words.dropFirst().reduce(dump.directory) { $0.appending($1) }
        guard components.allSatisfy({ $0.kind == .regular }) else {
            throw missing("path '\(text)'", "Write it without '.' and '..'.")
        }
        return SetPart(of: dump, path: path)
    }

    /// Throws `.notInArchive`, with the nearest name, for a part of which nothing was extracted.
    func requireExtracted(_ part: SetPart, into room: FilePath) throws(ArchiveError) {
        guard (try? FileSystem.status(of: room.pushing(part.path))) == nil else { return }
        throw missing("path '\(part.path)'", nearest(to: part.path, among: listedFiles(of: part.dump, in: room)))
    }

    /// By the list that was extracted to verify the part with, unless it is too long to be read for a hint.
    private func listedFiles(of dump: String, in room: FilePath) -> [FilePath] {
        guard let record = manifest.dumps.first(where: { $0.name == dump }) else { return [] }
        return SetDirectory(room).listedFiles(of: record, longest: 64 << 20) ?? []
    }

    /// What there is in the deepest directory that the path has in common with a file.
    private func nearest(to path: FilePath, among files: [FilePath]) -> String? {
        guard !files.isEmpty else { return nil }
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

    private func missing(_ what: String, _ hint: String?) -> ArchiveError {
        ArchiveError(.notInArchive, "archive '\(archive.name)' holds no \(what)", hint: hint)
    }
}

extension Manifest {
    /// Where an archive of the set has a part: one place, or two for a dump with a tree that Borg read in place.
    func places(of part: SetPart) -> [FilePath] {
        guard let dump = dumps.first(where: { $0.name == part.dump }), let root = dump.treePath else {
            return [part.path]
        }
        let place = dump.pathInArchive(of: part.path)
        guard dump.tree?.reference != nil, part.covers(root), part.path != root else { return [place] }
        return [place, dump.pathInArchive(of: root)]
    }

    /// The same of several, and of what vouches for them: all that Borg is asked for.
    func places(of parts: [SetPart]) -> [FilePath] {
        let vouchers = parts.vouchers
        return vouchers + parts.flatMap(places).filter { !vouchers.contains($0) }
    }
}
