import DumpCore
import Linux
import SystemPackage
import Trees

/// A copy of one thing other than a directory: a file, a link, a FIFO, a device.
struct OneCopy {
    let source: OpenDirectory
    let place: FilePath
    let status: FileStatus
    let room: OpenDirectory
    let name: FilePath

    func perform(until stop: StopSign) throws(DumpError) -> TreeDigests {
        let copied = TreeEntries(in: .temporaryFiles)
        guard status.kind == .file else {
            try copyNode()
            return TreeDigests(entries: copied)
        }
        let copy = FileCopy(
            source: source, target: room, path: place, cloning: CloneSupport(), buffer: CopyBuffer(), stop: stop,
            asOf: FileCopy.now, progress: { _ in SignOfLife.give() })
        guard var entry = try copy.perform()?.entry else {
            throw DumpError(.system, "\(source.path.pushing(place)) vanished while it was copied")
        }
        if place != name {
            try restoring("rename", room.path.pushing(place)) { () throws(Errno) in try room.renameNew(place, to: name)
            }
        }
        entry.path = FilePath()
        try copied.add(entry)
        return TreeDigests(entries: copied)
    }

    private func copyNode() throws(DumpError) {
        try restoring("copy", source.path.pushing(place)) { () throws(Errno) in
            let entry = try TreeEntry(place, status, reading: source)
            if entry.kind == .symbolicLink {
                try room.createLink(name, to: entry.target ?? [])
            } else {
                try room.createNode(name, like: status)
            }
            try room.setOwner(of: name, to: entry.uid, entry.gid)
            try room.setAttributes(entry.attributes, of: name, kind: entry.kind)
            if entry.kind != .symbolicLink { try room.setMode(of: name, to: entry.mode) }
            try room.setModified(name, to: entry.modified)
        }
    }
}
