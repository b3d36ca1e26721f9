import DumpCore
import Linux
import SystemPackage

/// Makes one change of the last ones of a chain. What went and came again is left out, and the numbers of earlier lines stay what they are.
struct RowFolding {
    let chain: RowChain
    /// How many changes.
    let count: Int
    let memory: RowMemory
    let stop: StopSign

    /// Writes the files of the change, which has the name of none of the chain.
    func write(as name: String) throws(RowDeltaError) {
        var before = try chain.dropping(count).stream(within: memory, until: stop)
        var now = try chain.stream(within: memory, until: stop)
        try writeLines(&before, &now, to: chain.lines(of: name))
        try writeRows(&now, after: before.line, to: chain.rows(of: name))
    }

    /// What became of the lines that there were before the folded changes. Leaves the rows that came since.
    private func writeLines(
        _ before: inout RowStream, _ now: inout RowStream, to path: FilePath
    ) throws(RowDeltaError) {
        let file = try LinesFile(path)
        while try before.fill(1) > 0 {
            let (old, there) = (before.row(0), try now.fill(1) > 0)
            if there, now.row(0).line == old.line {
                let new = now.row(0)
                if new.isEdited { try write(before.text(of: old), now.text(of: new), old.line, to: file) }
                now.pass()
            } else {
                try file.remove(old.line)
            }
            before.pass()
        }
        // The end moves to the end, unless all that came is gone again.
        if try now.fill(1) > 0 || now.tail.lines != before.tail.lines {
            for line in before.tail.lines { try file.remove(line) }
        }
        try file.finish()
    }

    private func write(
        _ old: UnsafeRawBufferPointer, _ new: UnsafeRawBufferPointer, _ line: Int64, to file: LinesFile
    ) throws(RowDeltaError) {
        let edits = RowEdits(from: old, to: new)
        if !edits.lines.isEmpty { try file.change(line, by: edits) }
    }

    /// Rows that came with the folded changes and are still there, and the end.
    private func writeRows(_ now: inout RowStream, after kept: Int64, to path: FilePath) throws(RowDeltaError) {
        let file = try BufferedFile(path)
        while try now.fill(1) > 0 {
            try file.write(now.text(of: now.row(0)))
            now.pass()
        }
        if let first = now.tail.lines.first, first > kept { try file.write(now.tail.bytes) }
        try file.finish()
    }
}
